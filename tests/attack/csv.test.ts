// CSV files that lose values in silence or take time that grows with the square of their size. ATTACK_SIZE=10 tries larger ones.
// modes: simd

import { describe, expect, it } from 'vitest'
import { DataError } from '../../src'
import { RowError, readCsv, type CsvOptions } from '../../src/entries/data'
import { processorTime } from '../helpers/processor-time'

const scale = Number(process.env['ATTACK_SIZE'] ?? 1)
const read = (text: string, options: CsvOptions = {}): Promise<unknown[]> => readCsv({ text }, options).toArray()

describe('no value changes in silence', () => {
  it.each([
    ['decimal commas', 'a;y\n1;1,5\n2;10,5\n3;2\n', { delimiter: ';' }, /numbers with decimal commas, such as '1,5'/],
    [
      'decimal points',
      'a;y\n1;1.5\n2;10.5\n',
      { delimiter: ';', decimal: ',' },
      /numbers with decimal points, such as '1\.5'/,
    ],
    [
      'thousands',
      'a;y\n1;1,234,567\n2;1,234\n',
      { delimiter: ';' },
      /numbers in another form, such as '1,234,567', which would/,
    ],
    ['units', 'a,y\n1,5%\n2,10%\n', {}, /numbers in another form, such as '5%', which would become classes/],
  ] as const)('a target of numbers with %s does not become classes', async (_, text, options, message) => {
    await expect(read(text, { ...options, target: 'y' })).rejects.toThrow(message)
    const asClasses = await read(text, { ...options, target: 'y', types: { y: 'category' } })
    expect(asClasses.length).toBeGreaterThan(1)
  })

  it('a quoted empty cell is a row, an empty line is none', async () => {
    expect(await read('a\n1\n""\n\n3\n', { missing: 0 })).toEqual([{ a: 1 }, { a: 0 }, { a: 3 }])
    expect(await read('a\n"x"\n""\n', { missing: null })).toEqual([{ a: 'x' }, { a: null }])
    await expect(read('a\n1\n""\n')).rejects.toThrow(RowError)
    const rows = await readCsv({ text: 'a\n1\n""\n3\n' }, { missing: 0, features: 'vector' }).toArray()
    expect(rows.map(([value]) => value)).toEqual([1, 0, 3])
  })

  it('identifiers of more digits than a number holds are not rounded', async () => {
    const text = 'id,y\n12345678901234567,1\n12345678901234568,2\n'
    await expect(read(text)).rejects.toThrow(/line 2, column 'id': .* has more digits than a number holds.*'string'/)
    await expect(read(text, { features: 'vector', target: 'y' })).rejects.toThrow(/more digits than a number holds/)
    expect(await read(text, { types: { id: 'string' } })).toMatchObject([
      { id: '12345678901234567' },
      { id: '12345678901234568' },
    ])
    expect(await read(text, { types: { id: 'number' } })).toMatchObject([{ id: 12345678901234568 }, {}])
    expect(await read('a,b\n9007199254740992,0.1234567890123456\n')).toEqual([{ a: 2 ** 53, b: 0.1234567890123456 }])
  })

  it('a lone carriage return joins nothing', async () => {
    const message = /line 3: a carriage return inside a line ends no row/
    for (const text of ['a\n1\n3\r4\n5\n', 'a,b\n1,2\n3,4\r5,6\n7,8\n', 'a,b\n1,2\n3\r,4\n', 'a,b\n"1",2\n3\r3,4\n'])
      for (const options of [{}, { features: 'vector' }] as const)
        await expect(read(text, options)).rejects.toThrow(message)
    const rows = readCsv({ text: 'a,b\n1,2\n3,4\r5,6\n7,8\n' }, { features: 'vector', onError: 'collect' })
    expect((await rows.toArray()).map((row) => [...row])).toEqual([
      [1, 2],
      [7, 8],
    ])
    expect(rows.errors.map(({ line }) => line)).toEqual([3])
    expect(await read('a,b\r\n1,x\r\r\n3,"y\rz"\r\n')).toEqual([
      { a: 1, b: 'x' },
      { a: 3, b: 'y\rz' },
    ])
  })

  it('a U+FEFF inside a file is the same character in all chunks', async () => {
    const bytes = new TextEncoder().encode('\ufeffa,b\nx,2\n\ufeffy,3\n')
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      )
      expect(await readCsv(chunks).toArray()).toEqual([
        { a: 'x', b: 2 },
        { a: '\ufeffy', b: 3 },
      ])
    }
  })

  it.each(['inf', '-inf', '+Inf', 'Infinity', '-INFINITY', '1e400'])(
    'an infinite number, which pandas reads, makes no column of texts: %s',
    async (cell) => {
      const text = `a,b\n1,x\n${cell},y\n3,z\n`
      await expect(read(text)).rejects.toThrow(
        `line 3, column 'a': expected a finite number, received '${cell}'. If it is an empty cell, add it to missingValues`,
      )
      const collected = readCsv({ text }, { onError: 'collect' })
      expect(await collected.toArray()).toHaveLength(2)
      expect(collected.errors.map(({ line, column }) => [line, column])).toEqual([[3, 'a']])
      expect(await read(text, { missingValues: [cell], missing: { a: 'mean' } })).toMatchObject([
        { a: 1 },
        { a: 2 },
        { a: 3 },
      ])
      expect(await read(text, { types: { a: 'string' } })).toMatchObject([{ a: '1' }, { a: cell }, { a: '3' }])
      await expect(read(text, { columns: ['a'], features: 'vector' })).rejects.toThrow('expected a finite number')
      expect(await read(`a\n${cell}\nword\n`)).toEqual([{ a: cell }, { a: 'word' }])
    },
  )

  it('a time zone has less than 24 hours and 60 minutes', async () => {
    const date = (zone: string) => read(`d\n2024-01-01T00:00:00${zone}\n`, { types: { d: 'date' } })
    for (const zone of ['+99:99', '-24:00', '+00:60']) await expect(date(zone)).rejects.toThrow(DataError)
    expect(await date('+14:00')).toEqual([{ d: Date.UTC(2023, 11, 31, 10) }])
  })
})

const list = (count: number, make: (i: number) => unknown): string[] =>
  Array.from({ length: count }, (_, i) => String(make(i)))

/** Chunks of 64 bytes. */
function* pieces(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 64) yield text.slice(at, at + 64)
}

describe('time grows with the size, not with its square', () => {
  const cases: Readonly<Record<string, readonly [size: number, run: (size: number) => Promise<unknown[]>]>> = {
    'digits of a cell': [20_000, (n) => read(`a,b\n${'1'.repeat(n)}x,2\n`)],
    columns: [20_000, (n) => read(`${list(n, (i) => `c${i}`).join(',')}\n${list(n, (i) => i % 10).join(',')}\n`)],
    'columns of a vector': [
      20_000,
      (n) => {
        const columns = list(n, (i) => `c${i}`)
        return read(`${columns.join(',')}\n${list(n, (i) => i % 10).join(',')}\n`, { columns, features: 'vector' })
      },
    ],
    'a vocabulary': [50_000, (n) => read('a\nw1\n', { vocabulary: { a: list(n, (i) => `w${i}`) } })],
    'unknown rows': [
      20_000,
      (n) => {
        const [known, unknown] = [list(n, (i) => `w${i}`), list(n, (i) => `q${i}`)]
        return read(`a\n${unknown.join('\n')}\n`, { vocabulary: { a: known }, onError: 'collect' })
      },
    ],
    'a line in small chunks': [500_000, (n) => readCsv(() => pieces(`a,b\n${'x'.repeat(n)},1\n`)).toArray()],
    'a quoted cell in small chunks': [
      500_000,
      (n) => readCsv(() => pieces(`a,b\n"${'x""'.repeat(n / 3)}",1\n`)).toArray(),
    ],
    'quotes inside a cell': [500_000, (n) => readCsv(() => pieces(`a,b\n${'x"'.repeat(n / 2)},1\n`)).toArray()],
    'misplaced quotes': [
      10_000,
      (n) => read(`a,b\n${'"x"y,1\n'.repeat(n)}`, { types: { a: 'string' }, onError: 'collect' }),
    ],
  }
  it.each(Object.entries(cases))('%s', async (_, [size, run]) => {
    const time = async (count: number): Promise<number> => {
      const start = processorTime()
      await run(count)
      return processorTime() - start
    }
    await run(100)
    const small = await time(size * scale)
    const large = await time(4 * size * scale)
    // Processor time: four times for four times the size, or sixteen times if it grew with the square. Short times are noise; with the
    // square, these would be half a minute and more.
    expect(large).toBeLessThan(Math.max(10 * small, 5000 * scale))
  })
})
