// The steps of one operand in float32. step_NAME is the step NAME: what it computes from the run `a`, or from `a` and `b`, or
// all three, for `count` ≥ 1 words. Each is a separate function, so that engines optimise it separately; all have the same
// parameters, because a chain calls them through the table. scripts/build-wasm.mjs numbers them.

import { LEAST_FACTOR, LEAST_STATE } from '../../shared/vanishing'
import { copyWords, flushed, rectified, storeTail, storeUpTo4, store_up_to_4 } from '../../simd'
import { cos, sin } from '../../angles'
import {
  erf, erfInv, exp, expm1, expModerate, gelu, geluTanh, isImmoderate, log, log1p, LOG_LEAST, LOG_LEAST_NORMAL, rsqrt, sigmoid, sigmoidFactor, sign,
  softplus, tanh, tanhFactor, tanhSoftplus,
} from '../../math'
import { bool, runRareUnary, runShortUnary, runUnary } from './loops'

export function step_copy(target: usize, a: usize, b: usize, count: i32, c: usize): void { copyWords(target, a, count) }

@unmanaged class Negative { @inline of(x: v128): v128 { return f32x4.neg(x) } }
export function step_negative(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Negative>(target, a, count) }

@unmanaged class Abs { @inline of(x: v128): v128 { return f32x4.abs(x) } }
export function step_abs(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Abs>(target, a, count) }

@unmanaged class Sign { @inline of(x: v128): v128 { return sign(x) } }
export function step_sign(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Sign>(target, a, count) }

@unmanaged class Sqrt { @inline of(x: v128): v128 { return f32x4.sqrt(x) } }
export function step_sqrt(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Sqrt>(target, a, count) }

@unmanaged class Rsqrt { @inline of(x: v128): v128 { return rsqrt(x) } }
export function step_rsqrt(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Rsqrt>(target, a, count) }

@unmanaged class Reciprocal { @inline of(x: v128): v128 { return f32x4.div(f32x4.splat(1.0), x) } }
export function step_reciprocal(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Reciprocal>(target, a, count) }

@unmanaged class Square { @inline of(x: v128): v128 { return f32x4.mul(x, x) } }
export function step_square(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Square>(target, a, count) }

@unmanaged class Floor { @inline of(x: v128): v128 { return f32x4.floor(x) } }
export function step_floor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Floor>(target, a, count) }

@unmanaged class Ceil { @inline of(x: v128): v128 { return f32x4.ceil(x) } }
export function step_ceil(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Ceil>(target, a, count) }

// half to even
@unmanaged class Round { @inline of(x: v128): v128 { return f32x4.nearest(x) } }
export function step_round(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Round>(target, a, count) }

@unmanaged class IsNaN { @inline of(x: v128): v128 { return bool(f32x4.ne(x, x)) } }
export function step_isNaN(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<IsNaN>(target, a, count) }

@unmanaged class IsFinite { @inline of(x: v128): v128 { return bool(f32x4.lt(f32x4.abs(x), f32x4.splat(Infinity))) } }
export function step_isFinite(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<IsFinite>(target, a, count) }

// x < 0 ? 0 : x, so that NaN and −0 pass
@unmanaged class Relu { @inline of(x: v128): v128 { return v128.andnot(x, f32x4.lt(x, i32x4.splat(0))) } }
export function step_relu(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Relu>(target, a, count) }

@unmanaged class Expm1 { @inline of(x: v128): v128 { return expm1(x) } }
export function step_expm1(target: usize, a: usize, b: usize, count: i32, c: usize): void { runUnary<Expm1>(target, a, count) }

@unmanaged class Log { @inline of(x: v128): v128 { return log(x) } }
export function step_log(target: usize, a: usize, b: usize, count: i32, c: usize): void { runUnary<Log>(target, a, count) }

@unmanaged class Log1p { @inline of(x: v128): v128 { return log1p(x) } }
export function step_log1p(target: usize, a: usize, b: usize, count: i32, c: usize): void { runUnary<Log1p>(target, a, count) }

@unmanaged class Sin { @inline of(x: v128): v128 { return sin(x) } }
export function step_sin(target: usize, a: usize, b: usize, count: i32, c: usize): void { runUnary<Sin>(target, a, count) }

@unmanaged class Cos { @inline of(x: v128): v128 { return cos(x) } }
export function step_cos(target: usize, a: usize, b: usize, count: i32, c: usize): void { runUnary<Cos>(target, a, count) }

@unmanaged class Erf { @inline of(x: v128): v128 { return erf(x) } }
export function step_erf(target: usize, a: usize, b: usize, count: i32, c: usize): void { runUnary<Erf>(target, a, count) }

@unmanaged class Tanh { @inline of(x: v128): v128 { return tanh(x) } }
export function step_tanh(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Tanh>(target, a, count) }

@unmanaged class TanhToFactor { @inline of(x: v128): v128 { return tanhFactor(x) } }
export function step_tanhToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<TanhToFactor>(target, a, count) }

@unmanaged class Sigmoid { @inline of(x: v128): v128 { return sigmoid(x) } }
export function step_sigmoid(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<Sigmoid>(target, a, count) }

@unmanaged class SigmoidToFactor { @inline of(x: v128): v128 { return sigmoidFactor(x) } }
export function step_sigmoidToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<SigmoidToFactor>(target, a, count) }

@unmanaged class ReluToFactor { @inline of(x: v128): v128 { return rectified(x, f32x4.splat(<f32>LEAST_FACTOR)) } }
export function step_reluToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<ReluToFactor>(target, a, count) }

@unmanaged class GeluTanh { @inline of(x: v128): v128 { return geluTanh(x) } }
export function step_geluTanh(target: usize, a: usize, b: usize, count: i32, c: usize): void { runRareUnary<GeluTanh>(target, a, count) }

@unmanaged class ErfInv { @inline of(x: v128): v128 { return erfInv(x) } }
export function step_erfInv(target: usize, a: usize, b: usize, count: i32, c: usize): void { runRareUnary<ErfInv>(target, a, count) }

// |x| < LEAST_FACTOR ? 0 : x
@unmanaged class FlushFactor { @inline of(x: v128): v128 { return flushed(x, f32x4.splat(<f32>LEAST_FACTOR)) } }
export function step_flushFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<FlushFactor>(target, a, count) }

// |x| < LEAST_STATE ? 0 : x
@unmanaged class FlushState { @inline of(x: v128): v128 { return flushed(x, f32x4.splat(<f32>LEAST_STATE)) } }
export function step_flushState(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<FlushState>(target, a, count) }

// Two vectors at a time: their constants do not fit into registers and are then loaded once for both, and engines that
// pair vectors compute both at once.

export function step_gelu(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  for (; count >= 8; count -= 8) {
    const y0 = gelu(v128.load(a)), y1 = gelu(v128.load(a, 16))
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    storeUpTo4(target, gelu(v128.load(a)), count)
    a += 16
    target += 16
  }
}

// The next three take the least exponent: LOG_LEAST, or LOG_LEAST_NORMAL where a flush follows.

export function exp_f32(target: usize, a: usize, count: i32, least: f32): void {
  while (count > 0) {
    for (; count >= 8; count -= 8) {
      const x0 = v128.load(a), x1 = v128.load(a, 16)
      if (isImmoderate(x0, x1)) break
      const y0 = expModerate(x0), y1 = expModerate(x1)
      v128.store(target, y0)
      v128.store(target, y1, 16)
      a += 32
      target += 32
    }
    if (count > 0) store_up_to_4(target, exp(v128.load(a), f32x4.splat(least)), count)
    a += 16
    target += 16
    count -= 4
  }
}

export function step_exp(target: usize, a: usize, b: usize, count: i32, c: usize): void { exp_f32(target, a, count, LOG_LEAST) }
export function step_expToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  exp_f32(target, a, count, LOG_LEAST_NORMAL)
  step_flushFactor(target, target, 0, count, 0)
}

export function softplus_f32(target: usize, a: usize, count: i32, exponent: f32): void {
  const least = f32x4.splat(exponent)
  for (; count >= 4; count -= 4) {
    v128.store(target, softplus(v128.load(a), least))
    a += 16
    target += 16
  }
  if (count > 0) storeTail(target, softplus(v128.load(a), least), count)
}

export function step_softplus(target: usize, a: usize, b: usize, count: i32, c: usize): void { softplus_f32(target, a, count, LOG_LEAST) }
export function step_softplusToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  softplus_f32(target, a, count, LOG_LEAST_NORMAL)
  step_flushFactor(target, target, 0, count, 0)
}

export function tanhSoftplus_f32(target: usize, a: usize, count: i32, exponent: f32): void {
  const least = f32x4.splat(exponent)
  for (; count > 0; count -= 4) {
    storeUpTo4(target, tanhSoftplus(v128.load(a), least), count)
    a += 16
    target += 16
  }
}

export function step_tanhSoftplus(target: usize, a: usize, b: usize, count: i32, c: usize): void { tanhSoftplus_f32(target, a, count, LOG_LEAST) }
export function step_tanhSoftplusToFactor(target: usize, a: usize, b: usize, count: i32, c: usize): void {
  tanhSoftplus_f32(target, a, count, LOG_LEAST_NORMAL)
  step_flushFactor(target, target, 0, count, 0)
}
