// argmax and argmin of all elements of a large tensor; and the extremes that users call, which refuse to have no element.
// Other cases, and other code, use the functions of reduce.ts.

import { ShapeError, formatShape } from '../../core/errors'
import type { Axis, KeepDims, ReduceOptions } from '../arguments'
import { extremeTable, readArguments, readReduction, resolveAxes } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import * as plain from './reduce'
import type { ArgOptions, ExtremeOptions, OneAxis } from './reduce'
import { add, multiply } from './elementwise'
import { reshape, take } from './shape'
import type { Tensor } from '../tensor'
import { joined } from '../trace'

/** Below this number of elements a second pass over them costs less than further instructions. */
const LARGE = 2 ** 16

/** The length of the rows into which `size` elements can be divided, from 256 to 4096; 1 if there is none. */
function rowLength(size: number): number {
  for (let length = 4096; length >= 256; length--) if (size % length === 0) return length
  return 1
}

/** The row with the first extreme, and the place in it: reads all elements once, and one row twice. */
function ofRows(x: Tensor, length: number, best: typeof plain.max, index: typeof plain.argmax): Tensor {
  const rows = reshape(x, [x.size / length, length])
  const row = index(best(rows, 1))
  return add(multiply(row, length), index(take(rows, row, 0)))
}

function argExtreme(
  where: 'argmax' | 'argmin',
  x: TensorLike,
  axis: OneAxis | ArgOptions | undefined,
  keepDims: KeepDims | undefined,
): Tensor {
  const value = asTensor(x, where)
  const length = value.size < LARGE || value.dtype === 'bool' ? 1 : rowLength(value.size)
  const given = readReduction(where, axis, keepDims)
  if (given.axis !== null || length === 1) return plain[where](value, axis, keepDims)
  const best = where === 'argmax' ? plain.max : plain.min
  const found = joined(`${where} of rows of ${length}`, [value], ([all]) => ofRows(all!, length, best, plain[where]))
  return given.keepDims
    ? reshape(
        found,
        value.shape.map(() => 1),
      )
    : found
}

/** The index of the first largest element, or of the first NaN, as int32. Over all elements when `axis` is omitted. */
export function argmax(x: TensorLike, axis?: OneAxis | ArgOptions, keepDims?: KeepDims): Tensor {
  return argExtreme('argmax', x, axis, keepDims)
}

/** The index of the first smallest element, or of the first NaN, as int32. Over all elements when `axis` is omitted. */
export function argmin(x: TensorLike, axis?: OneAxis | ArgOptions, keepDims?: KeepDims): Tensor {
  return argExtreme('argmin', x, axis, keepDims)
}

/** Checks a tensor of size 0. @throws ShapeError if it has no element along the axes and none is given */
function requireElements(where: string, x: Tensor, ...given: readonly unknown[]): void {
  const { axis, initial } = readArguments(where, extremeTable, given[0], ...given.slice(1))
  if (initial === null && resolveAxes(where, axis, x.rank).some((each) => x.shape[each] === 0))
    throw new ShapeError(
      `${where}: ${formatShape(x.shape)} has no element along the axis. ${where === 'ptp' ? 'Remove the empty tensor' : 'Give initial, the result of no element'}.`,
    )
}

/**
 * The largest element, in the dtype of x; NaN if any element is NaN. Ties share the gradient equally.
 * @param initial a number that counts as an additional element. Default null: no such element.
 * @throws ShapeError if there is no element
 */
export function max(x: TensorLike, axis?: Axis | ExtremeOptions, keepDims?: KeepDims, initial?: number | null): Tensor {
  const value = asTensor(x, 'max')
  if (value.size === 0) requireElements('max', value, axis, keepDims, initial)
  return plain.max(value, axis, keepDims, initial)
}

/**
 * The smallest element, in the dtype of x; NaN if any element is NaN. Ties share the gradient equally.
 * @param initial a number that counts as an additional element. Default null: no such element.
 * @throws ShapeError if there is no element
 */
export function min(x: TensorLike, axis?: Axis | ExtremeOptions, keepDims?: KeepDims, initial?: number | null): Tensor {
  const value = asTensor(x, 'min')
  if (value.size === 0) requireElements('min', value, axis, keepDims, initial)
  return plain.min(value, axis, keepDims, initial)
}

/**
 * The largest element minus the smallest, in the dtype of x.
 * @throws ShapeError if there is no element
 */
export function ptp(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const value = asTensor(x, 'ptp')
  if (value.size === 0) requireElements('ptp', value, axis, keepDims)
  return plain.ptp(value, axis, keepDims)
}
