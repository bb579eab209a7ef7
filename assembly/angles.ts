// Sines, cosines and the angle of a point, on four float32 lanes: see math.ts.

import { ROUND, ROUND_F64, splat } from './math'
import { madd, nmadd, swapHalves } from './simd'

// π/2 = PI_2_HIGH + PI_2_LOW; k · PI_2_HIGH (33 bits) is exact for |k| < 2²⁰ and good far beyond
const PI_2_HIGH: f64 = 1.5707963109016418
const PI_2_LOW: f64 = 1.5893254773528197e-8
const TWO_OVER_PI: f64 = 0.6366197723675814
/** Beyond this, x mod π/2 needs more digits of π than two float64 can represent. */
const LARGE_ANGLE: f32 = 268435456.0

/** 2/π·x + ROUND: k = round(x·2/π) in the low bits. */
@inline
function quadrant(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, f64x2.splat(TWO_OVER_PI)), f64x2.splat(ROUND_F64))
}

/** x − k·π/2 for two float64. */
@inline
function reduceAngle(x: v128, shifted: v128): v128 {
  const k = f64x2.sub(shifted, f64x2.splat(ROUND_F64))
  const r = f64x2.sub(x, f64x2.mul(k, f64x2.splat(PI_2_HIGH)))
  return f64x2.sub(r, f64x2.mul(k, f64x2.splat(PI_2_LOW)))
}

/** sin(x + turn·π/2), turn = 0 or 1. Any x; NaN and ±Inf → NaN, sin −0 = −0. */
@inline
function sine(x: v128, turn: i32): v128 {
  const low = f64x2.promote_low_f32x4(x)
  const high = f64x2.promote_low_f32x4(swapHalves(x))
  const shiftedLow = quadrant(low)
  const shiftedHigh = quadrant(high)
  const r = v128.shuffle<i32>(
    f32x4.demote_f64x2_zero(reduceAngle(low, shiftedLow)),
    f32x4.demote_f64x2_zero(reduceAngle(high, shiftedHigh)),
    0, 1, 4, 5,
  )
  let k = v128.shuffle<i32>(shiftedLow, shiftedHigh, 0, 2, 4, 6)
  if (turn) k = i32x4.add(k, i32x4.splat(1))
  const z = f32x4.mul(r, r)
  // sin r = r + r³·s(r²)
  let s = madd(splat(-0.000195179062), z, splat(0.00833218731))
  s = madd(s, z, splat(-0.166666552))
  s = v128.or(madd(f32x4.mul(s, z), r, r), v128.and(r, i32x4.splat(0x80000000)))
  // cos r = 1 − r²/2 + r⁴·c(r²)
  let c = madd(splat(2.44323273e-5), z, splat(-0.00138873095))
  c = madd(c, z, splat(0.0416666456))
  c = madd(f32x4.mul(c, z), z, nmadd(z, splat(0.5), splat(1.0)))
  // k mod 4:  0 → sin r,  1 → cos r,  2 → −sin r,  3 → −cos r
  const odd = i32x4.shr_s(i32x4.shl(k, 31), 31)
  const negative = i32x4.shl(i32x4.shr_s(k, 1), 31)
  let y = v128.xor(v128.bitselect(c, s, odd), negative)
  const a = f32x4.abs(x)
  const large = v128.and(f32x4.ge(a, splat(LARGE_ANGLE)), f32x4.lt(a, splat(Infinity)))
  if (v128.any_true(large)) y = v128.bitselect(sineLarge(x, turn), y, large)
  return y
}

/** sin x. 1.6 / 1.6 ulp for any x. */
@inline
export function sin(x: v128): v128 {
  return sine(x, 0)
}

/** cos x. 1.6 / 1.6 ulp for any x. */
@inline
export function cos(x: v128): v128 {
  return sine(x, 1)
}

/** Sixty-four bits of 2/π = 0.A2F9836E…₁₆, from bit 64·word on. */
function twoOverPi(word: i32): u64 {
  if (word == 0) return 0xa2f9836e4e441529
  if (word == 1) return 0xfc2757d1f534ddc0
  if (word == 2) return 0xdb6295993c439041
  return 0xfe5163abdebbc561
}

/** `sine` of one |x| ≥ 2²⁸, by Payne and Hanek's reduction in fixed point. */
function sineLargeLane(bits: u32, turn: i32): f32 {
  // |x| = m·2ᵉ, 5 ≤ e ≤ 104. Bits of 2/π that give multiples of 4 after the shift are dropped.
  const m = <u64>(bits & 0x7fffff | 0x800000)
  const start = <i32>(bits >>> 23 & 255) - 152
  const word = start >> 6
  const shift = <u64>(start & 63)
  const w0 = twoOverPi(word)
  const w1 = twoOverPi(word + 1)
  const w2 = twoOverPi(word + 2)
  const high = shift ? w0 << shift | w1 >> (64 - shift) : w0
  const low = shift ? w1 << shift | w2 >> (64 - shift) : w1
  // two bits before the binary point, 62 after it
  const product = m * high + (m * (low >> 32) >> 32)
  const k = <i32>(product + 0x2000000000000000 >> 62)
  const r = <f64>(<i64>(product - (<u64>k << 62))) * 3.4061215800865545e-19
  // sin(−x) = −sin x: the quarter turn is added after the sign
  const negative = <i32>(bits >>> 31)
  const quarter = (negative ? -k : k) + turn
  const angle = negative ? -r : r
  const z = angle * angle
  const y = quarter & 1
    ? 1.0 + z * (-0.5 + z * (0.041666666666 + z * (-0.001388888 + z * (2.4801e-5 - z * 2.755e-7))))
    : angle * (1.0 + z * (-0.1666666666666 + z * (0.00833333333 + z * (-0.000198412 + z * 2.7556e-6))))
  return <f32>(quarter & 2 ? -y : y)
}

function sineLarge(x: v128, turn: i32): v128 {
  return f32x4(
    sineLargeLane(i32x4.extract_lane(x, 0), turn),
    sineLargeLane(i32x4.extract_lane(x, 1), turn),
    sineLargeLane(i32x4.extract_lane(x, 2), turn),
    sineLargeLane(i32x4.extract_lane(x, 3), turn),
  )
}

/** The angle of the point (x, y) in [−π, π], signed as y; zeros and infinities as C's atan2f. NaN → NaN. 3.2 / 3.1 ulp. */
@inline
export function arctan2(y: v128, x: v128): v128 {
  const one = splat(1.0)
  const low = f32x4.min(f32x4.abs(x), f32x4.abs(y))
  const high = f32x4.max(f32x4.abs(x), f32x4.abs(y))
  // 0/0 counts as 0, Inf/Inf as 1
  const diagonal = v128.and(one, f32x4.gt(high, splat(0.0)))
  const t = v128.bitselect(diagonal, f32x4.div(low, high), f32x4.eq(low, high))
  // tan(π/8) < t ≤ 1: π/4 + arctan((t − 1)/(t + 1)). Polynomial of Cephes's atanf
  const isUpper = f32x4.gt(t, splat(0.414213568))
  const r = v128.bitselect(f32x4.div(f32x4.sub(t, one), f32x4.add(t, one)), t, isUpper)
  const z = f32x4.mul(r, r)
  let p = madd(splat(0.0805374458), z, splat(-0.138776854))
  p = madd(p, z, splat(0.199777111))
  p = madd(p, z, splat(-0.333329499))
  let angle = madd(f32x4.mul(p, z), r, r)
  angle = v128.bitselect(f32x4.add(angle, splat(0.785398185)), angle, isUpper)
  angle = v128.bitselect(f32x4.sub(splat(1.57079637), angle), angle, f32x4.gt(f32x4.abs(y), f32x4.abs(x)))
  // also for −0
  angle = v128.bitselect(f32x4.sub(splat(3.14159274), angle), angle, i32x4.shr_s(x, 31))
  return v128.or(angle, v128.and(y, i32x4.splat(0x80000000)))
}
