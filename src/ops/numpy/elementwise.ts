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
/** A rounded float32; int32 becomes float32, without rounding. */
function whole(name: 'floor' | 'ceil', x: TensorLike): Tensor {
  const value = asTensor(x, name)
  return value.dtype === 'float32' ? unary(name, value) : cast(value, 'float32')
}

/** The largest integer ≤ x, in float32. */
export const floor = (x: TensorLike): Tensor => whole('floor', x)
/** The smallest integer ≥ x, in float32. */
export const ceil = (x: TensorLike): Tensor => whole('ceil', x)
/**
 * The nearest number with `decimals` decimals, half to even: round(x · 10ᵈ) / 10ᵈ; int32 stays int32.
 * @param decimals default 0; −1 rounds to tens
 */
export function round(x: TensorLike, decimals?: Named<'decimals', number>): Tensor {
  const places = readArguments('round', { decimals: option(integer(), 0) }, decimals).decimals
  const value = asNumbers(x, 'round')
  if (value.dtype === 'int32') return places >= 0 ? value : roundInteger(value, 10 ** -places)
  if (places === 0) return unary('round', value)
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

function arithmetic(name: BinaryName, a: TensorLike, b: TensorLike, least: DType = 'int32'): Tensor {
  return apply(name, pair(name, a, b, least), none)[0]!
}

/** x1 + x2 */
export const add = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('add', x1, x2)
/** x1 − x2 */
export const subtract = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('subtract', x1, x2)
/** x1 · x2, element by element. */
export const multiply = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('multiply', x1, x2)
/** The larger element; NaN if either is NaN. */
export const maximum = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('maximum', x1, x2)
/** The smaller element; NaN if either is NaN. */
export const minimum = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('minimum', x1, x2)
/** x1 / x2, in float32. */
export const divide = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('divide', x1, x2, 'float32')
/** x1^x2, in float32. */
export const power = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('power', x1, x2, 'float32')
/** The angle of the point (x2, x1) in [−π, π], signed as x1, in float32. Its gradient at (0, 0) is NaN. */
export const arctan2 = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('arctan2', x1, x2, 'float32')
/** x1 − ⌊x1/x2⌋·x2, exact and with the sign of x2; NaN for x2 = 0, in int32 0. */
export const mod = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('mod', x1, x2)
/**
 * ⌊x1/x2⌋ of the exact quotient, so that ⌊x1/x2⌋·x2 + mod(x1, x2) is x1: 6 / 0.1 gives 59, as in NumPy, since the float32 next to 0.1 is
 * larger than 0.1. x1/0 is ±Infinity, in int32 0.
 */
export const floorDivide = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('floorDivide', x1, x2)

function comparison(name: BinaryName, a: TensorLike, b: TensorLike): Tensor {
  return arithmetic(name, a, b, 'bool')
}

/** x1 < x2, as bool. */
export const less = (x1: TensorLike, x2: TensorLike): Tensor => comparison('less', x1, x2)
/** x1 ≤ x2, as bool. */
export const lessEqual = (x1: TensorLike, x2: TensorLike): Tensor => comparison('lessEqual', x1, x2)
/** x1 > x2, as bool. */
export const greater = (x1: TensorLike, x2: TensorLike): Tensor => comparison('less', x2, x1)
/** x1 ≥ x2, as bool. */
export const greaterEqual = (x1: TensorLike, x2: TensorLike): Tensor => comparison('lessEqual', x2, x1)
/** x1 = x2, as bool. */
export const equal = (x1: TensorLike, x2: TensorLike): Tensor => comparison('equal', x1, x2)
/** x1 ≠ x2, as bool. */
export const notEqual = (x1: TensorLike, x2: TensorLike): Tensor => comparison('notEqual', x1, x2)

function bool(x: TensorLike, where: string): Tensor {
  return cast(asTensor(x, where), 'bool')
}

/** x1 and x2; numbers count as x ≠ 0. */
export function logicalAnd(x1: TensorLike, x2: TensorLike): Tensor {
  return apply('logicalAnd', [bool(x1, 'logicalAnd'), bool(x2, 'logicalAnd')], none)[0]!
}

/** x1 or x2; numbers count as x ≠ 0. */
export function logicalOr(x1: TensorLike, x2: TensorLike): Tensor {
  return apply('logicalOr', [bool(x1, 'logicalOr'), bool(x2, 'logicalOr')], none)[0]!
}

/** not x; numbers count as x ≠ 0. */
export function logicalNot(x: TensorLike): Tensor {
  return apply('logicalNot', [bool(x, 'logicalNot')], none)[0]!
}

/** condition ? a : b, element by element. */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  return apply('select', [bool(condition, 'where'), ...pair('where', a, b, 'bool')], none)[0]!
}

/** min(max(x, xMin), xMax); int32 stays int32 between whole numbers. */
export function clip(x: TensorLike, xMin: TensorLike, xMax: TensorLike): Tensor {
  return minimum(maximum(x, xMin), xMax)
}

/** The identity, through which no gradient flows. */
export function stopGradient(x: TensorLike): Tensor {
  return apply('stopGradient', [asTensor(x, 'stopGradient')], none)[0]!
}
