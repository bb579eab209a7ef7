// Dataset: elements one after the other, and what is done with them on the way to a model. Nothing is read before a pass
// begins, and no more is held than the transformations need. The passes are in cursors.ts.

import { ArgumentError, DataError, quoted } from '../core/errors'
import {
  boolean,
  count,
  custom,
  integer,
  listOf,
  nullable,
  number,
  option,
  readOptions,
  required,
} from '../core/options'
import type { InputsOf, Kind } from '../core/options'
import type { TensorLike } from '../ops/convert'
import { nextSeed } from '../ops/seed'
import type { Tensor } from '../ops/tensor'
import type { ReadOptions } from './abort'
import { abortable, abortableSource, signalOption } from './abort'
import type { Batched, Padding } from './collate'
import { collate } from './collate'
import {
  ahead,
  bucketed,
  chained,
  closing,
  filtered,
  grouped,
  lending,
  limited,
  mapped,
  mappedInParallel,
  recording,
  repeated,
  shuffled,
  windows,
  zipped,
} from './cursors'
import type { Slices } from './slices'
import { slicesOf } from './slices'
import type { Cursor, ElementsOrMaker, Soon, Source } from './source'
import { END, after, arraySource, deferred, indexedSource, sourceOf } from './source'

/** The rows of tensors: numbers where a row is one, else tensors. */
export type RowOf<Columns> = Columns extends readonly string[]
  ? string
  : Columns extends TensorLike
    ? Columns extends readonly number[] | readonly boolean[]
      ? number
      : Tensor | number
    : { [Key in keyof Columns]: RowOf<Columns[Key]> }

/** Where a pass is: `dataset.iterator(state)` goes on there. */
export interface DatasetState {
  /** The number of the pass: another order where elements are shuffled. */
  readonly pass: number
  /** How many elements were taken. */
  readonly taken: number
}

const shuffleOptions = () => ({
  /** Passes of one seed have one order. Default: derived from `setRandomSeed`. */
  seed: option(nullable(integer()), null),
  /** Whether every pass has another order. Default true. */
  reshuffleEachEpoch: option(boolean, true),
})
export type ShuffleOptions = InputsOf<ReturnType<typeof shuffleOptions>>

const batchOptions = () => ({
  /** Leaves out a last batch that is smaller. Default false. */
  dropRemainder: option(boolean, false),
})
export type BatchOptions = InputsOf<ReturnType<typeof batchOptions>>

const paddedOptions = () => ({
  ...batchOptions(),
  /** What short rows are filled up with, behind. Default 0. */
  padValue: option(number(), 0),
  /** Extents are filled up to a multiple of it: fewer shapes, and so fewer programs to compile. Default 1. */
  padToMultipleOf: option(count, 1),
})
export type PaddedBatchOptions = InputsOf<ReturnType<typeof paddedOptions>>

const countOrCounts: Kind<number | readonly number[]> = custom(
  (value, where) => (Array.isArray(value) ? listOf(count).read(value, where) : count.read(value, where)),
  (value) => (typeof value === 'number' ? value : [...value]),
)

const bucketOptions = () => ({
  ...paddedOptions(),
  /** Lengths at which a bucket ends, rising: [10, 20] makes three, below 10, below 20 and the others. */
  boundaries: required(listOf(integer({ min: 1 }))),
  /** Elements of a batch: of every bucket, or one number for each. Default 32. */
  batchSize: option(countOrCounts, 32),
})
export type BucketOptions = InputsOf<ReturnType<typeof bucketOptions>>

const windowOptions = () => ({
  /** Elements from the beginning of a window to that of the next. Default: size, so that none overlap. */
  shift: option(nullable(count), null),
  /** Elements from one of a window to its next. Default 1. */
  stride: option(count, 1),
  /** Leaves out windows at the end that are smaller. Default true. */
  dropRemainder: option(boolean, true),
})
export type WindowOptions = InputsOf<ReturnType<typeof windowOptions>>

const mapOptions = () => ({
  /** How many calls may wait at once, where the function returns promises; the order stays. Default 1. */
  parallel: option(count, 1),
})
export type MapOptions = InputsOf<ReturnType<typeof mapOptions>>

/**
 * Elements one after the other: rows on their way to a model. `fit`, `evaluate` and `predict` take a data set of batches:
 * `x`, `[x, y]`, `[x, y, sampleWeight]`, or records `{ x, y, sampleWeight }`.
 *
 *   const rows = Dataset.from(readRows)                    // an array, an (async) generator function, a stream …
 *   const batches = rows.map(({ size, price }) => [[size], price]).shuffle(1000).batch(32)
 *   await model.fit(batches, { epochs: 5 })
 *
 * It reads nothing before it is asked, so it may be of any length; a pass holds a buffer for `shuffle` and a batch, no more. A
 * data set can be passed over again and again, also by two readers at once. Methods return a new one and leave this as it is.
 *
 * A batch stacks its elements leaf by leaf: numbers, lists of numbers and tensors become tensors with an axis more in front,
 * strings lists, and records and lists of them stay what they are. A list of nothing but numbers, or of nothing but strings, is
 * a row of a tensor: for a pair of numbers say { x: 1, y: 0 } rather than [1, 0].
 */
export class Dataset<T> implements AsyncIterable<T>, Source<T> {
  /** How many passes were begun by iterating. */
  private passes = 0

  /** Use `Dataset.from`; readers of files have classes of their own. */
  protected constructor(
    /** Elements of a pass: Infinity where it has no end, null where nobody knows before. */
    readonly size: number | null,
    /** Begins a pass. */
    readonly open: (pass: number) => Cursor<T>,
  ) {}

  /**
   * Elements of an array, an iterable, an async iterable, a stream of Node or of the web. A function makes one for every pass:
   * what can be read once, such as a generator or a stream, can be passed over again only so.
   */
  static from<T>(elements: ElementsOrMaker<T>, options: ReadOptions = {}): Dataset<T> {
    const { signal } = readOptions('Dataset.from', signalOption(), options)
    if (elements instanceof Dataset && signal === null) return elements as Dataset<T>
    return Dataset.of(abortableSource(sourceOf(elements, 'Dataset.from'), signal))
  }

  /** @internal */
  static of<T>({ size, open }: Source<T>): Dataset<T> {
    return new Dataset(size, (pass) => open(pass))
  }

  /**
   * The rows of tensors of as many rows each.
   *
   *   Dataset.fromTensorSlices({ x: pixels, y: labels })   // elements { x: Tensor, y: number }
   *
   * tf.data: `from_tensor_slices`.
   * @throws ShapeError where they have not as many rows, DataError for what is no tensor
   */
  static fromTensorSlices<const Columns>(columns: Columns): Dataset<RowOf<Columns>> {
    const slices = slicesOf(columns, 'Dataset.fromTensorSlices')
    return new SliceDataset(Dataset.range(slices.size), slices) as Dataset<unknown> as Dataset<RowOf<Columns>>
  }

  /** start, start + step, … below stop. */
  static range(start: number, stop?: number, step = 1): Dataset<number> {
    const [from, to] = stop === undefined ? [0, start] : [start, stop]
    if (![from, to, step].every(Number.isFinite) || step === 0)
      throw new ArgumentError(
        `Dataset.range: needs finite numbers and a step that is not 0, received ${from}, ${to}, ${step}`,
      )
    return Dataset.of(indexedSource(Math.max(0, Math.ceil((to - from) / step)), (i) => from + i * step))
  }

  /** An element of each, as long as all have one: of a list a list, of a record a record. */
  static zip<const Parts extends { readonly [key: string]: Dataset<unknown> } | readonly Dataset<unknown>[]>(
    parts: Parts,
  ): Dataset<{ -readonly [Key in keyof Parts]: Parts[Key] extends Dataset<infer Element> ? Element : never }> {
    const all = Object.values(parts) as Dataset<unknown>[]
    if (all.length === 0 || !all.every((each) => each instanceof Dataset))
      throw new ArgumentError('Dataset.zip: needs data sets, in a list or a record')
    const keys = Object.keys(parts)
    const name = (elements: unknown[]): unknown =>
      Array.isArray(parts) ? elements : Object.fromEntries(keys.map((key, i) => [key, elements[i]]))
    const sizes = all.map(({ size }) => size)
    return new Dataset(sizes.includes(null) ? null : Math.min(...(sizes as number[])), (pass) =>
      mapped(zipped(all.map((each) => each.open(pass))), name),
    ) as never
  }

  /**
   * What a function makes of each element. It may return a promise.
   * @param fn gets the element and its number in the pass
   */
  map<To>(fn: (element: T, index: number) => To | Promise<To>, options: MapOptions = {}): Dataset<Awaited<To>> {
    requireFunction('map', fn)
    const { parallel } = readOptions('Dataset.map', mapOptions(), options)
    const own = fn as (element: T, index: number) => Soon<Awaited<To>>
    return new Dataset(this.size, (pass) =>
      parallel === 1 ? mapped(this.open(pass), own) : mappedInParallel(this.open(pass), own, parallel),
    )
  }

  /** The elements for which a function says true. */
  filter(keep: (element: T, index: number) => boolean | Promise<boolean>): Dataset<T> {
    requireFunction('filter', keep)
    return new Dataset<T>(null, (pass) => filtered(this.open(pass), keep))
  }

  /** All elements that a function makes of each: of an array, an iterable, a data set. */
  flatMap<To>(fn: (element: T) => Soon<ElementsOrMaker<To>>): Dataset<To> {
    requireFunction('flatMap', fn)
    return new Dataset<To>(null, (pass) => {
      const from = this.open(pass)
      const own = chained<To>(() =>
        after(from.next(), (element) =>
          element === END ? END : after(fn(element), (made) => sourceOf(made, 'Dataset.flatMap').open(pass)),
        ),
      )
      return { ...own, close: () => after(own.close(), () => from.close()) }
    })
  }

  /** Each element with its number: [0, first], [1, second] … */
  enumerate(): Dataset<[number, T]> {
    return this.map((element, index): [number, T] => [index, element]) as Dataset<[number, T]>
  }

  /**
   * Batches of `size` elements; the last one may be smaller.
   * @throws DataError, when a pass meets elements that differ in structure or shape
   */
  batch(size: number, options: BatchOptions = {}): Dataset<Batched<T>> {
    const { dropRemainder } = readOptions('Dataset.batch', batchOptions(), options)
    return this.batches('Dataset.batch', size, dropRemainder, null)
  }

  /**
   * Batches whose elements may differ in their extents, though not in the number of their axes: short ones are filled up behind.
   * `new Embedding({ …, maskZero: true })` takes the zeros for padding.
   */
  paddedBatch(size: number, options: PaddedBatchOptions = {}): Dataset<Batched<T>> {
    const { dropRemainder, padValue, padToMultipleOf } = readOptions('Dataset.paddedBatch', paddedOptions(), options)
    return this.batches('Dataset.paddedBatch', size, dropRemainder, { value: padValue, multiple: padToMultipleOf })
  }

  /** Batches of a pass where they can be had without their elements; a class whose rows are at hand says so. */
  protected stacked(_pass: number, _size: number, _keepsRest: boolean): Cursor<unknown> | null {
    return null
  }

  private batches(where: string, size: number, dropRemainder: boolean, padding: Padding | null): Dataset<Batched<T>> {
    const each = count.read(size, `${where}: the size`)
    return new Dataset<Batched<T>>(groupsIn(this.size, each, dropRemainder), (pass) => {
      const stacked = padding === null ? this.stacked(pass, each, !dropRemainder) : null
      if (stacked !== null) return stacked as Cursor<Batched<T>>
      return lending((spare) =>
        grouped(
          this.open(pass),
          each,
          !dropRemainder,
          (elements) => collate(elements, where, padding, spare()) as Batched<T>,
        ),
      )
    })
  }

  /**
   * Padded batches of elements of like lengths, so that little is filled up. A batch goes out when its bucket is full.
   *
   *   sentences.bucketByLength(({ x }) => x.length, { boundaries: [10, 20, 40], batchSize: [64, 32, 16, 8] })
   *
   * tf.data: `bucket_by_sequence_length`.
   */
  bucketByLength(lengthOf: (element: T) => number, options: BucketOptions): Dataset<Batched<T>> {
    requireFunction('bucketByLength', lengthOf)
    const { boundaries, batchSize, dropRemainder, padValue, padToMultipleOf } = readOptions(
      'Dataset.bucketByLength',
      bucketOptions(),
      options,
    )
    if (boundaries.some((boundary, i) => i > 0 && boundary <= boundaries[i - 1]!))
      throw new ArgumentError(`Dataset.bucketByLength: boundaries must rise, received [${boundaries.join(', ')}]`)
    const sizes = typeof batchSize === 'number' ? [...boundaries, 0].map(() => batchSize) : batchSize
    if (sizes.length !== boundaries.length + 1)
      throw new ArgumentError(
        `Dataset.bucketByLength: batchSize must be one number, or ${boundaries.length + 1} for as many buckets, received ${sizes.length}`,
      )
    const bucketOf = (element: T): number => {
      const length = lengthOf(element)
      if (typeof length !== 'number' || Number.isNaN(length))
        throw new DataError(
          `Dataset.bucketByLength: the length of an element must be a number, received ${quoted(length)}`,
        )
      const at = boundaries.findIndex((boundary) => length < boundary)
      return at < 0 ? boundaries.length : at
    }
    const padding = { value: padValue, multiple: padToMultipleOf }
    return new Dataset(null, (pass) =>
      mapped(
        bucketed(this.open(pass), { bucketOf, sizes, keepsRest: !dropRemainder }),
        (elements) => collate(elements, 'Dataset.bucketByLength', padding) as Batched<T>,
      ),
    )
  }

  /** The rows of batches: what `batch` put together. */
  unbatch(): Dataset<RowOf<T>> {
    return this.flatMap<RowOf<T>>((batch) => Dataset.fromTensorSlices(batch) as Dataset<RowOf<T>>)
  }

  /**
   * Lists of `size` neighbours.
   *
   *   Dataset.range(5).window(3, { shift: 1 })   // [0, 1, 2], [1, 2, 3], [2, 3, 4]
   */
  window(size: number, options: WindowOptions = {}): Dataset<T[]> {
    const each = count.read(size, 'Dataset.window: the size')
    const { shift, stride, dropRemainder } = readOptions('Dataset.window', windowOptions(), options)
    const step = shift ?? each
    const span = (each - 1) * stride + 1
    const known =
      this.size === null
        ? null
        : dropRemainder
          ? Math.max(0, Math.floor((this.size - span) / step) + 1)
          : Math.ceil(this.size / step)
    return new Dataset(known, (pass) =>
      windows(this.open(pass), { size: each, shift: step, stride, keepsRest: !dropRemainder }),
    )
  }

  /**
   * Another order: each element is drawn from `bufferSize` of them, which the next one enters. A buffer of all elements makes
   * every order as likely.
   */
  shuffle(bufferSize: number, options: ShuffleOptions = {}): Dataset<T> {
    const { seed, reshuffleEachEpoch } = readOptions('Dataset.shuffle', shuffleOptions(), options)
    const size = count.read(bufferSize, 'Dataset.shuffle: bufferSize')
    const key = seed ?? nextSeed()
    return new Dataset(this.size, (pass) => shuffled(this.open(pass), size, key, reshuffleEachEpoch ? pass : 0))
  }

  /** All elements `times` times; without end when it is left out. Every time they are shuffled anew. */
  repeat(times = Infinity): Dataset<T> {
    const own = times === Infinity ? times : integer({ min: 0 }).read(times, 'Dataset.repeat: times')
    const size =
      own === 0 ? 0 : this.size === null ? (own === Infinity ? Infinity : null) : this.size === 0 ? 0 : this.size * own
    return new Dataset(size, (pass) => repeated(this, own, pass))
  }

  /** The first elements, at most `most`. */
  take(most: number): Dataset<T> {
    const own = most === Infinity ? most : integer({ min: 0 }).read(most, 'Dataset.take: the number')
    return new Dataset(own === 0 ? 0 : this.size === null ? null : Math.min(this.size, own), (pass) =>
      limited(this.open(pass), own),
    )
  }

  /** Without the first elements. */
  skip(most: number): Dataset<T> {
    const own = integer({ min: 0 }).read(most, 'Dataset.skip: the number')
    return new Dataset(this.size === null ? null : Math.max(0, this.size - own), (pass) => {
      const from = this.open(pass)
      return { ...deferred(() => after(from.skip(own), () => from)), close: () => from.close() }
    })
  }

  /** These elements, and then others. */
  concatenate(...others: readonly Dataset<T>[]): Dataset<T> {
    const all = [this, ...others]
    if (!all.every((each) => each instanceof Dataset)) throw new ArgumentError('Dataset.concatenate: needs data sets')
    const size = all.reduce<number | null>(
      (sum, each) => (sum === null || each.size === null ? null : sum + each.size),
      0,
    )
    return new Dataset(size, (pass) => {
      let at = 0
      return chained(() => (at < all.length ? all[at++]!.open(pass) : END))
    })
  }

  /**
   * Keeps the elements of the first pass that comes to its end in memory, and gives them in every later one. What is before it in
   * the chain has one order in all passes, so that a run that goes on elsewhere finds the same; what is after it, such as shuffle,
   * is done anew every time.
   */
  cache(): Dataset<T> {
    let kept: Source<T> | null = null
    return new Dataset<T>(
      this.size,
      (pass) => kept?.open(pass) ?? recording(this.open(0), (elements) => (kept = arraySource(elements))),
    )
  }

  /**
   * Reads up to `most` elements ahead while others are used: files, streams and promises go on while a model computes. What
   * needs no waiting is not kept.
   */
  prefetch(most: number): Dataset<T> {
    const own = count.read(most, 'Dataset.prefetch: the number')
    return new Dataset(this.size, (pass) => ahead(this.open(pass), own))
  }

  /**
   * An iterator over a pass that can tell where it is, and begin there again.
   *
   *   const iterator = batches.iterator()
   *   for await (const batch of iterator) if (…) break
   *   const later = batches.iterator(iterator.state)   // goes on behind the last one taken
   */
  iterator({ pass = 0, taken = 0 }: Partial<DatasetState> = {}, options: ReadOptions = {}): DatasetIterator<T> {
    const state = {
      pass: integer({ min: 0 }).read(pass, 'Dataset.iterator: pass'),
      taken: integer({ min: 0 }).read(taken, 'Dataset.iterator: taken'),
    }
    return new DatasetIterator(this, state, readOptions('Dataset.iterator', signalOption(), options).signal)
  }

  [Symbol.asyncIterator](): DatasetIterator<T> {
    return this.nextPass({})
  }

  private nextPass(options: ReadOptions): DatasetIterator<T> {
    return this.iterator({ pass: this.passes++ }, options)
  }

  /** Calls a function with each element. */
  async forEach(visit: (element: T, index: number) => unknown, options: ReadOptions = {}): Promise<void> {
    let index = 0
    for await (const element of this.nextPass(options)) await visit(element, index++)
  }

  /** All elements of a pass. */
  async toArray(options: ReadOptions = {}): Promise<T[]> {
    if (this.size === Infinity) throw new ArgumentError('Dataset.toArray: the data set has no end. Use take.')
    const all: T[] = []
    for await (const element of this.nextPass(options)) all.push(element)
    return all
  }
}

/** Rows of tensors by their numbers: what only chooses and orders them does so with the numbers. */
class SliceDataset<T> extends Dataset<T> {
  constructor(
    private readonly numbers: Dataset<number>,
    private readonly slices: Slices,
  ) {
    super(numbers.size, (pass) => mapped(numbers.open(pass), slices.row as (i: number) => T))
  }

  override shuffle(bufferSize: number, options?: ShuffleOptions): Dataset<T> {
    return new SliceDataset(this.numbers.shuffle(bufferSize, options), this.slices)
  }

  override repeat(times?: number): Dataset<T> {
    return new SliceDataset(this.numbers.repeat(times), this.slices)
  }

  override take(most: number): Dataset<T> {
    return new SliceDataset(this.numbers.take(most), this.slices)
  }

  override skip(most: number): Dataset<T> {
    return new SliceDataset(this.numbers.skip(most), this.slices)
  }

  protected override stacked(pass: number, size: number, keepsRest: boolean): Cursor<unknown> {
    return lending((spare) =>
      grouped(this.numbers.open(pass), size, keepsRest, (rows) => this.slices.batch(rows, 'Dataset.batch', spare())),
    )
  }
}

/** One pass over a data set. */
export class DatasetIterator<T> implements AsyncIterableIterator<T> {
  private readonly cursor: Cursor<T>
  /** What was asked for last: elements are taken one after the other. */
  private last: Promise<unknown>
  private taken: number
  private readonly pass: number

  constructor(dataset: Dataset<T>, { pass, taken }: DatasetState, signal: AbortSignal | null) {
    this.pass = pass
    this.taken = taken
    this.cursor = abortable(closing(dataset.open(pass)), signal)
    this.last = Promise.resolve(taken === 0 ? undefined : this.cursor.skip(taken))
    // Whoever takes the next element is told.
    this.last.catch(() => undefined)
  }

  /** Where it is: behind the last element that was taken. */
  get state(): DatasetState {
    return { pass: this.pass, taken: this.taken }
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const next = this.last.then(() => this.take())
    this.last = next.catch(() => undefined)
    return next
  }

  private async take(): Promise<IteratorResult<T, undefined>> {
    const element = await this.cursor.next()
    if (element === END) {
      await this.cursor.close()
      return { done: true, value: undefined }
    }
    this.taken++
    return { done: false, value: element }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    await this.cursor.close()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

function requireFunction(method: string, fn: unknown): void {
  if (typeof fn !== 'function') throw new ArgumentError(`Dataset.${method}: needs a function, received ${quoted(fn)}`)
}

function groupsIn(size: number | null, each: number, dropRemainder: boolean): number | null {
  return size === null ? null : dropRemainder ? Math.floor(size / each) : Math.ceil(size / each)
}
