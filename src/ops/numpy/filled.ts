// Further ops that create tensors.

import { dtype, operand, shape, whole } from '../kinds'
import { arg, op, optional } from '../op'
import type { DType } from '../../core/dtypes'
import type { Shape } from '../../core/shapes'
import { nullable, number } from '../../core/options'
import { asTensor, toTensor, type TensorLike } from '../convert'
import { Tensor } from '../tensor'
import { Variable } from '../variable'
import { cast } from './elementwise'
import * as plain from './shape'

/** `value`, which broadcasts to the shape. */
const filled = (where: string, shape: Shape, value: TensorLike, dtype: DType): Tensor =>
  typeof value === 'number'
    ? plain.full(shape, value, dtype)
    : plain.broadcastTo(cast(asTensor(value, where), dtype), shape)

export const full = op(() => [arg('shape', shape), arg('fillValue', operand), optional('dtype', nullable(dtype))], {
  /**
   * A tensor whose elements are `value`, which broadcasts. The dtype is float32 by default.
   *
   * Keras: `keras.ops.full`.
   * @example ops.full([2, 2], [1, 2])   // [[1, 2], [1, 2]]
   */
  full(shape, fillValue, dtype = null): Tensor {
    return filled('full', shape, fillValue, dtype ?? 'float32')
  },
})

export const zeros = op(() => [arg('shape', shape), optional('dtype', nullable(dtype))], {
  /** Zeros. The dtype is float32 by default. Keras: `keras.ops.zeros`. */
  zeros(shape, dtype = null): Tensor {
    return plain.zeros(shape, dtype)
  },
})

export const ones = op(() => [arg('shape', shape), optional('dtype', nullable(dtype))], {
  /** Ones. The dtype is float32 by default. Keras: `keras.ops.ones`. */
  ones(shape, dtype = null): Tensor {
    return plain.ones(shape, dtype)
  },
})

export interface ArangeOptions {
  /** The end, which is excluded. Default null: the first argument is the end, and the start is 0. */
  readonly stop?: number | null
  /** Default 1. */
  readonly step?: number | null
  /** Default int32 if all numbers are integers, else float32. */
  readonly dtype?: DType | null
}

export const arange = op(
  () => [
    arg('start', number()),
    optional('stop', nullable(number())),
    optional('step', nullable(number())),
    optional('dtype', nullable(dtype)),
  ],
  {
    /**
     * start, start + step, … below stop. With one number: 0, 1, … below that number.
     * @param dtype default int32 if all numbers are integers, else float32
     * @example ops.arange(3)   // [0, 1, 2]
     */
    arange(start, stop = null, step = null, dtype = null): Tensor {
      return plain.arange(start, stop, step, dtype)
    },
  },
)

export const zerosLike = op(() => [arg('x', operand), optional('dtype', nullable(dtype))], {
  /** Zeros with the shape of x, and with its dtype unless `dtype` is set. */
  zerosLike(x, dtype = null): Tensor {
    return plain.zerosLike(x, dtype)
  },
})

export const onesLike = op(() => [arg('x', operand), optional('dtype', nullable(dtype))], {
  /** Ones with the shape of x, and with its dtype unless `dtype` is set. */
  onesLike(x, dtype = null): Tensor {
    return plain.onesLike(x, dtype)
  },
})

export const fullLike = op(() => [arg('x', operand), arg('fillValue', operand), optional('dtype', nullable(dtype))], {
  /**
   * A tensor with the shape of x whose elements are `value`, which broadcasts.
   * @param dtype default that of x
   * @example ops.fullLike([1, 2], 7)   // [7, 7]
   */
  fullLike(x, fillValue, dtype = null): Tensor {
    const like = asTensor(x, 'fullLike')
    return filled('fullLike', like.shape, fillValue, dtype ?? like.dtype)
  },
})

export const identity = op(() => [arg('n', whole(0)), optional('dtype', nullable(dtype))], {
  /**
   * The identity matrix [n, n].
   * @example ops.identity(2)   // [[1, 0], [0, 1]]
   */
  identity(n, dtype = null): Tensor {
    return plain.eye(n, n, 0, dtype)
  },
})

export const array = op(() => [arg('x', operand), optional('dtype', nullable(dtype))], {
  /**
   * A tensor of numbers, nested arrays or a typed array; a tensor stays as it is.
   * @param dtype default as `tensor` chooses it: float32, bool for booleans, int32 for Int32Array
   * @example ops.array([1, 2])   // [1, 2]
   */
  array(x, dtype = null): Tensor {
    if (dtype === null) return asTensor(x, 'array')
    return x instanceof Tensor || x instanceof Variable ? cast(x, dtype) : toTensor(x, 'array', dtype)
  },
})
