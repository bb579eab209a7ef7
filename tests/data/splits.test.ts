// Splits, folds, windows: compared with scikit-learn and Keras (tests/golden/data.json), and general properties.
// modes: simd

import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { ArgumentError, DataError, Dense, Sequential, Tensor, tensor } from '../../src'
import {
  classWeights,
  crossValidate,
  kFold,
  timeseriesDataset,
  toCategorical,
  trainTestSplit,
} from '../../src/entries/data'
import golden from '../golden/data.json' with { type: 'json' }

const { y, groups, ...expected } = golden.splits
const listed = (folds: { train: Int32Array; test: Int32Array }[]) =>
  folds.map(({ train, test }) => ({ train: [...train], test: [...test] }))
const counted = (labels: readonly number[]) => [0, 1, 2].map((label) => labels.filter((each) => each === label).length)
const rising = (values: ArrayLike<number>) => Array.from(values).sort((a, b) => a - b)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('kFold', () => {
  it('has the folds of scikit-learn', () => {
    expect(listed(kFold(y.length))).toEqual(expected.kFold)
    expect(listed(kFold(y, { folds: 4, stratify: y }))).toEqual(expected.stratified)
    expect(listed(kFold({ x: tensor(new Float32Array(34), [17, 2]), y }, { folds: 3, groups }))).toEqual(
      expected.grouped,
    )
  })

  it('tests every row once, keeps groups together and labels in proportion', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 25, maxLength: 60 }),
        fc.integer({ min: 2, max: 5 }),
        fc.boolean(),
        fc.integer(),
        (labels, folds, shuffle, seed) => {
          const options = { folds, shuffle, seed }
          const isEnough = new Set(labels).size >= folds
          for (const made of [
            kFold(labels, options),
            kFold(labels, { ...options, stratify: labels }),
            ...(isEnough ? [kFold(labels, { ...options, groups: labels })] : []),
          ]) {
            expect(rising(made.flatMap(({ test }) => [...test]))).toEqual(upTo(labels.length))
            for (const { train, test } of made) expect(rising([...train, ...test])).toEqual(upTo(labels.length))
          }
          for (const { test } of kFold(labels, { ...options, stratify: labels })) {
            for (const label of new Set(labels))
              expect(
                Math.abs(
                  [...test].filter((i) => labels[i] === label).length -
                    labels.filter((each) => each === label).length / folds,
                ),
              ).toBeLessThanOrEqual(1)
          }
          if (isEnough) {
            for (const { train, test } of kFold(labels, { ...options, groups: labels }))
              expect([...train].some((i) => [...test].some((j) => labels[i] === labels[j]))).toBe(false)
          }
        },
      ),
    )
  })

  it('has the same order for the same seed', () => {
    const of = (seed: number) => listed(kFold(50, { shuffle: true, seed }))
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
    expect(of(1)).not.toEqual(listed(kFold(50)))
  })

  it('refuses impossible splits', () => {
    expect(() => kFold(3)).toThrow('kFold: 5 folds need at least as many rows, there are 3')
    expect(() => kFold([1, 2, 3], { folds: 3, stratify: [1, 1, 2] })).toThrow(/rows of one label, there are at most 2/)
    expect(() => kFold(4, { folds: 3, groups: ['a', 'b', 'b', 'a'] })).toThrow(/as many groups, there are 2/)
    expect(() => kFold(4, { folds: 2, groups: [1, 2] })).toThrow(/a label for each of 4 rows, received 2/)
    expect(() => kFold(4, { folds: 2, groups: y, stratify: y })).toThrow(/exclude each other/)
    expect(() => kFold({ a: [1, 2], b: [1] }, { folds: 2 })).toThrow(
      /the same number of rows, received 2 \(a\) and 1 \(b\)/,
    )
    expect(() => kFold([], {})).toThrow(DataError)
    expect(() =>
      kFold(4, {
        folds: 2,
        stratify: tensor([
          [1, 2],
          [3, 4],
        ]),
      }),
    ).toThrow(ArgumentError)
  })
})

describe('trainTestSplit', () => {
  it('has the same number of rows as scikit-learn, also per label', () => {
    for (const [size, count] of Object.entries(expected.sizes))
      expect(trainTestSplit(y, { testSize: Number(size), seed: 1 })[1]).toHaveLength(count)
    for (const [size, counts] of Object.entries(expected.stratifiedCounts)) {
      const [, test] = trainTestSplit(y, { testSize: Number(size), stratify: y, seed: 1 })
      const own = counted(test)
      expect(own.reduce((a, b) => a + b)).toBe(counts.reduce((a, b) => a + b))
      // For labels with equal remainders, scikit-learn draws.
      own.forEach((count, i) => expect(Math.abs(count - counts[i]!)).toBeLessThanOrEqual(1))
    }
  })

  it('keeps rows together, in any structure', () => {
    const numbers = upTo(10)
    const data = [
      tensor(
        Float32Array.from({ length: 20 }, (_, i) => Math.floor(i / 2)),
        [10, 2],
      ),
      Int32Array.from(numbers),
      numbers.map(String),
      { data: numbers, shape: [10] },
    ] as const
    const [a, aTest, b, bTest, c, cTest, d, dTest] = trainTestSplit(...data, { seed: 5, testSize: 3 })
    expectTypeOf(a).toEqualTypeOf<Tensor>()
    expect(b).toBeInstanceOf(Int32Array)
    expect(d).toBeInstanceOf(Tensor)
    for (const [rows, integers, texts, shaped] of [
      [a, b, c, d],
      [aTest, bTest, cTest, dTest],
    ] as const) {
      expect(rows.toArray()).toEqual([...integers].map((i) => [i, i]))
      expect(texts).toEqual([...integers].map(String))
      expect([...shaped.data]).toEqual([...integers])
    }
    expect(rising([...b, ...bTest])).toEqual(numbers)
    expect(trainTestSplit(numbers, { seed: 5, testSize: 3 })).toEqual([[...b], [...bTest]])
    expect(trainTestSplit(numbers, { shuffle: false, testSize: 0.3 })).toEqual([
      [0, 1, 2, 3, 4, 5, 6],
      [7, 8, 9],
    ])
    expect(trainTestSplit(numbers).map((part) => part.length)).toEqual([7, 3])
  })

  it('refuses impossible splits', () => {
    expect(() => trainTestSplit([1, 2], [1])).toThrow(
      'trainTestSplit: all data must have the same number of rows, received 2 and 1',
    )
    expect(() => trainTestSplit([1, 2], { testSize: 2 })).toThrow(/leaves no row to train/)
    expect(() => trainTestSplit([1, 2, 3], { stratify: ['a', 'a', 'b'] })).toThrow(/one of 'b'/)
    expect(() => trainTestSplit([1, 2, 3, 4], { stratify: [1, 1, 2, 2], testSize: 1 })).toThrow(
      /in both parts, which have 3 and 1/,
    )
    expect(() => trainTestSplit([1, 2], { stratify: [1, 1], shuffle: false })).toThrow(ArgumentError)
    expect(() => trainTestSplit([1, 2], { testSize: 0 })).toThrow(/share between 0 and 1/)
    expect(() => trainTestSplit([1, 2], { testsiz: 1 } as object)).toThrow(/Did you mean 'testSize'/)
    expect(() => trainTestSplit({ testSize: 1 } as never)).toThrow(/no data/)
  })
})

describe('crossValidate', () => {
  const x = Array.from({ length: 40 }, (_, i) => [(i % 10) / 10, i % 2])
  const labels = x.map(([a]) => Number(a! > 0.45))
  let made = 0
  const build = () => {
    made++
    const model = new Sequential([
      new Dense({ units: 1, activation: 'sigmoid', inputShape: [2], kernelInitializer: 'zeros' }),
    ])
    model.compile({ optimizer: 'sgd', loss: 'binaryCrossentropy', metrics: ['accuracy'] })
    return model
  }

  it('trains a fresh model for each fold and reports its results', async () => {
    const { scores, mean, std } = await crossValidate(build, x, labels, {
      folds: 4,
      stratify: true,
      fit: { epochs: 2, shuffle: false },
    })
    expect([made, scores.length]).toEqual([4, 4])
    const { train, test } = kFold(x, { folds: 4, stratify: labels })[2]!
    const model = build()
    await model.fit(
      Array.from(train, (i) => x[i]!),
      Array.from(train, (i) => labels[i]!),
      { epochs: 2, shuffle: false, verbose: 0 },
    )
    expect(scores[2]).toEqual(
      await model.evaluate(
        Array.from(test, (i) => x[i]!),
        Array.from(test, (i) => labels[i]!),
        { verbose: 0 },
      ),
    )
    const losses = scores.map(({ loss }) => loss)
    const average = losses.reduce((a, b) => a + b) / 4
    expect(mean.loss).toBeCloseTo(average, 10)
    expect(std.loss).toBeCloseTo(Math.sqrt(losses.reduce((sum, loss) => sum + (loss - average) ** 2, 0) / 4), 10)
    expect(Object.keys(mean)).toEqual(['loss', 'accuracy'])
  })

  it('takes tensors, records and groups', async () => {
    const { scores } = await crossValidate(build, tensor(x), tensor(labels), {
      folds: 2,
      groups: x.map((_, i) => i % 4),
    })
    expect(scores).toHaveLength(2)
    await expect(crossValidate(build, x, labels.slice(1))).rejects.toThrow(
      /the same number of rows, received 40 and 39/,
    )
  })
})

describe('classes', () => {
  it("weights equal scikit-learn's", () => {
    for (const [label, weight] of Object.entries(classWeights(y)))
      expect(weight).toBeCloseTo(Reflect.get(expected.classWeights, label) as number, 12)
    expect(classWeights([0, 0, 0, 1])).toEqual({ 0: 2 / 3, 1: 2 })
    expect(() => classWeights([0.5])).toThrow(DataError)
    expect(() => classWeights([[0, 1]])).toThrow(ArgumentError)
  })

  it("one-hot rows equal Keras's", () => {
    expect(toCategorical([0, 2, 1], 4).toArray()).toEqual(expected.categorical)
    expect(toCategorical([[0], [1]]).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ])
    expect(
      toCategorical([
        [0, 1],
        [1, 1],
      ]).shape,
    ).toEqual([2, 2, 2])
    expect(() => toCategorical([0, 4], 4)).toThrow(/0 … 3, received 4 as element 1/)
    expect(() => toCategorical([0, -1])).toThrow(DataError)
  })
})

describe('timeseriesDataset', () => {
  const { data, targets, cases } = golden.timeseries
  const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  const plain = (part: Tensor | number): unknown => (typeof part === 'number' ? part : part.toArray())

  it.each(cases.map((each) => [JSON.stringify(each.options), each] as const))(
    'has the windows of Keras: %s',
    async (_, { options, elements }) => {
      const given = Object.fromEntries(
        Object.entries({ batch_size: 3, ...options }).map(([name, value]) => [camel(name), value]),
      )
      const wanted =
        given['targets'] === true
          ? { targets }
          : given['targets'] === 'short'
            ? { targets: targets.slice(0, 9) }
            : { targets: null }
      const dataset = timeseriesDataset(data, { ...given, ...wanted } as unknown as { sequenceLength: number })
      const own = (await dataset.toArray()) as (Tensor | Tensor[])[]
      expect(own.map((element) => (Array.isArray(element) ? element : [element]).map(plain))).toEqual(elements)
      expect(dataset.size).toBe(elements.length)
    },
  )

  it('gives every window once in random order', async () => {
    const windows = timeseriesDataset(upTo(30), {
      sequenceLength: 3,
      batchSize: null,
      shuffle: true,
      seed: 1,
      targets: upTo(30),
    })
    expectTypeOf(await windows.take(1).toArray()).toEqualTypeOf<[Tensor, number][]>()
    const [first, second] = [await windows.toArray(), await windows.toArray()].map((pass) =>
      pass.map(([x, goal]) => [...x.data, goal]),
    )
    expect(first).not.toEqual(second)
    for (const pass of [first!, second!])
      expect(pass.sort((a, b) => a[0]! - b[0]!)).toEqual(upTo(28).map((i) => [i, i + 1, i + 2, i]))
  })

  it('refuses windows longer than the data', () => {
    expect(() => timeseriesDataset(upTo(5), { sequenceLength: 6 })).toThrow(
      'timeseriesDataset: a window of 6 steps spans 6, there are 5',
    )
    expect(() => timeseriesDataset(upTo(5), { sequenceLength: 1, endIndex: 6 })).toThrow(ArgumentError)
    expect(() => timeseriesDataset(3, { sequenceLength: 1 })).toThrow(DataError)
    expect(() => timeseriesDataset(upTo(5), undefined as never)).toThrow(/sequenceLength/)
  })
})

it('crossValidate reports errors in its model and its options', async () => {
  const model = new Sequential([new Dense({ units: 1, inputShape: [1] })])
  model.compile({ optimizer: 'sgd', loss: 'mse' })
  const [x, y] = [
    [[1], [2], [3], [4]],
    [1, 2, 3, 4],
  ]
  await expect(crossValidate(model as never, x, y)).rejects.toThrow(
    /makeModel must be a function that returns a compiled model/,
  )
  await expect(crossValidate(() => model, x, y, { epochs: 3 } as never)).rejects.toThrow(/epochs is an option of fit/)
  await expect(crossValidate(() => model, x, y, { folds: 2 })).rejects.toThrow(/one model twice/)
  expect(toCategorical([1], { numClasses: 3 }).toArray()).toEqual([[0, 1, 0]])
})
