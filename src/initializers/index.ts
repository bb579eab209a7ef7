// Initial weights. Names, defaults and formulas are Keras's.

import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { Shape } from '../core/shapes'
import { sizeOf } from '../core/shapes'
import * as random from '../ops/random'
import { eye, full } from '../ops/shape'
import { Tensor } from '../ops/tensor'
import type { Config, Serialized } from '../core/registry'

/** Makes a tensor of any shape. Subclass it, or use one by name. */
export abstract class Initializer {
  abstract call(shape: Shape): Tensor
  abstract getConfig(): Config
}

/** A name in any spelling, an instance, or a saved configuration. */
export type InitializerIdentifier = string | Initializer | Serialized

/** All 0. */
export class Zeros extends Initializer {
  static readonly className: string = 'Zeros'
  call(shape: Shape): Tensor {
    return full(shape, 0)
  }
  getConfig(): Config {
    return {}
  }
}

/** All 1. */
export class Ones extends Initializer {
  static readonly className: string = 'Ones'
  call(shape: Shape): Tensor {
    return full(shape, 1)
  }
  getConfig(): Config {
    return {}
  }
}

/** All `value`. */
export class Constant extends Initializer {
  static readonly className: string = 'Constant'
  readonly value: number
  constructor({ value = 0 }: { value?: number } = {}) {
    super()
    this.value = value
  }
  call(shape: Shape): Tensor {
    return full(shape, this.value)
  }
  getConfig(): Config {
    return { value: this.value }
  }
}

/** gain · the identity matrix. */
export class Identity extends Initializer {
  static readonly className: string = 'Identity'
  readonly gain: number
  constructor({ gain = 1 }: { gain?: number } = {}) {
    super()
    this.gain = gain
  }
  call(shape: Shape): Tensor {
    if (shape.length !== 2 || shape[0] !== shape[1]) {
      throw new ShapeError(`Identity: needs a square matrix, received shape ${formatShape(shape)}`)
    }
    return new Tensor(eye(shape[0]!).data.map((x) => x * this.gain), shape, 'float32')
  }
  getConfig(): Config {
    return { gain: this.gain }
  }
}

export interface SeedOptions {
  /** Fixes the numbers; drawn from setRandomSeed's when left out. */
  seed?: number
}

/** Initializers that draw: equal seeds give equal weights, each tensor its own when there is no seed. */
abstract class RandomInitializer extends Initializer {
  protected readonly seed: number | undefined
  constructor({ seed }: SeedOptions) {
    super()
    this.seed = seed
  }
  protected get options(): random.RandomOptions {
    return this.seed === undefined ? {} : { seed: this.seed }
  }
  protected get seedConfig(): Config {
    return this.seed === undefined ? {} : { seed: this.seed }
  }
}

/** Normal numbers; mean 0 and standard deviation 0.05 by default. */
export class RandomNormal extends RandomInitializer {
  static readonly className: string = 'RandomNormal'
  readonly mean: number
  readonly stddev: number
  constructor({ mean = 0, stddev = 0.05, ...seed }: { mean?: number; stddev?: number } & SeedOptions = {}) {
    super(seed)
    this.mean = mean
    this.stddev = stddev
  }
  call(shape: Shape): Tensor {
    return random.normal(shape, { mean: this.mean, stddev: this.stddev, ...this.options })
  }
  getConfig(): Config {
    return { mean: this.mean, stddev: this.stddev, ...this.seedConfig }
  }
}

/** Normal numbers within two standard deviations. */
export class TruncatedNormal extends RandomNormal {
  static override readonly className = 'TruncatedNormal'
  override call(shape: Shape): Tensor {
    return random.truncatedNormal(shape, { mean: this.mean, stddev: this.stddev, ...this.options })
  }
}

/** Uniform in [minval, maxval), ±0.05 by default. */
export class RandomUniform extends RandomInitializer {
  static readonly className: string = 'RandomUniform'
  readonly minval: number
  readonly maxval: number
  constructor({ minval = -0.05, maxval = 0.05, ...seed }: { minval?: number; maxval?: number } & SeedOptions = {}) {
    super(seed)
    this.minval = minval
    this.maxval = maxval
  }
  call(shape: Shape): Tensor {
    return random.uniform(shape, { minval: this.minval, maxval: this.maxval, ...this.options })
  }
  getConfig(): Config {
    return { minval: this.minval, maxval: this.maxval, ...this.seedConfig }
  }
}

export type FanMode = 'fanIn' | 'fanOut' | 'fanAvg'
export type Distribution = 'truncatedNormal' | 'untruncatedNormal' | 'uniform'

/** The numbers of inputs and outputs of one unit; all leading axes but two are a receptive field. */
export function computeFans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length === 0) return { fanIn: 1, fanOut: 1 }
  if (shape.length === 1) return { fanIn: shape[0]!, fanOut: shape[0]! }
  const field = sizeOf(shape.slice(0, -2))
  return { fanIn: shape.at(-2)! * field, fanOut: shape.at(-1)! * field }
}

// The standard deviation of a normal distribution that is cut at two of its own.
const TRUNCATED_STDDEV = 0.8796256610342398

/**
 * Variance scale / n, n the fan of `mode`. normal: σ = √(scale/n) after truncation; uniform: ±√(3·scale/n).
 */
export class VarianceScaling extends RandomInitializer {
  static readonly className: string = 'VarianceScaling'
  readonly scale: number
  readonly mode: FanMode
  readonly distribution: Distribution

  constructor({
    scale = 1,
    mode = 'fanIn',
    distribution = 'truncatedNormal',
    ...seed
  }: { scale?: number; mode?: FanMode; distribution?: Distribution } & SeedOptions = {}) {
    super(seed)
    if (!(scale > 0)) throw new ArgumentError(`VarianceScaling: scale must be > 0, received ${scale}`)
    this.scale = scale
    this.mode = mode
    this.distribution = distribution
  }

  call(shape: Shape): Tensor {
    const { fanIn, fanOut } = computeFans(shape)
    const fan = this.mode === 'fanIn' ? fanIn : this.mode === 'fanOut' ? fanOut : (fanIn + fanOut) / 2
    const variance = this.scale / Math.max(1, fan)
    switch (this.distribution) {
      case 'truncatedNormal':
        return random.truncatedNormal(shape, { stddev: Math.sqrt(variance) / TRUNCATED_STDDEV, ...this.options })
      case 'untruncatedNormal':
        return random.normal(shape, { stddev: Math.sqrt(variance), ...this.options })
      case 'uniform': {
        const limit = Math.sqrt(3 * variance)
        return random.uniform(shape, { minval: -limit, maxval: limit, ...this.options })
      }
    }
  }

  getConfig(): Config {
    return { scale: this.scale, mode: this.mode, distribution: this.distribution, ...this.seedConfig }
  }
}

// The six named ones are VarianceScaling with fixed arguments; only the seed is theirs.
abstract class NamedScaling extends VarianceScaling {
  override getConfig(): Config {
    return this.seedConfig
  }
}

/** Uniform ±√(6/(fanIn + fanOut)). Glorot & Bengio 2010. */
export class GlorotUniform extends NamedScaling {
  static override readonly className = 'GlorotUniform'
  constructor(options: SeedOptions = {}) {
    super({ ...options, scale: 1, mode: 'fanAvg', distribution: 'uniform' })
  }
}

/** Truncated normal, σ = √(2/(fanIn + fanOut)). */
export class GlorotNormal extends NamedScaling {
  static override readonly className = 'GlorotNormal'
  constructor(options: SeedOptions = {}) {
    super({ ...options, scale: 1, mode: 'fanAvg', distribution: 'truncatedNormal' })
  }
}

/** Uniform ±√(6/fanIn). He et al. 2015. */
export class HeUniform extends NamedScaling {
  static override readonly className = 'HeUniform'
  constructor(options: SeedOptions = {}) {
    super({ ...options, scale: 2, mode: 'fanIn', distribution: 'uniform' })
  }
}

/** Truncated normal, σ = √(2/fanIn). */
export class HeNormal extends NamedScaling {
  static override readonly className = 'HeNormal'
  constructor(options: SeedOptions = {}) {
    super({ ...options, scale: 2, mode: 'fanIn', distribution: 'truncatedNormal' })
  }
}

/** Uniform ±√(3/fanIn). */
export class LecunUniform extends NamedScaling {
  static override readonly className = 'LecunUniform'
  constructor(options: SeedOptions = {}) {
    super({ ...options, scale: 1, mode: 'fanIn', distribution: 'uniform' })
  }
}

/** Truncated normal, σ = √(1/fanIn). */
export class LecunNormal extends NamedScaling {
  static override readonly className = 'LecunNormal'
  constructor(options: SeedOptions = {}) {
    super({ ...options, scale: 1, mode: 'fanIn', distribution: 'truncatedNormal' })
  }
}

/** gain · a matrix with orthonormal rows or columns, whichever are fewer. Saxe et al. 2013. */
export class Orthogonal extends RandomInitializer {
  static readonly className: string = 'Orthogonal'
  readonly gain: number
  constructor({ gain = 1, ...seed }: { gain?: number } & SeedOptions = {}) {
    super(seed)
    this.gain = gain
  }

  call(shape: Shape): Tensor {
    if (shape.length < 2) throw new ShapeError(`Orthogonal: needs at least two axes, received ${formatShape(shape)}`)
    const columns = shape.at(-1)!
    const rows = sizeOf(shape) / columns
    const long = Math.max(rows, columns)
    const short = Math.min(rows, columns)
    const vectors = random.normal([short, long], this.options).data
    orthonormalize(vectors, short, long)
    const data = new Float32Array(rows * columns)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        data[i * columns + j] = this.gain * (rows < columns ? vectors[i * long + j]! : vectors[j * long + i]!)
      }
    }
    return new Tensor(data, shape, 'float32')
  }

  getConfig(): Config {
    return { gain: this.gain, ...this.seedConfig }
  }
}

// Gram–Schmidt on rows, each twice: once is not enough in float32.
function orthonormalize(rows: Float32Array | Int32Array, count: number, length: number): void {
  const row = (i: number) => rows.subarray(i * length, (i + 1) * length)
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
    let sum = 0
    for (let i = 0; i < length; i++) sum += a[i]! * b[i]!
    return sum
  }
  for (let i = 0; i < count; i++) {
    const own = row(i)
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = row(j)
        const projection = dot(own, other)
        for (let k = 0; k < length; k++) own[k] = own[k]! - projection * other[k]!
      }
    }
    const norm = Math.sqrt(dot(own, own))
    for (let k = 0; k < length; k++) own[k] = own[k]! / norm
  }
}
