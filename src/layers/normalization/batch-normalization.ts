// BatchNormalization: each channel with mean 0 and variance 1 over the batch.

import { configured, integer, number, option } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { normalizeAxis } from '../../core/shapes'
import { flatten } from '../../core/tree'
import { add, cast, divide, multiply, square, subtract } from '../../ops/elementwise'
import type { Moments } from '../../ops/normalization'
import { batchNorm, moments } from '../../ops/normalization'
import { sum } from '../../ops/reduce'
import { expandDims, reshape } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireMask } from '../checks'
import type { CallContext } from '../context'
import { initializer } from '../kinds'
import type { BatchShape } from '../spec'
import { ScaledLayer, extentsAlong } from './options'
import type { TensorSpec } from '../spec'
import type { UnitFlow } from '../units'
import { unitAxes } from '../units'

/** Keras's, for a mask that leaves nothing. */
const LEAST_WEIGHT = 1e-7

/**
 * gamma · (x − mean) / √(variance + epsilon) + beta for each channel. In training mean and variance are those of the batch,
 * of the steps that a mask leaves, and moving averages of them are kept; otherwise they are the moving averages. A layer that
 * is not `trainable` always uses the averages. Ioffe and Szegedy 2015.
 *
 *   moving ← momentum · moving + (1 − momentum) · batch
 *
 * Keras: `keras.layers.BatchNormalization`.
 */
export class BatchNormalization extends configured(ScaledLayer, () => ({
  /** The axis of the channels. Default −1. */
  axis: option(integer(), -1),
  /** How much of the moving averages stays in a step. Default 0.99. */
  momentum: option(number({ min: 0, max: 1 }), 0.99),
  /** Default zeros. */
  movingMeanInitializer: option(initializer, 'zeros'),
  /** Default ones. */
  movingVarianceInitializer: option(initializer, 'ones'),
})) {
  static readonly className = 'BatchNormalization'
  private meanVariable: Variable | null = null
  private varianceVariable: Variable | null = null

  /** [channels] */
  get movingMean(): Variable {
    return this.requireBuilt(this.meanVariable)
  }

  /** [channels] */
  get movingVariance(): Variable {
    return this.requireBuilt(this.varianceVariable)
  }

  override build(inputShape: BatchShape): void {
    const shape = extentsAlong(this, inputShape, this.axis)
    this.addScale(shape)
    this.meanVariable = this.addWeight({ name: 'movingMean', shape, initializer: this.movingMeanInitializer, trainable: false })
    this.varianceVariable = this.addWeight({ name: 'movingVariance', shape, initializer: this.movingVarianceInitializer, trainable: false })
  }

  call(x: Tensor, { training, mask }: CallContext): Tensor {
    const [counts = null] = flatten(mask)
    const { mean, variance } = training && this.trainable ? this.batchMoments(x, counts) : { mean: this.movingMean.value, variance: this.movingVariance.value }
    return batchNorm(x, mean, variance, { axis: this.axis, offset: this.beta?.value ?? null, scale: this.gamma?.value ?? null, epsilon: this.epsilon })
  }

  override get unitFlow(): UnitFlow | null {
    const isLast = this.axis === -1 || this.axis === (this.buildSpec as TensorSpec).shape.length - 1
    return isLast ? { kind: 'keeps', along: unitAxes(0, this.gamma, this.beta, this.movingMean, this.movingVariance) } : null
  }

  protected override checkMask(mask: Tensor, shape: Shape): void {
    requireMask(this, mask, ['the axes of the input but the last'], shape.slice(0, -1))
  }

  private batchMoments(x: Tensor, mask: Tensor | null): Moments {
    const channels = normalizeAxis(`${this}`, this.axis, x.rank)
    const others = x.shape.map((_, i) => i).filter((i) => i !== channels)
    const found = mask === null ? moments(x, others) : this.maskedMoments(x, mask, others)
    const move = (average: Variable, value: Tensor): void =>
      average.assign(add(multiply(average.value, this.momentum), multiply(value, 1 - this.momentum)))
    move(this.movingMean, found.mean)
    move(this.movingVariance, found.variance)
    return found
  }

  private maskedMoments(x: Tensor, mask: Tensor, axes: readonly number[]): Moments {
    const counts = expandDims(cast(mask, 'float32'), -1)
    const shared = x.shape.reduce((size, extent, i) => (axes.includes(i) && i === x.rank - 1 ? size * extent : size), 1)
    const weight = add(multiply(sum(counts), shared), LEAST_WEIGHT)
    const mean = divide(sum(multiply(x, counts), axes, true), weight)
    const variance = divide(sum(square(multiply(subtract(x, mean), counts)), axes), weight)
    return { mean: reshape(mean, variance.shape), variance }
  }
}
