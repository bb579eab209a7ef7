// ReservoirReplay: a memory of fixed size that is a uniform sample of all samples added so far.

import { ArgumentError, ShapeError, StateError, formatShape } from '../core/errors'
import {
  configured,
  Configured,
  count,
  integer,
  nullable,
  number,
  option,
  readOptions,
  required,
  type OptionInputs,
} from '../core/options'
import { dtypes, type DType } from '../core/dtypes'
import { requireSize, sameShape, sizeOf, type Shape } from '../core/shapes'
import { threefry2x32 } from '../core/threefry'
import { toTensor, type TensorLike } from '../ops/convert'
import { nextSeed } from '../ops/random/seed'
import { Tensor, type TensorData } from '../ops/tensor'

const reservoirOptions = () => ({
  /** The largest number of samples to keep. */
  capacity: required(count),
  /** Determines which samples are kept and drawn. Default null: drawn from the global seed. */
  seed: option(nullable(integer()), null),
})
export type ReservoirReplayOptions = OptionInputs<ReturnType<typeof reservoirOptions>>

const mixedOptions = () => ({
  /** The fraction of remembered samples in the result, in 0 … 1. Default 0.5. */
  share: option(number({ min: 0, below: 1 }), 0.5),
})

/** Stored rows of one tensor, in numbered places. */
class Rows {
  private readonly data: TensorData
  private readonly width: number

  constructor(
    capacity: number,
    private readonly shape: Shape,
    private readonly dtype: DType,
  ) {
    this.width = sizeOf(shape)
    requireSize('ReservoirReplay: capacity', [capacity, ...shape])
    this.data = new dtypes[dtype].array(capacity * this.width)
  }

  requireAlike(where: string, { shape, dtype }: Tensor): void {
    if (dtype === this.dtype && sameShape(shape.slice(1), this.shape)) return
    throw new ShapeError(
      `ReservoirReplay: ${where} must be rows of ${this.dtype} ${formatShape(this.shape)} as before, received ${dtype} ${formatShape(shape)}`,
    )
  }

  /** @throws ShapeError for more rows than one tensor can have */
  requireRoom(samples: number): void {
    requireSize('ReservoirReplay: samples', [samples, ...this.shape])
  }

  set(place: number, { data }: Tensor, row: number): void {
    const { width } = this
    this.data.set(data.subarray(row * width, (row + 1) * width), place * width)
  }

  /** The rows of a tensor, if any, followed by the rows stored at these places. */
  with(rows: Tensor | null, places: readonly number[]): Tensor {
    const { width, shape, dtype } = this
    const first = rows?.shape[0] ?? 0
    const joined = new dtypes[dtype].array((first + places.length) * width)
    if (rows !== null) joined.set(rows.data)
    places.forEach((place, i) =>
      joined.set(this.data.subarray(place * width, (place + 1) * width), (first + i) * width),
    )
    return new Tensor(joined, [first + places.length, ...shape], dtype)
  }
}

const ReservoirReplayBase = configured(Configured, reservoirOptions, ['capacity'])

/**
 * A memory of fixed size for sequential tasks. Each sample that was ever added is in it with the same probability:
 * sample number n takes a free place, or, with probability capacity / n, replaces a random one.
 *
 * ```ts
 * import { ReservoirReplay } from 'myelin/balance'
 * const replay = new ReservoirReplay({ capacity: 500 })
 * for (const { x, y } of tasks) {
 *   const [mixedX, mixedY] = replay.mixed(x, y) // half new samples, half remembered ones
 *   await model.fit(mixedX, mixedY)
 *   replay.add(x, y)
 * }
 * ```
 *
 * Measured use: very effective. Digits, two classes after the other (784→200→10, median of 5 seeds): the final accuracy
 * is 19.4 % without it, 82.3 % with 200 remembered samples, 88.8 % with 1000, at up to twice the steps. See
 * examples/split-digits.
 *
 * Vitter, Random sampling with a reservoir, 1985: algorithm R.
 */
export class ReservoirReplay extends ReservoirReplayBase {
  static readonly className = 'ReservoirReplay'
  private readonly key = this.seed ?? nextSeed()
  private drawn = 0
  private rows: { readonly x: Rows; readonly y: Rows } | null = null
  /** The number of samples added so far. */
  seen = 0

  /** The number of samples in the memory. */
  get size(): number {
    return Math.min(this.seen, this.capacity)
  }

  /** A random integer in 0 … below − 1. */
  private integer(below: number): number {
    const [high, low] = threefry2x32(this.key, 0, this.drawn++, 0)
    return Math.floor(((high >>> 6) * 2 ** 27 + (low >>> 5)) * 2 ** -53 * below)
  }

  /**
   * Adds samples to the memory.
   * @param x,y tensors or data with one row per sample, with the same row shapes and dtypes in every call; empty data
   * is ignored
   * @throws ShapeError for rows of another shape or dtype than before, and if x and y differ in their number of rows
   */
  add(x: TensorLike, y: TensorLike): void {
    const [inputs, targets] = pairOf(x, y)
    const { capacity } = this
    if (this.rows === null && inputs.shape[0] === 0) return
    this.rows ??= { x: rowsLike(capacity, inputs), y: rowsLike(capacity, targets) }
    this.requireAlike(inputs, targets)
    for (let row = 0; row < inputs.shape[0]!; row++) {
      const place = this.seen < capacity ? this.seen : this.integer(this.seen + 1)
      this.seen++
      if (place >= capacity) continue
      this.rows.x.set(place, inputs, row)
      this.rows.y.set(place, targets, row)
    }
  }

  /**
   * Remembered samples, drawn with replacement.
   * @throws StateError before any sample was added
   */
  sample(samples: number): [x: Tensor, y: Tensor] {
    count.read(samples, 'ReservoirReplay: sample')
    if (this.rows === null) throw new StateError('ReservoirReplay: nothing was added yet')
    const places = this.draw(samples)
    return [this.rows.x.with(null, places), this.rows.y.with(null, places)]
  }

  /** New samples followed by remembered ones; only the new ones if the memory is empty. */
  mixed(
    x: TensorLike,
    y: TensorLike,
    options: OptionInputs<ReturnType<typeof mixedOptions>> = {},
  ): [x: Tensor, y: Tensor] {
    const { share } = readOptions('ReservoirReplay: mixed', mixedOptions(), options)
    const [inputs, targets] = pairOf(x, y)
    if (this.rows === null) return [inputs, targets]
    this.requireAlike(inputs, targets)
    const places = this.draw(Math.round((inputs.shape[0]! * share) / (1 - share)))
    return [this.rows.x.with(inputs, places), this.rows.y.with(targets, places)]
  }

  private draw(samples: number): number[] {
    this.rows!.x.requireRoom(samples)
    this.rows!.y.requireRoom(samples)
    return Array.from({ length: samples }, () => this.integer(this.size))
  }

  private requireAlike(x: Tensor, y: Tensor): void {
    this.rows!.x.requireAlike('x', x)
    this.rows!.y.requireAlike('y', y)
  }
}

function rowsLike(capacity: number, { shape, dtype }: Tensor): Rows {
  return new Rows(capacity, shape.slice(1), dtype)
}

function pairOf(x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const [inputs, targets] = [toTensor(x, 'ReservoirReplay: x'), toTensor(y, 'ReservoirReplay: y')]
  const [rows, others] = [inputs.shape[0], targets.shape[0]]
  if (rows === undefined || others === undefined)
    throw new ArgumentError('ReservoirReplay: x and y must have a row for each sample')
  if (rows !== others) throw new ShapeError(`ReservoirReplay: x has ${rows} rows and y ${others}`)
  return [inputs, targets]
}
