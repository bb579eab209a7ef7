// Ops that sort elements or return sorted indices, as in NumPy: NaN comes last, and sorts are stable.

import { commonType } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, option } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { ArgSort, SearchSorted, SortedValues } from '../../primitives/sorting'
import type { AxisArgument, Named } from '../arguments'
import { readArguments, readAxisOnly, requireInteger } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { cast, equal, logicalNot, minimum } from './elementwise'
import { needAlgebra } from '../families'
import { pickAlong, ravel } from './rearrange'
import { full, take } from './shape'
import type { Tensor } from '../tensor'
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

/** The indices that sort an axis, ascending or descending, as int32; the first `count` of them. */
function sortedIndices(x: Tensor, axis: number, descending: boolean, count: number | null = null): Tensor {
  needAlgebra()
  return apply('routine', [x], { routine: new ArgSort(axis, descending, count) })[0]!
}

/**
 * Sorts the elements along an axis, ascending; NaN last.
 * @param axis default −1; null for all elements in row-major order
 */
export function sort(x: TensorLike, axis?: SortAxis): Tensor {
  const [value, at] = alongOne('sort', x, axis)
  needAlgebra()
  return apply('routine', [value], { routine: new SortedValues(at) })[0]!
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
 * The indices that move the element that is at `kth` of the sorted axis there, smaller ones before it and larger ones after
 * it, as int32. They are those of `argsort`, so each part is sorted, too.
 * @param kth negative positions count from the end
 * @param axis default −1; null for all elements in row-major order
 */
export function argpartition(x: TensorLike, kth: number, axis?: SortAxis): Tensor {
  const [value, at] = alongOne('argpartition', x, axis)
  normalizeAxis('argpartition: kth', requireInteger('argpartition: kth', kth), value.shape[at]!)
  return sortedIndices(value, at, false)
}

/**
 * The k largest elements of the last axis and their indices, largest first. Of equal elements the first comes first. NaN
 * counts as the largest.
 * @returns [values […, k], indices int32 […, k]]
 * @throws ShapeError when the axis has fewer than k elements
 */
export function topK(x: TensorLike, k: number, sorted?: Named<'sorted', boolean>): [values: Tensor, indices: Tensor] {
  const [value, at] = alongOne('topK', x, -1)
  readArguments('topK', { sorted: option(boolean, true) }, sorted)
  const extent = value.shape[at]!
  const count = requireInteger('topK: k', k, 0)
  if (count > extent)
    throw new ShapeError(`topK: the last axis of ${formatShape(value.shape)} has fewer than ${count} elements`)
  const indices = sortedIndices(value, at, true, count)
  return [pickAlong(value, indices, at), indices]
}

const sides = /* @__PURE__ */ choice('left', 'right')

/**
 * The positions at which values would be inserted into a sorted vector to keep it sorted, as int32.
 * @param sortedSequence [n], ascending
 * @param side `left`: before equal elements; `right`: after them. Default left.
 */
export function searchsorted(
  sortedSequence: TensorLike,
  values: TensorLike,
  side?: Named<'side', 'left' | 'right'>,
): Tensor {
  const [row, value] = [asTensor(sortedSequence, 'searchsorted'), asTensor(values, 'searchsorted')]
  if (row.rank !== 1)
    throw new ShapeError(`searchsorted: the sorted sequence must be a vector, received ${formatShape(row.shape)}`)
  const dtype = commonType([row.dtype, value.dtype])
  const isRight = readArguments('searchsorted', { side: option(sides, 'left') }, side).side === 'right'
  needAlgebra()
  return apply('routine', [cast(row, dtype), cast(value, dtype)], { routine: new SearchSorted(isRight) })[0]!
}

/** The bin of each element as int32: the number of ascending `bins` that are ≤ x. */
export function digitize(x: TensorLike, bins: TensorLike): Tensor {
  return searchsorted(bins, x, 'right')
}

export interface IsinOptions {
  /** Whether neither operand has duplicates; does not affect the result. Default false. */
  readonly assumeUnique?: boolean
  /** Returns whether the element does not occur. Default false. */
  readonly invert?: boolean
}

const isinTable = { assumeUnique: option(boolean, false), invert: option(boolean, false) }

/**
 * Whether each element occurs in x2, as bool. NaN never does.
 * @param assumeUnique whether neither operand has duplicates; does not affect the result. Default false.
 * @param invert returns whether the element does not occur. Default false.
 */
export function isin(x1: TensorLike, x2: TensorLike, assumeUnique?: boolean | IsinOptions, invert?: boolean): Tensor {
  const [value, others] = [asTensor(x1, 'isin'), ravel(asTensor(x2, 'isin'))]
  const { invert: isInverted } = readArguments('isin', isinTable, assumeUnique, invert)
  if (others.size === 0) return full(value.shape, Number(isInverted), 'bool')
  const dtype = commonType([value.dtype, others.dtype])
  const [needle, row] = [cast(value, dtype), sort(cast(others, dtype))]
  const found = equal(take(row, minimum(searchsorted(row, needle), others.size - 1), 0), needle)
  return isInverted ? logicalNot(found) : found
}
