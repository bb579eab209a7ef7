// Draws of uniform and normal numbers with options that were read before. The ops are in random.ts.

import { threefryUniform } from '../../core/threefry'
import type { Shape } from '../../core/shapes'
import { sizeOf } from '../../core/shapes'
import { requireShape } from '../arguments'
import { add, erfinv, minimum, multiply } from '../numpy/elementwise'
import { Tensor } from '../tensor'
import { currentTrace } from '../trace'
import { gaussian } from './gaussian'
import type { RandomOptions, Seed } from './generator'
import { keyOf, streamsOf } from './generator'

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

/** Uniform in [minval, maxval). */
export function uniform(shape: Shape, { minval, maxval, seed = null }: UniformOptions): Tensor {
  requireShape('uniform', shape)
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

/** mean + stddev · √2 erf⁻¹(u), u uniform in (−1, 1). */
export function normal(shape: Shape, { mean = 0, stddev = 1, seed = null }: NormalOptions): Tensor {
  requireShape('normal', shape)
  return add(gaussian(unitUniform(shape, seed), stddev), mean)
}

// erf(2/√2): the probability that a normal number is within two standard deviations.
const WITHIN_TWO = 0.9544997361036416

/** Normal within two standard deviations. */
export function truncatedNormal(shape: Shape, { mean = 0, stddev = 1, seed = null }: NormalOptions): Tensor {
  requireShape('truncatedNormal', shape)
  const u = add(multiply(unitUniform(shape, seed), 2 * WITHIN_TWO), WITHIN_TWO * (2 ** -23 - 1))
  return add(multiply(erfinv(u), stddev * Math.SQRT2), mean)
}
