// Further ops that create tensors.

import type { DType } from '../../core/dtypes'
import type { Shape } from '../../core/shapes'
import { nullable, number, option } from '../../core/options'
import type { Named } from '../arguments'
import { dtypeOrNull, readArguments, readDType } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor, toTensor } from '../convert'
import { Tensor } from '../tensor'
import { Variable } from '../variable'
import { cast } from './elementwise'
import * as plain from './shape'

/** `value`, which broadcasts to the shape. */
const filled = (where: string, shape: Shape, value: TensorLike, dtype: DType): Tensor =>
  typeof value === 'number'
    ? plain.full(shape, value, dtype)
    : plain.broadcastTo(cast(asTensor(value, where), dtype), shape)

/**
 * A tensor whose elements are `value`, which broadcasts. The dtype is float32 by default.
 *
 * Keras: `keras.ops.full`.
 * @example ops.full([2, 2], [1, 2])   // [[1, 2], [1, 2]]
 */
export const full = (shape: Shape, fillValue: TensorLike, dtype?: Named<'dtype', DType | null>): Tensor =>
  filled('full', shape, fillValue, readDType('full', dtype) ?? 'float32')

/** Zeros. The dtype is float32 by default. Keras: `keras.ops.zeros`. */
export const zeros = (shape: Shape, dtype?: Named<'dtype', DType | null>): Tensor =>
  plain.zeros(shape, readDType('zeros', dtype))

/** Ones. The dtype is float32 by default. Keras: `keras.ops.ones`. */
export const ones = (shape: Shape, dtype?: Named<'dtype', DType | null>): Tensor =>
  plain.ones(shape, readDType('ones', dtype))

export interface ArangeOptions {
  /** The end, which is excluded. Default null: the first argument is the end, and the start is 0. */
  readonly stop?: number | null
  /** Default 1. */
  readonly step?: number | null
  /** Default int32 if all numbers are integers, else float32. */
  readonly dtype?: DType | null
}

const arangeTable = {
  stop: option(nullable(number()), null),
  step: option(nullable(number()), null),
  dtype: option(dtypeOrNull, null),
}

/**
 * start, start + step, … below stop. With one number: 0, 1, … below that number.
 * @param dtype default int32 if all numbers are integers, else float32
 * @example ops.arange(3)   // [0, 1, 2]
 */
export function arange(
  start: number,
  stop?: number | null | ArangeOptions,
  step?: number | null | ArangeOptions,
  dtype?: DType | null | ArangeOptions,
): Tensor {
  const given = readArguments('arange', arangeTable, stop, step, dtype)
  return plain.arange(start, given.stop, given.step, given.dtype)
}

/** Zeros with the shape of x, and with its dtype unless one is given. */
export const zerosLike = (x: TensorLike, dtype?: Named<'dtype', DType | null>): Tensor =>
  plain.zerosLike(x, readDType('zerosLike', dtype))

/** Ones with the shape of x, and with its dtype unless one is given. */
export const onesLike = (x: TensorLike, dtype?: Named<'dtype', DType | null>): Tensor =>
  plain.onesLike(x, readDType('onesLike', dtype))

/**
 * A tensor with the shape of x whose elements are `value`, which broadcasts.
 * @param dtype default that of x
 * @example ops.fullLike([1, 2], 7)   // [7, 7]
 */
export function fullLike(x: TensorLike, fillValue: TensorLike, dtype?: Named<'dtype', DType | null>): Tensor {
  const given = asTensor(x, 'fullLike')
  return filled('fullLike', given.shape, fillValue, readDType('fullLike', dtype) ?? given.dtype)
}

/**
 * The identity matrix [n, n].
 * @example ops.identity(2)   // [[1, 0], [0, 1]]
 */
export const identity = (n: number, dtype?: Named<'dtype', DType | null>): Tensor =>
  plain.eye(n, n, 0, readDType('identity', dtype))

/**
 * A tensor of numbers, nested arrays or a typed array; a tensor stays as it is.
 * @param dtype default as `tensor` chooses it: float32, bool for booleans, int32 for Int32Array
 * @example ops.array([1, 2])   // [1, 2]
 */
export function array(x: TensorLike, dtype?: Named<'dtype', DType | null>): Tensor {
  const own = readDType('array', dtype)
  if (own === null) return asTensor(x, 'array')
  return x instanceof Tensor || x instanceof Variable ? cast(x, own) : toTensor(x, 'array', own)
}
