// Preprocessing layers beyond the goldens without adapt and the contract: adapt, files, clones, errors.

import { describe, expect, it } from 'vitest'
import {
  AdaptedLayer,
  ArgumentError,
  CategoryEncoding,
  DataError,
  Dense,
  Discretization,
  Input,
  Model,
  Normalization,
  Rescaling,
  Sequential,
  ShapeError,
  StateError,
  cloneModel,
  loadModel,
  ops,
  tensor,
  type Tensor,
} from '../../src'
import { Dataset } from '../../src/data/dataset'
import { layers } from '../../src/layers/registry'
import type { AdaptedCase, PreprocessingFile } from '../golden/format'
import { floats } from '../helpers/data'
import { expectNear, expectTensor, readFixture, serialized, toTensor } from '../helpers/golden'

const { adapted } = readFixture<PreprocessingFile>('preprocessing')

describe('adapt computes the same as Keras', () => {
  it.each(adapted.map((each, i): [string, AdaptedCase] => [`${each.name} ${i}`, each]))(
    '%s',
    async (_title, { layer: described, batches, found, input, output }) => {
      const layer = layers.get(serialized(described))
      if (!(layer instanceof AdaptedLayer)) throw new Error('no layer that adapts')
      await layer.adapt(batches.map(toTensor))
      const own =
        layer instanceof Discretization
          ? layer.binBoundaries!
          : layer.weights.slice(0, 2).flatMap((weight) => [...weight.value.data])
      expectNear(own, found.data, 'found', 2e-6)
      const made = layer.apply(toTensor(input))
      if (layer instanceof Discretization) expect([...made.data]).toEqual(output.data)
      else expectTensor(made, output, 'output')
    },
  )
})

const rows = [
  [0, 10],
  [2, 10],
  [4, 40],
]

describe('adapt', () => {
  it('takes a batch, or batches from any iterable', async () => {
    async function* later() {
      yield tensor(rows.slice(0, 1))
      yield tensor(rows.slice(1))
    }
    const sources = [
      rows,
      tensor(rows),
      [tensor(rows.slice(0, 2)), tensor(rows.slice(2))],
      later,
      later(),
      Dataset.fromTensorSlices(rows).batch(2),
      Dataset.fromTensorSlices({ x: rows, y: [1, 2, 3] }).batch(2),
      Dataset.from(rows.map((row) => [row, 1] as const)).batch(2),
      Dataset.fromTensorSlices(rows),
    ]
    for (const source of sources) {
      const layer = new Normalization()
      await layer.adapt(source as never)
      expectNear(layer.weights[0]!.value.data, [2, 20], 'mean', 1e-6)
      expectNear(layer.weights[1]!.value.data, [8 / 3, 200], 'variance', 1e-6)
      expect(layer.weights[2]!.value.item()).toBe(3)
    }
  })

  it('starts again each time, and stops at the given step', async () => {
    const layer = new Normalization()
    await layer.adapt(rows)
    await layer.adapt(
      Dataset.fromTensorSlices([
        [1, 1],
        [3, 3],
        [90, 90],
      ]).batch(1),
      { steps: 2 },
    )
    expectNear(layer.apply([[1, 3]]).data, [-1, 1], 'normalized', 1e-6)
  })

  it('is exact where sums would cancel', async () => {
    const layer = new Normalization()
    const { data } = floats([1000, 1], -1, 1)
    await layer.adapt(
      Dataset.fromTensorSlices(
        tensor({ data: Float32Array.from(data, (x) => Math.fround(x + 4096)), shape: [1000, 1] }),
      ).batch(7),
    )
    const kept = Array.from(data, (x) => Math.fround(x + 4096) - 4096)
    const mean = kept.reduce((a, b) => a + b, 0) / 1000
    expectNear(
      layer.weights[1]!.value.data,
      [kept.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 1000],
      'variance',
      1e-6,
    )
  })

  it('refuses data without information, and keeps the previous state', async () => {
    const layer = new Normalization({ name: 'scaled' })
    await layer.adapt(rows)
    await expect(layer.adapt(Dataset.from([]))).rejects.toThrow('Normalization "scaled": adapt: the data have no batch')
    await expect(layer.adapt([[NaN, 1]])).rejects.toThrow(DataError)
    await expect(layer.adapt([tensor([[1, 2]]), tensor([[1, 2, 3]])])).rejects.toThrow(
      /the last input dimension must be 2, received \[null, 3\]/,
    )
    await expect(layer.adapt(Dataset.from([{ z: 1 }]))).rejects.toThrow(/a batch must be x, \[x, y\] or \{ x, y \}/)
    await expect(layer.adapt(rows, { step: 2 } as never)).rejects.toThrow("Did you mean 'steps'?")
    expectNear(layer.weights[0]!.value.data, [2, 20], 'mean', 1e-6)
    await expect(new Normalization({ mean: 1, variance: 1 }).adapt(rows)).rejects.toThrow(ArgumentError)
    await expect(new Discretization({ binBoundaries: [1] }).adapt(rows)).rejects.toThrow(/Give numBins/)
    await expect(new Discretization({ numBins: 2 }).adapt([Infinity])).rejects.toThrow(DataError)
  })

  it('must come first', async () => {
    for (const layer of [new Normalization({ name: 'one' }), new Discretization({ numBins: 3, name: 'one' })]) {
      expect(() => layer.apply([[1, 2]])).toThrow(StateError)
      expect(() => layer.apply([[1, 2]])).toThrow(/"one" has not seen data yet. Call await layer.adapt\(data\)/)
      // A model can be made and described before adapt.
      const x = Input({ shape: [2] })
      const model = new Model({ inputs: x, outputs: layer.apply(x), name: 'around' })
      expect(() => model.predictOnBatch([[1, 2]])).toThrow(StateError)
      await layer.adapt(rows)
      expect(model.predictOnBatch([[1, 2]]).shape).toEqual([1, 2])
    }
  })

  it('affects a model that ran before', async () => {
    for (const layer of [new Normalization(), new Discretization({ numBins: 2 })]) {
      const model = new Sequential([layer])
      await layer.adapt([[0], [2]])
      const before = [...model.predictOnBatch([[1]]).data]
      await layer.adapt([[5], [9], [30], [50]])
      expect([...model.predictOnBatch([[1]]).data]).toEqual([...layer.apply([[1]]).data])
      if (layer instanceof Normalization) expect(before).toEqual([0])
    }
  })
})

it('a custom layer adapts', async () => {
  class ByLargest extends AdaptedLayer {
    private largest = 0
    private found = 0

    protected get isAdapted(): boolean {
      return this.largest > 0
    }

    protected begin(): void {
      this.found = 0
    }

    protected update({ data }: Tensor): void {
      this.found = Math.max(this.found, ...data)
    }

    protected finish(): void {
      this.largest = this.found
    }

    call(x: Tensor): Tensor {
      this.requireAdapted()
      return ops.divide(x, this.largest)
    }
  }
  const layer = new ByLargest()
  expect(() => layer.apply([1])).toThrow(StateError)
  await layer.adapt([tensor([1, 8]), tensor([4])])
  expect([...layer.apply([2, 8]).data]).toEqual([0.25, 1])
  await layer.adapt([2, 1])
  expect([...layer.apply([2, 8]).data]).toEqual([1, 4])
})

describe('the adapted state is kept', () => {
  it('in files, with training that does not change it', async () => {
    const layer = new Normalization()
    await layer.adapt(rows)
    const model = new Sequential([layer, new Dense({ units: 1 })])
    model.compile({ optimizer: 'adam', loss: 'mse' })
    await model.fit(rows, [[1], [2], [3]], { epochs: 3, verbose: 0 })
    expectNear(layer.weights[0]!.value.data, [2, 20], 'mean', 1e-6)
    expect(model.trainableWeights).toHaveLength(2)
    const copy = await loadModel(await model.save())
    expect([...copy.predictOnBatch(rows).data]).toEqual([...model.predictOnBatch(rows).data])
  })

  it('of Discretization in its configuration, files and clones', async () => {
    const layer = new Discretization({ numBins: 3, outputMode: 'oneHot' })
    await layer.adapt(
      Dataset.range(0, 9)
        .map((x) => [x])
        .batch(4),
    )
    const x = Input({ shape: [1] })
    const model = new Model({ inputs: x, outputs: layer.apply(x) })
    const data = [[0], [4], [8]]
    const expected = [...model.predictOnBatch(data).data]
    expect(expected).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1])
    for (const copy of [cloneModel(model), await loadModel(await model.save())])
      expect([...copy.predictOnBatch(data).data]).toEqual(expected)
    expect(layer.weights).toHaveLength(0)
  })
})

describe('Normalization', () => {
  it('refuses data that do not fit', () => {
    expect(() => new Normalization({ mean: 1 })).toThrow('Normalization: mean and variance must be given together')
    expect(() => new Normalization({ mean: [1, 2], variance: [1] })).toThrow(/the same shape/)
    expect(() => new Normalization({ mean: 1, variance: -1 })).toThrow(/≥ 0/)
    expect(() => new Normalization({ mean: [1, 2], variance: [1, 2] }).apply([[1, 2, 3]])).toThrow(ShapeError)
    expect(() => new Normalization({ axis: 3 }).build([null, 2])).toThrow(/axis/)
    expect(() => new Normalization({ axis: 0 }).build([null, 2])).toThrow(/must be known/)
  })

  it('reports its state, which is not an option', async () => {
    const layer = new Normalization()
    expect([layer.mean, layer.variance]).toEqual([null, null])
    await layer.adapt([
      [1, 10],
      [2, 10],
      [3, 40],
    ])
    expect(layer.mean).toEqual([2, 20])
    expect(layer.variance).toEqual([expect.closeTo(2 / 3, 5), 200])
    expect(layer.getConfig()).toMatchObject({ mean: null, variance: null })
    expect(new Normalization({ mean: 1, variance: 4 }).getConfig()).toMatchObject({ mean: 1, variance: 4 })
    expect(new Normalization({ mean: [1], variance: [4] }).mean).toEqual([1])
  })

  it('inverts', async () => {
    const [there, back] = [new Normalization(), new Normalization({ invert: true })]
    await Promise.all([there.adapt(rows), back.adapt(rows)])
    expectNear(back.apply(there.apply(rows)).data, rows.flat(), 'the features', 1e-5)
  })
})

describe('Discretization', () => {
  it('leaves the last bins empty if there are fewer data than bins', async () => {
    const layer = new Discretization({ numBins: 6, outputMode: 'count' })
    await layer.adapt([[1, 2, 3]])
    expect(layer.binBoundaries).toEqual([1, 2])
    expect([...layer.apply([[0, 1, 2, 99]]).data]).toEqual([1, 1, 2, 0, 0, 0])
  })

  it('refuses data that do not fit', () => {
    expect(() => new Discretization({})).toThrow('Discretization: needs binBoundaries, or numBins for adapt')
    expect(() => new Discretization({ binBoundaries: [1, 0] })).toThrow('binBoundaries must rise, received 0 behind 1')
    expect(() => new Discretization({ binBoundaries: [0, 1], numBins: 2 })).toThrow(/3 bins, more than numBins/)
  })
})

describe('CategoryEncoding', () => {
  const layer = new CategoryEncoding({ numTokens: 3, outputMode: 'count' })

  it('counts with weights, for data and symbols', () => {
    const [tokens, weights] = [
      [
        [0, 1, 0],
        [2, 2, 2],
      ],
      tensor([
        [0.5, 2, 1],
        [1, 1, 0.25],
      ]),
    ]
    expect([...layer.apply(tokens, { countWeights: weights }).data]).toEqual([1.5, 2, 0, 0, 0, 2.25])
    const [x, w] = [Input({ shape: [3], dtype: 'int32' }), Input({ shape: [3] })]
    const model = new Model({ inputs: [x, w], outputs: layer.apply(x, { countWeights: w }) })
    expect([...model.predictOnBatch([tensor(tokens, [2, 3], 'int32'), weights]).data]).toEqual([1.5, 2, 0, 0, 0, 2.25])
    expect(() => layer.apply(tokens, { countWeights: ops.ones([2, 2]) })).toThrow(ShapeError)
    expect(() => new CategoryEncoding({ numTokens: 3 }).apply(tokens, { countWeights: weights })).toThrow(
      "countWeights are for outputMode 'count', not for 'multiHot'",
    )
    for (const outputMode of ['multiHot', 'count'] as const)
      expect(() => new CategoryEncoding({ numTokens: 3, outputMode }).apply(1)).toThrow(
        /needs indices \[batch, …\], received a single one/,
      )
    expect(() => new Rescaling(1).apply(tokens, { countWeights: weights })).toThrow(/takes no countWeights/)
  })

  it('refuses tokens out of range, also as inputs of a model', async () => {
    expect(() => layer.apply([[0, 3]])).toThrow('the tokens must be integers in 0 … 2, received 3')
    const model = new Sequential([new CategoryEncoding({ numTokens: 3, inputShape: [2] })])
    await expect(model.predict([[0, -1]])).rejects.toThrow(DataError)
  })
})

describe('Rescaling', () => {
  it('refuses numbers that do not fit', () => {
    expect(() => new Rescaling({ scale: [1, 2] }).apply([[1, 2, 3]])).toThrow(
      /scale \[2\] does not fit the last axes of an input \[1, 3\]/,
    )
    expect(() => new Rescaling({ scale: NaN })).toThrow(/a finite number/)
    expect(() => new Rescaling({} as never)).toThrow(/needs scale/)
  })
})
