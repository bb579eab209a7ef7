// Functions of one or two numbers, element by element, composed of those in elementwise.ts.

import { anyNumber, operand } from '../kinds'
import { arg, binaryOp, op, optional, unaryOp } from '../op'
import { boolean, nullable, number } from '../../core/options'
import { asTensor, type TensorLike } from '../convert'
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
  negative,
  notEqual,
  power,
  reciprocal,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  stopGradient,
  subtract,
  where,
} from './elementwise'
import { all } from './reduce'
import { full } from './shape'
import type { Tensor } from '../tensor'

/** sin x / cos x, in radians. */
export const tan = unaryOp('tan', (x) => {
  const value = asTensor(x, 'tan')
  return divide(sin(value), cos(value))
})

/** The angle in (−π/2, π/2) with tangent x. */
export const arctan = unaryOp('arctan', (x) => arctan2(asTensor(x, 'arctan'), 1))

/** √(1 − x) and √(1 + x): √2 times the sine and cosine of half the angle with cosine x. */
function halves(x: TensorLike, where: string): [Tensor, Tensor] {
  const value = asTensor(x, where)
  return [sqrt(subtract(1, value)), sqrt(add(1, value))]
}

/** The angle in [−π/2, π/2] with sine x; NaN beyond ±1. */
export const arcsin = unaryOp('arcsin', (x) => {
  const [below, above] = halves(x, 'arcsin')
  return arctan2(x, multiply(below, above))
})

/** The angle in [0, π] with cosine x; NaN beyond ±1. */
export const arccos = unaryOp('arccos', (x) => multiply(arctan2(...halves(x, 'arccos')), 2))

/**
 * (eˣ − e⁻ˣ) / 2, accurate near 0. Beyond ±88 it is e⁶⁴ times the result for x ∓ 64, since e^|x| can be infinite where its half is not.
 */
export const sinh = unaryOp('sinh', (x) => {
  const value = cast(asTensor(x, 'sinh'), 'float32')
  const isLarge = less(88, abs(value))
  const rest = where(isLarge, subtract(value, multiply(sign(value), 64)), value)
  const twice = subtract(expm1(rest), expm1(negative(rest)))
  return multiply(twice, where(isLarge, full([], Math.exp(64) / 2), full([], 0.5)))
})

/** A little more than ln 2, with so few bits that x − HALVING is exact for large |x|. */
const HALVING = 90853 / 2 ** 17

/** (eˣ + e⁻ˣ) / 2. eˣ is halved in its exponent, since it can be infinite where its half is not. */
export const cosh = unaryOp('cosh', (x) => {
  const value = cast(asTensor(x, 'cosh'), 'float32')
  return multiply(add(exp(subtract(value, HALVING)), exp(subtract(-HALVING, value))), Math.exp(HALVING) / 2)
})

/** −1 below 0, else 1. Unlike sign(x) · f(|x|), signOf(x) · f(signOf(x) · x) has a derivative at 0. */
const signOf = (x: Tensor): Tensor => where(less(x, 0), full([], -1), full([], 1))

/** ln(x + √(x² + 1)), accurate near 0. */
export const arcsinh = unaryOp('arcsinh', (x) => {
  const value = cast(asTensor(x, 'arcsinh'), 'float32')
  const side = signOf(value)
  const size = multiply(value, side)
  // Beyond 1e9 the square could overflow, and adding 1 has no effect.
  const isLarge = less(1e9, size)
  const small = where(isLarge, 0, size)
  const squared = square(small)
  const near = log1p(add(small, divide(squared, add(sqrt(add(squared, 1)), 1))))
  return multiply(side, where(isLarge, add(log(where(isLarge, size, 1)), Math.LN2), near))
})

/** ln(x + √(x² − 1)) for x ≥ 1; NaN below. */
export const arccosh = unaryOp('arccosh', (x) => {
  const value = cast(asTensor(x, 'arccosh'), 'float32')
  const isLarge = less(1e9, value)
  const above = subtract(where(isLarge, 1, value), 1)
  // |x − 1|: below 1 the root is NaN, also where both factors would be negative
  const near = log1p(add(above, sqrt(multiply(above, add(abs(above), 2)))))
  return where(isLarge, add(log(where(isLarge, value, 1)), Math.LN2), near)
})

/** ½ ln((1 + x) / (1 − x)) for −1 < x < 1, accurate near 0. */
export const arctanh = unaryOp('arctanh', (x) => {
  const value = cast(asTensor(x, 'arctanh'), 'float32')
  return multiply(subtract(log1p(value), log1p(multiply(value, -1))), 0.5)
})

/** The logarithm to base 2. */
export const log2 = unaryOp('log2', (x) => multiply(log(asTensor(x, 'log2')), Math.LOG2E))
/** The logarithm to base 10. */
export const log10 = unaryOp('log10', (x) => multiply(log(asTensor(x, 'log10')), Math.LOG10E))
/** 2ˣ */
export const exp2 = unaryOp('exp2', (x) => power(2, asTensor(x, 'exp2')))

/** ln(e^x1 + e^x2) = max(x1, x2) + ln(1 + e^−|x1 − x2|) */
export const logaddexp = binaryOp('logaddexp', (x1, x2) => {
  const [left, right] = [cast(asTensor(x1, 'logaddexp'), 'float32'), cast(asTensor(x2, 'logaddexp'), 'float32')]
  // ±Inf − ±Inf would be NaN
  const distance = where(equal(left, right), 0, abs(subtract(left, right)))
  return add(maximum(left, right), softplus(negative(distance)))
})

/** √(a² + b²), without overflow. The gradient at 0 is 0. */
export const hypot = binaryOp('hypot', (x1, x2) => {
  const [left, right] = [abs(cast(asTensor(x1, 'hypot'), 'float32')), abs(cast(asTensor(x2, 'hypot'), 'float32'))]
  const larger = maximum(left, right)
  const scale = where(logicalAnd(isfinite(larger), less(0, larger)), larger, 1)
  const squares = add(square(divide(left, scale)), square(divide(right, scale)))
  const isZero = equal(squares, 0)
  return multiply(where(isZero, 0, sqrt(where(isZero, 1, squares))), scale)
})

/** x without its fraction (rounded towards 0); int32 and bool stay as they are. */
export const trunc = unaryOp('trunc', (x) => {
  const value = asTensor(x, 'trunc')
  return value.dtype !== 'float32' ? value : where(less(value, 0), ceil(value), floor(value))
})

/** Degrees to radians. */
export const deg2rad = unaryOp('deg2rad', (x) => multiply(asTensor(x, 'deg2rad'), Math.PI / 180))
/** Radians to degrees. */
export const rad2deg = unaryOp('rad2deg', (x) => multiply(asTensor(x, 'rad2deg'), 180 / Math.PI))

/** x1 / x2, and 0 where x2 is 0; the gradient is 0 there too. */
export const divideNoNan = binaryOp('divideNoNan', (x1, x2) => {
  const divisor = asTensor(x2, 'divideNoNan')
  const isZero = equal(divisor, 0)
  return where(isZero, 0, divide(x1, where(isZero, 1, divisor)))
})

/** Exactly one of x1 and x2; numbers count as x ≠ 0. */
export const logicalXor = binaryOp('logicalXor', (x1, x2) =>
  notEqual(cast(asTensor(x1, 'logicalXor'), 'bool'), cast(asTensor(x2, 'logicalXor'), 'bool')),
)

/** Whether x is Inf or −Inf. */
export const isinf = unaryOp('isinf', (x) => {
  const value = asTensor(x, 'isinf')
  return logicalNot(logicalOr(isfinite(value), isnan(value)))
})

export interface IsCloseOptions {
  /** Relative to |b|. Default 1e-5. */
  readonly rtol?: number
  /** Default 1e-8. */
  readonly atol?: number
  /** Whether NaN is close to NaN. Default false. */
  readonly equalNan?: boolean
}

/** The parameters of an op that compares with tolerances. */
const closenessOf = () =>
  [
    arg('x1', operand),
    arg('x2', operand),
    optional('rtol', number()),
    optional('atol', number()),
    optional('equalNan', boolean),
  ] as const

export const isclose = op(closenessOf, {
  /**
   * |x1 − x2| ≤ atol + rtol · |x2|, as bool. Infinities are close only to themselves.
   * @param rtol relative to |x2|. Default 1e-5.
   * @param atol default 1e-8
   * @param equalNan whether NaN is close to NaN. Default false.
   */
  isclose(x1, x2, rtol = 1e-5, atol = 1e-8, equalNan = false): Tensor {
    return closeness('isclose', x1, x2, rtol, atol, equalNan)
  },
})

export const allclose = op(closenessOf, {
  /**
   * Whether all elements are close: see `isclose`.
   * @param rtol relative to |x2|. Default 1e-5.
   * @param atol default 1e-8
   * @param equalNan whether NaN is close to NaN. Default false.
   */
  allclose(x1, x2, rtol = 1e-5, atol = 1e-8, equalNan = false): Tensor {
    return all(closeness('allclose', x1, x2, rtol, atol, equalNan))
  },
})

function closeness(
  where: 'isclose' | 'allclose',
  a: TensorLike,
  b: TensorLike,
  rtol: number,
  atol: number,
  equalNan: boolean,
): Tensor {
  const [left, right] = [cast(asTensor(a, where), 'float32'), cast(asTensor(b, where), 'float32')]
  const isNear = lessEqual(abs(subtract(left, right)), add(multiply(abs(right), rtol), atol))
  const isClose = logicalOr(equal(left, right), logicalAnd(isNear, logicalAnd(isfinite(left), isfinite(right))))
  return equalNan ? logicalOr(isClose, logicalAnd(isnan(left), isnan(right))) : isClose
}

/** The largest float32. */
const LARGEST = 3.4028234663852886e38

export interface NanToNumOptions {
  /** Replaces NaN. Default 0. */
  readonly nan?: number
  /** Replaces Inf; null for the largest float32. Default null. */
  readonly posinf?: number | null
  /** Replaces −Inf; null for the least float32. Default null. */
  readonly neginf?: number | null
}

export const nanToNum = op(
  () => [
    arg('x', operand),
    optional('nan', anyNumber),
    optional('posinf', nullable(anyNumber)),
    optional('neginf', nullable(anyNumber)),
  ],
  {
    /** Replaces NaN (by 0), Inf and −Inf (by the largest numbers). No gradient flows to replaced elements. int32 and bool stay as they are. */
    nanToNum(x, nan = 0, posinf = null, neginf = null): Tensor {
      const value = asTensor(x, 'nanToNum')
      if (value.dtype !== 'float32') return value
      const infinite = where(less(value, 0), full([], neginf ?? -LARGEST), full([], posinf ?? LARGEST))
      return where(isfinite(value), value, where(isnan(value), nan, infinite))
    },
  },
)

/** The cube root, also of negative numbers. */
export const cbrt = unaryOp('cbrt', (x) => {
  const value = cast(asTensor(x, 'cbrt'), 'float32')
  // the cube roots of ±0, ±Inf and NaN are these values themselves
  const isOrdinary = logicalAnd(isfinite(value), notEqual(value, 0))
  const size = where(isOrdinary, abs(value), 1)
  const near = exp(multiply(log(size), 1 / 3))
  // a step of Newton's method, in a form that neither overflows nor underflows; `near` already has the right derivative
  const excess = multiply(multiply(square(near), divide(near, size)), 1 / 3)
  const root = multiply(near, stopGradient(subtract(4 / 3, excess)))
  return where(isOrdinary, multiply(root, sign(value)), stopGradient(value))
})

/** sin(πx) / (πx), 1 at 0. */
export const sinc = unaryOp('sinc', (x) => {
  const angle = multiply(asTensor(x, 'sinc'), Math.PI)
  const isZero = equal(angle, 0)
  const divisor = where(isZero, 1, angle)
  return where(isZero, 1, multiply(sin(divisor), reciprocal(divisor)))
})
