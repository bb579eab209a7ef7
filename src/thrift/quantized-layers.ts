// Layers with int8 weights for predictions. `quantize` puts them in place of Dense, Conv1D and Conv2D. They are not trained.

import { merged } from '../core/merged'
import { ShapeError, StateError, formatShape } from '../core/errors'
import { boolean, configured, extent, option, required } from '../core/options'
import { sizeOf } from '../core/shapes'
import { placesOf, sequenceOptions, slidingOf, windowOptions } from '../layers/convolutional/options'
import { TENSOR } from '../layers/forms'
import { Layer } from '../layers/layer'
import { alongSpace, channelsLast, channelsOf, shapeAlongSpace, spatialOptions } from '../layers/spatial'
import { activation } from '../layers/kinds'
import type { CallContext } from '../layers/context'
import type { BatchShape } from '../layers/spec'
import { getActivation, type ActivationFunction } from '../parts/activations'
import { cast } from '../ops/numpy/elementwise'
import { needQuantized } from '../ops/families'
import { padFor, type Padding } from '../ops/nn/sliding'
import { Tensor } from '../ops/tensor'
import { apply } from '../ops/trace'
import type { Variable } from '../ops/variable'
import {
  LARGEST,
  QuantizedContraction,
  packWeights,
  packedShape,
  unpackWeights,
  type Sight,
} from '../engine/primitives/quantized'
import { columnsOf, toIntegers } from './integers'
import type { LayerTraits } from '../layers/traits'

/** The weights of a float32 layer, from which a quantized layer is made. */
export interface FloatWeights {
  /** [… window, channels, filters] */
  readonly kernel: Tensor
  /** [filters]; null for zeros. */
  readonly bias: Tensor | null
  /** The largest expected |x|; null to compute it for each row. */
  readonly largest: number | null
}

/** The weights of a quantized layer and its computation. */
class QuantizedKernel {
  constructor(
    readonly sight: Sight,
    /** int8, in the layout of `packWeights`. */
    readonly packed: Variable,
    /** [filters] */
    readonly scales: Variable,
    /** [filters] */
    readonly bias: Variable,
    /** [1]; null if activations are scaled row by row. */
    readonly inputScale: Variable | null,
  ) {}

  quantizeFrom({ kernel, bias, largest }: FloatWeights): void {
    const { integers, scales } = toIntegers(kernel.data, columnsOf(kernel.size, this.sight.filters), 8)
    this.packed.assign(new Tensor(packWeights(integers, this.sight), this.packed.shape, 'int8'))
    this.scales.assign(new Tensor(scales, this.scales.shape, 'float32'))
    if (bias !== null) this.bias.assign(bias)
    this.inputScale?.assign(new Tensor(Float32Array.of((largest ?? 0) / LARGEST), [1], 'float32'))
  }

  /** The dequantized weights, [… window, channels, filters]. */
  get kernel(): Tensor {
    const { window, channels, filters } = this.sight
    const scales = this.scales.value.data
    const integers = unpackWeights(this.packed.value.data, this.sight)
    return new Tensor(
      Float32Array.from(integers, (q, i) => q * scales[i % filters]!),
      [...window, channels, filters],
      'float32',
    )
  }

  call(x: Tensor, activation: ActivationFunction): Tensor {
    const relu = activation === RELU
    const { packed, scales, bias, inputScale } = this
    const fixed = inputScale === null ? [] : [inputScale.value]
    needQuantized()
    const [y] = apply('routine', [cast(x, 'float32'), packed.value, scales.value, bias.value, ...fixed], {
      routine: new QuantizedContraction(this.sight, relu),
    })
    return relu ? y! : activation(y!)
  }
}

const RELU = getActivation('relu')

const quantizedOptions = () => ({
  /** Applied to the result. Default linear. */
  activation: option(activation, null),
  /** Whether activations have one calibrated scale. Default false: one per row. */
  calibrated: option(boolean, false),
})

type AddWeight = (options: {
  name: string
  shape: readonly number[]
  initializer: string
  dtype?: 'int8'
  trainable: false
}) => Variable

function makeKernel(sight: Sight, calibrated: boolean, add: AddWeight): QuantizedKernel {
  const { filters } = sight
  return new QuantizedKernel(
    sight,
    add({ name: 'kernel', shape: packedShape(sight), initializer: 'zeros', dtype: 'int8', trainable: false }),
    add({ name: 'kernelScale', shape: [filters], initializer: 'ones', trainable: false }),
    add({ name: 'bias', shape: [filters], initializer: 'zeros', trainable: false }),
    calibrated ? add({ name: 'inputScale', shape: [1], initializer: 'ones', trainable: false }) : null,
  )
}

/** @throws StateError in training: integers have no gradients */
function requirePrediction(layer: object, training: boolean): void {
  if (!training) return
  throw new StateError(
    `${String(layer)}: int8 layers are not trained. Train the original model, or its quantizationAware version, and quantize it again.`,
  )
}

/** Why files of other programs cannot have these layers. */
const MULTIPLIES_INTEGERS =
  'no other program has layers that multiply integers. Save as safetensors, or use quantizeInPlace, whose layers compute in float32'

/** A layer with int8 weights, whose product is computed in integers. It is not trained. */
export abstract class IntegerProduct extends Layer<Tensor> {
  /** @internal */
  static override readonly traits: LayerTraits<IntegerProduct> = {
    form: { ...TENSOR, onlyHere: MULTIPLIES_INTEGERS },
  }
  private quantized: QuantizedKernel | null = null

  /** The weights, once the layer is built. */
  protected get product(): QuantizedKernel {
    return this.requireBuilt(this.quantized)
  }

  /** The dequantized weights, [… kernelSize, channels, filters], or [n, units] of a Dense layer. */
  get kernel(): Tensor {
    return this.product.kernel
  }

  /** The number of biases. @internal */
  get biasSize(): number {
    return this.product.bias.size
  }

  /** Creates the weights. */
  protected addProduct(sight: Sight, calibrated: boolean): void {
    this.quantized = makeKernel(sight, calibrated, (options) => this.addWeight(options))
  }

  /** Quantizes the weights of a float32 layer. @internal */
  quantizeFrom(weights: FloatWeights): void {
    this.product.quantizeFrom(weights)
  }
}

const QuantizedDenseBase = configured(IntegerProduct, () =>
  merged(
    {
      /** The number of outputs. */
      units: required(extent),
    },
    quantizedOptions(),
  ),
)

/**
 * A Dense layer with int8 weights: activation(s · scale[u] · Σ q w[u] + bias[u]), with q = ⌊x / s⌉ within ±127 and
 * s = max |x| / 127 over the row, or calibrated. x [batch, …, n] → [batch, …, units]. Made by `quantize`.
 */
export class QuantizedDense extends QuantizedDenseBase {
  static readonly className = 'QuantizedDense'
  override readonly supportsMasking = true

  override build(inputShape: BatchShape): void {
    const channels = inputShape.at(-1)
    if (inputShape.length < 2 || channels == null)
      throw new ShapeError(`${this}: the input must be [batch, …, features], received ${formatShape(inputShape)}`)
    this.addProduct({ window: [], channels, filters: this.units, strides: [], dilation: [] }, this.calibrated)
  }

  call(x: Tensor, { training }: CallContext): Tensor {
    requirePrediction(this, training)
    const { product } = this
    const { channels } = product.sight
    if (x.rank < 2 || x.shape.at(-1) !== channels) {
      const hint = x.rank > 2 && sizeOf(x.shape.slice(1)) === channels ? ' Did you forget Flatten?' : ''
      throw new ShapeError(
        `${this}: the last input dimension must be ${channels}, received ${formatShape(x.shape)}.${hint}`,
      )
    }
    return product.call(x, this.activation)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return [...inputShape.slice(0, -1), this.units]
  }
}

const quantizedConvolutionOptions = () =>
  merged(
    {
      /** The number of output channels. */
      filters: required(extent),
    },
    quantizedOptions(),
  )

const QuantizedConvolutionBase = configured(IntegerProduct, spatialOptions)

abstract class QuantizedConvolution extends QuantizedConvolutionBase {
  declare readonly kernelSize: readonly number[]
  declare readonly strides: readonly number[]
  declare readonly padding: Padding
  declare readonly dilationRate: readonly number[]
  declare readonly filters: number
  declare readonly activation: ActivationFunction
  declare readonly calibrated: boolean

  override build(inputShape: BatchShape): void {
    const rank = this.kernelSize.length
    const channels = channelsOf(this, rank, inputShape)
    placesOf(this, channelsLast(this, rank, inputShape), this.filters)
    const { kernelSize: window, filters, strides, dilationRate: dilation } = this
    this.addProduct({ window, channels, filters, strides, dilation }, this.calibrated)
  }

  call(x: Tensor, { training }: CallContext): Tensor {
    requirePrediction(this, training)
    return alongSpace(this, this.kernelSize.length, x, (last) => {
      const { product } = this
      const { channels } = product.sight
      if (last.shape.at(-1) !== channels)
        throw new ShapeError(`${this}: the input must have ${channels} channels, received ${formatShape(last.shape)}`)
      placesOf(this, last.shape, this.filters)
      return product.call(padFor(last, slidingOf(this)), this.activation)
    })
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return shapeAlongSpace(this, this.kernelSize.length, inputShape, (shape) => placesOf(this, shape, this.filters))
  }
}

const QuantizedConv1DBase = configured(QuantizedConvolution, () =>
  merged(quantizedConvolutionOptions(), sequenceOptions()),
)

/** Conv1D with int8 weights; activations have a scale per sample, or a calibrated one. Made by `quantize`. */
export class QuantizedConv1D extends QuantizedConv1DBase {
  static readonly className = 'QuantizedConv1D'
}

const QuantizedConv2DBase = configured(QuantizedConvolution, () =>
  merged(quantizedConvolutionOptions(), windowOptions(2)),
)

/** Conv2D with int8 weights; activations have a scale per sample, or a calibrated one. Made by `quantize`. */
export class QuantizedConv2D extends QuantizedConv2DBase {
  static readonly className = 'QuantizedConv2D'
}
