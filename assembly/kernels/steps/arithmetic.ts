// The steps of two and three operands in float32, and Select: see unary.ts.

import { LEAST_FACTOR, LEAST_STATE } from '../../shared/vanishing'
import { storeUpTo4, store_up_to_4 } from '../../simd'
import { arctan2 } from '../../angles'
import { gatedTail, geluGradient, hasGatedTail } from '../../math'
import { power } from '../../power'
import { floorQuotient, hasLargeQuotient, isFarFromWhole, modulo, moduloOfAny } from '../../quotients'
import { bool, runBinary, runClip, runFlushed, runRareBinary, runShortBinary } from './loops'

@unmanaged class Add { @inline of(a: v128, b: v128): v128 { return f32x4.add(a, b) } }
export function step_add(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<Add>(target, a, b, count) }
export function step_addToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runFlushed<Add>(<f32>LEAST_FACTOR, target, a, b, count) }
export function step_addToState(target: usize, a: usize, b: usize, count: i32, c: usize): void { runFlushed<Add>(<f32>LEAST_STATE, target, a, b, count) }

@unmanaged class Subtract { @inline of(a: v128, b: v128): v128 { return f32x4.sub(a, b) } }
export function step_subtract(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<Subtract>(target, a, b, count) }

@unmanaged class Multiply { @inline of(a: v128, b: v128): v128 { return f32x4.mul(a, b) } }
export function step_multiply(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<Multiply>(target, a, b, count) }
export function step_multiplyToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runFlushed<Multiply>(<f32>LEAST_FACTOR, target, a, b, count) }
export function step_multiplyToState(target: usize, a: usize, b: usize, count: i32, c: usize): void { runFlushed<Multiply>(<f32>LEAST_STATE, target, a, b, count) }

@unmanaged class Divide { @inline of(a: v128, b: v128): v128 { return f32x4.div(a, b) } }
export function step_divide(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<Divide>(target, a, b, count) }

@unmanaged class Power { @inline of(a: v128, b: v128): v128 { return power(a, b) } }
export function step_power(target: usize, a: usize, b: usize, count: i32, c: usize): void { runBinary<Power>(target, a, b, count) }

@unmanaged class Arctan2 { @inline of(a: v128, b: v128): v128 { return arctan2(a, b) } }
export function step_arctan2(target: usize, a: usize, b: usize, count: i32, c: usize): void { runRareBinary<Arctan2>(target, a, b, count) }

// f32x4.max and f32x4.min are seven and more instructions on x86. Of both orders, one result is NaN if an operand is,
// and zeros of two signs give both zeros.

@inline
function maximum(a: v128, b: v128): v128 {
  const x = f32x4.pmax(a, b)
  const y = f32x4.pmax(b, a)
  return v128.or(v128.and(x, y), f32x4.ne(x, y))
}

@inline
function minimum(a: v128, b: v128): v128 {
  return v128.or(f32x4.pmin(a, b), f32x4.pmin(b, a))
}

// NaN from either side, −0 < +0
@unmanaged class Maximum { @inline of(a: v128, b: v128): v128 { return maximum(a, b) } }
export function step_maximum(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<Maximum>(target, a, b, count) }

@unmanaged class Minimum { @inline of(a: v128, b: v128): v128 { return minimum(a, b) } }
export function step_minimum(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<Minimum>(target, a, b, count) }

@unmanaged class Less { @inline of(a: v128, b: v128): v128 { return bool(f32x4.lt(a, b)) } }
export function step_less(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<Less>(target, a, b, count) }

@unmanaged class LessEqual { @inline of(a: v128, b: v128): v128 { return bool(f32x4.le(a, b)) } }
export function step_lessEqual(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<LessEqual>(target, a, b, count) }

@unmanaged class Equal { @inline of(a: v128, b: v128): v128 { return bool(f32x4.eq(a, b)) } }
export function step_equal(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<Equal>(target, a, b, count) }

@unmanaged class NotEqual { @inline of(a: v128, b: v128): v128 { return bool(f32x4.ne(a, b)) } }
export function step_notEqual(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<NotEqual>(target, a, b, count) }

// The next three use a slower method for a few operands. It is called outside the loop: a call within the loop, even if it
// is never reached, would move the constants out of the registers.

export function step_mod(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  while (count > 0) {
    for (; count >= 4; count -= 4) {
      const x = v128.load(a)
      const y = v128.load(b)
      if (hasLargeQuotient(x, y)) break
      v128.store(target, modulo(x, y))
      a += 16
      b += 16
      target += 16
    }
    if (count > 0) store_up_to_4(target, moduloOfAny(v128.load(a), v128.load(b)), count)
    a += 16
    b += 16
    target += 16
    count -= 4
  }
}

export function step_floorDivide(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  while (count > 0) {
    for (; count >= 4; count -= 4) {
      const q = f32x4.div(v128.load(a), v128.load(b))
      if (!isFarFromWhole(q)) break
      v128.store(target, f32x4.floor(q))
      a += 16
      b += 16
      target += 16
    }
    if (count > 0) store_up_to_4(target, floorQuotient(v128.load(a), v128.load(b)), count)
    a += 16
    b += 16
    target += 16
    count -= 4
  }
}

export function step_gated(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  while (count > 0) {
    for (; count >= 16; count -= 16) {
      const a0 = v128.load(a)
      const a1 = v128.load(a, 16)
      const a2 = v128.load(a, 32)
      const a3 = v128.load(a, 48)
      if (hasGatedTail(a0, a1, a2, a3)) break
      const y0 = f32x4.mul(a0, v128.load(b))
      const y1 = f32x4.mul(a1, v128.load(b, 16))
      const y2 = f32x4.mul(a2, v128.load(b, 32))
      const y3 = f32x4.mul(a3, v128.load(b, 48))
      v128.store(target, y0)
      v128.store(target, y1, 16)
      v128.store(target, y2, 32)
      v128.store(target, y3, 48)
      a += 64
      b += 64
      target += 64
    }
    if (count > 0) store_up_to_4(target, gatedTail(v128.load(a), f32x4.mul(v128.load(a), v128.load(b))), count)
    a += 16
    b += 16
    target += 16
    count -= 4
  }
}

// For a b that has been flushed, the result is 0 for a = −Inf, too.
@unmanaged class Gated { @inline of(a: v128, b: v128): v128 { return v128.and(f32x4.mul(a, b), f32x4.ne(b, i32x4.splat(0))) } }
export function step_gatedToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runFlushed<Gated>(<f32>LEAST_FACTOR, target, a, b, count) }

@unmanaged class ReluGradient { @inline of(a: v128, b: v128): v128 { return v128.and(b, f32x4.gt(a, f32x4.splat(0.0))) } }
export function step_reluGradient(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<ReluGradient>(target, a, b, count) }
export function step_reluGradientToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runFlushed<ReluGradient>(<f32>LEAST_FACTOR, target, a, b, count) }

// 1 − a is exact for a ≥ ½, where 1 − a² would have lost the last bits
@unmanaged class TanhGradient { @inline of(a: v128, b: v128): v128 { return f32x4.mul(f32x4.mul(f32x4.sub(f32x4.splat(1.0), a), f32x4.add(f32x4.splat(1.0), a)), b) } }
export function step_tanhGradient(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<TanhGradient>(target, a, b, count) }
export function step_tanhGradientToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runFlushed<TanhGradient>(<f32>LEAST_FACTOR, target, a, b, count) }

@unmanaged class SigmoidGradient { @inline of(a: v128, b: v128): v128 { return f32x4.mul(f32x4.mul(a, f32x4.sub(f32x4.splat(1.0), a)), b) } }
export function step_sigmoidGradient(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<SigmoidGradient>(target, a, b, count) }
export function step_sigmoidGradientToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runFlushed<SigmoidGradient>(<f32>LEAST_FACTOR, target, a, b, count) }

// As gelu.
export function step_geluGradient(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  for (; count >= 8; count -= 8) {
    const y0 = geluGradient(v128.load(a), v128.load(b)), y1 = geluGradient(v128.load(a, 16), v128.load(b, 16))
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    b += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    storeUpTo4(target, geluGradient(v128.load(a), v128.load(b)), count)
    a += 16
    b += 16
    target += 16
  }
}

/** a ≠ 0 ? b : c, bitwise. */
@inline
function selectBits(a: usize, b: usize, c: usize): v128 {
  return v128.bitselect(v128.load(b), v128.load(c), i32x4.ne(v128.load(a), i32x4.splat(0)))
}

export function step_select(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  for (; count >= 8; count -= 8) {
    const y0 = selectBits(a, b, c)
    const y1 = selectBits(a + 16, b + 16, c + 16)
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    b += 32
    c += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, selectBits(a, b, c), count)
    a += 16
    b += 16
    c += 16
    target += 16
  }
}

// low < x ? x : low, so that 0 is the larger zero; NaN stays all ones, as in maximum
@unmanaged class Clip { @inline of(x: v128, low: v128, high: v128): v128 { return f32x4.pmin(v128.or(f32x4.pmax(low, x), f32x4.ne(x, x)), high) } }
export function step_clip(target: usize, a: usize, b: usize, count: i32, c: usize): void { runClip<Clip>(target, a, b, c, count) }
