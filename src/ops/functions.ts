// Functions of one or two numbers, element by element, composed of those in elementwise.ts.

import { boolean, number, option } from '../core/options'
import { readTyped, requireNumber } from './arguments'
import type { TensorLike } from './convert'
import { asNumbers, asTensor } from './convert'
import {
  abs,
  add,
  arctan2,
  cast,
  ceil,
  cos,
  divide,
  equal,
  exp,
  expm1,
  floor,
  isfinite,
  isnan,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  multiply,
  notEqual,
  power,
  reciprocal,
  sin,
  sqrt,
  square,
  subtract,
  where,
} from './elementwise'
import { full } from './shape'
import type { Tensor } from './tensor'

/** sin x / cos x, in radians. */
export function tan(x: TensorLike): Tensor {
  const value = asTensor(x, 'tan')
  return divide(sin(value), cos(value))
}

/** The angle in (−π/2, π/2) with tangent x. */
export const arctan = (x: TensorLike): Tensor => arctan2(asTensor(x, 'arctan'), 1)

/** √(1 − x) and √(1 + x): √2 times the sine and cosine of half the angle with cosine x. */
function halves(x: TensorLike, where: string): [Tensor, Tensor] {
  const value = asTensor(x, where)
  return [sqrt(subtract(1, value)), sqrt(add(1, value))]
}

/** The angle in [−π/2, π/2] with sine x; NaN beyond ±1. */
export function arcsin(x: TensorLike): Tensor {
  const [below, above] = halves(x, 'arcsin')
  return arctan2(x, multiply(below, above))
}

/** The angle in [0, π] with cosine x; NaN beyond ±1. */
export const arccos = (x: TensorLike): Tensor => multiply(arctan2(...halves(x, 'arccos')), 2)

/** (eˣ − e⁻ˣ) / 2, accurate near 0. */
export function sinh(x: TensorLike): Tensor {
  const value = asTensor(x, 'sinh')
  return multiply(subtract(expm1(value), expm1(multiply(value, -1))), 0.5)
}

/** (eˣ + e⁻ˣ) / 2 */
export function cosh(x: TensorLike): Tensor {
  const value = asTensor(x, 'cosh')
  return multiply(add(exp(value), exp(multiply(value, -1))), 0.5)
}

/** −1 below 0, else 1. Unlike sign(x) · f(|x|), signOf(x) · f(signOf(x) · x) has a derivative at 0. */
const signOf = (x: Tensor): Tensor => where(less(x, 0), full([], -1), full([], 1))

/** ln(x + √(x² + 1)), accurate near 0. */
export function arcsinh(x: TensorLike): Tensor {
  const value = cast(asTensor(x, 'arcsinh'), 'float32')
  const side = signOf(value)
  const size = multiply(value, side)
  // Beyond 1e9 the square could overflow, and adding 1 has no effect.
  const isLarge = less(1e9, size)
  const small = where(isLarge, 0, size)
  const squared = square(small)
  const near = log1p(add(small, divide(squared, add(sqrt(add(squared, 1)), 1))))
  return multiply(side, where(isLarge, add(log(where(isLarge, size, 1)), Math.LN2), near))
}

/** ln(x + √(x² − 1)) for x ≥ 1; NaN below. */
export function arccosh(x: TensorLike): Tensor {
  const value = cast(asTensor(x, 'arccosh'), 'float32')
  const isLarge = less(1e9, value)
  const above = subtract(where(isLarge, 1, value), 1)
  const near = log1p(add(above, sqrt(multiply(above, add(above, 2)))))
  return where(isLarge, add(log(where(isLarge, value, 1)), Math.LN2), near)
}

/** ½ ln((1 + x) / (1 − x)) for −1 < x < 1, accurate near 0. */
export function arctanh(x: TensorLike): Tensor {
  const value = asTensor(x, 'arctanh')
  return multiply(subtract(log1p(value), log1p(multiply(value, -1))), 0.5)
}

/** The logarithm to base 2. */
export const log2 = (x: TensorLike): Tensor => multiply(log(asTensor(x, 'log2')), Math.LOG2E)
/** The logarithm to base 10. */
export const log10 = (x: TensorLike): Tensor => multiply(log(asTensor(x, 'log10')), Math.LOG10E)
/** 2ˣ */
export const exp2 = (x: TensorLike): Tensor => power(2, asTensor(x, 'exp2'))

/** ln(eᵃ + eᵇ) without overflow. */
export function logaddexp(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = [asTensor(a, 'logaddexp'), asTensor(b, 'logaddexp')]
  const larger = cast(maximum(left, right), 'float32')
  // ±Inf − ±Inf would be NaN
  const shift = where(isfinite(larger), larger, 0)
  return add(log(add(exp(subtract(left, shift)), exp(subtract(right, shift)))), shift)
}

/** √(a² + b²), without overflow. The gradient at 0 is 0. */
export function hypot(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = [abs(cast(asTensor(a, 'hypot'), 'float32')), abs(cast(asTensor(b, 'hypot'), 'float32'))]
  const larger = maximum(left, right)
  const scale = where(logicalAnd(isfinite(larger), less(0, larger)), larger, 1)
  const squares = add(square(divide(left, scale)), square(divide(right, scale)))
  const isZero = equal(squares, 0)
  return multiply(where(isZero, 0, sqrt(where(isZero, 1, squares))), scale)
}

/** x without its fraction (rounded towards 0); int32 stays int32. */
export function trunc(x: TensorLike): Tensor {
  const value = asNumbers(x, 'trunc')
  return value.dtype === 'int32' ? value : where(less(value, 0), ceil(value), floor(value))
}

/** Degrees to radians. */
export const deg2rad = (x: TensorLike): Tensor => multiply(asTensor(x, 'deg2rad'), Math.PI / 180)
/** Radians to degrees. */
export const rad2deg = (x: TensorLike): Tensor => multiply(asTensor(x, 'rad2deg'), 180 / Math.PI)

/** a / b, and 0 where b is 0; the gradient is 0 there too. */
export function divideNoNan(a: TensorLike, b: TensorLike): Tensor {
  const divisor = asTensor(b, 'divideNoNan')
  const isZero = equal(divisor, 0)
  return where(isZero, 0, divide(a, where(isZero, 1, divisor)))
}

/** Exactly one of a and b; numbers count as x ≠ 0. */
export const logicalXor = (a: TensorLike, b: TensorLike): Tensor =>
  notEqual(cast(asTensor(a, 'logicalXor'), 'bool'), cast(asTensor(b, 'logicalXor'), 'bool'))

/** Whether x is Inf or −Inf. */
export function isinf(x: TensorLike): Tensor {
  const value = asTensor(x, 'isinf')
  return logicalNot(logicalOr(isfinite(value), isnan(value)))
}

export interface IsCloseOptions {
  /** Relative to |b|. Default 1e-5. */
  readonly rtol?: number
  /** Default 1e-8. */
  readonly atol?: number
  /** Whether NaN is close to NaN. Default false. */
  readonly equalNan?: boolean
}

/** |a − b| ≤ atol + rtol · |b|, as bool. Infinities are close only to themselves. */
export function isclose(a: TensorLike, b: TensorLike, options?: IsCloseOptions): Tensor {
  const { rtol, atol, equalNan } = readTyped(
    'isclose',
    { rtol: option(number(), 1e-5), atol: option(number(), 1e-8), equalNan: option(boolean, false) },
    options,
  )
  const [left, right] = [cast(asTensor(a, 'isclose'), 'float32'), cast(asTensor(b, 'isclose'), 'float32')]
  const isNear = lessEqual(abs(subtract(left, right)), add(multiply(abs(right), rtol), atol))
  const isClose = logicalOr(equal(left, right), logicalAnd(isNear, logicalAnd(isfinite(left), isfinite(right))))
  return equalNan ? logicalOr(isClose, logicalAnd(isnan(left), isnan(right))) : isClose
}

/** The largest float32. */
const LARGEST = 3.4028234663852886e38

/** Replaces NaN (by 0), Inf and −Inf (by the largest numbers) in float32. No gradient flows to replaced elements. */
export function nanToNum(x: TensorLike, nan?: number, posinf?: number | null, neginf?: number | null): Tensor {
  const value = cast(asTensor(x, 'nanToNum'), 'float32')
  const high = requireNumber('nanToNum: posinf', posinf ?? LARGEST)
  const low = requireNumber('nanToNum: neginf', neginf ?? -LARGEST)
  const infinite = where(less(value, 0), full([], low), full([], high))
  return where(isfinite(value), value, where(isnan(value), requireNumber('nanToNum: nan', nan ?? 0), infinite))
}

/** The cube root, also of negative numbers. */
export function cbrt(x: TensorLike): Tensor {
  const value = cast(asTensor(x, 'cbrt'), 'float32')
  const isZero = equal(value, 0)
  const side = signOf(value)
  return multiply(side, where(isZero, 0, power(where(isZero, 1, multiply(value, side)), 1 / 3)))
}

/** sin(πx) / (πx), 1 at 0. */
export function sinc(x: TensorLike): Tensor {
  const angle = multiply(asTensor(x, 'sinc'), Math.PI)
  const isZero = equal(angle, 0)
  const divisor = where(isZero, 1, angle)
  return where(isZero, 1, multiply(sin(divisor), reciprocal(divisor)))
}
