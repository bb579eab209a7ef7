// Uniform numbers from Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", 2011). Keeps no state: an element depends only on the key, the stream and its index.
//
//   pair j = i >> 1:   (w0, w1) = threefry(key, counter = (before + j, stream))
//   element i       =  (w[i & 1] >>> 9) · 2⁻²³

import { partEnd, partStart } from '../parts'
import { Random } from '../shared/instructions'
import { storeTail } from '../simd'

@inline
function rotate(x: v128, n: i32): v128 {
  return v128.or(i32x4.shl(x, n), i32x4.shr_u(x, 32 - n))
}

@inline
function uniform(bits: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(bits, 9)), f32x4.splat(1.1920928955078125e-7))
}

/**
 * Stores the first `n` ≥ 1 of the 8 floats of four blocks. x0, x1: the counters plus the key words; k: the key words;
 * kᵢ_j: the key words plus the number of their injection.
 */
@inline
function storeBlocks(
  out: usize, x0: v128, x1: v128, k0: v128, k1: v128, k2: v128,
  k2_1: v128, k0_2: v128, k1_3: v128, k2_4: v128, k0_5: v128, n: i32,
): void {
  // four rounds, then a key injection; five times
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 13), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 15), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 26), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 6), x0)
  x0 = i32x4.add(x0, k1), x1 = i32x4.add(x1, k2_1)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 17), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 29), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 16), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 24), x0)
  x0 = i32x4.add(x0, k2), x1 = i32x4.add(x1, k0_2)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 13), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 15), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 26), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 6), x0)
  x0 = i32x4.add(x0, k0), x1 = i32x4.add(x1, k1_3)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 17), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 29), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 16), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 24), x0)
  x0 = i32x4.add(x0, k1), x1 = i32x4.add(x1, k2_4)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 13), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 15), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 26), x0)
  x0 = i32x4.add(x0, x1), x1 = v128.xor(rotate(x1, 6), x0)
  x0 = i32x4.add(x0, k2), x1 = i32x4.add(x1, k0_5)
  const first = uniform(v128.shuffle<i32>(x0, x1, 0, 4, 1, 5))
  const second = uniform(v128.shuffle<i32>(x0, x1, 2, 6, 3, 7))
  if (n >= 8) {
    v128.store(out, first)
    v128.store(out, second, 16)
  } else if (n > 4) {
    v128.store(out, first)
    storeTail(out + 16, second, n - 4)
  } else if (n == 4) {
    v128.store(out, first)
  } else {
    storeTail(out, first, n)
  }
}

/** Runs a Random, or a part of its elements, which starts at an even index so that pairs stay whole. */
export function random(instruction: usize, part: i32, parts: i32): void {
  const whole = load<i32>(instruction, Random.count)
  const first = partStart(whole, 16, part, parts)
  let count = partEnd(whole, 16, part, parts) - first
  let out = load<usize>(instruction, Random.out) + (<usize>first << 2)
  const key = load<usize>(instruction, Random.key)
  const stream = load<u32>(instruction, Random.stream)
  const word0 = load<u32>(key)
  const word1 = load<u32>(key, 4)
  const word2 = word0 ^ word1 ^ 0x1bd11bda
  const k0 = i32x4.splat(word0)
  const k1 = i32x4.splat(word1)
  const k2 = i32x4.splat(word2)
  const k2_1 = i32x4.splat(word2 + 1)
  const k0_2 = i32x4.splat(word0 + 2)
  const k1_3 = i32x4.splat(word1 + 3)
  const k2_4 = i32x4.splat(word2 + 4)
  const k0_5 = i32x4.splat(word0 + 5)
  const pair = (first >> 1) + (load<i32>(instruction, Random.isBlock) ? load<i32>(key, 8) : 0)
  const x1 = i32x4.splat(stream + word1)
  let x0 = i32x4.add(i32x4.add(i32x4(0, 1, 2, 3), k0), i32x4.splat(pair))
  const four = i32x4.splat(4)
  // the rounds of a block depend on each other: two groups of blocks per iteration
  for (; count >= 16; count -= 16) {
    storeBlocks(out, x0, x1, k0, k1, k2, k2_1, k0_2, k1_3, k2_4, k0_5, 8)
    x0 = i32x4.add(x0, four)
    storeBlocks(out + 32, x0, x1, k0, k1, k2, k2_1, k0_2, k1_3, k2_4, k0_5, 8)
    x0 = i32x4.add(x0, four)
    out += 64
  }
  for (; count > 0; count -= 8) {
    storeBlocks(out, x0, x1, k0, k1, k2, k2_1, k0_2, k1_3, k2_4, k0_5, count)
    x0 = i32x4.add(x0, four)
    out += 32
  }
}
