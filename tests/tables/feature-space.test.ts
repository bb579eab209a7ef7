// FeatureSpace: the encoding of each kind of feature, on data and in models, and what it refuses.

import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  DataError,
  Dense,
  HashedCrossing,
  Input,
  Model,
  StateError,
  TextVectorization,
  loadModel,
  setRandomSeed,
  tensor,
  utils,
  type Tensor,
} from '../../src'
import { Dataset } from '../../src/entries/data'
import type { FeatureRecord } from '../../src/tables/feature-space'
import { expectNear, readFixture } from '../helpers/golden'

const { Cross, Feature, FeatureSpace } = utils

const records = [
  { age: 20, job: 'cook', grade: 7, pay: 10 },
  { age: 30, job: 'smith', grade: 7, pay: 20 },
  { age: 40, job: 'cook', grade: 9, pay: 30 },
  { age: 50, job: 'cook', grade: 7, pay: 40 },
]
const columns = {
  age: records.map(({ age }) => age),
  job: records.map(({ job }) => job),
  grade: records.map(({ grade }) => grade),
  pay: records.map(({ pay }) => pay),
}

const make = () =>
  new FeatureSpace({
    features: {
      pay: FeatureSpace.floatRescaled({ scale: 0.1, offset: -1 }),
      job: 'string_categorical',
      age: 'floatNormalized',
      grade: FeatureSpace.integerCategorical(),
    },
    crosses: [['job', 'grade']],
    crossingDim: 4,
  })

/** The bins of (job, grade), whose numbers are 1 for cook and 7, 2 for smith and 9. */
const bins = (numBins: number): number[] =>
  [...new HashedCrossing({ numBins }).apply([tensor([1, 2, 1, 1], [4], 'int32'), tensor([1, 1, 2, 1], [4], 'int32')]).data] // prettier-ignore
const row = (size: number, at: number): number[] => Array.from({ length: size }, (_, i) => Number(i === at))
const scaled = [-1.3416407, -0.4472136, 0.4472136, 1.3416407]
/** age, grade, job, pay, job_X_grade */
const expected = records.map(({ job, grade, pay }, i) => [
  scaled[i]!,
  ...row(3, grade === 7 ? 1 : 2),
  ...row(3, job === 'cook' ? 1 : 2),
  pay / 10 - 1,
  ...row(4, bins(4)[i]!),
])

describe('FeatureSpace', () => {
  it.each([
    ['a list of records', () => records],
    ['a record of columns', () => columns],
    ['a Dataset of records', () => Dataset.from(records)],
    ['a Dataset of batches', () => Dataset.from(records).batch(3)],
    ['a Dataset of pairs', () => Dataset.from(records).map((record) => ({ record, y: 1 })).batch(2).map(({ record, y }) => [record, y])], // prettier-ignore
  ] as const)('learns from %s, and encodes in the order of names', async (_title, data) => {
    const space = make()
    await space.adapt(data() as never)
    const encoded = space.apply(columns)
    expect(encoded.shape).toEqual([4, 12])
    expectNear(encoded.data, expected.flat(), 'columns', 1e-5)
    expectNear(space.apply(records).data, expected.flat(), 'records', 1e-5)
    const single = space.apply(records[2]!)
    expect(single.shape).toEqual([12])
    expectNear(single.data, expected[2]!, 'a record', 1e-5)
    expectNear(space.apply({ age: 30, job: 'painter', grade: 1, pay: 10 }).data.slice(1, 8), [1, 0, 0, 1, 0, 0, 0], 'unknown', 0) // prettier-ignore
  })

  it('has no place for unknown values with numOovIndices 0', async () => {
    const space = new FeatureSpace({ features: { job: FeatureSpace.stringCategorical({ numOovIndices: 0 }) } })
    await space.adapt({ job: ['cook', 'smith', 'cook'] })
    expect(space.apply({ job: ['smith', 'cook'] }).toArray()).toEqual([
      [0, 1],
      [1, 0],
    ])
    expect(() => space.apply({ job: ['baker'] })).toThrow(DataError)
  })

  it('gives a record of features', async () => {
    const space = new FeatureSpace({
      features: {
        job: FeatureSpace.stringCategorical({ outputMode: 'int' }),
        grade: FeatureSpace.integerHashed({ numBins: 5, outputMode: 'int' }),
        town: FeatureSpace.stringHashed({ numBins: 3 }),
        age: FeatureSpace.floatDiscretized({ binBoundaries: [25, 35] }),
        pay: 'float',
      },
      crosses: [FeatureSpace.cross(['job', 'grade'], 6, { outputMode: 'int' })],
      outputMode: 'dict',
    })
    await space.adapt(records)
    const encoded = space.apply({ ...columns, town: ['A', 'B', 'C', 'D'] })
    expect(Object.keys(encoded)).toEqual(['age', 'grade', 'job', 'pay', 'town', 'job_X_grade'])
    expect(encoded['job']!.toArray()).toEqual([[1], [2], [1], [1]])
    expect(encoded['age']!.toArray()).toEqual([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]) // prettier-ignore
    // The bins of Keras's Hashing.
    expect(encoded['town']!.toArray()).toEqual([1, 0, 1, 1].map((bin) => row(3, bin)))
    const crossed = new HashedCrossing({ numBins: 6 }).apply([encoded['job']!, encoded['grade']!])
    expect(encoded['job_X_grade']!.toArray()).toEqual(crossed.toArray())
    const one = space.apply({ ...records[0]!, town: 'A' })
    expect(one['town']!.shape).toEqual([3])
    expect(one['pay']!.toArray()).toEqual([10])
  })

  it('encodes batches of a Dataset', async () => {
    const space = make()
    await space.adapt(columns)
    const batches = await Dataset.from(records)
      .batch(3)
      .map((batch) => space.apply(batch as never))
      .toArray()
    expectNear([...batches[0]!.data, ...batches[1]!.data], expected.flat(), 'batches', 1e-5)
  })

  it('is the first part of a model, which trains and is saved with it', async () => {
    setRandomSeed(5)
    const space = make()
    await space.adapt(records)
    const encoder = new Model({ inputs: space.getInputs(), outputs: space.getEncodedFeatures() as Tensor })
    expectNear((await encoder.predict(columns)).data, expected.flat(), 'in a model', 1e-5)
    const output = new Dense({ units: 1 }).apply(space.getEncodedFeatures() as Tensor)
    const model = new Model({ inputs: space.getInputs(), outputs: output })
    model.compile({ optimizer: 'adam', loss: 'mse' })
    const y = [[1], [2], [3], [4]]
    const { history } = await model.fit(columns, y, { epochs: 20, verbose: 0 })
    expect(history['loss']!.at(-1)!).toBeLessThan(history['loss']![0]!)
    const batches = Dataset.from(records.map((x, i) => ({ x, y: y[i]! }))).batch(2)
    await model.fit(batches as never, { verbose: 0 })
    const before = await model.predict(columns)
    const loaded = await loadModel<Record<string, Tensor>>(await model.save())
    expect([...(await loaded.predict(columns)).data]).toEqual([...before.data])
    expect([...(await loaded.predict({ ...columns, job: ['x', 'y', 'cook', 'cook'] })).data]).not.toEqual([...before.data]) // prettier-ignore
  })

  it('has the names of Keras', async () => {
    const space = new FeatureSpace({
      features: { job: 'stringCategorical', zip: FeatureSpace.stringHashed({ numBins: 3, name: 'place' }) },
      crosses: null,
      name: 'people',
    })
    expect(space.preprocessors['job']!.name).toBe('job_preprocessor')
    expect(space.preprocessors['zip']!.name).toBe('place_preprocessor')
    await space.adapt({ job: ['cook'] })
    expect(() => space.apply({ job: ['cook'] })).toThrow(/FeatureSpace "people": 'zip' is missing/)
  })

  it('takes a layer of the user', async () => {
    const space = new FeatureSpace({
      features: {
        text: FeatureSpace.feature({
          dtype: 'string',
          preprocessor: new TextVectorization({ outputMode: 'multiHot' }),
          outputMode: 'float',
        }),
      },
    })
    await space.adapt({ text: ['a b', 'b c', 'b'] })
    expect(space.apply({ text: ['b', 'zz'] }).toArray()).toEqual([[0, 1, 0, 0], [1, 0, 0, 0]]) // prettier-ignore
    expect(Object.keys(space.preprocessors)).toEqual(['text'])
  })
})

describe('FeatureSpace refuses', () => {
  it('unknown kinds and crosses', () => {
    expect(() => new FeatureSpace({ features: { a: 'floats' as 'float' } })).toThrow(/'a' must be one of 'float'/)
    expect(() => new FeatureSpace({ features: {} })).toThrow(ArgumentError)
    expect(() => new FeatureSpace({ features: { a: 'float' }, crosses: [['a', 'b']] })).toThrow(/'b', which does not exist/) // prettier-ignore
    expect(() => FeatureSpace.cross(['a'], 3)).toThrow(/two or more/)
    expect(() => new FeatureSpace({ features: { a: 'float' }, mode: 'dict' } as never)).toThrow(ArgumentError)
  })

  it('use before adapt, and adapt after its inputs are encoded', async () => {
    const space = make()
    expect(() => space.apply(columns)).toThrow(StateError)
    expect(() => space.getEncodedFeatures()).toThrow(StateError)
    await space.adapt(columns)
    space.getEncodedFeatures()
    await expect(space.adapt(columns)).rejects.toThrow(StateError)
  })

  it('missing and unknown columns', async () => {
    const space = make()
    await expect(space.adapt({ age: [1, 2] })).rejects.toThrow(/'job' is missing/)
    await space.adapt(columns)
    const { age: _age, ...others } = columns
    expect(() => space.apply(others)).toThrow(/'age' is missing/)
    expect(() => space.apply({ ...columns, town: ['A', 'B', 'C', 'D'] })).toThrow(DataError)
    expect(() => space.apply([1, 2] as never)).toThrow(DataError)
  })

  it('columns of unequal lengths, and columns that only a later record has', async () => {
    const space = make()
    await space.adapt(columns)
    expect(() => space.apply({ ...columns, pay: [1, 2] })).toThrow(/'pay' has 2 and 'job' has 4/)
    const later = [records[0]!, { ...records[1]!, town: 'A' }]
    expect(() => space.apply(later)).toThrow(/'town' is not a feature/)
  })

  it('numBins with binBoundaries, and arguments that nothing reads', () => {
    expect(() => FeatureSpace.floatDiscretized({ numBins: 3, binBoundaries: [1, 2] })).toThrow(/exclude each other/)
    expect(() => FeatureSpace.float('age' as never)).toThrow(/object of options/)
    const kind = FeatureSpace.floatNormalized as (...given: unknown[]) => unknown
    expect(() => kind({}, 1)).toThrow(/takes 1 argument/)
  })

  it('integers in a vector, and hashes of integers in a model', () => {
    const space = new FeatureSpace({ features: { a: FeatureSpace.stringHashed({ numBins: 3, outputMode: 'int' }) } })
    expect(() => space.apply({ a: ['x'] })).toThrow(/cannot be part of a vector/)
    const hashed = new FeatureSpace({ features: { a: 'integerHashed' } })
    expect(hashed.apply({ a: [1] }).shape).toEqual([1, 32])
    expect(() => hashed.getEncodedFeatures()).toThrow(/works on data, not in models/)
  })
})

describe('HashedCrossing in a model', () => {
  it('has the bins that it has on data', async () => {
    const options = { numBins: 7, cardinalities: [3, 4, 2] }
    const inputs = [Input({ shape: [1], dtype: 'int32' }), Input({ shape: [1], dtype: 'int32' }), Input({ shape: [1], dtype: 'int32' })] // prettier-ignore
    const model = new Model({ inputs, outputs: new HashedCrossing(options).apply(inputs) })
    const all = Array.from({ length: 24 }, (_, i) => [Math.floor(i / 8), Math.floor(i / 2) % 4, i % 2])
    const data = [0, 1, 2].map((at) => tensor(all.map((each) => [each[at]!]), undefined, 'int32')) // prettier-ignore
    const onData = new HashedCrossing({ numBins: 7 }).apply(data)
    expect((await model.predict(data)).toArray()).toEqual(onData.toArray())
    const loaded = await loadModel<Tensor[]>(await model.save())
    expect((await loaded.predict(data)).toArray()).toEqual(onData.toArray())
  })

  it('refuses too large a table, and other cardinalities', () => {
    const inputs = [Input({ shape: [1], dtype: 'int32' }), Input({ shape: [1], dtype: 'int32' })]
    expect(() => new HashedCrossing({ numBins: 7, cardinalities: [2000, 2000] }).apply(inputs)).toThrow(/4000000 combinations/) // prettier-ignore
    expect(() => new HashedCrossing({ numBins: 7, cardinalities: [2] }).apply(inputs)).toThrow(/must have 2 numbers/)
  })
})

it('declares features and crosses as objects that options name', () => {
  expect(FeatureSpace.float()).toBeInstanceOf(Feature)
  expect(FeatureSpace.cross(['job', 'grade'], 8)).toBeInstanceOf(Cross)
})

interface Golden {
  readonly rows: FeatureRecord
  readonly asked: FeatureRecord
  readonly encoded: Readonly<Record<string, number[][]>>
}

it('encodes every kind of column, and crosses, as Keras does', async () => {
  const golden = readFixture<Golden>('feature-space')
  const space = new FeatureSpace({
    features: {
      age: 'floatNormalized',
      fare: FeatureSpace.floatRescaled({ scale: 0.01, offset: -0.5 }),
      temperature: FeatureSpace.floatDiscretized({ numBins: 5 }),
      job: 'stringCategorical',
      grade: FeatureSpace.integerCategorical({ numOovIndices: 1 }),
      zip: FeatureSpace.integerHashed({ numBins: 7 }),
      town: FeatureSpace.stringHashed({ numBins: 6 }),
    },
    crosses: [FeatureSpace.cross(['job', 'grade'], 11), FeatureSpace.cross(['town', 'job'], 9)],
    outputMode: 'dict',
  })
  await space.adapt(golden.rows)
  const encoded = space.apply(golden.asked)
  expect(Object.keys(encoded).sort()).toEqual(Object.keys(golden.encoded).sort())
  for (const [name, expected] of Object.entries(golden.encoded)) {
    const rows = encoded[name]!.toArray<number[][]>()
    expect(rows.length, name).toBe(expected.length)
    rows.forEach((row, i) => row.forEach((x, j) => expect(x, `${name} ${i}`).toBeCloseTo(expected[i]![j]!, 5)))
  }
})
