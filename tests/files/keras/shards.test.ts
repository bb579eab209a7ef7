// Weights that Keras divided among several files: see tests/golden/keras_shards.py.
// modes: simd

import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BatchNormalization, Dense, FormatError, LSTM, Reshape, Sequential } from '../../../src'
import { loadKerasWeights } from '../../../src/entries/keras'
import { fillFromKeras } from '../../../src/files/keras/read'
import { bytesOf, differenceOf, inputsOf, jsonOf, type Golden } from './goldens'

const made = (): Sequential =>
  new Sequential([
    new Dense({ units: 8, activation: 'tanh', inputShape: [4] }),
    new BatchNormalization(),
    new Reshape({ targetShape: [2, 4] }),
    new LSTM({ units: 3 }),
    new Dense({ units: 2 }),
  ])

const path = fileURLToPath(new URL('../../golden/keras/shards/model.weights.json', import.meta.url))
const shard = async (name: string): Promise<Uint8Array> => bytesOf(`shards/${name}`)
const text = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
interface List {
  weight_map: Record<string, string | string[]>
}
const list = (): List => jsonOf<List>('shards/model.weights.json')

describe('weights in several files', () => {
  it('are read from the folder of the list', async () => {
    expect(Object.values(list().weight_map).some((each) => Array.isArray(each))).toBe(true)
    const model = made()
    await loadKerasWeights(model, path)
    const { x, y } = jsonOf<Golden>('shards/expected.json')
    expect(differenceOf(await model.predict(inputsOf(x) as never), y)).toBeLessThan(1e-5)
  })

  it('need the folder of the list', async () => {
    await expect(loadKerasWeights(made(), bytesOf('shards/model.weights.json'))).rejects.toThrow(/path or the URL/)
  })

  it('must be in that folder', async () => {
    const { readerBeside } = await import('../../../src/engine/runtime/beside')
    for (const name of ['../3.15/core.h5', '/etc/passwd', 'http://localhost/x.h5', 'a\\..\\..\\x']) {
      const bytes = text({ metadata: {}, weight_map: { '/layers/dense/vars': name } })
      await expect(fillFromKeras(made(), bytes, readerBeside(path, bytes, 'loadWeights', null))).rejects.toThrow(
        /leads out/,
      )
    }
  })

  it('are loaded as a whole or not at all', async () => {
    const model = made()
    const before = model.getWeights().map(({ data }) => Array.from(data))
    const { weight_map: map } = list()
    const names = [...new Set(Object.values(map).flat())]
    const bad: [unknown, RegExp][] = [
      [{ weight_map: Object.fromEntries(Object.entries(map).slice(0, 2)) }, /do not fit|no array/],
      [{ weight_map: { a: names.slice(1) } }, /do not fit|no array/],
      [{ weight_map: { a: 5 } }, /no name of a file/],
      [{ weight_map: [] }, /no weight_map/],
    ]
    for (const [content, message] of bad) {
      await expect(fillFromKeras(model, text(content), shard)).rejects.toThrow(FormatError)
      await expect(fillFromKeras(model, text(content), shard)).rejects.toThrow(message)
    }
    const twice = async (name: string): Promise<Uint8Array> => shard(name === names[1] ? names[0]! : name)
    await expect(fillFromKeras(model, text(list()), twice)).rejects.toThrow(/twice/)
    expect(model.getWeights().map(({ data }) => Array.from(data))).toEqual(before)
  })
})
