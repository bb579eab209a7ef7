// The distinct elements of a tensor, or its distinct slices along an axis.

import { axis, operand, operandOrNull, whole } from '../kinds'
import { arg, opOf, optional } from '../op'
import { ShapeError, StateError, formatShape } from '../../core/errors'
import { boolean, nullable } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { sliceAlong, takeAlong } from './along'
import { requireShape } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import { cast, isnan, less, logicalAnd, logicalNot, logicalOr, notEqual, subtract, where } from './elementwise'
import { pickAlong, ravel } from './rearrange'
import { any, cumsum } from './reduce'
import { arange, broadcastTo, concatenate, full, moveAxis, reshape, scatterAdd, take } from './shape'
import { argsort, searchsorted } from './sorting'
import { Tensor } from '../tensor'
import { together } from '../trace'

export interface UniqueOptions {
  /** Whether the result is ascending. It always is, so this does not affect it. Default true. */
  readonly sorted?: boolean
  /** Whether to return the position of the first occurrence of each value in x. Default false. */
  readonly returnIndex?: boolean
  /** Whether to return the position in the result of each element of x. Default false. */
  readonly returnInverse?: boolean
  /** Whether to return how often each value occurs. Default false. */
  readonly returnCounts?: boolean
  /** The axis whose slices are compared; null for the elements of x. Default null. */
  readonly axis?: number | null
  /** The number of values of the result: the first ones, or all and then `fillValue`. Default null: as many as there are. */
  readonly size?: number | null
  /** What fills the result up to `size`, with the counts 0. Default null: the first value. */
  readonly fillValue?: TensorLike | null
}

/** Options that return the values alone. */
type Values = UniqueOptions & {
  readonly returnIndex?: false
  readonly returnInverse?: false
  readonly returnCounts?: false
}

/** Options that return a list. */
type Lists = UniqueOptions &
  ({ readonly returnIndex: true } | { readonly returnInverse: true } | { readonly returnCounts: true })

/** The signatures of `unique`. */
interface Unique {
  /**
   * The distinct elements of x, ascending. NaN differs from NaN.
   *
   * The length of the result depends on data, so a traced function must give the length as `size`.
   * @param sorted whether the result is ascending. It always is. Default true.
   * @param returnIndex whether to return the position of the first occurrence of each value in x. Default false.
   * @param returnInverse whether to return the position in the result of each element of x. Default false.
   * @param returnCounts whether to return how often each value occurs. Default false.
   * @param axis whose slices are compared instead of elements, in lexicographic order. Default null.
   * @param size the number of values of the result: the first ones, or all and then `fillValue`. Default null: as many as
   *   there are.
   * @param fillValue default null: the first value
   * @returns the values [size], or the list of values, indices [size], inverse and counts [size], of those requested
   * @throws StateError without `size` in a traced function
   * @example ops.unique([3, 1, 2, 1])   // [1, 2, 3]
   */
  (
    x: TensorLike,
    sorted?: boolean | Values,
    returnIndex?: false,
    returnInverse?: false,
    returnCounts?: false,
    axis?: number | null,
    size?: number | null,
    fillValue?: TensorLike | null,
  ): Tensor
  (
    x: TensorLike,
    sorted: boolean | Lists,
    returnIndex?: boolean,
    returnInverse?: boolean,
    returnCounts?: boolean,
    axis?: number | null,
    size?: number | null,
    fillValue?: TensorLike | null,
  ): Tensor[]
  (x: TensorLike, sorted?: UniqueOptions): Tensor | Tensor[]
}

export const unique = opOf<Unique>(
  () => [
    arg('x', operand),
    optional('sorted', boolean),
    optional('returnIndex', boolean),
    optional('returnInverse', boolean),
    optional('returnCounts', boolean),
    optional('axis', nullable(axis)),
    optional('size', nullable(whole(0))),
    optional('fillValue', operandOrNull),
  ],
  {
    unique(
      x: TensorLike,
      _sorted = true,
      returnIndex = false,
      returnInverse = false,
      returnCounts = false,
      axis: number | null = null,
      size: number | null = null,
      fillValue: TensorLike | null = null,
    ): Tensor | Tensor[] {
      const value = asTensor(x, 'unique')
      const rows = axis === null ? ravel(value) : moveAxis(value, normalizeAxis('unique', axis, value.rank), 0)
      const found = distinct(rows, size, fillValue)
      const inverse = returnInverse ? [found.inverse()] : []
      const others = [
        ...(returnIndex ? [found.first] : []),
        ...inverse.map((each) => (axis === null ? reshape(each, value.shape) : each)),
        ...(returnCounts ? [found.counts] : []),
      ]
      const values = axis === null ? found.values : moveAxis(found.values, 0, axis)
      return others.length === 0 ? values : [values, ...others]
    },
  },
)

interface Distinct {
  readonly values: Tensor
  readonly first: Tensor
  readonly inverse: () => Tensor
  readonly counts: Tensor
}

/** The distinct slices along the first axis. */
function distinct(rows: Tensor, size: number | null, fill: TensorLike | null): Distinct {
  const count = rows.shape[0]!
  if (count === 0) return empty(rows, size, fill)
  const flat = reshape(rows, [count, rows.size / count])
  const key = rows.rank === 1 ? rows : ranksOf(flat)
  const results = together('unique', rows.dtype === 'float32' ? [key, flat] : [key], ([keys, x]) => {
    const order = argsort(keys!)
    const sorted = takeAlong(keys!, order, 0)
    const isNew = notEqual(after(sorted), before(sorted))
    // A slice with NaN differs from all others.
    const isOther = x === undefined ? isNew : logicalOr(isNew, after(takeAlong(any(isnan(x), 1), order, 0)))
    return [order, numbered(isOther)]
  })
  const [order, numbers] = exactly(results, 2)
  const places = arange(0, requireShape('unique', [size ?? lengthFrom(numbers)])[0], 1, 'int32')
  const start = searchsorted(numbers, places)
  const counts = subtract(searchsorted(numbers, places, 'right'), start)
  const isFound = less(0, counts)
  const first = take(order, where(isFound, start, 0), 0)
  const values = take(rows, first, 0)
  return {
    values: fill === null ? values : where(beside(isFound, rows), values, filling(fill, rows)),
    first,
    inverse: () => scatterAdd(numbers, order, count),
    counts,
  }
}

/** The distinct slices of a tensor without slices. */
function empty(rows: Tensor, size: number | null, fill: TensorLike | null): Distinct {
  const none = full(requireShape('unique', [size ?? 0]), 0, 'int32')
  if (none.size > 0 && fill === null)
    throw new ShapeError(`unique: ${formatShape(rows.shape)} has no values, so size ${none.size} needs a fillValue`)
  const shape = requireShape('unique', [none.size, ...rows.shape.slice(1)])
  const values = fill === null ? full(shape, 0, rows.dtype) : broadcastTo(filling(fill, rows), shape)
  return { values, first: none, inverse: () => full([0], 0, 'int32'), counts: none }
}

const filling = (fill: TensorLike, rows: Tensor): Tensor => cast(asTensor(fill, 'unique: fillValue'), rows.dtype)

/** A vector with further axes of extent 1, so that it broadcasts with rows. */
const beside = (x: Tensor, rows: Tensor): Tensor => reshape(x, [x.size, ...rows.shape.slice(1).map(() => 1)])

/** The last and largest number, plus one. @throws StateError for a symbol */
function lengthFrom(numbers: Tensor): number {
  if (Tensor.symbolOf(numbers) === null) return numbers.data.at(-1)! + 1
  throw new StateError(
    'unique: the shape of the result depends on data, which a traced function does not have. Give the number of values as size',
  )
}

const after = (x: Tensor): Tensor => sliceAlong(x, 0, 1, x.shape[0]! - 1)
const before = (x: Tensor): Tensor => sliceAlong(x, 0, 0, x.shape[0]! - 1)

/** Numbers elements along the first axis from 0, by whether each after the first is new. */
function numbered(isNew: Tensor): Tensor {
  return cumsum(concatenate([full([1, ...isNew.shape.slice(1)], 0, 'int32'), cast(isNew, 'int32')], 0), 0)
}

/**
 * [n, m] → int32 [n]: the position of each row among the distinct rows in lexicographic order. First those of the elements
 * in their columns; then neighbouring columns become one, until one is left. NaN equals NaN.
 */
function ranksOf(rows: Tensor): Tensor {
  const count = rows.shape[0]!
  if (rows.size === 0) return full([count], 0, 'int32')
  let ranks = ranksBy([rows])
  for (let width = ranks.shape[1]!; width > 1; width = ranks.shape[1]!) {
    const half = width >> 1
    const pairs = reshape(sliceAlong(ranks, 1, 0, 2 * half), [count, half, 2])
    const part = (i: number): Tensor => reshape(sliceAlong(pairs, 2, i, 1), [count, half])
    const joined = ranksBy([part(0), part(1)])
    ranks = width % 2 === 0 ? joined : concatenate([joined, sliceAlong(ranks, 1, width - 1, 1)], 1)
  }
  return reshape(ranks, [count])
}

/** The positions among the distinct elements of each column, ordered by the first key, then by the next. */
function ranksBy(keys: readonly Tensor[]): Tensor {
  const order = keys.reduceRight<Tensor | null>(
    (order, key) => (order === null ? argsort(key, 0) : pickAlong(order, argsort(pickAlong(key, order, 0), 0), 0)),
    null,
  )!
  const isNew = keys.map((key) => {
    const sorted = pickAlong(key, order, 0)
    const [a, b] = [after(sorted), before(sorted)]
    return logicalAnd(notEqual(a, b), logicalNot(logicalAnd(isnan(a), isnan(b))))
  })
  return pickAlong(numbered(isNew.reduce((a, b) => logicalOr(a, b))), argsort(order, 0), 0)
}
