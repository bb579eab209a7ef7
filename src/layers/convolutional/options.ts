// The options that all convolutions share, and what is derived from them.

import { ShapeError, formatShape } from '../../core/errors'
import { boolean, configured, nullable, option, required } from '../../core/options'
import { add } from '../../ops/elementwise'
import type { Padding, Sliding } from '../../ops/sliding'
import { padding, perAxis, sequencePadding } from '../../ops/sliding'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { SpatialLayer } from '../core/spatial-layer'
import { requireExtents } from '../checks'
import { activation, constraint, initializer, regularizer } from '../kinds'
import type { BatchShape } from '../spec'
import { mixesUnits } from '../../activations'
import type { Made, UnitAxis } from '../units'
import { unitAxes } from '../units'

/** How a window moves over `rank` axes. */
export const windowOptions = (rank: number) => ({
  /** The size of the window: one number, or one for each axis. */
  kernelSize: required(perAxis(rank)),
  /** The step of the window: one number, or one for each axis. Default 1. */
  strides: option(perAxis(rank), 1),
  /** 'valid': only inside the input. 'same': zeros around it, for ⌈extent / stride⌉ positions. Default valid. */
  padding: option(padding, 'valid'),
  /** The distance between neighbouring taps: one number, or one for each axis. Default 1. */
  dilationRate: option(perAxis(rank), 1),
})

/** A sequence has an order, so the padding may also be 'causal'. */
export const sequenceOptions = () => ({
  ...windowOptions(1),
  /**
   * 'valid': only inside the input. 'same': zeros around it, for ⌈steps / stride⌉ positions. 'causal': zeros in front
   * only. Default valid.
   */
  padding: option(sequencePadding, 'valid'),
})

/** One weight for each tap. */
export const kernelOptions = () => ({
  /** Default glorotUniform. */
  kernelInitializer: option(initializer, 'glorotUniform'),
  /** A penalty on the kernel. Default null. */
  kernelRegularizer: option(regularizer, null),
  /** Applied to the kernel after every update. Default null. */
  kernelConstraint: option(constraint, null),
})

/** A window that slides over places. */
export abstract class SlidingLayer extends SpatialLayer {
  declare readonly kernelSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: Padding
  declare readonly dilationRate: readonly number[]

  protected get rank(): number {
    return this.kernelSize.length
  }

  protected get sliding(): Sliding {
    return { window: this.kernelSize, strides: this.strides, dilation: this.dilationRate, padding: this.padding }
  }

  /** The channels of an input shape. @throws ShapeError if they are open */
  protected channelsOf(inputShape: BatchShape): number {
    const channels = this.channelsLast(inputShape).at(-1)
    if (channels != null) return channels
    throw new ShapeError(`${this}: the channels must be known, received ${formatShape(inputShape)}`)
  }
}

/** What follows the convolution: a bias for each filter, and an activation. */
export abstract class ConvolutionBase extends configured(SlidingLayer, () => ({
  /** Applied to the result. Default linear. */
  activation: option(activation, null),
  /** Default true. */
  useBias: option(boolean, true),
  /** Default zeros. */
  biasInitializer: option(initializer, 'zeros'),
  /** A penalty on the bias. Default null. */
  biasRegularizer: option(regularizer, null),
  /** Applied to the bias after every update. Default null. */
  biasConstraint: option(constraint, null),
})) {
  private biasVariable: Variable | null = null

  /** [filters]; null when useBias is false. */
  get bias(): Variable | null {
    return this.biasVariable
  }

  protected override checkShape(shape: BatchShape, built: BatchShape): void {
    this.channelsLast(shape)
    requireExtents(this, shape, built, [this.isFirst ? 1 : -1])
  }

  protected addBias(filters: number): void {
    if (!this.useBias) return
    this.biasVariable = this.addWeight({
      name: 'bias',
      shape: [filters],
      initializer: this.biasInitializer,
      regularizer: this.biasRegularizer,
      constraint: this.biasConstraint,
    })
  }

  /** The unit flow of a convolution with `filters` outputs. */
  protected filtersFrom(filters: number, kernel: UnitAxis, from: readonly UnitAxis[]): Made {
    const { activation } = this
    const units = {
      count: filters,
      optionsFor: (filters: number) => ({ filters }),
      incoming: [kernel, ...unitAxes(0, this.bias)],
      activation,
      mixed: mixesUnits(activation),
    }
    return { kind: 'makes', units, from }
  }

  protected finish(y: Tensor): Tensor {
    return this.activation(this.biasVariable === null ? y : add(y, this.biasVariable))
  }
}

/** The number of additional elements at the end of each axis. */
export const outputPadding = (rank: number) => nullable(perAxis(rank, 0))
