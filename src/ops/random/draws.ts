// Draws of uniform and normal numbers with options that were read before. The ops are in random.ts.

import { threefryUniform } from '../../core/threefry'
import { sizeOf, type Shape } from '../../core/shapes'
import { requireShape } from '../arguments'
import { add, erfinv, minimum, multiply } from '../numpy/elementwise'
import { Tensor } from '../tensor'
import { apply, currentTrace } from '../trace'
import { gaussian } from './gaussian'
import { keyOf, streamsOf, type RandomOptions, type Seed } from './generator'

interface UniformOptions extends RandomOptions {
  readonly minval: number
  readonly maxval: number
}

interface NormalOptions extends RandomOptions {
  readonly mean?: number
  readonly stddev?: number
}

export function unitUniform(shape: Shape, seed: Seed): Tensor {
  return streamsOf(shape, seed)(0)
}

/** Elements of a block: the values between ops stay in the second-level cache. */
const BLOCK = 2 ** 17

/**
 * The tensor that `made` computes from uniform numbers in [0, 1), element by element: as one, or in flat blocks if it is
 * large, so that nothing else of its size is in memory.
 */
function* blocksOf(shape: Shape, seed: Seed, made: (u: Tensor) => Tensor): Iterable<Tensor> {
  const size = sizeOf(shape)
  if (size <= BLOCK || currentTrace() !== null) return yield made(unitUniform(shape, seed))
  const [word, time] = keyOf(seed).data
  for (let at = 0; at < size; at += BLOCK) {
    const key = new Tensor(Int32Array.of(word!, time!, at / 2), [3], 'int32')
    yield made(apply('uniform', [key], { shape: [Math.min(BLOCK, size - at)], stream: 0 })[0]!)
  }
}

/** A tensor, made of its blocks. */
export function joined(shape: Shape, blocks: Iterable<Tensor>): Tensor {
  let data: Float32Array | undefined
  let at = 0
  for (const block of blocks) {
    if (block.size === sizeOf(shape)) return block
    data ??= new Float32Array(sizeOf(shape))
    data.set(block.data, at)
    at += block.size
  }
  return new Tensor(data!, [...shape], 'float32')
}

/** Uniform in [minval, maxval). */
export const uniform = (shape: Shape, options: UniformOptions): Tensor => joined(shape, uniformBlocks(shape, options))

export function* uniformBlocks(shape: Shape, { minval, maxval, seed = null }: UniformOptions): Iterable<Tensor> {
  requireShape('uniform', shape)
  if (currentTrace() === null && sizeOf(shape) <= SMALL) return yield smallUniform(shape, keyOf(seed), minval, maxval)
  // Far from 0 the sum can round up to maxval.
  yield* blocksOf(shape, seed, (u) => minimum(add(multiply(u, maxval - minval), minval), below(maxval)))
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

/** mean + stddev · √2 erf⁻¹(u), u uniform in (−1, 1). */
export const normal = (shape: Shape, options: NormalOptions): Tensor => joined(shape, normalBlocks(shape, options))

export function normalBlocks(shape: Shape, { mean = 0, stddev = 1, seed = null }: NormalOptions): Iterable<Tensor> {
  requireShape('normal', shape)
  return blocksOf(shape, seed, (u) => add(gaussian(u, stddev), mean))
}

// erf(2/√2): the probability that a normal number is within two standard deviations.
const WITHIN_TWO = 0.9544997361036416

/** Normal within two standard deviations. */
export const truncatedNormal = (shape: Shape, options: NormalOptions): Tensor =>
  joined(shape, truncatedNormalBlocks(shape, options))

export function truncatedNormalBlocks(
  shape: Shape,
  { mean = 0, stddev = 1, seed = null }: NormalOptions,
): Iterable<Tensor> {
  requireShape('truncatedNormal', shape)
  return blocksOf(shape, seed, (u) => {
    const within = add(multiply(u, 2 * WITHIN_TWO), WITHIN_TWO * (2 ** -23 - 1))
    return add(multiply(erfinv(within), stddev * Math.SQRT2), mean)
  })
}
