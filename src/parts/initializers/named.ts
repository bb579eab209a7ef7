// The initializers that users can choose by name; registry.ts and index.ts read this module.

import { requireArguments } from '../../core/arguments'
import type { TensorData } from '../../core/dtypes'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import {
  choice,
  configured,
  custom,
  functionKind,
  integer,
  listOf,
  nullable,
  number,
  option,
  required,
  type OptionInputs,
  type Spelled,
  type InOrder,
} from '../../core/options'
import { classNameOf } from '../../core/registry'
import { normalizeAxis, requireSize, sizeOf, type Shape } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { constants } from '../../ops/constants'
import { asTensor, type TensorLike } from '../../ops/convert'
import { cast, multiply, subtract } from '../../ops/numpy/elementwise'
import { matmul } from '../../ops/linalg/linalg'
import * as random from '../../ops/random/draws'
import type { RandomOptions } from '../../ops/random/generator'
import { broadcastTo, concatenate, full, reshape, slice, transpose, zeros } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { Initializer, type FanAxes } from './initializer'

/** Initial values for a shape, with ops: a tensor or nested arrays of it. */
export type InitializerFunction = (shape: Shape) => TensorLike

const lambdaOptions = () => ({
  /** The function, which is saved by its name. */
  initializer: required(functionKind<InitializerFunction>('that is an initializer')),
})
export type LambdaInitializerOptions = OptionInputs<ReturnType<typeof lambdaOptions>>

const LambdaInitializerBase = (configured as InOrder<['initializer']>)(Initializer, lambdaOptions)

/**
 * A custom function. The function itself can also be passed wherever an initializer is expected.
 *
 *   const rising = (shape) => ops.reshape(ops.arange(shape[0] * shape[1]), shape)
 *   new Dense({ units: 4, kernelInitializer: rising })
 *
 * To load a model with such layers: `customObjects: { rising }`.
 */
export class LambdaInitializer extends LambdaInitializerBase {
  static readonly className = 'LambdaInitializer'
  call(shape: Shape): Tensor {
    return cast(asTensor(this.initializer(shape), 'LambdaInitializer'), 'float32')
  }
}

/**
 * All 0.
 * @example new initializers.Zeros().call([2, 2])   // [[0, 0], [0, 0]]
 */
export class Zeros extends Initializer {
  static readonly className: string = 'Zeros'
  call(shape: Shape): Tensor {
    return full(shape, 0)
  }
}

/**
 * All 1.
 * @example new initializers.Ones().call([3])   // [1, 1, 1]
 */
export class Ones extends Initializer {
  static readonly className: string = 'Ones'
  call(shape: Shape): Tensor {
    return full(shape, 1)
  }
}

const constantOptions = () => ({
  /** The value of every element; or values of the weight's shape, or of one that broadcasts to it. Default 0. */
  value: option(constants, 0),
})
export type ConstantOptions = OptionInputs<ReturnType<typeof constantOptions>>

const ConstantBase = (configured as InOrder<['value']>)(Initializer, constantOptions)

/**
 * All elements are `value`; or, if `value` is a list, its numbers, such as pretrained word vectors:
 *
 *   new Embedding({ inputDim: 3, outputDim: 2, embeddingsInitializer: new initializers.Constant([[0, 0], [1, 0.5], [0.2, 2]]) })
 *
 * The numbers are also saved in the layer's configuration, not only in its weights.
 */
export class Constant extends ConstantBase {
  static readonly className: string = 'Constant'
  call(shape: Shape): Tensor {
    return typeof this.value === 'number' ? full(shape, this.value) : broadcastTo(cast(this.value, 'float32'), shape)
  }
}

const gain = option(number(), 1)

const identityOptions = () => ({
  /** The value on the diagonal. Default 1. */
  gain,
})

const IdentityBase = (configured as InOrder<['gain']>)(Initializer, identityOptions)

/**
 * gain · the identity matrix; for a matrix that is not square, gain where the row index equals the column index.
 * @example new initializers.Identity({ gain: 2 }).call([2, 2])   // [[2, 0], [0, 2]]
 */
export class Identity extends IdentityBase {
  static readonly className: string = 'Identity'
  call(shape: Shape): Tensor {
    const [rows, columns] = shape
    if (rows === undefined || columns === undefined || shape.length > 2) {
      throw new ShapeError(`Identity: needs a matrix, received shape ${formatShape(shape)}`)
    }
    requireSize('Identity', shape)
    const data = new Float32Array(rows * columns)
    for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = this.gain
    return new Tensor(data, shape, 'float32')
  }
}

const seedOptions = () => ({
  /** The seed. Default null: each tensor gets another one, which setRandomSeed makes repeatable. */
  seed: option(nullable(integer()), null),
})
export type SeedOptions = OptionInputs<ReturnType<typeof seedOptions>>

const RandomInitializerBase = (configured as InOrder<['seed']>)(Initializer, seedOptions)

/** A random initializer. Equal seeds give equal weights; without a seed, each tensor gets different numbers. */
abstract class RandomInitializer extends RandomInitializerBase {
  protected get options(): RandomOptions {
    return this.seed === null ? {} : { seed: this.seed }
  }
}

/** A random initializer whose numbers do not depend on each other. */
abstract class BlockInitializer extends RandomInitializer {
  protected abstract drawn(shape: Shape, fans?: FanAxes): Iterable<Tensor>

  call(shape: Shape, fans?: FanAxes): Tensor {
    return random.joined(shape, this.drawn(shape, fans))
  }

  override blocks(shape: Shape, fans?: FanAxes): Iterable<Tensor> | null {
    // A subclass may override `call`.
    return this.call === BlockInitializer.prototype.call ? this.drawn(shape, fans) : null
  }
}

const normalOptions = () => ({
  /** Default 0. */
  mean: option(number(), 0),
  /** The standard deviation. Default 0.05. */
  stddev: option(number({ min: 0 }), 0.05),
})
export type RandomNormalOptions = OptionInputs<ReturnType<typeof normalOptions>> & SeedOptions

const RandomNormalBase = (configured as InOrder<['mean', 'stddev', 'seed']>)(BlockInitializer, normalOptions)

/**
 * Normal numbers; mean 0 and standard deviation 0.05 by default.
 * @example new Dense({ units: 4, kernelInitializer: new initializers.RandomNormal({ stddev: 0.02, seed: 1 }) })
 */
export class RandomNormal extends RandomNormalBase {
  static readonly className: string = 'RandomNormal'
  protected drawn(shape: Shape): Iterable<Tensor> {
    return random.normalBlocks(shape, { mean: this.mean, stddev: this.stddev, ...this.options })
  }
}

/**
 * Normal numbers within two standard deviations.
 * @example new Dense({ units: 4, kernelInitializer: new initializers.TruncatedNormal({ stddev: 0.02 }) })
 */
export class TruncatedNormal extends RandomNormal {
  static override readonly className = 'TruncatedNormal'
  protected override drawn(shape: Shape): Iterable<Tensor> {
    return random.truncatedNormalBlocks(shape, { mean: this.mean, stddev: this.stddev, ...this.options })
  }
}

const uniformOptions = () => ({
  /** Default −0.05. */
  minval: option(number(), -0.05),
  /** Exclusive. Default 0.05. */
  maxval: option(number(), 0.05),
})
export type RandomUniformOptions = OptionInputs<ReturnType<typeof uniformOptions>> & SeedOptions

const RandomUniformBase = (configured as InOrder<['minval', 'maxval', 'seed']>)(BlockInitializer, uniformOptions)

/**
 * Uniform in [minval, maxval), ±0.05 by default.
 * @example new Dense({ units: 4, kernelInitializer: new initializers.RandomUniform({ minval: -0.1, maxval: 0.1 }) })
 */
export class RandomUniform extends RandomUniformBase {
  static readonly className: string = 'RandomUniform'

  protected override checkOptions(): void {
    if (this.minval <= this.maxval) return
    throw new ArgumentError(
      `RandomUniform: minval must not be larger than maxval, received ${this.minval} and ${this.maxval}`,
    )
  }

  protected drawn(shape: Shape): Iterable<Tensor> {
    return random.uniformBlocks(shape, { minval: this.minval, maxval: this.maxval, ...this.options })
  }
}

export type FanMode = 'fanIn' | 'fanOut' | 'fanAvg'
export type Distribution = 'truncatedNormal' | 'untruncatedNormal' | 'uniform'

/** The numbers of inputs and outputs of one unit; all axes before the last two are the receptive field. */
export function computeFans(
  shape: Shape,
  { inputAxes = null, outputAxes = null }: FanAxes = {},
): { fanIn: number; fanOut: number } {
  requireArguments('initializers.computeFans', arguments, 2)
  if (inputAxes !== null && outputAxes !== null) {
    const product = (axes: readonly number[]) =>
      sizeOf(axes.map((axis) => shape[normalizeAxis('computeFans', axis, shape.length)]!))
    return { fanIn: product(inputAxes), fanOut: product(outputAxes) }
  }
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 }
  if (shape.length === 1) return { fanIn: shape[0]!, fanOut: shape[0]! }
  const field = sizeOf(shape.slice(0, -2))
  return { fanIn: shape.at(-2)! * field, fanOut: shape.at(-1)! * field }
}

// The standard deviation of a standard normal distribution truncated at ±2.
const TRUNCATED_STDDEV = 0.8796256610342398

interface Scaling extends FanAxes {
  readonly scale: number
  readonly mode: FanMode
  readonly distribution: Distribution
}

/** Numbers with the variance scale / n, where n is the fan of `mode`. */
function scaled(
  shape: Shape,
  { scale, mode, distribution, ...axes }: Scaling,
  options: RandomOptions,
): Iterable<Tensor> {
  const { fanIn, fanOut } = computeFans(shape, axes)
  const fans = { fanIn, fanOut, fanAvg: (fanIn + fanOut) / 2 }
  const variance = scale / Math.max(1, fans[mode])
  switch (distribution) {
    case 'truncatedNormal':
      return random.truncatedNormalBlocks(shape, { stddev: Math.sqrt(variance) / TRUNCATED_STDDEV, ...options })
    case 'untruncatedNormal':
      return random.normalBlocks(shape, { stddev: Math.sqrt(variance), ...options })
    case 'uniform': {
      const limit = Math.sqrt(3 * variance)
      return random.uniformBlocks(shape, { minval: -limit, maxval: limit, ...options })
    }
  }
}

// As in Keras, 'normal' means the truncated one.
const distributions = choice<Distribution>('truncatedNormal', 'untruncatedNormal', 'uniform')
const distribution = custom<Distribution, Spelled<Distribution> | 'normal'>(
  (value, where) =>
    typeof value === 'string' && value.toLowerCase() === 'normal'
      ? 'truncatedNormal'
      : distributions.read(value, where),
  (value) => value,
)

const axesOptions = () => ({
  /**
   * The input axes; pass outputAxes, too. Default null: the second axis from the end, times the receptive
   * field.
   */
  inputAxes: option(nullable(listOf(integer())), null),
  /** The output axes. Default null: the last, times the receptive field. */
  outputAxes: option(nullable(listOf(integer())), null),
})

const scalingOptions = () => ({
  /** The variance times the fan. Default 1. */
  scale: option(number({ above: 0 }), 1),
  /** Whether the fan is the number of inputs, of outputs, or their mean. Default 'fanIn'. */
  mode: option(choice('fanIn', 'fanOut', 'fanAvg'), 'fanIn'),
  /** Default 'truncatedNormal'; 'normal' means the same. */
  distribution: option(distribution, 'truncatedNormal'),
})
export type VarianceScalingOptions = OptionInputs<ReturnType<typeof scalingOptions> & ReturnType<typeof axesOptions>> &
  SeedOptions

const FanInitializerBase = configured(BlockInitializer, axesOptions, ['seed', 'inputAxes', 'outputAxes'])

abstract class FanInitializer extends FanInitializerBase {
  declare protected readonly scaling: Scaling

  protected override checkOptions(): void {
    const hasNoInputs = this.inputAxes === null
    if (hasNoInputs !== (this.outputAxes === null))
      throw new ArgumentError(
        `${classNameOf(this)}: pass inputAxes and outputAxes together; received only ${hasNoInputs ? 'outputAxes' : 'inputAxes'}`,
      )
  }

  protected drawn(shape: Shape, fans?: FanAxes): Iterable<Tensor> {
    return scaled(shape, { ...this.scaling, ...(this.inputAxes === null ? fans : this) }, this.options)
  }
}

const VarianceScalingBase = (
  configured as InOrder<['scale', 'mode', 'distribution', 'seed', 'inputAxes', 'outputAxes']>
)(FanInitializer, scalingOptions)

/**
 * Variance scale / n, n the fan of `mode`. normal: σ = √(scale/n) after truncation; uniform: ±√(3·scale/n).
 * @example new Dense({ units: 4, kernelInitializer: new initializers.VarianceScaling({ scale: 2, mode: 'fanOut' }) })
 */
export class VarianceScaling extends VarianceScalingBase {
  static readonly className: string = 'VarianceScaling'

  protected override drawn(shape: Shape, fans?: FanAxes): Iterable<Tensor> {
    return scaled(shape, { ...this, ...(this.inputAxes === null ? fans : null) }, this.options)
  }
}

/** The base of an initializer with the variance scale / n, where n is the fan of `mode`. */
/* @__NO_SIDE_EFFECTS__ */
function scaling(scale: number, mode: FanMode, distribution: Distribution) {
  return configured<typeof FanInitializer, Readonly<Record<never, never>>, ['seed']>(
    FanInitializer,
    () => ({}),
    undefined,
    { scaling: { scale, mode, distribution } },
  )
}

const GlorotUniformBase = scaling(1, 'fanAvg', 'uniform')

/**
 * Uniform ±√(6/(fanIn + fanOut)). Glorot & Bengio 2010.
 * @example new Dense({ units: 4, kernelInitializer: 'glorotUniform' })
 */
export class GlorotUniform extends GlorotUniformBase {
  static readonly className = 'GlorotUniform'
}

const GlorotNormalBase = scaling(1, 'fanAvg', 'truncatedNormal')

/**
 * Truncated normal, σ = √(2/(fanIn + fanOut)).
 * @example new Dense({ units: 4, kernelInitializer: 'glorotNormal' })
 */
export class GlorotNormal extends GlorotNormalBase {
  static readonly className = 'GlorotNormal'
}

const HeUniformBase = scaling(2, 'fanIn', 'uniform')

/**
 * Uniform ±√(6/fanIn). He et al. 2015.
 * @example new Dense({ units: 4, kernelInitializer: 'heUniform' })
 */
export class HeUniform extends HeUniformBase {
  static readonly className = 'HeUniform'
}

const HeNormalBase = scaling(2, 'fanIn', 'truncatedNormal')

/**
 * Truncated normal, σ = √(2/fanIn).
 * @example new Dense({ units: 4, kernelInitializer: 'heNormal' })
 */
export class HeNormal extends HeNormalBase {
  static readonly className = 'HeNormal'
}

const LecunUniformBase = scaling(1, 'fanIn', 'uniform')

/**
 * Uniform ±√(3/fanIn).
 * @example new Dense({ units: 4, kernelInitializer: 'lecunUniform' })
 */
export class LecunUniform extends LecunUniformBase {
  static readonly className = 'LecunUniform'
}

const LecunNormalBase = scaling(1, 'fanIn', 'truncatedNormal')

/**
 * Truncated normal, σ = √(1/fanIn).
 * @example new Dense({ units: 4, kernelInitializer: 'lecunNormal' })
 */
export class LecunNormal extends LecunNormalBase {
  static readonly className = 'LecunNormal'
}

const orthogonalOptions = () => ({
  /** Multiplies the matrix. Default 1. */
  gain,
})
export type OrthogonalOptions = OptionInputs<ReturnType<typeof orthogonalOptions>> & SeedOptions

const OrthogonalBase = (configured as InOrder<['gain', 'seed']>)(RandomInitializer, orthogonalOptions)

/**
 * gain · a matrix with orthonormal rows or columns, whichever are fewer. For a tensor with more axes, the matrix is
 * [product of all but the last axis, last axis]. Saxe et al. 2013.
 * @example new Dense({ units: 4, kernelInitializer: new initializers.Orthogonal({ gain: 2, seed: 1 }) })
 */
export class Orthogonal extends OrthogonalBase {
  static readonly className: string = 'Orthogonal'

  call(shape: Shape): Tensor {
    if (shape.length < 2) throw new ShapeError(`Orthogonal: needs at least two axes, received ${formatShape(shape)}`)
    const columns = shape.at(-1)!
    const rows = sizeOf(shape) / columns
    const vectors = orthonormal(random.normal([Math.min(rows, columns), Math.max(rows, columns)], this.options))
    return reshape(multiply(rows < columns ? vectors : transpose(vectors), this.gain), shape)
  }
}

/** The number of rows orthonormalised one by one; earlier rows are handled by matrix products. */
const BLOCK = 32

/** Gram–Schmidt on rows, twice: once is not enough in float32. */
function orthonormal(rows: Tensor): Tensor {
  const [count, length] = exactly(rows.shape, 2)
  let done = zeros([0, length])
  for (let start = 0; start < count; start += BLOCK) {
    let block = slice(rows, [start, 0], [Math.min(BLOCK, count - start), length])
    for (let pass = 0; pass < 2; pass++) {
      if (start > 0) block = subtract(block, matmul(matmul(block, transpose(done)), done))
      orthonormalize(block.data, block.shape[0]!, length)
    }
    done = concatenate([done, block], 0)
  }
  return done
}

function orthonormalize(rows: TensorData, count: number, length: number): void {
  const row = (i: number) => rows.subarray(i * length, (i + 1) * length)
  for (let i = 0; i < count; i++) {
    const vector = row(i)
    for (let j = 0; j < i; j++) addTo(vector, row(j), -dot(vector, row(j)))
    addTo(vector, vector, 1 / Math.sqrt(dot(vector, vector)) - 1)
  }
}

function dot(a: TensorData, b: TensorData): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** a ← a + factor · b */
function addTo(a: TensorData, b: TensorData, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] = a[i]! + factor * b[i]!
}
