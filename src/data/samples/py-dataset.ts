// PyDataset: batches by their index, which a user's class makes. Keras: keras.utils.PyDataset.

import { ArgumentError, quoted } from '../../core/errors'
import { boolean, count, idle, option, readOptions, type OptionInputs } from '../../core/options'
import { permutation } from '../../ops/random/random'
import { nextSeed } from '../../ops/random/seed'
import type { BatchData } from './data-types'
import { after, isPromise, type Soon } from '../../core/soon'
import { END, type Cursor, type Source } from './source'

const pyDatasetOptions = () => ({
  /** The number of batches that are made at the same time, if `getItem` returns promises. Default 1. */
  workers: option(count, 1),
  /** Changes nothing: batches are made in this thread, and `workers` counts promises. true warns. Default false. */
  useMultiprocessing: option(idle(boolean, [false], 'batches are made in this thread'), false),
  /** The largest number of batches that are made but not used yet. Default 10. */
  maxQueueSize: option(count, 10),
})
export type PyDatasetOptions = OptionInputs<ReturnType<typeof pyDatasetOptions>>

/**
 * Batches by their index. Subclass it, with `length` and `getItem`:
 *
 *   class Photos extends PyDataset {
 *     get length() { return Math.ceil(paths.length / 32) }
 *     async getItem(index) {
 *       const batch = paths.slice(32 * index, 32 * (index + 1))
 *       return [await Promise.all(batch.map(read)), batch.map(labelOf)]
 *     }
 *   }
 *   await model.fit(new Photos({ workers: 4 }), { epochs: 5 })
 *
 * `fit` takes the batches of each epoch in a new order, unless `shuffle: false`; `evaluate` and `predict` in theirs.
 *
 * Keras: `keras.utils.PyDataset`.
 */
export abstract class PyDataset<Item = BatchData> implements Source<Item> {
  readonly workers: number
  readonly useMultiprocessing: boolean
  readonly maxQueueSize: number

  constructor(options: PyDatasetOptions = {}) {
    const read = readOptions(new.target.name, pyDatasetOptions(), options)
    this.workers = read.workers
    this.useMultiprocessing = read.useMultiprocessing
    this.maxQueueSize = read.maxQueueSize
  }

  /** The number of batches of an epoch; Infinity for endless ones. */
  abstract get length(): number

  /** A batch, or a promise of it: x, [x, y], or [x, y, sampleWeight]. */
  abstract getItem(index: number): Item | Promise<Item>

  /** Called before the first batch of each pass. */
  onEpochBegin(): void {}

  /** Called after the last batch of each pass. */
  onEpochEnd(): void {}

  /** `length`. Keras: `PyDataset.num_batches`. */
  get numBatches(): number {
    return this.length
  }

  /** `length`, checked. */
  get size(): number {
    const { length } = this
    if (length === Infinity || (Number.isSafeInteger(length) && length >= 0)) return length
    throw new ArgumentError(
      `${this.constructor.name}: length must be an integer ≥ 0 or Infinity, received ${quoted(length)}`,
    )
  }

  /** A pass in the order of the indices. */
  open(): Cursor<Item> {
    return new PyCursor(this, null)
  }

  /** The same batches, in a new order for each pass. @internal */
  shuffled(): Source<Item> {
    const seed = nextSeed()
    return {
      size: this.size,
      open: (pass) => new PyCursor(this, this.size === Infinity ? null : permutation(this.size, (seed + pass) | 0)),
    }
  }
}

class PyCursor<Item> implements Cursor<Item> {
  private readonly size: number
  /** The batches that are being made or wait, the next one first. */
  private readonly queue: Soon<Item>[] = []
  private at = 0
  private isOpen = true

  constructor(
    private readonly items: PyDataset<Item>,
    private readonly order: Int32Array | null,
  ) {
    this.size = items.size
    items.onEpochBegin()
  }

  next(): Soon<Item | typeof END> {
    const { items, queue } = this
    const most = Math.min(items.workers, items.maxQueueSize)
    // Batches that are available at once are made one by one.
    while (this.at < this.size && (queue.length === 0 || (queue.length < most && isPromise(queue.at(-1)!)))) {
      const made = items.getItem(this.order?.[this.at] ?? this.at)
      this.at++
      // The reader of this batch gets the error; until then, it is not unhandled.
      if (isPromise(made)) made.catch(() => undefined)
      queue.push(made)
    }
    if (queue.length > 0) return queue.shift()!
    this.end()
    return END
  }

  skip(count: number): Soon<void> {
    const ready = Math.min(count, this.queue.length)
    void this.queue.splice(0, ready)
    this.at = Math.min(this.size, this.at + count - ready)
  }

  close(): Soon<void> {
    return after(undefined, () => undefined)
  }

  private end(): void {
    if (this.isOpen) this.items.onEpochEnd()
    this.isOpen = false
  }
}
