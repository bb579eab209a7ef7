// The steps of a Chain: one loop over contiguous words per Step. Never reads an instruction: see chain.ts. Each step is
// a separate function, so that the engine optimises it separately. In place safe: an output may be the same run as an
// operand. Reads up to 15 bytes past a run, writes nothing outside it.

import { Step } from '../shared/opcodes'
import { LEAST_FACTOR, LEAST_STATE } from '../shared/vanishing'
import { copyWords, flushed, rectified, storeRow16, storeTail, storeUpTo4, store_up_to_4, swapHalves } from '../simd'
import {
  arctan2, cos, erf, erfInv, exp, expm1, expModerate, floorQuotient, gatedTail, gelu, geluGradient, geluTanh, hasGatedTail, hasLargeQuotient,
  isFarFromWhole, isImmoderate, log, log1p, LOG_LEAST, LOG_LEAST_NORMAL, modulo, moduloOfAny, power, rsqrt, sigmoid, sigmoidFactor, sign, sin, softplus, tanh, tanhFactor, tanhSoftplus,
} from '../math'

/** true → 1, false → 0 */
@inline
function bool(mask: v128): v128 {
  return i32x4.shr_u(mask, 31)
}

@inline
function unary(step: Step, x: v128): v128 {
  const zero = i32x4.splat(0)
  if (step == Step.Negative) return f32x4.neg(x)
  if (step == Step.Abs) return f32x4.abs(x)
  if (step == Step.Sign) return sign(x)
  if (step == Step.Sqrt) return f32x4.sqrt(x)
  if (step == Step.Rsqrt) return rsqrt(x)
  if (step == Step.Reciprocal) return f32x4.div(f32x4.splat(1.0), x)
  if (step == Step.Square) return f32x4.mul(x, x)
  // x < 0 ? 0 : x, so that NaN and −0 pass
  if (step == Step.Relu) return v128.andnot(x, f32x4.lt(x, zero))
  if (step == Step.Floor) return f32x4.floor(x)
  if (step == Step.Ceil) return f32x4.ceil(x)
  // half to even
  if (step == Step.Round) return f32x4.nearest(x)
  if (step == Step.IsNaN) return bool(f32x4.ne(x, x))
  if (step == Step.IsFinite) return bool(f32x4.lt(f32x4.abs(x), f32x4.splat(Infinity)))
  if (step == Step.NegativeI32) return i32x4.neg(x)
  if (step == Step.AbsI32) return i32x4.abs(x)
  if (step == Step.LogicalNot) return bool(i32x4.eq(x, zero))
  if (step == Step.IntToFloat) return f32x4.convert_i32x4_s(x)
  if (step == Step.FloatToBool) return bool(f32x4.ne(x, zero))
  if (step == Step.IntToBool) return bool(i32x4.ne(x, zero))
  if (step == Step.FlushFactor) return flushed(x, f32x4.splat(<f32>LEAST_FACTOR))
  if (step == Step.FlushState) return flushed(x, f32x4.splat(<f32>LEAST_STATE))
  if (step == Step.ReluToFactor) return rectified(x, f32x4.splat(<f32>LEAST_FACTOR))
  return x
}

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

@inline
function binary(step: Step, a: v128, b: v128): v128 {
  if (step == Step.Add) return f32x4.add(a, b)
  if (step == Step.Subtract) return f32x4.sub(a, b)
  if (step == Step.Multiply) return f32x4.mul(a, b)
  if (step == Step.Divide) return f32x4.div(a, b)
  // NaN from either side, −0 < +0
  if (step == Step.Maximum) return maximum(a, b)
  if (step == Step.Minimum) return minimum(a, b)
  if (step == Step.Less) return bool(f32x4.lt(a, b))
  if (step == Step.LessEqual) return bool(f32x4.le(a, b))
  if (step == Step.Equal) return bool(f32x4.eq(a, b))
  if (step == Step.NotEqual) return bool(f32x4.ne(a, b))
  if (step == Step.AddI32) return i32x4.add(a, b)
  if (step == Step.SubtractI32) return i32x4.sub(a, b)
  if (step == Step.MultiplyI32) return i32x4.mul(a, b)
  if (step == Step.MaximumI32) return i32x4.max_s(a, b)
  if (step == Step.MinimumI32) return i32x4.min_s(a, b)
  if (step == Step.LessI32) return bool(i32x4.lt_s(a, b))
  if (step == Step.LessEqualI32) return bool(i32x4.le_s(a, b))
  if (step == Step.EqualI32) return bool(i32x4.eq(a, b))
  if (step == Step.NotEqualI32) return bool(i32x4.ne(a, b))
  if (step == Step.LogicalAnd) return v128.and(a, b)
  if (step == Step.ReluGradient) return v128.and(b, f32x4.gt(a, f32x4.splat(0.0)))
  // of a b that has been flushed: 0 for a = −Inf, too
  if (step == Step.Gated) return v128.and(f32x4.mul(a, b), f32x4.ne(b, i32x4.splat(0)))
  const one = f32x4.splat(1.0)
  // 1 − a is exact for a ≥ ½, where 1 − a² would have lost the last bits
  if (step == Step.TanhGradient) return f32x4.mul(f32x4.mul(f32x4.sub(one, a), f32x4.add(one, a)), b)
  if (step == Step.SigmoidGradient) return f32x4.mul(f32x4.mul(a, f32x4.sub(one, a)), b)
  return v128.or(a, b)
}

// Without a branch in its body the engine unrolls or peels a loop, and keeps the vector constants of a step in
// registers or on the stack; otherwise it creates each of them in every iteration, at three instructions each (exp: 1.29
// against 0.85 ns an element, interleaved, Node 20). So the tail is separate.

// For steps of few instructions; even so, the loop is too long for asc to inline it into the chain. Steps of many
// instructions have separate loops, four lanes at a time: as branches of `unary`, asc would compile each of them
// into every step before it dropped all but one, which took it twice as long. Where a call of store_up_to_4 makes an engine keep the
// vectors of the loop on the stack, which bench/guard.mjs finds, the step has it inline. Loops that include the tail, with
// storeUpTo4, are half the code: they are for steps that few programs use, or that replace slower ones.

@inline
function runUnary(step: Step, target: usize, a: usize, count: i32): void {
  for (; count >= 8; count -= 8) {
    const y0 = unary(step, v128.load(a))
    const y1 = unary(step, v128.load(a, 16))
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, unary(step, v128.load(a)), count)
    a += 16
    target += 16
  }
}

@inline
function runBinary(step: Step, target: usize, a: usize, b: usize, count: i32): void {
  for (; count >= 8; count -= 8) {
    const y0 = binary(step, v128.load(a), v128.load(b))
    const y1 = binary(step, v128.load(a, 16), v128.load(b, 16))
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    b += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, binary(step, v128.load(a), v128.load(b)), count)
    a += 16
    b += 16
    target += 16
  }
}

export function negative_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Negative, target, a, count)
}

export function abs_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Abs, target, a, count)
}

export function sign_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Sign, target, a, count)
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

export function expm1_f32(target: usize, a: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, expm1(v128.load(a)))
    a += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, expm1(v128.load(a)), count)
}

export function log_f32(target: usize, a: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, log(v128.load(a)))
    a += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, log(v128.load(a)), count)
}

export function log1p_f32(target: usize, a: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, log1p(v128.load(a)))
    a += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, log1p(v128.load(a)), count)
}

export function sqrt_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Sqrt, target, a, count)
}

export function rsqrt_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Rsqrt, target, a, count)
}

export function reciprocal_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Reciprocal, target, a, count)
}

export function square_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Square, target, a, count)
}

export function sin_f32(target: usize, a: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, sin(v128.load(a)))
    a += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, sin(v128.load(a)), count)
}

export function cos_f32(target: usize, a: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, cos(v128.load(a)))
    a += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, cos(v128.load(a)), count)
}

@inline
function sigmoidal(step: Step, x: v128): v128 {
  if (step == Step.Sigmoid) return sigmoid(x)
  if (step == Step.SigmoidToFactor) return sigmoidFactor(x)
  return step == Step.TanhToFactor ? tanhFactor(x) : tanh(x)
}

@inline
function runSigmoidal(step: Step, target: usize, a: usize, count: i32): void {
  for (; count >= 8; count -= 8) {
    const y0 = sigmoidal(step, v128.load(a)), y1 = sigmoidal(step, v128.load(a, 16))
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, sigmoidal(step, v128.load(a)), count)
    a += 16
    target += 16
  }
}

export function tanh_f32(target: usize, a: usize, count: i32): void {
  runSigmoidal(Step.Tanh, target, a, count)
}

export function tanhToFactor_f32(target: usize, a: usize, count: i32): void {
  runSigmoidal(Step.TanhToFactor, target, a, count)
}

export function sigmoid_f32(target: usize, a: usize, count: i32): void {
  runSigmoidal(Step.Sigmoid, target, a, count)
}

export function sigmoidToFactor_f32(target: usize, a: usize, count: i32): void {
  runSigmoidal(Step.SigmoidToFactor, target, a, count)
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

export function tanhSoftplus_f32(target: usize, a: usize, count: i32, exponent: f32): void {
  const least = f32x4.splat(exponent)
  for (; count > 0; count -= 4) {
    storeUpTo4(target, tanhSoftplus(v128.load(a), least), count)
    a += 16
    target += 16
  }
}

export function relu_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Relu, target, a, count)
}

export function erf_f32(target: usize, a: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, erf(v128.load(a)))
    a += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, erf(v128.load(a)), count)
}

// Two vectors at a time: their constants do not fit into registers and are then loaded once for both, and engines that
// pair vectors compute both at once.

export function gelu_f32(target: usize, a: usize, count: i32): void {
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

export function geluGradient_f32(target: usize, a: usize, b: usize, count: i32): void {
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

export function geluTanh_f32(target: usize, a: usize, count: i32): void {
  for (; count > 0; count -= 4) {
    storeUpTo4(target, geluTanh(v128.load(a)), count)
    a += 16
    target += 16
  }
}

export function erfInv_f32(target: usize, a: usize, count: i32): void {
  for (; count > 0; count -= 4) {
    storeUpTo4(target, erfInv(v128.load(a)), count)
    a += 16
    target += 16
  }
}

export function floor_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Floor, target, a, count)
}

export function ceil_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Ceil, target, a, count)
}

export function round_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.Round, target, a, count)
}

export function isNaN_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.IsNaN, target, a, count)
}

export function isFinite_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.IsFinite, target, a, count)
}

export function negative_i32(target: usize, a: usize, count: i32): void {
  runUnary(Step.NegativeI32, target, a, count)
}

export function abs_i32(target: usize, a: usize, count: i32): void {
  runUnary(Step.AbsI32, target, a, count)
}

export function logicalNot(target: usize, a: usize, count: i32): void {
  runUnary(Step.LogicalNot, target, a, count)
}

// Relaxed, it is one instruction on x86, of eight. Where its result is not specified, it is −2³¹ or that of the other.
export function floatToInt(target: usize, a: usize, count: i32): void {
  const outside = i32x4.splat(i32.MIN_VALUE)
  while (count > 0) {
    for (; count >= 16; count -= 16) {
      const y0 = i32x4.relaxed_trunc_f32x4_s(v128.load(a)), y1 = i32x4.relaxed_trunc_f32x4_s(v128.load(a, 16))
      const y2 = i32x4.relaxed_trunc_f32x4_s(v128.load(a, 32)), y3 = i32x4.relaxed_trunc_f32x4_s(v128.load(a, 48))
      const least = i32x4.min_s(i32x4.min_s(y0, y1), i32x4.min_s(y2, y3))
      if (i32x4.bitmask(i32x4.eq(least, outside))) break
      storeRow16(target, y0, y1, y2, y3)
      a += 64
      target += 64
    }
    if (count > 0) store_up_to_4(target, i32x4.trunc_sat_f32x4_s(v128.load(a)), count)
    a += 16
    target += 16
    count -= 4
  }
}

export function intToFloat(target: usize, a: usize, count: i32): void {
  runUnary(Step.IntToFloat, target, a, count)
}

export function floatToBool(target: usize, a: usize, count: i32): void {
  runUnary(Step.FloatToBool, target, a, count)
}

export function intToBool(target: usize, a: usize, count: i32): void {
  runUnary(Step.IntToBool, target, a, count)
}

export function add_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.Add, target, a, b, count)
}

export function subtract_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.Subtract, target, a, b, count)
}

export function multiply_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.Multiply, target, a, b, count)
}

export function divide_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.Divide, target, a, b, count)
}

export function power_f32(target: usize, a: usize, b: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, power(v128.load(a), v128.load(b)))
    a += 16
    b += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, power(v128.load(a), v128.load(b)), count)
}

export function arctan2_f32(target: usize, a: usize, b: usize, count: i32): void {
  for (; count > 0; count -= 4) {
    storeUpTo4(target, arctan2(v128.load(a), v128.load(b)), count)
    a += 16
    b += 16
    target += 16
  }
}

// The next three use a slower method for a few operands. It is called outside the loop: a call within the loop, even if it
// is never reached, would move the constants out of the registers.

export function mod_f32(target: usize, a: usize, b: usize, count: i32): void {
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

export function floorDivide_f32(target: usize, a: usize, b: usize, count: i32): void {
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

export function gated_f32(target: usize, a: usize, b: usize, count: i32): void {
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

export function maximum_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.Maximum, target, a, b, count)
}

export function minimum_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.Minimum, target, a, b, count)
}

export function less_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.Less, target, a, b, count)
}

export function lessEqual_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.LessEqual, target, a, b, count)
}

export function equal_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.Equal, target, a, b, count)
}

export function notEqual_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.NotEqual, target, a, b, count)
}

export function add_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.AddI32, target, a, b, count)
}

export function subtract_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.SubtractI32, target, a, b, count)
}

export function multiply_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.MultiplyI32, target, a, b, count)
}

export function maximum_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.MaximumI32, target, a, b, count)
}

export function minimum_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.MinimumI32, target, a, b, count)
}

/** ⌊a/b⌋ of two lanes as float64: exact, because a quotient that is not an integer is at least 1/|b| from one. */
@inline
function floorQuotients(a: v128, b: v128): v128 {
  return f64x2.floor(f64x2.div(f64x2.convert_low_i32x4_s(a), f64x2.convert_low_i32x4_s(b)))
}

/** ⌊a/b⌋, wrapped to 32 bits; 0 where b is 0. */
@inline
function floorDivide(a: v128, b: v128): v128 {
  // 1.5 · 2⁵²: the low word of an integer plus this is that integer, wrapped.
  const shift = f64x2.splat(6755399441055744.0)
  const low = f64x2.add(floorQuotients(a, b), shift)
  const high = f64x2.add(floorQuotients(swapHalves(a), swapHalves(b)), shift)
  return v128.and(v128.shuffle<i32>(low, high, 0, 2, 4, 6), i32x4.ne(b, i32x4.splat(0)))
}

/** a − ⌊a/b⌋·b; 0 where b is 0. */
@inline
function floorRemainder(a: v128, b: v128): v128 {
  const remainder = i32x4.sub(a, i32x4.mul(floorDivide(a, b), b))
  return v128.and(remainder, i32x4.ne(b, i32x4.splat(0)))
}

export function floorDivide_i32(target: usize, a: usize, b: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, floorDivide(v128.load(a), v128.load(b)))
    a += 16
    b += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, floorDivide(v128.load(a), v128.load(b)), count)
}

export function mod_i32(target: usize, a: usize, b: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, floorRemainder(v128.load(a), v128.load(b)))
    a += 16
    b += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, floorRemainder(v128.load(a), v128.load(b)), count)
}

/** aᵇ modulo 2³²: the product of a, a², a⁴, … for the binary digits of b. For b < 0 the fraction is dropped: ±1 for a = ±1, else 0. */
@inline
function wholePower(a: v128, b: v128): v128 {
  const one = i32x4.splat(1)
  const isWhole = v128.or(i32x4.ge_s(b, i32x4.splat(0)), i32x4.eq(i32x4.abs(a), one))
  let product = one
  while (v128.any_true(b)) {
    product = v128.bitselect(i32x4.mul(product, a), product, i32x4.eq(v128.and(b, one), one))
    a = i32x4.mul(a, a)
    b = i32x4.shr_u(b, 1)
  }
  return v128.and(product, isWhole)
}

export function power_i32(target: usize, a: usize, b: usize, count: i32): void {
  for (; count >= 4; count -= 4) {
    v128.store(target, wholePower(v128.load(a), v128.load(b)))
    a += 16
    b += 16
    target += 16
  }
  if (count > 0) store_up_to_4(target, wholePower(v128.load(a), v128.load(b)), count)
}

export function less_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.LessI32, target, a, b, count)
}

export function lessEqual_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.LessEqualI32, target, a, b, count)
}

export function equal_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.EqualI32, target, a, b, count)
}

export function notEqual_i32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.NotEqualI32, target, a, b, count)
}

export function logicalAnd(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.LogicalAnd, target, a, b, count)
}

export function logicalOr(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.LogicalOr, target, a, b, count)
}

export function reluGradient_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.ReluGradient, target, a, b, count)
}

export function tanhGradient_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.TanhGradient, target, a, b, count)
}

export function sigmoidGradient_f32(target: usize, a: usize, b: usize, count: i32): void {
  runBinary(Step.SigmoidGradient, target, a, b, count)
}

/** a ≠ 0 ? b : c, bitwise. */
@inline
function selectBits(a: usize, b: usize, c: usize): v128 {
  return v128.bitselect(v128.load(b), v128.load(c), i32x4.ne(v128.load(a), i32x4.splat(0)))
}

export function select_bits(target: usize, a: usize, b: usize, c: usize, count: i32): void {
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

@inline
function clip(step: Step, x: v128, low: v128, high: v128): v128 {
  if (step == Step.ClipI32) return i32x4.min_s(i32x4.max_s(x, low), high)
  // low < x ? x : low, so that 0 is the larger zero; NaN stays all ones, as in maximum
  return f32x4.pmin(v128.or(f32x4.pmax(low, x), f32x4.ne(x, x)), high)
}

@inline
function runClip(step: Step, target: usize, a: usize, b: usize, c: usize, count: i32): void {
  const low = v128.load(b), high = v128.load(c)
  for (; count >= 8; count -= 8) {
    const y0 = clip(step, v128.load(a), low, high)
    const y1 = clip(step, v128.load(a, 16), low, high)
    v128.store(target, y0)
    v128.store(target, y1, 16)
    a += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, clip(step, v128.load(a), low, high), count)
    a += 16
    target += 16
  }
}

export function clip_f32(target: usize, a: usize, b: usize, c: usize, count: i32): void {
  runClip(Step.Clip, target, a, b, c, count)
}

export function clip_i32(target: usize, a: usize, b: usize, c: usize, count: i32): void {
  runClip(Step.ClipI32, target, a, b, c, count)
}

export function flushFactor_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.FlushFactor, target, a, count)
}

export function flushState_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.FlushState, target, a, count)
}

// A step and a flush of its result in one pass: as two steps, the second would cost as much as the first.

export function reluToFactor_f32(target: usize, a: usize, count: i32): void {
  runUnary(Step.ReluToFactor, target, a, count)
}

@inline
function runFlushed(step: Step, least: f32, target: usize, a: usize, b: usize, count: i32): void {
  for (; count >= 8; count -= 8) {
    const y0 = binary(step, v128.load(a), v128.load(b))
    const y1 = binary(step, v128.load(a, 16), v128.load(b, 16))
    v128.store(target, flushed(y0, f32x4.splat(least)))
    v128.store(target, flushed(y1, f32x4.splat(least)), 16)
    a += 32
    b += 32
    target += 32
  }
  for (; count > 0; count -= 4) {
    store_up_to_4(target, flushed(binary(step, v128.load(a), v128.load(b)), f32x4.splat(least)), count)
    a += 16
    b += 16
    target += 16
  }
}

export function gatedToFactor_f32(target: usize, a: usize, b: usize, count: i32): void {
  runFlushed(Step.Gated, <f32>LEAST_FACTOR, target, a, b, count)
}

export function addToFactor_f32(target: usize, a: usize, b: usize, count: i32): void {
  runFlushed(Step.Add, <f32>LEAST_FACTOR, target, a, b, count)
}

export function multiplyToFactor_f32(target: usize, a: usize, b: usize, count: i32): void {
  runFlushed(Step.Multiply, <f32>LEAST_FACTOR, target, a, b, count)
}

export function reluGradientToFactor_f32(target: usize, a: usize, b: usize, count: i32): void {
  runFlushed(Step.ReluGradient, <f32>LEAST_FACTOR, target, a, b, count)
}

export function tanhGradientToFactor_f32(target: usize, a: usize, b: usize, count: i32): void {
  runFlushed(Step.TanhGradient, <f32>LEAST_FACTOR, target, a, b, count)
}

export function sigmoidGradientToFactor_f32(target: usize, a: usize, b: usize, count: i32): void {
  runFlushed(Step.SigmoidGradient, <f32>LEAST_FACTOR, target, a, b, count)
}

export function addToState_f32(target: usize, a: usize, b: usize, count: i32): void {
  runFlushed(Step.Add, <f32>LEAST_STATE, target, a, b, count)
}

export function multiplyToState_f32(target: usize, a: usize, b: usize, count: i32): void {
  runFlushed(Step.Multiply, <f32>LEAST_STATE, target, a, b, count)
}

/** Runs one step over `count` ≥ 1 words of each register. Each step is a function, so that engines optimise it separately. */
@inline
export function runStep(step: Step, target: usize, a: usize, b: usize, c: usize, count: i32): void {
  switch (step) {
    case Step.Identity: return copyWords(target, a, count)
    case Step.Negative: return negative_f32(target, a, count)
    case Step.Abs: return abs_f32(target, a, count)
    case Step.Sign: return sign_f32(target, a, count)
    case Step.Exp: return exp_f32(target, a, count, LOG_LEAST)
    case Step.Expm1: return expm1_f32(target, a, count)
    case Step.Log: return log_f32(target, a, count)
    case Step.Log1p: return log1p_f32(target, a, count)
    case Step.Sqrt: return sqrt_f32(target, a, count)
    case Step.Rsqrt: return rsqrt_f32(target, a, count)
    case Step.Reciprocal: return reciprocal_f32(target, a, count)
    case Step.Square: return square_f32(target, a, count)
    case Step.Sin: return sin_f32(target, a, count)
    case Step.Cos: return cos_f32(target, a, count)
    case Step.Tanh: return tanh_f32(target, a, count)
    case Step.Sigmoid: return sigmoid_f32(target, a, count)
    case Step.Softplus: return softplus_f32(target, a, count, LOG_LEAST)
    case Step.TanhSoftplus: return tanhSoftplus_f32(target, a, count, LOG_LEAST)
    case Step.Relu: return relu_f32(target, a, count)
    case Step.Erf: return erf_f32(target, a, count)
    case Step.Gelu: return gelu_f32(target, a, count)
    case Step.GeluTanh: return geluTanh_f32(target, a, count)
    case Step.ErfInv: return erfInv_f32(target, a, count)
    case Step.Floor: return floor_f32(target, a, count)
    case Step.Ceil: return ceil_f32(target, a, count)
    case Step.Round: return round_f32(target, a, count)
    case Step.IsNaN: return isNaN_f32(target, a, count)
    case Step.IsFinite: return isFinite_f32(target, a, count)
    case Step.NegativeI32: return negative_i32(target, a, count)
    case Step.AbsI32: return abs_i32(target, a, count)
    case Step.LogicalNot: return logicalNot(target, a, count)
    case Step.FloatToInt: return floatToInt(target, a, count)
    case Step.IntToFloat: return intToFloat(target, a, count)
    case Step.FloatToBool: return floatToBool(target, a, count)
    case Step.IntToBool: return intToBool(target, a, count)
    case Step.Add: return add_f32(target, a, b, count)
    case Step.Subtract: return subtract_f32(target, a, b, count)
    case Step.Multiply: return multiply_f32(target, a, b, count)
    case Step.Divide: return divide_f32(target, a, b, count)
    case Step.Power: return power_f32(target, a, b, count)
    case Step.Arctan2: return arctan2_f32(target, a, b, count)
    case Step.Mod: return mod_f32(target, a, b, count)
    case Step.FloorDivide: return floorDivide_f32(target, a, b, count)
    case Step.Maximum: return maximum_f32(target, a, b, count)
    case Step.Minimum: return minimum_f32(target, a, b, count)
    case Step.Less: return less_f32(target, a, b, count)
    case Step.LessEqual: return lessEqual_f32(target, a, b, count)
    case Step.Equal: return equal_f32(target, a, b, count)
    case Step.NotEqual: return notEqual_f32(target, a, b, count)
    case Step.AddI32: return add_i32(target, a, b, count)
    case Step.SubtractI32: return subtract_i32(target, a, b, count)
    case Step.MultiplyI32: return multiply_i32(target, a, b, count)
    case Step.MaximumI32: return maximum_i32(target, a, b, count)
    case Step.MinimumI32: return minimum_i32(target, a, b, count)
    case Step.FloorDivideI32: return floorDivide_i32(target, a, b, count)
    case Step.ModI32: return mod_i32(target, a, b, count)
    case Step.PowerI32: return power_i32(target, a, b, count)
    case Step.LessI32: return less_i32(target, a, b, count)
    case Step.LessEqualI32: return lessEqual_i32(target, a, b, count)
    case Step.EqualI32: return equal_i32(target, a, b, count)
    case Step.NotEqualI32: return notEqual_i32(target, a, b, count)
    case Step.LogicalAnd: return logicalAnd(target, a, b, count)
    case Step.LogicalOr: return logicalOr(target, a, b, count)
    case Step.ReluGradient: return reluGradient_f32(target, a, b, count)
    case Step.GeluGradient: return geluGradient_f32(target, a, b, count)
    case Step.TanhGradient: return tanhGradient_f32(target, a, b, count)
    case Step.SigmoidGradient: return sigmoidGradient_f32(target, a, b, count)
    case Step.Gated: return gated_f32(target, a, b, count)
    case Step.Select: return select_bits(target, a, b, c, count)
    case Step.FlushFactor: return flushFactor_f32(target, a, count)
    case Step.FlushState: return flushState_f32(target, a, count)
    case Step.ReluToFactor: return reluToFactor_f32(target, a, count)
    case Step.SigmoidToFactor: return sigmoidToFactor_f32(target, a, count)
    case Step.TanhToFactor: return tanhToFactor_f32(target, a, count)
    case Step.ExpToFactor: {
      exp_f32(target, a, count, LOG_LEAST_NORMAL)
      return flushFactor_f32(target, target, count)
    }
    case Step.SoftplusToFactor: {
      softplus_f32(target, a, count, LOG_LEAST_NORMAL)
      return flushFactor_f32(target, target, count)
    }
    case Step.TanhSoftplusToFactor: {
      tanhSoftplus_f32(target, a, count, LOG_LEAST_NORMAL)
      return flushFactor_f32(target, target, count)
    }
    case Step.GatedToFactor: return gatedToFactor_f32(target, a, b, count)
    case Step.AddToFactor: return addToFactor_f32(target, a, b, count)
    case Step.MultiplyToFactor: return multiplyToFactor_f32(target, a, b, count)
    case Step.ReluGradientToFactor: return reluGradientToFactor_f32(target, a, b, count)
    case Step.TanhGradientToFactor: return tanhGradientToFactor_f32(target, a, b, count)
    case Step.SigmoidGradientToFactor: return sigmoidGradientToFactor_f32(target, a, b, count)
    case Step.AddToState: return addToState_f32(target, a, b, count)
    case Step.MultiplyToState: return multiplyToState_f32(target, a, b, count)
    case Step.Clip: return clip_f32(target, a, b, c, count)
    case Step.ClipI32: return clip_i32(target, a, b, c, count)
  }
}
