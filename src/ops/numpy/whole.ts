// Ops on int32 and bool as users call them: the result is int32, as in Keras. Other code uses the functions in float32.

import { binaryOp, unaryOp } from '../op'
import { asTensor } from '../convert'
import { Tensor } from '../tensor'
import type { TensorLike } from '../variable'
import { apply } from '../trace'
import * as plain from './elementwise'

/** max(x, 0); int32 stays int32. */
export const relu = unaryOp(
  'relu',
  (x) => {
    const value = asTensor(x, 'relu')
    return value.dtype === 'float32' ? plain.relu(value) : plain.maximum(value, 0)
  },
  { units: 'scaled', activation: 'relu' },
)

/**
 * x1^x2; NaN for negative x1 with a fractional x2. int32 and bool operands, and whole numbers beside them, give int32: the product is exact,
 * modulo 2³², and without its fraction for negative x2 (cast an operand to float32 for the fraction).
 * @example ops.power(tensor([3], [1], 'int32'), 19)   // [1162261467]
 */
export const power = binaryOp('power', (x1, x2) => {
  const operandOf = (x: TensorLike): Tensor | number => (typeof x === 'number' ? x : asTensor(x, 'power'))
  const [base, exponent] = [operandOf(x1), operandOf(x2)]
  const areNumbers = typeof base === 'number' && typeof exponent === 'number'
  if (areNumbers || !isWhole(base) || !isWhole(exponent)) return plain.power(base, exponent)
  const isSmall = typeof exponent === 'number' && exponent >= 0 && exponent <= MOST_PRODUCTS
  return isSmall ? wholePower(whole(base), exponent) : apply('power', [whole(base), whole(exponent)], {})[0]!
})

const isWhole = (x: Tensor | number): boolean => (typeof x === 'number' ? x === (x | 0) : x.dtype !== 'float32')

const whole = (x: Tensor | number): Tensor =>
  typeof x === 'number' ? new Tensor(Int32Array.of(x), [], 'int32') : plain.cast(x, 'int32')

/** The largest constant exponent for which the products are cheaper than the loop of the kernel. */
const MOST_PRODUCTS = 16

// x² · x² · … for the digits of n in base 2
function wholePower(x: Tensor, n: number): Tensor {
  if (n < 2) return n === 1 ? x : plain.add(plain.multiply(x, 0), 1)
  const half = wholePower(plain.multiply(x, x), Math.floor(n / 2))
  return n % 2 === 1 ? plain.multiply(half, x) : half
}
