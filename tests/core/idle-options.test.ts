// Options of Keras that change nothing here: a program that gives them runs, with the same results, and is warned once.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  Adafactor,
  Adam,
  BatchNormalization,
  CategoryEncoding,
  Conv2D,
  Dense,
  Embedding,
  Input,
  LSTM,
  LSTMCell,
  LayerNormalization,
  LeakyReLU,
  LossScaleOptimizer,
  MultiHeadAttention,
  RNN,
  SGD,
  Sequential,
  TensorBoard,
  Variable,
  jit,
  loadModel,
  ops,
  setRandomSeed,
  tensor,
  type Model,
  type Tensor,
} from '../../src'
import { PyDataset } from '../../src/entries/data'
import { forgetWarnings } from '../../src/core/warnings'

const x = [
  [1, 2],
  [3, -1],
  [0.5, 0.25],
  [-2, 1],
]
const y = [[1], [0], [2], [-1]]

let warnings: string[] = []
beforeEach(() => {
  forgetWarnings()
  warnings = []
  vi.spyOn(console, 'warn').mockImplementation((text: string) => void warnings.push(text))
})
afterEach(() => vi.restoreAllMocks())

function small(compile: object = {}): Sequential {
  setRandomSeed(3)
  const model = new Sequential([new Dense({ units: 1, inputShape: [2] })])
  model.compile({ optimizer: 'sgd', loss: 'mse', ...compile })
  return model
}

async function trained(model: Model, options: object = {}): Promise<unknown> {
  await model.fit(x, y, { batchSize: 2, epochs: 2, shuffle: false, verbose: 0, ...options })
  return model.getWeights().map((weight) => weight.toArray())
}

class Pairs extends PyDataset {
  get length(): number {
    return 2
  }

  getItem(index: number): [number[][], number[][]] {
    return [x.slice(2 * index, 2 * index + 2), y.slice(2 * index, 2 * index + 2)]
  }
}

const attention = (options: object): Tensor => {
  const own = ops.reshape(ops.arange(8, undefined, undefined, 'float32'), [1, 2, 2, 2])
  return ops.dotProductAttention(own, own, own, options)
}
const update = (optimizer: SGD | Adam | Adafactor): unknown => {
  const weight = new Variable(tensor([1, 2]))
  optimizer.apply([tensor([0.5, -1])], [weight])
  return weight.value.toArray()
}
const called = (layer: { apply(x: never): Tensor }, input: unknown): unknown => layer.apply(input as never).toArray()
const sequence = ops.reshape(ops.arange(6, undefined, undefined, 'float32'), [1, 3, 2])
const ones = { kernelInitializer: 'ones', recurrentInitializer: 'zeros' } as const

/** [the option as warned of, the result with it, the result without it] */
const CASES: readonly (readonly [string, () => unknown, () => unknown])[] = [
  ['compile: runEagerly', () => trained(small({ runEagerly: true })), () => trained(small())],
  ['compile: stepsPerExecution', () => trained(small({ steps_per_execution: 8 })), () => trained(small())],
  ['compile: jitCompile', () => trained(small({ jit_compile: false })), () => trained(small())],
  ['compile: autoScaleLoss', () => trained(small({ autoScaleLoss: false })), () => trained(small())],
  ['fit: validationFreq', () => trained(small(), { validationFreq: 2 }), () => trained(small())],
  ['fit: validationBatchSize', () => trained(small(), { validation_batch_size: 8 }), () => trained(small())],
  ['fit: validationSteps', () => trained(small(), { validationSteps: 2 }), () => trained(small())],
  [
    'fit: validationSplit',
    () => trained(small(), { validationSplit: 0.5, validationData: [x, y] }),
    () => trained(small(), { validationData: [x, y] }),
  ],
  [
    'fit: batchSize',
    async () => (await small().fit(new Pairs(), { batchSize: 3, shuffle: false, verbose: 0 })).history,
    async () => (await small().fit(new Pairs(), { shuffle: false, verbose: 0 })).history,
  ],
  ['evaluate: batchSize', () => small().evaluate(new Pairs(), { batchSize: 3 }), () => small().evaluate(new Pairs())],
  ['Pairs: useMultiprocessing', () => new Pairs({ useMultiprocessing: true }).length, () => 2],
  ['SGD: nesterov', () => update(new SGD({ nesterov: true })), () => update(new SGD())],
  ['Adam: emaMomentum', () => update(new Adam({ emaMomentum: 0.9 })), () => update(new Adam())],
  ['SGD: emaMomentum', () => update(new SGD({ emaOverwriteFrequency: 100 })), () => update(new SGD())],
  ['Adafactor: relativeStep', () => update(new Adafactor({ relativeStep: false })), () => update(new Adafactor())],
  [
    'dotProductAttention: flashAttention',
    () => attention({ flashAttention: true }).toArray(),
    () => attention({}).toArray(),
  ],
  [
    'MultiHeadAttention: flashAttention',
    () => new MultiHeadAttention({ numHeads: 2, keyDim: 2, flashAttention: true }).numHeads,
    () => 2,
  ],
  [
    'BatchNormalization: synchronized',
    () => called(new BatchNormalization({ synchronized: true }), x),
    () => called(new BatchNormalization(), x),
  ],
  [
    'LSTM: useCudnn',
    () => called(new LSTM({ units: 2, useCudnn: true, ...ones }), sequence),
    () => called(new LSTM({ units: 2, ...ones }), sequence),
  ],
  [
    'lstm',
    () => called(new LSTM({ units: 2, unroll: true, name: 'lstm', ...ones }), sequence),
    () => called(new LSTM({ units: 2, ...ones }), sequence),
  ],
  [
    'LSTMCell "cell": inputShape',
    () => called(new RNN(new LSTMCell({ units: 2, inputShape: [3], name: 'cell', ...ones })), sequence),
    () => called(new RNN(new LSTMCell({ units: 2, ...ones })), sequence),
  ],
  ['Dense: loraAlpha', () => new Dense({ units: 2, loraAlpha: 2 }).getConfig()['units'], () => 2],
  ['Conv2D: loraAlpha', () => new Conv2D({ filters: 2, kernelSize: 3, loraAlpha: 2 }).filters, () => 2],
  [
    'Embedding: inputLength',
    () => new Embedding(10, 4, { input_length: 7 } as object).apply([[1, 2]]).shape,
    () => [1, 2, 4],
  ],
  ['Adam: decay', () => update(new Adam({ decay: 0 })), () => update(new Adam())],
  ['SGD: decay', () => update(new SGD({ decay: 0.5 })), () => update(new SGD())],
  ['LeakyReLU: alpha', () => called(new LeakyReLU({ alpha: 0.1 }), x), () => called(new LeakyReLU(0.1), x)],
  ['Dense: autocast', () => new Dense({ units: 2, autocast: false }).units, () => 2],
  [
    'CategoryEncoding: sparse',
    () => called(new CategoryEncoding({ numTokens: 4, sparse: true }), [[0, 1]]),
    () => called(new CategoryEncoding({ numTokens: 4 }), [[0, 1]]),
  ],
  ['InputLayer: sparse', () => Input({ shape: [2], sparse: true }).shape, () => Input([2]).shape],
  ['oneHot: sparse', () => ops.oneHot([1], 2, { sparse: true }).toArray(), () => ops.oneHot([1], 2).toArray()],
  ['bincount: sparse', () => ops.bincount([1], { sparse: true }).toArray(), () => ops.bincount([1]).toArray()],
  ['convertToTensor: sparse', () => ops.convertToTensor([1], { sparse: true }).toArray(), () => [1]],
  ['moments: synchronized', () => String(ops.moments(x, 0, false, true)), () => String(ops.moments(x, 0))],
  ['TensorBoard: writeImages', () => new TensorBoard({ writeImages: true }).logDir, () => 'logs'],
  ['TensorBoard: profileBatch', () => new TensorBoard({ profileBatch: '10, 20' }).logDir, () => 'logs'],
  ['TensorBoard: embeddingsFreq', () => new TensorBoard({ embeddingsFreq: 1 }).logDir, () => 'logs'],
  ['TensorBoard: embeddingsMetadata', () => new TensorBoard({ embeddingsMetadata: 'a.tsv' }).logDir, () => 'logs'],
  [
    'loadModel: safeMode',
    async () => (await loadModel(await small().save(), { safeMode: false })).layers.length,
    () => 1,
  ],
  ['summary: lineLength', () => small().summary({ printFn: () => {}, lineLength: 80 }), () => undefined],
  ['summary: positions', () => small().summary({ printFn: () => {}, positions: [0.3, 0.6, 1] }), () => undefined],
]

describe('an option that changes nothing', () => {
  it.each(CASES)('%s', async (name, run, plain) => {
    const expected = await plain()
    expect(warnings).toEqual([])
    expect(await run()).toEqual(expected)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(name)
    await run()
    expect(warnings).toHaveLength(1)
  })

  it('is not in the configuration', () => {
    const leaky = new LeakyReLU({ alpha: 0.1 })
    expect(leaky.getConfig()).toMatchObject({ negativeSlope: 0.1 })
    expect(leaky.getConfig()).not.toHaveProperty('alpha')
    expect(LayerNormalization.fromConfig({ axis: -1, rms_scaling: false, scale: true }).scale).toBe(true)
    expect(() => new LayerNormalization({ rmsScaling: true as never })).toThrow('use RMSNormalization')
    expect(() => new LossScaleOptimizer(new Adam({ decay: 0 }))).not.toThrow()
  })

  it('still has a type', () => {
    expect(() => new TensorBoard({ profileBatch: 'all' })).toThrow('profileBatch must be the number of a batch')
    expect(() => new TensorBoard({ embeddingsMetadata: 3 as never })).toThrow('embeddingsMetadata must be a path')
    expect(() => small({ jitCompile: 'no' })).toThrow("jitCompile must be 'auto' or true or false")
    expect(() => small({ stepsPerExecution: 0 })).toThrow('stepsPerExecution')
    expect(() => ops.oneHot([1], 2, { sparse: 'yes' as never })).toThrow('sparse must be true or false')
  })

  it('evaluates the loss of targets below 0 as Keras does', async () => {
    const model = small({ loss: 'msle' })
    model.setWeights([tensor([[1], [1]]), tensor([0])])
    // Keras 3.15: 0.8437008 for targets −3 and 2, and predictions 1 and −5
    const { loss } = await model.evaluate(
      [
        [0, 1],
        [0, -5],
      ],
      [[-3], [2]],
      { verbose: 0 },
    )
    expect(loss).toBeCloseTo(0.8437008, 5)
    expect(warnings).toEqual(['meanSquaredLogarithmicError: targets below 0 count as 1e-7'])
  })
})

describe('quantiles for a traced q', () => {
  const values = [3, 1, 2, 5, 4]
  const methods = ['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const

  it.each(methods)('%s', (method) => {
    const shares = [0, 0.1, 0.3, 0.5, 0.625, 0.9, 1]
    const traced = jit((q: Tensor) => ops.quantile(tensor(values), q, { method }))
    expect(traced(shares).toArray()).toEqual(ops.quantile(values, shares, { method }).toArray())
    const percents = jit((q: Tensor) => ops.percentile(tensor(values), q, { method }))
    expect(percents(62.5).item()).toBe(ops.percentile(values, 62.5, { method }).item())
  })

  it('keep dimensions, pass NaN on or leave it out, and clip q', () => {
    const rows = tensor([
      [3, NaN, 1],
      [2, 5, 4],
    ])
    const both = [ops.quantile, ops.nanquantile]
    for (const op of both) {
      const traced = jit((q: Tensor) => op(rows, q, { axis: 1, keepDims: true }))
      for (const q of [0.25, [0.25, 1]])
        expect(traced(q as number).toArray()).toEqual(op(rows, q, { axis: 1, keepDims: true }).toArray())
      expect(traced(1.5).toArray()).toEqual(op(rows, 1, { axis: 1, keepDims: true }).toArray())
    }
  })
})
