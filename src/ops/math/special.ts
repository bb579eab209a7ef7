// Special functions, composed of polynomials. Their coefficients minimize the largest relative error.

import { unaryOp } from '../op'
import { asTensor } from '../convert'
import {
  abs,
  add,
  cast,
  divide,
  erf,
  exp,
  less,
  minimum,
  multiply,
  negative,
  round,
  sqrt,
  square,
  stopGradient,
  subtract,
  where,
} from '../numpy/elementwise'
import type { Tensor } from '../tensor'
import { joined } from '../trace'

/** c₀ + c₁ x + c₂ x² + … for at least two coefficients. */
function polynomial(x: Tensor, coefficients: readonly number[]): Tensor {
  const degree = coefficients.length - 1
  let sum = multiply(x, coefficients[degree]!)
  for (let i = degree - 1; i > 0; i--) sum = multiply(add(sum, coefficients[i]!), x)
  return add(sum, coefficients[0]!)
}

/**
 * 1 − erf(x) = 2/√π ∫ₓ^∞ e^(−t²) dt, with a small relative error where it is near 0: e^(−x²) p(t)/(1 + 2x) for x ≥ ½,
 * t = (x − 3)/(x + 3), and 2 − erfc(−x) for x ≤ −½.
 * @example ops.erfc(5)   // 1.5375e-12
 */
export const erfc = unaryOp('erfc', (x) =>
  joined('erfc', [asTensor(x, 'erfc')], ([operand]) => {
    const value = cast(operand!, 'float32')
    // From 10.1 on the result is 0.
    const size = minimum(abs(value), 11)
    // x² = h² + (x − h)(x + h): h has so few bits that its square is exact.
    const head = divide(round(multiply(size, 128)), 128)
    const rest = multiply(subtract(head, size), add(size, head))
    const p = polynomial(
      divide(subtract(size, 3), add(size, 3)),
      [
        1.2530080595166075, -0.13562114245628118, -0.04756244182783324, 0.1296464833432877, -0.11927024574245698,
        0.06829577310726141, -0.023801516482205947, 0.002563949168083136, 0.0020076983712052745, -0.000767869748269933,
        -0.0002643582715643371,
      ],
    )
    const factor = divide(multiply(exp(rest), p), add(multiply(size, 2), 1))
    const tail = multiply(factor, exp(negative(square(head))))
    const far = stopGradient(where(less(value, 0), subtract(2, tail), tail))
    // The polynomial has no gradient: everywhere it is that of −erf(x), which is added to `far` with the value 0.
    const complement = erf(value)
    const slope = subtract(complement, stopGradient(complement))
    return where(less(size, 0.5), subtract(1, complement), subtract(far, slope))
  }),
)

/**
 * The modified Bessel function of order 0: I₀(x) = Σ (x²/4)ᵏ / (k!)². A polynomial in x²/4 up to |x| = 8, beyond
 * e^|x| p(1/|x|) / √|x|.
 * @example ops.i0(1)   // 1.2661
 */
export const i0 = unaryOp('i0', (x) =>
  joined('i0', [asTensor(x, 'i0')], ([operand]) => {
    const value = cast(operand!, 'float32')
    const size = abs(value)
    const isLarge = less(8, size)
    const near = polynomial(
      where(isLarge, 0, multiply(square(value), 0.25)),
      [
        0.9999999999925034, 1.0000000002475908, 0.24999999878271692, 0.02777777993420095, 0.0017361092642565374,
        6.944532893583049e-5, 1.92875543512736e-6, 3.941491161672393e-8, 6.094970613896459e-10, 8.0211926132724e-12,
        5.6117367320837283e-14, 1.1242103232135974e-15,
      ],
    )
    // From 92 on the result is infinite.
    const large = where(isLarge, minimum(size, 200), 8)
    const p = polynomial(
      divide(1, large),
      [
        0.3989422769672699, 0.04986958592574818, 0.027898804665911714, 0.03378509288216125, -0.01385062398540704,
        0.3879672703116199,
      ],
    )
    // e^|x| can be infinite where the result is not.
    const half = exp(multiply(large, 0.5))
    return where(isLarge, multiply(multiply(half, divide(p, sqrt(large))), half), near)
  }),
)
