// Ops that compute element i of the result from element i of each operand. Operands broadcast as in NumPy.

import { dtype, operand, whole } from '../kinds'
import { arg, binaryOp, op, optional, unaryOp } from '../op'
import { commonType, type DType } from '../../core/dtypes'
import type { BinaryName, UnaryName } from '../../engine/primitives/elementwise'
import { asNumbers, asTensor, toTensor, type TensorLike } from '../convert'
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
function toOperand(x: TensorLike, name: string, dtype?: DType): Tensor {
  const trace = typeof x === 'number' ? currentTrace() : null
  if (typeof x === 'number' && trace !== null) return trace.literal(x, dtype ?? 'float32')
  return dtype === undefined ? asTensor(x, name) : toTensor(x, name, dtype)
}

/**
 * Converts two operands to one dtype, at least `least`. A number that fits int32 counts as int32 if the other operand is
 * int32 or bool.
 */
function pair(name: string, a: TensorLike, b: TensorLike, least: DType): [Tensor, Tensor] {
  const left = toOperand(a, name)
  const right = toOperand(b, name)
  if (left.dtype === 'float32' && right.dtype === 'float32') return [left, right]
  const literalBeside = (x: TensorLike, other: Tensor) =>
    typeof x === 'number' && x === (x | 0) && other.dtype !== 'float32' && least !== 'float32'
  if (literalBeside(a, right)) return pair(name, toOperand(a, name, 'int32'), right, least)
  if (literalBeside(b, left)) return pair(name, left, toOperand(b, name, 'int32'), least)
  const dtype = commonType([left.dtype, right.dtype, least])
  return [cast(left, dtype), cast(right, dtype)]
}

export const cast = op(() => [arg('x', operand), arg('dtype', dtype)], {
  /** Converts elements: float32 → int32 towards zero, → bool is x ≠ 0, bool → numbers 0 and 1. */
  cast(x, dtype): Tensor {
    const value = asTensor(x, 'cast')
    return value.dtype === dtype ? value : apply('cast', [value], { dtype })[0]!
  },
})

/** −x; int32 stays int32. */
export const negative = unaryOp('negative', (x) => apply('negative', [asNumbers(x, 'negative')], none)[0]!)
/** |x|; int32 stays int32. */
export const abs = (x: TensorLike): Tensor => apply('abs', [asNumbers(x, 'abs')], none)[0]!

/** −1, 0 or 1 by the sign of x; int32 stays int32. */
export const sign = unaryOp('sign', (x) => {
  const value = asNumbers(x, 'sign')
  return value.dtype === 'int32' ? clip(value, -1, 1) : unary('sign', value)
})

/** eˣ */
export const exp = unaryOp('exp', (x) => unary('exp', x))
/** eˣ − 1, accurate near 0. */
export const expm1 = unaryOp('expm1', (x) => unary('expm1', x))
/** ln x */
export const log = unaryOp('log', (x) => unary('log', x))
/** ln(1 + x), accurate near 0. */
export const log1p = unaryOp('log1p', (x) => unary('log1p', x))
/** √x */
export const sqrt = unaryOp('sqrt', (x) => unary('sqrt', x))
/** 1/√x */
export const rsqrt = unaryOp('rsqrt', (x) => unary('rsqrt', x))
/** 1/x */
export const reciprocal = unaryOp('reciprocal', (x) => unary('reciprocal', x))
/** x²; int32 stays int32. */
export const square = unaryOp('square', (x) => {
  const value = asNumbers(x, 'square')
  return value.dtype === 'int32' ? multiply(value, value) : unary('square', value)
})
/** sin x, in radians. */
export const sin = unaryOp('sin', (x) => unary('sin', x))
/** cos x, in radians. */
export const cos = unaryOp('cos', (x) => unary('cos', x))
/** (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) */
export const tanh = unaryOp('tanh', (x) => unary('tanh', x), { limits: [-1, 1] })
/** 1 / (1 + e⁻ˣ) */
export const sigmoid = unaryOp('sigmoid', (x) => unary('sigmoid', x), { limits: [0, 1] })
/** ln(1 + eˣ) */
export const softplus = unaryOp('softplus', (x) => unary('softplus', x))
/** max(x, 0) */
export const relu = (x: TensorLike): Tensor => unary('relu', x)
/** 2/√π ∫₀ˣ e^(−t²) dt */
export const erf = unaryOp('erf', (x) => unary('erf', x))
/** The inverse of erf, for −1 < x < 1. */
export const erfinv = unaryOp('erfinv', (x) => unary('erfInv', x))
/** A rounded float32; int32 becomes float32, without rounding. */
function rounded(name: 'floor' | 'ceil', x: TensorLike): Tensor {
  const value = asTensor(x, name)
  return value.dtype === 'float32' ? unary(name, value) : cast(value, 'float32')
}

/** The largest integer ≤ x, in float32. */
export const floor = unaryOp('floor', (x) => rounded('floor', x))
/** The smallest integer ≥ x, in float32. */
export const ceil = unaryOp('ceil', (x) => rounded('ceil', x))
export const round = op(() => [arg('x', operand), optional('decimals', whole())], {
  /**
   * The nearest number with `decimals` decimals, half to even: round(x · 10ᵈ) / 10ᵈ; int32 stays int32.
   * @param decimals default 0; −1 rounds to tens
   */
  round(x, decimals = 0): Tensor {
    const value = asNumbers(x, 'round')
    if (value.dtype === 'int32') return decimals >= 0 ? value : roundInteger(value, 10 ** -decimals)
    if (decimals === 0) return unary('round', value)
    return divide(unary('round', multiply(value, 10 ** decimals)), 10 ** decimals)
  },
})

/** The nearest multiple of an even unit; halves round to the even multiple. */
function roundInteger(x: Tensor, unit: number): Tensor {
  if (unit > 2 ** 31) return multiply(x, 0)
  const [below, rest] = [floorDivide(x, unit), mod(x, unit)]
  const isUp = logicalOr(less(unit / 2, rest), logicalAnd(equal(rest, unit / 2), equal(mod(below, 2), 1)))
  return multiply(add(below, cast(isUp, 'int32')), unit)
}
/** Whether x is NaN. */
export const isnan = unaryOp('isnan', (x) => unary('isNaN', x))
/** Whether x is neither NaN nor ±Inf. */
export const isfinite = unaryOp('isfinite', (x) => unary('isFinite', x))

function arithmetic(name: BinaryName, a: TensorLike, b: TensorLike, least: DType = 'int32'): Tensor {
  return apply(name, pair(name, a, b, least), none)[0]!
}

/** x1 + x2 */
export const add = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('add', x1, x2)
/** x1 − x2 */
export const subtract = binaryOp('subtract', (x1, x2) => arithmetic('subtract', x1, x2))
/** x1 · x2, element by element. */
export const multiply = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('multiply', x1, x2)
/** The larger element; NaN if either is NaN. */
export const maximum = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('maximum', x1, x2)
/** The smaller element; NaN if either is NaN. */
export const minimum = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('minimum', x1, x2)
/** x1 / x2, in float32. */
export const divide = binaryOp('divide', (x1, x2) => arithmetic('divide', x1, x2, 'float32'))
/** x1^x2, in float32. */
export const power = (x1: TensorLike, x2: TensorLike): Tensor => arithmetic('power', x1, x2, 'float32')
/** The angle of the point (x2, x1) in [−π, π], signed as x1, in float32. Its gradient at (0, 0) is NaN. */
export const arctan2 = binaryOp('arctan2', (x1, x2) => arithmetic('arctan2', x1, x2, 'float32'))
/** x1 − ⌊x1/x2⌋·x2, exact and with the sign of x2; NaN for x2 = 0, in int32 0. */
export const mod = binaryOp('mod', (x1, x2) => arithmetic('mod', x1, x2))
/**
 * ⌊x1/x2⌋ of the exact quotient, so that ⌊x1/x2⌋·x2 + mod(x1, x2) is x1: 6 / 0.1 gives 59, as in NumPy, since the float32 next to 0.1 is
 * larger than 0.1. x1/0 is ±Infinity, in int32 0.
 */
export const floorDivide = binaryOp('floorDivide', (x1, x2) => arithmetic('floorDivide', x1, x2))

function comparison(name: BinaryName, a: TensorLike, b: TensorLike): Tensor {
  return arithmetic(name, a, b, 'bool')
}

/** x1 < x2, as bool. */
export const less = binaryOp('less', (x1, x2) => comparison('less', x1, x2))
/** x1 ≤ x2, as bool. */
export const lessEqual = binaryOp('lessEqual', (x1, x2) => comparison('lessEqual', x1, x2))
/** x1 > x2, as bool. */
export const greater = binaryOp('greater', (x1, x2) => comparison('less', x2, x1))
/** x1 ≥ x2, as bool. */
export const greaterEqual = binaryOp('greaterEqual', (x1, x2) => comparison('lessEqual', x2, x1))
/** x1 = x2, as bool. */
export const equal = binaryOp('equal', (x1, x2) => comparison('equal', x1, x2))
/** x1 ≠ x2, as bool. */
export const notEqual = binaryOp('notEqual', (x1, x2) => comparison('notEqual', x1, x2))

function bool(x: TensorLike, where: string): Tensor {
  return cast(asTensor(x, where), 'bool')
}

/** x1 and x2; numbers count as x ≠ 0. */
export const logicalAnd = binaryOp(
  'logicalAnd',
  (x1, x2) => apply('logicalAnd', [bool(x1, 'logicalAnd'), bool(x2, 'logicalAnd')], none)[0]!,
)

/** x1 or x2; numbers count as x ≠ 0. */
export const logicalOr = binaryOp(
  'logicalOr',
  (x1, x2) => apply('logicalOr', [bool(x1, 'logicalOr'), bool(x2, 'logicalOr')], none)[0]!,
)

/** not x; numbers count as x ≠ 0. */
export const logicalNot = unaryOp('logicalNot', (x) => apply('logicalNot', [bool(x, 'logicalNot')], none)[0]!)

/** condition ? a : b, element by element. */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  return apply('select', [bool(condition, 'where'), ...pair('where', a, b, 'bool')], none)[0]!
}

export const clip = op(() => [arg('x', operand), arg('xMin', operand), arg('xMax', operand)], {
  /** min(max(x, xMin), xMax); int32 stays int32 between whole numbers. */
  clip(x, xMin, xMax): Tensor {
    return minimum(maximum(x, xMin), xMax)
  },
})

/** The identity, through which no gradient flows. */
export function stopGradient(x: TensorLike): Tensor {
  return apply('stopGradient', [asTensor(x, 'stopGradient')], none)[0]!
}
