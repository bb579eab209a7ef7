// Noise in training: GaussianNoise, GaussianDropout, AlphaDropout.

import { merged } from '../../core/merged'
import { ArgumentError } from '../../core/errors'
import { configured, extents, nullable, number, option, required } from '../../core/options'
import { add, greaterEqual, multiply, where } from '../../ops/numpy/elementwise'
import { normal, uniform } from '../../ops/random/random'
import { SELU_ALPHA, SELU_SCALE } from '../../ops/nn/selu'
import type { Tensor } from '../../ops/tensor'
import type { CallContext } from '../context'
import { KEEPS, type UnitFlow } from '../units'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'
import { generatorOf, seedOption } from '../random'
import type { LayerTraits } from '../traits'

const GaussianNoiseBase = configured(
  Layer<Tensor>,
  () =>
    merged(seedOption(), {
      /** The standard deviation of the noise. */
      stddev: required(number({ min: 0, max: 1 })),
    }),
  ['stddev', 'seed'],
)

/** x + noise in training, the noise normal with mean 0; x otherwise. Keras: `keras.layers.GaussianNoise`. */
export class GaussianNoise extends GaussianNoiseBase {
  static readonly className = 'GaussianNoise'
  /** @internal */
  static override readonly traits: LayerTraits<GaussianNoise> = {
    form: ELEMENTWISE,
    unitFlow: () => KEEPS,
  }
  protected readonly generator = generatorOf(this)

  call(x: Tensor, { training }: CallContext): Tensor {
    return training && this.stddev > 0 ? add(x, normal(x.shape, { stddev: this.stddev, seed: this.generator })) : x
  }
}

const GaussianDropoutBase = configured(
  Layer<Tensor>,
  () =>
    merged(seedOption(), {
      /** The rate that a Dropout with the same variance would have. */
      rate: required(number({ min: 0, below: 1 })),
    }),
  ['rate', 'seed'],
)

/**
 * x · noise in training, the noise normal with mean 1 and standard deviation √(rate / (1 − rate)); x otherwise.
 * Srivastava et al. 2014.
 *
 * Keras: `keras.layers.GaussianDropout`.
 */
export class GaussianDropout extends GaussianDropoutBase {
  static readonly className = 'GaussianDropout'
  /** @internal */
  static override readonly traits: LayerTraits<GaussianDropout> = {
    form: ELEMENTWISE,
    unitFlow: () => KEEPS,
  }
  protected readonly generator = generatorOf(this)

  call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.rate === 0) return x
    return multiply(
      x,
      normal(x.shape, { mean: 1, stddev: Math.sqrt(this.rate / (1 - this.rate)), seed: this.generator }),
    )
  }
}

/** The limit of selu at −∞: −scale · alpha. */
const SATURATION = -SELU_SCALE * SELU_ALPHA

const AlphaDropoutBase = configured(
  Layer<Tensor>,
  () =>
    merged(seedOption(), {
      /** The probability that an element is dropped. */
      rate: required(number({ min: 0, below: 1 })),
      /**
       * The shape of the random numbers; null stands for the input's extent, 1 for one draw along an axis. Default null:
       * the input's shape.
       */
      noiseShape: option(nullable(extents(null)), null),
    }),
  ['rate', 'noiseShape', 'seed'],
)

/**
 * In training, sets elements to selu's saturation value with probability `rate`, then scales and shifts all elements so
 * that mean and variance are preserved. For networks with selu. Klambauer et al. 2017.
 *
 * Keras: `keras.layers.AlphaDropout`.
 */
export class AlphaDropout extends AlphaDropoutBase {
  static readonly className = 'AlphaDropout'
  /** @internal */
  static override readonly traits: LayerTraits<AlphaDropout> = {
    form: ELEMENTWISE,
    unitFlow: (layer) => flowOfNoise(layer.noiseShape),
  }
  protected readonly generator = generatorOf(this)

  call(x: Tensor, { training }: CallContext): Tensor {
    if (!training || this.rate === 0) return x
    const a = ((1 - this.rate) * (1 + this.rate * SATURATION ** 2)) ** -0.5
    const kept = greaterEqual(uniform(noiseShape(this, this.noiseShape, x), { seed: this.generator }), this.rate)
    return add(multiply(where(kept, x, SATURATION), a), -a * SATURATION * this.rate)
  }
}

/** Units are kept, unless noiseShape fixes their number. */
export function flowOfNoise(noiseShape: readonly (number | null)[] | null): UnitFlow | null {
  return [null, 1].includes(noiseShape?.at(-1) ?? null) ? KEEPS : null
}

/** The shape of the random numbers for x. @throws ArgumentError if it does not broadcast to x */
export function noiseShape(
  layer: { toString(): string },
  noiseShape: readonly (number | null)[] | null,
  x: Tensor,
): readonly number[] {
  if (noiseShape === null) return x.shape
  const shape = noiseShape.map((extent, i) => extent ?? x.shape[i]!)
  if (noiseShape.length === x.rank && shape.every((extent, i) => extent === 1 || extent === x.shape[i])) return shape
  throw new ArgumentError(
    `${layer.toString()}: noiseShape [${noiseShape.join(', ')}] must have the input's extents, null or 1, received an input [${x.shape.join(', ')}]`,
  )
}
