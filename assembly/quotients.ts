// Floors of quotients and their remainders, on four float32 lanes: see math.ts.

import { splat, withSignOf } from './math'
import { swapHalves } from './simd'

/** A quotient up to which x − ⌊x/y⌋·y is exact in float64, and so is each step of `reduceLarge`. */
const LARGE_QUOTIENT: f64 = 268435456.0

/** ⌊x/y⌋ of two float64. */
@inline
function floorQuotient_f64(x: v128, y: v128): v128 {
  return f64x2.floor(f64x2.div(x, y))
}

/** The remainder of x by y·2²⁸, with the sign of x, of two float64 that are float32: so is the remainder of every step. */
function reduceLarge(x: v128, y: v128): v128 {
  for (let scale: f64 = 7.237005577332262e75; scale > 1; scale /= LARGE_QUOTIENT) {
    const s = f64x2.mul(y, f64x2.splat(scale))
    x = f64x2.sub(x, f64x2.mul(f64x2.trunc(f64x2.div(x, s)), s))
  }
  return x
}

/** x − ⌊x/y⌋·y of two float64 that are float32. */
@inline
function modulo_f64(x: v128, y: v128): v128 {
  return f64x2.sub(x, f64x2.mul(floorQuotient_f64(x, y), y))
}

/** x, or a smaller number with the same remainder by y, for which modulo_f64 is exact. */
@inline
function nearModulo(x: v128, y: v128): v128 {
  return v128.shuffle<i32>(
    f32x4.demote_f64x2_zero(reduceLarge(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y))),
    f32x4.demote_f64x2_zero(
      reduceLarge(f64x2.promote_low_f32x4(swapHalves(x)), f64x2.promote_low_f32x4(swapHalves(y))),
    ),
    0, 1, 4, 5,
  )
}

/** Whether quotients are too large for `modulo`. */
@inline
export function hasLargeQuotient(x: v128, y: v128): bool {
  return v128.any_true(f32x4.ge(f32x4.abs(x), f32x4.mul(f32x4.abs(y), splat(<f32>LARGE_QUOTIENT))))
}

/** `modulo` for quotients of every size. */
@inline
export function moduloOfAny(x: v128, y: v128): v128 {
  return moduloOfAnyLanes(x, y)
}

function moduloOfAnyLanes(x: v128, y: v128): v128 {
  return moduloOf(x, hasLargeQuotient(x, y) ? nearModulo(x, y) : x, y)
}

/**
 * x − ⌊x/y⌋·y, with the sign of y, for quotients below 2²⁸. Exact, except that y + x is rounded for a small x whose sign is not
 * y's. y = 0, x = ±Inf or NaN → NaN; y = ±Inf: x, or y where the signs differ. A zero has the sign of y.
 */
@inline
export function modulo(x: v128, y: v128): v128 {
  return moduloOf(x, x, y)
}

/** `modulo` of x, which has the same remainder by y as `near`. */
@inline
function moduloOf(x: v128, near: v128, y: v128): v128 {
  const r = v128.shuffle<i32>(
    f32x4.demote_f64x2_zero(modulo_f64(f64x2.promote_low_f32x4(near), f64x2.promote_low_f32x4(y))),
    f32x4.demote_f64x2_zero(
      modulo_f64(f64x2.promote_low_f32x4(swapHalves(near)), f64x2.promote_low_f32x4(swapHalves(y))),
    ),
    0, 1, 4, 5,
  )
  const infinity = splat(Infinity)
  const endless = v128.and(f32x4.eq(f32x4.abs(y), infinity), f32x4.lt(f32x4.abs(x), infinity))
  const keeps = v128.or(i32x4.ge_s(v128.xor(x, y), i32x4.splat(0)), f32x4.eq(x, splat(0.0)))
  const rest = v128.bitselect(v128.bitselect(x, y, keeps), r, endless)
  return v128.bitselect(withSignOf(rest, y), rest, f32x4.eq(rest, splat(0.0)))
}

/** Whether ⌊q⌋ is certainly the floor of the exact quotient: rounding cannot have moved q across an integer. */
@inline
export function isFarFromWhole(q: v128): bool {
  const distance = f32x4.abs(f32x4.sub(q, f32x4.nearest(q)))
  return i32x4.all_true(f32x4.gt(distance, f32x4.mul(f32x4.abs(q), splat(1.1920929e-7))))
}

/**
 * ⌊x/y⌋, rounded once where it has more than 24 bits. As NumPy's floor_divide: x/0 → ±Inf, 0/0 → NaN; x = ±Inf → NaN; y = ±Inf:
 * ±0, or −1 where the signs differ.
 */
@inline
export function floorQuotient(x: v128, y: v128): v128 {
  return floorQuotientLanes(x, y)
}

function floorQuotientLanes(x: v128, y: v128): v128 {
  const zero = splat(0.0)
  const q = v128.shuffle<i32>(
    f32x4.demote_f64x2_zero(floorQuotient_f64(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y))),
    f32x4.demote_f64x2_zero(
      floorQuotient_f64(f64x2.promote_low_f32x4(swapHalves(x)), f64x2.promote_low_f32x4(swapHalves(y))),
    ),
    0, 1, 4, 5,
  )
  // a quotient below 0 that rounds to −0: y is infinite
  const isBelow = v128.and(i32x4.lt_s(v128.xor(x, y), i32x4.splat(0)), f32x4.ne(x, zero))
  const whole = v128.bitselect(splat(-1.0), q, v128.and(isBelow, f32x4.eq(q, zero)))
  return v128.or(whole, v128.and(f32x4.eq(f32x4.abs(x), splat(Infinity)), f32x4.ne(y, zero)))
}
