// Means and variances, and normalizations with them, in float32.

import { ShapeError, formatShape } from '../../core/errors'
import { boolean, custom, idle, nullable, number } from '../../core/options'
import { normalizeAxis, sameShape, sizeOf } from '../../core/shapes'
import { Normalization } from '../../engine/primitives/normalization'
import { resolveAxes, type Axis } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import { needNormalization } from '../families'
import { axes as axesKind, axis as axisKind, operand, operandOrNull } from '../kinds'
import {
  abs,
  add,
  cast,
  divide,
  maximum,
  minimum,
  multiply,
  negative,
  power,
  rsqrt,
  square,
  subtract,
} from '../numpy/elementwise'
import { max, mean, sum } from '../numpy/reduce'
import { reshape } from '../numpy/shape'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'
import { apply } from '../trace'

export interface Moments {
  readonly mean: Tensor
  /** The mean squared distance from the mean. */
  readonly variance: Tensor
}

function float(x: TensorLike, where: string): Tensor {
  return cast(asTensor(x, where), 'float32')
}

export const moments = op(
  () => [
    arg('x', operand),
    arg('axes', axesKind),
    optional('keepDims', boolean),
    optional('synchronized', idle(boolean, [false], 'a batch is not divided among devices')),
  ],
  {
    /**
     * Mean and variance along axes. Keras: `keras.ops.moments`.
     * @param axes one axis or several; null for all
     * @param keepDims whether reduced axes are kept with extent 1. Default false
     * @param synchronized changes nothing: a batch is not divided among devices. Default false
     */
    moments(x, axes, keepDims = false, _synchronized?): Moments {
      const value = float(x, 'moments')
      const reduced = resolveAxes('moments', axes, value.rank)
      const kept = mean(value, reduced, true)
      const variance = mean(square(subtract(value, kept)), reduced, keepDims)
      return { mean: keepDims ? kept : reshape(kept, variance.shape), variance }
    },
  },
)

/** `backend.epsilon()` of Keras. */
const EPSILON = 1e-7

export interface BatchNormOptions {
  /** The axis of the channels. Default −1. */
  readonly axis?: number
  /** Added to the result, [channels]. Default null. */
  readonly offset?: TensorLike | null
  /** Multiplies the result, [channels]. Default null. */
  readonly scale?: TensorLike | null
  /** Added to the variance. Default 0.001. */
  readonly epsilon?: number
}

export const batchNorm = op(
  () => [
    arg('x', operand),
    arg('mean', operand),
    arg('variance', operand),
    optional('axis', axisKind),
    optional('offset', operandOrNull),
    optional('scale', operandOrNull),
    optional('epsilon', number({ min: 0 })),
  ],
  {
    /**
     * scale · (x − mean) / √(variance + epsilon) + offset, separately for each channel.
     * @param mean [channels]
     * @param variance [channels]
     * @param axis the axis of the channels. Default −1
     * @param offset added to the result, [channels]. Default null
     * @param scale multiplies the result, [channels]. Default null
     * @param epsilon added to the variance. Default 0.001
     * Keras: `keras.ops.batch_normalization`.
     */
    batchNorm(x, mean, variance, axis = -1, offset = null, scale = null, epsilon = 1e-3): Tensor {
      const value = float(x, 'batchNorm')
      const at = normalizeAxis('batchNorm', axis, value.rank)
      const vector = (each: TensorLike): Tensor => across('batchNorm', each, value, [at])
      const inverse = rsqrt(add(vector(variance), epsilon))
      return rescale(
        value,
        vector(mean),
        inverse,
        scale === null ? null : vector(scale),
        offset === null ? null : vector(offset),
      )
    },
  },
)

/** The factor and the shift that many elements share: scale · (x − mean) · inverse + offset = x · factor + shift. */
export function factorAndShift(
  mean: Tensor,
  inverse: Tensor,
  scale: Tensor | null,
  offset: Tensor | null,
): readonly [factor: Tensor, shift: Tensor] {
  const factor = scale === null ? inverse : multiply(inverse, scale)
  const shift = multiply(negative(mean), factor)
  return [factor, offset === null ? shift : add(shift, offset)]
}

/** scale · (x − mean) · inverse + offset */
export function rescale(x: Tensor, mean: Tensor, inverse: Tensor, scale: Tensor | null, offset: Tensor | null): Tensor {
  const [factor, shift] = factorAndShift(mean, inverse, scale, offset)
  return add(multiply(x, factor), shift)
}

/** A weight for the elements of x along axes, reshaped to extent 1 on the other axes. */
function across(where: string, weight: TensorLike, x: Tensor, axes: readonly number[]): Tensor {
  const value = float(weight, where)
  const extents = axes.map((axis) => x.shape[axis]!)
  if (!sameShape(value.shape, extents))
    throw new ShapeError(
      `${where}: expected ${formatShape(extents)} for the axes [${axes.join(', ')}] of ${formatShape(x.shape)}, received ${formatShape(value.shape)}`,
    )
  const isLast = axes.every((axis, i) => axis === x.rank - axes.length + i)
  return isLast
    ? value
    : reshape(
        value,
        x.shape.map((extent, i) => (axes.includes(i) ? extent : 1)),
      )
}

export interface LayerNormOptions {
  /** Multiplies the result; has the extents of x along `axis`. Default null. */
  readonly gamma?: TensorLike | null
  /** Added to the result; has the extents of x along `axis`. Default null. */
  readonly beta?: TensorLike | null
  /** The axes that are normalized together; null for all. Default −1. */
  readonly axis?: Axis
  /** Added to the variance; null for 1e-7. Default null. */
  readonly epsilon?: number | null
}

export const layerNorm = op(
  () => [
    arg('x', operand),
    optional('gamma', operandOrNull),
    optional('beta', operandOrNull),
    optional('axis', axesKind),
    optional('epsilon', nullable(number({ min: 0 }))),
  ],
  {
    /**
     * gamma · (x − mean) / √(variance + epsilon) + beta, with mean and variance along axes. Keras:
     * `keras.ops.layer_normalization`.
     * @param gamma multiplies the result; has the extents of x along `axis`. Default null
     * @param beta added to the result; has the extents of x along `axis`. Default null
     * @param axis the axes that are normalized together; null for all. Default −1
     * @param epsilon added to the variance. Default null: 1e-7
     */
    layerNorm(x, gamma = null, beta = null, axis = -1, epsilon = null): Tensor {
      const value = float(x, 'layerNorm')
      const axes = resolveAxes('layerNorm', axis, value.rank)
      const parameter = (each: TensorLike | null): Tensor | null =>
        each === null ? null : across('layerNorm', each, value, axes)
      return normalized(value, axes, epsilon ?? EPSILON, true, parameter(gamma), parameter(beta))
    },
  },
)

/** Elements from which on the kernel is faster than the primitives, because its rows have a fixed cost. */
const LEAST = 16

/**
 * (x − mean) / √(variance + epsilon) · scale + shift along axes: one kernel if these are the last ones. If it is not centred, the
 * mean is 0, and the variance the mean square.
 */
function normalized(
  x: Tensor,
  axes: readonly number[],
  epsilon: number,
  isCentered: boolean,
  scale: Tensor | null,
  shift: Tensor | null,
): Tensor {
  const first = x.rank - axes.length
  if (axes.some((axis, i) => axis !== first + i) || sizeOf(x.shape.slice(first)) < LEAST) {
    const distance = isCentered ? subtract(x, mean(x, axes, true)) : x
    const y = multiply(distance, rsqrt(add(mean(square(distance), axes, true), epsilon)))
    const scaled = scale === null ? y : multiply(y, scale)
    return shift === null ? scaled : add(scaled, shift)
  }
  // The kernel has no shift without a scale.
  if (scale === null && shift !== null) return add(normalized(x, axes, epsilon, isCentered, null, null), shift)
  needNormalization()
  const form = {
    leading: 0,
    axes: axes.length,
    epsilon,
    isCentered,
    hasScale: scale !== null,
    hasShift: shift !== null,
  }
  const weights = [scale, shift].filter((each) => each !== null)
  return apply('routine', [x, ...weights], { routine: new Normalization(form) })[0]!
}

export interface RmsNormOptions {
  /** Multiplies the result. Default null. */
  readonly scale?: TensorLike | null
  /** The axes that are normalized together; null for all. Default −1. */
  readonly axis?: Axis
  /** Added to the mean square; null for 1e-7. Default null. */
  readonly epsilon?: number | null
}

export const rmsNorm = op(
  () => [
    arg('x', operand),
    optional('scale', operandOrNull),
    optional('axis', axesKind),
    optional('epsilon', nullable(number({ min: 0 }))),
  ],
  {
    /**
     * scale · x / √(mean x² + epsilon), with the mean along axes. Keras: `keras.ops.rms_normalization`.
     * @param scale multiplies the result. Default null
     * @param axis the axes that are normalized together; null for all. Default −1
     * @param epsilon added to the mean square. Default null: 1e-7
     */
    rmsNorm(x, scale = null, axis = -1, epsilon = null): Tensor {
      const value = float(x, 'rmsNorm')
      const axes = resolveAxes('rmsNorm', axis, value.rank)
      const factor = scale === null ? null : across('rmsNorm', scale, value, axes)
      return normalized(value, axes, epsilon ?? EPSILON, false, factor, null)
    },
  },
)

export interface NormalizeOptions {
  /** The axes along which the norm becomes 1; null for all. Default −1. */
  readonly axis?: Axis
  /** The p of the norm (Σ|x|ᵖ)^(1/p); Infinity for the largest |x|. Default 2. */
  readonly order?: number
  /** The smallest norm to divide by: the factor is at most 1 / epsilon. Default 1e-7. */
  readonly epsilon?: number | null
}

/** A number above 0, also Infinity. */
const orderKind = /* @__PURE__ */ custom<number>(
  (value, where) => (value === Infinity ? value : number({ above: 0 }).read(value, where)),
  (value) => value,
)

/** (Σ|x|ᵖ)^(1/p) along axes, which stay with extent 1. */
function lengths(x: Tensor, p: number, axes: readonly number[]): Tensor {
  const size = abs(x)
  if (p === Infinity) return max(size, axes, true)
  return p === 1 ? sum(size, axes, true) : power(sum(power(size, p), axes, true), 1 / p)
}

export const normalize = op(
  () => [
    arg('x', operand),
    optional('axis', axesKind),
    optional('order', orderKind),
    optional('epsilon', nullable(number({ above: 0 }))),
  ],
  {
    /**
     * x / max((Σ|x|ᵖ)^(1/p), epsilon) along axes, so that each vector has norm 1. A zero vector stays zero.
     * @param axis where the norm becomes 1: one axis, several, or null for all. Default −1
     * @param order the p of the norm. Default 2
     * @param epsilon the smallest norm to divide by. Default 1e-7
     * @example ops.normalize([1, 3], -1, 1)   // [0.25, 0.75]
     * Keras: `keras.ops.normalize`.
     */
    normalize(x, axis = -1, order = 2, epsilon = null): Tensor {
      const value = float(x, 'normalize')
      const axes = resolveAxes('normalize', axis, value.rank)
      const least = epsilon ?? EPSILON
      if (order === 2) return multiply(value, minimum(rsqrt(sum(square(value), axes, true)), 1 / least))
      return divide(value, maximum(lengths(value, order, axes), least))
    },
  },
)
