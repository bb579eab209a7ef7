// The loops of the steps: over contiguous words, with the function of a vector that a class without fields holds, as
// `of`. asc compiles a loop anew for each class, with `of` in its place. In place safe: an output may be the same run as
// an operand. Reads up to 15 bytes past a run, writes nothing outside it.

import { flushed, storeUpTo4, store_up_to_4 } from '../../simd'

// Without a branch in its body the engine unrolls or peels a loop, and keeps the vector constants of a step in
// registers or on the stack; otherwise it creates each of them in every iteration, at three instructions each (exp: 1.29
// against 0.85 ns an element, interleaved, Node 20). So the tail is separate. Where a call of store_up_to_4 makes an engine
// keep the vectors of the loop on the stack, which bench/guard.mjs finds, the step has it inline, in a separate loop.

/** Any step of one operand. */
@inline
export function runUnary<T>(target: usize, a: usize, count: i32): void {
  const step = changetype<T>(0)
  for (; count >= 4; count -= 4) {
    v128.store(target, step.of(v128.load(a)))
    a += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, step.of(v128.load(a)), count)
}

/** Any step of two operands. */
@inline
export function runBinary<T>(target: usize, a: usize, b: usize, count: i32): void {
  const step = changetype<T>(0)
  for (; count >= 4; count -= 4) {
    v128.store(target, step.of(v128.load(a), v128.load(b)))
    a += 16
    b += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, step.of(v128.load(a), v128.load(b)), count)
}

// For steps of few instructions, two vectors at a time.

@inline
export function runShortUnary<T>(target: usize, a: usize, count: i32): void {
  const step = changetype<T>(0)
  for (; count >= 8; count -= 8) {
    const y0 = step.of(v128.load(a))
    const y1 = step.of(v128.load(a, 16))
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, step.of(v128.load(a)), count)
    a += 16
    target += 16
  }
}

@inline
export function runShortBinary<T>(target: usize, a: usize, b: usize, count: i32): void {
  const step = changetype<T>(0)
  for (; count >= 8; count -= 8) {
    const y0 = step.of(v128.load(a), v128.load(b))
    const y1 = step.of(v128.load(a, 16), v128.load(b, 16))
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    b += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, step.of(v128.load(a), v128.load(b)), count)
    a += 16
    b += 16
    target += 16
  }
}

// A short step and a flush of its result in one pass: as two steps, the second would cost as much as the first.

@inline
export function runFlushed<T>(least: f32, target: usize, a: usize, b: usize, count: i32): void {
  const step = changetype<T>(0)
  for (; count >= 8; count -= 8) {
    const y0 = step.of(v128.load(a), v128.load(b))
    const y1 = step.of(v128.load(a, 16), v128.load(b, 16))
    v128.store(target, flushed(y0, f32x4.splat(least)))
    v128.store(target, flushed(y1, f32x4.splat(least)), 16)
    a += 32
    b += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, flushed(step.of(v128.load(a), v128.load(b)), f32x4.splat(least)), count)
    a += 16
    b += 16
    target += 16
  }
}

// Loops that include the tail are half the code: for steps that few programs use, or that replace slower ones.

@inline
export function runRareUnary<T>(target: usize, a: usize, count: i32): void {
  const step = changetype<T>(0)
  for (; count > 0; count -= 4) {
    storeUpTo4(target, step.of(v128.load(a)), count)
    a += 16
    target += 16
  }
}

@inline
export function runRareBinary<T>(target: usize, a: usize, b: usize, count: i32): void {
  const step = changetype<T>(0)
  for (; count > 0; count -= 4) {
    storeUpTo4(target, step.of(v128.load(a), v128.load(b)), count)
    a += 16
    b += 16
    target += 16
  }
}

// One b and one c for all elements.

@inline
export function runClip<T>(target: usize, a: usize, b: usize, c: usize, count: i32): void {
  const step = changetype<T>(0)
  const low = v128.load(b), high = v128.load(c)
  for (; count >= 8; count -= 8) {
    const y0 = step.of(v128.load(a), low, high)
    const y1 = step.of(v128.load(a, 16), low, high)
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, step.of(v128.load(a), low, high), count)
    a += 16
    target += 16
  }
}

/** true → 1, false → 0 */
@inline
export function bool(mask: v128): v128 {
  return i32x4.shr_u(mask, 31)
}
