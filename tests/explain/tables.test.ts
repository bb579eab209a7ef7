// Explanations of table models: they take rows as predict takes them, and answer by column.
// modes: simd, relaxed, unfused

import { describe, expect, it } from 'vitest'
import {
  Dense,
  Embedding,
  Input,
  LSTM,
  Model,
  Sequential,
  StringLookup,
  TableModel,
  TextVectorization,
  loadModel,
  ops,
  setRandomSeed,
  tensor,
  utils,
  type Tensor,
} from '../../src'
import { Normalization } from '../../src/layers'
import { Dataset, tableModel, type TableModelSettings, type TableRow } from '../../src/entries/data'
import {
  gradCam,
  gradientTimesInput,
  integratedGradients,
  kernelShap,
  occlusion,
  partialDependence,
  permutationImportance,
  saliency,
  sampledShapley,
  shapleyValues,
  smoothGrad,
  temperatureScaling,
} from '../../src/entries/explain'
import { pruneUnits, quantize } from '../../src/entries/thrift'

/** Rows with a number and missing values, two kinds of categories, a date as text, and an id. */
const people = (count: number, begin = 0): TableRow[] =>
  Array.from({ length: count }, (_, at) => {
    const i = at + begin
    return {
      id: 1000 + i,
      age: i % 7 === 3 ? null : 20 + ((i * 13) % 50),
      sex: i % 2 === 0 ? 'f' : 'm',
      born: `19${60 + (i % 40)}-0${1 + (i % 9)}-1${i % 10}`,
      city: ['Bern', 'Basel', 'Chur'][i % 3],
      answer: i % 4 < 2 ? 'no' : 'yes',
    }
  })
const rows = people(80)

async function model(settings: Partial<TableModelSettings> = {}): Promise<TableModel> {
  setRandomSeed(1)
  const made = await tableModel(rows, { target: 'answer', hidden: [8], print: false, ...settings })
  await made.fit(rows, { epochs: 8, verbose: 0 })
  return made
}

/** The Shapley values by their definition: the mean over all orders of columns, by predictions of rows with mixed columns. */
async function byOrders(
  of: TableModel,
  row: TableRow,
  background: readonly TableRow[],
): Promise<Record<string, number>> {
  const names = Object.keys(of.table.columns)
  const values = new Map<string, number>()
  const worth = async (members: readonly string[]): Promise<number> => {
    const key = [...members].sort().join()
    if (!values.has(key)) {
      const mixed = background.map((each) => ({
        ...each,
        ...Object.fromEntries(members.map((name) => [name, row[name]])),
      }))
      const { data } = (await of.predict(mixed)) as Tensor
      values.set(key, Array.from(data).reduce((sum, each) => sum + each, 0) / mixed.length)
    }
    return values.get(key)!
  }
  const orders = (left: readonly string[]): string[][] =>
    left.length === 0
      ? [[]]
      : left.flatMap((first) => orders(left.filter((each) => each !== first)).map((rest) => [first, ...rest]))
  const all = orders(names)
  const found = Object.fromEntries(names.map((name) => [name, 0]))
  for (const order of all) {
    for (const [i, name] of order.entries())
      found[name]! += ((await worth(order.slice(0, i + 1))) - (await worth(order.slice(0, i)))) / all.length
  }
  return found
}

const sumOf = (attributions: Readonly<Record<string, Tensor>>, row: number): number =>
  Object.values(attributions).reduce((sum, { data }) => sum + data[row]!, 0)
const first = (attributions: Readonly<Record<string, Tensor>>): Record<string, number> =>
  Object.fromEntries(Object.entries(attributions).map(([name, { data }]) => [name, data[0]!]))

describe('Shapley values of columns', () => {
  it('are those of the definition, and sum to the answer', async () => {
    const made = await model()
    const background = people(5, 40)
    const asked: TableRow[] = [
      rows[0]!,
      rows[3]!, // a missing age
      { ...rows[5], city: 'Lugano', id: -1 }, // a category and an id that no row had
      { ...rows[6], born: new Date(Date.UTC(1980, 4, 6)) },
      { ...rows[7], born: { year: 1980, month: 5, day: 6 } },
    ]
    const { attributions, value, baseValue, units, gap } = await shapleyValues(made, asked, { background })
    expect(Object.keys(attributions)).toEqual(Object.keys(made.table.columns))
    expect(units!.shape).toEqual([5])
    const answers = (await made.predict(asked)) as Tensor
    for (const [i, row] of asked.entries()) {
      const reference = await byOrders(made, row, background)
      for (const [name, expected] of Object.entries(reference)) {
        expect(attributions[name]!.shape).toEqual([5])
        expect(attributions[name]!.data[i]).toBeCloseTo(expected, 5)
      }
      expect(value.data[i]).toBeCloseTo(answers.data[i]!, 6)
      expect(sumOf(attributions, i)).toBeCloseTo(value.data[i]! - baseValue.data[i]!, 5)
      expect(Math.abs(gap.data[i]!)).toBeLessThan(1e-5)
    }
    // All coalitions of four columns are evaluated.
    const kernel = await kernelShap(made, asked, { background })
    for (const name of Object.keys(attributions))
      kernel.attributions[name]!.data.forEach((each: number, i) =>
        expect(each).toBeCloseTo(attributions[name]!.data[i]!, 4),
      )
    const sampled = await sampledShapley(made, asked, { background, permutations: 400, seed: 1 })
    for (const name of Object.keys(attributions)) {
      expect(sampled.standardError[name]!.shape).toEqual([5])
      expect(sampled.attributions[name]!.data[0]).toBeCloseTo(attributions[name]!.data[0]!, 1)
    }
  })

  it('take several classes, an embedding, a text, and more columns than numbers could be players', async () => {
    const many = rows.map((row, i) => ({
      ...row,
      note: `${['likes', 'hates'][i % 2]} the number ${i} very much`,
      kind: ['a', 'b', 'c'][i % 3],
    }))
    setRandomSeed(2)
    const made = await tableModel(many, { target: 'kind', columns: { city: 'embedding' }, print: false, hidden: [4] })
    const background = many.slice(10, 14)
    const { attributions, units, value } = await shapleyValues(made, many[0]!, { background, output: 2 })
    expect(units!.data[0]).toBe(2)
    expect(Object.keys(attributions).sort()).toEqual(['age', 'answer', 'born', 'city', 'note', 'sex'])
    const mean = ((await made.predict(background)) as Tensor)
      .toArray<number[][]>()
      .reduce((sum, each) => sum + each[2]! / 4, 0)
    expect(sumOf(attributions, 0)).toBeCloseTo(value.data[0]! - mean, 5)
    const { gap } = await integratedGradients(made, many.slice(0, 3), { baseline: background[0]!, tolerance: 1e-4 })
    gap.data.forEach((each: number) => expect(Math.abs(each)).toBeLessThan(2e-4))
  })

  it('take rows as predict does: one, a data set, columns of data', async () => {
    const made = await model()
    const background = people(4, 20)
    const expected = (await shapleyValues(made, rows.slice(0, 3), { background })).attributions
    const columns = Object.fromEntries(
      ['age', 'sex', 'born', 'city'].map((name) => [name, rows.slice(0, 3).map((row) => row[name] ?? NaN)]),
    )
    const given = [
      Dataset.from(rows.slice(0, 3)) as AsyncIterable<TableRow>,
      columns,
      rows.slice(0, 3).map(({ answer: _, ...row }) => row),
    ] as const
    for (const each of given) {
      const { attributions } = await shapleyValues(made, each, {
        background: Dataset.from(background) as AsyncIterable<TableRow>,
      })
      for (const name of Object.keys(expected)) expect(attributions[name]!.data).toEqual(expected[name]!.data)
    }
    const one = await shapleyValues(made, rows[0]!, { background })
    for (const name of Object.keys(expected))
      expect([...one.attributions[name]!.data]).toEqual([expected[name]!.data[0]])
  })
})

describe('a linear model of a table', () => {
  it('has the same attributions by all methods that add up, relative to means and no category', async () => {
    setRandomSeed(3)
    const numbers = rows.map((row, i) => ({ ...row, answer: Math.sin(i) + (i % 2) }))
    const made = await tableModel(numbers, { target: 'answer', hidden: [], print: false })
    const asked = numbers.slice(0, 6)
    const exact = (await shapleyValues(made, asked)).attributions
    const others = await Promise.all([
      kernelShap(made, asked),
      integratedGradients(made, asked),
      gradientTimesInput(made, asked),
      occlusion(made, asked),
    ])
    for (const { attributions } of others) {
      for (const [name, { data }] of Object.entries(exact))
        data.forEach((each: number, i) => expect(attributions[name]!.data[i]).toBeCloseTo(each, 4))
    }
  })
})

describe('a table of numbers', () => {
  /** A table model, and the same network on the plain numbers and on the scaled ones. */
  async function pair() {
    setRandomSeed(4)
    const names = ['a', 'b', 'c'] as const
    const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), 5 * Math.cos(2 * i), 100 + 7 * Math.sin(3 * i)])
    const table = x.map((row, i) => ({ a: row[0]!, b: row[1]!, c: row[2]!, y: row[0]! * row[1]! + i / 100 }))
    const made = await tableModel(table, { target: 'y', hidden: [6], dropout: 0, print: false })
    await made.fit(table, { epochs: 10, verbose: 0 })
    const mean = names.map((_, at) => x.reduce((sum, row) => sum + row[at]! / x.length, 0))
    const variance = names.map((_, at) => x.reduce((sum, row) => sum + (row[at]! - mean[at]!) ** 2 / x.length, 0))
    const dense = made.layers.filter((layer) => layer instanceof Dense)
    const answer = made.layers.at(-1)!
    const input = Input({ shape: [3] })
    const scaled = [...dense, answer].reduce((value, layer) => layer.apply(value) as Tensor, input)
    const inner = new Model({ inputs: input, outputs: scaled })
    const plain = new Sequential([new Normalization({ mean, variance, inputShape: [3] }), inner])
    const z = x.map((row) => row.map((each, at) => (each - mean[at]!) / Math.sqrt(variance[at]!)))
    return { made, table, x, z, plain, inner }
  }

  it('has the values of a plain model of the same layers', async () => {
    const { made, table, x, z, plain, inner } = await pair()
    const seeded = { seed: 3 }
    const perturbed = { table: { background: table.slice(9, 14) }, plain: { background: x.slice(9, 14) } }
    const pairs = await Promise.all([
      Promise.all([
        shapleyValues(made, table.slice(0, 4), perturbed.table),
        shapleyValues(plain, x.slice(0, 4), perturbed.plain),
      ]),
      Promise.all([
        sampledShapley(made, table.slice(0, 4), { ...perturbed.table, ...seeded }),
        sampledShapley(plain, x.slice(0, 4), { ...perturbed.plain, ...seeded }),
      ]),
      Promise.all([
        occlusion(made, table.slice(0, 4), { baseline: table[9]! }),
        occlusion(plain, x.slice(0, 4), { baseline: x[9]! }),
      ]),
      // Gradients are with respect to the scaled numbers.
      Promise.all([saliency(made, table.slice(0, 4)), saliency(inner, z.slice(0, 4))]),
      Promise.all([gradientTimesInput(made, table.slice(0, 4)), gradientTimesInput(inner, z.slice(0, 4))]),
      Promise.all([smoothGrad(made, table.slice(0, 4), seeded), smoothGrad(inner, z.slice(0, 4), seeded)]),
      Promise.all([integratedGradients(made, table.slice(0, 4)), integratedGradients(inner, z.slice(0, 4))]),
    ])
    for (const [ofTable, ofPlain] of pairs) {
      const expected = ofPlain.attributions.toArray<number[][]>()
      expected.forEach((row, i) =>
        row.forEach((each, at) =>
          expect(ofTable.attributions[['a', 'b', 'c'][at]!]!.data[i]! / (1 + Math.abs(each))).toBeCloseTo(
            each / (1 + Math.abs(each)),
            3,
          ),
        ),
      )
    }
  })

  it('depends on a column as a plain model does', async () => {
    const { made, table, x, plain } = await pair()
    const grid = [-1, 0, 2]
    const ofTable = await partialDependence(made, table, 'b', { grid })
    const ofPlain = await partialDependence(plain, x, 1, { grid })
    ofPlain.individual.data.forEach((each: number, i) => expect(ofTable.individual.data[i]).toBeCloseTo(each, 3))
    expect(ofTable.column).toEqual({ name: 'b', kind: 'number' })
    const spaced = await partialDependence(made, table, 'b', { grid: 5 })
    const expected = await partialDependence(plain, x, 1, { grid: 5 })
    spaced.grid.data.forEach((each: number, i) => expect(each).toBeCloseTo(expected.grid.data[i]!, 5))
  })
})

describe('partialDependence of a column', () => {
  it('sets categories, dates and numbers', async () => {
    const made = await model()
    const asked = rows.slice(0, 12)
    const cases = [
      ['city', ['Basel', 'Bern', 'Chur']],
      ['sex', ['f', 'm']],
      ['age', undefined],
      ['born', undefined],
    ] as const
    for (const [name, values] of cases) {
      const { grid, average, individual, column } = await partialDependence(made, asked, name)
      expect(column!.name).toBe(name)
      if (values !== undefined) expect(grid.toArray()).toEqual(values)
      const set = grid.toArray<(string | number)[]>()
      for (const [g, value] of set.entries()) {
        const { data } = (await made.predict(asked.map((row) => ({ ...row, [name]: value })))) as Tensor
        data.forEach((each: number, i) => expect(individual.data[i * set.length + g]).toBeCloseTo(each, 5))
        expect(average.data[g]).toBeCloseTo(
          Array.from(data).reduce((sum, each) => sum + each / 12, 0),
          5,
        )
      }
    }
    const wide = await partialDependence(made, rows, 'born', { grid: 4 })
    expect(wide.grid.toArray<string[]>().every((each) => /^19\d\d-\d\d-\d\d$/.test(each))).toBe(true)
    const frequent = await partialDependence(made, [...rows, { ...rows[0], city: 'Chur' }], 'city', { grid: 2 })
    expect(frequent.grid.toArray<string[]>()).toHaveLength(2)
    const given = await partialDependence(made, asked, 'born', { grid: [new Date(0), '2001-02-03'] })
    expect(given.grid.toArray()).toEqual(['1970-01-01T00:00:00.000Z', '2001-02-03'])
  })

  it('refuses what is no column, and values that it cannot have', async () => {
    const made = await model()
    await expect(partialDependence(made, rows, 'agee')).rejects.toThrow(/column of TableModel.*'agee'.*'age'/)
    await expect(partialDependence(made, rows, 0 as never)).rejects.toThrow(
      /must be the name of a column: 'age', 'sex'/,
    )
    await expect(partialDependence(made, rows, 'born', { grid: ['soon'] })).rejects.toThrow(
      /grid\[0\]: expected a date/,
    )
    await expect(partialDependence(made, rows, 'age', { grid: ['x'] })).rejects.toThrow(/grid\[0\]: expected a number/)
    const empty = rows.slice(0, 2).map((row) => ({ ...row, age: null }))
    await expect(partialDependence(made, empty, 'age')).rejects.toThrow(/'age' has no value in these rows.*grid/)
  })
})

describe('other models of a table', () => {
  it('are explained: loaded, pruned, quantized, calibrated', async () => {
    const made = await model()
    const background = people(4, 20)
    const loaded = (await loadModel(await made.save())) as TableModel
    const pruned = await pruneUnits(made, { keep: 0.5 })
    const { model: honest, temperature } = await temperatureScaling(made, rows, 'answer')
    expect(temperature).toBeGreaterThan(0)
    expect(honest).toBeInstanceOf(TableModel)
    expect(await honest.predict(rows[0]!, { labels: true })).toHaveProperty('label')
    for (const each of [loaded, pruned, honest]) {
      const reference = await byOrders(each, rows[0]!, background)
      const { attributions } = await shapleyValues(each, rows[0]!, { background })
      for (const [name, expected] of Object.entries(reference))
        expect(attributions[name]!.data[0]).toBeCloseTo(expected, 5)
    }
    const { attributions } = await shapleyValues(quantize(made), rows[0]!, { background })
    const exact = (await shapleyValues(made, rows[0]!, { background })).attributions
    for (const [name, each] of Object.entries(first(exact))) expect(attributions[name]!.data[0]).toBeCloseTo(each, 1)
  })

  it('follow later training, and stay unchanged', async () => {
    const made = await model()
    const before = await made.predict(rows)
    const one = await shapleyValues(made, rows[0]!)
    expect(((await made.predict(rows)) as Tensor).data).toEqual((before as Tensor).data)
    await made.fit(rows, { epochs: 3, verbose: 0 })
    const two = await shapleyValues(made, rows[0]!)
    expect(two.value.data[0]).not.toBe(one.value.data[0])
    expect(two.value.data[0]).toBeCloseTo(((await made.predict([rows[0]!])) as Tensor).data[0]!, 6)
  })

  it('of one column', async () => {
    setRandomSeed(1)
    const made = await tableModel(
      rows.map(({ sex, answer }) => ({ sex, answer })),
      { target: 'answer', print: false },
    )
    const { attributions, gap } = await shapleyValues(
      made,
      rows.slice(0, 2).map(({ sex }) => ({ sex })),
    )
    expect(Object.keys(attributions)).toEqual(['sex'])
    expect(Math.abs(gap.data[0]!)).toBeLessThan(1e-6)
  })
})

describe('models that read strings', () => {
  it('are explained by input', async () => {
    const space = new utils.FeatureSpace({ features: { size: 'floatNormalized', kind: 'stringCategorical' } })
    await space.adapt({ size: [1, 2, 3, 4], kind: ['a', 'b', 'a', 'c'] })
    const outputs = new Dense({ units: 1 }).apply(space.getEncodedFeatures())
    const made = new Model({ inputs: space.getInputs(), outputs })
    const data = { size: [1, 4], kind: ['a', 'z'] } as never
    const background = { size: [2, 3], kind: ['b', 'c'] } as never
    const { attributions, gap } = await shapleyValues(made, data, { background })
    expect(Object.keys(attributions).sort()).toEqual(['kind', 'size'])
    expect((attributions as unknown as { size: Tensor })['size'].shape).toEqual([2])
    gap.data.forEach((each: number) => expect(Math.abs(each)).toBeLessThan(1e-5))
  })

  it('are refused where their columns cannot be told apart, with what to do', async () => {
    const input = Input({ shape: [1], dtype: 'string' })
    const words = new TextVectorization({ vocabulary: ['a', 'b'], outputSequenceLength: 4 }).apply(input)
    const vectors = new Embedding({ inputDim: 5, outputDim: 2, maskZero: true }).apply(words)
    const masked = new Model({ inputs: input, outputs: new LSTM({ units: 1 }).apply(vectors) })
    await expect(shapleyValues(masked, [['a b']] as never)).rejects.toThrow(/reads a mask of it.*permutationImportance/)
    const codes = new StringLookup({ vocabulary: ['a', 'b'] }).apply(input)
    const integers = new Model({ inputs: input, outputs: new Dense({ units: 1 }).apply(ops.cast(codes, 'float32')) })
    expect((await shapleyValues(integers, [['a']] as never, { background: [['b']] as never })).value.shape).toEqual([1])
  })
})

describe('what table models refuse', () => {
  it('says what to do', async () => {
    const made = await model()
    await expect(shapleyValues(made, [])).rejects.toThrow('shapleyValues: needs at least one row')
    await expect(shapleyValues(made, rows, { background: 0 as never })).rejects.toThrow(
      'shapleyValues: background must be rows as predict takes them, received 0',
    )
    await expect(integratedGradients(made, rows, { baseline: rows.slice(0, 2) })).rejects.toThrow(
      'baseline must be one row, or one for each of the 80 explained rows, received 2',
    )
    await expect(occlusion(made, rows, { window: 2 })).rejects.toThrow(/window and stride must be left out, received 2/)
    await expect(gradCam(made, rows as never)).rejects.toThrow(/rows of a table, which have no places.*shapleyValues/)
    await expect(kernelShap(made, [{ ...rows[0], agee: 3 }])).rejects.toThrow(
      /column of TableModel.* in kernelShap, row 0.*'agee'/,
    )
    await expect(kernelShap(made, rows.slice(0, 1), { background: [{ age: 3 }] })).rejects.toThrow(
      /kernelShap: background, row 0: column 'sex' is missing/,
    )
    await expect(saliency(made, [{ ...rows[0], sex: null }])).rejects.toThrow(
      /saliency, row 0, column 'sex': the value is missing/,
    )
    const wide = Array.from({ length: 60 }, (_, i) => ({
      ...Object.fromEntries(Array.from({ length: 13 }, (_each, at) => [`c${at}`, Math.sin(i * at + i)])),
      y: i % 2,
    }))
    const many = await tableModel(wide, { target: 'y', print: false })
    await expect(shapleyValues(many, wide[0]!)).rejects.toThrow(
      `shapleyValues: takes up to 12 columns in a row, because it evaluates all coalitions, received ${Object.keys(many.table.columns).length}. Use the estimates kernelShap`,
    )
    const prices = await tableModel(
      rows.map((row, i) => ({ ...row, answer: i + 0.5 })),
      { target: 'answer', print: false },
    )
    await expect(temperatureScaling(prices, rows, 'answer')).rejects.toThrow(
      /predicts numbers, which have no confidence/,
    )
  })
})

it('importances are by column', async () => {
  const made = await model()
  const { importances } = await permutationImportance(made, rows, 'answer', { metric: 'accuracy', seed: 1 })
  expect(Object.keys(importances)).toEqual(['age', 'sex', 'born', 'city'])
  expect(importances['born']!.shape).toEqual([1])
})

it('types of both kinds of calls', () => {
  const check = async (table: TableModel, plain: Sequential): Promise<void> => {
    const ofTable = await shapleyValues(table, rows, { background: rows })
    ofTable.attributions satisfies Readonly<Record<string, Tensor>>
    const ofPlain = await shapleyValues(plain, tensor([[1]]), { background: 0 })
    ofPlain.attributions satisfies Tensor
    // @ts-expect-error a background of a table are rows
    await shapleyValues(table, rows, { background: 0 })
    // @ts-expect-error a feature of a table is the name of a column
    await partialDependence(table, rows, 0)
    // @ts-expect-error a plain model has no names of columns
    await partialDependence(plain, [[1]], 'age')
  }
  expect(check).toBeInstanceOf(Function)
})
