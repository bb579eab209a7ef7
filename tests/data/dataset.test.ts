// Dataset: the elements of each transformation, their order, and that a pass can be resumed in its middle.
// modes: simd

import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import {
  Input,
  Model,
  StringLookup,
  StringTensor,
  Tensor,
  ops,
  setRandomSeed,
  tensor,
  ArgumentError,
  DataError,
  ShapeError,
} from '../../src'
import { Dataset } from '../../src/entries/data'

const later = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(value)))

async function* slowly(n: number) {
  for (let i = 0; i < n; i++) yield await later(i)
}

/** The same elements, at once and after a delay. */
const kinds = {
  'at once': (n: number) => Dataset.range(n),
  'after a delay': (n: number) => Dataset.from(() => slowly(n)),
}

describe('sources', () => {
  it.each<[string, () => Dataset<number>]>([
    ['an array', () => Dataset.from([0, 1, 2])],
    ['a set', () => Dataset.from(new Set([0, 1, 2]))],
    [
      'a generator function',
      () =>
        Dataset.from(function* () {
          yield* [0, 1, 2]
        }),
    ],
    ['an async generator function', () => Dataset.from(() => slowly(3))],
    ['a function that returns a promise', () => Dataset.from(async () => [0, 1, 2])],
    ['a function that makes a Node stream', () => Dataset.from<number>(() => Readable.from([0, 1, 2]))],
    [
      'a function that makes a web stream',
      () =>
        Dataset.from<number>(
          () =>
            new ReadableStream({
              start(controller) {
                for (const i of [0, 1, 2]) controller.enqueue(i)
                controller.close()
              },
            }),
        ),
    ],
    [
      'an iterable of the user',
      () =>
        Dataset.from({
          *[Symbol.iterator]() {
            yield* [0, 1, 2]
          },
        }),
    ],
    ['a dataset', () => Dataset.from(Dataset.range(3))],
  ])('%s, twice', async (_, make) => {
    const dataset = make()
    expect(await dataset.toArray()).toEqual([0, 1, 2])
    expect(await dataset.toArray()).toEqual([0, 1, 2])
  })

  it('a one-shot source throws in the second pass', async () => {
    for (const once of [slowly(2), [0, 1].values(), Readable.from([0, 1]), new Blob(['ab']).stream()]) {
      const dataset = Dataset.from<unknown>(once as AsyncIterable<unknown>)
      await dataset.toArray()
      await expect(dataset.toArray()).rejects.toThrow(/already read.*Give a function/)
    }
  })

  it('refuses values without elements', () => {
    for (const wrong of [3, 'text', null, { a: 1 }]) expect(() => Dataset.from(wrong as never)).toThrow(ArgumentError)
  })

  it('rows of tensors', async () => {
    const rows = await Dataset.fromTensorSlices({
      x: [
        [1, 2],
        [3, 4],
      ],
      y: Int32Array.of(7, 8),
      name: ['a', 'b'],
      isOld: [true, false],
    }).toArray()
    expect(rows.map(({ x, ...rest }) => ({ x: [...(x as Tensor).data], ...rest }))).toEqual([
      { x: [1, 2], y: 7, name: 'a', isOld: true },
      { x: [3, 4], y: 8, name: 'b', isOld: false },
    ])
    const [first] = await Dataset.fromTensorSlices([
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([5, 6]),
    ]).toArray()
    expect(first![1]).toBe(5)
    expect(() => Dataset.fromTensorSlices({ x: [[1], [2]], y: [1] })).toThrow(
      /the same number of rows, received 2 and 1 \(y\)/,
    )
    expect(() => Dataset.fromTensorSlices(3)).toThrow(DataError)
  })

  it('rows of tensors in batches, like their stacked elements', async () => {
    const x = tensor(Array.from({ length: 10 }, (_, i) => [i, i + 0.5, -i]))
    const trees = {
      'a tensor': x,
      'a pair': [x, Int32Array.from({ length: 10 }, (_, i) => i)],
      'lists of numbers': [Array.from({ length: 10 }, (_, i) => i), Array.from({ length: 10 }, (_, i) => -i)],
      'a record': {
        x,
        isOld: Array.from({ length: 10 }, (_, i) => i % 3 === 0),
        more: [x, tensor(Array.from({ length: 10 }, (_, i) => [[i], [1]]))],
      },
      'with integers': { x: ops.cast(x, 'int32'), y: ops.cast(x, 'bool') },
      'with names': { x, name: Array.from({ length: 10 }, (_, i) => `n${i}`) },
      'strings alone': Array.from({ length: 10 }, (_, i) => [`n${i}`, 'm']),
    }
    const ways: Record<string, (rows: Dataset<unknown>) => Dataset<unknown>> = {
      'as they come': (rows) => rows,
      shuffled: (rows) => rows.shuffle(4, { seed: 3 }),
      chosen: (rows) => rows.skip(1).take(7).repeat(2).shuffle(20, { seed: 1 }).skip(2),
    }
    for (const [kind, columns] of Object.entries(trees)) {
      for (const [way, order] of Object.entries(ways)) {
        const plain = order(Dataset.fromTensorSlices(columns).map((row) => row))
        const rows = order(Dataset.fromTensorSlices(columns))
        expect(await rows.toArray(), `${kind}, ${way}`).toEqual(await plain.toArray())
        expect(await rows.batch(3).toArray(), `${kind}, ${way}`).toEqual(await plain.batch(3).toArray())
        expect(rows.batch(3, { dropRemainder: true }).size).toBe(plain.batch(3, { dropRemainder: true }).size)
      }
    }
  })

  it('closes its sources, and opens no more, whatever ends a pass', async () => {
    const open = new Set<string>()
    const source = (name: string, count: number) =>
      Dataset.from(async function* () {
        open.add(name)
        try {
          for (let i = 0; i < count; i++) yield await later(i)
        } finally {
          open.delete(name)
        }
      })
    const settle = () => new Promise((resolve) => setTimeout(resolve, 20))
    const endEarly = async (data: Dataset<number>, at: number) => {
      for await (const element of data) if (element === at) break
      await settle()
      expect([...open]).toEqual([])
    }
    await endEarly(source('repeated', 2).repeat().prefetch(6), 1)
    await endEarly(source('first', 2).concatenate(source('second', 2), source('third', 2)).prefetch(5), 1)
    await endEarly(
      Dataset.range(3)
        .flatMap(async (i) => later(source(`made ${i}`, 3)))
        .prefetch(5),
      0,
    )
    const failing = source('failing', 5).map((i) => {
      if (i === 1) throw new RangeError('no')
      return i
    })
    await expect(failing.toArray()).rejects.toThrow('no')
    await settle()
    expect([...open]).toEqual([])
    const iterator = source('asked for', 2).iterator()
    const asked = iterator.next()
    await iterator.return()
    expect(await asked).toEqual({ done: true, value: undefined })
    await settle()
    expect([...open]).toEqual([])
  })

  it('reports errors in skipped elements', async () => {
    const failing = Dataset.from(() => slowly(9)).map((i) => {
      if (i === 2) throw new RangeError('no')
      return i
    })
    const seen: number[][] = []
    await expect(
      (async () => {
        for await (const each of failing.prefetch(5).window(1, { shift: 4 })) {
          seen.push(each)
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      })(),
    ).rejects.toThrow('no')
    expect(seen).toEqual([[0]])
  })

  it('reports later errors as well as the first', async () => {
    const unheard: unknown[] = []
    const hear = (error: unknown) => void unheard.push(error)
    process.on('unhandledRejection', hear)
    const fails = Dataset.range(3).map(async (): Promise<number> => {
      throw new RangeError('later')
    })
    await expect(
      Dataset.zip([
        fails,
        Dataset.range(3).map((): number => {
          throw new RangeError('at once')
        }),
      ]).toArray(),
    ).rejects.toThrow(RangeError)
    await new Promise((resolve) => setTimeout(resolve, 5))
    process.off('unhandledRejection', hear)
    expect(unheard).toEqual([])
  })

  it('concurrent requests give elements in order', async () => {
    const iterator = Dataset.from(() => slowly(6))
      .batch(2)
      .iterator()
    const all = await Promise.all([iterator.next(), iterator.next(), iterator.next()])
    expect(all.map(({ value }) => [...value!.data])).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ])
  })

  it('closes its source when a pass ends early', async () => {
    let closed = 0
    const dataset = Dataset.from(function* () {
      try {
        yield* [1, 2, 3]
      } finally {
        closed++
      }
    })
    for await (const element of dataset.map((x) => x).batch(2)) {
      expect(element).toBeInstanceOf(Tensor)
      break
    }
    expect(closed).toBe(1)
    expect(await dataset.take(1).toArray()).toEqual([1])
    expect(closed).toBe(2)
  })
})

describe.each(Object.entries(kinds))('%s', (_, make) => {
  const dataset = make(10)

  it('map, filter, flatMap, enumerate', async () => {
    expect(await dataset.map((x, i) => x + i).toArray()).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18])
    expect(
      await dataset
        .map((x) => later(x))
        .take(2)
        .toArray(),
    ).toEqual([0, 1])
    expect(await dataset.filter((x) => x % 4 === 1).toArray()).toEqual([1, 5, 9])
    expect(await dataset.filter(async (x) => x > 8).toArray()).toEqual([9])
    expect(
      await dataset
        .take(3)
        .flatMap((x) => [x, -x])
        .toArray(),
    ).toEqual([0, -0, 1, -1, 2, -2])
    expect(
      await dataset
        .take(3)
        .flatMap((x) => Dataset.range(x))
        .toArray(),
    ).toEqual([0, 0, 1])
    expect(await dataset.skip(8).enumerate().toArray()).toEqual([
      [0, 8],
      [1, 9],
    ])
  })

  it('concurrent calls, in order', async () => {
    let most = 0,
      running = 0
    const slow = dataset.map(
      async (x) => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, x % 3))
        running--
        return x
      },
      { parallel: 4 },
    )
    expect(await slow.toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(4)
  })

  it('take, skip, concatenate, repeat', async () => {
    expect(await dataset.take(3).toArray()).toEqual([0, 1, 2])
    expect(await dataset.take(99).toArray()).toHaveLength(10)
    expect(await dataset.skip(7).toArray()).toEqual([7, 8, 9])
    expect(await dataset.skip(99).toArray()).toEqual([])
    expect(await dataset.skip(8).concatenate(dataset.take(1), dataset.take(0), dataset.skip(9)).toArray()).toEqual([
      8, 9, 0, 9,
    ])
    expect(await dataset.take(2).repeat(3).toArray()).toEqual([0, 1, 0, 1, 0, 1])
    expect(await dataset.repeat().take(23).toArray()).toHaveLength(23)
    expect(await dataset.repeat(0).toArray()).toEqual([])
    expect(await dataset.take(0).repeat().toArray()).toEqual([])
  })

  it('zip', async () => {
    expect(await Dataset.zip([dataset, dataset.skip(8)]).toArray()).toEqual([
      [0, 8],
      [1, 9],
    ])
    expect(await Dataset.zip({ a: dataset.skip(9), b: dataset }).toArray()).toEqual([{ a: 9, b: 0 }])
  })

  it('window', async () => {
    const each = (size: number, options = {}) => dataset.window(size, options).toArray()
    expect(await each(4)).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ])
    expect(await each(4, { dropRemainder: false })).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ])
    expect(await each(8, { shift: 1 })).toEqual([
      [0, 1, 2, 3, 4, 5, 6, 7],
      [1, 2, 3, 4, 5, 6, 7, 8],
      [2, 3, 4, 5, 6, 7, 8, 9],
    ])
    expect(await each(3, { shift: 3, stride: 2 })).toEqual([
      [0, 2, 4],
      [3, 5, 7],
    ])
    expect(await each(2, { shift: 5 })).toEqual([
      [0, 1],
      [5, 6],
    ])
    for (const options of [{}, { shift: 1 }, { shift: 3, stride: 2 }, { shift: 5 }, { dropRemainder: false }]) {
      expect(Dataset.range(10).window(3, options).size).toBe((await each(3, options)).length)
    }
  })

  it('batch', async () => {
    const batches = await dataset.batch(4).toArray()
    expect(batches.map(({ shape, data }) => [shape, [...data]])).toEqual([
      [[4], [0, 1, 2, 3]],
      [[4], [4, 5, 6, 7]],
      [[2], [8, 9]],
    ])
    expect(await dataset.batch(4, { dropRemainder: true }).toArray()).toHaveLength(2)
    expect(await dataset.batch(4).unbatch().toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('shuffle: every element once, another order in every pass, the same for one seed', async () => {
    const shuffled = dataset.shuffle(4, { seed: 1 })
    const passes = [
      await shuffled.toArray(),
      await shuffled.toArray(),
      await dataset.shuffle(4, { seed: 1 }).toArray(),
      await dataset.shuffle(4, { seed: 2 }).toArray(),
    ]
    for (const pass of passes) expect([...pass].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(passes[0]).not.toEqual(passes[1])
    expect(passes[0]).toEqual(passes[2])
    expect(passes[0]).not.toEqual(passes[3])
    // An element comes early by at most the size of the buffer.
    passes.forEach((pass) => pass.forEach((element, at) => expect(element).toBeLessThan(at + 4)))
    const same = dataset.shuffle(10, { reshuffleEachEpoch: false })
    expect(await same.toArray()).toEqual(await same.toArray())
    const repeated = await dataset.shuffle(10, { seed: 3 }).repeat(2).toArray()
    expect(repeated.slice(0, 10)).not.toEqual(repeated.slice(10))
  })

  it('cache reads once', async () => {
    let reads = 0
    const cached = dataset.map((x) => (reads++, x)).cache()
    for await (const _ of cached.take(3)) void _
    expect(await cached.toArray()).toHaveLength(10)
    expect(reads).toBe(13)
    expect(await cached.map((x) => x + 1).toArray()).toHaveLength(10)
    expect(reads).toBe(13)
  })

  it('cache of shuffled elements has the same elements in a resumed run', async () => {
    const make = () => dataset.shuffle(10, { seed: 3 }).cache()
    const rest = async (from: ReturnType<typeof make>, taken: number) => {
      const all: number[] = []
      for await (const element of from.iterator({ pass: 1, taken })) all.push(element)
      return all
    }
    const whole = make()
    await whole.toArray()
    expect(await rest(make(), 4)).toEqual((await rest(whole, 0)).slice(4))
  })

  it('prefetch changes nothing', async () => {
    expect(await dataset.prefetch(3).toArray()).toEqual(await dataset.toArray())
    expect(await dataset.prefetch(3).skip(2).toArray()).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
    const failing = dataset
      .map((x) => {
        if (x === 4) throw new DataError('four')
        return x
      })
      .prefetch(3)
    await expect(failing.toArray()).rejects.toThrow('four')
  })

  it.each<[string, (dataset: Dataset<number>) => Dataset<unknown>]>([
    ['as it is', (each) => each],
    ['map', (each) => each.map((x, i) => [x, i])],
    ['filter', (each) => each.filter((x) => x % 3 !== 0)],
    ['shuffle', (each) => each.shuffle(5, { seed: 7 })],
    ['batch', (each) => each.batch(3)],
    ['shuffle, batch', (each) => each.shuffle(5, { seed: 7 }).batch(3)],
    ['window', (each) => each.window(3, { shift: 2 })],
    ['repeat', (each) => each.shuffle(5, { seed: 7 }).repeat(3)],
    ['take and skip', (each) => each.skip(1).take(7)],
    ['concatenate', (each) => each.concatenate(each)],
    ['zip', (each) => Dataset.zip([each, each.shuffle(3, { seed: 1 })])],
    ['cache', (each) => each.cache()],
    ['prefetch', (each) => each.map((x) => later(x)).prefetch(2)],
    ['parallel', (each) => each.map((x) => later(x), { parallel: 3 })],
    [
      'bucketByLength',
      (each) =>
        each
          .map((x) => new Array<number>(x + 1).fill(x))
          .bucketByLength((x) => x.length, { boundaries: [3, 6], batchSize: 2 }),
    ],
  ])('resumes anywhere: %s', async (_title, transform) => {
    const plain = (element: unknown): unknown =>
      JSON.parse(JSON.stringify(element, (_key, value: unknown) => (value instanceof Tensor ? [...value.data] : value)))
    for (const pass of [0, 2]) {
      const whole = []
      for await (const element of transform(dataset).iterator({ pass })) whole.push(plain(element))
      for (let stop = 0; stop <= whole.length; stop++) {
        const iterator = transform(dataset).iterator({ pass })
        for (let i = 0; i < stop; i++) await iterator.next()
        const { state } = iterator
        await iterator.return()
        expect(state).toEqual({ pass, taken: stop })
        const rest = []
        for await (const element of transform(dataset).iterator(state)) rest.push(plain(element))
        expect(rest, `behind ${stop}`).toEqual(whole.slice(stop))
      }
    }
  })
})

describe('batches', () => {
  const batchOf = async (elements: readonly unknown[]) =>
    (await Dataset.from(elements).batch(elements.length).toArray())[0]

  it('keep records and lists, and stack their values', async () => {
    const batch = (
      await Dataset.from([
        { x: [1, 2], y: 0, name: 'a' },
        { x: [3, 4], y: 1, name: 'b' },
      ])
        .batch(2)
        .toArray()
    )[0]!
    expect(batch.x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(batch.y.toArray()).toEqual([0, 1])
    expect(batch.name).toEqual(['a', 'b'])
    const [x, y] = (await batchOf([
      [[1, 2], 5],
      [[3, 4], 6],
    ])) as Tensor[]
    expect([x!.toArray(), y!.toArray()]).toEqual([
      [
        [1, 2],
        [3, 4],
      ],
      [5, 6],
    ])
  })

  it('a list of numbers is a tensor', async () => {
    expect(
      (
        (await batchOf([
          [1, 2],
          [3, 4],
        ])) as Tensor
      ).toArray(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(((await batchOf([Int32Array.of(1), Int32Array.of(2)])) as Tensor).dtype).toBe('int32')
    expect(((await batchOf([true, false])) as Tensor).dtype).toBe('bool')
    expect(((await batchOf([Uint8Array.of(250)])) as Tensor).toArray()).toEqual([[250]])
  })

  it('a list of strings is a row', async () => {
    const elements = [
      { x: ['a', 'b'], y: 1 },
      { x: ['c', 'q'], y: 0 },
    ]
    const rows = Dataset.fromTensorSlices({ x: elements.map(({ x }) => x), y: [1, 0] })
    expect(await rows.toArray()).toEqual(elements)
    const [batch] = await rows.batch(2).toArray()
    expect(batch!.x).toBeInstanceOf(StringTensor)
    expect((batch!.x as StringTensor).toArray()).toEqual([
      ['a', 'b'],
      ['c', 'q'],
    ])
    expect(await rows.batch(2).unbatch().toArray()).toEqual(elements)
    const input = Input({ shape: [2], dtype: 'string' })
    const model = new Model({ inputs: input, outputs: new StringLookup({ vocabulary: ['a', 'b', 'c'] }).apply(input) })
    expect(((await model.predict(rows.map(({ x }) => x).batch(2) as never)) as Tensor).toArray()).toEqual([
      [1, 2],
      [3, 0],
    ])
    expect(
      (
        await Dataset.from([{ x: [['a'], ['b']] }])
          .batch(1)
          .toArray()
      )[0]!.x,
    ).toHaveProperty('shape', [1, 2, 1])
    await expect(
      Dataset.from([['a', 'b'], ['c']])
        .batch(2)
        .toArray(),
    ).rejects.toThrow(/element 1 must have shape \[2\].*received \[1\]/)
    expect(() => Dataset.fromTensorSlices([['a', 'b'], ['c']])).toThrow(/ragged/)
  })

  it('report the wrong element', async () => {
    await expect(batchOf([[1, 2], [3]])).rejects.toThrow(
      /element 1 must have shape \[2\] as in the first element, received \[1\]. Use paddedBatch/,
    )
    await expect(batchOf([{ x: 1 }, { y: 1 }])).rejects.toThrow(/element 1: expected the same parts/)
    await expect(batchOf([{ x: 1 }, { x: 'a' }])).rejects.toThrow(/element 1.x must be a number/)
    await expect(batchOf([{ x: undefined }])).rejects.toThrow(
      /element 0.x must be a number, a string, a list of numbers or a tensor, received undefined/,
    )
    await expect(batchOf([{ x: new Date() }])).rejects.toThrow(DataError)
    await expect(
      batchOf([
        [1, 2],
        ['a', 'b'],
      ]),
    ).rejects.toThrow(DataError)
  })

  it('pad short rows', async () => {
    const rows = Dataset.from([
      { x: [1], y: 1 },
      { x: [2, 3, 4], y: 2 },
      { x: [5, 6], y: 3 },
    ])
    const [first, second] = await rows.paddedBatch(2).toArray()
    expect(first!.x.toArray()).toEqual([
      [1, 0, 0],
      [2, 3, 4],
    ])
    expect(second!.x.toArray()).toEqual([[5, 6]])
    const [wide] = await rows.paddedBatch(3, { padValue: -1, padToMultipleOf: 4 }).toArray()
    expect(wide!.x.toArray()).toEqual([
      [1, -1, -1, -1],
      [2, 3, 4, -1],
      [5, 6, -1, -1],
    ])
    const [images] = await Dataset.from([tensor([[1, 2]]), tensor([[3], [4]])])
      .paddedBatch(2)
      .toArray()
    expect(images!.toArray()).toEqual([
      [
        [1, 2],
        [0, 0],
      ],
      [
        [3, 0],
        [4, 0],
      ],
    ])
    await expect(
      Dataset.from([tensor([[1]]), tensor([1])])
        .paddedBatch(2)
        .toArray(),
    ).rejects.toThrow(ShapeError)
  })

  it('of similar lengths', async () => {
    const rows = Dataset.range(12).map((i) => new Array<number>(((i * 5) % 12) + 1).fill(i))
    const batches = await rows
      .bucketByLength((row) => row.length, { boundaries: [4, 8], batchSize: [3, 2, 2] })
      .toArray()
    const seen = batches.flatMap((batch) => batch.toArray<number[][]>().map((row) => row[0]!))
    expect(seen.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    for (const { shape } of batches)
      expect(
        [
          [1, 3],
          [4, 7],
          [8, 12],
        ].some(([least, most]) => shape[1]! >= least! && shape[1]! <= most!),
      ).toBe(true)
    expect(() => rows.bucketByLength((row) => row.length, { boundaries: [8, 4] })).toThrow(/must rise/)
    expect(() => rows.bucketByLength((row) => row.length, { boundaries: [4], batchSize: [1] })).toThrow(
      /2 for as many buckets/,
    )
  })
})

describe('sizes', () => {
  it('are reported if they can be known', async () => {
    const ten = Dataset.range(10)
    expect(
      [
        ten,
        ten.map((x) => x),
        ten.batch(3),
        ten.batch(3, { dropRemainder: true }),
        ten.take(4),
        ten.skip(4),
        ten.repeat(2),
        ten.repeat(),
        ten.concatenate(ten),
        Dataset.zip([ten, ten.take(2)]),
        ten.filter(Boolean),
      ].map(({ size }) => size),
    ).toEqual([10, 10, 4, 3, 4, 6, 20, Infinity, 20, 2, null])
    await expect(ten.repeat().toArray()).rejects.toThrow(/has no end/)
  })

  it('options are checked when they are given', () => {
    const ten = Dataset.range(10)
    expect(() => ten.batch(0)).toThrow(ArgumentError)
    expect(() => ten.batch(2, { dropReminder: true } as never)).toThrow(/dropRemainder/)
    expect(() => ten.shuffle(2.5)).toThrow(ArgumentError)
    expect(() => ten.take(-1)).toThrow(ArgumentError)
    expect(() => ten.map(3 as never)).toThrow(/needs a function/)
    expect(() => Dataset.zip([])).toThrow(ArgumentError)
    expect(() => Dataset.range(0, 5, 0)).toThrow(ArgumentError)
  })

  it('setRandomSeed makes orders repeatable', async () => {
    const order = async () => {
      setRandomSeed(4)
      return Dataset.range(20).shuffle(20).toArray()
    }
    expect(await order()).toEqual(await order())
  })
})

it('lists of strings are rows, like lists of numbers', async () => {
  const [batch] = await Dataset.from([
    { words: ['a', 'b'], age: [1] },
    { words: ['c', 'd'], age: [2] },
  ])
    .batch(2)
    .toArray()
  expect((batch!.words as Tensor).toArray<never>()).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ])
  expect(batch!.age.toArray()).toEqual([[1], [2]])
})

describe('what is no data set', () => {
  it.each([
    () => Dataset.zip(null as never),
    () => Dataset.zip(undefined as never),
    () => Dataset.range(Symbol('a') as never),
    () => Dataset.range(0, null as never, Symbol('a') as never),
  ])('is an error that says so: %#', (make) => {
    expect(make).toThrow(ArgumentError)
  })
})
