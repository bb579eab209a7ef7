// The greatest common divisor and the least common multiple of int32.

import { binaryOp } from '../op'
import { foriLoop } from '../control/scan'
import type { TensorLike } from '../convert'
import type { Tensor } from '../tensor'
import { asIntegers } from './bits'
import { abs, cast, equal, floorDivide, maximum, minimum, mod, multiply, subtract, where } from './elementwise'
import { broadcastTo } from './shape'
import { broadcastShapes } from '../../core/shapes'
import { exactly } from '../../core/tuples'

/**
 * The most steps that Euclid's algorithm takes for int32 if it takes the remainder nearest to 0: each step but the first
 * divides the smaller number by 1 + √2 or more.
 */
const STEPS = 25

/** The magnitudes of two operands as int32 of one shape; that of −2³¹ wraps to −2³¹. */
function magnitudes(name: string, a: TensorLike, b: TensorLike): readonly [Tensor, Tensor] {
  const [left, right] = [asIntegers(a, name), asIntegers(b, name)]
  const shape = broadcastShapes(name, [left.shape, right.shape])
  return exactly(
    [left, right].map((x) => broadcastTo(abs(cast(x, 'int32')), shape)),
    2,
  )
}

function divisor(a: Tensor, b: Tensor): Tensor {
  // −2³¹ is the smaller one, so that it is divided first.
  const init = [minimum(a, b), maximum(a, b)] as const
  const [found] = foriLoop(
    0,
    STEPS,
    (_turn, [x, y]): [Tensor, Tensor] => {
      const rest = mod(x, y)
      return [where(equal(y, 0), x, y), minimum(rest, subtract(y, rest))]
    },
    init,
  )
  return abs(found)
}

/**
 * The greatest common divisor of |x1| and |x2|, of int32 or bool; gcd(x1, 0) is |x1|. The result 2³¹, of −2³¹ and itself or 0,
 * wraps to −2³¹.
 * @throws ArgumentError for float32
 * @example ops.gcd(12, -18)   // 6
 */
export const gcd = binaryOp('gcd', (x1, x2) => divisor(...magnitudes('gcd', x1, x2)))

/**
 * The least common multiple |x1 x2| / gcd(x1, x2), of int32 or bool; 0 if x1 or x2 is 0. A result of 2³¹ or more wraps.
 * @throws ArgumentError for float32
 * @example ops.lcm(4, -6)   // 12
 */
export const lcm = binaryOp('lcm', (x1, x2) => {
  const [left, right] = magnitudes('lcm', x1, x2)
  return multiply(left, floorDivide(right, divisor(left, right)))
})
