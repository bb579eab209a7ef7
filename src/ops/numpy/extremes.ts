// argmax and argmin of all elements of a large tensor; and the extremes as users call them, which refuse operands without elements.
// Other cases, and internal code, use the functions of reduce.ts.

import { op } from '../op'
import { reduction, reductionFrom, reductionOfOne } from './parameters'
import { ShapeError, formatShape } from '../../core/errors'
import { resolveAxes, type Axis } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import * as plain from './reduce'
import type { OneAxis } from './reduce'
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

/** The index of the first extreme: finds its row, then its place in the row. Reads all elements once, and one row twice. */
function ofRows(x: Tensor, length: number, best: typeof plain.max, index: typeof plain.argmax): Tensor {
  const rows = reshape(x, [x.size / length, length])
  const row = index(best(rows, 1))
  return add(multiply(row, length), index(take(rows, row, 0)))
}

function argExtreme(where: 'argmax' | 'argmin', x: TensorLike, axis: OneAxis, keepDims: boolean): Tensor {
  const value = asTensor(x, where)
  const length = value.size < LARGE || value.dtype === 'bool' ? 1 : rowLength(value.size)
  if (axis !== null || length === 1) return plain[where](value, axis, keepDims)
  const best = where === 'argmax' ? plain.max : plain.min
  const found = joined(`${where} of rows of ${length}`, [value], ([all]) => ofRows(all!, length, best, plain[where]))
  return keepDims
    ? reshape(
        found,
        value.shape.map(() => 1),
      )
    : found
}

export const argmax = op(reductionOfOne, {
  /** The index of the first largest element, or of the first NaN, as int32. Over all elements when `axis` is omitted. */
  argmax(x, axis = null, keepDims = false): Tensor {
    return argExtreme('argmax', x, axis, keepDims)
  },
})

export const argmin = op(reductionOfOne, {
  /** The index of the first smallest element, or of the first NaN, as int32. Over all elements when `axis` is omitted. */
  argmin(x, axis = null, keepDims = false): Tensor {
    return argExtreme('argmin', x, axis, keepDims)
  },
})

/** @throws ShapeError for a tensor without elements along the axes */
function requireElements(where: string, x: Tensor, axis: Axis, advice: string): void {
  if (x.size === 0 && resolveAxes(where, axis, x.rank).some((each) => x.shape[each] === 0))
    throw new ShapeError(`${where}: ${formatShape(x.shape)} has no element along the axis. ${advice}.`)
}

const GIVE_INITIAL = 'Pass initial: it is the result when there are no elements'

export const max = op(reductionFrom, {
  /**
   * The largest element, in the dtype of x; NaN if any element is NaN. Ties share the gradient equally.
   * @param initial a number that counts as an additional element. Default null: no such element.
   * @throws ShapeError if there is no element
   */
  max(x, axis = null, keepDims = false, initial = null): Tensor {
    const value = asTensor(x, 'max')
    if (initial === null) requireElements('max', value, axis, GIVE_INITIAL)
    return plain.max(value, axis, keepDims, initial)
  },
})

export const min = op(reductionFrom, {
  /**
   * The smallest element, in the dtype of x; NaN if any element is NaN. Ties share the gradient equally.
   * @param initial a number that counts as an additional element. Default null: no such element.
   * @throws ShapeError if there is no element
   */
  min(x, axis = null, keepDims = false, initial = null): Tensor {
    const value = asTensor(x, 'min')
    if (initial === null) requireElements('min', value, axis, GIVE_INITIAL)
    return plain.min(value, axis, keepDims, initial)
  },
})

export const ptp = op(reduction, {
  /**
   * The largest element minus the smallest, in the dtype of x.
   * @throws ShapeError if there is no element
   */
  ptp(x, axis = null, keepDims = false): Tensor {
    const value = asTensor(x, 'ptp')
    requireElements('ptp', value, axis, 'Remove the empty tensor')
    return plain.ptp(value, axis, keepDims)
  },
})
