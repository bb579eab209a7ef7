// Conv1D, Conv2D, Conv3D: convolution along one, two or three axes.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { configured, extent, option, required } from '../../core/options'
import type { Initializer } from '../../initializers'
import { convolve } from '../../ops/convolution'
import { placesIn } from '../../ops/sliding'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Regularizer } from '../../regularizers'
import type { Constraint } from '../../constraints'
import type { BatchShape } from '../spec'
import { ConvolutionBase, kernelOptions, sequenceOptions, windowOptions } from './options'
import type { UnitFlow } from '../units'
import { unitAxes } from '../units'

const filterOptions = () => ({
  /** The number of filters: output channels. */
  filters: required(extent),
  /** The number of groups of channels that are convolved separately. Default 1. */
  groups: option(extent, 1),
  ...kernelOptions(),
})

/** activation(Σ x · kernel + bias) for every position of a window. */
abstract class Convolution extends ConvolutionBase {
  declare readonly filters: number
  declare readonly groups: number
  declare readonly kernelInitializer: Initializer
  declare readonly kernelRegularizer: Regularizer | null
  declare readonly kernelConstraint: Constraint | null
  private kernelVariable: Variable | null = null

  protected override checkOptions(): void {
    if (this.filters % this.groups === 0) return
    throw new ArgumentError(
      `${this}: groups must divide the filters, received ${this.filters} filters and ${this.groups} groups`,
    )
  }

  /** [… kernelSize, channels / groups, filters] */
  get kernel(): Variable {
    return this.requireBuilt(this.kernelVariable)
  }

  override build(inputShape: BatchShape): void {
    const channels = this.channelsOf(inputShape)
    if (channels % this.groups !== 0) {
      throw new ShapeError(
        `${this}: groups must divide the channels, received ${formatShape(inputShape)} and ${this.groups} groups`,
      )
    }
    this.shapeLast(this.channelsLast(inputShape))
    this.kernelVariable = this.addWeight({
      name: 'kernel',
      shape: [...this.kernelSize, channels / this.groups, this.filters],
      initializer: this.kernelInitializer,
      regularizer: this.kernelRegularizer,
      constraint: this.kernelConstraint,
    })
    this.addBias(this.filters)
  }

  protected callLast(x: Tensor): Tensor {
    return this.finish(convolve(`${this}`, x, this.kernel.value, this.sliding))
  }

  protected override get flowOfLast(): UnitFlow | null {
    if (this.groups !== 1) return null
    return this.filtersFrom(this.filters, unitAxes(-1, this.kernel)[0]!, unitAxes(-2, this.kernel))
  }

  protected shapeLast([batch = null, ...rest]: BatchShape): BatchShape {
    return [batch, ...placesIn(`${this}`, rest.slice(0, -1), this.sliding), this.filters]
  }
}

/**
 * y[o, f] = activation(Σ x[o · stride + t · dilation, c] kernel[t, c, f] + bias[f]) over taps t and channels c:
 * x [batch, steps, channels] → [batch, places, filters].
 *
 *   new Conv1D({ filters: 32, kernelSize: 5, padding: 'causal', activation: 'relu' })
 *
 * Keras: `keras.layers.Conv1D`.
 */
export class Conv1D extends configured(Convolution, () => ({ ...filterOptions(), ...sequenceOptions() })) {
  static readonly className: string = 'Conv1D'
}

/**
 * y[o, f] = activation(Σ x[o · stride + t · dilation, c] kernel[t, c, f] + bias[f]) over taps t = (row, column) and
 * channels c: x [batch, rows, columns, channels] → [batch, …places, filters].
 *
 *   new Conv2D({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' })
 *
 * Keras: `keras.layers.Conv2D`.
 */
export class Conv2D extends configured(Convolution, () => ({ ...filterOptions(), ...windowOptions(2) })) {
  static readonly className: string = 'Conv2D'
}

/**
 * The same over three axes: x [batch, depth, rows, columns, channels] → [batch, …places, filters]. Keras:
 * `keras.layers.Conv3D`.
 */
export class Conv3D extends configured(Convolution, () => ({ ...filterOptions(), ...windowOptions(3) })) {
  static readonly className = 'Conv3D'
}
