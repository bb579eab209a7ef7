// tableModel: from rows as people have them to a model that answers with names.
// modes: simd, relaxed, unfused

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TableModel, cloneModel, layers, loadModel, modelFromJSON, setRandomSeed } from '../../src'
import { writeKeras } from '../../src/entries/keras'
import {
  Dataset,
  describeTable,
  readCsv,
  tableModel,
  type ColumnKind,
  type TableDescription,
  type TableRow,
} from '../../src/entries/data'
import { permutationImportance } from '../../src/entries/explain'
import { economize, energyLabel, pruneUnits, quantize } from '../../src/entries/thrift'

const quiet = { print: false } as const

/** Rows with a number, a category with missing values, a date, a text, an id and a constant. */
function people(count: number): TableRow[] {
  return Array.from({ length: count }, (_, i) => ({
    id: 1000 + i,
    age: i % 7 === 3 ? null : 20 + ((i * 13) % 50),
    sex: i % 2 === 0 ? 'f' : 'm',
    city: i % 11 === 5 ? '' : ['Bern', 'Basel', 'Chur'][i % 3],
    born: `19${60 + (i % 40)}-0${1 + (i % 9)}-1${i % 10}`,
    note: `${['likes', 'hates', 'wants'][i % 3]} the number ${i} very much`,
    member: i % 5 === 0,
    country: 'CH',
    empty: null,
    answer: i % 2 === 0 ? 'no' : 'yes',
  }))
}

const kindsOf = async (rows: readonly TableRow[], target = 'y'): Promise<Record<string, ColumnKind>> =>
  Object.fromEntries((await describeTable(rows, { target })).columns.map(({ name, kind }) => [name, kind]))

describe('describeTable', () => {
  it('proposes a kind for each column', async () => {
    const proposal = await describeTable(people(60), { target: 'answer' })
    expect(proposal.task).toBe('classification')
    expect(proposal.target.classes).toEqual(['no', 'yes'])
    expect(
      proposal.columns.map(({ name, kind, missing, missingCount }) => [name, kind, missing, missingCount]),
    ).toEqual([
      ['id', 'ignore', null, 0],
      ['age', 'number', 'mask', 9],
      ['sex', 'category', null, 0],
      ['city', 'category', 'mask', 5],
      ['born', 'date', null, 0],
      ['note', 'text', null, 0],
      ['member', 'number', null, 0],
      ['country', 'ignore', null, 0],
      ['empty', 'ignore', null, 60],
    ])
    expect(String(proposal)).toMatch(
      /│ age +│ number +│ +9 │ +\d+ │ scaled to mean 0 and variance 1, missing → mean, with a mask/,
    )
    expect(String(proposal)).toMatch(/│ country .* always 'CH'/)
    expect(String(proposal)).toMatch(/│ empty .* no row has a value/)
  })

  it('knows dates, codes with leading zeros, numbers as text, ids and many categories', async () => {
    const rows = Array.from({ length: 240 }, (_, i) => ({
      when: new Date(Date.UTC(2020, 0, 1 + i)),
      stamp: Date.UTC(2020, 0, 1 + (i % 90)),
      zip: `0${1000 + (i % 20)}`,
      price: String(i % 30),
      ticket: `A${i}`,
      user_id: `u${i % 100}`,
      street: `street-${i % 80}`,
      count: i % 4,
      y: i % 9 === 0 ? 1.5 : i,
    }))
    expect(await kindsOf(rows)).toEqual({
      when: 'date',
      stamp: 'date',
      zip: 'category',
      price: 'number',
      ticket: 'ignore',
      user_id: 'ignore',
      street: 'embedding',
      count: 'number',
    })
  })

  it.each<[readonly unknown[], 'classification' | 'regression']>([
    [['a', 'b'], 'classification'],
    [[true, false], 'classification'],
    [[0, 1], 'classification'],
    [[1, 2, 3], 'classification'],
    [[3.5, 7], 'classification'],
    [[1, 2, 4], 'regression'],
    [[0.5, 1.5, 2.5], 'regression'],
  ])('reads targets %j as %s', async (values, task) => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ x: i % 7, y: values[i % values.length] }))
    expect((await describeTable(rows, { target: 'y' })).task).toBe(task)
  })

  const two = [{ x: 1, y: 0 }, { x: 2, y: 1 }] // prettier-ignore
  it.each<[readonly unknown[], object, RegExp]>([
    [[], { target: 'y' }, /the table has no rows/],
    [[1], { target: 'y' }, /row 0: expected an object/],
    [[{ x: [1], y: 1 }], { target: 'y' }, /row 0: expected an object with a single value/],
    [two, { target: 'z' }, /column in target of describeTable.*'z'/],
    [two, {}, /target/],
    [two, { target: 'y', columns: { xx: 'number' } }, /column in columns of describeTable.*'xx'.*'x'/],
    [two, { target: 'y', columns: { x: 'numbr' } }, /column 'x': the kind must be one of .*Did you mean 'number'/],
    [two, { target: 'y', columns: { y: 'number' } }, /'y' is the target/],
    [
      two,
      { target: 'y', columns: { x: { missing: 'median' } } },
      /missing must be 'mask', 'mean' or null, received 'median'/,
    ],
    [two, { target: 'y', columns: { x: 'ignore' } }, /no column is left as an input: 'x' \(as chosen\)/],
    [two, { target: 'y', columns: { x: 'date' }, kind: 1 }, /kind/],
    [
      [
        { x: 1, y: 1 },
        { x: 2, y: 1 },
      ],
      { target: 'y' },
      /'y' is 1 in all rows, so there is nothing to predict/,
    ],
    [[...two, { x: 3, y: null }], { target: 'y' }, /'y' is missing in 1 row, the first is row 2/],
    [
      [
        { x: 1, y: 'a' },
        { x: 2, y: 1 },
      ],
      { target: 'y' },
      /only one of these/,
    ],
    [
      [
        { x: 1, y: 'a' },
        { x: 2, y: 'b' },
      ],
      { target: 'y', task: 'regression' },
      /a regression needs numbers/,
    ],
    [['a', 'b', 'c', 'd'].map((y, x) => ({ x, y })), { target: 'y' }, /4 different values in 4 rows.*Is it an id/],
    [
      [
        { x: 1, y: 0 },
        { x: 'b', y: 1 },
      ],
      { target: 'y' },
      /'x' has values of several types: 1 in row 0, 'b' in row 1/,
    ],
    [
      [
        { x: '1,5', y: 0 },
        { x: '2,25', y: 1 },
      ],
      { target: 'y' },
      /'x' has decimal commas.*decimal: ','/,
    ],
    [
      [
        { x: Infinity, y: 0 },
        { x: 2, y: 1 },
      ],
      { target: 'y' },
      /'x' must be finite, received Infinity in row 0/,
    ],
    [
      [
        { x: { a: 1 }, y: 0 },
        { x: 2, y: 1 },
      ],
      { target: 'y' },
      /row 0, column 'x': expected a number, a string/,
    ],
    [
      [
        { x: 'a', y: 0 },
        { x: 'b', y: 1 },
      ],
      { target: 'y', columns: { x: 'number' } },
      /row 0, column 'x': expected a number, received 'a'/,
    ],
    [
      [
        { x: null, z: 1, y: 0 },
        { z: 2, y: 1 },
      ],
      { target: 'y', columns: { x: 'number' } },
      /column 'x' has no value/,
    ],
    [
      [
        { x: null, y: 0 },
        { x: 2, y: 1 },
        { x: 3, y: 0 },
      ],
      { target: 'y', columns: { x: { missing: null } } },
      /1 value is missing/,
    ],
    [
      [
        { x: null, y: 0 },
        { x: 2, y: 1 },
      ],
      { target: 'y' },
      /no column is left/,
    ],
  ])('refuses %j with %j in words', async (rows, options, message) => {
    await expect(describeTable(rows as never, options as never)).rejects.toThrow(message)
  })

  it('refuses pairs, batches and endless rows of a data set', async () => {
    const rows = Dataset.from(people(20))
    await expect(describeTable(rows.map((row) => [row, 1]) as never, { target: 'answer' })).rejects.toThrow(
      /row 0: expected an object.*without target/,
    )
    await expect(describeTable(Dataset.from([1, 2]) as never, { target: 'a' })).rejects.toThrow(
      /row 0: expected an object/,
    )
    const endless = Dataset.range(0, 3)
      .map((i) => ({ i, a: i }))
      .repeat()
    await expect(describeTable(endless, { target: 'a' })).rejects.toThrow(/endless/)
    await expect(describeTable(3 as never, { target: 'a' })).rejects.toThrow(
      /must be an array of objects or a data set/,
    )
  })
})

describe('tableModel', () => {
  it('goes from a CSV file to the class of one object in five lines', async () => {
    setRandomSeed(1)
    const text = readFileSync('examples/data/penguins.csv', 'utf8')
    const rows = readCsv({ text }, { missing: null })
    const model = await tableModel(rows, { target: 'species', ...quiet })
    await model.fit(rows, { epochs: 30, verbose: 0 })
    const [bird] = await rows.take(1).toArray()
    const answer = await model.predict(bird!, { labels: true })
    expect(answer).toMatchObject({ label: bird!['species'] })
    const { probabilities } = answer as { probabilities: Record<string, number> }
    expect(Object.keys(probabilities)).toEqual(['Adelie', 'Chinstrap', 'Gentoo'])
    expect(Object.values(probabilities).reduce((a, b) => a + b)).toBeCloseTo(1, 5)
    expect((await model.evaluate(rows))['accuracy']).toBeGreaterThan(0.97)
  })

  it('trains on numbers, categories, dates, texts and missing values, and is saved with all of it', async () => {
    setRandomSeed(2)
    const rows = people(80)
    const model = await tableModel(rows, { target: 'answer', ...quiet })
    expect(model).toBeInstanceOf(TableModel)
    const { history } = await model.fit(rows, { epochs: 40, verbose: 0 })
    expect(history['loss']!.at(-1)).toBeLessThan(0.2)
    const again = (await loadModel(await model.save())) as unknown as TableModel
    expect(again).toBeInstanceOf(TableModel)
    expect(again.classNames).toEqual(['no', 'yes'])
    const asked = rows.slice(0, 9)
    expect(await again.predict(asked, { labels: true })).toEqual(await model.predict(asked, { labels: true }))
    expect(await again.evaluate(rows)).toEqual(await model.evaluate(rows))
    expect((await again.predict(asked)).shape).toEqual([9, 1])
    // It goes on training.
    await again.fit(rows, { epochs: 1, verbose: 0 })
    const copy = cloneModel(model)
    copy.setWeights(model.getWeights())
    expect(await copy.predict(asked[0]!, { labels: true })).toEqual(await model.predict(asked[0]!, { labels: true }))
  })

  it('takes rows in every form', async () => {
    setRandomSeed(3)
    const rows = people(40)
    const model = await tableModel(Dataset.from(rows), { target: 'answer', hidden: [], ...quiet })
    const weights = model.getWeights()
    const once = { epochs: 1, verbose: 0, shuffle: false } as const
    const runs = [
      () => model.fit(rows, { batchSize: 40, ...once }),
      () => model.fit(rows, 'answer', { batchSize: 40, ...once }),
      () => model.fit(rows, null, { batchSize: 40, ...once }),
      () => model.fit(rows, rows.map(({ answer }) => answer as string), { batchSize: 40, ...once }), // prettier-ignore
      () => model.fit(rows, rows.map(({ answer }) => Number(answer === 'yes')), { batchSize: 40, ...once }), // prettier-ignore
      () => model.fit(Dataset.from(rows), { batchSize: 40, ...once }),
    ]
    const losses: unknown[] = []
    for (const run of runs) {
      model.setWeights(weights)
      losses.push((await run()).history['loss']![0])
    }
    expect(new Set(losses).size).toBe(1)
    const { history } = await model.fit(rows, { epochs: 1, verbose: 0, validationData: rows.slice(0, 10) })
    const pair = [rows.slice(0, 10), rows.slice(0, 10).map(({ answer }) => answer)] as never
    const second = await model.fit(rows, { epochs: 1, verbose: 0, validationData: pair })
    expect(history['valLoss']![0]).toBeGreaterThan(second.history['valLoss']![0]!)
    const one = model.predictOnBatch(rows[0]!).item()
    expect((await model.predict(rows[0]!)).item()).toBe(one)
    expect((await model.predict(Dataset.from(rows))).toArray()).toEqual((await model.predict(rows)).toArray())
    expect(model.testOnBatch(rows)['loss']).toBeCloseTo((await model.evaluate(rows, { batchSize: 40 }))['loss']!, 5)
    expect(model.trainOnBatch(rows)['loss']).toBeGreaterThan(0)
  })

  it('learns a number in its own unit, with dates and booleans', async () => {
    setRandomSeed(4)
    const rows = Array.from({ length: 120 }, (_, i) => ({
      area: 30 + ((i * 37) % 100),
      garden: i % 3 === 0,
      sold: new Date(Date.UTC(2000 + (i % 20), i % 12, 1)),
      price: 5000 * (30 + ((i * 37) % 100)) + (i % 3 === 0 ? 40_000 : 0) + 10_000 * (i % 20),
    }))
    const model = await tableModel(rows, { target: 'price', hidden: [], learningRate: 0.03, ...quiet })
    await model.fit(rows, { epochs: 200, verbose: 0 })
    const price = await model.predict({ area: 80, garden: true, sold: '2010-06-01' }, { labels: true })
    expect(Math.abs((price as number) - (400_000 + 40_000 + 100_000))).toBeLessThan(12_000)
    expect(model.classNames).toBe(null)
    expect(await model.predict(rows.slice(0, 3), { labels: true })).toHaveLength(3)
  })

  it('treats missing values as columns say', async () => {
    setRandomSeed(5)
    const rows = Array.from({ length: 60 }, (_, i) => ({
      a: i % 4 === 0 ? NaN : i % 10,
      b: i % 3,
      y: i % 4 === 0 ? 1 : 0,
    }))
    const masked = await tableModel(rows, { target: 'y', ...quiet })
    await masked.fit(rows, { epochs: 60, verbose: 0 })
    expect((await masked.evaluate(rows))['accuracy']).toBe(1)
    const mean = await tableModel(rows, {
      target: 'y',
      columns: { a: { missing: 'mean' }, b: { missing: 'mean' } },
      ...quiet,
    })
    const average = rows.filter(({ a }) => !Number.isNaN(a)).reduce((sum, { a }) => sum + a, 0) / 45
    const [filled, given] = [await mean.predict({ a: null, b: 1 }), await mean.predict({ a: average, b: 1 })]
    expect(filled.item()).toBeCloseTo(given.item(), 5)
    expect((await mean.predict({ a: undefined, b: '' })).item()).toBeGreaterThan(0)
    // An ordinary model with an optional input takes null as well.
    const plain = await masked.predict({ a: [[NaN]], b: [[1]] })
    expect(plain.item()).toBe((await masked.predict({ a: null, b: 1 })).item())
  })

  it('answers for a category that no row had as if it had none', async () => {
    setRandomSeed(6)
    const rows = Array.from({ length: 60 }, (_, i) => ({ c: 'xyz'[i % 3], y: i % 3 === 0 ? 1 : 0 }))
    const model = await tableModel(rows, { target: 'y', hidden: [], ...quiet })
    await model.fit(rows, { epochs: 20, verbose: 0 })
    const bias = model.getWeights().at(-1)!.data[0]!
    const unknown = (await model.predict({ c: 'new' })).item()
    expect(unknown).toBeCloseTo(1 / (1 + Math.exp(-bias)), 5)
  })

  it('is made of layers that anybody can change', async () => {
    const model = await tableModel(people(60), {
      target: 'answer',
      columns: { note: 'ignore', member: 'category' },
      ...quiet,
    })
    const names = new Set(model.layers.map(({ constructor }) => constructor.name))
    expect([...names].sort()).toEqual(
      ['CategoryEncoding', 'Concatenate', 'Dense', 'Dropout', 'InputLayer', 'Model', 'StringLookup'].sort(),
    )
    const inner = model.layers.flatMap((layer) => ('layers' in layer ? (layer.layers as typeof model.layers) : []))
    expect(inner.some((layer) => layer instanceof layers.DateEncoding)).toBe(true)
    const answer = model.getLayer('answer')
    expect(answer.input).toBeDefined()
    expect(Object.keys(model.input)).toEqual(['age', 'sex', 'city', 'born', 'member'])
  })

  const row = { age: 30, sex: 'f', city: 'Bern', born: '1980-01-01', note: 'a b c', member: true }
  it.each<[object, RegExp]>([
    [{ ...row, agee: 3 }, /column of TableModel.*'agee'.*'age'/],
    [{ ...row, sex: undefined }, /predict, column 'sex': the value is missing, and the table/],
    [(({ age: _, ...rest }) => rest)(row), /predict: column 'age' is missing; .*Give null/],
    [{ ...row, age: 'old' }, /predict, column 'age': expected a number, received 'old'/],
    [{ ...row, age: Infinity }, /expected a number, received Infinity/],
    [{ ...row, born: '1980-02-31' }, /column 'born': expected a date: .*received '1980-02-31'/],
    [{ ...row, note: 4 }, /column 'note': expected a text, received 4/],
    [{ ...row, city: {} }, /column 'city': expected a category/],
  ])('refuses the row %j in words', async (given, message) => {
    const model = await tableModel(people(60), { target: 'answer', hidden: [2], ...quiet })
    await expect(model.predict(given as TableRow)).rejects.toThrow(message)
  })

  it('becomes smaller, and is judged by rows of its table', async () => {
    setRandomSeed(5)
    const rows = people(80)
    const model = await tableModel(rows, { target: 'answer', hidden: [16], ...quiet })
    await model.fit(rows, { epochs: 5, verbose: 0 })
    const half = await pruneUnits(model, { keep: 0.5, by: 'taylor', x: rows })
    expect(half).toBeInstanceOf(TableModel)
    expect(half.countParams()).toBeLessThan(0.7 * model.countParams())
    const { answer: _answer, ...asked } = rows[0]!
    expect(await half.predict(asked, { labels: true })).toHaveProperty('label')
    // Without targets, too.
    const others = rows.map(({ answer: _, ...row }) => row)
    const alive = await pruneUnits(model, { dead: true, x: others })
    expect((await alive.predict(others)).data).toEqual((await model.predict(others)).data)
    expect((await quantize(model).predict(others)).shape).toEqual([80, 1])
    const { report } = await economize(model, { x: Dataset.from(rows), maxLoss: 0.5, seconds: 0.02 })
    expect(report.rows.length).toBeGreaterThan(3)
    const { figures } = await energyLabel(model, { x: rows, seconds: 0.02 })
    expect(figures.quality.value).toBeCloseTo((await model.evaluate(rows, { verbose: 0 }))['accuracy'] as number, 6)
    await expect(economize(model, { x: others, maxLoss: 0.5 })).rejects.toThrow(
      /economize, row 0, target 'answer': the value is missing/,
    )
  })

  it('tells what each column is worth', async () => {
    setRandomSeed(6)
    const rows = people(80)
    const model = await tableModel(rows, { target: 'answer', hidden: [8], learningRate: 0.03, ...quiet })
    await model.fit(rows, { epochs: 20, verbose: 0 })
    const { importances, score } = await permutationImportance(model, rows, 'answer', { metric: 'accuracy', seed: 1 })
    expect(score).toBeCloseTo((await model.evaluate(rows, { verbose: 0 }))['accuracy'] as number, 6)
    const worth = (column: string): number => importances[column]!.item()
    expect(worth('sex')).toBeGreaterThan(0.2)
    expect(worth('sex')).toBeGreaterThan(worth('age'))
  })

  it('takes columns whose names layers have as well', async () => {
    const rows = people(60).map(({ answer, sex }, i) => ({ answer, columns: sex, answer_layer: i, y: i / 7 }))
    const model = await tableModel(rows, { target: 'y', ...quiet })
    expect(await model.predict(rows[0]!, { labels: true })).toBeTypeOf('number')
    const classes = await tableModel(rows, { target: 'columns', ...quiet })
    expect(await classes.predict(rows[0]!, { labels: true })).toHaveProperty('label')
  })

  it('refuses targets in words', async () => {
    const rows = people(60)
    const model = await tableModel(rows, { target: 'answer', hidden: [2], ...quiet })
    const wrong = [...rows.slice(0, 5), { ...rows[5], answer: 'maybe' }]
    await expect(model.fit(wrong)).rejects.toThrow(
      /fit, row 5, target 'answer': expected one of \['no', 'yes'\], received 'maybe'/,
    )
    await expect(model.fit([...rows.slice(0, 2), { ...rows[2], answer: null }])).rejects.toThrow(
      /row 2, target 'answer': the value is missing/,
    )
    await expect(model.fit(rows, 'sex')).rejects.toThrow(/the target of TableModel.* is 'answer', received 'sex'/)
    await expect(model.predict(rows, { labels: 1 } as never)).rejects.toThrow(/labels must be true or false/)
    await expect(model.predict(rows, { label: true } as never)).rejects.toThrow(/label/)
  })

  it('is saved as a file of Keras with its names, unless Keras lacks a layer', async () => {
    setRandomSeed(7)
    const rows = people(60)
    const columns = { born: 'ignore' } as const
    const model = await tableModel(rows, { target: 'answer', hidden: [3], columns, ...quiet })
    await model.fit(rows, { epochs: 2, verbose: 0 })
    const again = (await loadModel(await writeKeras(model))) as unknown as TableModel
    expect(again).toBeInstanceOf(TableModel)
    expect(again.table).toEqual(model.table)
    expect(await again.predict(rows[3]!, { labels: true })).toEqual(await model.predict(rows[3]!, { labels: true }))
    await again.fit(rows, { epochs: 1, verbose: 0 })
    const dated = await tableModel(rows, { target: 'answer', hidden: [3], ...quiet })
    await expect(writeKeras(dated)).rejects.toThrow(/'born_parts': Keras has no layer that encodes dates/)
  })

  it('refuses a damaged description', async () => {
    const model = await tableModel(people(30), { target: 'answer', hidden: [2], ...quiet })
    const saved = model.toJSON()
    expect(modelFromJSON(JSON.stringify(saved))).toBeInstanceOf(TableModel)
    const table = saved.config['table'] as unknown as TableDescription
    for (const wrong of [
      null,
      { ...table, target: 3 },
      { ...table, classes: ['a'] },
      { ...table, ignored: [1] },
      { ...table, columns: { age: { kind: 'dote', optional: true } } },
      { ...table, columns: { age: { kind: 'date' } } },
    ]) {
      const text = JSON.stringify({ ...saved, config: { ...saved.config, table: wrong } })
      expect(() => modelFromJSON(text)).toThrow(/description is damaged/)
    }
  })
})
