// Functions of the parts and the special values of float32: sign, exponent, NaN and infinities.

import { binaryOp, unaryOp } from '../op'
import { ArgumentError, DataError } from '../../core/errors'
import { asNumbers, asTensor, type TensorLike } from '../convert'
import {
  abs,
  add,
  cast,
  clip,
  divide,
  equal,
  greater,
  isfinite,
  isnan,
  less,
  logicalAnd,
  logicalOr,
  maximum,
  mod,
  multiply,
  negative,
  notEqual,
  power,
  reciprocal,
  softplus,
  stopGradient,
  subtract,
  where,
} from './elementwise'
import { Tensor } from '../tensor'

const float = (x: TensorLike, name: string): Tensor => cast(asTensor(x, name), 'float32')

/** A number stays a number, so that it takes the dtype of the other operand. */
const operand = (x: TensorLike, name: string): TensorLike => (typeof x === 'number' ? x : asTensor(x, name))

/** |x|, in float32. */
export const fabs = unaryOp('fabs', (x) => abs(float(x, 'fabs')))

/** Whether x is Inf. */
export const isposinf = unaryOp('isposinf', (x) => equal(float(x, 'isposinf'), Infinity))

/** Whether x is −Inf. */
export const isneginf = unaryOp('isneginf', (x) => equal(float(x, 'isneginf'), -Infinity))

/** Whether the sign is negative, also that of −0. The sign of NaN is not read: the result is false. */
export const signbit = unaryOp('signbit', (x) => {
  const value = asNumbers(x, 'signbit')
  const isNegative = less(value, 0)
  return value.dtype === 'int32' ? isNegative : logicalOr(isNegative, less(reciprocal(value), 0))
})

/** The larger element; the other one if one is NaN. In contrast to `maximum`, x2 has the gradient of ties. */
export const fmax = binaryOp('fmax', (x1, x2) => {
  const [left, right] = [operand(x1, 'fmax'), operand(x2, 'fmax')]
  return where(logicalOr(greater(left, right), isnan(right)), left, right)
})

/** The smaller element; the other one if one is NaN. In contrast to `minimum`, x2 has the gradient of ties. */
export const fmin = binaryOp('fmin', (x1, x2) => {
  const [left, right] = [operand(x1, 'fmin'), operand(x2, 'fmin')]
  return where(logicalOr(less(left, right), isnan(right)), left, right)
})

/** x1 − trunc(x1/x2)·x2, exact and with the sign of x1; NaN for x2 = 0, in int32 0. */
export const fmod = binaryOp('fmod', (x1, x2) => {
  const [left, right] = [operand(x1, 'fmod'), operand(x2, 'fmod')]
  const rest = mod(left, right)
  if (rest.dtype === 'int32') {
    const isOther = logicalAnd(notEqual(rest, 0), notEqual(less(rest, 0), less(left, 0)))
    return where(isOther, subtract(rest, right), rest)
  }
  const dividend = float(left, 'fmod')
  const size = abs(dividend)
  const remainder = mod(size, abs(float(right, 'fmod')))
  // A remainder that equals |a| is a, which may be −0.
  return where(equal(remainder, size), dividend, where(less(dividend, 0), negative(remainder), remainder))
})

/** 0 where x1 < 0, 1 where x1 > 0, and x2 where x1 is 0, in float32. NaN for NaN. */
export const heaviside = binaryOp('heaviside', (x1, x2) => {
  const value = float(x1, 'heaviside')
  const step = where(isnan(value), NaN, where(less(0, value), 1, 0))
  return where(equal(value, 0), float(x2, 'heaviside'), step)
})

/** log₂(2^x1 + 2^x2) = max(x1, x2) + log₂(1 + 2^−|x1 − x2|) */
export const logaddexp2 = binaryOp('logaddexp2', (x1, x2) => {
  const [left, right] = [float(x1, 'logaddexp2'), float(x2, 'logaddexp2')]
  // ±Inf − ±Inf would be NaN.
  const distance = where(equal(left, right), 0, abs(subtract(left, right)))
  return add(maximum(left, right), multiply(softplus(multiply(distance, -Math.LN2)), Math.LOG2E))
})

/** An int32 operand, or numbers that are integers. @throws ArgumentError for other numbers, unless the operand is a symbol */
function exponents(x: TensorLike): Tensor {
  const value = asTensor(x, 'ldexp')
  if (value.dtype === 'int32') return value
  if (value.dtype === 'bool' || Tensor.symbolOf(value) !== null)
    throw new ArgumentError(`ldexp: the exponents must be int32, received ${value.dtype}. Use ops.cast`)
  const wrong = value.data.find((each) => !Number.isInteger(each))
  if (wrong !== undefined) throw new DataError(`ldexp: the exponents must be integers, received ${wrong}`)
  return cast(value, 'int32')
}

/** The largest exponent of a factor: both 2¹²⁶ and 2⁻¹²⁶ are normal numbers. */
const MOST = 126

/**
 * x1 · 2^x2, rounded once, in float32.
 * @param x2 int32, or numbers that are integers
 * @example ops.ldexp(0.75, 4)   // 12
 */
export const ldexp = binaryOp('ldexp', (x1, x2) => {
  const value = float(x1, 'ldexp')
  // Three factors are enough for every exponent. The last is the largest, so only its product can be denormal.
  const whole = clip(exponents(x2), -3 * MOST, 3 * MOST)
  const last = clip(whole, -MOST, MOST)
  const rest = subtract(whole, last)
  const middle = clip(rest, -MOST, MOST)
  const factors = [subtract(rest, middle), middle, last].map((each) => power(2, each))
  return factors.reduce((product, factor) => multiply(product, factor), value)
})

/** Half an ulp of 1, a little enlarged: adding x · HALF_ULP to x gives the next number, subtracting it the one before. */
const HALF_ULP = 2 ** -24 + 2 ** -47
/** The least positive float32. */
const LEAST = 2 ** -149
/** The largest float32. */
const LARGEST = 3.4028234663852886e38

/**
 * The float32 next to x1 in the direction of x2; x2 if both are equal. It has no gradient.
 * @example ops.subtract(ops.nextafter(1, 2), 1)   // 2⁻²³
 */
export const nextafter = binaryOp('nextafter', (x1, x2) => {
  const [value, target] = [stopGradient(float(x1, 'nextafter')), stopGradient(float(x2, 'nextafter'))]
  const size = abs(value)
  const isZero = equal(value, 0)
  const isOutward = logicalOr(isZero, notEqual(less(value, target), less(value, 0)))
  // Below 2⁻¹²⁵ the distance is 2⁻¹⁴⁹. Below 2⁻¹⁰⁰ the product with HALF_ULP would be inaccurate.
  const scale = where(less(size, 2 ** -100), 2 ** 48, 1)
  const scaled = multiply(size, scale)
  const part = multiply(scaled, HALF_ULP)
  const near = divide(where(isOutward, add(scaled, part), subtract(scaled, part)), scale)
  const least = where(isOutward, add(size, LEAST), subtract(size, LEAST))
  const next = where(less(size, 2 ** -125), least, where(isfinite(size), near, LARGEST))
  const isNegative = where(isZero, less(target, 0), less(value, 0))
  const result = where(isNegative, negative(next), next)
  return where(equal(value, target), target, where(logicalOr(isnan(value), isnan(target)), NaN, result))
})
