// Weights in files of all formats, by the ending of a path, and the time at which a file has them.
// modes: simd

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Adagrad,
  Adam,
  ArgumentError,
  BatchNormalization,
  Conv2D,
  Dense,
  Flatten,
  FormatError,
  LSTM,
  SGD,
  Sequential,
  loadModel,
  ops,
  saving,
} from '../../../src'
import { writeKeras } from '../../../src/entries/keras'
import { typed } from '../../../src/core/tree'
import { weightEndings } from '../../../src/files/containers/format-list'
import { loader } from '../../../src/files/loader'
import { useFileLoader } from '../../../src/models/file-loader'
import { snapshotOf } from '../../../src/models/snapshot'

let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'weights-'))))
afterEach(() => rmSync(folder, { recursive: true }))
// As in a program without the loader, which is a bundle.
afterEach(() => useFileLoader(loader))

const made = (): Sequential =>
  new Sequential([
    new LSTM({ units: 3, inputShape: [2, 2] }),
    new BatchNormalization(),
    new Dense({ units: 2 }),
    new Dense({ units: 2 }),
  ])
const numbers = (model: Sequential): number[][] => model.getWeights().map(({ data }) => Array.from(data))
const change = (model: Sequential): void => {
  for (const weight of model.weights) weight.assign(ops.full(weight.shape, 7))
}

describe.each([...Object.values(weightEndings).map((ending) => `x${ending}`), 'x.H5'])('saveWeights to %s', (name) => {
  it('writes what loadWeights reads', async () => {
    const one = made()
    const path = join(folder, name)
    const bytes = await one.saveWeights(path)
    expect(new Uint8Array(readFileSync(path))).toEqual(new Uint8Array(bytes))
    for (const source of [path, bytes]) {
      const other = made()
      await other.loadWeights(source)
      expect(numbers(other)).toEqual(numbers(one))
    }
  })

  it('writes the weights of the time of the call', async () => {
    const one = made()
    const before = numbers(one)
    const path = join(folder, name)
    const saved = one.saveWeights(path)
    change(one)
    await saved
    const other = made()
    await other.loadWeights(path)
    expect(numbers(other)).toEqual(before)
  })
})

describe('saveWeights', () => {
  it('refuses other endings, and lists those that there are', async () => {
    const error = made().saveWeights(join(folder, 'x.bin'))
    await expect(error).rejects.toThrow(ArgumentError)
    await expect(error).rejects.toThrow(Object.values(weightEndings).join(', '))
    expect(readdirSync(folder)).toEqual([])
    useFileLoader(null)
    await expect(made().saveWeights(join(folder, 'x.npz'))).rejects.toThrow(/writeWeights of 'myelin.weights'/)
  })
})

describe('loadWeights of several files', () => {
  it('ends with its signal', async () => {
    const path = join(folder, 'model.json')
    const bytes = new TextEncoder().encode('{ "modelTopology": {} }')
    writeFileSync(path, bytes)
    await expect(loader.formatIn(bytes)!.fill(made(), bytes, path, AbortSignal.abort())).rejects.toThrow(/abort/i)
  })
})

describe('save', () => {
  it.each([
    ['x.h5', 'keras'],
    ['x.keras', 'keras'],
    ['x.onnx', 'onnx'],
    ['x/model.json', 'tfjs'],
    ['folder/', 'tfjs'],
    ['indexeddb://digits', 'tfjs'],
  ])('names the sub-path that writes %s where the formats are not known', async (path, subPath) => {
    useFileLoader(null)
    const saved = made().save(path)
    await expect(saved).rejects.toThrow(ArgumentError)
    await expect(saved).rejects.toThrow(`'${path}' is written by a function of 'myelin/${subPath}'`)
  })
})

describe('save as .keras', () => {
  it('writes the weights, the optimizer and the options of compile of the time of the call', async () => {
    const model = made()
    model.compile({ optimizer: new Adam({ learningRate: 0.25 }), loss: 'mse' })
    await model.fit(ops.ones([4, 2, 2]), ops.ones([4, 2]), { epochs: 2, verbose: 0 })
    await loadModel(await model.save())
    const before = numbers(model)
    const state = model.optimizer.variables.map(({ value }) => Array.from(value.data))
    const path = join(folder, 'model.keras')
    const saved = model.save(path)
    change(model)
    model.optimizer.learningRate = 0.5
    model.compile({ optimizer: 'sgd', loss: 'mae' })
    await saved
    expect(
      numbers(model)
        .flat()
        .every((each) => each === 7),
    ).toBe(true)
    expect(model.optimizer).toBeInstanceOf(SGD)
    const again = await loadModel(path)
    expect(numbers(again as Sequential)).toEqual(before)
    expect(again.optimizer.learningRate).toBe(0.25)
    expect(again.optimizer.variables.map(({ value }) => Array.from(value.data))).toEqual(state)
  })
})

describe('a snapshot', () => {
  it('has the first values of slots that the optimizer makes later', async () => {
    const compiled = (): Sequential => {
      const model = made()
      model.compile({ optimizer: new Adagrad({ initialAccumulatorValue: 0.5, useEma: true }), loss: 'mse' })
      return model
    }
    const state = (model: Sequential): number[][] =>
      model.optimizer.variables.map(({ value }) => Array.from(value.data))
    const model = compiled()
    const fresh = compiled()
    fresh.setWeights(model.getWeights())
    fresh.optimizer.build(fresh.trainableWeights)
    const at = snapshotOf(typed(model))
    await model.fit(ops.ones([4, 2, 2]), ops.ones([4, 2]), { epochs: 2, verbose: 0 })
    const trained = state(model)
    expect(trained).not.toEqual(state(fresh))
    expect(at(() => state(model))).toEqual(state(fresh))
    expect(state(model)).toEqual(trained)
  })
})

describe('options of Keras', () => {
  const model = (channels: number, units: number): Sequential =>
    new Sequential([
      new Conv2D({ filters: 3, kernelSize: 2, inputShape: [4, 4, channels] }),
      new Flatten(),
      new Dense({ units: 5 }),
      new Dense({ units }),
    ])
  const isLoaded = (one: Sequential): boolean[] => one.weights.map(({ value }) => value.data.every((x) => x === 7))

  it.each([...Object.values(weightEndings).map((ending) => `x${ending}`), 'x.keras', 'model.safetensors'])(
    'skipMismatch loads from %s the layers that fit',
    async (name) => {
      const path = join(folder, name)
      const whole = model(2, 3)
      change(whole)
      if (name === 'x.keras' || name === 'model.safetensors')
        writeFileSync(path, await (name === 'x.keras' ? writeKeras(typed(whole)) : whole.save())) // prettier-ignore
      else await whole.saveWeights(path)
      const other = model(1, 4)
      await expect(other.loadWeights(path)).rejects.toThrow(FormatError)
      const told = vi.spyOn(console, 'warn').mockImplementation(() => {})
      await other.loadWeights(path, { skipMismatch: true })
      // As in Keras, the bias of a layer is not loaded without its kernel.
      expect(isLoaded(other)).toEqual([false, false, true, true, false, false])
      expect(told).toHaveBeenCalledOnce()
      expect(told.mock.calls[0]![0]).toMatch(/^loadWeights: these keep their weights.*conv.*dense/i)
      await model(2, 3).loadWeights(path, { skip_mismatch: true } as object)
      expect(told).toHaveBeenCalledOnce()
      told.mockRestore()
    },
  )

  it('skipMismatch needs a layer that fits, and no mapping', async () => {
    const path = join(folder, 'x.npz')
    await model(2, 3).saveWeights(path)
    const other = new Sequential([new Dense({ units: 9, inputShape: [9] })])
    await expect(other.loadWeights(path, { skipMismatch: true })).rejects.toThrow('No weight of the file fits')
    await expect(other.loadWeights(path, { skipMismatch: true, mapping: {} })).rejects.toThrow('exclude each other')
  })

  it.each(['model.safetensors', 'model.keras', 'model.h5', 'model.onnx', 'tfjs/model.json', 'folder/'])(
    'overwrite: false writes %s once',
    async (name) => {
      const path = join(folder, 'once', name)
      mkdirSync(join(folder, 'once', 'tfjs'), { recursive: true })
      // A folder without a model.
      mkdirSync(join(folder, 'once', 'folder'), { recursive: true })
      const first = model(2, 3)
      await first.save(path, { overwrite: false })
      await expect(model(1, 3).save(path, { overwrite: false })).rejects.toThrow(ArgumentError)
      await expect(saving.saveModel(model(1, 3), path, { overwrite: false })).rejects.toThrow(/exists, and overwrite/)
      expect((await loadModel(path)).countParams()).toBe(first.countParams())
      await saving.saveModel(model(1, 3), path)
      await model(1, 3).save(path, { overwrite: true })
    },
  )

  it('overwrite: false keeps a file', async () => {
    const path = join(folder, 'x.safetensors')
    await model(2, 3).saveWeights(path, { overwrite: false, maxShardSize: null })
    const before = readFileSync(path)
    await expect(model(1, 3).saveWeights(path, { overwrite: false })).rejects.toThrow(/exists, and overwrite is false/)
    await expect(saving.saveWeights(model(1, 3), path, { overwrite: false })).rejects.toThrow(ArgumentError)
    await expect(saving.saveModel(model(1, 3), path, { overwrite: false })).rejects.toThrow(ArgumentError)
    expect(readFileSync(path).equals(before)).toBe(true)
    await expect(model(1, 3).save(path, { overwrite: false })).rejects.toThrow(/exists, and overwrite is false/)
    expect(readFileSync(path).equals(before)).toBe(true)
    await saving.saveModel(model(1, 3), path, { overwrite: true, zipped: null })
    expect(readFileSync(path).equals(before)).toBe(false)
    await expect(saving.saveModel(model(1, 3), path, { zipped: false })).rejects.toThrow(/zipped must be null or true/)
    await expect(saving.saveWeights(model(1, 3), path, { maxShardSize: 1 } as object)).rejects.toThrow(/one file/)
  })
})
