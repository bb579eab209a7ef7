// Activation functions, composed of ops, with Keras's defaults. Softmax works along an axis, all others element
// by element.

import type { Axis, AxisArgument, Named } from '../arguments'
import { readArguments, readAxisOnly, readNumber, readOneAxis, resolveAxes } from '../arguments'
import { ShapeError, formatShape } from '../../core/errors'
import { boolean, option } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import type { TensorLike } from '../convert'
import { asTensor, scalar } from '../convert'
import { sliceAlong } from '../numpy/along'
import {
  abs,
  add,
  cast,
  divide,
  expm1,
  greater,
  greaterEqual,
  maximum,
  minimum,
  multiply,
  negative,
  relu,
  sigmoid,
  softplus,
  sqrt,
  square,
  where,
} from '../numpy/elementwise'
import { reshape, transpose } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { apply } from '../trace'
import { SELU_ALPHA, SELU_SCALE } from './selu'

const float = (x: TensorLike, where: string): Tensor => cast(asTensor(x, where), 'float32')

const slopeTable = { negativeSlope: option(scalar, 0.2) }

/**
 * x < 0 ? negativeSlope · x : x; int32 stays int32 with a slope that is a whole number or an int32 scalar.
 * @param negativeSlope default 0.2
 */
export function leakyRelu(x: TensorLike, negativeSlope?: Named<'negativeSlope', number | Tensor>): Tensor {
  const value = asTensor(x, 'leakyRelu')
  const { negativeSlope: slope } = readArguments('leakyRelu', slopeTable, negativeSlope)
  return where(greaterEqual(value, 0), value, multiply(value, slope))
}

/** min(max(x, 0), 6). The gradient at 6 is 0. */
export function relu6(x: TensorLike): Tensor {
  const value = asTensor(x, 'relu6')
  return where(greaterEqual(value, 6), 6, relu(value))
}

/** x > 0 ? x : α (eˣ − 1). Clevert et al. 2015. */
export function elu(x: TensorLike, alpha?: Named<'alpha', number>): Tensor {
  const value = asTensor(x, 'elu')
  const positive = greater(value, 0)
  // The branch that is not taken must not overflow, or its gradient would be 0 · ∞. minimum(x, 0) is not used,
  // because it halves the gradient at 0.
  return where(positive, value, multiply(expm1(where(positive, 0, value)), readNumber('elu', 'alpha', alpha, 1)))
}

/**
 * max(x, 0) + min(α (e^(x/α) − 1), 0), whose slope at 0 is 1 for every α. Barron 2017.
 * @param alpha default 1
 */
export function celu(x: TensorLike, alpha?: Named<'alpha', number>): Tensor {
  const value = float(x, 'celu')
  const scale = readNumber('celu', 'alpha', alpha, 1)
  return add(maximum(value, 0), multiply(expm1(divide(minimum(value, 0), scale)), scale))
}

/** scale · elu(x, α) with the constants that keep mean 0 and variance 1. Klambauer et al. 2017. */
export function selu(x: TensorLike): Tensor {
  return multiply(elu(x, SELU_ALPHA), SELU_SCALE)
}

/**
 * x · Φ(x), Φ the normal distribution function. Hendrycks & Gimpel 2016.
 * @param approximate uses ½x (1 + tanh(√(2/π) (x + 0.044715 x³))). Default true, as in `keras.ops.gelu`; the activation 'gelu' of
 *   layers is exact, as `keras.activations.gelu` is.
 */
export function gelu(x: TensorLike, approximate?: Named<'approximate', boolean>): Tensor {
  const value = float(x, 'gelu')
  return apply(
    readArguments('gelu', { approximate: option(boolean, true) }, approximate).approximate ? 'geluTanh' : 'gelu',
    [value],
    {},
  )[0]!
}

/** x times a gate of x that is eˣ far below 0. */
const gated = (x: Tensor, gate: Tensor): Tensor => apply('gated', [x, gate], {})[0]!

/** x · σ(x), also known as swish. */
export function silu(x: TensorLike): Tensor {
  const value = float(x, 'silu')
  return gated(value, sigmoid(value))
}

/**
 * a · σ(b), where a and b are the halves of x along an axis. Dauphin et al. 2017.
 * @param axis has an even extent. Default −1.
 */
export function glu(x: TensorLike, axis?: AxisArgument): Tensor {
  const value = float(x, 'glu')
  const at = normalizeAxis('glu', readOneAxis('glu', axis, -1), value.rank)
  const half = value.shape[at]! / 2
  if (!Number.isInteger(half))
    throw new ShapeError(`glu: the extent of axis ${at} must be even, received ${formatShape(value.shape)}`)
  return multiply(sliceAlong(value, at, 0, half), sigmoid(sliceAlong(value, at, half, half)))
}

/** x / (1 + |x|) */
export function softsign(x: TensorLike): Tensor {
  const value = float(x, 'softsign')
  return divide(value, add(abs(value), 1))
}

/** ln σ(x) = −ln(1 + e⁻ˣ) */
export function logSigmoid(x: TensorLike): Tensor {
  return negative(softplus(negative(float(x, 'logSigmoid'))))
}

/**
 * (x + √(x² + b)) / 2, a smooth relu. Barron 2021.
 * @param b the smoothness. Default 4.
 */
export function squareplus(x: TensorLike, b?: Named<'b', number>): Tensor {
  const value = float(x, 'squareplus')
  return divide(add(value, sqrt(add(square(value), readNumber('squareplus', 'b', b, 4)))), 2)
}

/** min(max(x + 3, 0), 6) / 6 */
export function hardSigmoid(x: TensorLike): Tensor {
  return divide(relu6(add(float(x, 'hardSigmoid'), 3)), 6)
}

/** x · hardSigmoid(x), also known as hard swish. */
export function hardSilu(x: TensorLike): Tensor {
  const value = asTensor(x, 'hardSilu')
  return multiply(value, hardSigmoid(value))
}

/** x · tanh(softplus(x)). Misra 2019. */
export function mish(x: TensorLike): Tensor {
  const value = float(x, 'mish')
  return gated(value, apply('tanhSoftplus', [value], {})[0]!)
}

/** x */
export function linear(x: TensorLike): Tensor {
  return asTensor(x, 'linear')
}

export { exp as exponential } from '../numpy/elementwise'

/** Softmax kernels work on rows, so the axes are moved to the end and back. */
function alongAxes(name: 'softmax' | 'logSoftmax', x: TensorLike, given?: AxisArgument<Axis>): Tensor {
  const value = float(x, name)
  const all = value.shape.map((_, i) => i)
  const axes = resolveAxes(name, readAxisOnly(name, given, -1), all.length)
  const order = [...all.filter((i) => !axes.includes(i)), ...axes]
  const rows = transpose(value, order)
  const row = axes.reduce((size, axis) => size * value.shape[axis]!, 1)
  const flat = axes.length === 1 ? rows : reshape(rows, [...rows.shape.slice(0, all.length - axes.length), row])
  return transpose(
    reshape(apply(name, [flat], {})[0]!, rows.shape),
    all.map((i) => order.indexOf(i)),
  )
}

/** e^x / Σ e^x along an axis, or over several together: positive, and sums to 1. */
export function softmax(x: TensorLike, axis?: AxisArgument<Axis>): Tensor {
  return alongAxes('softmax', x, axis)
}

/** x − ln Σ e^x along an axis, or over several together. */
export function logSoftmax(x: TensorLike, axis?: AxisArgument<Axis>): Tensor {
  return alongAxes('logSoftmax', x, axis)
}
