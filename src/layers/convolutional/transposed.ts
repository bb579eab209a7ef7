// Conv1DTranspose, Conv2DTranspose, Conv3DTranspose: from the size of a convolution's output to the size of its input.

import { merged } from '../../core/merged'
import { ArgumentError, formatShape } from '../../core/errors'
import { configured, extent, option, required } from '../../core/options'
import { transposeConvolve, transposedLengths } from '../../ops/nn/convolution'
import type { Constraint } from '../../parts/constraints'
import type { Initializer } from '../../parts/initializers'
import type { Regularizer } from '../../parts/regularizers'
import { unitAxes } from '../units'
import { ConvolutionLayer, kernelOf, madeFilters, type ConvolutionKind } from './base'
import { kernelOptions, outputPadding, slidingOf, windowOptions } from './options'

const transposedOptions = (rank: number) =>
  merged(
    {
      /** The number of filters: output channels. */
      filters: required(extent),
    },
    windowOptions(rank),
    kernelOptions(),
    {
      /**
       * The number of additional elements at the end of each axis, less than the stride; null gives the usual lengths.
       * Default null.
       */
      outputPadding: option(outputPadding(rank), null),
    },
  )

interface Transposing extends ConvolutionLayer {
  readonly filters: number
  readonly outputPadding: readonly number[] | null
  readonly kernelInitializer: Initializer
  readonly kernelRegularizer: Regularizer | null
  readonly kernelConstraint: Constraint | null
}

/** Each element of the input adds a multiple of the kernel [… kernelSize, filters, channels] to a window of the output. */
const TRANSPOSED: ConvolutionKind<Transposing> = {
  check(layer) {
    const { outputPadding, strides } = layer
    if (outputPadding === null || outputPadding.every((more, i) => more < strides[i]!)) return
    throw new ArgumentError(
      `${layer}: outputPadding must be smaller than strides, received ${formatShape(outputPadding)} and ${formatShape(strides)}`,
    )
  },
  kernels(layer, channels) {
    const { filters, kernelSize } = layer
    const shape = [...kernelSize, filters, channels]
    return [kernelOf(layer, { shape, inputAxes: [kernelSize.length + 1] })]
  },
  filters: ({ filters }) => filters,
  call: (layer, x, [kernel]) => transposeConvolve(`${layer}`, x, kernel!, slidingOf(layer), layer.outputPadding),
  shape: (layer, [batch = null, ...rest], filters) => [
    batch,
    ...transposedLengths(rest.slice(0, -1), slidingOf(layer), layer.outputPadding),
    filters,
  ],
  units: (layer, [kernel]) => madeFilters(layer, unitAxes(-2, kernel!)[0]!, unitAxes(-1, kernel!)),
}

/** The options by position, in Keras's order, up to two axes. */
const POSITIONAL = [
  'filters',
  'kernelSize',
  'strides',
  'padding',
  'outputPadding',
  'dataFormat',
  'dilationRate',
  'activation',
  'useBias',
] as const

const Conv1DTransposeBase = configured(ConvolutionLayer, () => transposedOptions(1), POSITIONAL)

/**
 * x [batch, steps, channels] → [batch, steps · stride, filters] with 'same' padding. Keras:
 * `keras.layers.Conv1DTranspose`.
 */
export class Conv1DTranspose extends Conv1DTransposeBase {
  static readonly className = 'Conv1DTranspose'

  protected get kind(): ConvolutionKind<Transposing> {
    return TRANSPOSED
  }
}

const Conv2DTransposeBase = configured(ConvolutionLayer, () => transposedOptions(2), POSITIONAL)

/**
 * y[i · stride + t · dilation, f] += x[i, c] · kernel[t, f, c] for all places i, taps t and channels c, then bias and
 * activation: x [batch, rows, columns, channels] → [batch, rows · stride, columns · stride, filters] with 'same'
 * padding.
 *
 *   new Conv2DTranspose({ filters: 16, kernelSize: 3, strides: 2, padding: 'same' })
 *
 * Keras: `keras.layers.Conv2DTranspose`.
 */
export class Conv2DTranspose extends Conv2DTransposeBase {
  static readonly className = 'Conv2DTranspose'

  protected get kind(): ConvolutionKind<Transposing> {
    return TRANSPOSED
  }
}

const Conv3DTransposeBase = configured(ConvolutionLayer, () => transposedOptions(3), [
  'filters',
  'kernelSize',
  'strides',
  'padding',
  'dataFormat',
  'outputPadding',
  'dilationRate',
  'activation',
  'useBias',
])

/** The same over three axes. Keras: `keras.layers.Conv3DTranspose`. */
export class Conv3DTranspose extends Conv3DTransposeBase {
  static readonly className = 'Conv3DTranspose'

  protected get kind(): ConvolutionKind<Transposing> {
    return TRANSPOSED
  }
}
