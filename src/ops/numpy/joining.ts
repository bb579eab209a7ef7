// Ops that join and split tensors along fixed axes, named as in NumPy: horizontal, vertical, depth.

import { ShapeError, formatShape } from '../../core/errors'
import { normalizeAxis } from '../../core/shapes'
import type { AxisArgument } from '../arguments'
import { readAxisOnly, readOneAxis, requireInteger } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import type { Tensor } from '../tensor'
import { ravel } from './rearrange'
import { MOST_PARTS, concatenate, flip, listOfTensors, reshape, split } from './shape'

/**
 * Joins x1 and x2 along an axis. Mixed dtypes are converted to the highest: bool < int32 < float32.
 * @param axis of both; if omitted, both are flattened in row-major order
 * @example ops.append([1, 2], [[3], [4]])   // [1, 2, 3, 4]
 */
export function append(x1: TensorLike, x2: TensorLike, axis?: AxisArgument<number | null>): Tensor {
  const at = readAxisOnly('append', axis, null)
  const values = [asTensor(x1, 'append'), asTensor(x2, 'append')]
  return at === null ? concatenate(values.map(ravel), 0) : concatenate(values, requireInteger('append: the axis', at))
}

/**
 * Joins tensors along axis 1, and vectors along axis 0. Scalars count as vectors of one element.
 * @example ops.hstack([[1, 2], [3]])   // [1, 2, 3]
 */
export function hstack(xs: readonly TensorLike[]): Tensor {
  const values = listOfTensors('hstack', xs).map((x) => (x.rank === 0 ? ravel(x) : x))
  return concatenate(values, values[0]!.rank === 1 ? 0 : 1)
}

/**
 * Joins tensors along axis 0. A vector [n] counts as a row [1, n], a scalar as [1, 1].
 * @example ops.vstack([[1, 2], [3, 4]])   // [[1, 2], [3, 4]]
 */
export function vstack(xs: readonly TensorLike[]): Tensor {
  const values = listOfTensors('vstack', xs)
  return concatenate(
    values.map((x) => (x.rank < 2 ? reshape(x, [1, x.size]) : x)),
    0,
  )
}

/**
 * Joins tensors along axis 2. A matrix [m, n] counts as [m, n, 1], a vector [n] as [1, n, 1], a scalar as [1, 1, 1].
 * @example ops.dstack([[1, 2], [3, 4]])   // [[[1, 3], [2, 4]]]
 */
export function dstack(xs: readonly TensorLike[]): Tensor {
  const values = listOfTensors('dstack', xs)
  return concatenate(
    values.map((x) => {
      if (x.rank > 2) return x
      return reshape(x, x.rank === 2 ? [...x.shape, 1] : [1, x.size, 1])
    }),
    2,
  )
}

/**
 * Splits an axis into `indicesOrSections` parts, whose extents differ by one at most; the first parts are the larger ones.
 * @example ops.arraySplit([1, 2, 3], 2)   // [1, 2] and [3]
 */
export function arraySplit(x: TensorLike, indicesOrSections: number, axis?: AxisArgument): Tensor[] {
  const value = asTensor(x, 'arraySplit')
  const at = normalizeAxis('arraySplit', readOneAxis('arraySplit', axis, 0), value.rank)
  const parts = requireInteger('arraySplit: indicesOrSections', indicesOrSections, 1)
  if (parts > MOST_PARTS) throw new ShapeError(`arraySplit: expected at most ${MOST_PARTS} parts, received ${parts}`)
  const [least, larger] = [Math.floor(value.shape[at]! / parts), value.shape[at]! % parts]
  const cuts = Array.from({ length: parts - 1 }, (_, i) => (i + 1) * least + Math.min(i + 1, larger))
  return split(value, cuts, at)
}

/** @param axis the axis of a tensor of sufficient rank @param least the smallest rank */
function splitAt(
  where: string,
  x: TensorLike,
  given: number | readonly number[],
  least: number,
  axis: (rank: number) => number,
): Tensor[] {
  const value = asTensor(x, where)
  if (value.rank < least)
    throw new ShapeError(`${where}: expected at least ${least} axes, received the shape ${formatShape(value.shape)}`)
  return split(value, given, axis(value.rank))
}

/**
 * Splits axis 1, and of a vector axis 0, as `split` does.
 * @example ops.hsplit([1, 2, 3, 4], 2)   // [1, 2] and [3, 4]
 */
export function hsplit(x: TensorLike, indicesOrSections: number | readonly number[]): Tensor[] {
  return splitAt('hsplit', x, indicesOrSections, 1, (rank) => Math.min(1, rank - 1))
}

/**
 * Splits axis 0, as `split` does.
 * @example ops.vsplit([[1, 2], [3, 4]], 2)   // [[1, 2]] and [[3, 4]]
 */
export function vsplit(x: TensorLike, indicesOrSections: number | readonly number[]): Tensor[] {
  return splitAt('vsplit', x, indicesOrSections, 1, () => 0)
}

/**
 * Splits axis 2, as `split` does.
 * @example ops.dsplit([[[1, 2]]], 2)   // [[[1]]] and [[[2]]]
 */
export function dsplit(x: TensorLike, indicesOrSections: number | readonly number[]): Tensor[] {
  return splitAt('dsplit', x, indicesOrSections, 3, () => 2)
}

/**
 * Reverses the order of columns: axis 1.
 * @example ops.fliplr([[1, 2], [3, 4]])   // [[2, 1], [4, 3]]
 */
export const fliplr = (x: TensorLike): Tensor => flip(asTensor(x, 'fliplr'), 1)

/**
 * Reverses the order of rows: axis 0.
 * @example ops.flipud([[1, 2], [3, 4]])   // [[3, 4], [1, 2]]
 */
export const flipud = (x: TensorLike): Tensor => flip(asTensor(x, 'flipud'), 0)
