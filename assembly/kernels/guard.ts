// Searches for NaN, ±Inf and numbers that are too large. Only reports whether there is any: the tape stops, and JS
// names the instruction.

import { Guard, GuardBuffer } from '../shared/instructions'
import { tailMask } from '../simd'

/** 1 when one of `n` floats, times `scale`, is NaN or ±Inf, else 0. */
export function hasNonFinite_f32(pointer: usize, n: i32, scale: f32): i32 {
  const factor = f32x4.splat(scale)
  // x − x is 0 for finite x and NaN for the others, and NaN stays NaN in a sum
  let a0 = f32x4.splat(0.0), a1 = a0, a2 = a0, a3 = a0
  for (; n >= 16; n -= 16) {
    const x0 = f32x4.mul(v128.load(pointer), factor)
    const x1 = f32x4.mul(v128.load(pointer, 16), factor)
    const x2 = f32x4.mul(v128.load(pointer, 32), factor)
    const x3 = f32x4.mul(v128.load(pointer, 48), factor)
    a0 = f32x4.add(a0, f32x4.sub(x0, x0))
    a1 = f32x4.add(a1, f32x4.sub(x1, x1))
    a2 = f32x4.add(a2, f32x4.sub(x2, x2))
    a3 = f32x4.add(a3, f32x4.sub(x3, x3))
    pointer += 64
  }
  for (; n > 0; n -= 4) {
    let x = v128.load(pointer)
    if (n < 4) x = v128.and(x, tailMask(n))
    x = f32x4.mul(x, factor)
    a0 = f32x4.add(a0, f32x4.sub(x, x))
    pointer += 16
  }
  const sum = f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3))
  return i32(v128.any_true(f32x4.ne(sum, sum)))
}

/** Runs a Guard: 1 if one of its buffers holds NaN, ±Inf or a number that is too large, else 0. */
export function guard(instruction: usize): i32 {
  let buffer = instruction + Guard.size
  for (let i = load<i32>(instruction, Guard.bufferCount); i > 0; i--) {
    const scale = load<f32>(buffer, GuardBuffer.scale)
    if (hasNonFinite_f32(load<usize>(buffer, GuardBuffer.address), load<i32>(buffer, GuardBuffer.count), scale)) return 1
    buffer += GuardBuffer.size
  }
  return 0
}
