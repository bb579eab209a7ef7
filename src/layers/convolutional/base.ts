// The base of all convolutions: a kernel or two, a bias, an activation, and a window that slides over places. Each file of
// this folder has a ConvolutionKind, which defines the kernels and the sum.

import { merged } from '../../core/merged'
import { boolean, configured, option } from '../../core/options'
import { add } from '../../ops/numpy/elementwise'
import type { Padding, Sliding } from '../../ops/nn/sliding'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents } from '../checks'
import { TENSOR } from '../forms'
import { activation, constraint, initializer, regularizer } from '../kinds'
import { Layer, type WeightOptions } from '../layer'
import { alongSpace, channelsLast, channelsOf, isChannelsFirst, shapeAlongSpace, spatialOptions } from '../spatial'
import { extentsAt, type BatchShape } from '../spec'
import { unitAxes, type Made, type UnitAxis, type UnitFlow } from '../units'
import { slidingOf } from './options'
import type { LayerTraits } from '../traits'
import type { Initializer } from '../../parts/initializers'
import type { Regularizer } from '../../parts/regularizers'
import type { Constraint } from '../../parts/constraints'

/** What a convolution computes, with the channels last. */
export interface ConvolutionKind<Of> {
  /** Checks options against each other. Default: nothing. */
  check?(layer: Of): void
  /**
   * The kernels, in the order of the weights.
   * @param shape of the input, [batch, …extents, channels]
   * @throws ShapeError for an input that does not fit
   */
  kernels(layer: Of, channels: number, shape: BatchShape): readonly WeightOptions[]
  /** The number of output channels. */
  filters(layer: Of, channels: number | null): number | null
  /** The sum over the window, before bias and activation. */
  call(layer: Of, x: Tensor, kernels: readonly Tensor[]): Tensor
  /** The shape of the result for [batch, …extents, channels]. */
  shape(layer: Of, inputShape: BatchShape, filters: number | null): BatchShape
  /** The units of the output, as they follow from those of the input. */
  units(layer: Of, kernels: readonly Variable[]): UnitFlow | null
  /** Whether the kernel has the filters on its last axis, so that `enableLora` can add a product to it. Default false. */
  readonly takesLora?: boolean
}

const ConvolutionLayerBase = configured(Layer<Tensor>, () =>
  merged(spatialOptions(), {
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
  }),
)

/** activation(Σ x · kernel + bias) for every position of a window. */
export abstract class ConvolutionLayer extends ConvolutionLayerBase {
  /** @internal */
  static override readonly traits: LayerTraits<ConvolutionLayer> = {
    form: TENSOR,
    requiredInputs: (layer) => ({
      minNdim: layer.rank + 2,
      ...extentsAt(layer.buildShape, [isChannelsFirst(layer) ? 1 : -1]),
    }),
    checkShape(layer, shape, built) {
      channelsLast(layer, layer.rank, shape)
      requireExtents(layer, shape, built, [isChannelsFirst(layer) ? 1 : -1])
    },
    unitFlow: (layer) => (isChannelsFirst(layer) ? null : layer.kind.units(layer, layer.kernels)),
  }
  declare readonly kernelSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: Padding
  declare readonly dilationRate: readonly number[]
  /** What the layer computes. @internal */
  protected abstract get kind(): ConvolutionKind<this>
  private kernelVariables: readonly Variable[] | null = null
  private biasVariable: Variable | null = null

  /**
   * [… kernelSize, channels / groups, filters]; of a transposed convolution [… kernelSize, filters, channels], of a
   * depthwise or separable one [… kernelSize, channels, depthMultiplier].
   */
  get kernel(): Variable {
    return this.kernels[0]!
  }

  /** All kernels, in the order of the weights. */
  protected get kernels(): readonly Variable[] {
    return this.requireBuilt(this.kernelVariables)
  }

  /** [filters]; null when useBias is false. */
  get bias(): Variable | null {
    return this.biasVariable
  }

  /** Whether `enableLora` takes the layer. @internal */
  get takesLora(): boolean {
    return this.kind.takesLora ?? false
  }

  protected get sliding(): Sliding {
    return slidingOf(this)
  }

  private get rank(): number {
    return this.kernelSize.length
  }

  protected override checkOptions(): void {
    this.kind.check?.(this)
  }

  override build(inputShape: BatchShape): void {
    const { kind } = this
    const channels = channelsOf(this, this.rank, inputShape)
    const kernels = kind.kernels(this, channels, channelsLast(this, this.rank, inputShape))
    this.kernelVariables = kernels.map((kernel) => this.addWeight(kernel))
    if (!this.useBias) return
    this.biasVariable = this.addWeight({
      name: 'bias',
      shape: [kind.filters(this, channels)!],
      initializer: this.biasInitializer,
      regularizer: this.biasRegularizer,
      constraint: this.biasConstraint,
    })
  }

  call(x: Tensor): Tensor {
    return alongSpace(this, this.rank, x, (last) => this.callLast(last))
  }

  /** x [batch, …spatial, channels] */
  protected callLast(x: Tensor): Tensor {
    const kernels = this.kernels.map((kernel) => kernel.value)
    return this.finish(this.kind.call(this, x, kernels))
  }

  /** Adds the bias, and applies the activation. */
  protected finish(y: Tensor): Tensor {
    return this.activation(this.biasVariable === null ? y : add(y, this.biasVariable))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    const { kind } = this
    return shapeAlongSpace(this, this.rank, inputShape, (shape) =>
      kind.shape(this, shape, kind.filters(this, shape.at(-1)!)),
    )
  }
}

/** The options of a kernel. */
interface KernelOptions {
  readonly kernelInitializer: Initializer
  readonly kernelRegularizer: Regularizer | null
  readonly kernelConstraint: Constraint | null
}

/** A weight with the options of the kernel. */
export function kernelOf(layer: KernelOptions, weight: Pick<WeightOptions, 'shape' | 'inputAxes'>): WeightOptions {
  return {
    ...weight,
    name: 'kernel',
    initializer: layer.kernelInitializer,
    regularizer: layer.kernelRegularizer,
    constraint: layer.kernelConstraint,
  }
}

/** Units that are the filters of a kernel. */
export function madeFilters(
  { filters, activation, bias }: Pick<ConvolutionLayer, 'activation' | 'bias'> & { readonly filters: number },
  kernel: UnitAxis,
  from: readonly UnitAxis[],
): Made {
  const units = {
    count: filters,
    optionsFor: (filters: number) => ({ filters }),
    incoming: [kernel, ...unitAxes(0, bias)],
    activation,
  }
  return { kind: 'makes', units, from }
}
