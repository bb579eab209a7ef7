// Units that several layers share, multiply or freeze.
import { describe, expect, it } from 'vitest'
import {
  BatchNormalization,
  Concatenate,
  Conv2D,
  Dense,
  Flatten,
  GRU,
  Input,
  Model,
  Multiply,
  ReLU,
  SGD,
  Sequential,
  TimeDistributed,
  ops,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import { ContinualBackprop, SynapticScaling, UnitHealth, balanceSynapses } from '../../src/entries/balance'
import { gradCam, permutationImportance } from '../../src/entries/explain'
import { MagnitudePruning, pruneUnits, quantize } from '../../src/entries/thrift'
import { errorOf, samples } from '../helpers/training'

const { x, yes } = samples(20)
const numbers = (of: { predictOnBatch(x: never): unknown }, input: Tensor = tensor(x)) => [
  ...(of.predictOnBatch(input as never) as Tensor).data,
]

describe('a product of units', () => {
  it('is not homogeneous, so it is not balanced', () => {
    const input = Input({ shape: [4] })
    const branch = (name: string) => new Dense({ units: 6, activation: 'relu', name }).apply(input)
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 3 }).apply(new Multiply().apply([branch('a'), branch('b')])),
    })
    expect(() => balanceSynapses(model)).toThrow(/a\+b: Multiply "multiply.*" multiplies them/)
  })
})

describe('a layer with weights that two groups pass through', () => {
  const shared = () => {
    const input = Input({ shape: [4] })
    const norm = new BatchNormalization({ name: 'bn' })
    const branch = (name: string) => norm.apply(new Dense({ units: 6, name }).apply(input))
    return new Model({
      inputs: input,
      outputs: new Dense({ units: 2 }).apply(new Concatenate().apply([branch('a'), branch('c')])),
    })
  }

  it('makes both groups one', async () => {
    const model = shared()
    const half = await pruneUnits(model, { keep: 0.5 })
    expect((half.getLayer('a') as unknown as Dense).units).toBe(3)
    expect((half.getLayer('c') as unknown as Dense).units).toBe(3)
    expect(numbers(half)).toHaveLength(40)
  })
})

describe('units whose activation is shared', () => {
  it('are measured separately', async () => {
    const input = Input({ shape: [4] })
    const relu = new ReLU()
    const dead = relu.apply(new Dense({ units: 5, name: 'a', kernelInitializer: 'zeros' }).apply(input))
    const alive = relu.apply(
      new Dense({ units: 5, name: 'c', kernelInitializer: 'ones', biasInitializer: 'ones' }).apply(input),
    )
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 1, kernelInitializer: 'zeros' }).apply(new Concatenate().apply([dead, alive])),
    })
    model.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse' })
    const { reports } = await model.fit(x, yes, { verbose: 0, callbacks: [new UnitHealth({ every: 1 })] })
    const of = new Map(reports.health!.at(-1)!.layers.map((each) => [each.layer, each]))
    expect(of.get('a')!.activity).toBe(0)
    expect(of.get('c')!.activity).toBeGreaterThan(0.1)
  })
})

describe('layers that are frozen between two fits', () => {
  it('are no longer reinitialized', async () => {
    const hidden = new Dense({ units: 6, activation: 'relu', inputShape: [4], name: 'hidden' })
    const model = new Sequential([hidden, new Dense({ units: 5, activation: 'relu' }), new Dense({ units: 1 })])
    const callback = new ContinualBackprop({ replacementRate: 0.5, maturity: 0 })
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    await model.fit(x, yes, { epochs: 2, batchSize: 5, verbose: 0, callbacks: [callback] })
    hidden.trainable = false
    model.compile({ optimizer: 'sgd', loss: 'mse' })
    const before = [...hidden.kernel.value.data]
    await errorOf(() => model.fit(x, yes, { epochs: 2, batchSize: 5, verbose: 0, callbacks: [callback] })).catch(
      () => undefined,
    )
    expect([...hidden.kernel.value.data]).toEqual(before)
  })
})

describe('the bias of a GRU, which has two axes', () => {
  const model = () => {
    const made = new Sequential([
      new GRU({ units: 5, biasInitializer: 'ones', inputShape: [2, 2], name: 'gru' }),
      new Dense({ units: 1 }),
    ])
    made.compile({ optimizer: new SGD({ learningRate: 0 }), loss: 'mse' })
    return made
  }
  const sequences = ops.reshape(tensor(x), [20, 2, 2])

  it.each([
    ['scaled', new SynapticScaling({ every: 1, rate: 0.5, target: 1 })],
    ['pruned', new MagnitudePruning({ finalSparsity: 0.5, endStep: 2 })],
  ] as const)('is not %s', async (_, callback) => {
    const made = model()
    await made.fit(sequences, yes, { batchSize: 5, epochs: 2, verbose: 0, callbacks: [callback] })
    const bias = made.weights.find(({ name }) => name.endsWith('bias'))!
    expect(new Set(bias.value.data)).toEqual(new Set([1]))
  })
})

it('units that a state depends on are not pruned', async () => {
  const sequence = Input({ shape: [3, 4] })
  const context = Input({ shape: [4] })
  const state = new Dense({ units: 6, name: 'state' }).apply(context)
  const read = new GRU({ units: 6, name: 'gru' }).apply(sequence, { initialState: state as never }) as Tensor
  const model = new Model({
    inputs: [sequence, context],
    outputs: new Dense({ units: 1 }).apply(new Dense({ units: 8, name: 'free' }).apply(read)),
  })
  const half = await pruneUnits(model, { keep: 0.5 })
  expect(['state', 'gru', 'free'].map((name) => (half.getLayer(name) as unknown as Dense).units)).toEqual([6, 6, 4])
})

it('a score of unknown direction is not guessed', async () => {
  const model = new Sequential([new Dense({ units: 8, activation: 'relu', inputShape: [4] }), new Dense({ units: 1 })])
  const fitness = (yTrue: Tensor, yPred: Tensor) =>
    ops.subtract(1, ops.mean(ops.square(ops.subtract(yTrue, yPred)), -1))
  model.compile({ optimizer: 'sgd', loss: 'mse', metrics: [fitness] })
  expect((await errorOf(() => pruneUnits(model, { maxLoss: 0.01, monitor: 'fitness', x, y: yes }))).message).toMatch(
    /does not tell whether it should rise or fall/,
  )
  const { fitness: before } = await model.evaluate(x, yes)
  const smaller = await pruneUnits(model, { maxLoss: 0.01, monitor: 'fitness', mode: 'max', x, y: yes })
  expect((await smaller.evaluate(x, yes))['fitness']!).toBeGreaterThanOrEqual(before! - 0.0101)
})

it('int8 packs the kernels of layers within a loop', () => {
  const model = new Sequential([new TimeDistributed(new Dense({ units: 4 })), new Flatten(), new Dense({ units: 2 })])
  const sequences = ops.reshape(tensor(x), [20, 2, 2])
  numbers(model, sequences)
  const small = quantize(model, { calibration: sequences })
  expect(small.layers.map(({ constructor }) => constructor.name)).toEqual(['Packed', 'Flatten', 'QuantizedDense'])
})

it('explanations distinguish layers and metrics of equal names', async () => {
  setRandomSeed(1)
  const block = (seed: number) =>
    new Sequential(
      [
        new Conv2D({
          filters: 2,
          kernelSize: 2,
          name: 'conv',
          activation: 'relu',
          kernelInitializer: seed === 1 ? 'ones' : 'glorotUniform',
          inputShape: [4, 4, 1],
        }),
      ],
      { name: `block${seed}` },
    )
  const [a, b] = [block(1), block(2)]
  const input = Input({ shape: [4, 4, 1] })
  const joined = new Concatenate().apply([a.apply(input), b.apply(input)])
  const model = new Model({ inputs: input, outputs: new Dense({ units: 1 }).apply(new Flatten().apply(joined)) })
  const image = ops.sin(
    ops.reshape(ops.cast(tensor(Int32Array.from({ length: 16 }, (_, i) => i * i)), 'float32'), [1, 4, 4, 1]),
  )
  const maps = [
    await gradCam(model, image, { layer: a.layers[0]! as never }),
    await gradCam(model, image, { layer: b.layers[0]! as never }),
  ]
  expect([...maps[0]!.coarse.data]).not.toEqual([...maps[1]!.coarse.data])

  const dense = new Sequential([new Dense({ units: 1, inputShape: [4] })])
  const error = (factor: number) =>
    [(yTrue: Tensor, yPred: Tensor) => ops.multiply(ops.mean(ops.abs(ops.subtract(yTrue, yPred)), -1), factor)][0]!
  const [one, many] = [
    await permutationImportance(dense, x, yes, { metric: error(1), repeats: 1, seed: 1 }),
    await permutationImportance(dense, x, yes, { metric: error(1000), repeats: 1, seed: 1 }),
  ]
  expect(many.score / one.score).toBeCloseTo(1000, 0)
})
