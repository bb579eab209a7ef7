// The steps for int32 and bool, and those that convert: see unary.ts. The suffix I32 marks the form of a primitive for int32.

import { storeRow16, store_up_to_4, swapHalves } from '../../simd'
import { bool, runBinary, runClip, runShortBinary, runShortUnary } from './loops'

@unmanaged class NegativeI32 { @inline of(x: v128): v128 { return i32x4.neg(x) } }
export function step_negativeI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<NegativeI32>(target, a, count) }

@unmanaged class AbsI32 { @inline of(x: v128): v128 { return i32x4.abs(x) } }
export function step_absI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<AbsI32>(target, a, count) }

// bool → bool
@unmanaged class LogicalNot { @inline of(x: v128): v128 { return bool(i32x4.eq(x, i32x4.splat(0))) } }
export function step_logicalNot(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<LogicalNot>(target, a, count) }

// int32 or bool → float32
@unmanaged class IntToFloat { @inline of(x: v128): v128 { return f32x4.convert_i32x4_s(x) } }
export function step_intToFloat(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<IntToFloat>(target, a, count) }

// NaN → true
@unmanaged class FloatToBool { @inline of(x: v128): v128 { return bool(f32x4.ne(x, i32x4.splat(0))) } }
export function step_floatToBool(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<FloatToBool>(target, a, count) }

@unmanaged class IntToBool { @inline of(x: v128): v128 { return bool(i32x4.ne(x, i32x4.splat(0))) } }
export function step_intToBool(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortUnary<IntToBool>(target, a, count) }

// Towards zero, saturating, NaN → 0. The relaxed instruction is one instruction on x86, the plain one is eight. Where the
// result of the relaxed one is not specified, it is −2³¹ or the result of the plain one.
export function step_floatToInt(target: usize, a: usize, b: usize, count: i32, c: usize): void {
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

@unmanaged class AddI32 { @inline of(a: v128, b: v128): v128 { return i32x4.add(a, b) } }
export function step_addI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<AddI32>(target, a, b, count) }

@unmanaged class SubtractI32 { @inline of(a: v128, b: v128): v128 { return i32x4.sub(a, b) } }
export function step_subtractI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<SubtractI32>(target, a, b, count) }

@unmanaged class MultiplyI32 { @inline of(a: v128, b: v128): v128 { return i32x4.mul(a, b) } }
export function step_multiplyI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<MultiplyI32>(target, a, b, count) }

@unmanaged class MaximumI32 { @inline of(a: v128, b: v128): v128 { return i32x4.max_s(a, b) } }
export function step_maximumI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<MaximumI32>(target, a, b, count) }

@unmanaged class MinimumI32 { @inline of(a: v128, b: v128): v128 { return i32x4.min_s(a, b) } }
export function step_minimumI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<MinimumI32>(target, a, b, count) }

@unmanaged class LessI32 { @inline of(a: v128, b: v128): v128 { return bool(i32x4.lt_s(a, b)) } }
export function step_lessI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<LessI32>(target, a, b, count) }

@unmanaged class LessEqualI32 { @inline of(a: v128, b: v128): v128 { return bool(i32x4.le_s(a, b)) } }
export function step_lessEqualI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<LessEqualI32>(target, a, b, count) }

@unmanaged class EqualI32 { @inline of(a: v128, b: v128): v128 { return bool(i32x4.eq(a, b)) } }
export function step_equalI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<EqualI32>(target, a, b, count) }

@unmanaged class NotEqualI32 { @inline of(a: v128, b: v128): v128 { return bool(i32x4.ne(a, b)) } }
export function step_notEqualI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<NotEqualI32>(target, a, b, count) }

@unmanaged class LogicalAnd { @inline of(a: v128, b: v128): v128 { return v128.and(a, b) } }
export function step_logicalAnd(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<LogicalAnd>(target, a, b, count) }

@unmanaged class LogicalOr { @inline of(a: v128, b: v128): v128 { return v128.or(a, b) } }
export function step_logicalOr(target: usize, a: usize, b: usize, count: i32, c: usize): void { runShortBinary<LogicalOr>(target, a, b, count) }

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

@unmanaged class FloorDivideI32 { @inline of(a: v128, b: v128): v128 { return floorDivide(a, b) } }
export function step_floorDivideI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runBinary<FloorDivideI32>(target, a, b, count) }

@unmanaged class ModI32 { @inline of(a: v128, b: v128): v128 { return floorRemainder(a, b) } }
export function step_modI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runBinary<ModI32>(target, a, b, count) }

@unmanaged class PowerI32 { @inline of(a: v128, b: v128): v128 { return wholePower(a, b) } }
export function step_powerI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runBinary<PowerI32>(target, a, b, count) }

@unmanaged class ClipI32 { @inline of(x: v128, low: v128, high: v128): v128 { return i32x4.min_s(i32x4.max_s(x, low), high) } }
export function step_clipI32(target: usize, a: usize, b: usize, count: i32, c: usize): void { runClip<ClipI32>(target, a, b, c, count) }
