// Rows as objects for models with named inputs: the same results as columns, and errors that name row and column.
// modes: simd
import { describe, expect, it } from 'vitest'
import {
  ArgumentError,
  Concatenate,
  DataError,
  Dense,
  Embedding,
  Flatten,
  Input,
  Model,
  ShapeError,
  StringLookup,
  loadModel,
  setRandomSeed,
  tensor,
} from '../../src'
import { typed } from '../../src/core/tree'
import { Dataset } from '../../src/entries/data'
import { errorOf, expectError, weightsOf } from '../helpers/training'

const COUNT = 12
const SEXES = ['f', 'm', 'x']
const rows = Array.from({ length: COUNT }, (_, i) => ({
  age: (i * 7) % 30,
  sex: SEXES[i % 3]!,
  zone: i % 4,
  place: [Math.sin(i), Math.cos(i)],
  member: i % 2 === 0,
}))
const columns = {
  age: rows.map(({ age }) => age),
  sex: rows.map(({ sex }) => sex),
  zone: rows.map(({ zone }) => zone),
  place: rows.map(({ place }) => place),
  member: rows.map(({ member }) => Number(member)),
}
const price = rows.map(({ age }, i) => age / 30 + (i % 3))
const priced = rows.map((row, i) => ({ ...row, price: price[i]! }))
const quiet = { verbose: 0, shuffle: false, epochs: 2, batchSize: 5 } as const

function inputs() {
  return {
    age: Input({ shape: [1], name: 'age' }),
    sex: Input({ shape: [], dtype: 'string', name: 'sex' }),
    zone: Input({ shape: [1], dtype: 'int32', name: 'zone' }),
    place: Input({ shape: [2], name: 'place' }),
    member: Input({ shape: [1], name: 'member' }),
  }
}

function trunkOf({ age, sex, zone, place, member }: ReturnType<typeof inputs>) {
  const oneHot = new StringLookup({ vocabulary: SEXES, outputMode: 'oneHot' }).apply(sex)
  const embedded = new Flatten().apply(new Embedding({ inputDim: 4, outputDim: 2 }).apply(zone))
  return new Concatenate().apply([age, oneHot, embedded, place, member])
}

function table() {
  setRandomSeed(3)
  const x = inputs()
  const hidden = new Dense({ units: 4, activation: 'tanh' }).apply(trunkOf(x))
  const model = new Model({ inputs: x, outputs: new Dense({ units: 1 }).apply(hidden) })
  model.compile({ optimizer: 'adam', loss: 'mse' })
  return model
}

function twoOutputs() {
  setRandomSeed(4)
  const x = inputs()
  const trunk = trunkOf(x)
  const outputs = {
    price: new Dense({ units: 1 }).apply(trunk),
    kind: new Dense({ units: 3, activation: 'softmax' }).apply(trunk),
  }
  const model = new Model({ inputs: x, outputs })
  model.compile({ optimizer: 'adam', loss: { price: 'mse', kind: 'crossentropy' } })
  return model
}

describe('rows as objects give the results of columns', () => {
  it('in fit, evaluate and predict', async () => {
    const [a, b] = [table(), table()]
    const byColumns = await a.fit(columns, price, { ...quiet, validationSplit: 0.25 })
    const byRows = await b.fit(rows, price, { ...quiet, validationSplit: 0.25 })
    expect(byRows.history).toEqual(byColumns.history)
    expect(weightsOf(b)).toEqual(weightsOf(a))
    expect(await b.evaluate(rows, price, { verbose: 0 })).toEqual(await a.evaluate(columns, price, { verbose: 0 }))
    const predicted = (await a.predict(columns)).toArray<number[][]>()
    expect((await b.predict(rows)).toArray()).toEqual(predicted)
    expect(b.predictOnBatch(rows).toArray()).toEqual(a.predictOnBatch(columns).toArray())
    // A row alone is a batch of one.
    for (const [i, row] of rows.entries()) {
      const one = await b.predict(row)
      expect(one.shape).toEqual([1, 1])
      expect(one.toArray<number[][]>()[0]![0]).toBeCloseTo(predicted[i]![0]!, 5)
      expect(b.predictOnBatch(row).toArray()).toEqual(one.toArray())
    }
  })

  it('in single steps', () => {
    const [a, b] = [table(), table()]
    expect(b.trainOnBatch(rows, price)).toEqual(a.trainOnBatch(columns, price))
    expect(b.trainOnBatch(priced, 'price')).toEqual(a.trainOnBatch(columns, price))
    expect(b.testOnBatch(priced, 'price')).toEqual(a.testOnBatch(columns, price))
    expect(b.trainOnBatch(rows[0]!, 7)).toEqual(a.trainOnBatch([rows[0]!], [7]))
    const one = { ...rows[1]!, price: 2 }
    expect(b.trainOnBatch(one, 'price')).toEqual(a.trainOnBatch([rows[1]!], [2]))
    expect(weightsOf(b)).toEqual(weightsOf(a))
  })

  it('with the target beside, by its key', async () => {
    const [a, b] = [table(), table()]
    await a.fit(columns, price, { ...quiet, validationData: [columns, price] })
    const { history } = await b.fit(priced, 'price', { ...quiet, validationData: [priced, 'price'] })
    expect(history['val_loss'] ?? history['valLoss']).toHaveLength(2)
    expect(weightsOf(b)).toEqual(weightsOf(a))
    expect(await b.evaluate(priced, 'price', { verbose: 0 })).toEqual(await a.evaluate(columns, price, { verbose: 0 }))
    // A boolean is 0 or 1, and a key may be input and target.
    const [c, d] = [table(), table()]
    await c.fit(columns, columns.member, quiet)
    await d.fit(rows, 'member', quiet)
    expect(weightsOf(d)).toEqual(weightsOf(c))
  })

  it('with several targets', async () => {
    const kind = rows.map((_, i) => i % 3)
    const [a, ...others] = Array.from({ length: 4 }, () => twoOutputs())
    await a!.fit(columns, { price, kind }, quiet)
    const all = priced.map((row, i) => ({ ...row, kind: kind[i]! }))
    await others[0]!.fit(all, ['price', 'kind'], quiet)
    await others[1]!.fit(all, { kind: 'kind', price: 'price' }, quiet)
    await others[2]!.fit(
      rows,
      price.map((each, i) => ({ price: each, kind: kind[i]! })),
      quiet,
    )
    for (const other of others) expect(weightsOf(other)).toEqual(weightsOf(a!))
  })

  it('with keys in any order, typed arrays, tensors and lists of one', () => {
    const model = table()
    const expected = model.predictOnBatch(columns).toArray()
    const turned = rows.map(({ age, sex, zone, place, member }) => ({ member, place, zone, sex, age }))
    expect(model.predictOnBatch(turned).toArray()).toEqual(expected)
    const shaped = rows.map(({ age, sex, zone, place, member }) => ({
      age: [age],
      sex: [sex],
      zone: tensor([zone], [1], 'int32'),
      place: zone % 2 === 0 ? Float32Array.from(place) : tensor(place),
      member: tensor([member]),
    }))
    expect(model.predictOnBatch(shaped).toArray()).toEqual(expected)
    expect(model.predictOnBatch(shaped[3]!).shape).toEqual([1, 1])
    const mixed = rows.map((row, i) => (i % 2 === 0 ? row : { ...row, age: [row.age], member: Number(row.member) }))
    expect(model.predictOnBatch(mixed).toArray()).toEqual(expected)
  })

  it('keeps large integers, and numbers beside booleans', () => {
    const big = Input({ shape: [], dtype: 'int32' })
    const flag = Input({ shape: [2] })
    const model = new Model({ inputs: { big, flag }, outputs: { big, flag } })
    const out = model.predictOnBatch([
      { big: 2147483647, flag: [true, false] },
      { big: 16777217, flag: [5, 7] },
    ])
    expect(out.big.toArray()).toEqual([2147483647, 16777217])
    expect(out.flag.toArray()).toEqual([[1, 0], [5, 7]]) // prettier-ignore
  })

  it('for inputs in a list, one input, and records in records', async () => {
    const [a, b] = [Input({ shape: [1], name: 'a' }), Input({ shape: [2], name: 'b' })]
    const list = new Model({ inputs: [a, b], outputs: new Concatenate().apply([a, b]) })
    const given = [
      { a: 1, b: [2, 3] },
      { b: [5, 6], a: 4 },
    ]
    expect(list.predictOnBatch(given).toArray()).toEqual([[1, 2, 3], [4, 5, 6]]) // prettier-ignore
    const one = typed<Model>(new Model({ inputs: a, outputs: a }))
    for (let pass = 0; pass < 2; pass++) {
      expect(one.predictOnBatch([{ a: 1 }, { a: 2 }]).toArray()).toEqual([[1], [2]])
      expect(one.predictOnBatch([[1], [2]]).toArray()).toEqual([[1], [2]])
      expect(one.predictOnBatch({ a: 3 }).toArray()).toEqual([[3]])
      expect(one.predictOnBatch({ a: [3, 4] }).toArray()).toEqual([[3], [4]])
    }
    const deep = new Model({ inputs: { at: { a, b } }, outputs: new Concatenate().apply([b, a]) })
    expect(deep.predictOnBatch(given.map((at) => ({ at }))).toArray()).toEqual([[2, 3, 1], [5, 6, 4]]) // prettier-ignore
    expect(deep.predictOnBatch({ at: given[0]! }).toArray()).toEqual([[2, 3, 1]])
    await expectError(
      typed<Model>(deep),
      () => deep.predictOnBatch(typed([{ at: given[0] }, { at: { a: null, b: [1, 2] } }])),
      DataError,
      /^x, row 1, column 'at\.a': the value is missing/,
    )
  })

  it('for a loaded model', async () => {
    const model = table()
    const loaded = typed<Model>(await loadModel(await model.save()))
    expect((await loaded.predict(rows)).toArray()).toEqual((await model.predict(columns)).toArray())
  })

  it('in data sets', async () => {
    const [a, b, c] = [table(), table(), table()]
    await a.fit(columns, price, quiet)
    const data = Dataset.from(priced).map(({ price: y, ...x }): [typeof x, number] => [x, y])
    await b.fit(data.batch(5), { epochs: 2, verbose: 0 })
    expect(weightsOf(b)).toEqual(weightsOf(a))
    const parts = [priced.slice(0, 5), priced.slice(5, 10), priced.slice(10)]
    await c.fit(
      typed(() => parts.map((part) => [part, 'price'])),
      { epochs: 2, verbose: 0 },
    )
    expect(weightsOf(c)).toEqual(weightsOf(a))
    const expected = (await a.predict(columns)).toArray()
    expect((await a.predict(Dataset.from(rows).batch(5))).toArray()).toEqual(expected)
    // A batch may be a list of rows, also of one, two or three.
    for (const size of [1, 2, 3, 4]) {
      const lists = Array.from({ length: COUNT / size }, (_, i) => rows.slice(i * size, (i + 1) * size))
      const predicted = (await a.predict(typed(() => lists))).toArray<number[][]>()
      predicted.forEach(([each], i) => expect(each).toBeCloseTo(typed<number[][]>(expected)[i]![0]!, 5))
      expect(predicted).toHaveLength(COUNT)
    }
    // A data set without batches is read row by row.
    expect((await a.predict(typed(Dataset.from(rows)))).shape).toEqual([COUNT, 1])
  })
})

describe('errors name row and column', () => {
  const wrong = (change: object | null | undefined | number, at = 2): unknown[] =>
    rows.map((row, i) =>
      i !== at ? row : typeof change === 'object' && change !== null ? { ...row, ...change } : change,
    )
  const without = (key: keyof (typeof rows)[number]): unknown[] =>
    rows.map((row, i) => (i === 2 ? Object.fromEntries(Object.entries(row).filter(([own]) => own !== key)) : row))

  it.each<[string, unknown, typeof DataError | typeof ArgumentError | typeof ShapeError, RegExp]>([
    ['a missing key', without('sex'), ArgumentError, /^x, row 2: 'sex' is missing; the row has \{ age, zone, place/],
    ['a surplus key', priced, ArgumentError, /^x, row 0: 'price' is not one of \{ age, sex, .*fit\(rows, 'price'\)/],
    ['a surplus key later', wrong({ id: 7 }), ArgumentError, /^x, row 2: 'id' is not one of/],
    ['null', wrong({ age: null }), DataError, /^x, row 2, column 'age': the value is missing, received null/],
    [
      'undefined',
      wrong({ sex: undefined }),
      DataError,
      /^x, row 2, column 'sex': the value is missing, received undef/,
    ],
    ['NaN', wrong({ age: Number.NaN }), DataError, /^x\.age: .*received NaN in row 2/],
    ['NaN in a list', wrong({ place: [0, Infinity] }), DataError, /^x\.place: .*received Infinity in row 2, element 1/],
    ['digits', wrong({ age: '33' }), DataError, /^x, row 2, column 'age': expected a number, received '33'/],
    ['a number as text', wrong({ sex: 1 }), DataError, /^x, row 2, column 'sex': expected a string, received 1/],
    ['a boolean as text', wrong({ sex: true }), DataError, /^x, row 2, column 'sex': expected a string, received true/],
    ['a fraction for an integer', wrong({ zone: 1.5 }), DataError, /^x\.zone: .*integer, received 1\.5 in row 2/],
    [
      'a date',
      wrong({ age: new Date(0) }),
      DataError,
      /^x, row 2, column 'age': expected a number, received an object/,
    ],
    ['a bigint', wrong({ age: 3n }), DataError, /^x, row 2, column 'age': expected a number, received 3/],
    [
      'an object',
      wrong({ age: { years: 3 } }),
      DataError,
      /^x, row 2, column 'age': expected a number, received an obj/,
    ],
    [
      'a list for a number',
      wrong({ age: [1, 2] }),
      ShapeError,
      /^x, row 2, column 'age': expected .* \[1\], received \[2\]/,
    ],
    [
      'a number for a list',
      wrong({ place: 3 }),
      ShapeError,
      /^x, row 2, column 'place': expected .* \[2\], received \[\]/,
    ],
    ['a short list', wrong({ place: [1] }), ShapeError, /^x, row 2, column 'place': expected .* \[2\], received \[1\]/],
    ['an empty list', wrong({ age: [] }), ShapeError, /^x, row 2, column 'age': expected .* \[1\], received \[0\]/],
    ['a ragged list', wrong({ place: [[1], 2] }), DataError, /^x, row 2, column 'place': the nested arrays are ragged/],
    [
      'text in a list',
      wrong({ place: [1, 'a'] }),
      DataError,
      /^x, row 2, column 'place': element \[1\] must be a number/,
    ],
    [
      'null in a list',
      wrong({ place: [1, null] }),
      DataError,
      /^x, row 2, column 'place': element \[1\] must be a number/,
    ],
    ['null in place of a row', wrong(null), DataError, /^x, row 2: expected a plain object \{ age, .*received null/],
    ['null as the first row', wrong(null, 0), DataError, /^x, row 0: expected a plain object/],
    ['a number in place of a row', wrong(5), DataError, /^x, row 2: expected a plain object .*received 5/],
    ['a list in place of a row', [rows[0], [1, 2]], DataError, /^x, row 1: expected a plain object/],
    ['an inherited key', [Object.create({ age: 1 })], DataError, /^x, row 0: expected a plain object/],
    [
      'a hole',
      Object.assign([...rows], { length: COUNT + 1 }),
      DataError,
      /^x, row 12: expected a plain object .*undefined/,
    ],
    ['one object with a missing key', { age: 3, sex: 'f' }, ArgumentError, /^x, row 0: 'zone' is missing/],
    ['one object with null', { ...rows[0], sex: null }, DataError, /^x, row 0, column 'sex': the value is missing/],
  ])('%s', async (_title, data, kind, message) => {
    const model = table()
    const target = Array.isArray(data) ? data.map(() => 0) : 0
    await expectError(model, () => model.predict(typed(data)), kind, message)
    await expectError(model, () => model.fit(typed(data), typed(target), quiet), kind, message)
  })

  it('in targets and validation data', async () => {
    const model = table()
    const broken = priced.map((row, i) => (i === 3 ? { ...row, price: null } : row))
    const refuse = (action: () => unknown, kind: typeof DataError | typeof ArgumentError, message: RegExp) =>
      expectError(model, action, kind, message)
    const named = /^y, row 3, column 'price': the value is missing/
    await refuse(() => model.fit(broken, 'price', quiet), DataError, named)
    const late = /^validationData\[1\], row 3, column 'price'/
    await refuse(() => model.fit(rows, price, { ...quiet, validationData: [broken, 'price'] }), DataError, late)
    await refuse(() => model.fit(priced, 'cost', quiet), ArgumentError, /'price' is not one of/)
    await refuse(() => model.fit(rows, 'cost', quiet), ArgumentError, /^y, row 0: 'cost' is missing/)
    await refuse(() => model.evaluate(rows, price.slice(1), { verbose: 0 }), ShapeError, /same number of rows/)
    await refuse(() => model.fit(typed([]), typed([]), quiet), ArgumentError, /^x: expected an object/)
  })
})

it('keys of any name are columns', async () => {
  const names = ['constructor', 'toString', 'length', 'a.b', '']
  const model = new Model(
    typed<{ inputs: Record<string, ReturnType<typeof Input>>; outputs: ReturnType<typeof Input> }>(
      (() => {
        const x = Object.fromEntries(names.map((name, i) => [name, Input({ shape: [1], name: `input${i}` })]))
        return { inputs: x, outputs: new Concatenate().apply(Object.values(x)) }
      })(),
    ),
  )
  const row = Object.fromEntries(names.map((name, i) => [name, i]))
  expect(model.predictOnBatch([row, row]).toArray()).toEqual([[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]) // prettier-ignore
  expect(await errorOf(() => model.predictOnBatch([{}, {}]))).toBeInstanceOf(ArgumentError)
})

it('odd rows are an error of this library, or give what columns give', () => {
  const model = table()
  // No list of lists: a column may have an axis of one more.
  const odd: unknown[] = [0, -1, 1.5, 3e9, '', 'f', '3', true, null, undefined, Number.NaN, [], [0], ['f'], [1, 2]]
  odd.push(
    {},
    { a: 1 },
    new Date(),
    new Map(),
    3n,
    Symbol('s'),
    () => 1,
    tensor([1]),
    tensor([1, 2]),
    new Float32Array(2),
  )
  let seed = 1
  const next = (most: number): number => (seed = (seed * 48271) % 2147483647) % most
  let [errors, answers] = [0, 0]
  for (let trial = 0; trial < 600; trial++) {
    const given = rows.slice(0, 1 + next(4)).map((row): Record<string, unknown> => ({ ...row }))
    for (let change = next(3); change >= 0; change--) {
      const row = given[next(given.length)]!
      const key = Object.keys(columns)[next(5)]!
      row[key] = odd[next(odd.length)]
    }
    const isOne = trial % 2 === 1 && given.length === 1
    let expected: unknown = null
    try {
      const flat = Object.fromEntries(Object.keys(columns).map((key) => [key, given.map((row) => row[key])]))
      expected = model.predictOnBatch(typed(flat)).toArray()
    } catch {}
    try {
      const found = model.predictOnBatch(typed(isOne ? given[0] : given))
      answers++
      expect(found.shape).toEqual([given.length, 1])
      if (expected !== null && given.every(({ member }) => typeof member !== 'boolean'))
        expect(found.toArray()).toEqual(expected)
    } catch (error) {
      errors++
      expect(
        [DataError, ShapeError, ArgumentError].some((kind) => error instanceof kind),
        String(error),
      ).toBe(true)
      if (!isOne) expect(expected, String(error)).toBeNull()
    }
  }
  expect(errors).toBeGreaterThan(50)
  expect(answers).toBeGreaterThan(50)
})

it('types name the columns', () => {
  const model = table()
  void (() => {
    // @ts-expect-error -- sex is missing
    void model.predict([{ age: 1, zone: 1, place: [1, 2], member: true }])
    // @ts-expect-error -- a date is not a value
    void model.predict([{ ...rows[0]!, age: new Date() }])
    void model.predict(rows[0]!)
    void model.fit(priced, 'price', { epochs: 1 })
    void model.fit([{ age: 1, sex: 'f', zone: 1, place: [1, 2], member: true, price: 3 }], 'price')
    // @ts-expect-error -- sex is missing
    void model.fit([{ age: 1, zone: 1, place: [1, 2], member: true, price: 3 }], 'price')
    // @ts-expect-error -- one output has one target
    void model.fit(priced, { price: 'price' })
    void twoOutputs().fit(priced, { price: 'price' })
    void twoOutputs().fit(priced, ['price', 'kind'], { validationData: [priced, ['price', 'kind']] })
    // @ts-expect-error -- no output has this name
    void twoOutputs().fit(priced, { cost: 'price' })
  })
  expect(model.inputs).toHaveLength(5)
})
