// Ops whose result's element i depends on the operands' elements i. Operands broadcast as in NumPy.

import type { DType } from '../core/dtypes'
import type { TensorLike } from './convert'
import { asTensor, toTensor } from './convert'
import type { Tensor } from './tensor'
import { apply } from './trace'

function float(x: TensorLike, where: string): Tensor {
  return cast(asTensor(x, where), 'float32')
}

const none = {}

type UnaryName =
  | 'sign' | 'exp' | 'expm1' | 'log' | 'log1p' | 'sqrt' | 'rsqrt' | 'reciprocal' | 'square' | 'sin' | 'cos'
  | 'tanh' | 'sigmoid' | 'softplus' | 'relu' | 'erf' | 'erfInv' | 'floor' | 'ceil' | 'round' | 'isNaN' | 'isFinite'

function unary(name: UnaryName, x: TensorLike): Tensor {
  return apply(name, [float(x, name)], none)[0]!
}

// bool < int32 < float32; a whole number beside an int32 tensor counts as int32.
function commonType(a: Tensor, b: Tensor, least: DType): DType {
  const order: readonly DType[] = ['bool', 'int32', 'float32']
  const rank = Math.max(...[a.dtype, b.dtype, least].map((dtype) => order.indexOf(dtype)))
  return order[rank]!
}

function pair(name: string, a: TensorLike, b: TensorLike, least: DType): [Tensor, Tensor] {
  const left = asTensor(a, name)
  const right = asTensor(b, name)
  const literalBeside = (x: TensorLike, other: Tensor) =>
    typeof x === 'number' && Number.isInteger(x) && other.dtype !== 'float32' && least !== 'float32'
  if (literalBeside(a, right)) return pair(name, toTensor(a, name, 'int32'), right, least)
  if (literalBeside(b, left)) return pair(name, left, toTensor(b, name, 'int32'), least)
  const dtype = commonType(left, right, least)
  return [cast(left, dtype), cast(right, dtype)]
}

/** Converts elements: float32 → int32 towards zero, → bool is x ≠ 0, bool → numbers 0 and 1. */
export function cast(x: TensorLike, dtype: DType): Tensor {
  const value = asTensor(x, 'cast')
  return value.dtype === dtype ? value : apply('cast', [value], { dtype })[0]!
}

/** −x */
export function negative(x: TensorLike): Tensor {
  const value = asTensor(x, 'negative')
  return apply('negative', [value.dtype === 'bool' ? cast(value, 'int32') : value], none)[0]!
}

/** |x| */
export function abs(x: TensorLike): Tensor {
  const value = asTensor(x, 'abs')
  return apply('abs', [value.dtype === 'bool' ? cast(value, 'int32') : value], none)[0]!
}

/** −1, 0 or 1 by the sign of x. */
export const sign = (x: TensorLike): Tensor => unary('sign', x)
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
/** x² */
export const square = (x: TensorLike): Tensor => unary('square', x)
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
/** The largest integer ≤ x. */
export const floor = (x: TensorLike): Tensor => unary('floor', x)
/** The smallest integer ≥ x. */
export const ceil = (x: TensorLike): Tensor => unary('ceil', x)
/** The nearest integer, half to even. */
export const round = (x: TensorLike): Tensor => unary('round', x)
/** Whether x is NaN. */
export const isnan = (x: TensorLike): Tensor => unary('isNaN', x)
/** Whether x is neither NaN nor ±Inf. */
export const isfinite = (x: TensorLike): Tensor => unary('isFinite', x)

type ArithmeticName = 'add' | 'subtract' | 'multiply' | 'maximum' | 'minimum'

function arithmetic(name: ArithmeticName, a: TensorLike, b: TensorLike): Tensor {
  return apply(name, pair(name, a, b, 'int32'), none)[0]!
}

/** a + b */
export const add = (a: TensorLike, b: TensorLike): Tensor => arithmetic('add', a, b)
/** a − b */
export const subtract = (a: TensorLike, b: TensorLike): Tensor => arithmetic('subtract', a, b)
/** a · b, element by element. */
export const multiply = (a: TensorLike, b: TensorLike): Tensor => arithmetic('multiply', a, b)
/** The larger; NaN when either is. */
export const maximum = (a: TensorLike, b: TensorLike): Tensor => arithmetic('maximum', a, b)
/** The smaller; NaN when either is. */
export const minimum = (a: TensorLike, b: TensorLike): Tensor => arithmetic('minimum', a, b)
/** a / b, in float32. */
export const divide = (a: TensorLike, b: TensorLike): Tensor => apply('divide', pair('divide', a, b, 'float32'), none)[0]!
/** aᵇ, in float32. */
export const power = (a: TensorLike, b: TensorLike): Tensor => apply('power', pair('power', a, b, 'float32'), none)[0]!
/** a − ⌊a/b⌋·b, with the sign of b, in float32. */
export const mod = (a: TensorLike, b: TensorLike): Tensor => apply('mod', pair('mod', a, b, 'float32'), none)[0]!

type ComparisonName = 'less' | 'lessEqual' | 'equal' | 'notEqual'

function comparison(name: ComparisonName, a: TensorLike, b: TensorLike): Tensor {
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

/** min(max(x, low), high) */
export function clip(x: TensorLike, low: number, high: number): Tensor {
  return minimum(maximum(x, low), high)
}

/** The identity, through which no gradient flows. */
export function stopGradient(x: TensorLike): Tensor {
  return apply('stopGradient', [asTensor(x, 'stopGradient')], none)[0]!
}
