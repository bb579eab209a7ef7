// Lines of numbers, read by the kernels of assembly/csv.ts: equal to the plain reader, for any lines and any chunks.
// modes: simd

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Tensor } from '../../src'
import { readCsv } from '../../src/entries/data'
import { LineKernel, survey } from '../../src/data/readers/csv/kernel'
import { END } from '../../src/data/samples/source'
import { withoutKernels } from '../helpers/without-kernels'

const encoder = new TextEncoder()

/** Text in chunks of `length` bytes. */
function* pieces(content: string, length: number): Generator<Uint8Array> {
  const bytes = encoder.encode(content)
  for (let at = 0; at < bytes.length; at += length) yield bytes.slice(at, at + length)
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `c${i}`)

/** The plain reader: one record at a time, by way of text. */
async function plainly(content: string, width: number): Promise<number[][]> {
  const types = Object.fromEntries(names(width).map((name) => [name, 'number'] as const))
  const rows = await readCsv({ text: content }, { header: names(width), types }).toArray()
  return rows.map((row) => names(width).map((name) => Math.fround(row[name] as number)))
}

/** The lines that the kernel reads, up to the first that it leaves to the caller. */
function byKernel(content: string, width: number, delimiter = ','): number[][] {
  const kernel = LineKernel.make({
    delimiter: delimiter.charCodeAt(0),
    slots: Int32Array.from({ length: width }, (_, i) => i),
    featureCount: width,
    targetCount: 0,
  })!
  kernel.load([encoder.encode(content)])
  const rows: number[][] = []
  for (;;) {
    const { count, features } = kernel.scan(3)
    if (count === 0) return rows
    for (let i = 0; i < count; i++) rows.push([...features.subarray(i * width, (i + 1) * width)])
  }
}

const fewDigits = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 999 })).map(String)
const manyDigits = fc.oneof(
  fewDigits,
  fc.integer({ min: -99_999, max: 99_999 }).map(String),
  fc
    .tuple(fc.integer({ min: 0, max: 999_999_999 }), fc.integer({ min: 0, max: 9 }))
    .map(([whole, places]) => (whole / 10 ** places).toFixed(places)),
  fc.constantFrom('0', '-0', '1.', '.5', '-.25', '007', '999999999999999', '0.00000000000001', '-123456789.012345'),
)

describe('the kernel', () => {
  it('reads cells of few digits, of any width', () => {
    const table = fc
      .integer({ min: 1, max: 70 })
      .chain((width) =>
        fc.array(fc.array(fewDigits, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      )
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, end, isEnded) => {
        const content = rows.map((row) => row.join(',')).join(end) + (isEnded ? end : '')
        expect(byKernel(content, rows[0]!.length)).toEqual(rows.map((row) => row.map(Number)))
      }),
      { numRuns: 500 },
    )
  })

  it('reads numbers of up to fifteen digits, rounded like Number()', () => {
    const table = fc
      .integer({ min: 1, max: 12 })
      .chain((width) =>
        fc.array(fc.array(manyDigits, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      )
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';', '\t', ':'), (rows, delimiter) => {
        const content = rows.map((row) => row.join(delimiter)).join('\n')
        expect(byKernel(content, rows[0]!.length, delimiter)).toEqual(
          rows.map((row) => row.map((cell) => Math.fround(Number(cell)))),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('leaves all other lines to the caller, and reports where the first begins', () => {
    const others = [
      '1,2',
      '1,2,3,4',
      '1,,3',
      ',2,3',
      '1,2,',
      '1,a,3',
      '1,2,3 ',
      ' 1,2,3',
      '1e3,2,3',
      '+1,2,3',
      '1.2.3,2,3',
      '-,2,3',
      '.,2,3',
      '--1,2,3',
      '1234567890123456,2,3',
      '1,2;3',
      '1,"2",3',
      '1,2,3\r\r',
      '1,2\n3',
    ]
    for (const other of others) {
      for (const before of ['', '4,5,6\n', '4,5,6\n7,8,9\n1,22,333\n']) {
        const kernel = LineKernel.make({
          delimiter: 44,
          slots: Int32Array.of(0, 1, 2),
          featureCount: 3,
          targetCount: 0,
        })!
        kernel.load([encoder.encode(`${before}${other}\n1,1,1\n`)])
        expect(kernel.scan(100).count, other).toBe(before.split('\n').length - 1)
        expect(kernel.position).toBe(before.length)
        expect(kernel.scan(100).count, other).toBe(0)
        kernel.position = before.length + other.length + 1
        expect([...kernel.scan(100).features]).toEqual([1, 1, 1])
      }
    }
  })

  it('does not read digits of the line before', () => {
    // Lines start at every offset within 16 bytes, after digits.
    for (let length = 1; length < 40; length++)
      expect(byKernel(`${'9,'.repeat(length)}9\n${'1,'.repeat(length)}1\n`, length + 1)[1]).toEqual(
        Array.from({ length: length + 1 }, () => 1),
      )
  })

  it('puts columns at their indices, and skips unused ones', () => {
    const kernel = LineKernel.make({
      delimiter: 44,
      slots: Int32Array.of(2, -2, -1, 0, 1, -3),
      featureCount: 3,
      targetCount: 2,
    })!
    for (const [line, features, targets] of [
      ['1,2,3,4,5,6', [4, 5, 1], [2, 6]],
      ['1.5,2000000001,x y,4,5,-6', [4, 5, 1.5], [2_000_000_001, -6]],
    ] as const) {
      kernel.load([encoder.encode(line.slice(0, 4)), encoder.encode(line.slice(4))])
      const read = kernel.scan(1)
      expect([...read.features]).toEqual(features)
      expect([...read.targets]).toEqual(targets)
    }
  })

  it('is not used if the delimiter may be part of a number', () => {
    for (const delimiter of '0.-+')
      expect(
        LineKernel.make({
          delimiter: delimiter.charCodeAt(0),
          slots: Int32Array.of(0),
          featureCount: 1,
          targetCount: 0,
        }),
      ).toBeNull()
  })

  it('counts lines and detects a quote at any position', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = encoder.encode('a\n'.repeat(70).slice(0, length))
      expect(survey(bytes, 34)).toEqual({ lines: Math.floor(length / 2), isQuoted: false })
      for (let at = 0; at < length; at++)
        expect(
          survey(
            bytes.map((byte, i) => (i === at ? 34 : byte)),
            34,
          )!.isQuoted,
        ).toBe(true)
    }
  })
})

describe('batches of lines', () => {
  const cell = fc.oneof(
    { weight: 8, arbitrary: fewDigits },
    { weight: 2, arbitrary: manyDigits },
    { weight: 1, arbitrary: fc.constantFrom(' 5 ', '+3', '1e3', '12345678901234567890', '"7"', '"1"') },
  )
  const table = fc
    .integer({ min: 1, max: 8 })
    .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 40 }))

  it('equal the stacked elements, wherever chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
        async (rows, length, size, end) => {
          const content = rows.map((row) => row.join(',')).join(end)
          const width = rows[0]!.length
          const expected = await plainly(content, width)
          expect(expected).toHaveLength(rows.length)
          const types = Object.fromEntries(names(width).map((name) => [name, 'number'] as const))
          const vectors = readCsv(() => pieces(content, length), { header: names(width), types, features: 'vector' })
          expect((await vectors.toArray()).map((row) => [...row])).toEqual(expected)
          const batches = await vectors.batch(size).toArray()
          const stacked = await vectors
            .map((row) => row)
            .batch(size)
            .toArray()
          expect(batches.map((batch) => [batch.shape, batch.dtype, [...batch.data]])).toEqual(
            stacked.map((batch) => [batch.shape, batch.dtype, [...batch.data]]),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('have one or several targets, and drop the remainder on request', async () => {
    const content = Array.from({ length: 10 }, (_, i) => `${i},${i / 4},${-i}`).join('\n')
    for (const target of ['b', ['c', 'a']] as const) {
      const rows = readCsv({ text: content }, { header: ['a', 'b', 'c'], target, features: 'vector' })
      for (const dropRemainder of [false, true]) {
        const flat = (batches: readonly unknown[]) =>
          batches.map((batch) =>
            (batch as readonly Tensor[]).map(({ shape, dtype, data }) => [shape, dtype, [...data]]),
          )
        const expected = flat(
          await rows
            .map((row) => row)
            .batch(4, { dropRemainder })
            .toArray(),
        )
        expect(flat(await rows.batch(4, { dropRemainder }).toArray())).toEqual(expected)
        expect(expected).toHaveLength(dropRemainder ? 2 : 3)
      }
    }
  })

  it('skip bad lines, and report them', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => (i % 50 === 7 ? `${i},x` : i % 50 === 9 ? String(i) : `${i},1`))
    const rows = readCsv(() => pieces(lines.join('\n'), 333), {
      header: ['a', 'b'],
      types: { a: 'number', b: 'number' },
      features: 'vector',
      onError: 'collect',
    })
    const batches = await rows.batch(64).toArray()
    expect(batches.flatMap((batch) => [...batch.data].filter((_, i) => i % 2 === 0))).toEqual(
      lines.flatMap((line, i) => (line.endsWith(',1') ? [i] : [])),
    )
    expect(rows.errors.map(({ line }) => line)).toEqual(
      lines.flatMap((line, i) => (line.endsWith(',1') ? [] : [i + 1])),
    )
    const strict = readCsv(
      { text: lines.join('\n') },
      { header: ['a', 'b'], types: { a: 'number', b: 'number' }, features: 'vector' },
    )
    await expect(strict.batch(64).toArray()).rejects.toThrow(/line 8, column 'b'/)
  })

  it('lend their memory to a later batch once they are given back, and not before', async () => {
    const rows = readCsv({ text: '1\n2\n3\n4\n5\n6\n7' }, { header: ['a'], features: 'vector' }).batch(2)
    const cursor = rows.open(0)
    const next = async (): Promise<Tensor> => {
      const batch = await cursor.next()
      if (batch === END) throw new Error('there is none')
      return batch as unknown as Tensor
    }
    const [first, second] = [await next(), await next()]
    expect([[...first.data], [...second.data]]).toEqual([
      [1, 2],
      [3, 4],
    ])
    cursor.recycle!(first as never)
    const third = await next()
    expect(third.data).toBe(first.data)
    expect([[...second.data], [...third.data], [...(await next()).data]]).toEqual([[3, 4], [5, 6], [7]])
    await cursor.close()
  })

  it('continue where a pass is resumed', async () => {
    const rows = readCsv(
      { text: Array.from({ length: 100 }, (_, i) => `${i}`).join('\n') },
      { header: ['a'], features: 'vector' },
    ).batch(8)
    const iterator = rows.iterator()
    for (let i = 0; i < 5; i++) await iterator.next()
    const { value } = await rows.iterator(iterator.state).next()
    expect([...value!.data]).toEqual([40, 41, 42, 43, 44, 45, 46, 47])
    await iterator.return()
  })

  it('are the same in two concurrent passes', async () => {
    const content = Array.from({ length: 3000 }, (_, i) => `${i % 1000},${i % 7}`).join('\n')
    const rows = readCsv(() => pieces(content, 1000), { header: ['a', 'b'], features: 'vector' })
    const [left, right] = await Promise.all([rows.batch(32).toArray(), rows.batch(100).unbatch().toArray()])
    expect(left.flatMap((batch) => [...batch.data])).toEqual(right.flatMap((row) => [...(row as Tensor).data]))
    // Later passes use the same kernels again.
    expect((await rows.batch(32).toArray()).flatMap((batch) => [...batch.data])).toEqual(
      left.flatMap((batch) => [...batch.data]),
    )
  })

  it('are read without the kernels if the engine cannot run them', async () => {
    await withoutKernels(async (plain) => {
      const content = Array.from({ length: 200 }, (_, i) => `${i},${i / 8}`).join('\n')
      const batches = await plain
        .readCsv({ text: content }, { header: ['a', 'b'], features: 'vector' })
        .batch(50)
        .toArray()
      expect(batches.flatMap((batch) => [...batch.data])).toEqual(
        Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? i / 2 : (i - 1) / 16)),
      )
    })
  })
})
