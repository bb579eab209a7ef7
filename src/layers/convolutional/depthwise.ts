// Depthwise convolution, which convolves each channel separately, and separable convolution, which mixes the channels
// afterwards.

import { merged } from '../../core/merged'
import { mixesUnits } from '../../parts/activations'
import { configured, extent, option, required } from '../../core/options'
import { convolveDepthwise, convolveSeparable } from '../../ops/nn/convolution'
import type { Variable } from '../../ops/variable'
import type { Constraint } from '../../parts/constraints'
import type { Initializer } from '../../parts/initializers'
import type { Regularizer } from '../../parts/regularizers'
import { constraint, initializer, regularizer } from '../kinds'
import type { WeightOptions } from '../layer'
import type { BatchShape } from '../spec'
import { unitAxes } from '../units'
import { ConvolutionLayer, madeFilters, type ConvolutionKind } from './base'
import { placesOf, sequenceOptions, slidingOf, windowOptions, type Windowed } from './options'

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

interface Depth {
  readonly depthMultiplier: number
  readonly depthwiseInitializer: Initializer
  readonly depthwiseRegularizer: Regularizer | null
  readonly depthwiseConstraint: Constraint | null
}

interface Deepening extends ConvolutionLayer, Depth {}

function depthwiseKernel(layer: Windowed & Depth, name: string, channels: number, shape: BatchShape): WeightOptions {
  placesOf(layer, shape, null)
  return {
    name,
    shape: [...layer.kernelSize, channels, layer.depthMultiplier],
    initializer: layer.depthwiseInitializer,
    regularizer: layer.depthwiseRegularizer,
    constraint: layer.depthwiseConstraint,
  }
}

/** Each channel is convolved with its own kernels [… kernelSize, channels, depthMultiplier]. */
const DEPTHWISE: ConvolutionKind<Deepening> = {
  kernels: (layer, channels, shape) => [depthwiseKernel(layer, 'kernel', channels, shape)],
  filters: ({ depthMultiplier }, channels) => (channels === null ? null : channels * depthMultiplier),
  call: (layer, x, [kernel]) => convolveDepthwise(`${layer}`, x, kernel!, slidingOf(layer)),
  shape: placesOf,
  units({ depthMultiplier, activation, bias }, [kernel]) {
    if (depthMultiplier !== 1 || mixesUnits(activation)) return null
    return { kind: 'keeps', along: [...unitAxes(-2, kernel!), ...unitAxes(0, bias)] }
  },
}

/** The options of a depthwise convolution by position, in Keras's order. */
const DEPTHWISE_POSITIONAL = [
  'kernelSize',
  'strides',
  'padding',
  'depthMultiplier',
  'dataFormat',
  'dilationRate',
  'activation',
  'useBias',
] as const

const DepthwiseConv1DBase = configured(
  ConvolutionLayer,
  () => merged(depthOptions(), sequenceOptions()),
  DEPTHWISE_POSITIONAL,
)

/** x [batch, steps, channels] → [batch, places, channels · depthMultiplier]. Keras: `keras.layers.DepthwiseConv1D`. */
export class DepthwiseConv1D extends DepthwiseConv1DBase {
  static readonly className = 'DepthwiseConv1D'

  protected get kind(): ConvolutionKind<Deepening> {
    return DEPTHWISE
  }
}

const DepthwiseConv2DBase = configured(
  ConvolutionLayer,
  () => merged(depthOptions(), windowOptions(2)),
  DEPTHWISE_POSITIONAL,
)

/**
 * y[o, c · m + j] = activation(Σ x[o · stride + t · dilation, c] kernel[t, c, j] + bias) over taps t, with m =
 * depthMultiplier: x [batch, rows, columns, channels] → [batch, …places, channels · m].
 *
 * Keras: `keras.layers.DepthwiseConv2D`.
 */
export class DepthwiseConv2D extends DepthwiseConv2DBase {
  static readonly className = 'DepthwiseConv2D'

  protected get kind(): ConvolutionKind<Deepening> {
    return DEPTHWISE
  }
}

const separableOptions = () =>
  merged(
    {
      /** The number of filters: output channels. */
      filters: required(extent),
    },
    depthOptions(),
    {
      /** Default glorotUniform. */
      pointwiseInitializer: option(initializer, 'glorotUniform'),
      /** A penalty on the pointwise kernel. Default null. */
      pointwiseRegularizer: option(regularizer, null),
      /** Applied to the pointwise kernel after every update. Default null. */
      pointwiseConstraint: option(constraint, null),
    },
  )

interface Separating extends ConvolutionLayer, Depth {
  readonly filters: number
  readonly pointwiseInitializer: Initializer
  readonly pointwiseRegularizer: Regularizer | null
  readonly pointwiseConstraint: Constraint | null
}

/**
 * A depthwise convolution followed by a product over the channels, with a kernel [1, …, channels · depthMultiplier,
 * filters]: far fewer weights than a full convolution.
 */
const SEPARABLE: ConvolutionKind<Separating> = {
  kernels(layer, channels, shape) {
    const { kernelSize, depthMultiplier, filters } = layer
    return [
      depthwiseKernel(layer, 'depthwiseKernel', channels, shape),
      {
        name: 'pointwiseKernel',
        shape: [...kernelSize.map(() => 1), channels * depthMultiplier, filters],
        initializer: layer.pointwiseInitializer,
        regularizer: layer.pointwiseRegularizer,
        constraint: layer.pointwiseConstraint,
      },
    ]
  },
  filters: ({ filters }) => filters,
  call: (layer, x, [depthwise, pointwise]) =>
    convolveSeparable(`${layer}`, x, depthwise!, pointwise!, slidingOf(layer)),
  shape: placesOf,
  units(layer, [depthwise, pointwise]) {
    if (layer.depthMultiplier !== 1) return null
    const made = madeFilters(layer, unitAxes(-1, pointwise!)[0]!, unitAxes(-2, pointwise!))
    return { ...made, along: unitAxes(-2, depthwise!) }
  },
}

/** The options of a separable convolution by position, in Keras's order. */
const SEPARABLE_POSITIONAL = [
  'filters',
  'kernelSize',
  'strides',
  'padding',
  'dataFormat',
  'dilationRate',
  'depthMultiplier',
  'activation',
  'useBias',
] as const

const SeparableConv1DBase = configured(
  ConvolutionLayer,
  () => merged(separableOptions(), sequenceOptions()),
  SEPARABLE_POSITIONAL,
)

/** x [batch, steps, channels] → [batch, places, filters]. Keras: `keras.layers.SeparableConv1D`. */
export class SeparableConv1D extends SeparableConv1DBase {
  static readonly className = 'SeparableConv1D'

  protected get kind(): ConvolutionKind<Separating> {
    return SEPARABLE
  }

  /** [… kernelSize, channels, depthMultiplier] */
  get depthwiseKernel(): Variable {
    return this.kernels[0]!
  }

  /** [1, …, channels · depthMultiplier, filters] */
  get pointwiseKernel(): Variable {
    return this.kernels[1]!
  }
}

const SeparableConv2DBase = configured(
  ConvolutionLayer,
  () => merged(separableOptions(), windowOptions(2)),
  SEPARABLE_POSITIONAL,
)

/** x [batch, rows, columns, channels] → [batch, …places, filters]. Keras: `keras.layers.SeparableConv2D`. */
export class SeparableConv2D extends SeparableConv2DBase {
  static readonly className = 'SeparableConv2D'

  protected get kind(): ConvolutionKind<Separating> {
    return SEPARABLE
  }

  /** [… kernelSize, channels, depthMultiplier] */
  get depthwiseKernel(): Variable {
    return this.kernels[0]!
  }

  /** [1, …, channels · depthMultiplier, filters] */
  get pointwiseKernel(): Variable {
    return this.kernels[1]!
  }
}
