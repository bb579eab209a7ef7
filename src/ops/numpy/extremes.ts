// argmax and argmin of all elements of a large tensor. Other cases, and other code, use the functions of reduce.ts.

import type { KeepDims } from '../arguments'
import { readReduction } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import * as plain from './reduce'
import type { ArgOptions, OneAxis } from './reduce'
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
