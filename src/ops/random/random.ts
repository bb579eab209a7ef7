// Random tensors. Every number is a pure function of a seed, a counter and its position: the same seed gives
// the same numbers in Node and in every browser, whatever ran before.

import { operand, shape as shapeKind } from '../kinds'
import { arg, op, optional } from '../op'
import { extents, integer, nullable, number } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { requireInteger } from '../arguments'
import { asTensor } from '../convert'
import { add, cast, less, mod, multiply, where } from '../numpy/elementwise'
import { zeros } from '../numpy/shape'
import { Tensor } from '../tensor'
import { ofFloats, ofIntegers } from './arguments'
import * as draws from './draws'
import { seedKind, streamsOf, type RandomOptions } from './generator'

export type { RandomOptions } from './generator'
export { SeedGenerator } from './generator'
export { categorical, shuffle } from './choices'
export type { CategoricalOptions, ShuffleOptions } from './choices'
export { binomial } from './binomial'
export { beta, gamma } from './gamma'
export { permutation } from './permutation'

/** The options of random ops with real results. */
export interface FloatOptions extends RandomOptions {
  /** 'float32', or null for the same. Default null. */
  readonly dtype?: 'float32' | null
}

/** The options of random ops with integer results. */
export interface IntegerOptions extends RandomOptions {
  /** 'int32'. Default int32. */
  readonly dtype?: 'int32'
}

export interface UniformOptions extends FloatOptions {
  /** Default 0. */
  readonly minval?: number
  /** Default 1. */
  readonly maxval?: number
}

export interface NormalOptions extends FloatOptions {
  /** Default 0. */
  readonly mean?: number
  /** Default 1. */
  readonly stddev?: number
}

export const uniform = op(
  () => [arg('shape', shapeKind), optional('minval', number()), optional('maxval', number()), ...ofFloats()],
  {
    /**
     * Uniform in [minval, maxval).
     * @param minval default 0
     * @param maxval default 1
     * @param dtype 'float32' or null. Default null.
     * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
     * @example random.uniform([2, 3], -1, 1, { seed: 7 })
     * Keras: `keras.random.uniform`.
     */
    uniform(shape, minval = 0, maxval = 1, _dtype = null, seed = null): Tensor {
      return draws.uniform(shape, { minval, maxval, seed })
    },
  },
  { within: 'random' },
)

/** The parameters of normal distributions. */
const normalParameters = () =>
  [arg('shape', shapeKind), optional('mean', number()), optional('stddev', number({ min: 0 })), ...ofFloats()] as const

export const normal = op(
  normalParameters,
  {
    /**
     * Normal: mean + stddev · √2 erf⁻¹(u), u uniform in (−1, 1).
     * @param mean default 0
     * @param stddev the standard deviation ≥ 0. Default 1.
     * @param dtype 'float32' or null. Default null.
     * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
     * @example random.normal([2, 3], { stddev: 0.1, seed: 7 })
     * Keras: `keras.random.normal`.
     */
    normal(shape, mean = 0, stddev = 1, _dtype = null, seed = null): Tensor {
      return draws.normal(shape, { mean, stddev, seed })
    },
  },
  { within: 'random' },
)

export const truncatedNormal = op(
  normalParameters,
  {
    /** Like `normal`; numbers beyond two standard deviations are drawn again. Keras: `keras.random.truncated_normal`. */
    truncatedNormal(shape, mean = 0, stddev = 1, _dtype = null, seed = null): Tensor {
      return draws.truncatedNormal(shape, { mean, stddev, seed })
    },
  },
  { within: 'random' },
)

export interface RandintOptions extends IntegerOptions {
  /** The least integer. */
  readonly minval: number
  /** One more than the largest integer. */
  readonly maxval: number
}

const MOST_INTEGER = 2 ** 31

export const randint = op(
  () => [
    arg('shape', shapeKind),
    arg('minval', integer({ min: -MOST_INTEGER, max: MOST_INTEGER - 1 })),
    arg('maxval', integer({ max: MOST_INTEGER })),
    ...ofIntegers(),
  ],
  {
    /**
     * Integers, uniform in minval … maxval − 1.
     * @param minval the least
     * @param dtype 'int32' or null. Default int32.
     * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
     * @example random.randint([8], 0, 10, { seed: 7 })
     * Keras: `keras.random.randint`.
     */
    randint(shape, minval, maxval, _dtype = null, seed = null): Tensor {
      // Adding 0 turns −0 into 0.
      const least = minval + 0
      const count = requireInteger('randint: maxval', maxval, least + 1) - least
      return add(below(count, streamsOf(shape, seed)), new Tensor(Int32Array.of(least), [], 'int32'))
    },
  },
  { within: 'random' },
)

/** Up to this many values, 23 random bits make each of them equally likely within 1/256. */
const FEW = 2 ** 15

/** Integers, uniform in 0 … count − 1, as int32 that may wrap. */
function below(count: number, draw: (stream: number) => Tensor): Tensor {
  if (count <= FEW) return cast(multiply(draw(0), count), 'int32')
  // 31 bits modulo the count.
  const bits = (size: number, stream: number): Tensor => cast(multiply(draw(stream), 2 ** size), 'int32')
  const word = add(multiply(bits(23, 0), 2 ** 8), bits(8, 1))
  if (count < 2 ** 31) return mod(word, count)
  const half = Math.floor(count / 2)
  const int = (x: number): Tensor => new Tensor(Int32Array.of(x), [], 'int32')
  const within = (size: number): Tensor => (size === 2 ** 31 ? word : mod(word, int(size)))
  return where(less(draw(2), 0.5), within(half), add(within(count - half), int(half)))
}

export interface DropoutOptions extends RandomOptions {
  /** The shape of the draw, which broadcasts to x; null for the shape of x. Default null. */
  readonly noiseShape?: Shape | null
}

export const dropout = op(
  () => [
    arg('inputs', operand),
    arg('rate', number({ min: 0, max: 1 })),
    optional('noiseShape', nullable(extents())),
    optional('seed', seedKind),
  ],
  {
    /**
     * Sets each element to 0 with probability `rate`, and divides the others by 1 − rate. Srivastava et al. 2014.
     * @param rate in 0 … 1
     * @param noiseShape the shape of the draw, which broadcasts to inputs; null for the shape of inputs. Default null.
     * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
     * @example random.dropout(x, 0.5, { seed: 7 })
     * Keras: `keras.random.dropout`.
     */
    dropout(inputs, rate, noiseShape = null, seed = null): Tensor {
      const value = cast(asTensor(inputs, 'dropout'), 'float32')
      if (rate === 1) return multiply(value, zeros([]))
      const keep = less(draws.unitUniform(noiseShape ?? value.shape, seed), 1 - rate)
      return where(keep, multiply(value, 1 / (1 - rate)), 0)
    },
  },
  { within: 'random' },
)
