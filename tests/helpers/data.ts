// Test data: small, seeded, exactly representable in float32. The same numbers on every machine; independent
// of the library's generator.

import type { DType } from '../../src/core/dtypes'
import { sizeOf, type Shape } from '../../src/core/shapes'

/** A tensor's content and type. */
export interface TensorContent {
  readonly shape: Shape
  readonly dtype: DType
  readonly data: readonly number[]
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function fill(shape: Shape, dtype: DType, next: (index: number) => number): TensorContent {
  const exact = dtype === 'float32' ? Math.fround : (x: number) => x
  const data = new Array<number>(sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = exact(next(i))
  return { shape, dtype, data }
}

/** Uniform in [low, high). */
export function floats(shape: Shape, low = -2, high = 2, seed = 1): TensorContent {
  const random = generator(seed * 7919 + sizeOf(shape))
  return fill(shape, 'float32', () => low + (high - low) * random())
}

/** Uniform in ±[low, high): never near 0. */
export function nonZero(shape: Shape, low = 0.1, high = 2, seed = 1): TensorContent {
  const random = generator(seed * 104729 + sizeOf(shape))
  return fill(shape, 'float32', () => (low + (high - low) * random()) * (random() < 0.5 ? -1 : 1))
}

/** Multiples of `step` in shuffled order, all different, around 0; `offset` keeps two such sets disjoint. */
export function distinct(shape: Shape, step = 0.25, offset = 0, seed = 1): TensorContent {
  const size = sizeOf(shape)
  const random = generator(seed * 31 + size)
  const order = Int32Array.from({ length: size }, (_, i) => i)
  for (let i = size - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    const held = order[i]!
    order[i] = order[other]!
    order[other] = held
  }
  return fill(shape, 'float32', (i) => (order[i]! - (size >> 1)) * step + offset)
}

/** Integers in low … high. */
export function integers(shape: Shape, low = -5, high = 5, seed = 1): TensorContent {
  const random = generator(seed * 613 + sizeOf(shape))
  return fill(shape, 'int32', () => low + Math.floor((high - low + 1) * random()))
}

/** Integers in low … high as float32: sums and products of a few of them are exact in any order. */
export function wholeFloats(shape: Shape, low = -3, high = 3, seed = 1): TensorContent {
  return { ...integers(shape, low, high, seed), dtype: 'float32' }
}

export function bools(shape: Shape, seed = 1): TensorContent {
  return { ...integers(shape, 0, 1, seed), dtype: 'bool' }
}

/** These elements; without `shape`, they are a vector. */
export function exactly(
  data: readonly number[],
  dtype: DType = 'float32',
  shape: Shape = [data.length],
): TensorContent {
  return fill(shape, dtype, (i) => data[i]!)
}
