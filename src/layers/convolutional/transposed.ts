// Conv1DTranspose, Conv2DTranspose, Conv3DTranspose: from the size of a convolution's output to the size of its input.

import { ArgumentError, formatShape } from '../../core/errors'
import { configured, extent, option, required } from '../../core/options'
import type { Initializer } from '../../initializers'
import { transposeConvolve, transposedLengths } from '../../ops/convolution'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Regularizer } from '../../regularizers'
import type { Constraint } from '../../constraints'
import type { BatchShape } from '../spec'
import { ConvolutionBase, kernelOptions, outputPadding, windowOptions } from './options'
import type { UnitFlow } from '../units'
import { unitAxes } from '../units'

const transposedOptions = (rank: number) => ({
  /** The number of filters: output channels. */
  filters: required(extent),
  ...windowOptions(rank),
  ...kernelOptions(),
  /**
   * The number of additional elements at the end of each axis, less than the stride; null gives the usual lengths.
   * Default null.
   */
  outputPadding: option(outputPadding(rank), null),
})

/** Each element of the input adds a multiple of the kernel to a window of the output. */
abstract class TransposedConvolution extends ConvolutionBase {
  declare readonly filters: number
  declare readonly outputPadding: readonly number[] | null
  declare readonly kernelInitializer: Initializer
  declare readonly kernelRegularizer: Regularizer | null
  declare readonly kernelConstraint: Constraint | null
  private kernelVariable: Variable | null = null

  protected override checkOptions(): void {
    if (this.outputPadding === null || this.outputPadding.every((more, i) => more < this.strides[i]!)) return
    throw new ArgumentError(
      `${this}: outputPadding must be smaller than strides, received ${formatShape(this.outputPadding)} and ${formatShape(this.strides)}`,
    )
  }

  /** [… kernelSize, filters, channels] */
  get kernel(): Variable {
    return this.requireBuilt(this.kernelVariable)
  }

  override build(inputShape: BatchShape): void {
    this.kernelVariable = this.addWeight({
      name: 'kernel',
      shape: [...this.kernelSize, this.filters, this.channelsOf(inputShape)],
      initializer: this.kernelInitializer,
      regularizer: this.kernelRegularizer,
      constraint: this.kernelConstraint,
      inputAxes: [this.kernelSize.length + 1],
    })
    this.addBias(this.filters)
  }

  protected callLast(x: Tensor): Tensor {
    return this.finish(transposeConvolve(`${this}`, x, this.kernel.value, this.sliding, this.outputPadding))
  }

  protected override get flowOfLast(): UnitFlow | null {
    return this.filtersFrom(this.filters, unitAxes(-2, this.kernel)[0]!, unitAxes(-1, this.kernel))
  }

  protected shapeLast([batch = null, ...rest]: BatchShape): BatchShape {
    return [batch, ...transposedLengths(rest.slice(0, -1), this.sliding, this.outputPadding), this.filters]
  }
}

/**
 * x [batch, steps, channels] → [batch, steps · stride, filters] with 'same' padding. Keras:
 * `keras.layers.Conv1DTranspose`.
 */
export class Conv1DTranspose extends configured(TransposedConvolution, () => transposedOptions(1)) {
  static readonly className = 'Conv1DTranspose'
}

/**
 * y[i · stride + t · dilation, f] += x[i, c] · kernel[t, f, c] for all places i, taps t and channels c, then bias and
 * activation: x [batch, rows, columns, channels] → [batch, rows · stride, columns · stride, filters] with 'same'
 * padding.
 *
 *   new Conv2DTranspose({ filters: 16, kernelSize: 3, strides: 2, padding: 'same' })
 *
 * Keras: `keras.layers.Conv2DTranspose`.
 */
export class Conv2DTranspose extends configured(TransposedConvolution, () => transposedOptions(2)) {
  static readonly className = 'Conv2DTranspose'
}

/** The same over three axes. Keras: `keras.layers.Conv3DTranspose`. */
export class Conv3DTranspose extends configured(TransposedConvolution, () => transposedOptions(3)) {
  static readonly className = 'Conv3DTranspose'
}
