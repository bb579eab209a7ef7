// Normalization of each sample by itself: LayerNormalization, RMSNormalization, UnitNormalization.

import { always, configured, number, option, unread } from '../../core/options'
import { layerNorm, normalize, rmsNorm } from '../../ops/nn/normalization'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { BatchShape } from '../spec'
import { requireExtents } from '../checks'
import { ScaledLayer, axes, axesOf, extentsAlong } from './options'
import { ELEMENTWISE, TENSOR } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const LayerNormalizationBase = configured(
  ScaledLayer,
  () => ({
    /** The axis or axes that are normalized together. Default −1. */
    axis: option(axes, -1),
    /** Must be false: RMSNormalization divides by the root of the mean square. Default false. */
    rmsScaling: unread(always([false], 'use RMSNormalization'), false),
  }),
  ['axis', 'epsilon', 'center', 'scale'],
)

/**
 * gamma · (x − mean) / √(variance + epsilon) + beta, with mean and variance over the axes of each sample. Ba et al.
 * 2016.
 *
 * Keras: `keras.layers.LayerNormalization`.
 */
export class LayerNormalization extends LayerNormalizationBase {
  static readonly className = 'LayerNormalization'

  override build(inputShape: BatchShape): void {
    this.addScale(extentsAlong(this, inputShape, this.axis))
  }

  call(x: Tensor): Tensor {
    return layerNorm(x, {
      gamma: this.gamma?.value ?? null,
      beta: this.beta?.value ?? null,
      axis: this.axis,
      epsilon: this.epsilon,
    })
  }
}

const RMSNormalizationBase = configured(
  Layer<Tensor>,
  () => ({
    /** The axis or axes that are normalized together. Default −1. */
    axis: option(axes, -1),
    /** Added under the root to avoid a division by 0. Default 1e-6. */
    epsilon: option(number({ min: 0 }), 1e-6),
  }),
  ['axis', 'epsilon'],
)

/**
 * scale · x / √(mean x² + epsilon), with the mean over the axes of each sample. Zhang and Sennrich 2019. As in Keras,
 * masks are not passed on.
 *
 * Keras: `keras.layers.RMSNormalization`.
 */
export class RMSNormalization extends RMSNormalizationBase {
  static readonly className = 'RMSNormalization'
  /** @internal */
  static override readonly traits: LayerTraits<RMSNormalization> = {
    form: TENSOR,
    checkShape(layer, shape, built) {
      requireExtents(layer, shape, built, axesOf(layer.axis))
    },
  }
  private scaleVariable: Variable | null = null

  /** The input's extents along `axis`. */
  get scale(): Variable {
    return this.requireBuilt(this.scaleVariable)
  }

  override build(inputShape: BatchShape): void {
    this.scaleVariable = this.addWeight({
      name: 'scale',
      shape: extentsAlong(this, inputShape, this.axis),
      initializer: 'ones',
    })
  }

  call(x: Tensor): Tensor {
    return rmsNorm(x, { scale: this.scale, axis: this.axis, epsilon: this.epsilon })
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}

const UnitNormalizationBase = configured(
  Layer<Tensor>,
  () => ({
    /** The axis or axes along which the length is 1. Default −1. */
    axis: option(axes, -1),
  }),
  ['axis'],
)

/** x / √Σ x²: each sample has length 1 along the axes. Keras: `keras.layers.UnitNormalization`. */
export class UnitNormalization extends UnitNormalizationBase {
  static readonly className = 'UnitNormalization'
  /** @internal */
  static override readonly traits: LayerTraits<UnitNormalization> = {
    form: ELEMENTWISE,
  }

  call(x: Tensor): Tensor {
    return normalize(x, { axis: this.axis, epsilon: 1e-12 })
  }
}
