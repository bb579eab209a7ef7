// The loader of files: a value made of a table of formats, which entries of hosts give to models.
// modes: simd

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type * as library from '../../src'
import { Dense, Model, Sequential, StateError, loadModel } from '../../src'
import { startsWith } from '../../src/files/containers/first-bytes'
import { weightEndings } from '../../src/files/containers/format-list'
import { loader, loaderOf } from '../../src/files/loader'
import { formats } from '../../src/files/formats'
import type { FileFormat } from '../../src/models/file-format'
import { useFileLoader } from '../../src/models/file-loader'
import { bundledLibrary } from '../helpers/fresh-library'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'loader-'))))
afterEach(() => rmSync(folder, { recursive: true }))
afterEach(() => useFileLoader(loader))

const made = ({ Dense, Sequential }: Pick<typeof library, 'Dense' | 'Sequential'>) =>
  new Sequential([new Dense({ units: 2, inputShape: [3] })])

describe('a loader of a table', () => {
  const text = new TextEncoder()
  const format: FileFormat = {
    read: async () => made({ Dense, Sequential }),
    readStored: async (address) => Object.assign(made({ Dense, Sequential }), { address }),
    fill: async (model) => model.weights[1]!.assign([5, 6]),
    write: async (model) => text.encode(`FAKE${model.name}`),
  }
  const own = loaderOf({
    ...formats,
    models: {
      fake: {
        paths: ['.fake', 'fake://'],
        kinds: [{ isFile: (bytes) => startsWith(bytes, 'FAKE'), what: 'a fake' }],
        load: async () => format,
      },
    },
  })

  it('writes and reads files by it, and no others', async () => {
    useFileLoader(own)
    const model = made({ Dense, Sequential })
    const bytes = await own.formatOf(join(folder, 'a.fake'))!.write(model, join(folder, 'a.fake'), {})
    expect(new TextDecoder().decode(await model.save(join(folder, 'b.fake')))).toBe(`FAKE${model.name}`)
    await model.loadWeights(bytes)
    expect(model.weights[1]!.numpy()).toEqual([5, 6])
    expect(own.formatOf('model.safetensors')).toBe(null)
    expect(own.formatIn(Uint8Array.of(1, 2))).toBe(null)
    await expect(model.save(join(folder, 'a.keras'))).rejects.toThrow(
      'ends in .keras, which is not a format of models. Use .safetensors, .fake',
    )
  })

  it('reads what is stored', async () => {
    expect(await own.storedReader('fake://one')!({})).toMatchObject({ address: 'fake://one' })
    expect(own.storedReader('other://one')).toBe(null)
    expect(own.storedReader(Uint8Array.of(1))).toBe(null)
  })

  it('names the sub-path whose code cannot be loaded', async () => {
    const broken = loaderOf({
      ...formats,
      models: { keras: { ...formats.models['keras']!, load: () => Promise.reject(new Error('404')) } },
    })
    const error = broken.formatOf('a.keras')!.write(made({ Dense, Sequential }), 'a.keras', {})
    await expect(error).rejects.toThrow(StateError)
    await expect(error).rejects.toThrow("read and written by 'myelin/keras', which could not be loaded")
  })
})

describe.each([
  ['node', () => import('../../src/entries/node')],
  ['deno', () => import('../../src/entries/deno')],
  ['react-native', () => import('../../src/entries/react-native')],
])('models of the entry %s', (_, entry) => {
  let own: typeof library
  beforeEach(async () => {
    vi.resetModules()
    own = await entry()
  })

  it('are written in all formats', async () => {
    const model = made(own)
    for (const name of ['a.keras', 'a.onnx', 'a.h5', 'model.json', 'a.safetensors']) {
      await model.save(join(folder, name))
      const copy = await own.loadModel(join(folder, name))
      expect(copy.weights.map(({ shape }) => shape)).toEqual([[3, 2], [2]])
    }
  })

  it('write and read weights in all formats', async () => {
    for (const ending of Object.values(weightEndings)) {
      const name = `a${ending}`
      const [model, copy] = [made(own), made(own)]
      await model.saveWeights(join(folder, name))
      await copy.loadWeights(readFileSync(join(folder, name)))
      expect(copy.weights.map((each) => each.numpy())).toEqual(model.weights.map((each) => each.numpy()))
    }
  })

  it('are made of configurations with all classes', () => {
    const x = own.Input({ shape: [3] })
    const model = new own.Model({ inputs: x, outputs: new own.Dense({ units: 2 }).apply(x) })
    expect(own.Model.fromConfig(model.getConfig()).weights).toHaveLength(2)
    expect(own.Sequential.fromConfig(made(own).getConfig()).weights).toHaveLength(2)
  })
})

describe('models of a bundle', () => {
  it('know all formats after a call of loadModel, or of a function of saving', async () => {
    for (const name of ['loadModel', 'saveModel', 'saveWeights', 'loadWeights'] as const) {
      const own = await bundledLibrary()
      const model = made(own)
      await expect(model.save(join(folder, 'a.keras'))).rejects.toThrow("a function of 'myelin/keras'")
      const bytes = await model.save()
      if (name === 'loadModel') await own.loadModel(bytes)
      else if (name === 'loadWeights') await own.saving.loadWeights(model, bytes)
      else await own.saving[name](model)
      await model.save(join(folder, 'a.keras'))
      expect(own.Sequential.fromConfig(model.getConfig()).weights).toHaveLength(2)
    }
  })

  it('read graphs within a scope alone', async () => {
    const { Dense, Input, Model, customObjectScope } = await bundledLibrary()
    const x = Input({ shape: [3] })
    const config = new Model({ inputs: x, outputs: new Dense({ units: 2 }).apply(x) }).getConfig()
    expect(customObjectScope({ Dense }, () => Model.fromConfig(config)).weights).toHaveLength(2)
    expect(() => Model.fromConfig(config, { Dense })).toThrow('Give the classes: customObjectScope')
  })
})

it('a model that was loaded is one of Model', async () => {
  expect(await loadModel(await made({ Dense, Sequential }).save())).toBeInstanceOf(Model)
})
