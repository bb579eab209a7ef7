// Ops that compute element i of the result from element i of each operand. Operands broadcast as in NumPy.

import type { DType } from '../../core/dtypes'
import { commonType } from '../../core/dtypes'
import type { BinaryName, UnaryName } from '../../primitives/elementwise'
import { integer, option } from '../../core/options'
import type { Named } from '../arguments'
import { readArguments, requireDType } from '../arguments'
import type { TensorLike } from '../convert'
import { asNumbers, asTensor, toTensor } from '../convert'
import type { Tensor } from '../tensor'
import { apply, currentTrace } from '../trace'

function float(x: TensorLike, where: string): Tensor {
  return cast(asTensor(x, where), 'float32')
}

const none = {}

function unary(name: UnaryName, x: TensorLike): Tensor {
  return apply(name, [float(x, name)], none)[0]!
}

/** Converts an operand to a tensor. In a traced function, equal numbers share one constant. */
function operand(x: TensorLike, name: string, dtype?: DType): Tensor {
  const trace = typeof x === 'number' ? currentTrace() : null
  if (typeof x === 'number' && trace !== null) return trace.literal(x, dtype ?? 'float32')
  return dtype === undefined ? asTensor(x, name) : toTensor(x, name, dtype)
}

/**
 * Converts two operands to one dtype, at least `least`. A number that fits int32 counts as int32 if the other operand is
 * int32 or bool.
 */
function pair(name: string, a: TensorLike, b: TensorLike, least: DType): [Tensor, Tensor] {
  const left = operand(a, name)
  const right = operand(b, name)
  if (left.dtype === 'float32' && right.dtype === 'float32') return [left, right]
  const literalBeside = (x: TensorLike, other: Tensor) =>
    typeof x === 'number' && x === (x | 0) && other.dtype !== 'float32' && least !== 'float32'
  if (literalBeside(a, right)) return pair(name, operand(a, name, 'int32'), right, least)
  if (literalBeside(b, left)) return pair(name, left, operand(b, name, 'int32'), least)
  const dtype = commonType([left.dtype, right.dtype, least])
  return [cast(left, dtype), cast(right, dtype)]
}

/** Converts elements: float32 → int32 towards zero, → bool is x ≠ 0, bool → numbers 0 and 1. */
export function cast(x: TensorLike, dtype: DType): Tensor {
  const value = asTensor(x, 'cast')
  requireDType('cast', dtype)
  return value.dtype === dtype ? value : apply('cast', [value], { dtype })[0]!
}

/** −x; int32 stays int32. */
export const negative = (x: TensorLike): Tensor => apply('negative', [asNumbers(x, 'negative')], none)[0]!
/** |x|; int32 stays int32. */
export const abs = (x: TensorLike): Tensor => apply('abs', [asNumbers(x, 'abs')], none)[0]!

/** −1, 0 or 1 by the sign of x; int32 stays int32. */
export function sign(x: TensorLike): Tensor {
  const value = asNumbers(x, 'sign')
  return value.dtype === 'int32' ? clip(value, -1, 1) : unary('sign', value)
}

/** eˣ */
export const exp = (x: TensorLike): Tensor => unary('exp', x)
/** eˣ − 1, accurate near 0. */
export const expm1 = (x: TensorLike): Tensor => unary('expm1', x)
/** ln x */
export const log = (x: TensorLike): Tensor => unary('log', x)
/** ln(1 + x), accurate near 0. */
export const log1p = (x: TensorLike): Tensor => unary('log1p', x)
/** √x */
export const sqrt = (x: TensorLike): Tensor => unary('sqrt', x)
/** 1/√x */
export const rsqrt = (x: TensorLike): Tensor => unary('rsqrt', x)
/** 1/x */
export const reciprocal = (x: TensorLike): Tensor => unary('reciprocal', x)
/** x²; int32 stays int32. */
export function square(x: TensorLike): Tensor {
  const value = asNumbers(x, 'square')
  return value.dtype === 'int32' ? multiply(value, value) : unary('square', value)
}
/** sin x, in radians. */
export const sin = (x: TensorLike): Tensor => unary('sin', x)
/** cos x, in radians. */
export const cos = (x: TensorLike): Tensor => unary('cos', x)
/** (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) */
export const tanh = (x: TensorLike): Tensor => unary('tanh', x)
/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (x: TensorLike): Tensor => unary('sigmoid', x)
/** ln(1 + eˣ) */
export const softplus = (x: TensorLike): Tensor => unary('softplus', x)
/** max(x, 0) */
export const relu = (x: TensorLike): Tensor => unary('relu', x)
/** 2/√π ∫₀ˣ e^(−t²) dt */
export const erf = (x: TensorLike): Tensor => unary('erf', x)
/** The inverse of erf, for −1 < x < 1. */
export const erfinv = (x: TensorLike): Tensor => unary('erfInv', x)
/** Rounds float32; int32 values are integers already and stay int32. */
function whole(name: 'floor' | 'ceil' | 'round', x: TensorLike): Tensor {
  const value = asNumbers(x, name)
  return value.dtype === 'int32' ? value : unary(name, value)
}

/** The largest integer ≤ x; int32 stays as it is. */
export const floor = (x: TensorLike): Tensor => whole('floor', x)
/** The smallest integer ≥ x; int32 stays as it is. */
export const ceil = (x: TensorLike): Tensor => whole('ceil', x)
/**
 * The nearest number with `decimals` decimals, half to even: round(x · 10ᵈ) / 10ᵈ; int32 stays int32.
 * @param decimals default 0; −1 rounds to tens
 */
export function round(x: TensorLike, decimals?: Named<'decimals', number>): Tensor {
  const places = readArguments('round', { decimals: option(integer(), 0) }, decimals).decimals
  if (places === 0) return whole('round', x)
  const value = asNumbers(x, 'round')
  if (value.dtype === 'int32') return places > 0 ? value : roundInteger(value, 10 ** -places)
  return divide(unary('round', multiply(value, 10 ** places)), 10 ** places)
}

/** The nearest multiple of an even unit; halves round to the even multiple. */
function roundInteger(x: Tensor, unit: number): Tensor {
  if (unit > 2 ** 31) return multiply(x, 0)
  const [below, rest] = [floorDivide(x, unit), mod(x, unit)]
  const isUp = logicalOr(less(unit / 2, rest), logicalAnd(equal(rest, unit / 2), equal(mod(below, 2), 1)))
  return multiply(add(below, cast(isUp, 'int32')), unit)
}
/** Whether x is NaN. */
export const isnan = (x: TensorLike): Tensor => unary('isNaN', x)
/** Whether x is neither NaN nor ±Inf. */
export const isfinite = (x: TensorLike): Tensor => unary('isFinite', x)

function arithmetic(name: BinaryName, a: TensorLike, b: TensorLike): Tensor {
  return apply(name, pair(name, a, b, 'int32'), none)[0]!
}

/** a + b */
export const add = (a: TensorLike, b: TensorLike): Tensor => arithmetic('add', a, b)
/** a − b */
export const subtract = (a: TensorLike, b: TensorLike): Tensor => arithmetic('subtract', a, b)
/** a · b, element by element. */
export const multiply = (a: TensorLike, b: TensorLike): Tensor => arithmetic('multiply', a, b)
/** The larger element; NaN if either is NaN. */
export const maximum = (a: TensorLike, b: TensorLike): Tensor => arithmetic('maximum', a, b)
/** The smaller element; NaN if either is NaN. */
export const minimum = (a: TensorLike, b: TensorLike): Tensor => arithmetic('minimum', a, b)
/** a / b, in float32. */
export const divide = (a: TensorLike, b: TensorLike): Tensor =>
  apply('divide', pair('divide', a, b, 'float32'), none)[0]!
/** aᵇ, in float32. */
export const power = (a: TensorLike, b: TensorLike): Tensor => apply('power', pair('power', a, b, 'float32'), none)[0]!
/** The angle of the point (b, a) in [−π, π], signed as a, in float32. Its gradient at (0, 0) is NaN. */
export const arctan2 = (a: TensorLike, b: TensorLike): Tensor =>
  apply('arctan2', pair('arctan2', a, b, 'float32'), none)[0]!
/** a − ⌊a/b⌋·b, exact and with the sign of b; NaN for b = 0, in int32 0. */
export const mod = (a: TensorLike, b: TensorLike): Tensor => arithmetic('mod', a, b)
/**
 * ⌊a/b⌋ of the exact quotient, so that ⌊a/b⌋·b + mod(a, b) is a: 6 / 0.1 gives 59, as in NumPy, since the float32 next to 0.1 is
 * larger than 0.1. a/0 is ±Infinity, in int32 0.
 */
export const floorDivide = (a: TensorLike, b: TensorLike): Tensor => arithmetic('floorDivide', a, b)

function comparison(name: BinaryName, a: TensorLike, b: TensorLike): Tensor {
  return apply(name, pair(name, a, b, 'bool'), none)[0]!
}

/** a < b, as bool. */
export const less = (a: TensorLike, b: TensorLike): Tensor => comparison('less', a, b)
/** a ≤ b, as bool. */
export const lessEqual = (a: TensorLike, b: TensorLike): Tensor => comparison('lessEqual', a, b)
/** a > b, as bool. */
export const greater = (a: TensorLike, b: TensorLike): Tensor => comparison('less', b, a)
/** a ≥ b, as bool. */
export const greaterEqual = (a: TensorLike, b: TensorLike): Tensor => comparison('lessEqual', b, a)
/** a = b, as bool. */
export const equal = (a: TensorLike, b: TensorLike): Tensor => comparison('equal', a, b)
/** a ≠ b, as bool. */
export const notEqual = (a: TensorLike, b: TensorLike): Tensor => comparison('notEqual', a, b)

function bool(x: TensorLike, where: string): Tensor {
  return cast(asTensor(x, where), 'bool')
}

/** a and b; numbers count as x ≠ 0. */
export function logicalAnd(a: TensorLike, b: TensorLike): Tensor {
  return apply('logicalAnd', [bool(a, 'logicalAnd'), bool(b, 'logicalAnd')], none)[0]!
}

/** a or b; numbers count as x ≠ 0. */
export function logicalOr(a: TensorLike, b: TensorLike): Tensor {
  return apply('logicalOr', [bool(a, 'logicalOr'), bool(b, 'logicalOr')], none)[0]!
}

/** not x; numbers count as x ≠ 0. */
export function logicalNot(x: TensorLike): Tensor {
  return apply('logicalNot', [bool(x, 'logicalNot')], none)[0]!
}

/** condition ? a : b, element by element. */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  return apply('select', [bool(condition, 'where'), ...pair('where', a, b, 'bool')], none)[0]!
}

/** min(max(x, low), high); int32 stays int32 between whole numbers. */
export function clip(x: TensorLike, low: TensorLike, high: TensorLike): Tensor {
  return minimum(maximum(x, low), high)
}

/** The identity, through which no gradient flows. */
export function stopGradient(x: TensorLike): Tensor {
  return apply('stopGradient', [asTensor(x, 'stopGradient')], none)[0]!
}
