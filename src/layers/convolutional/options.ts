// The options that all convolutions have, and what they make of them.

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
  /** The size of the window, for all axes or each. */
  kernelSize: required(perAxis(rank)),
  /** How far it moves, for all axes or each. Default 1. */
  strides: option(perAxis(rank), 1),
  /** 'valid': inside the input only. 'same': zeros around, for ⌈extent / stride⌉ places. Default valid. */
  padding: option(padding, 'valid'),
  /** The distance of neighbouring taps, for all axes or each. Default 1. */
  dilationRate: option(perAxis(rank), 1),
})

/** One axis knows an order, so the padding may also be 'causal'. */
export const sequenceOptions = () => ({
  ...windowOptions(1),
  /** 'valid': inside the input only. 'same': zeros around, for ⌈steps / stride⌉ places. 'causal': zeros in front only. Default valid. */
  padding: option(sequencePadding, 'valid'),
})

/** One weight for each tap. */
export const kernelOptions = () => ({
  /** Default glorotUniform. */
  kernelInitializer: option(initializer, 'glorotUniform'),
  /** A penalty on the kernel. Default null. */
  kernelRegularizer: option(regularizer, null),
  /** What the kernel is made to fulfil after every update. Default null. */
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

  /** Of an input's shape. @throws ShapeError when it is open */
  protected channelsOf(inputShape: BatchShape): number {
    const channels = this.channelsLast(inputShape).at(-1)
    if (channels != null) return channels
    throw new ShapeError(`${this}: the channels must be known, received ${formatShape(inputShape)}`)
  }
}

/** What comes behind the convolution: a bias for each filter, and an activation. */
export abstract class ConvolutionBase extends configured(SlidingLayer, () => ({
  /** Applied to the result. Default linear. */
  activation: option(activation, null),
  /** Default true. */
  useBias: option(boolean, true),
  /** Default zeros. */
  biasInitializer: option(initializer, 'zeros'),
  /** A penalty on the bias. Default null. */
  biasRegularizer: option(regularizer, null),
  /** What the bias is made to fulfil after every update. Default null. */
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

  /** The flow of a convolution that makes filters. */
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

/** The number of elements more at the end of each axis. */
export const outputPadding = (rank: number) => nullable(perAxis(rank, 0))
