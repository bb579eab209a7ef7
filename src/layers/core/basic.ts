// The layers that every network needs: Dense, Activation, Dropout, Flatten, Reshape, InputLayer.

import type { Activation as ActivationFunction, ActivationIdentifier } from '../../activations'
import { activationName, getActivation } from '../../activations'
import { ArgumentError, ShapeError, checkOptions, formatShape } from '../../core/errors'
import type { Initializer, InitializerIdentifier } from '../../initializers'
import { initializers } from '../../initializers/registry'
import type { Shape } from '../../core/shapes'
import { sizeOf } from '../../core/shapes'
import { add, divide } from '../../ops/elementwise'
import { matmul } from '../../ops/linalg'
import { SeedGenerator, dropout } from '../../ops/random'
import { reshape } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Config } from '../../core/registry'
import { serialize } from '../../core/registry'
import type { Regularizer, RegularizerIdentifier } from '../../regularizers'
import { regularizers } from '../../regularizers/registry'
import type { BatchShape, CallContext, LayerOptions } from '../layer'
import { LAYER_OPTIONS, Layer } from '../layer'

/** Declares the shape of one sample; passes its input on. */
export class InputLayer extends Layer {
  static readonly className = 'InputLayer'
  constructor({ shape, ...options }: LayerOptions & { shape?: Shape } = {}) {
    checkOptions('InputLayer', options, ['shape', ...LAYER_OPTIONS])
    super(shape === undefined ? options : { ...options, inputShape: shape })
    if (this.inputShape === null) throw new ArgumentError(`${this}: needs shape, the shape of one sample`)
  }
  call(x: Tensor): Tensor {
    return x
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }
}

export interface DenseOptions extends LayerOptions {
  /** The number of outputs. */
  units: number
  /** Applied to the result. Default linear. */
  activation?: ActivationIdentifier
  useBias?: boolean
  kernelInitializer?: InitializerIdentifier
  biasInitializer?: InitializerIdentifier
  kernelRegularizer?: RegularizerIdentifier | null
  biasRegularizer?: RegularizerIdentifier | null
  activityRegularizer?: RegularizerIdentifier | null
}

const DENSE_OPTIONS: readonly (keyof DenseOptions)[] = [
  'units', 'activation', 'useBias', 'kernelInitializer', 'biasInitializer', 'kernelRegularizer', 'biasRegularizer',
  'activityRegularizer', ...LAYER_OPTIONS,
]

function optionalRegularizer(identifier: RegularizerIdentifier | null | undefined): Regularizer | null {
  return identifier == null ? null : regularizers.get(identifier)
}

/**
 * activation(x · kernel + bias): x [batch, …, n] → [batch, …, units], kernel [n, units], bias [units].
 * Keras: `keras.layers.Dense`.
 */
export class Dense extends Layer {
  static readonly className = 'Dense'
  readonly units: number
  readonly useBias: boolean
  private readonly activation: ActivationFunction
  private readonly kernelInitializer: Initializer
  private readonly biasInitializer: Initializer
  private readonly kernelRegularizer: Regularizer | null
  private readonly biasRegularizer: Regularizer | null
  private readonly activityRegularizer: Regularizer | null
  private kernelVariable: Variable | null = null
  private biasVariable: Variable | null = null

  constructor(options: DenseOptions) {
    checkOptions('Dense', options, DENSE_OPTIONS)
    super(options)
    const { units, activation, useBias = true, kernelInitializer = 'glorotUniform', biasInitializer = 'zeros' } = options
    if (!Number.isInteger(units) || units < 1) throw new ArgumentError(`${this}: units must be an integer ≥ 1, received ${units}`)
    this.units = units
    this.useBias = useBias
    this.activation = getActivation(activation)
    this.kernelInitializer = initializers.get(kernelInitializer)
    this.biasInitializer = initializers.get(biasInitializer)
    this.kernelRegularizer = optionalRegularizer(options.kernelRegularizer)
    this.biasRegularizer = optionalRegularizer(options.biasRegularizer)
    this.activityRegularizer = optionalRegularizer(options.activityRegularizer)
  }

  /** [n, units] */
  get kernel(): Variable {
    return this.requireBuilt(this.kernelVariable)
  }

  /** [units]; null when useBias is false. */
  get bias(): Variable | null {
    return this.biasVariable
  }

  override build(inputShape: BatchShape): void {
    const features = this.features(inputShape)
    this.kernelVariable = this.addWeight({
      name: 'kernel',
      shape: [features, this.units],
      initializer: this.kernelInitializer,
      regularizer: this.kernelRegularizer,
    })
    if (!this.useBias) return
    this.biasVariable = this.addWeight({
      name: 'bias',
      shape: [this.units],
      initializer: this.biasInitializer,
      regularizer: this.biasRegularizer,
    })
  }

  private features(inputShape: BatchShape): number {
    const features = inputShape.at(-1)
    if (inputShape.length >= 2 && features != null) return features
    throw new ShapeError(`${this}: the input must be [batch, …, features], received ${formatShape(inputShape)}`)
  }

  call(x: Tensor, context: CallContext): Tensor {
    const features = this.kernel.shape[0]!
    if (x.rank < 2 || x.shape.at(-1) !== features) {
      const hint = x.rank > 2 && sizeOf(x.shape.slice(1)) === features ? ' Did you forget Flatten?' : ''
      throw new ShapeError(`${this}: the last input dimension must be ${features}, received ${formatShape(x.shape)}.${hint}`)
    }
    const product = matmul(x, this.kernel)
    const output = this.activation(this.biasVariable === null ? product : add(product, this.biasVariable))
    // Per sample, so that the penalty does not depend on the batch size.
    if (this.activityRegularizer !== null) context.addLoss(divide(this.activityRegularizer.call(output), x.shape[0]!))
    return output
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    this.features(inputShape)
    return [...inputShape.slice(0, -1), this.units]
  }

  override getConfig(): Config {
    const config: Record<string, Config[string]> = {
      ...super.getConfig(),
      units: this.units,
      activation: activationName(this.activation),
      useBias: this.useBias,
      kernelInitializer: serialize(this.kernelInitializer),
      biasInitializer: serialize(this.biasInitializer),
    }
    for (const key of ['kernelRegularizer', 'biasRegularizer', 'activityRegularizer'] as const) {
      const regularizer = this[key]
      if (regularizer !== null) config[key] = serialize(regularizer)
    }
    return config
  }
}

/** Applies an activation. */
export class Activation extends Layer {
  static readonly className = 'Activation'
  private readonly activation: ActivationFunction

  constructor(options: (LayerOptions & { activation: ActivationIdentifier }) | ActivationIdentifier) {
    const { activation, ...rest } = typeof options === 'object' ? options : { activation: options }
    checkOptions('Activation', rest, ['activation', ...LAYER_OPTIONS])
    super(rest)
    this.activation = getActivation(activation)
  }

  call(x: Tensor): Tensor {
    return this.activation(x)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }

  override getConfig(): Config {
    return { ...super.getConfig(), activation: activationName(this.activation) }
  }
}

/**
 * In training sets each element to 0 with probability `rate` and divides the others by 1 − rate; passes its
 * input on otherwise. Srivastava et al. 2014.
 */
export class Dropout extends Layer {
  static readonly className = 'Dropout'
  readonly rate: number
  private readonly seed: number | null
  private readonly generator: SeedGenerator

  constructor(options: (LayerOptions & { rate: number; seed?: number }) | number) {
    const { rate, seed, ...rest } = typeof options === 'number' ? { rate: options, seed: undefined } : options
    checkOptions('Dropout', rest, ['rate', 'seed', ...LAYER_OPTIONS])
    super(rest)
    if (!(rate >= 0 && rate <= 1)) throw new ArgumentError(`${this}: rate must be in [0, 1], received ${rate}`)
    this.rate = rate
    this.seed = seed ?? null
    this.generator = new SeedGenerator(seed, `${this.name}/seedGenerator`)
  }

  call(x: Tensor, { training }: CallContext): Tensor {
    return training && this.rate > 0 ? dropout(x, this.rate, { seed: this.generator }) : x
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    return inputShape
  }

  override getConfig(): Config {
    return { ...super.getConfig(), rate: this.rate, ...(this.seed === null ? {} : { seed: this.seed }) }
  }
}

/** [batch, a, b, …] → [batch, a · b · …] */
export class Flatten extends Layer {
  static readonly className = 'Flatten'

  call(x: Tensor): Tensor {
    return reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))])
  }

  override computeOutputShape([batch = null, ...rest]: BatchShape): BatchShape {
    return [batch, product(rest)]
  }
}

function product(extents: BatchShape): number | null {
  return extents.reduce<number | null>((size, extent) => (size === null || extent === null ? null : size * extent), 1)
}

/** [batch, …] → [batch, …targetShape]; one extent may be −1. */
export class Reshape extends Layer {
  static readonly className = 'Reshape'
  readonly targetShape: Shape

  constructor(options: (LayerOptions & { targetShape: Shape }) | Shape) {
    const { targetShape, ...rest } = isShape(options) ? { targetShape: options } : options
    checkOptions('Reshape', rest, ['targetShape', ...LAYER_OPTIONS])
    super(rest)
    this.targetShape = [...targetShape]
  }

  call(x: Tensor): Tensor {
    return reshape(x, [x.shape[0]!, ...this.resolve(sizeOf(x.shape.slice(1)), x.shape)])
  }

  private resolve(size: number, inputShape: BatchShape): number[] {
    const known = this.targetShape.filter((extent) => extent !== -1)
    const open = this.targetShape.length - known.length
    const rest = size / sizeOf(known)
    if (open > 1 || !Number.isInteger(rest) || (open === 0 && rest !== 1)) {
      throw new ShapeError(`${this}: an input of ${formatShape(inputShape)} does not fit targetShape ${formatShape(this.targetShape)}`)
    }
    return this.targetShape.map((extent) => (extent === -1 ? rest : extent))
  }

  override computeOutputShape([batch = null, ...rest]: BatchShape): BatchShape {
    const size = product(rest)
    if (size === null) return [batch, ...this.targetShape.map((extent) => (extent === -1 ? null : extent))]
    return [batch, ...this.resolve(size, [batch, ...rest])]
  }

  override getConfig(): Config {
    return { ...super.getConfig(), targetShape: this.targetShape }
  }
}

function isShape(options: object): options is Shape {
  return Array.isArray(options)
}
