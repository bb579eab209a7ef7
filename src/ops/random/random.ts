// Random tensors. Every number is a pure function of a seed, a counter and its position: the same seed gives
// the same numbers in Node and in every browser, whatever ran before.

import { ArgumentError, quoted } from '../../core/errors'
import { permutationKey, permute } from '../../core/permute'
import { threefryUniform } from '../../core/threefry'
import { custom, extents, nullable, number, option } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { sizeOf } from '../../core/shapes'
import { readTyped, requireInteger, requireShape } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { add, cast, erfinv, less, minimum, multiply, where } from '../numpy/elementwise'
import { zeros } from '../numpy/shape'
import { Tensor } from '../tensor'
import { gaussian } from './gaussian'
import { nextSeed, timeDrawn } from './seed'
import { apply, currentTrace, untraced } from '../trace'
import { Variable } from '../variable'

/** A stream of random numbers with its own state. In a traced function, every run advances it by one step. */
export class SeedGenerator {
  /** The seed and the number of draws. */
  readonly state: Variable

  constructor(seed: number = nextSeed(), name = 'seedGenerator') {
    const key = new Tensor(Int32Array.of(requireInteger('SeedGenerator: seed', seed), 0), [2], 'int32')
    this.state = new Variable(key, { name, trainable: false })
  }

  /** The key of the next draw. */
  next(): Tensor {
    const key = this.state.value
    this.state.assign(add(key, new Tensor(Int32Array.of(0, 1), [2], 'int32')))
    return key
  }
}

type Seed = number | SeedGenerator | null

export interface RandomOptions {
  /** A number gives the same result every time, a generator a new one each time. */
  readonly seed?: Seed
}

export interface UniformOptions extends RandomOptions {
  /** Default 0. */
  readonly minval?: number
  /** Default 1. */
  readonly maxval?: number
}

export interface NormalOptions extends RandomOptions {
  /** Default 0. */
  readonly mean?: number
  /** Default 1. */
  readonly stddev?: number
}

function readSeed(seed: unknown, what: string): Seed {
  return seed === null || seed instanceof SeedGenerator ? seed : requireInteger(what, seed)
}

const seedTable = {
  seed: option(
    custom<Seed>(readSeed, () => null),
    null,
  ),
}
const uniformTable = { minval: option(number(), 0), maxval: option(number(), 1), ...seedTable }
const normalTable = { mean: option(number(), 0), stddev: option(number({ min: 0 }), 1), ...seedTable }

function keyOf(seed: Seed): Tensor {
  if (seed instanceof SeedGenerator) return seed.next()
  // A traced function runs many times, so each call that draws has its own stream.
  if (seed === null && currentTrace() !== null) return untraced(() => new SeedGenerator()).next()
  return new Tensor(Int32Array.of(seed ?? nextSeed(), timeDrawn()), [2], 'int32')
}

function unitUniform(shape: Shape, seed: Seed): Tensor {
  return apply('uniform', [keyOf(seed)], { shape: [...shape], stream: 0 })[0]!
}

/** Uniform in [minval, maxval). */
export function uniform(shape: Shape, options?: UniformOptions): Tensor {
  requireShape('uniform', shape)
  const { minval, maxval, seed } = readTyped('uniform', uniformTable, options)
  if (currentTrace() === null && sizeOf(shape) <= SMALL) return smallUniform(shape, keyOf(seed), minval, maxval)
  // Far from 0 the sum can round up to maxval.
  return minimum(add(multiply(unitUniform(shape, seed), maxval - minval), minval), below(maxval))
}

/** Up to this many elements, plain loops are faster than compiling a program for the shape. */
const SMALL = 16384

// Produces the same bits as the ops, one element at a time.
function smallUniform(shape: Shape, key: Tensor, minval: number, maxval: number): Tensor {
  const data = new Float32Array(sizeOf(shape))
  threefryUniform(key.data[0]!, key.data[1]!, 0, data)
  const range = Math.fround(maxval - minval)
  const start = Math.fround(minval)
  const last = below(maxval)
  for (let i = 0; i < data.length; i++) {
    // Each store rounds to float32.
    data[i]! *= range
    data[i]! += start
    if (data[i]! > last) data[i] = last
  }
  return new Tensor(data, [...shape], 'float32')
}

/** The largest float32 below x. */
function below(x: number): number {
  const float = Float32Array.of(x)
  if (float[0]! < x) return float[0]!
  const bits = new Int32Array(float.buffer)
  if (float[0] === 0) return -(2 ** -149)
  bits[0] = bits[0]! + (float[0]! > 0 ? -1 : 1)
  return float[0]!
}

/** Normal with the given mean and standard deviation: mean + stddev · √2 erf⁻¹(u), u uniform in (−1, 1). */
export function normal(shape: Shape, options?: NormalOptions): Tensor {
  requireShape('normal', shape)
  const { mean, stddev, seed } = readTyped('normal', normalTable, options)
  return add(gaussian(unitUniform(shape, seed), stddev), mean)
}

// erf(2/√2): the probability that a normal number is within two standard deviations.
const WITHIN_TWO = 0.9544997361036416

/** Normal; numbers beyond two standard deviations are drawn again. */
export function truncatedNormal(shape: Shape, options?: NormalOptions): Tensor {
  requireShape('truncatedNormal', shape)
  const { mean, stddev, seed } = readTyped('truncatedNormal', normalTable, options)
  const u = add(multiply(unitUniform(shape, seed), 2 * WITHIN_TWO), WITHIN_TWO * (2 ** -23 - 1))
  return add(multiply(erfinv(u), stddev * Math.SQRT2), mean)
}

/** Integers, uniform in minval … maxval − 1. */
export function randint(shape: Shape, minval: number, maxval: number, options?: RandomOptions): Tensor {
  requireShape('randint', shape)
  const least = requireInteger('randint: minval', minval)
  const count = requireInteger('randint: maxval', maxval, least + 1) - least
  const { seed } = readTyped('randint', seedTable, options)
  return add(cast(multiply(unitUniform(shape, seed), count), 'int32'), new Tensor(Int32Array.of(least), [], 'int32'))
}

export interface DropoutOptions extends RandomOptions {
  /** The shape of the draw, which broadcasts to x; null for the shape of x. Default null. */
  readonly noiseShape?: Shape | null
}

const dropoutTable = { noiseShape: option(nullable(extents()), null), ...seedTable }

/** Sets each element to 0 with probability `rate`, and divides the others by 1 − rate. Srivastava et al. 2014. */
export function dropout(x: TensorLike, rate: number, options?: DropoutOptions): Tensor {
  const value = cast(asTensor(x, 'dropout'), 'float32')
  const probability = number({ min: 0, max: 1 }).read(rate, 'dropout: rate')
  const { seed, noiseShape } = readTyped('dropout', dropoutTable, options)
  if (probability === 1) return multiply(value, zeros([]))
  const keep = less(unitUniform(noiseShape ?? value.shape, seed), 1 - probability)
  return where(keep, multiply(value, 1 / (1 - probability)), 0)
}

function emptyOrder(length: number): Int32Array {
  return new Int32Array(requireShape('permutation', [length])[0]!)
}

/** 0 … length − 1 in random order. The same seed gives the same order everywhere. */
export function permutation(length: number, seed?: number, out?: Int32Array): Int32Array {
  requireInteger('permutation: length', length, 0)
  const order = out ?? emptyOrder(length)
  if (!(order instanceof Int32Array) || order.length < length) {
    throw new ArgumentError(
      `permutation: out must be an Int32Array of at least ${length} elements, received ${quoted(order)}`,
    )
  }
  permute(order, length, permutationKey(requireInteger('permutation: seed', seed ?? nextSeed())))
  return order
}
