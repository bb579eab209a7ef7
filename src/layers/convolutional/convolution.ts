// Conv1D, Conv2D, Conv3D: convolution along one, two or three axes.

import { merged } from '../../core/merged'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { configured, extent, option, required } from '../../core/options'
import { convolve } from '../../ops/nn/convolution'
import type { Constraint } from '../../parts/constraints'
import type { Initializer } from '../../parts/initializers'
import type { Regularizer } from '../../parts/regularizers'
import { loraOptions } from '../kinds'
import { unitAxes } from '../units'
import { ConvolutionLayer, kernelOf, madeFilters, type ConvolutionKind } from './base'
import { kernelOptions, placesOf, sequenceOptions, slidingOf, windowOptions } from './options'

const filterOptions = () =>
  merged(
    {
      /** The number of filters: output channels. */
      filters: required(extent),
      /** The number of groups of channels that are convolved separately. Default 1. */
      groups: option(extent, 1),
    },
    kernelOptions(),
    loraOptions(),
  )

interface Filtering extends ConvolutionLayer {
  readonly filters: number
  readonly groups: number
  readonly kernelInitializer: Initializer
  readonly kernelRegularizer: Regularizer | null
  readonly kernelConstraint: Constraint | null
}

/** Kernel [… kernelSize, channels / groups, filters]. */
const CONVOLUTION: ConvolutionKind<Filtering> = {
  check(layer) {
    const { filters, groups } = layer
    if (filters % groups === 0) return
    throw new ArgumentError(
      `${layer}: groups must divide the filters, received ${filters} filters and ${groups} groups`,
    )
  },
  kernels(layer, channels, shape) {
    const { filters, groups, kernelSize } = layer
    if (channels % groups !== 0)
      throw new ShapeError(
        `${layer}: groups must divide the channels, received ${formatShape(shape)} and ${groups} groups`,
      )
    placesOf(layer, shape, filters)
    return [kernelOf(layer, { shape: [...kernelSize, channels / groups, filters] })]
  },
  filters: ({ filters }) => filters,
  call: (layer, x, [kernel]) => convolve(`${layer}`, x, kernel!, slidingOf(layer)),
  shape: placesOf,
  units: (layer, [kernel]) =>
    layer.groups === 1 ? madeFilters(layer, unitAxes(-1, kernel!)[0]!, unitAxes(-2, kernel!)) : null,
  takesLora: true,
}

/** The options by position, in Keras's order. */
const POSITIONAL = [
  'filters',
  'kernelSize',
  'strides',
  'padding',
  'dataFormat',
  'dilationRate',
  'groups',
  'activation',
  'useBias',
] as const

const Conv1DBase = configured(ConvolutionLayer, () => merged(filterOptions(), sequenceOptions()), POSITIONAL)

/**
 * y[o, f] = activation(Σ x[o · stride + t · dilation, c] kernel[t, c, f] + bias[f]) over taps t and channels c:
 * x [batch, steps, channels] → [batch, places, filters].
 *
 *   new Conv1D({ filters: 32, kernelSize: 5, padding: 'causal', activation: 'relu' })
 *
 * Keras: `keras.layers.Conv1D`.
 */
export class Conv1D extends Conv1DBase {
  static readonly className: string = 'Conv1D'

  protected get kind(): ConvolutionKind<Filtering> {
    return CONVOLUTION
  }
}

const Conv2DBase = configured(ConvolutionLayer, () => merged(filterOptions(), windowOptions(2)), POSITIONAL)

/**
 * y[o, f] = activation(Σ x[o · stride + t · dilation, c] kernel[t, c, f] + bias[f]) over taps t = (row, column) and
 * channels c: x [batch, rows, columns, channels] → [batch, …places, filters].
 *
 *   new Conv2D({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' })
 *
 * Keras: `keras.layers.Conv2D`.
 */
export class Conv2D extends Conv2DBase {
  static readonly className: string = 'Conv2D'

  protected get kind(): ConvolutionKind<Filtering> {
    return CONVOLUTION
  }
}

const Conv3DBase = configured(ConvolutionLayer, () => merged(filterOptions(), windowOptions(3)), POSITIONAL)

/**
 * The same over three axes: x [batch, depth, rows, columns, channels] → [batch, …places, filters]. Keras:
 * `keras.layers.Conv3D`.
 */
export class Conv3D extends Conv3DBase {
  static readonly className = 'Conv3D'

  protected get kind(): ConvolutionKind<Filtering> {
    return CONVOLUTION
  }
}
