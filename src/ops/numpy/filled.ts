// Further ops that create tensors.

import type { DType } from '../../core/dtypes'
import { requireDType } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor, toTensor } from '../convert'
import { Tensor } from '../tensor'
import { Variable } from '../variable'
import { cast } from './elementwise'
import { broadcastTo, eye, full } from './shape'

/**
 * A tensor with the shape of x whose elements are `value`, which broadcasts.
 * @param dtype default that of x
 * @example ops.fullLike([1, 2], 7)   // [7, 7]
 */
export function fullLike(x: TensorLike, value: TensorLike, dtype?: DType | null): Tensor {
  const given = asTensor(x, 'fullLike')
  const own = dtype ?? given.dtype
  if (typeof value === 'number') return full(given.shape, value, own)
  return broadcastTo(cast(asTensor(value, 'fullLike'), own), given.shape)
}

/**
 * The identity matrix [n, n].
 * @example ops.identity(2)   // [[1, 0], [0, 1]]
 */
export const identity = (n: number, dtype?: DType | null): Tensor => eye(n, n, 0, dtype)

/**
 * A tensor of numbers, nested arrays or a typed array; a tensor stays as it is.
 * @param dtype default as `tensor` chooses it: float32, bool for booleans, int32 for Int32Array
 * @example ops.array([1, 2])   // [1, 2]
 */
export function array(x: TensorLike, dtype?: DType | null): Tensor {
  if (dtype === undefined || dtype === null) return asTensor(x, 'array')
  const own = requireDType('array', dtype)
  return x instanceof Tensor || x instanceof Variable ? cast(x, own) : toTensor(x, 'array', own)
}
