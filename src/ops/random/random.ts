// Random tensors. Every number is a pure function of a seed, a counter and its position: the same seed gives
// the same numbers in Node and in every browser, whatever ran before.

import { extents, integer, nullable, number, option, required } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { readArguments, requireInteger, requireShape } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { add, cast, less, mod, multiply, where } from '../numpy/elementwise'
import { zeros } from '../numpy/shape'
import { Tensor } from '../tensor'
import { floatTable, integerTable, seedTable } from './arguments'
import * as draws from './draws'
import type { RandomOptions, Seed } from './generator'
import { streamsOf } from './generator'

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

const uniformTable = /* @__PURE__ */ (() => ({
  minval: option(number(), 0),
  maxval: option(number(), 1),
  ...floatTable,
}))()
const normalTable = /* @__PURE__ */ (() => ({
  mean: option(number(), 0),
  stddev: option(number({ min: 0 }), 1),
  ...floatTable,
}))()

/**
 * Uniform in [minval, maxval).
 * @param minval default 0; or all options
 * @param maxval default 1
 * @param dtype 'float32' or null. Default null.
 * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
 * @example random.uniform([2, 3], -1, 1, { seed: 7 })
 * Keras: `keras.random.uniform`.
 */
export function uniform(
  shape: Shape,
  minval?: number | UniformOptions,
  maxval?: number | UniformOptions,
  dtype?: 'float32' | null | RandomOptions,
  seed?: Seed,
): Tensor {
  return draws.uniform(shape, readArguments('uniform', uniformTable, minval, maxval, dtype, seed))
}

/**
 * Normal: mean + stddev · √2 erf⁻¹(u), u uniform in (−1, 1).
 * @param mean default 0; or all options
 * @param stddev the standard deviation ≥ 0. Default 1.
 * @param dtype 'float32' or null. Default null.
 * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
 * @example random.normal([2, 3], { stddev: 0.1, seed: 7 })
 * Keras: `keras.random.normal`.
 */
export function normal(
  shape: Shape,
  mean?: number | NormalOptions,
  stddev?: number | NormalOptions,
  dtype?: 'float32' | null | RandomOptions,
  seed?: Seed,
): Tensor {
  return draws.normal(shape, readArguments('normal', normalTable, mean, stddev, dtype, seed))
}

/** Like `normal`; numbers beyond two standard deviations are drawn again. Keras: `keras.random.truncated_normal`. */
export function truncatedNormal(
  shape: Shape,
  mean?: number | NormalOptions,
  stddev?: number | NormalOptions,
  dtype?: 'float32' | null | RandomOptions,
  seed?: Seed,
): Tensor {
  return draws.truncatedNormal(shape, readArguments('truncatedNormal', normalTable, mean, stddev, dtype, seed))
}

export interface RandintOptions extends IntegerOptions {
  /** The least integer. */
  readonly minval: number
  /** One more than the largest integer. */
  readonly maxval: number
}

const MOST_INTEGER = 2 ** 31
const randintTable = /* @__PURE__ */ (() => ({
  minval: required(integer({ min: -MOST_INTEGER, max: MOST_INTEGER - 1 })),
  maxval: required(integer({ max: MOST_INTEGER })),
  ...integerTable,
}))()

/**
 * Integers, uniform in minval … maxval − 1.
 * @param minval the least; or all options
 * @param dtype 'int32', or the options. Default int32.
 * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
 * @example random.randint([8], 0, 10, { seed: 7 })
 * Keras: `keras.random.randint`.
 */
export function randint(
  shape: Shape,
  minval: number | RandintOptions,
  maxval?: number,
  dtype?: 'int32' | IntegerOptions,
  seed?: Seed,
): Tensor {
  requireShape('randint', shape)
  const read = readArguments('randint', randintTable, minval, maxval, dtype, seed)
  // Adding 0 turns −0 into 0.
  const least = read.minval + 0
  const count = requireInteger('randint: maxval', read.maxval, least + 1) - least
  return add(below(count, streamsOf(shape, read.seed)), new Tensor(Int32Array.of(least), [], 'int32'))
}

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

const dropoutTable = /* @__PURE__ */ (() => ({ noiseShape: option(nullable(extents()), null), ...seedTable }))()

/**
 * Sets each element to 0 with probability `rate`, and divides the others by 1 − rate. Srivastava et al. 2014.
 * @param rate in 0 … 1
 * @param noiseShape the shape of the draw, which broadcasts to inputs, or the options; null for the shape of inputs. Default null.
 * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
 * @example random.dropout(x, 0.5, { seed: 7 })
 * Keras: `keras.random.dropout`.
 */
export function dropout(
  inputs: TensorLike,
  rate: number,
  noiseShape?: Shape | null | DropoutOptions,
  seed?: Seed,
): Tensor {
  const value = cast(asTensor(inputs, 'dropout'), 'float32')
  const probability = number({ min: 0, max: 1 }).read(rate, 'dropout: rate')
  const given = readArguments('dropout', dropoutTable, noiseShape, seed)
  if (probability === 1) return multiply(value, zeros([]))
  const keep = less(draws.unitUniform(given.noiseShape ?? value.shape, given.seed), 1 - probability)
  return where(keep, multiply(value, 1 / (1 - probability)), 0)
}
