// Depthwise convolution, which convolves each channel separately, and separable convolution, which mixes the channels
// afterwards.

import { configured, extent, option, required } from '../../core/options'
import type { Initializer } from '../../initializers'
import { convolveDepthwise, convolveSeparable } from '../../ops/convolution'
import { placesIn } from '../../ops/sliding'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Regularizer } from '../../regularizers'
import type { Constraint } from '../../constraints'
import { constraint, initializer, regularizer } from '../kinds'
import type { BatchShape } from '../spec'
import { ConvolutionBase, sequenceOptions, windowOptions } from './options'
import { mixesUnits } from '../../activations'
import type { UnitFlow } from '../units'
import { unitAxes } from '../units'

const depthOptions = () => ({
  /** The number of outputs of each channel. Default 1. */
  depthMultiplier: option(extent, 1),
  /** Default glorotUniform. */
  depthwiseInitializer: option(initializer, 'glorotUniform'),
  /** A penalty on the depthwise kernel. Default null. */
  depthwiseRegularizer: option(regularizer, null),
  /** Applied to the depthwise kernel after every update. Default null. */
  depthwiseConstraint: option(constraint, null),
})

abstract class DepthwiseBase extends ConvolutionBase {
  declare readonly depthMultiplier: number
  declare readonly depthwiseInitializer: Initializer
  declare readonly depthwiseRegularizer: Regularizer | null
  declare readonly depthwiseConstraint: Constraint | null
  protected depthwiseVariable: Variable | null = null

  protected addDepthwise(name: string, inputShape: BatchShape): number {
    const channels = this.channelsOf(inputShape)
    this.shapeLast(this.channelsLast(inputShape))
    this.depthwiseVariable = this.addWeight({
      name,
      shape: [...this.kernelSize, channels, this.depthMultiplier],
      initializer: this.depthwiseInitializer,
      regularizer: this.depthwiseRegularizer,
      constraint: this.depthwiseConstraint,
    })
    return channels * this.depthMultiplier
  }

  protected places(inputShape: BatchShape): BatchShape {
    return placesIn(`${this}`, inputShape.slice(1, -1), this.sliding)
  }
}

/** Each channel is convolved with its own kernels. */
abstract class Depthwise extends DepthwiseBase {
  /** [… kernelSize, channels, depthMultiplier] */
  get kernel(): Variable {
    return this.requireBuilt(this.depthwiseVariable)
  }

  override build(inputShape: BatchShape): void {
    this.addBias(this.addDepthwise('kernel', inputShape))
  }

  protected callLast(x: Tensor): Tensor {
    return this.finish(convolveDepthwise(`${this}`, x, this.kernel.value, this.sliding))
  }

  protected override get flowOfLast(): UnitFlow | null {
    if (this.depthMultiplier !== 1 || mixesUnits(this.activation)) return null
    return { kind: 'keeps', along: [...unitAxes(-2, this.kernel), ...unitAxes(0, this.bias)] }
  }

  protected shapeLast(inputShape: BatchShape): BatchShape {
    const channels = inputShape.at(-1) ?? null
    return [inputShape[0]!, ...this.places(inputShape), channels === null ? null : channels * this.depthMultiplier]
  }
}

/** x [batch, steps, channels] → [batch, places, channels · depthMultiplier]. Keras: `keras.layers.DepthwiseConv1D`. */
export class DepthwiseConv1D extends configured(Depthwise, () => ({ ...depthOptions(), ...sequenceOptions() })) {
  static readonly className = 'DepthwiseConv1D'
}

/**
 * y[o, c · m + j] = activation(Σ x[o · stride + t · dilation, c] kernel[t, c, j] + bias) over taps t, with m =
 * depthMultiplier: x [batch, rows, columns, channels] → [batch, …places, channels · m].
 *
 * Keras: `keras.layers.DepthwiseConv2D`.
 */
export class DepthwiseConv2D extends configured(Depthwise, () => ({ ...depthOptions(), ...windowOptions(2) })) {
  static readonly className = 'DepthwiseConv2D'
}

const separableOptions = () => ({
  /** The number of filters: output channels. */
  filters: required(extent),
  ...depthOptions(),
  /** Default glorotUniform. */
  pointwiseInitializer: option(initializer, 'glorotUniform'),
  /** A penalty on the pointwise kernel. Default null. */
  pointwiseRegularizer: option(regularizer, null),
  /** Applied to the pointwise kernel after every update. Default null. */
  pointwiseConstraint: option(constraint, null),
})

/** A depthwise convolution followed by a product over the channels: far fewer weights than a full convolution. */
abstract class Separable extends DepthwiseBase {
  declare readonly filters: number
  declare readonly pointwiseInitializer: Initializer
  declare readonly pointwiseRegularizer: Regularizer | null
  declare readonly pointwiseConstraint: Constraint | null
  private pointwiseVariable: Variable | null = null

  /** [… kernelSize, channels, depthMultiplier] */
  get depthwiseKernel(): Variable {
    return this.requireBuilt(this.depthwiseVariable)
  }

  /** [1, …, channels · depthMultiplier, filters] */
  get pointwiseKernel(): Variable {
    return this.requireBuilt(this.pointwiseVariable)
  }

  override build(inputShape: BatchShape): void {
    const channels = this.addDepthwise('depthwiseKernel', inputShape)
    this.pointwiseVariable = this.addWeight({
      name: 'pointwiseKernel',
      shape: [...this.kernelSize.map(() => 1), channels, this.filters],
      initializer: this.pointwiseInitializer,
      regularizer: this.pointwiseRegularizer,
      constraint: this.pointwiseConstraint,
    })
    this.addBias(this.filters)
  }

  protected callLast(x: Tensor): Tensor {
    return this.finish(
      convolveSeparable(`${this}`, x, this.depthwiseKernel.value, this.pointwiseKernel.value, this.sliding),
    )
  }

  protected override get flowOfLast(): UnitFlow | null {
    if (this.depthMultiplier !== 1) return null
    const made = this.filtersFrom(
      this.filters,
      unitAxes(-1, this.pointwiseKernel)[0]!,
      unitAxes(-2, this.pointwiseKernel),
    )
    return { ...made, along: unitAxes(-2, this.depthwiseKernel) }
  }

  protected shapeLast(inputShape: BatchShape): BatchShape {
    return [inputShape[0]!, ...this.places(inputShape), this.filters]
  }
}

/** x [batch, steps, channels] → [batch, places, filters]. Keras: `keras.layers.SeparableConv1D`. */
export class SeparableConv1D extends configured(Separable, () => ({ ...separableOptions(), ...sequenceOptions() })) {
  static readonly className = 'SeparableConv1D'
}

/** x [batch, rows, columns, channels] → [batch, …places, filters]. Keras: `keras.layers.SeparableConv2D`. */
export class SeparableConv2D extends configured(Separable, () => ({ ...separableOptions(), ...windowOptions(2) })) {
  static readonly className = 'SeparableConv2D'
}
