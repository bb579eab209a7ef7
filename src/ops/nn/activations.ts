// Activation functions, composed of ops, with Keras's defaults. Softmax works along an axis, all others element
// by element.

import { ShapeError, formatShape } from '../../core/errors'
import { boolean } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { resolveAxes, type Axis } from '../arguments'
import { asTensor, scalar, type TensorLike } from '../convert'
import { anyNumber, axes, axis, operand } from '../kinds'
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
import { arg, op, optional, unaryOp } from '../op'
import type { Tensor } from '../tensor'
import { apply } from '../trace'
import { SELU_ALPHA, SELU_SCALE } from './selu'

const float = (x: TensorLike, where: string): Tensor => cast(asTensor(x, where), 'float32')

export const leakyRelu = op(
  () => [arg('x', operand), optional('negativeSlope', scalar)],
  {
    /**
     * x < 0 ? negativeSlope · x : x; int32 stays int32 with a slope that is a whole number or an int32 scalar.
     * @param negativeSlope default 0.2
     */
    leakyRelu(x, negativeSlope = 0.2): Tensor {
      const value = asTensor(x, 'leakyRelu')
      return where(greaterEqual(value, 0), value, multiply(value, negativeSlope))
    },
  },
  { units: 'scaled' },
)

/** min(max(x, 0), 6). The gradient at 6 is 0. */
export const relu6 = unaryOp('relu6', (x) => {
  const value = asTensor(x, 'relu6')
  return where(greaterEqual(value, 6), 6, relu(value))
})

export const elu = op(() => [arg('x', operand), optional('alpha', anyNumber)], {
  /**
   * x > 0 ? x : α (eˣ − 1). Clevert et al. 2015.
   * @param alpha default 1
   */
  elu(x, alpha = 1): Tensor {
    const value = asTensor(x, 'elu')
    const positive = greater(value, 0)
    // The branch that is not taken must not overflow, or its gradient would be 0 · ∞. minimum(x, 0) is not used,
    // because it halves the gradient at 0.
    return where(positive, value, multiply(expm1(where(positive, 0, value)), alpha))
  },
})

export const celu = op(() => [arg('x', operand), optional('alpha', anyNumber)], {
  /**
   * max(x, 0) + min(α (e^(x/α) − 1), 0), whose slope at 0 is 1 for every α. Barron 2017.
   * @param alpha default 1
   */
  celu(x, alpha = 1): Tensor {
    const value = float(x, 'celu')
    return add(maximum(value, 0), multiply(expm1(divide(minimum(value, 0), alpha)), alpha))
  },
})

/** scale · elu(x, α) with the constants that keep mean 0 and variance 1. Klambauer et al. 2017. */
export const selu = unaryOp('selu', (x) => multiply(elu(x, SELU_ALPHA), SELU_SCALE))

export const gelu = op(() => [arg('x', operand), optional('approximate', boolean)], {
  /**
   * x · Φ(x), Φ the normal distribution function. Hendrycks & Gimpel 2016.
   * @param approximate uses ½x (1 + tanh(√(2/π) (x + 0.044715 x³))). Default true, as in `keras.ops.gelu`; the activation 'gelu' of
   *   layers is exact, as `keras.activations.gelu` is.
   */
  gelu(x, approximate = true): Tensor {
    return apply(approximate ? 'geluTanh' : 'gelu', [float(x, 'gelu')], {})[0]!
  },
})

/** x times a gate of x that is eˣ far below 0. */
const gated = (x: Tensor, gate: Tensor): Tensor => apply('gated', [x, gate], {})[0]!

/** x · σ(x), also known as swish. */
export const silu = unaryOp('silu', (x) => {
  const value = float(x, 'silu')
  return gated(value, sigmoid(value))
})

export const glu = op(
  () => [arg('x', operand), optional('axis', axis)],
  {
    /**
     * a · σ(b), where a and b are the halves of x along an axis. Dauphin et al. 2017.
     * @param axis has an even extent. Default −1.
     */
    glu(x, axis = -1): Tensor {
      const value = float(x, 'glu')
      const at = normalizeAxis('glu', axis, value.rank)
      const half = value.shape[at]! / 2
      if (!Number.isInteger(half))
        throw new ShapeError(`glu: the extent of axis ${at} must be even, received ${formatShape(value.shape)}`)
      return multiply(sliceAlong(value, at, 0, half), sigmoid(sliceAlong(value, at, half, half)))
    },
  },
  { units: 'mixed' },
)

/** x / (1 + |x|) */
export const softsign = unaryOp(
  'softsign',
  (x) => {
    const value = float(x, 'softsign')
    return divide(value, add(abs(value), 1))
  },
  { limits: [-1, 1] },
)

/** ln σ(x) = −ln(1 + e⁻ˣ) */
export const logSigmoid = unaryOp('logSigmoid', (x) => negative(softplus(negative(float(x, 'logSigmoid')))))

export const squareplus = op(() => [arg('x', operand), optional('b', anyNumber)], {
  /**
   * (x + √(x² + b)) / 2, a smooth relu. Barron 2021.
   * @param b the smoothness. Default 4.
   */
  squareplus(x, b = 4): Tensor {
    const value = float(x, 'squareplus')
    return divide(add(value, sqrt(add(square(value), b))), 2)
  },
})

/** min(max(x + 3, 0), 6) / 6 */
export const hardSigmoid = unaryOp('hardSigmoid', (x) => divide(relu6(add(float(x, 'hardSigmoid'), 3)), 6), {
  limits: [0, 1],
})

/** x · hardSigmoid(x), also known as hard swish. */
export const hardSilu = unaryOp('hardSilu', (x) => {
  const value = asTensor(x, 'hardSilu')
  return multiply(value, hardSigmoid(value))
})

/** x · tanh(softplus(x)). Misra 2019. */
export const mish = unaryOp('mish', (x) => {
  const value = float(x, 'mish')
  return gated(value, apply('tanhSoftplus', [value], {})[0]!)
})

/** x */
export const linear = unaryOp('linear', (x) => asTensor(x, 'linear'), { units: 'scaled' })

/** Softmax kernels work on rows, so the axes are moved to the end and back. */
function alongAxes(name: 'softmax' | 'logSoftmax', x: TensorLike, axis: Axis): Tensor {
  const value = float(x, name)
  const all = value.shape.map((_, i) => i)
  const last = resolveAxes(name, axis, all.length)
  const order = [...all.filter((i) => !last.includes(i)), ...last]
  const rows = transpose(value, order)
  const row = last.reduce((size, each) => size * value.shape[each]!, 1)
  const flat = last.length === 1 ? rows : reshape(rows, [...rows.shape.slice(0, all.length - last.length), row])
  return transpose(
    reshape(apply(name, [flat], {})[0]!, rows.shape),
    all.map((i) => order.indexOf(i)),
  )
}

export const softmax = op(
  () => [arg('x', operand), optional('axis', axes)],
  {
    /**
     * e^x / Σ e^x along an axis, or over several together: positive, and sums to 1.
     * @param axis one axis, several, or null for all. Default −1
     */
    softmax(x, axis = -1): Tensor {
      return alongAxes('softmax', x, axis)
    },
  },
  { units: 'mixed' },
)

export const logSoftmax = op(
  () => [arg('x', operand), optional('axis', axes)],
  {
    /**
     * x − ln Σ e^x along an axis, or over several together.
     * @param axis one axis, several, or null for all. Default −1
     */
    logSoftmax(x, axis = -1): Tensor {
      return alongAxes('logSoftmax', x, axis)
    },
  },
  { units: 'mixed' },
)
