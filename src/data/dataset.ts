// Dataset: a sequence of elements, and its transformations on the way to a model. Nothing is read before a pass begins,
// and only what the transformations need is in memory. The passes are in cursors.ts.

import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, quoted } from '../core/errors'
import { count, integer, readOptions } from '../core/options'
import type { TensorLike } from '../ops/convert'
import { nextSeed } from '../ops/random/seed'
import type { Tensor } from '../ops/tensor'
import { abortable, abortableSource, signalOption, type ReadOptions } from './samples/abort'
import { collate, type Batched, type Padding } from './samples/collate'
import {
  ahead,
  batched,
  bucketed,
  chained,
  closing,
  filtered,
  gather,
  inBlocks,
  limited,
  mapped,
  mappedInParallel,
  numberedSource,
  recording,
  repeated,
  shuffled,
  skipping,
  windows,
  zipped,
} from './cursors'
import {
  batchOptions,
  bucketOptions,
  mapOptions,
  paddedOptions,
  shuffleOptions,
  windowOptions,
  type BatchOptions,
  type BucketOptions,
  type MapOptions,
  type PaddedBatchOptions,
  type ShuffleOptions,
  type WindowOptions,
} from './dataset-options'
import { keepingDoubles } from './samples/doubles'
import { exactRowsOf } from './samples/row-block'
import { slicesOf } from './slices'
import { after, type Soon } from '../core/soon'
import { END, indexedSource, passAs, sourceOf, type Cursor, type ElementsOrMaker, type Source } from './samples/source'
import { stackSafe } from './stack-safe'

/** The type of the rows of tensors: numbers if a row is one, otherwise tensors. */
export type RowOf<Columns> = Columns extends readonly string[]
  ? string
  : Columns extends TensorLike
    ? Columns extends readonly number[] | readonly boolean[]
      ? number
      : Tensor | number
    : { [Key in keyof Columns]: RowOf<Columns[Key]> }

/** The position of a pass: `dataset.iterator(state)` continues there. */
export interface DatasetState {
  /** The number of the pass, which determines the order of shuffled elements. */
  readonly pass: number
  /** The number of elements taken. */
  readonly taken: number
}

/**
 * A sequence of elements, such as rows for a model. `fit`, `evaluate` and `predict` take a data set of batches: `x`,
 * `[x, y]`, `[x, y, sampleWeight]`, or records `{ x, y, sampleWeight }`.
 *
 *   const rows = Dataset.from(readRows)                    // an array, an (async) generator function, a stream …
 *   const batches = rows.map(({ size, price }) => [[size], price]).shuffle(1000).batch(32)
 *   await model.fit(batches, { epochs: 5 })
 *
 * It reads lazily, so it may be of any length; a pass only keeps a batch and the buffer of `shuffle` in memory. A data
 * set can be read many times, also by two readers at once. Methods return a new data set and do not change this one.
 *
 * A batch stacks its elements leaf by leaf: numbers, lists of numbers and tensors become tensors with an additional
 * first axis, strings become lists, and records and lists of them keep their structure. A list of only numbers, or of
 * only strings, is a row of a tensor: write a pair of numbers as { x: 1, y: 0 }, not as [1, 0].
 */
export class Dataset<T> implements AsyncIterable<T>, Source<T> {
  /** The number of passes that iteration has begun. */
  private passes = 0

  /** `Dataset of 100 elements` */
  toString(): string {
    const { size } = this
    if (size === null) return `${this.constructor.name} of an unknown number of elements`
    const count = size === Infinity ? 'endless' : String(size)
    return `${this.constructor.name} of ${count} ${size === 1 ? 'element' : 'elements'}`
  }

  /** Use `Dataset.from`; readers of files have subclasses. */
  protected constructor(
    /** The number of elements of a pass: Infinity for an endless one, null if unknown. */
    readonly size: number | null,
    /** Begins a pass; see `Source.open`. */
    readonly open: (pass: number, ahead?: number) => Cursor<T>,
  ) {}

  /**
   * The elements of an array, an iterable, an async iterable, or a stream of Node or of the web. A function is called
   * for every pass: only with a function can a generator or a stream be read again.
   */
  static from<T>(elements: ElementsOrMaker<T>, options: ReadOptions = {}): Dataset<T> {
    requireArguments('Dataset.from', arguments, 2)
    const { signal } = readOptions('Dataset.from', signalOption(), options)
    if (elements instanceof Dataset && signal === null) return elements
    return Dataset.of(abortableSource(sourceOf(elements, 'Dataset.from'), signal))
  }

  /** @internal */
  static of<T>({ size, open }: Source<T>): Dataset<T> {
    return new Dataset(size, (pass, ahead) => open(pass, ahead))
  }

  /**
   * The rows of tensors that have equally many rows.
   *
   *   Dataset.fromTensorSlices({ x: pixels, y: labels })   // elements { x: Tensor, y: number }
   *
   * tf.data: `from_tensor_slices`.
   * @throws ShapeError for different numbers of rows, DataError for data that are not a tensor
   */
  static fromTensorSlices<const Columns>(columns: Columns): Dataset<RowOf<Columns>> {
    requireArguments('Dataset.fromTensorSlices', arguments, 1)
    return datasetOf(numberedSource(slicesOf(columns, 'Dataset.fromTensorSlices')))
  }

  /** start, start + step, … below stop. */
  static range(start: number, stop?: number, step = 1): Dataset<number> {
    requireArguments('Dataset.range', arguments, 3)
    const [from, to] = stop === undefined ? [0, start] : [start, stop]
    if (![from, to, step].every(Number.isFinite) || step === 0)
      throw new ArgumentError(
        `Dataset.range: needs finite numbers and a step that is not 0, received ${[from, to, step].map(quoted).join(', ')}`,
      )
    return Dataset.of(indexedSource(Math.max(0, Math.ceil((to - from) / step)), (i) => from + i * step))
  }

  /** Combines one element of each data set, until one of them ends: a list for a list, a record for a record. */
  static zip<const Parts extends { readonly [key: string]: Dataset<unknown> } | readonly Dataset<unknown>[]>(
    parts: Parts,
  ): Dataset<{ -readonly [Key in keyof Parts]: Parts[Key] extends Dataset<infer Element> ? Element : never }> {
    requireArguments('Dataset.zip', arguments, 1)
    const all = Object.values<Dataset<unknown>>({ ...parts })
    if (all.length === 0 || !all.every((each) => each instanceof Dataset))
      throw new ArgumentError('Dataset.zip: needs data sets, in a list or a record')
    const keys = Object.keys(parts)
    const name = (elements: unknown[]): unknown =>
      Array.isArray(parts) ? elements : Object.fromEntries(keys.map((key, i) => [key, elements[i]]))
    const sizes = all.map(({ size }) => size)
    return datasetOf({
      size: sizes.every((size) => size !== null) ? Math.min(...sizes) : null,
      open: (pass, ahead) => mapped(zipped(all.map((each) => each.open(pass, ahead))), name),
    })
  }

  /**
   * Maps each element with a function, which may return a promise.
   * @param fn gets the element and its index in the pass
   */
  map<To>(fn: (element: T, index: number) => To | Promise<To>, options: MapOptions = {}): Dataset<Awaited<To>> {
    requireArguments('Dataset.map', arguments, 2)
    requireFunction('map', fn)
    const { parallel } = readOptions('Dataset.map', mapOptions(), options)
    return new Dataset(this.size, (pass, ahead) => {
      const from = this.open(pass, ahead)
      return passAs(parallel === 1 ? mapped(from, fn) : mappedInParallel(from, fn, parallel))
    })
  }

  /** The elements for which a function returns true. */
  filter(keep: (element: T, index: number) => boolean | Promise<boolean>): Dataset<T> {
    requireArguments('Dataset.filter', arguments, 1)
    requireFunction('filter', keep)
    return new Dataset<T>(null, (pass, ahead) => filtered(this.open(pass, ahead), keep))
  }

  /** All elements that a function returns for each element: those of an array, an iterable, a data set. */
  flatMap<To>(fn: (element: T) => Soon<ElementsOrMaker<To>>): Dataset<To> {
    requireArguments('Dataset.flatMap', arguments, 1)
    requireFunction('flatMap', fn)
    return new Dataset<To>(null, (pass, ahead) => {
      const from = this.open(pass, ahead)
      const all = chained<To>(() =>
        after(from.next(), (element) =>
          element === END ? END : after(fn(element), (made) => sourceOf(made, 'Dataset.flatMap').open(pass, ahead)),
        ),
      )
      return { ...all, close: () => after(all.close(), () => from.close()) }
    })
  }

  /** Each element with its index: [0, first], [1, second] … */
  enumerate(): Dataset<[number, T]> {
    requireArguments('Dataset.enumerate', arguments, 0)
    return this.map((element, index): [number, T] => [index, element]) as Dataset<[number, T]>
  }

  /**
   * Batches of `size` elements; the last one may be smaller.
   * @throws DataError if elements of a pass differ in structure or shape
   */
  batch(size: number, options: BatchOptions = {}): Dataset<Batched<T>> {
    requireArguments('Dataset.batch', arguments, 2)
    const { dropRemainder } = readOptions('Dataset.batch', batchOptions(), options)
    return this.batches('Dataset.batch', size, dropRemainder, null)
  }

  /**
   * Batches whose elements may differ in their extents, but not in their number of axes: short ones are padded at the
   * end. `new Embedding({ …, maskZero: true })` masks the zeros.
   */
  paddedBatch(size: number, options: PaddedBatchOptions = {}): Dataset<Batched<T>> {
    requireArguments('Dataset.paddedBatch', arguments, 2)
    const { dropRemainder, padValue, padToMultipleOf } = readOptions('Dataset.paddedBatch', paddedOptions(), options)
    return this.batches('Dataset.paddedBatch', size, dropRemainder, { value: padValue, multiple: padToMultipleOf })
  }

  private batches(where: string, size: number, dropRemainder: boolean, padding: Padding | null): Dataset<Batched<T>> {
    const each = count.read(size, `${where}: the size`)
    const batching = { where, size: each, keepsRest: !dropRemainder, padding }
    return new Dataset(groupsIn(this.size, each, dropRemainder), (pass, ahead = 0) =>
      passAs(batched(this.open(pass, ahead * each), batching)),
    )
  }

  /**
   * Padded batches of elements with similar lengths, so that there is little padding. A batch is emitted when its
   * bucket is full.
   *
   *   sentences.bucketByLength(({ x }) => x.length, { boundaries: [10, 20, 40], batchSize: [64, 32, 16, 8] })
   *
   * tf.data: `bucket_by_sequence_length`.
   */
  bucketByLength(lengthOf: (element: T) => number, options: BucketOptions): Dataset<Batched<T>> {
    requireArguments('Dataset.bucketByLength', arguments, 2)
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
    return new Dataset(null, (pass, ahead) =>
      passAs(
        mapped(bucketed(this.open(pass, ahead), { bucketOf, sizes, keepsRest: !dropRemainder }), (elements) =>
          collate(elements, 'Dataset.bucketByLength', padding),
        ),
      ),
    )
  }

  /** The rows of batches: the inverse of `batch`. */
  unbatch(): Dataset<RowOf<T>> {
    requireArguments('Dataset.unbatch', arguments, 0)
    return datasetOf(this.flatMap<unknown>((batch) => Dataset.fromTensorSlices(batch)))
  }

  /**
   * Lists of `size` consecutive elements.
   *
   *   Dataset.range(5).window(3, { shift: 1 })   // [0, 1, 2], [1, 2, 3], [2, 3, 4]
   */
  window(size: number, options: WindowOptions = {}): Dataset<T[]> {
    requireArguments('Dataset.window', arguments, 2)
    const each = count.read(size, 'Dataset.window: the size')
    const { shift, stride, dropRemainder } = readOptions('Dataset.window', windowOptions(), options)
    const step = shift ?? each
    const span = (each - 1) * stride + 1
    const countIn = (size: number): number =>
      dropRemainder ? Math.max(0, Math.floor((size - span) / step) + 1) : Math.ceil(size / step)
    return new Dataset(this.size === null ? null : countIn(this.size), (pass, ahead) =>
      windows(this.open(pass, ahead), { size: each, shift: step, stride, keepsRest: !dropRemainder }),
    )
  }

  /**
   * Random order: each element is drawn from a buffer of `bufferSize`, and the next one takes its place. With a buffer
   * of all elements, every order is equally likely.
   */
  shuffle(bufferSize: number, options: ShuffleOptions = {}): Dataset<T> {
    requireArguments('Dataset.shuffle', arguments, 2)
    const { seed, reshuffleEachEpoch } = readOptions('Dataset.shuffle', shuffleOptions(), options)
    const size = count.read(bufferSize, 'Dataset.shuffle: bufferSize')
    const key = seed ?? nextSeed()
    return new Dataset(this.size, (pass, ahead) =>
      shuffled(this.open(pass, ahead), size, key, reshuffleEachEpoch ? pass : 0),
    )
  }

  /** All elements `times` times; endless by default. Each time, shuffled elements get another order. */
  repeat(times = Infinity): Dataset<T> {
    requireArguments('Dataset.repeat', arguments, 1)
    const count = times === Infinity ? times : integer({ min: 0 }).read(times, 'Dataset.repeat: times')
    return new Dataset(repeatedSize(this.size, count), (pass, ahead) =>
      repeated({ size: this.size, open: (each) => this.open(each, ahead) }, count, pass),
    )
  }

  /** The first `most` elements. */
  take(most: number): Dataset<T> {
    requireArguments('Dataset.take', arguments, 1)
    const limit = most === Infinity ? most : integer({ min: 0 }).read(most, 'Dataset.take: the number')
    const size = this.size === null ? null : Math.min(this.size, limit)
    return new Dataset(limit === 0 ? 0 : size, (pass, ahead) => limited(this.open(pass, ahead), limit))
  }

  /** All but the first `most` elements. */
  skip(most: number): Dataset<T> {
    requireArguments('Dataset.skip', arguments, 1)
    const skipped = integer({ min: 0 }).read(most, 'Dataset.skip: the number')
    return new Dataset(this.size === null ? null : Math.max(0, this.size - skipped), (pass, ahead) =>
      skipping(this.open(pass, ahead), skipped),
    )
  }

  /** These elements, followed by those of other data sets. */
  concatenate(...others: readonly Dataset<T>[]): Dataset<T> {
    const all = [this, ...others]
    if (!all.every((each) => each instanceof Dataset)) throw new ArgumentError('Dataset.concatenate: needs data sets')
    const size = all.reduce<number | null>(
      (sum, each) => (sum === null || each.size === null ? null : sum + each.size),
      0,
    )
    return new Dataset(size, (pass, ahead) => {
      let at = 0
      return chained(() => (at < all.length ? all[at++]!.open(pass, ahead) : END))
    })
  }

  /**
   * Keeps the elements of the first complete pass in memory, and returns them in every later pass. Transformations
   * before it have the same order in all passes, so that a resumed run finds the same; those after it, such as shuffle,
   * run in every pass.
   */
  cache(): Dataset<T> {
    requireArguments('Dataset.cache', arguments, 0)
    let kept: Source<T> | null = null
    return new Dataset<T>(
      this.size,
      (pass, ahead) => kept?.open(pass) ?? recording(this.open(0, ahead), (rows) => (kept = rows)),
    )
  }

  /**
   * Reads up to `most` elements ahead: files, streams and promises proceed while a model computes. Elements that are
   * available at once are not kept. In Node, the pictures of `imageFolder` are then decoded in worker threads.
   */
  prefetch(most: number): Dataset<T> {
    requireArguments('Dataset.prefetch', arguments, 1)
    const kept = count.read(most, 'Dataset.prefetch: the number')
    return new Dataset(this.size, (pass, before = 0) => ahead(this.open(pass, before + kept), kept))
  }

  /** The source for a reader that is not another data set. @internal */
  get outermost(): Source<T> {
    return stackSafe<T>(this)
  }

  /**
   * An iterator over a pass that reports its position and can resume there.
   *
   *   const iterator = batches.iterator()
   *   for await (const batch of iterator) if (…) break
   * const later = batches.iterator(iterator.state)   // continues after the last one taken
   */
  iterator(position: Partial<DatasetState> = {}, options: ReadOptions = {}): DatasetIterator<T> {
    requireArguments('Dataset.iterator', arguments, 2)
    if (typeof position !== 'object' || position === null)
      throw new ArgumentError(`Dataset.iterator: expected a position { pass, taken }, received ${quoted(position)}`)
    const { pass = 0, taken = 0 } = position
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
    requireArguments('Dataset.forEach', arguments, 2)
    let index = 0
    for await (const element of this.nextPass(options)) await visit(element, index++)
  }

  /** All elements of a pass. */
  async toArray(options: ReadOptions = {}): Promise<T[]> {
    requireArguments('Dataset.toArray', arguments, 1)
    requireEnd(this, 'Dataset.toArray')
    const all: T[] = []
    for await (const element of this.nextPass(options)) all.push(element)
    return all
  }

  /**
   * Writes all elements to a file that other programs read (Node). Elements are single rows: of batches, save `unbatch()`.
   *
   *   await rows.save('train.npz')                          // arrays x, y, sample_weight, or x/image of records
   *   await rows.save('train.csv')                          // a column per number: x_0, x_1, y
   *   await pictures.save('pictures/')                      // [image, class]: pictures/cat/001.png
   *
   * `grow/train.py` reads all three; see docs/growing-out.md. All elements are in memory at once.
   * @throws DataError for elements of different shapes, and for those that the format cannot hold; ArgumentError for another path
   */
  async save(path: string | URL, options: ReadOptions = {}): Promise<void> {
    requireArguments('Dataset.save', arguments, 2)
    // Loaded with the first call: pages have no files to write.
    const { saveElements } = await import('./save-dataset')
    await keepingDoubles(async () => saveElements(await this.exact(options), path))
  }

  /** All elements of a pass for a file: no number loses digits or its dtype. */
  private async exact(options: ReadOptions): Promise<unknown[]> {
    requireEnd(this, 'Dataset.save')
    const { signal } = readOptions('Dataset.save', signalOption(), options)
    const rows = passOf(this, this.passes++, signal)
    const all: unknown[] = []
    try {
      await gather(inBlocks(rows), Infinity, (block) => void all.push(...exactRowsOf(block)))
    } finally {
      await rows.close()
    }
    return all
  }
}

function requireEnd({ size }: { readonly size: number | null }, where: string): void {
  if (size === Infinity) throw new ArgumentError(`${where}: the data set has no end. Use take.`)
}

/** A data set of elements of a type that `passAs` gives them. */
export function datasetOf<T>({ size, open }: Source): Dataset<T> {
  return Dataset.of({ size, open: (pass, ahead) => passAs<T>(open(pass, ahead)) })
}

/** One pass over a data set. */
export class DatasetIterator<T> implements AsyncIterableIterator<T> {
  private readonly cursor: Cursor<T>
  /** The last request: elements are taken one after the other. */
  private last: Promise<unknown>
  private taken: number
  private readonly pass: number

  constructor(dataset: Dataset<T>, { pass, taken }: DatasetState, signal: AbortSignal | null) {
    this.pass = pass
    this.taken = taken
    this.cursor = passOf(dataset, pass, signal)
    this.last = Promise.resolve(taken === 0 ? undefined : this.cursor.skip(taken))
    // The next call of `next` throws the error.
    this.last.catch(() => undefined)
  }

  /** The position: after the last element taken. */
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

function passOf<T>({ outermost }: Dataset<T>, pass: number, signal: AbortSignal | null): Cursor<T> {
  return abortable(closing(outermost.open(pass)), signal)
}

function requireFunction(method: string, fn: unknown): void {
  if (typeof fn !== 'function') throw new ArgumentError(`Dataset.${method}: needs a function, received ${quoted(fn)}`)
}

function groupsIn(size: number | null, each: number, dropRemainder: boolean): number | null {
  if (size === null) return null
  return dropRemainder ? Math.floor(size / each) : Math.ceil(size / each)
}

function repeatedSize(size: number | null, times: number): number | null {
  if (times === 0 || size === 0) return 0
  if (times === Infinity) return Infinity
  return size === null ? null : size * times
}
