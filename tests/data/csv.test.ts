// readCsv: the values of cells, that every row comes once for any chunks, and the reports of bad rows.
// modes: simd

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as fc from 'fast-check'
import Papa from 'papaparse'
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest'
import { ArgumentError, DataError, Dense, Sequential, StringLookup, type Tensor } from '../../src'
import { Dataset, RowError, readCsv, type CsvOptions, type DateParts } from '../../src/entries/data'
import { cellsOf } from '../../src/data/readers/csv/cells'

const folder = mkdtempSync(join(tmpdir(), 'myelin-csv-'))
afterAll(() => rmSync(folder, { recursive: true }))

const flats =
  'rooms,area,kind,since,note\n2,50.5,old,2001-02-03,a\n3,70,new,2020-12-31,"b, ""c"""\n1,30,old,1999-01-01,"two\nlines"\n'
const types = { kind: 'category' } as const

/** Bytes in pieces of `length`. */
const pieces = (content: string, length: number) => () => {
  const bytes = new TextEncoder().encode(content)
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) => bytes.slice(i * length, (i + 1) * length))
}

const failure = async (work: Promise<unknown>): Promise<RowError> => {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(DataError)
  return error as RowError
}

describe('sources', () => {
  const path = join(folder, 'flats.csv')
  writeFileSync(path, flats)
  const content = { text: flats }
  it.each<[string, Parameters<typeof readCsv>[0]]>([
    ['a path', path],
    ['a URL of a file', new URL(`file://${path}`)],
    ['a URL', `data:text/csv,${encodeURIComponent(flats)}`],
    ['a Blob', new Blob([flats])],
    ['text', content],
    ['bytes', new TextEncoder().encode(flats)],
    ['a function that makes a Node stream', () => Readable.from([flats.slice(0, 20), flats.slice(20)])],
    ['a function that makes a web stream', () => new Blob([flats]).stream()],
    ['a function that returns a promise', async () => content],
  ])('%s, twice', async (_, source) => {
    const rows = readCsv(source, { types })
    const expected = [
      { rooms: 2, area: 50.5, kind: 1, since: Date.UTC(2001, 1, 3), note: 'a' },
      { rooms: 3, area: 70, kind: 0, since: Date.UTC(2020, 11, 31), note: 'b, "c"' },
      { rooms: 1, area: 30, kind: 1, since: Date.UTC(1999, 0, 1), note: 'two\nlines' },
    ]
    expect(await rows.toArray()).toEqual(expected)
    expect(await rows.toArray()).toEqual(expected)
    expect(await rows.schema()).toEqual({
      columns: [
        { name: 'rooms', type: 'number' },
        { name: 'area', type: 'number' },
        { name: 'kind', type: 'category' },
        { name: 'since', type: 'date' },
        { name: 'note', type: 'string' },
      ],
      vocabulary: { kind: ['new', 'old'] },
      means: {},
    })
  })

  it('a one-shot stream, if nothing must be learnt first', async () => {
    const once = () => Readable.from([flats])
    expect(await readCsv(once(), { types: { kind: 'string' } }).toArray()).toHaveLength(3)
    expect(await readCsv(once(), { vocabulary: { kind: ['old', 'new'] } }).toArray()).toMatchObject([
      { kind: 0 },
      { kind: 1 },
      { kind: 0 },
    ])
    expect((await failure(readCsv(once(), { types }).toArray())).message).toMatch(/already read.*Give a function/)
  })

  it('two readers at once', async () => {
    const rows = readCsv(path, { types, missing: 'mean' })
    const [a, b] = await Promise.all([rows.toArray(), rows.toArray()])
    expect(a).toHaveLength(3)
    expect(a).toEqual(b)
  })

  it('refuses content instead of a path, and values without bytes', async () => {
    expect(() => readCsv(flats)).toThrow(/pass \{ text: … \}/)
    for (const wrong of [3, null, { a: 1 }]) expect(() => readCsv(wrong as never)).toThrow(ArgumentError)
    expect(() => readCsv(['one.csv', 'two.csv'])).toThrow(/have no line end, received \['one\.csv', 'two\.csv'\]/)
    await expect(readCsv(join(folder, 'none.csv')).toArray()).rejects.toThrow(/none\.csv/)
    await failure(readCsv({ text: '' }).toArray())
    await failure(readCsv(() => [Uint8Array.of(0xff, 0xfe, 65, 0)]).toArray())
  })

  it('closes the file, also when a pass ends early or fails', async () => {
    let open = 0
    const source = () =>
      (async function* () {
        open++
        try {
          for (const piece of pieces('a,b\n1,2\n3,x\n'.repeat(1), 4)()) yield piece
        } finally {
          open--
        }
      })()
    const rows = readCsv(source, { types: { b: 'number' } })
    for await (const row of rows) {
      expect(row).toEqual({ a: 1, b: 2 })
      break
    }
    expect(open).toBe(0)
    await failure(rows.toArray())
    expect(open).toBe(0)
  })
})

describe('file formats', () => {
  const read = (text: string, options = {}) => readCsv({ text }, options).toArray()

  it('header, delimiter, byte order mark, line endings, empty lines', async () => {
    expect(await read('1;2\n3;4', { header: ['a', 'b'], delimiter: ';' })).toEqual([
      { a: 1, b: 2 },
      { a: 3, b: 4 },
    ])
    expect(await read('1\t2\r\n\r\n3\t4\r\n', { header: false, delimiter: '\t' })).toEqual([
      { 0: 1, 1: 2 },
      { 0: 3, 1: 4 },
    ])
    expect(await read('\ufeff a ,b\n\n1,"x\r\ny"\r\n')).toEqual([{ a: 1, b: 'x\r\ny' }])
    expect(await read('"a"\n"1"\n')).toEqual([{ a: 1 }])
    expect(await read('a,b\n')).toEqual([])
    for (const delimiter of [',', '|', '\t', '^', 'b', ']', '\\', '-', '.']) {
      const text = ['x,y', '1,5" pipe', '2,"c', 'd"', '3,"e', '']
        .join('\r\n')
        .replaceAll(',', delimiter)
        .replace(`3${delimiter}"e`, `3${delimiter}"e"`)
      expect(await read(text, { delimiter })).toEqual([
        { x: 1, y: '5" pipe' },
        { x: 2, y: 'c\r\nd' },
        { x: 3, y: 'e' },
      ])
    }
    expect(await read('a,b\n1,5" pipe\n2,c')).toEqual([
      { a: 1, b: '5" pipe' },
      { a: 2, b: 'c' },
    ])
  })

  it('other encodings', async () => {
    const source = () => [Uint8Array.of(97, 10, 0xe4, 10)]
    expect(await readCsv(source, { encoding: 'windows-1252' }).toArray()).toEqual([{ a: 'ä' }])
    expect(await failure(readCsv(source).toArray())).toMatchObject({
      line: 2,
      message: expect.stringMatching(/not utf-8/),
    })
    expect(() => readCsv(source, { encoding: 'rot13' })).toThrow(/rot13/)
    expect(() => readCsv(source, { encoding: 'utf-16le' })).toThrow(/lines of 'utf-16le' cannot be separated/)
  })

  it('refuses lines that end in a lone carriage return', async () => {
    expect((await failure(read('a,b\r1,2\r3,4\r'))).message).toMatch(/the text: its lines end in carriage returns only/)
  })

  it('columns may have the names of Object.prototype', async () => {
    expect(await read('constructor,toString,__proto__\n1,2,x\n')).toEqual([
      Object.fromEntries([
        ['constructor', 1],
        ['toString', 2],
        ['__proto__', 'x'],
      ]),
    ])
    expect(
      await read('constructor,toString\n1,2\n3,\n', { types: { constructor: 'string' }, missing: { toString: 7 } }),
    ).toEqual([
      { constructor: '1', toString: 2 },
      { constructor: '3', toString: 7 },
    ])
    expect(await read('valueOf,hasOwnProperty\n1,2\n', { missing: { valueOf: 0 }, features: 'vector' })).toEqual([
      Float32Array.of(1, 2),
    ])
  })

  it('numbers that a vector cannot represent', async () => {
    const text = 'a,b\n1,2\n3,1e39\n'
    expect(await read(text)).toEqual([
      { a: 1, b: 2 },
      { a: 3, b: 1e39 },
    ])
    for (const target of [null, 'b']) {
      for (const rows of [
        read(text, { features: 'vector', target }),
        readCsv({ text }, { features: 'vector', target }).batch(2).toArray(),
        read(text.replace('3', '"3"'), { features: 'vector', target }),
      ]) {
        expect(await failure(rows)).toMatchObject({
          line: 3,
          column: 'b',
          value: '1e39',
          message: expect.stringMatching(/float32 can hold/),
        })
      }
    }
  })

  it('columns, a target, several', async () => {
    expect(await read(flats, { columns: ['area', 'rooms'] })).toEqual([
      { area: 50.5, rooms: 2 },
      { area: 70, rooms: 3 },
      { area: 30, rooms: 1 },
    ])
    expect(await read(flats, { columns: ['area'], target: 'kind' })).toEqual([
      [{ area: 50.5 }, 1],
      [{ area: 70 }, 0],
      [{ area: 30 }, 1],
    ])
    expect(await read('a,b,c\n1,2,3', { target: ['c', 'a'] })).toEqual([[{ b: 2 }, { c: 3, a: 1 }]])
    expect(await read('a,b,c\n1,2,3', { target: ['c', 'a'], features: 'vector' })).toEqual([
      [Float32Array.of(2), Float32Array.of(3, 1)],
    ])
    expect(await read('a,k,d\n1,x,1970-01-01T00:00:01\n.5,w,1970-01-02', { features: 'vector' })).toEqual([
      Float32Array.of(1, 1, 1000),
      Float32Array.of(0.5, 0, 86_400_000),
    ])
  })

  it('dates: with a zone, in parts, impossible', async () => {
    expect(await read('d\n2024-02-29T12:30:15+02:00\n2024-02-29 10:30:15.250Z')).toEqual([
      { d: Date.UTC(2024, 1, 29, 10, 30, 15) },
      { d: Date.UTC(2024, 1, 29, 10, 30, 15, 250) },
    ])
    const parts = { year: 2024, month: 2, day: 29, weekday: 4, hour: 12, minute: 30, second: 15 }
    expect(await read('d\n2024-02-29T12:30:15', { dates: 'parts' })).toEqual([{ d: parts }])
    expect(await read('d,y\n2024-02-29T12:30:15,1', { dates: 'parts', features: 'vector', target: 'y' })).toEqual([
      [Float32Array.from(Object.values(parts)), 1],
    ])
    for (const wrong of ['2023-02-29', '2024-13-01', '2024-01-01T24:00', 'May'])
      await expect(read(`d\n${wrong}`, { types: { d: 'date' } })).rejects.toThrow(/expected a date/)
  })

  it('missing cells', async () => {
    const text = 'a,k\n1,x\n,y\n3,\n'
    expect(await failure(read(text, { types: { k: 'category' } }))).toMatchObject({ line: 3, column: 'a', value: '' })
    expect(await read(text, { missing: 'drop' })).toEqual([{ a: 1, k: 'x' }])
    expect(await read(text, { missing: 'mean' })).toEqual([
      { a: 1, k: 'x' },
      { a: 2, k: 'y' },
      { a: 3, k: '' },
    ])
    expect(await read(text, { missing: { a: -1, k: 'none' }, types: { k: 'category' } })).toEqual([
      { a: 1, k: 1 },
      { a: -1, k: 2 },
      { a: 3, k: 0 },
    ])
    expect(await read(text, { missing: { a: 'mean', k: 'drop' }, features: 'vector' })).toEqual([
      Float32Array.of(1, 0),
      Float32Array.of(1, 1),
    ])
    expect(await read('a,b\n-9,1\n4,2', { missingValues: ['-9'], missing: 0, features: 'vector' })).toEqual([
      Float32Array.of(0, 1),
      Float32Array.of(4, 2),
    ])
    await failure(read('a,b\n,1', { missing: 'mean' }))
  })

  it('missing cells, when a setting for all columns does not fit one of them', async () => {
    const cases: [string, CsvOptions, string][] = [
      [
        'd,b\n2020-01-01,1\n,2\n',
        { missing: 'mean' },
        "the text, line 3, column 'd': is missing, and a date has no mean. Set missing by column, { 'd': … }, to 'drop' or a date such as 2024-05-31",
      ],
      ['d,b\n2020-01-01,1\n,2\n', { missing: 'none' }, "is missing, and 'none' is not a date."],
      [
        'a,b\n1,1\n,2\n',
        { missing: 'median' },
        "column 'a': is missing, and 'median' is not a number. Set missing by column, { 'a': … }, to 'drop', 'mean' or a number",
      ],
      [
        'k,b\nx,1\n,2\n',
        { missing: 'mean', types: { k: 'category' } },
        "is missing, and a category has no mean. Set missing by column, { 'k': … }, to 'drop' or the name of a class",
      ],
      ['k,b\nx,1\n,2\n', { missing: 0, types: { k: 'category' } }, 'is missing, and 0 is not the name of a class.'],
      ['a,b\n1,1\n,2\n', {}, "column 'a': is missing. Set missing: 'drop', 'mean' or a number"],
      ['d,b\n2020-01-01,1\n,2\n', {}, "column 'd': is missing. Set missing: 'drop' or a date such as 2024-05-31"],
    ]
    for (const [text, options, message] of cases)
      expect((await failure(read(text, options))).message).toContain(message)
    expect(await read('d,b\n2020-01-01,1\n,2\n', { missing: '2020-01-02' })).toMatchObject([
      { b: 1 },
      { d: Date.UTC(2020, 0, 2) },
    ])
  })

  it('a target is not imputed, unless `missing` names its column', async () => {
    const source = { text: 'a,y\n,1\n3,\n5,2\n' }
    await expect(readCsv(source, { missing: 'mean', target: 'y' }).toArray()).rejects.toThrow(
      "column 'y': is missing, and the values of a target are not invented. Set missing by column, { 'y': … }",
    )
    await expect(readCsv(source, { missing: 0, target: 'y', features: 'vector' }).toArray()).rejects.toThrow(
      'not invented',
    )
    expect(await readCsv(source, { missing: 'drop', target: 'y' }).toArray()).toEqual([[{ a: 5 }, 2]])
    expect(await readCsv(source, { missing: { a: 'mean', y: 'drop' }, target: 'y' }).toArray()).toEqual([
      [{ a: 5 }, 1],
      [{ a: 5 }, 2],
    ])
    expect(await readCsv(source, { missing: { a: 0, y: 5 }, target: 'y' }).toArray()).toEqual([
      [{ a: 0 }, 1],
      [{ a: 3 }, 5],
      [{ a: 5 }, 2],
    ])
  })

  it('means are learnt once, and replace empty cells of other files', async () => {
    const train = readCsv({ text: 'a,b,k,y\n1,5,x,1\n,,,2\n3,,z,7\n' }, { missing: 'mean', target: 'y' })
    const { means } = await train.schema()
    expect(means).toEqual({ a: 2, b: 5 })
    expect(await readCsv({ text: 'a,b,y\n,40,0\n100,,0\n' }, { missing: means, target: 'y' }).toArray()).toEqual([
      [{ a: 2, b: 40 }, 0],
      [{ a: 100, b: 5 }, 0],
    ])
    // New rows without a known target.
    expect(await readCsv({ text: 'a,b\n,7\n' }, { missing: means, features: 'vector' }).toArray()).toEqual([
      Float32Array.of(2, 7),
    ])
    expect((await readCsv({ text: 'a,b\n1,\n3,4\n' }, { missing: { a: 'mean', b: 0 } }).schema()).means).toEqual({
      a: 2,
    })
  })

  it('new classes are text, which StringLookup encodes', async () => {
    const lookup = new StringLookup({ vocabulary: ['x', 'y'] })
    const rows = readCsv({ text: 'k,a\ny,1\nq,2\n' }, { types: { k: 'string' } })
    const [numbers] = await rows
      .batch(2)
      .map(({ k }) => lookup.apply(k as never).toArray())
      .toArray()
    expect(numbers).toEqual([2, 0])
  })

  it('types of dates follow their conversion', async () => {
    const text = 'd,y\n1970-01-02,1\n'
    const date = { types: { d: 'date' } } as const
    const first = async <T>(rows: Dataset<T>): Promise<T> => (await rows.toArray())[0]!
    const parts = (await first(readCsv({ text }, { ...date, dates: 'parts' }))).d
    expectTypeOf(parts).toEqualTypeOf<DateParts>()
    expect(parts.day).toBe(2)
    const [, target] = await first(readCsv({ text }, { ...date, target: 'd', dates: 'parts' }))
    expectTypeOf(target).toEqualTypeOf<DateParts>()
    const said = (await first(readCsv({ text }, { ...date, dates: 'milliseconds' }))).d
    const left = (await first(readCsv({ text }, date))).d
    expectTypeOf(said).toEqualTypeOf<number>()
    expectTypeOf(left).toEqualTypeOf<number>()
    expect([said, left]).toEqual([86_400_000, 86_400_000])
    const either = 'parts' as 'milliseconds' | 'parts'
    expectTypeOf((await first(readCsv({ text }, { ...date, dates: either }))).d).toEqualTypeOf<number | DateParts>()
  })

  it('trains a model', async () => {
    const rows = readCsv(
      {
        text: `a,b,kind\n${Array.from({ length: 64 }, (_, i) => `${i % 7},${i % 3},${i % 7 > 3 ? 'high' : 'low'}`).join('\n')}`,
      },
      { features: 'vector', target: 'kind' },
    )
    const batches = await rows.batch(64).toArray()
    expect((batches[0] as unknown as Tensor[]).map(({ shape }) => shape)).toEqual([[64, 2], [64]])
    const model = new Sequential([new Dense({ units: 1, activation: 'sigmoid', inputShape: [2] })])
    model.compile({ loss: 'binaryCrossentropy' })
    const [x, y] = batches[0] as unknown as [Tensor, Tensor]
    expect(model.trainOnBatch(x, y).loss).toBeGreaterThan(0)
  })
})

it('records that a model with one input cannot take raise an error with advice', async () => {
  const text = 'rooms,area,rent\n1,2,3\n'
  for (const shape of [{ inputShape: [2] }, {}]) {
    const model = new Sequential([new Dense({ units: 1, ...shape })])
    model.compile({ loss: 'meanSquaredError' })
    const refused = model.fit(readCsv({ text }, { target: 'rent' }).batch(1) as never, { verbose: 0 })
    await expect(refused).rejects.toThrow(ArgumentError)
    await expect(refused).rejects.toThrow(
      /^fit, batch 0: x: expected .*rooms.* If these are columns, make one array of them: features: 'vector' of readCsv, or \.map/,
    )
    await model.fit(readCsv({ text }, { target: 'rent', features: 'vector' }).batch(1), { verbose: 0 })
  }
})

describe('errors', () => {
  const text = 'a,kind\n1,x\n\n2,"y\nz"\nthree,x\n4\n5,x,x\n6,q\n'
  const vocabulary = { kind: ['x', 'y\nz'] }

  it.each<[string, string, object, Partial<RowError> & { message?: unknown }]>([
    [
      'a word instead of a number',
      text,
      { types: { a: 'number' }, vocabulary },
      {
        file: 'the text',
        line: 6,
        column: 'a',
        value: 'three',
        message: "the text, line 6, column 'a': expected a number, received 'three'",
      },
    ],
    [
      'a missing cell',
      'a,b\n1,2\n4\n',
      {},
      { line: 3, column: null, message: 'the text, line 3: expected 2 cells, received 1' },
    ],
    [
      'an extra cell',
      'a,b\n1,2\n4,5,6\n',
      { features: 'vector' },
      { line: 3, message: 'the text, line 3: expected 2 cells, received 3' },
    ],
    [
      'a word in a vector',
      'a,b\n1,2\n4,five\n',
      { features: 'vector', types: { b: 'number' } },
      { line: 3, column: 'b', value: 'five' },
    ],
    [
      'an unknown class',
      'k\nred\ngren\n',
      { vocabulary: { k: ['red', 'green'] } },
      {
        line: 3,
        column: 'k',
        value: 'gren',
        message: expect.stringMatching(
          /Is it 'green'\? If new classes can occur, set types: \{ 'k': 'string' \} and number the texts with StringLookup/,
        ),
      },
    ],
    [
      'an unclosed quote',
      'a,b\n1,"2\n3,4\n',
      {},
      { line: 2, message: 'the text, line 2: a quote is opened and not closed' },
    ],
    [
      'characters after a quote',
      'a,b\n1,2\n3,"4"5\n6,"7"\n',
      {},
      { line: 3, message: expect.stringMatching(/quote is in the wrong place/) },
    ],
    ['an invalid number', 'a\n1\n0x10\n', { types: { a: 'number' } }, { line: 3, value: '0x10' }],
    ['a number too large', 'a\n1\n1e999\n', { types: { a: 'number' } }, { line: 3, value: '1e999' }],
  ])('%s', async (_, content, options, expected) => {
    const error = await failure(readCsv({ text: content }, options).toArray())
    expect(error).toBeInstanceOf(RowError)
    expect(error).toMatchObject(expected)
  })

  it('are collected, and the rest is read', async () => {
    const rows = readCsv({ text }, { types: { a: 'number' }, vocabulary, onError: 'collect' })
    for (let pass = 0; pass < 2; pass++) {
      expect(await rows.toArray()).toEqual([
        { a: 1, kind: 0 },
        { a: 2, kind: 1 },
      ])
      expect(rows.errors.map(({ line, column }) => [line, column])).toEqual([
        [6, 'a'],
        [7, null],
        [8, null],
        [9, 'kind'],
      ])
    }
    const broken = readCsv({ text: 'a,b\n1,"2"x\n3,"4"\n5,6\n' }, { onError: 'collect' })
    expect(await broken.toArray()).toEqual([
      { a: 3, b: 4 },
      { a: 5, b: 6 },
    ])
    expect(broken.errors.map(({ line }) => line)).toEqual([2])
    const learnt = readCsv(
      { text: 'a,k\n1,z\nb,y\n2,x\n' },
      { types: { a: 'number', k: 'category' }, onError: 'collect' },
    )
    expect(await learnt.toArray()).toEqual([
      { a: 1, k: 1 },
      { a: 2, k: 0 },
    ])
    expect(learnt.errors).toHaveLength(1)
  })

  it('column names, and options that conflict', async () => {
    const unknown: CsvOptions[] = [
      { columns: ['b', 'x'] },
      { types: { x: 'number' } },
      { target: 'x' },
      { missing: { x: 1 } },
      { vocabulary: { x: [] } },
    ]
    for (const options of unknown) {
      await expect(readCsv({ text: 'a,b\n1,2' }, options).toArray()).rejects.toThrow(
        /Unknown column of the text in .*'x'/,
      )
    }
    const refused: [string, object, RegExp][] = [
      ['a,a\n1,2', {}, /two columns are called 'a'/],
      ['a,b\n1,2', { target: ['a', 'b'] }, /no column is left/],
      ['a,b\n1,x', { features: 'vector', types: { b: 'string' } }, /column 'b' is text/],
      ['a,b\n1,2', { columns: ['a', 'a'] }, /columns has 'a' twice/],
      ['a,b\n1,x', { vocabulary: { b: ['x', 'x'] } }, /vocabulary 'b' has 'x' twice/],
      ['a,b\n1,2001-01-01', { target: 'b', features: 'vector', dates: 'parts' }, /cannot be the target 'b'/],
      ['a,b\n1,x', { missing: { b: 'mean' } }, /missing 'b': a text has no mean. Use 'error', 'drop' or a text/],
      [
        'a,b\n1,x',
        { missing: { a: 'none' } },
        /missing 'a': 'none' is not a number. Use 'error', 'drop', 'mean' or a number/,
      ],
      ['a,b\n1,x', { missing: { b: 0 } }, /missing 'b': 0 is not a text/],
      ['a,b\n1,x', { missing: { b: 0 }, types: { b: 'category' } }, /missing 'b': 0 is not the name of a class/],
      [
        'a,b\n1,2020-01-01',
        { missing: { b: 'none' } },
        /missing 'b': 'none' is not a date. Use 'error', 'drop' or a date such as/,
      ],
      ['a,b\n1,x', { vocabulary: { a: ['1'] }, types: { a: 'number' } }, /is for a column of type category/],
    ]
    for (const [content, options, message] of refused)
      await expect(readCsv({ text: content }, options).toArray()).rejects.toThrow(message)
    expect(() => readCsv({ text: '' }, { delimiter: '"' })).toThrow(ArgumentError)
    expect(() => readCsv({ text: '' }, { target: [] })).toThrow(/received an empty list/)
    expect(() => readCsv({ text: '' }, { heder: true } as object)).toThrow(/Did you mean 'header'/)
    expect(() => readCsv({ text: '' }, { missing: { a: [1] } } as object)).toThrow(ArgumentError)
  })

  it('an endless row is refused before it fills the memory', async () => {
    const endless = () =>
      (function* () {
        yield 'a,b\n1,"'
        for (;;) yield 'x'.repeat(1 << 20)
      })()
    expect((await failure(readCsv(endless).toArray())).message).toMatch(
      /line 2: a quote is opened and not closed, or a row must be at most 16777216 bytes long/,
    )
  })
})

describe('cells', () => {
  const piece = fc.constantFrom('a', '"', '""', ',', ';', '\n', '\t', ' ', '\u00a0', '"b"', '",', '"\n', '7', 'é')

  it('are those of Papa Parse, and quotes are wrong where it says so', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.constantFrom(',', ';', '\t', ' '), (pieces, delimiter) => {
        // Without the line end, Papa Parse refuses spaces between the last quote and the end.
        const content = `${pieces.join('')}\n`
        const isQuoted = content.includes('"')
        const { rows, fault } = cellsOf(content, delimiter, isQuoted)
        const expected = Papa.parse<string[]>(content, { delimiter, newline: '\n', fastMode: !isQuoted })
        expect(fault === null).toBe(expected.errors.length === 0)
        if (fault === null) expect(rows).toEqual(expected.data)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['"a', 'a quote is opened and not closed'],
    ['"a"b,c', 'characters follow the quote that ends a cell'],
  ])('%s: %s', (content, fault) => expect(cellsOf(content, ',', true).fault).toBe(fault))
})

it('reads only as far as needed', async () => {
  let given = 0
  const endless = () =>
    (function* () {
      yield 'a,b\n'
      for (;;) {
        given++
        yield '1,2\n'.repeat(1000)
      }
    })()
  const rows = readCsv(endless, { features: 'vector' })
  for (const count of [1, 10_000, 100_000]) {
    given = 0
    expect(await rows.take(count).toArray()).toHaveLength(count)
    expect(given).toBeLessThanOrEqual(Math.ceil(count / 1000) + 2)
  }
})

describe('every row once', () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', 'é', ' ', '7') })
  const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 })

  it('of text, cut anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, length, newline) => {
          const content = Papa.unparse(
            rows.map((row) => [...row]),
            { quotes: true, newline },
          )
          const read = await readCsv(pieces(content, length), {
            header: ['a', 'b', 'c'],
            types: { a: 'string', b: 'string', c: 'string' },
          }).toArray()
          expect(read.map((row) => Object.values(row))).toEqual(rows)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('of numbers, as a vector and as a record', async () => {
    const number = fc.oneof(
      fc.integer({ min: -300, max: 300 }),
      fc.double({ noNaN: true, min: -3.4e38, max: 3.4e38 }),
      fc.constantFrom('', ' 5 ', '1.', '.25', '+3', '-0', '12345678901234567890', '0.1234567890123456789'),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(number, number, fc.integer()), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 40 }),
        fc.boolean(),
        async (rows, length, isQuoted) => {
          const content = rows
            .map((row) => row.map((value) => (isQuoted ? `"${value}"` : String(value))).join(','))
            .join('\n')
          const options = {
            header: ['a', 'b', 'y'],
            target: 'y',
            missing: -1,
            types: { a: 'number', b: 'number', y: 'number' },
          } as const
          const records = await readCsv(pieces(content, length), options).toArray()
          const vectors = await readCsv(pieces(content, length), { ...options, features: 'vector' }).toArray()
          expect(records).toHaveLength(rows.length)
          expect(vectors).toEqual(records.map(([{ a, b }, y]) => [Float32Array.of(a as number, b as number), y]))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('in every order of a dataset', async () => {
    const content = Array.from({ length: 5000 }, (_, i) => `${i},${i % 10}`).join('\n')
    const rows = readCsv(pieces(content, 777), { header: ['x', 'y'], features: 'vector', target: 'y' })
    const shuffled = await rows.shuffle(1000, { seed: 1 }).toArray()
    expect(shuffled.map(([x]) => x[0]!).sort((a, b) => a - b)).toEqual(Array.from({ length: 5000 }, (_, i) => i))
    expect(rows).toBeInstanceOf(Dataset)
  })
})

it('a column of numbers with a few other cells becomes text only with a warning', async () => {
  const rows = (cell: string) => ({
    text: `a,y\n${Array.from({ length: 50 }, (_, i) => `${i === 7 ? cell : i},1`).join('\n')}`,
  })
  const known = await readCsv(rows('NA'), { target: 'y', missing: 'mean', features: 'vector' }).take(2).toArray()
  expect([...known[1]![0]]).toEqual([1])
  await expect(readCsv(rows('x'), { target: 'y' }).toArray()).rejects.toThrow(
    /column 'a' of .* begins with 49 numbers and 1 other cells, such as 'x'/,
  )
  expect(await readCsv(rows('x'), { target: 'y', types: { a: 'string' } }).toArray()).toHaveLength(50)
})

describe('decimal commas and other delimiters', () => {
  const readText = (text: string, options: CsvOptions): Promise<unknown> => readCsv({ text }, options).toArray()
  const german = 'name;price\nBrot;1.234,5\nTee;-0,25\nSalz;3\n'

  it('are read as told', async () => {
    expect(await readText(german, { delimiter: ';', decimal: ',' })).toEqual([
      { name: 'Brot', price: 1234.5 },
      { name: 'Tee', price: -0.25 },
      { name: 'Salz', price: 3 },
    ])
    const vectors = readCsv({ text: german }, { delimiter: ';', decimal: ',', features: 'vector', columns: ['price'] })
    expect((await vectors.toArray()).map(([x]) => x)).toEqual([1234.5, -0.25, 3])
    const batch = await vectors.batch(3).toArray()
    expect(batch[0]!.toArray()).toEqual([[1234.5], [-0.25], [3]])
    const filled = readCsv({ text: 'a;b\n1,5;1\n;2\n2,5;3\n' }, { delimiter: ';', decimal: ',', missing: 'mean' })
    expect((await filled.toArray()).map(({ a }) => a)).toEqual([1.5, 2, 2.5])
  })

  it.each([
    [german, {}, /the first line has one column, 'name;price'.*semicolons.*delimiter: ';', and decimal: ','/],
    ['a\tb\n1\t2\n', {}, /delimited by tabs\? Then set delimiter: '\\t'\.$/],
    ['p;q\n1.234,5;1\n3;2\n', { delimiter: ';' }, /column 'p' .*decimal commas, such as '1\.234,5'/],
    ['a;b\n1,5;x\n2,25;y\n', { delimiter: ';' }, /column 'a' .*decimal commas, such as '1,5'\. Set decimal: ','/],
    [
      'a;b\n1,5;x\n',
      { delimiter: ';', types: { a: 'number' } },
      /expected a number, received '1,5'\. Set decimal: ','/,
    ],
    [
      'a;b\n1.5;x\n2,5;y\n',
      { delimiter: ';', decimal: ',', types: { a: 'number' } },
      /received '1\.5'\. Set decimal: '\.'/,
    ],
    ['a;b\n1.5;x\n', { delimiter: ';', decimal: ';' }, /decimal/],
  ])('are refused in words: %j with %j', async (text, options, message) => {
    await expect((async () => readCsv({ text }, options as never).toArray())()).rejects.toThrow(message)
  })

  it('stay text if a type says so', async () => {
    expect(await readText('a;b\n1,5;x\n', { delimiter: ';', types: { a: 'string' } })).toEqual([{ a: '1,5', b: 'x' }])
  })
})

describe('missing: null', () => {
  const text = 'n,s,d,c\n1,x,2020-01-01,p\n,,,\nNA,NA,NA,q\n'

  it('leaves cells empty', async () => {
    const types = { c: 'category' } as const
    expect(await readCsv({ text }, { missing: null, types }).toArray()).toEqual([
      { n: 1, s: 'x', d: Date.UTC(2020, 0, 1), c: 0 },
      { n: null, s: null, d: null, c: null },
      { n: null, s: null, d: null, c: 1 },
    ])
    const some = readCsv({ text }, { missing: { n: null, s: '?', d: 'drop' }, columns: ['n', 's'] })
    await expect(some.toArray()).resolves.toEqual([{ n: 1, s: 'x' }, { n: null, s: '?' }, { n: null, s: '?' }]) // prettier-ignore
  })

  it('is refused for targets without a value, and for vectors', async () => {
    await expect(readCsv({ text }, { missing: null, target: 'n' }).toArray()).rejects.toThrow(/column 'n': is missing/)
    await expect(readCsv({ text }, { missing: null, features: 'vector', columns: ['n'] }).toArray()).rejects.toThrow(
      /missing of column 'n' is null, which has no place in a vector/,
    )
  })
})
