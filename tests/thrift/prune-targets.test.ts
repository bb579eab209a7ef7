// pruneUnits by what is dead, over all layers at once, and for a target of latency.
// modes: simd
import { beforeEach, describe, expect, it } from 'vitest'
import {
  BatchNormalization,
  Conv2D,
  Dense,
  Embedding,
  Flatten,
  MaxPooling2D,
  MultiHeadAttention,
  GlobalAveragePooling1D,
  Input,
  Model,
  Sequential,
  SimpleRNN,
  ops,
  setRandomSeed,
  tensor,
  type Tensor,
} from '../../src'
import { pruneUnits } from '../../src/entries/thrift'
import { speedup, timedInTurn } from '../../src/thrift/timing'
import { floats } from '../helpers/data'

beforeEach(() => setRandomSeed(3))

const data = (shape: number[], seed = 1): Tensor => tensor([...floats(shape, -1, 1, seed).data], shape)
const unitsOf = (model: Model): (number | undefined)[] =>
  model.layers.flatMap((layer) =>
    layer instanceof Dense ? [layer.units] : layer instanceof Conv2D ? [layer.filters] : [],
  )

/** Sets the bias of some units so low that they never fire. */
function silence(layer: Dense | Conv2D, units: readonly number[]): void {
  const bias = layer.bias!
  const values = Float32Array.from(bias.value.data)
  for (const unit of units) values[unit] = -1000
  bias.assign(tensor(values))
}

describe('dead: true', () => {
  it('removes exactly the units that never fire, and changes no answer', async () => {
    const model = new Sequential([
      new Dense({ units: 12, activation: 'relu', inputShape: [6] }),
      new Dense({ units: 9, activation: 'relu' }),
      new Dense({ units: 3, activation: 'softmax' }),
    ])
    silence(model.layers[0] as Dense, [0, 5, 6, 11])
    silence(model.layers[1] as Dense, [8])
    const x = data([50, 6])
    const before = await model.predict(x)
    // Units may be dead by chance: count them.
    const alive = [0, 1].map((at) => {
      const part = new Model({ inputs: model.input, outputs: model.layers[at]!.output }) as Model
      const made = part.predictOnBatch(x) as Tensor
      const units = made.shape[1]!
      return Array.from({ length: units }, (_, u) => u).filter((u) =>
        made.data.some((v, i) => i % units === u && v !== 0),
      ).length
    })
    expect(alive[0]).toBeLessThanOrEqual(8)
    const small = await pruneUnits(model, { dead: true, x, batchSize: 16 })
    expect(unitsOf(small as Model)).toEqual([...alive, 3])
    const after = await small.predict(x)
    after.data.forEach((value, i) => expect(value).toBeCloseTo(before.data[i]!, 6))
    // Nothing is left to remove.
    expect(unitsOf((await pruneUnits(small, { dead: true, x })) as Model)).toEqual([...alive, 3])
  })

  it('filters, through pooling and Flatten; normalised units are not 0', async () => {
    const layers = (isNormalised: boolean) => [
      new Conv2D({ filters: 6, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 2] }),
      ...(isNormalised ? [new BatchNormalization()] : []),
      new MaxPooling2D(),
      new Flatten(),
      new Dense({ units: 4 }),
    ]
    const x = data([10, 8, 8, 2])
    const model = new Sequential(layers(false))
    silence(model.layers[0] as Conv2D, [1, 4])
    const small = await pruneUnits(model, { dead: true, x })
    expect(unitsOf(small as Model)[0]).toBeLessThanOrEqual(4)
    const [a, b] = [await model.predict(x), await small.predict(x)]
    a.data.forEach((value, i) => expect(b.data[i]).toBeCloseTo(value, 5))
    const shifted = new Sequential(layers(true))
    silence(shifted.layers[0] as Conv2D, [1])
    ;(shifted.layers[1] as BatchNormalization).weights[1]!.assign(ops.ones([6]))
    expect(unitsOf((await pruneUnits(shifted, { dead: true, x })) as Model)[0]).toBe(6)
  })

  it('one unit of a dead layer stays; recurrent units and heads have no exact zeros', async () => {
    const dead = new Sequential([new Dense({ units: 5, activation: 'relu', inputShape: [2] }), new Dense({ units: 1 })])
    silence(dead.layers[0] as Dense, [0, 1, 2, 3, 4])
    expect(unitsOf((await pruneUnits(dead, { dead: true, x: data([9, 2]) })) as Model)).toEqual([1, 1])
    // The last output is 0, but the first one was not, and the later ones depend on it.
    const steps = new Sequential([
      new SimpleRNN({ units: 4, activation: 'relu', inputShape: [3, 1] }),
      new Dense({ units: 1 }),
    ])
    const x = tensor([1, 1, -1000, 2, 1, -1000], [2, 3, 1])
    steps.layers[0]!.weights[0]!.assign(ops.ones([1, 4]))
    const small = await pruneUnits(steps, { dead: true, x })
    expect((small.layers[0] as SimpleRNN).units).toBe(4)
    const input = Input({ shape: [4], dtype: 'int32' })
    const words = new Embedding({ inputDim: 7, outputDim: 8 }).apply(input)
    const seen = new MultiHeadAttention({ numHeads: 2, keyDim: 3 }).apply(words)
    const text = new Model({ inputs: input, outputs: new Dense(1).apply(new GlobalAveragePooling1D().apply(seen)) })
    const rows = tensor([1, 2, 3, 4, 5, 6, 0, 1], [2, 4], 'int32')
    const after = await pruneUnits(text, { dead: true, x: rows })
    expect((await after.predict(rows)).data).toEqual((await text.predict(rows)).data)
  })
})

describe("ranking: 'global'", () => {
  const model = () => {
    const made = new Sequential([
      new Dense({ units: 10, inputShape: [5] }),
      new Dense({ units: 10 }),
      new Dense({ units: 2 }),
    ])
    // The first layer has two units of weight, the second one has ten.
    const [first] = made.layers as [Dense]
    first.kernel.assign(ops.multiply(first.kernel, [1, 1, ...new Array<number>(8).fill(1e-3)]))
    return made
  }

  it('keeps the most important units of all layers', async () => {
    const equal = await pruneUnits(model(), { keep: 0.5 })
    expect(unitsOf(equal as Model)).toEqual([5, 5, 2])
    const global = await pruneUnits(model(), { keep: 0.5, ranking: 'global' })
    const [first, second] = unitsOf(global as Model) as [number, number]
    expect(first + second).toBe(10)
    expect(first).toBeLessThan(4)
    const least = await pruneUnits(model(), { keep: 0.01, ranking: 'global' })
    expect(unitsOf(least as Model)).toEqual([1, 1, 2])
  })

  it('loses less than the same share of each layer, at the same number of units', async () => {
    const whole = model()
    const x = data([64, 5])
    const y = await whole.predict(x)
    const errorOf = async (ranking: 'layer' | 'global'): Promise<number> => {
      const small = await pruneUnits(whole, { keep: 0.5, ranking })
      const made = await small.predict(x)
      return Array.from(made.data, (value, i) => (value - y.data[i]!) ** 2).reduce((sum, square) => sum + square, 0)
    }
    expect(await errorOf('global')).toBeLessThan(await errorOf('layer'))
  })

  it('with maxLoss', async () => {
    const whole = model()
    whole.compile({ loss: 'mse' })
    const x = data([64, 5])
    const y = await whole.predict(x)
    const small = await pruneUnits(whole, { maxLoss: 0.01, ranking: 'global', x, y })
    expect((await small.evaluate(x, y)).loss).toBeLessThanOrEqual(0.0101)
    expect(unitsOf(small as Model)[0]).toBeLessThan(10)
  })
})

describe('targetLatency', () => {
  const wide = () =>
    new Sequential([
      new Dense({ units: 600, activation: 'relu', inputShape: [600] }),
      new Dense({ units: 600, activation: 'relu' }),
      new Dense({ units: 10 }),
    ])
  // Again if the machine became less busy between measuring and pruning: then all units are fast enough.
  it('keeps what is fast enough', { retry: 4 }, async () => {
    const model = wide()
    const x = data([16, 600])
    const run = (of: Model | Sequential) => () => of.predictOnBatch(x as never)
    // The first runs are those of a compiler that optimizes little.
    await timedInTurn([run(model)], 0.3)
    const [now] = await timedInTurn([run(model)], 0.2)
    const half = await pruneUnits(model, { targetLatency: 500 * now!.seconds, latencyRows: 16, x })
    const [first] = unitsOf(half as Model) as [number]
    expect(first).toBeLessThan(600)
    expect(first).toBeGreaterThan(20)
    // The machine may be busier at one time than at another.
    const [before, after] = await timedInTurn([run(model), run(half)], 0.2)
    expect(speedup(before!, after!).median).toBeGreaterThan(1.2)
    const all = await pruneUnits(model, { targetLatency: 1e6, x })
    expect(unitsOf(all as Model)).toEqual([600, 600, 10])
    await expect(pruneUnits(model, { targetLatency: 1e-6, x })).rejects.toThrow(
      /with 1\/32 of its units, a prediction takes .* ms on this machine, more than targetLatency/,
    )
  })
})

it('refuses options that nothing would read', async () => {
  const model = new Sequential([new Dense({ units: 4, inputShape: [2] }), new Dense({ units: 1 })])
  const x = data([3, 2])
  await expect(pruneUnits(model, {})).rejects.toThrow(
    'exactly one of keep, maxLoss, dead and targetLatency, received none',
  )
  await expect(pruneUnits(model, { keep: 0.5, dead: true, x })).rejects.toThrow('received 2')
  await expect(pruneUnits(model, { dead: true })).rejects.toThrow('dead: true needs x')
  await expect(pruneUnits(model, { targetLatency: 1 })).rejects.toThrow('targetLatency needs x')
  await expect(pruneUnits(model, { dead: true, x, by: 'utility' })).rejects.toThrow('does not read by')
  await expect(pruneUnits(model, { dead: true, x, ranking: 'global' })).rejects.toThrow('Leave it out')
  await expect(pruneUnits(model, { keep: { dense: 2 }, ranking: 'global' })).rejects.toThrow('units of each layer')
  await expect(pruneUnits(model, { keep: 0.5, latencyRows: 2 })).rejects.toThrow('latencyRows needs targetLatency')
})
