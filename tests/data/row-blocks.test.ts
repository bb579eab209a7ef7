// Rows in blocks: any pipeline has the elements, batches, errors and positions that it has row by row.
// modes: simd

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Dense, Sequential, setRandomSeed, tensor, type Tensor } from '../../src'
import { threefry2x32 } from '../../src/core/threefry'
import { Dataset, readCsv } from '../../src/entries/data'
import { shuffled } from '../../src/data/cursors'
import { rowsOf, type Block, type RowFormat } from '../../src/data/samples/row-block'
import { END } from '../../src/data/samples/source'

const encoder = new TextEncoder()

/** Text in chunks of `length` bytes. */
function* pieces(content: string, length: number): Generator<Uint8Array> {
  const bytes = encoder.encode(content)
  for (let at = 0; at < bytes.length; at += length) yield bytes.slice(at, at + length)
}

/** Numbers in all the ways in which a file is read: by kernels, by plain code, as text, as quoted text. */
const cell = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -999, max: 999 }).map(String) },
  { weight: 3, arbitrary: fc.integer({ min: -99_999, max: 99_999 }).map((each) => (each / 1000).toFixed(3)) },
  { weight: 1, arbitrary: fc.constantFrom('1e3', ' 7', '"8"', '123456789.12345678') },
)

const FEATURES = ['a', 'b', 'c']

interface Content {
  readonly text: string
  readonly chunk: number
  readonly target: string | readonly string[] | null
}

const content = (width: number): fc.Arbitrary<Content> =>
  fc.record({
    text: fc
      .array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 40 })
      .map((rows) => [FEATURES.slice(0, width).join(), ...rows.map((row) => row.join())].join('\n')),
    chunk: fc.integer({ min: 1, max: 400 }),
    target: fc.constantFrom<string | readonly string[] | null>(null, 'a', ['a'], width > 2 ? ['a', 'b'] : ['a']),
  })

function csvOf({ text, chunk, target }: Content): Dataset<unknown> {
  const types = Object.fromEntries(
    text
      .split('\n')[0]!
      .split(',')
      .map((name) => [name, 'number'] as const),
  )
  return readCsv(() => pieces(text, chunk), {
    features: 'vector',
    types,
    ...(target === null ? {} : { target }),
  } as const) as Dataset<unknown>
}

const trees: Readonly<Record<string, (size: number) => unknown>> = {
  numbers: (size) => Float32Array.from({ length: size }, (_, i) => i / 3),
  integers: (size) => Int32Array.from({ length: size }, (_, i) => i * 7),
  rows: (size) => tensor(Array.from({ length: size }, (_, i) => [i, -i, i / 7])),
  record: (size) => ({
    x: tensor(Array.from({ length: size }, (_, i) => [[i], [1 / (i + 1)]])),
    isOdd: Array.from({ length: size }, (_, i) => i % 2 === 1),
    name: Array.from({ length: size }, (_, i) => `n${i}`),
  }),
  pair: (size) => [
    tensor(Array.from({ length: size }, (_, i) => [i, i])),
    Int32Array.from({ length: size }, (_, i) => i),
  ],
}

/** Each makes a data set whose rows are in blocks. */
const source: fc.Arbitrary<() => Dataset<unknown>> = fc.oneof(
  content(3).map((each) => () => csvOf(each)),
  content(2).map((each) => () => csvOf(each)),
  fc.record({ kind: fc.constantFrom(...Object.keys(trees)), size: fc.integer({ min: 1, max: 40 }) }).map(
    ({ kind, size }) =>
      () =>
        Dataset.fromTensorSlices(trees[kind]!(size)) as Dataset<unknown>,
  ),
)

type Stage = (rows: Dataset<unknown>) => Dataset<unknown>

const few = fc.integer({ min: 0, max: 30 })
const size = fc.integer({ min: 1, max: 50 })
const stage: fc.Arbitrary<{ readonly name: string; readonly stage: Stage }> = fc.oneof(
  fc.record({ size, seed: few }).map(({ size: most, seed }) => ({
    name: `shuffle ${most}`,
    stage: (rows: Dataset<unknown>) => rows.shuffle(most, { seed }),
  })),
  few.map((n) => ({ name: `take ${n}`, stage: (rows: Dataset<unknown>) => rows.take(n) })),
  few.map((n) => ({ name: `skip ${n}`, stage: (rows: Dataset<unknown>) => rows.skip(n) })),
  fc
    .integer({ min: 0, max: 3 })
    .map((n) => ({ name: `repeat ${n}`, stage: (rows: Dataset<unknown>) => rows.repeat(n) })),
  fc.constantFrom<{ name: string; stage: Stage }>(
    { name: 'concatenate', stage: (rows) => rows.concatenate(rows.skip(1), rows.take(5)) },
    { name: 'cache', stage: (rows) => rows.cache() },
    { name: 'prefetch', stage: (rows) => rows.prefetch(3) },
    { name: 'map', stage: (rows) => rows.map((row) => row) },
    { name: 'map later', stage: (rows) => rows.map(async (row) => row) },
    { name: 'filter', stage: (rows) => rows.filter((_, i) => i % 3 !== 1) },
    { name: 'window', stage: (rows) => rows.window(2, { shift: 1 }).map(([, row]) => row) },
  ),
)

const end: fc.Arbitrary<{ readonly name: string; readonly stage: Stage }> = fc.oneof(
  fc.record({ size, dropRemainder: fc.boolean() }).map(({ size: each, dropRemainder }) => ({
    name: `batch ${each}`,
    stage: (rows: Dataset<unknown>) => rows.batch(each, { dropRemainder }) as Dataset<unknown>,
  })),
  fc.constantFrom<{ name: string; stage: Stage }>(
    { name: 'rows', stage: (rows) => rows },
    {
      name: 'unbatch',
      stage: (rows) => (rows.batch(4) as Dataset<unknown>).unbatch().shuffle(6, { seed: 1 }).batch(3),
    },
    { name: 'paddedBatch', stage: (rows) => rows.paddedBatch(3, { padToMultipleOf: 4 }) as Dataset<unknown> },
  ),
)

/** All elements of a pass from a position on, and the error that ends it. */
async function read(data: Dataset<unknown>, pass: number, taken: number): Promise<unknown[]> {
  const all: unknown[] = []
  try {
    for await (const element of data.iterator({ pass, taken })) all.push(element)
  } catch (error) {
    all.push(String(error))
  }
  return all
}

describe('any pipeline', () => {
  it('has the same elements as row by row, from any position', async () => {
    await fc.assert(
      fc.asyncProperty(
        source,
        fc.array(stage, { maxLength: 4 }),
        end,
        fc.constantFrom(0, 1, 3),
        few,
        async (make, stages, last, pass, taken) => {
          const through = (rows: Dataset<unknown>): Dataset<unknown> =>
            [...stages, last].reduce((data, each) => each.stage(data), rows)
          const inBlocks = through(make())
          const rowByRow = through(make().map((row) => row))
          expect(inBlocks.size).toBe(rowByRow.size)
          // The second time, caches are filled.
          for (const from of [0, taken])
            expect(await read(inBlocks, pass, from)).toEqual(await read(rowByRow, pass, from))
        },
      ),
      { numRuns: 400 },
    )
  })

  it('of several sources, of one format or of others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(source, { minLength: 2, maxLength: 4 }),
        size,
        size,
        async (makers, bufferSize, each) => {
          const through = ([first, ...others]: Dataset<unknown>[]): Dataset<unknown> =>
            first!
              .concatenate(...others)
              .shuffle(bufferSize, { seed: 2 })
              .cache()
              .batch(each) as Dataset<unknown>
          const inBlocks = through(makers.map((make) => make()))
          const rowByRow = through(makers.map((make) => make().map((row) => row)))
          for (let time = 0; time < 2; time++) expect(await read(inBlocks, 0, 0)).toEqual(await read(rowByRow, 0, 0))
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('shuffle', () => {
  /** Each element is drawn from a list, and the last one takes its place. */
  function shuffledList<T>(list: readonly T[], bufferSize: number, seed: number, pass: number): T[] {
    const left = [...list]
    const buffer: T[] = []
    return list.map((_, drawn) => {
      while (buffer.length < bufferSize && left.length > 0) buffer.push(left.shift()!)
      const at = Math.floor(((threefry2x32(seed, pass, drawn, 0)[0] >>> 0) / 2 ** 32) * buffer.length)
      const element = buffer[at]!
      buffer[at] = buffer.at(-1)!
      buffer.pop()
      return element
    })
  }

  it('draws as from a list, whatever is read at once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 100 }),
        few,
        few,
        fc.integer({ min: 1, max: 60 }),
        async (length, bufferSize, seed, pass, each) => {
          const numbers = Float32Array.from({ length }, (_, i) => i)
          const expected = shuffledList([...numbers], bufferSize, seed, pass)
          const rows = Dataset.fromTensorSlices(numbers) as Dataset<number>
          for (const data of [rows, Dataset.range(length)]) {
            const drawn = data.shuffle(bufferSize, { seed })
            expect(await read(drawn, pass, 0)).toEqual(expected)
            const batches = (await read(drawn.batch(each), pass, 0)) as Tensor[]
            expect(batches.flatMap((batch) => [...batch.data])).toEqual(expected)
          }
        },
      ),
    )
  })

  it('keeps the order of a seed', async () => {
    expect(await read(Dataset.range(12).shuffle(5, { seed: 9 }), 3, 0)).toEqual([1, 3, 0, 2, 6, 4, 9, 5, 11, 10, 8, 7])
  })

  it('uses the memory of drawn rows again', async () => {
    let most = 0
    const format: RowFormat<number> = {
      key: 'numbers',
      widths: [1],
      allocate(count) {
        most = Math.max(most, count)
        return [new Float32Array(count)]
      },
      row: ([numbers], at) => numbers![at] as number,
      stack: () => null,
    }
    let at = 0
    const block = (count: number): Block<number> => {
      at += count
      return { format, columns: [Float32Array.from({ length: count }, (_, i) => at - count + i)], places: 0, count }
    }
    const drawn = shuffled({ next: () => END, skip: () => undefined, close: () => undefined, block }, 20, 1, 0)
    const seen = new Set<number>()
    for (let i = 0; i < 100; i++) {
      const rows = await drawn.block!(10)
      if (rows === END) throw new Error('ended early')
      for (const row of rowsOf(rows)) seen.add(row)
      seen.add((await drawn.next()) as number)
    }
    expect(seen.size).toBe(1100)
    // The rows to draw from, those of a block, and an eighth ahead.
    expect(most).toBeLessThanOrEqual(20 + 10 + 2)
  })

  it('needs no more memory than there are rows', async () => {
    const rows = readCsv({ text: 'a\n1\n2\n3' }, { features: 'vector' })
    const [batch] = await rows.shuffle(1e9, { seed: 1 }).batch(1e9).toArray()
    expect(batch!.shape).toEqual([3, 1])
    expect(await rows.shuffle(1e9).take(2).toArray()).toHaveLength(2)
  })
})

describe('a file', () => {
  const good = Array.from({ length: 30 }, (_, i) => `${i},${i * 2}`)
  const lines = good.map((line, i) => (i % 5 === 3 ? 'x,1' : line))
  const options = { features: 'vector', target: 'b', types: { a: 'number', b: 'number' } } as const

  it.each([1, 2, 7, 30])('fails in the same batch of %i as row by row', async (each) => {
    const text = ['a,b', ...good.slice(0, 17), 'x,1', ...good.slice(17)].join('\n')
    const rows = readCsv({ text }, options)
    for (const stage of [(data) => data, (data) => data.shuffle(5, { seed: 1 }), (data) => data.cache()] as Stage[])
      expect(await read(stage(rows).batch(each), 0, 0)).toEqual(
        await read(stage(rows.map((row) => row)).batch(each), 0, 0),
      )
  })

  it.each([1, 4, 9])('is read no further than row by row, in batches of %i', async (each) => {
    const text = ['a,b', ...lines].join('\n')
    for (const taken of [1, 2, 3]) {
      const found = [false, true].map(async (isRowByRow) => {
        const file = readCsv({ text }, { ...options, onError: 'collect' })
        const rows: Dataset<unknown> = isRowByRow ? file.map((row) => row) : file
        await rows.skip(1).shuffle(3, { seed: 1 }).batch(each).take(taken).toArray()
        return file.errors.map(({ line }) => line)
      })
      const [inBlocks, rowByRow] = await Promise.all(found)
      expect(inBlocks).toEqual(rowByRow)
    }
  })

  it.each<[string, Stage]>([
    ['batch', (rows) => rows],
    ['skip', (rows) => rows.skip(1)],
    ['take', (rows) => rows.take(9)],
    ['shuffle', (rows) => rows.shuffle(4, { seed: 1 })],
    ['repeat', (rows) => rows.repeat(2)],
    ['concatenate', (rows) => rows.concatenate(rows)],
    ['cache', (rows) => rows.cache()],
    ['a signal', (rows) => Dataset.from(rows, { signal: new AbortController().signal })],
  ])('is closed when a pass ends early: %s', async (_, stage) => {
    let open = 0
    const file = readCsv(function* () {
      open++
      try {
        // More than the rows from which types are inferred.
        yield* pieces(['a,b', ...Array.from({ length: 20 }, () => good).flat()].join('\n'), 40)
      } finally {
        open--
      }
    }, options)
    for await (const batch of stage(file).batch(2)) {
      expect(batch).toHaveLength(2)
      break
    }
    expect(open).toBe(0)
  })

  it('ends at once with the reason of a signal', async () => {
    const end = new AbortController()
    const file = readCsv(
      async function* () {
        yield encoder.encode('a,b\n1,2\n3,4\n')
        await new Promise(() => undefined)
      },
      { ...options, signal: end.signal },
    )
    const reading = file.shuffle(100).batch(2).toArray()
    setTimeout(() => end.abort(new RangeError('enough')), 5)
    await expect(reading).rejects.toThrow('enough')
  })

  it('trains as its rows do, bit for bit, also in the middle of a pass', async () => {
    const text = ['a,b', ...good].join('\n')
    const train = async (rows: Dataset<[Float32Array, number]>): Promise<unknown> => {
      setRandomSeed(5)
      const model = new Sequential([
        new Dense({ units: 3, activation: 'tanh', inputShape: [1] }),
        new Dense({ units: 1 }),
      ])
      model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
      const batches = rows.shuffle(10, { seed: 4 }).repeat().batch(4)
      const { history } = await model.fit(batches, { epochs: 3, stepsPerEpoch: 5, verbose: 0 })
      return [history, model.getWeights().map((weight) => weight.toArray()), await model.evaluate(rows.batch(7))]
    }
    const file = readCsv({ text }, options)
    expect(await train(file)).toEqual(await train(file.map((row) => row)))
  })

  it('keeps elements that a user has taken', async () => {
    const rows = await readCsv({ text: ['a,b', ...good].join('\n') }, options)
      .shuffle(3, { seed: 1 })
      .toArray()
    expect(rows.map(([x, y]) => [x[0], y]).sort(([a], [b]) => a! - b!)).toEqual(good.map((_, i) => [i, i * 2]))
  })

  it('caches its rows, and lends no memory', async () => {
    const cached = readCsv({ text: ['a,b', ...good].join('\n') }, options).cache()
    const first = await cached.batch(30).toArray()
    first[0]![0].data.fill(0)
    const [[x, y]] = (await cached.batch(30).toArray()) as [[Tensor, Tensor]]
    expect([...x.data]).toEqual(good.map((_, i) => i))
    expect([...y.data]).toEqual(good.map((_, i) => 2 * i))
    const [row] = await cached.toArray()
    row![0].fill(-1)
    expect((await cached.toArray())[0]![0]).toEqual(Float32Array.of(0))
  })
})
