// Written .keras files: read again, they predict and train the same. KERAS_FILES=FOLDER keeps them for the real Keras, which
// tests/golden/keras-files-check.py runs.
// modes: simd

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Adam, Dense, FormatError, Layer, Sequential, loadModel } from '../../src'
import { loadKerasWeights, readKeras, writeKeras, writeKerasWeights } from '../../src/keras'
import { bytesOf, differenceOf, filesIn, inputsOf, jsonOf } from './goldens'
import type { Golden } from './goldens'

const keep = (name: string, bytes: Uint8Array, content: string): void => {
  const folder = process.env['KERAS_FILES']
  if (folder === undefined) return
  writeFileSync(join(folder, `${name}.keras`), bytes)
  writeFileSync(join(folder, `${name}.json`), content)
}

const x = Array.from({ length: 12 }, (_, row) => [0, 1, 2, 3].map((i) => ((37 * (4 * row + i)) % 101) / 50 - 1))
const y = x.map((_, row) => [0, 1, 2].map((each) => Number(each === (row * 5) % 3)))
const plain = (rows: number[][]) => ({ shape: [rows.length, rows[0]!.length], data: rows.flat() })

describe('a model that is written and read again predicts the same', () => {
  const families = filesIn('3.15', '.keras').filter((path) => !path.includes('lookups'))
  it.each(families)('%s', async (path) => {
    const bytes = await writeKeras(await readKeras<never, unknown>(bytesOf(path)))
    const json = path.replace('.keras', '.json')
    keep(path.replaceAll(/[/.]/g, '_'), bytes, JSON.stringify(jsonOf(json)))
    const { x: inputs, y: expected } = jsonOf<Golden>(json)
    const again = await readKeras<never, unknown>(bytes)
    expect(differenceOf(await again.predict(inputsOf(inputs) as never), expected)).toBeLessThan(1e-5)
  })
})

describe('training goes on', () => {
  it.each(filesIn('3.15/training', '.keras'))('%s', async (path) => {
    const bytes = await writeKeras(await readKeras<never, unknown>(bytesOf(path)))
    const [one, other] = [await readKeras(bytesOf(path)), await readKeras(bytes)]
    const options = { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 } as const
    const { history } = await one.fit(x, y, options)
    const { history: again } = await other.fit(x, y, options)
    expect(again['loss']).toEqual(history['loss'])
    const weights = one.getWeights().map(({ shape, data }) => ({ shape, data: Array.from(data) }))
    expect(other.getWeights().map(({ shape, data }) => ({ shape, data: Array.from(data) }))).toEqual(weights)
    keep(
      path.replaceAll(/[/.]/g, '_'),
      bytes,
      JSON.stringify({ x: plain(x), targets: plain(y), loss: history['loss'], weights }),
    )
  })
})

describe('save', () => {
  it('writes by the ending of the path', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3], name: 'only' })])
    model.compile({ optimizer: new Adam(1), loss: 'mse' })
    await loadModel(await model.save())
    const folder = mkdtempSync(join(tmpdir(), 'keras-'))
    const path = join(folder, 'model.keras')
    await model.save(path)
    const bytes = new Uint8Array(readFileSync(path))
    rmSync(folder, { recursive: true })
    const again = await loadModel(bytes)
    expect(again.getWeights().map(({ data }) => Array.from(data))).toEqual(
      model.getWeights().map(({ data }) => Array.from(data)),
    )
    expect(again.optimizer.learningRate).toBe(1)
    // Keras refuses an integer.
    expect(new TextDecoder().decode(bytes)).toContain('"learning_rate":1.0')
  })

  it('writes weights alone', async () => {
    const made = (): Sequential => new Sequential([new Dense({ units: 2, inputShape: [3] }), new Dense({ units: 1 })])
    const [one, other] = [made(), made()]
    await loadKerasWeights(other, await writeKerasWeights(one))
    expect(other.getWeights().map(({ data }) => Array.from(data))).toEqual(
      one.getWeights().map(({ data }) => Array.from(data)),
    )
  })

  it('refuses what Keras does not have', async () => {
    const model = new Sequential([new Dense({ units: 2, inputShape: [3] })])
    model.compile({ optimizer: new Adam({ noWeightDecay: ['bias'] }), loss: 'mse' })
    await expect(writeKeras(model)).rejects.toThrow(FormatError)
    await expect(writeKeras(model)).rejects.toThrow(/noWeightDecay of Adam/)
    expect((await writeKeras(model, null, { includeOptimizer: false })).length).toBeGreaterThan(0)
  })

  it('keeps layers of the user, which customObjects read', async () => {
    class Plus extends Layer {
      static readonly className = 'Plus'
      override call(input: never): never {
        return input
      }
    }
    const bytes = await writeKeras(
      new Sequential([new Dense({ units: 2, inputShape: [3] }), new Plus({ name: 'own' })]),
    )
    await expect(readKeras(bytes)).rejects.toThrow(/Plus \('own'\)/)
    expect((await readKeras(bytes, { customObjects: { Plus } })).getLayer('own')).toBeInstanceOf(Plus)
  })
})
