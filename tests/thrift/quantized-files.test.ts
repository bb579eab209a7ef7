// Quantized models in files of every format: what is saved opens again with the same predictions, or is refused when it is saved.
// modes: simd

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Sequential, loadModel } from '../../src/entries/node'
import { forgetWarnings } from '../../src/core/warnings'
import {
  Bidirectional,
  Conv2D,
  Dense,
  Embedding,
  Flatten,
  GlobalAveragePooling1D,
  Input,
  LSTM,
  Model,
  MultiHeadAttention,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import { weightEndings } from '../../src/files/containers/format-list'
import { quantizationAware, quantize, quantizeInPlace } from '../../src/entries/thrift'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quantized-'))
})
afterAll(() => rm(folder, { recursive: true }))

type Any = Model<Tensor, Tensor>

function dense(): Any {
  setRandomSeed(1)
  return new Sequential([new Dense(3, { inputShape: [4] }), new Dense(2)])
}

function images(): Any {
  return new Sequential([new Conv2D(4, 3, { inputShape: [8, 8, 2] }), new Flatten(), new Dense(2)])
}

function words(): Any {
  return new Sequential([
    new Embedding(20, 8, { inputShape: [6] }),
    new Bidirectional(new LSTM(5, { returnSequences: true })),
    new GlobalAveragePooling1D(),
    new Dense(2),
  ])
}

function attention(): Any {
  const x = Input({ shape: [6, 8] })
  const seen = new MultiHeadAttention(2, 4).apply([x, x])
  return new Model({ inputs: x, outputs: new Dense(2).apply(seen) }) as Any
}

const rows = (shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 7) % 5),
    shape,
  )

const MODELS: readonly (readonly [string, () => Any, Tensor])[] = [
  ['Dense', dense, rows([3, 4])],
  ['convolutions', images, rows([2, 8, 8, 2])],
  ['Embedding and recurrent layers', words, rows([2, 6])],
  ['attention', attention, rows([2, 6, 8])],
]

const numbersOf = (model: unknown, x: Tensor): readonly number[] =>
  Array.from((model as Any).predictOnBatch(x as never).data as Float32Array)

async function roundTrip(model: Any, x: Tensor, ending: string): Promise<void> {
  const path = join(folder, `model${ending}`)
  await model.save(path)
  const [found, expected] = [numbersOf(await loadModel(path), x), numbersOf(model, x)]
  // ONNX has the layers as other ops.
  if (ending === '.onnx') found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4))
  else expect(found).toEqual(expected)
}

describe('a model that is quantized in place', () => {
  beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}))
  afterAll(() => vi.restoreAllMocks())

  it.each(MODELS)('%s: opens again from every format', async (_, make, x) => {
    for (const mode of ['int8', 'int4'] as const)
      for (const ending of ['.safetensors', '.keras', '.h5', '.onnx']) {
        const model = make()
        quantizeInPlace(model, mode)
        await roundTrip(model, x, ending)
      }
  })

  it('opens again from TensorFlow.js', async () => {
    const model = dense()
    await model.quantize('int8')
    await roundTrip(model, MODELS[0]![2], '.json')
  })

  it('is the original layer, frozen, in a file of Keras, and has its weights', async () => {
    const model = dense()
    model.compile({ optimizer: 'adam', loss: 'mse' })
    await model.fit(rows([3, 4]), rows([3, 2]), { epochs: 1, verbose: 0 })
    await model.quantize('int8')
    const path = join(folder, 'own.keras')
    forgetWarnings()
    vi.mocked(console.warn).mockClear()
    await model.save(path)
    expect(vi.mocked(console.warn).mock.calls.flat().join()).toMatch(/quantized weights as float32/)
    const copy = await loadModel(path)
    expect(copy.layers[0]).toBeInstanceOf(Dense)
    expect(copy.layers[0]!.constructor).toBe(Dense)
    expect(copy.layers[0]!.quantizationMode).toBeNull()
    expect(copy.trainableWeights).toEqual([])
    expect(model.layers[0]!.quantizationMode).toBe('int8')
    // The integers are still those of its own files.
    await roundTrip(model, MODELS[0]![2], '.safetensors')
  })

  it('takes the weights of such files again', async () => {
    const [model, x] = [dense(), MODELS[0]![2]]
    quantizeInPlace(model)
    for (const ending of Object.values(weightEndings)) {
      const path = join(folder, `weights${ending}`)
      await model.saveWeights(path)
      const copy = new Sequential([new Dense(3, { inputShape: [4] }), new Dense(2)])
      quantizeInPlace(copy)
      await copy.loadWeights(path)
      expect(numbersOf(copy, x)).toEqual(numbersOf(model, x))
    }
    // Those of Keras have float32 weights, also for a model that is not quantized.
    const plain = dense()
    await plain.loadWeights(join(folder, 'weights.weights.h5'))
    expect(numbersOf(plain, x)).toEqual(numbersOf(model, x))
  })
})

describe('a model of quantize or quantizationAware', () => {
  it.each([
    ['quantize', quantize],
    ['quantizationAware', quantizationAware],
  ])('%s: opens again from its own format and ONNX, and is refused by the others', async (_, make) => {
    const [model, x] = [make(dense()), MODELS[0]![2]]
    await roundTrip(model, x, '.safetensors')
    const bytes = await model.save()
    expect(numbersOf(await loadModel(bytes), x)).toEqual(numbersOf(model, x))
    for (const ending of ['.keras', '.h5', '.json'])
      await expect(model.save(join(folder, `other${ending}`))).rejects.toThrow(/integers|int8|no layer Quantiz/)
  })
})
