// Ops that sort elements or return sorted indices, as in NumPy: NaN comes last, and sorts are stable.

import { commonType } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, option } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { ArgSort, SearchSorted } from '../../primitives/sorting'
import { sliceAlong } from './along'
import type { Axis, AxisArgument, ReduceOptions } from '../arguments'
import {
  readArguments,
  readAxisOnly,
  reduceTable,
  requireInteger,
  requireList,
  requireNumber,
  resolveAxes,
} from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { add, cast, equal, isnan, logicalNot, minimum, multiply, subtract, where } from './elementwise'
import { needAlgebra } from '../families'
import { pickAlong, ravel } from './rearrange'
import { full, moveAxis, reshape, take, transpose } from './shape'
import { Tensor } from '../tensor'
import { apply } from '../trace'

/** One axis, or null for all elements in row-major order. */
type SortAxis = AxisArgument<number | null>

/** The operand and the axis to sort along. */
function alongOne(name: string, x: TensorLike, axis: SortAxis | undefined): [Tensor, number] {
  const value = asTensor(x, name)
  const given = readAxisOnly(name, axis, -1)
  return given === null
    ? [ravel(value), 0]
    : [value, normalizeAxis(name, requireInteger(`${name}: the axis`, given), value.rank)]
}

/** The indices that sort an axis, ascending or descending, as int32. */
function sortedIndices(x: Tensor, axis: number, descending: boolean): Tensor {
  needAlgebra()
  return apply('routine', [x], { routine: new ArgSort(axis, descending) })[0]!
}

/**
 * Sorts the elements along an axis, ascending; NaN last.
 * @param axis default −1; null for all elements in row-major order
 */
export function sort(x: TensorLike, axis?: SortAxis): Tensor {
  const [value, at] = alongOne('sort', x, axis)
  return pickAlong(value, sortedIndices(value, at, false), at)
}

/**
 * The indices that sort an axis in ascending order, as int32: x[argsort(x)] is sorted. Equal elements keep their order.
 * @param axis default −1; null for all elements in row-major order
 */
export function argsort(x: TensorLike, axis?: SortAxis): Tensor {
  const [value, at] = alongOne('argsort', x, axis)
  return sortedIndices(value, at, false)
}

/**
 * The k largest elements of the last axis and their indices, largest first. Of equal elements the first comes first. NaN
 * counts as the largest.
 * @returns [values […, k], indices int32 […, k]]
 * @throws ShapeError when the axis has fewer than k elements
 */
export function topK(x: TensorLike, k: number, sorted?: boolean): [values: Tensor, indices: Tensor] {
  const [value, at] = alongOne('topK', x, -1)
  boolean.read(sorted ?? true, 'topK: sorted')
  const extent = value.shape[at]!
  const count = requireInteger('topK: k', k, 0)
  if (count > extent)
    throw new ShapeError(`topK: the last axis of ${formatShape(value.shape)} has fewer than ${count} elements`)
  const indices = sliceAlong(sortedIndices(value, at, true), at, 0, count)
  return [pickAlong(value, indices, at), indices]
}

const sides = /* @__PURE__ */ choice('left', 'right')

/**
 * The positions at which values would be inserted into a sorted vector to keep it sorted, as int32.
 * @param sorted [n], ascending
 * @param side `left`: before equal elements; `right`: after them. Default left.
 */
export function searchsorted(sorted: TensorLike, values: TensorLike, side?: 'left' | 'right'): Tensor {
  const [row, value] = [asTensor(sorted, 'searchsorted'), asTensor(values, 'searchsorted')]
  if (row.rank !== 1)
    throw new ShapeError(`searchsorted: the sorted sequence must be a vector, received ${formatShape(row.shape)}`)
  const dtype = commonType([row.dtype, value.dtype])
  const isRight = sides.read(side ?? 'left', 'searchsorted: side') === 'right'
  needAlgebra()
  return apply('routine', [cast(row, dtype), cast(value, dtype)], { routine: new SearchSorted(isRight) })[0]!
}

/** The bin of each element as int32: the number of ascending `bins` that are ≤ x. */
export function digitize(x: TensorLike, bins: TensorLike): Tensor {
  return searchsorted(bins, x, 'right')
}

/**
 * Whether each element occurs in `candidates`, as bool. NaN never does.
 * @param assumeUnique whether neither operand has duplicates; does not affect the result. Default false.
 * @param invert returns whether the element does not occur. Default false.
 */
export function isin(x: TensorLike, candidates: TensorLike, assumeUnique?: boolean, invert?: boolean): Tensor {
  const [value, others] = [asTensor(x, 'isin'), ravel(asTensor(candidates, 'isin'))]
  boolean.read(assumeUnique ?? false, 'isin: assumeUnique')
  const isInverted = boolean.read(invert ?? false, 'isin: invert')
  if (others.size === 0) return full(value.shape, Number(isInverted), 'bool')
  const dtype = commonType([value.dtype, others.dtype])
  const [needle, row] = [cast(value, dtype), sort(cast(others, dtype))]
  const found = equal(take(row, minimum(searchsorted(row, needle), others.size - 1), 0), needle)
  return isInverted ? logicalNot(found) : found
}

/** How to compute a quantile that falls between two elements. */
export type QuantileMethod = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest'

export interface QuantileOptions extends ReduceOptions {
  /** Default linear. */
  readonly method?: QuantileMethod
}

const methods = /* @__PURE__ */ choice('linear', 'lower', 'higher', 'midpoint', 'nearest')

/**
 * The value below which a fraction q of the elements lies, in float32; NaN if any element is NaN.
 * @param q from 0 to 1; a list adds a leading axis to the result
 * @example ops.quantile([1, 2, 3, 4], 0.5)   // 2.5
 */
export function quantile(
  x: TensorLike,
  q: number | readonly number[],
  axis?: Axis | QuantileOptions,
  method?: QuantileMethod,
  keepDims?: boolean,
): Tensor {
  return quantileOf('quantile', x, q, axis, method, keepDims)
}

function quantileOf(
  name: string,
  x: TensorLike,
  q: unknown,
  axis?: Axis | QuantileOptions,
  method?: string,
  keepDims?: boolean,
): Tensor {
  const value = cast(asTensor(x, name), 'float32')
  const table = { axis: reduceTable.axis, method: option(methods, 'linear'), keepDims: reduceTable.keepDims }
  const read = readArguments(name, table, axis, method, keepDims)
  const axes = resolveAxes(name, read.axis, value.rank)
  const kept = value.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const shape = kept.map((i) => value.shape[i]!)
  const count = axes.reduce((size, each) => size * value.shape[each]!, 1)
  if (count === 0)
    throw new ShapeError(`${name}: ${formatShape(value.shape)} has no element along [${axes.join(', ')}]`)
  const rows = sort(reshape(transpose(value, [...kept, ...axes]), [...shape, count]))
  const shares = typeof q === 'number' ? [q] : requireList(`${name}: q`, q)
  const places = shares.map((share) => placeOf(name, share, count, read.method))
  const pick = (indices: readonly number[]): Tensor =>
    take(rows, new Tensor(Int32Array.from(indices), [indices.length], 'int32'), -1)
  const [low, high] = [pick(places.map((place) => Math.floor(place))), pick(places.map((place) => Math.ceil(place)))]
  const weight = new Tensor(
    Float32Array.from(places, (place) => place % 1),
    [places.length],
    'float32',
  )
  // Where both elements are equal, the difference is 0, because ∞ − ∞ would be NaN.
  const between = add(low, multiply(where(equal(low, high), 0, subtract(high, low)), weight))
  const all = where(isnan(sliceAlong(rows, rows.rank - 1, count - 1, 1)), NaN, between)
  const own = read.keepDims ? value.shape.map((extent, i) => (axes.includes(i) ? 1 : extent)) : shape
  return typeof q === 'number' ? reshape(all, own) : reshape(moveAxis(all, -1, 0), [shares.length, ...own])
}

/** The position of a quantile in a sorted row; between two elements if it is not an integer. */
function placeOf(name: string, share: unknown, count: number, method: QuantileMethod): number {
  const q = requireNumber(`${name}: q`, share)
  if (!(q >= 0 && q <= 1)) throw new ArgumentError(`${name}: q must be in 0 … 1, received ${q}`)
  const place = q * (count - 1)
  switch (method) {
    case 'linear':
      return place
    case 'lower':
      return Math.floor(place)
    case 'higher':
      return Math.ceil(place)
    case 'midpoint':
      return (Math.floor(place) + Math.ceil(place)) / 2
    case 'nearest':
      return place % 1 === 0.5 ? 2 * Math.round(place / 2) : Math.round(place)
  }
}

/** The middle of the sorted elements, or the mean of the two middle ones, in float32; NaN if any element is NaN. */
export function median(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: boolean): Tensor {
  return quantileOf('median', x, 0.5, axis, undefined, keepDims)
}
