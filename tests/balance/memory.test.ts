import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Dense,
  SGD,
  Sequential,
  ShapeError,
  StateError,
  loadModel,
  ops,
  setRandomSeed,
  tensor,
  valueAndGrad,
  type Tensor,
  type Variable,
} from '../../src'
import { ElasticWeightConsolidation, ReservoirReplay, consolidate } from '../../src/entries/balance'
import { errorOf, samples, weightsOf } from '../helpers/training'

describe('ReservoirReplay', () => {
  it('keeps all samples while there is room, with their targets', () => {
    const replay = new ReservoirReplay(10)
    replay.add(
      [
        [1, 2],
        [3, 4],
      ],
      [0, 1],
    )
    replay.add([[5, 6]], [2])
    expect([replay.size, replay.seen]).toEqual([3, 3])
    const [x, y] = replay.sample(200)
    expect(x.shape).toEqual([200, 2])
    expect(new Set((x.toArray() as number[][]).map((row, i) => `${row} → ${y.data[i]}`))).toEqual(
      new Set(['1,2 → 0', '3,4 → 1', '5,6 → 2']),
    )
  })

  it('keeps every sample with the same probability', () => {
    const kept = new Float64Array(40)
    const runs = 3000
    for (let seed = 0; seed < runs; seed++) {
      const replay = new ReservoirReplay({ capacity: 8, seed })
      const numbers = Array.from({ length: 40 }, (_, i) => i)
      replay.add(
        numbers.slice(0, 13).map((i) => [i]),
        numbers.slice(0, 13),
      )
      replay.add(
        numbers.slice(13).map((i) => [i]),
        numbers.slice(13),
      )
      const [x] = replay.sample(300)
      new Set(x.data).forEach((i) => kept[i]!++)
    }
    // Probability 0.2: standard deviation 0.0073.
    kept.forEach((times, i) => expect(Math.abs(times / runs - 0.2), `sample ${i}`).toBeLessThan(0.035))
  })

  it('mixes remembered samples with new ones', () => {
    const replay = new ReservoirReplay({ capacity: 5, seed: 1 })
    const [alone] = replay.mixed([[1], [2]], [0, 0])
    expect(alone.shape).toEqual([2, 1])
    replay.add([[7], [8]], [1, 1])
    const [x, y] = replay.mixed([[1], [2], [3]], [0, 0, 0], { share: 0.4 })
    expect([...x.data].slice(0, 3)).toEqual([1, 2, 3])
    expect([...y.data]).toEqual([0, 0, 0, 1, 1])
    expect([...replay.mixed([[1], [2]], [0, 0])[1].data]).toEqual([0, 0, 1, 1])
    const again = new ReservoirReplay({ capacity: 5, seed: 1 })
    again.add([[7], [8]], [1, 1])
    expect([...again.mixed([[1], [2], [3]], [0, 0, 0], { share: 0.4 })[0].data]).toEqual([...x.data])
  })

  it('keeps dtypes and shapes, and refuses others', () => {
    const replay = new ReservoirReplay(4)
    replay.add(tensor([[1, 2, 3]], [1, 3], 'int32'), [[0.5]])
    const [x, y] = replay.sample(1)
    expect([x.dtype, x.shape, y.shape]).toEqual(['int32', [1, 3], [1, 1]])
    expect(() => replay.add([[1.5, 2, 3]], [[0.5]])).toThrow(
      /x must be rows of int32 \[3\] as before, received float32 \[1, 3\]/,
    )
    expect(() => replay.add([[1, 2, 3]], [[0.5], [1]])).toThrow(ShapeError)
    expect(() => new ReservoirReplay(4).sample(1)).toThrow(StateError)
    const empty = new ReservoirReplay(4)
    empty.add(ops.zeros([0, 3]), ops.zeros([0, 1]))
    expect(() => empty.sample(1)).toThrow('nothing was added yet')
    expect(empty.mixed([[1, 2]], [[1]])[0].toArray()).toEqual([[1, 2]])
    // Empty data do not define the shape of rows.
    empty.add([[5, 6]], [[7]])
    expect(empty.sample(1).map((each) => each.toArray())).toEqual([[[5, 6]], [[7]]])
    for (const act of [
      () => new ReservoirReplay(0),
      () => replay.sample(0),
      () => replay.mixed([[1, 2, 3]], [[1]], { share: 1 }),
    ])
      expect(act).toThrow(ArgumentError)
  })
})

describe('ElasticWeightConsolidation', () => {
  const { x, labels } = samples(30)
  const [first, second] = [x.slice(0, 15), x.slice(15)]

  function model(strength = 4, learningRate = 0.1) {
    setRandomSeed(5)
    const elastic = new ElasticWeightConsolidation({ strength })
    const layer = (units: number, activation: string, extra = {}) =>
      new Dense({ units, activation, kernelRegularizer: elastic, biasRegularizer: elastic, ...extra })
    const made = new Sequential([layer(5, 'tanh', { inputShape: [4] }), layer(3, 'softmax')])
    made.compile({ optimizer: new SGD({ learningRate }), loss: 'sparseCategoricalCrossentropy' })
    return made
  }

  /** Mean squares of the gradients of single samples. */
  function fisherOf(trained: Sequential, rows: number[][], targets: number[]): number[][] {
    const sums = trained.weights.map(({ size }) => new Array<number>(size).fill(0))
    rows.forEach((row, i) => {
      const lossOf = (_: readonly Tensor[]) =>
        ops.negative(ops.log(ops.slice(trained.apply(tensor([row])) as Tensor, [0, targets[i]!], [1, 1])))
      const [, gradients] = valueAndGrad((weights: readonly Tensor[]) => ops.reshape(lossOf(weights), []))(
        trained.weights as readonly Variable[],
      )
      ;(gradients as Tensor[]).forEach(({ data }, w) =>
        data.forEach((value: number, at: number) => (sums[w]![at]! += value ** 2 / rows.length)),
      )
    })
    return sums
  }

  it('is λ/2 Σ F (θ − θ*)² with F of single samples, summed over tasks', async () => {
    const elastic = model()
    const plain = (of: Sequential) => of.testOnBatch(second, labels.slice(15)).loss
    const unpenalised = () => {
      const copy = model(0)
      copy.setWeights(elastic.getWeights())
      return plain(copy)
    }
    await elastic.fit(first, labels.slice(0, 15), { epochs: 3, verbose: 0 })
    expect(plain(elastic)).toBeCloseTo(unpenalised(), 6)
    const tasks: { fisher: number[][]; weights: number[][] }[] = []
    const penalty = () =>
      tasks.reduce((sum, { fisher, weights }) => {
        const now = weightsOf(elastic)
        return (
          sum +
          2 *
            fisher.reduce(
              (total, each, w) =>
                total + each.reduce((part, value, at) => part + value * (now[w]![at]! - weights[w]![at]!) ** 2, 0),
              0,
            )
        )
      }, 0)
    // The penalties of two tasks differ from the stored one by a constant: their value at the stored minimum.
    const offset = () => penalty() - (plain(elastic) - unpenalised())
    for (const [rows, targets] of [
      [first, labels.slice(0, 15)],
      [second, labels.slice(15)],
    ] as const) {
      tasks.push({ fisher: fisherOf(elastic, rows, targets), weights: weightsOf(elastic) })
      await consolidate(elastic, rows, targets)
      await elastic.fit(second, labels.slice(15), { epochs: 4, verbose: 0 })
      const constant = offset()
      if (tasks.length === 1) expect(constant).toBeCloseTo(0, 5)
      expect(penalty()).toBeGreaterThan(1e-5)
      await elastic.fit(first, labels.slice(0, 15), { epochs: 6, verbose: 0 })
      expect(offset()).toBeCloseTo(constant, 5)
    }
  })

  it('preserves an earlier task', async () => {
    const after = async (strength: number) => {
      const made = model(strength)
      await made.fit(first, labels.slice(0, 15), { epochs: 60, verbose: 0 })
      await consolidate(made, first, labels.slice(0, 15), { samples: 15 })
      await made.fit(
        second,
        labels.slice(15).map((label) => (label + 1) % 3),
        { epochs: 60, verbose: 0 },
      )
      const copy = model(0)
      copy.setWeights(made.getWeights())
      return copy.testOnBatch(first, labels.slice(0, 15)).loss
    }
    const [free, held] = [await after(0), await after(100)]
    expect(held).toBeLessThan(free / 2)
  })

  it('can be saved and loaded', async () => {
    const made = model()
    await made.fit(first, labels.slice(0, 15), { verbose: 0 })
    await consolidate(made, first, labels.slice(0, 15))
    await made.fit(second, labels.slice(15), { verbose: 0 })
    const again = (await loadModel(await made.save(), { customObjects: { ElasticWeightConsolidation } })) as Sequential
    expect(again.testOnBatch(first, labels.slice(0, 15)).loss).toBe(made.testOnBatch(first, labels.slice(0, 15)).loss)
  })

  it('refuses invalid uses', async () => {
    const plain = new Sequential([new Dense({ units: 3, activation: 'softmax', inputShape: [4] })], { name: 'plain' })
    expect(await errorOf(() => consolidate(plain, x, labels))).toBeInstanceOf(StateError)
    plain.compile({ optimizer: 'sgd', loss: 'sparseCategoricalCrossentropy' })
    expect((await errorOf(() => consolidate(plain, x, labels))).message).toMatch(
      /consolidate: no weight of 'plain' has ElasticWeightConsolidation/,
    )
    expect(await errorOf(() => consolidate(model(), x, labels, { samples: 0 }))).toBeInstanceOf(ArgumentError)
    expect((await errorOf(() => consolidate(model(), [[1, 2]], [0]))).message).toMatch(
      /the input must be \[batch, 4\], received \[1, 2\]/,
    )
    expect(() => new ElasticWeightConsolidation(-1)).toThrow(ArgumentError)
    const active = new Sequential([
      new Dense({ units: 1, inputShape: [4], activityRegularizer: new ElasticWeightConsolidation() }),
    ])
    active.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    expect((await errorOf(() => active.fit(x, labels, { verbose: 0 }))).message).toMatch(/is a penalty on weights/)
  })
})
