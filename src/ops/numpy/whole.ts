// Ops on int32 and bool as users call them: the result is int32, as in Keras. Other code uses the functions in float32.

import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import type { Tensor } from '../tensor'
import * as plain from './elementwise'

/** max(x, 0); int32 stays int32. */
export function relu(x: TensorLike): Tensor {
  const value = asTensor(x, 'relu')
  return value.dtype === 'float32' ? plain.relu(value) : plain.maximum(value, 0)
}

/**
 * x1^x2; NaN for negative x1 with a fractional x2. An int32 x1 stays int32 if x2 is a whole number ≥ 0: the product is exact, modulo 2³².
 * For a tensor x2 the result is float32, which also has the powers of negative x2.
 * @example ops.power(tensor([3], [1], 'int32'), 19)   // [1162261467]
 */
export function power(x1: TensorLike, x2: TensorLike): Tensor {
  if (typeof x2 !== 'number' || !Number.isSafeInteger(x2) || x2 < 0) return plain.power(x1, x2)
  const base = asTensor(x1, 'power')
  return base.dtype === 'float32' ? plain.power(base, x2) : wholePower(plain.cast(base, 'int32'), x2)
}

// x² · x² · … for the digits of n in base 2
function wholePower(x: Tensor, n: number): Tensor {
  if (n < 2) return n === 1 ? x : plain.add(plain.multiply(x, 0), 1)
  const half = wholePower(plain.multiply(x, x), Math.floor(n / 2))
  return n % 2 === 1 ? plain.multiply(half, x) : half
}
