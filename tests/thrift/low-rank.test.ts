// lowRank: the factors are the nearest ones, and the model is an ordinary one.
// modes: simd
import { beforeEach, describe, expect, it } from 'vitest'
import {
  Adam,
  BatchNormalization,
  Conv2D,
  Dense,
  Flatten,
  Input,
  Model,
  Sequential,
  TimeDistributed,
  loadModel,
  ops,
  random,
  setRandomSeed,
  type Tensor,
  type Variable,
} from '../../src'
import { lowRank } from '../../src/entries/thrift'

beforeEach(() => setRandomSeed(5))

const values = (model: Model, x: Tensor): number[] => [...(model.predictOnBatch(x) as Tensor).data]
const product = (model: Model, name: string): Tensor =>
  ops.matmul((model.getLayer(`${name}_in`) as Dense).kernel, (model.getLayer(name) as Dense).kernel)
const distance = (a: Tensor, b: Tensor): number => Math.sqrt(ops.sum(ops.square(ops.subtract(a, b))).item())

function wide(n: number, m: number): Sequential {
  return new Sequential([
    new Dense({ units: m, activation: 'relu', inputShape: [n], name: 'hidden' }),
    new Dense({ units: 2, name: 'out' }),
  ])
}

/** A kernel whose singular values are 1, s, s² …: U diag(s) Vᵀ. */
function setSpectrum(kernel: Variable, s: number): number[] {
  const [n, m] = kernel.shape as [number, number]
  const k = Math.min(n, m)
  const [left, right] = [n, m].map((extent, i) => ops.qr(random.normal([extent, k], { seed: i + 1 }))[0]) as [
    Tensor,
    Tensor,
  ]
  const sigma = Array.from({ length: k }, (_, i) => s ** i)
  kernel.assign(ops.matmul(ops.multiply(left, sigma), ops.transpose(right)))
  return sigma
}

describe('lowRank', () => {
  // Both sides, and one with few of many vectors.
  it.each([
    [20, 12, 4],
    [12, 20, 4],
    [150, 90, 6],
    [90, 150, 6],
  ])('a kernel [%i, %i] by the nearest of rank %i', (n, m, rank) => {
    const model = wide(n, m)
    const { kernel } = model.layers[0] as Dense
    const sigma = setSpectrum(kernel, 0.7)
    const thin = lowRank(model, { rank, layers: ['hidden'] })
    expect(thin).toBeInstanceOf(Sequential)
    expect(thin.layers.map(({ name }) => name)).toEqual(['hidden_in', 'hidden', 'out'])
    // Eckart and Young: √ Σ σ² of the omitted values.
    const least = Math.sqrt(sigma.slice(rank).reduce((sum, each) => sum + each * each, 0))
    const found = distance(product(thin, 'hidden'), kernel.value)
    expect(found / least).toBeCloseTo(1, 3)
    // Balanced: both have the same norm.
    const [first, second] = [thin.weights[0]!, thin.weights[1]!].map((weight) =>
      distance(weight.value, ops.zerosLike(weight.value)),
    )
    expect(first! / second!).toBeCloseTo(1, 4)
  })

  it('keeps an energy with the smallest rank', () => {
    for (const [n, m] of [
      [30, 24],
      [150, 120],
    ] as const) {
      const model = wide(n, m)
      const sigma = setSpectrum((model.layers[0] as Dense).kernel, 0.8)
      const total = sigma.reduce((sum, each) => sum + each * each, 0)
      for (const energy of [0.5, 0.9, 0.99]) {
        let [rank, sum] = [0, 0]
        while (sum < energy * total) sum += sigma[rank++]! ** 2
        expect(
          (lowRank(model, { energy, layers: ['hidden'] }).getLayer('hidden_in') as unknown as Dense).units,
          `${energy}`,
        ).toBe(rank)
      }
    }
  })

  it('is exact if the kernel has that rank', async () => {
    const input = Input({ shape: [4, 4, 2] })
    const features = new Flatten().apply(
      new BatchNormalization({ name: 'norm' }).apply(
        new Conv2D({ filters: 3, kernelSize: 2, name: 'conv' }).apply(input),
      ),
    )
    const inner = new Sequential([new Dense({ units: 10, activation: 'tanh', inputShape: [27], name: 'in' })], {
      name: 'inner',
    })
    const hidden = new Dense({ units: 12, activation: 'relu', name: 'hidden', trainable: false })
    const model = new Model({
      inputs: input,
      outputs: new Dense({ units: 2, activation: 'softmax', name: 'out' }).apply(hidden.apply(inner.apply(features))),
    })
    for (const layer of model.allLayers.filter((each): each is Dense => each instanceof Dense && each.units > 2)) {
      const { kernel } = layer
      kernel.assign(ops.matmul(random.normal([kernel.shape[0]!, 2]), random.normal([2, kernel.shape[1]!])))
      layer.bias!.assign(random.normal([layer.units]))
    }
    const x = random.normal([3, 4, 4, 2])
    model.compile({
      optimizer: new Adam({ learningRate: 0.5 }),
      loss: 'sparseCategoricalCrossentropy',
      metrics: ['accuracy'],
    })
    const [before, weights] = [values(model, x), model.getWeights().map(({ data }) => [...data])]
    const thin = lowRank(model, { rank: 2 })
    values(thin, x).forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 4))
    expect(thin.allLayers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['in_in', 'in', 'hidden_in', 'hidden']),
    )
    // [12, 2] costs no less as two factors.
    expect(thin.allLayers.map(({ name }) => name)).not.toContain('out_in')
    expect(thin.countParams()).toBeLessThan(model.countParams())
    expect((thin.getLayer('hidden_in') as unknown as Dense).trainable).toBe(false)
    expect(thin.optimizer.learningRate).toBe(0.5)
    await thin.fit(x, [0, 1, 1], { verbose: 0 })
    expect(model.getWeights().map(({ data }) => [...data])).toEqual(weights)
    const loaded = await loadModel(await thin.save())
    expect(values(loaded as Model, x)).toEqual(values(thin, x))
  })

  it('refuses unsuitable models and options', () => {
    const model = wide(6, 8)
    expect(() => lowRank(model, {})).toThrow(/needs either rank or energy/)
    expect(() => lowRank(model, { rank: 2, energy: 0.5 })).toThrow(/needs either rank or energy/)
    expect(() => lowRank(model, { rank: 4 })).toThrow(
      /no multiplications would be saved by rank 4.* received hidden \[6, 8\], out \[8, 2\]/,
    )
    expect(() => lowRank(model, { energy: 1 })).toThrow(/no multiplications would be saved by energy 1/)
    const empty = wide(6, 8)
    empty.weights[0]!.assign(ops.zeros([6, 8]))
    for (const given of [{ energy: 0.9 }, { rank: 2 }])
      expect(() => lowRank(empty, { ...given, layers: ['hidden'] })).toThrow(
        /the kernel of hidden is all zeros and cannot be factorized/,
      )
    expect(lowRank(empty, { energy: 0.01 }).layers.map(({ name }) => name)).toEqual(['hidden', 'out_in', 'out'])
    expect(() => lowRank(model, { energy: 1.5 })).toThrow(/energy must be/)
    expect(() => lowRank(model, { rank: 1, layers: ['none'] })).toThrow(
      /none is not a Dense layer of Sequential .* The Dense layers are: hidden, out/,
    )
    expect(() => lowRank(new Sequential([new Dense(3)]), { rank: 1 })).toThrow(/must be built/)
    expect(() => lowRank(new Sequential([new Flatten({ inputShape: [2, 2] })]), { rank: 1 })).toThrow(/no Dense layers/)
    // A layer inside a wrapper is unchanged.
    const wrapped = new Sequential([
      new TimeDistributed({ layer: new Dense({ units: 9, name: 'inner' }), inputShape: [3, 9] }),
    ])
    expect(() => lowRank(wrapped, { rank: 1 })).toThrow(/no multiplications would be saved/)
  })
})
