// Elementary functions on four float32 lanes. No memory access: the loops are in kernels/.
// Polynomials are minimax fits of the formula above them. "ulp" is the largest error against float64 that a sweep over
// every 61st float32 found (erf, erfInv: every 1511th; power, modulo: random pairs), without / with FMA.
//
// The polynomials of exp, log and softplus are summed in pairs, pairs of pairs and so on (Estrin), not term after term
// (Horner): latency, not throughput, limits the loops, and Estrin's dependency chains are shorter.

import { LEAST_FACTOR } from './shared/vanishing'
import { madd, madd_f64, nmadd, rectified, swapHalves } from './simd'

// ln 2 = LN2_HIGH + LN2_LOW; n · LN2_HIGH is exact for |n| < 256
const LN2_HIGH: f32 = 0.693145751953125
const LN2_LOW: f32 = 1.428606765330187e-6
const LOG2_E: f32 = 1.4426950408889634
/** ln LEAST_FACTOR, a little above. */
const LOG_LEAST_FACTOR: f32 = -43.668
/** 1.5 · 2²³: adding it rounds to an integer, which is then in the low bits. */
const ROUND: f32 = 12582912.0
/** The exponent field of 1: 2ⁿ is the number with the bits (n + EXPONENT_OF_ONE) << 23. */
const EXPONENT_OF_ONE: f32 = 127.0
/** 1.5 · 2⁵², likewise for float64. */
const ROUND_F64: f64 = 6755399441055744.0

@inline
function splat(x: f32): v128 {
  return f32x4.splat(x)
}

/** x with its sign replaced by that of `sign`. */
@inline
function withSignOf(x: v128, sign: v128): v128 {
  return v128.bitselect(sign, x, i32x4.splat(0x80000000))
}

/** −|x| */
@inline
function negativeAbs(x: v128): v128 {
  return v128.or(x, i32x4.splat(0x80000000))
}

/** e^r − 1 = r + r²·q(r), |r| ≤ ln2 / 2. */
@inline
function expm1Polynomial(r: v128): v128 {
  const r2 = f32x4.mul(r, r)
  const low = madd(splat(0.166665465), r, splat(0.49999997))
  const high = madd(splat(0.00138706574), r2, madd(splat(0.00836626161), r, splat(0.0416674353)))
  return madd(madd(high, r2, low), r2, r)
}

// x = n·ln2 + r,  e^x = 2ⁿ·e^r; 2ⁿ in two factors, so that n = 128 and denormal results come out right

/** x · log₂e rounded to n; the integer n + round − ROUND is in the low bits. */
@inline
function shiftedExponent(x: v128, round: f32): v128 {
  return madd(x, splat(LOG2_E), splat(round))
}

/** e^r for the remainder r of x. */
@inline
function expOfRest(x: v128, shifted: v128, round: f32): v128 {
  const n = f32x4.sub(shifted, splat(round))
  const r = nmadd(n, splat(LN2_LOW), nmadd(n, splat(LN2_HIGH), x))
  return f32x4.add(expm1Polynomial(r), splat(1.0))
}

/** e^x for x already clamped to [−104, 89], or NaN. */
@inline
function expClamped(x: v128): v128 {
  const shifted = shiftedExponent(x, ROUND)
  const p = expOfRest(x, shifted, ROUND)
  const bits = i32x4.sub(shifted, i32x4.splat(0x4b400000))
  const half = i32x4.shr_s(bits, 1)
  const one = i32x4.splat(0x3f800000)
  const scale1 = i32x4.add(i32x4.shl(half, 23), one)
  const scale2 = i32x4.add(i32x4.shl(i32x4.sub(bits, half), 23), one)
  return f32x4.mul(f32x4.mul(p, scale1), scale2)
}

/** From here on, e^x is 0. */
export const LOG_LEAST: f32 = -104.0
/** From here on, e^x is denormal. */
export const LOG_LEAST_NORMAL: f32 = -87.0

/**
 * e^x, and e^least below `least`: with LOG_LEAST, denormal results are kept, and −Inf → 0; with LOG_LEAST_NORMAL there are none.
 * NaN → NaN, x > 88.7228 → Inf. 1.2 / 0.9 ulp.
 */
@inline
export function exp(x: v128, least: v128): v128 {
  return expClamped(f32x4.pmax(f32x4.pmin(x, splat(89.0)), least))
}

/** Whether any |x| is above 87, or NaN, so that `expModerate` cannot take it. Compares bits: those of |x| grow with it. */
@inline
export function isImmoderate(x0: v128, x1: v128): bool {
  const bits = i32x4.splat(0x7fffffff)
  return v128.any_true(i32x4.gt_s(i32x4.max_s(v128.and(x0, bits), v128.and(x1, bits)), splat(87.0)))
}

/** e^x for |x| ≤ 87, with the bits of `exp`: a normal number, to whose exponent n is added. */
@inline
export function expModerate(x: v128): v128 {
  const shifted = shiftedExponent(x, ROUND)
  return i32x4.add(expOfRest(x, shifted, ROUND), i32x4.shl(shifted, 23))
}

/** 2⁻⁶⁴ */
const UNSCALE: f32 = 5.421010862427522e-20

/** 2⁶⁴·e^x for x in [−130, 0]: a normal number with full precision, also where e^x is denormal. Accurate like exp. */
@inline
function expScaled(x: v128): v128 {
  const shifted = shiftedExponent(x, ROUND)
  const scale = i32x4.shl(i32x4.sub(shifted, i32x4.splat(0x4b400000 - 64 - 127)), 23)
  return f32x4.mul(expOfRest(x, shifted, ROUND), scale)
}

/** e^x for x ≤ 0. as exp. */
@inline
export function expNegative(x: v128, least: v128): v128 {
  return f32x4.mul(expScaled(f32x4.pmax(x, least)), splat(UNSCALE))
}

/**
 * e^x for x ≤ 0, but 0 below −87.3, so that no result is denormal: processors are many times slower on those. Below, the
 * product is any number, which the last step removes. as exp.
 */
@inline
export function expFlushed(x: v128): v128 {
  const round: f32 = ROUND + EXPONENT_OF_ONE
  const shifted = shiftedExponent(x, round)
  return v128.andnot(f32x4.mul(expOfRest(x, shifted, round), i32x4.shl(shifted, 23)), f32x4.lt(x, splat(-87.3)))
}

/**
 * e^x for x ≤ 0, but 0 where it is below LEAST_FACTOR: for factors of products. as exp.
 */
@inline
export function expFactor(x: v128): v128 {
  const round: f32 = ROUND + EXPONENT_OF_ONE
  const shifted = shiftedExponent(x, round)
  return v128.andnot(f32x4.mul(expOfRest(x, shifted, round), i32x4.shl(shifted, 23)), f32x4.lt(x, splat(LOG_LEAST_FACTOR)))
}

/** e^(−t²/2) for 0 ≤ t ≤ 14, flushed as expFlushed. t² is split in two, since its rounding would count t²/2 times. 1.8 ulp. */
@inline
function gaussian(t: v128): v128 {
  // a multiple of 2⁻⁸, whose square is exact
  const first = f32x4.sub(f32x4.add(t, splat(49152.0)), splat(49152.0))
  const high = f32x4.mul(f32x4.mul(first, first), splat(-0.5))
  const round: f32 = ROUND + EXPONENT_OF_ONE
  const shifted = shiftedExponent(high, round)
  const n = f32x4.sub(shifted, splat(round))
  // t² = first² + (t − first)·(t + first)
  const rest = f32x4.mul(f32x4.sub(first, t), splat(0.5))
  const r = madd(rest, f32x4.add(first, t), nmadd(n, splat(LN2_LOW), nmadd(n, splat(LN2_HIGH), high)))
  const p = f32x4.add(expm1Polynomial(r), splat(1.0))
  return v128.andnot(f32x4.mul(p, i32x4.shl(shifted, 23)), f32x4.lt(high, splat(-87.3)))
}

/** e^x − 1. NaN → NaN, −0 → −0, −Inf → −1. 1.7 / 1.6 ulp. */
@inline
export function expm1(x: v128): v128 {
  // x = n·ln2 + r,  t = e^r − 1,  e^x − 1 = 2·(2ⁿ⁻¹·t + (2ⁿ⁻¹ − ½))
  const c = f32x4.pmax(f32x4.pmin(x, splat(89.0)), splat(-25.0))
  const shifted = madd(c, splat(LOG2_E), splat(ROUND))
  const n = f32x4.sub(shifted, splat(ROUND))
  const r = nmadd(n, splat(LN2_LOW), nmadd(n, splat(LN2_HIGH), c))
  const t = expm1Polynomial(r)
  const half = i32x4.add(i32x4.shl(i32x4.sub(shifted, i32x4.splat(0x4b400001)), 23), i32x4.splat(0x3f800000))
  const y = madd(half, t, f32x4.sub(half, splat(0.5)))
  return withSignOf(f32x4.add(y, y), x)
}

/** log(1 + f) + n·ln2 + c for 1 + f in [√½, √2), c tiny. */
@inline
function logPolynomial(f: v128, n: v128, c: v128): v128 {
  // log(1 + f) = f − f²/2 + f³·p(f)
  const f2 = f32x4.mul(f, f)
  const low = madd(madd(splat(-0.166234091), f, splat(0.200012416)), f2, madd(splat(-0.250008196), f, splat(0.333333313)))
  const high = madd(madd(splat(-0.0763643906), f, splat(0.127622172)), f2, madd(splat(-0.131596103), f, splat(0.1420158)))
  const p = madd(high, f32x4.mul(f2, f2), low)
  let y = madd(f32x4.mul(p, f2), f, c)
  y = madd(n, splat(LN2_LOW), y)
  y = nmadd(f2, splat(0.5), y)
  return madd(n, splat(LN2_HIGH), f32x4.add(f, y))
}

// The bits of a positive normal x = 2ⁿ·m, m in [√½, √2), after subtraction of the bits of √½:
@inline
function offsetBits(x: v128): v128 {
  return i32x4.sub(x, i32x4.splat(0x3f3504f3))
}

@inline
function exponent(offset: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.shr_s(offset, 23))
}

@inline
function mantissa(offset: v128): v128 {
  return i32x4.add(v128.and(offset, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3))
}

/** y where 0 < x < Inf, else the logarithm's special values: ±0 → −Inf, Inf → Inf, below zero and NaN → NaN. */
@inline
function logSpecial(y: v128, x: v128): v128 {
  const infinity = splat(Infinity)
  const zero = splat(0.0)
  const atZero = f32x4.eq(x, zero)
  const atInfinity = f32x4.eq(x, infinity)
  const isNaN = v128.or(f32x4.lt(x, zero), f32x4.ne(x, x))
  // y − 0 is y, −0 included
  const less = v128.or(v128.and(atZero, infinity), v128.and(atInfinity, f32x4.neg(infinity)))
  return v128.or(f32x4.sub(v128.andnot(y, v128.or(atZero, atInfinity)), less), isNaN)
}

/** ln x. ±0 → −Inf, x < 0 → NaN, NaN → NaN, Inf → Inf, denormals exact. 0.9 / 0.9 ulp. */
@inline
export function log(x: v128): v128 {
  const tiny = f32x4.lt(x, splat(1.17549435e-38))
  const offset = offsetBits(v128.bitselect(f32x4.mul(x, splat(8388608.0)), x, tiny))
  const n = f32x4.sub(exponent(offset), v128.and(tiny, splat(23.0)))
  return logSpecial(logPolynomial(f32x4.sub(mantissa(offset), splat(1.0)), n, splat(0.0)), x)
}

/** ln(1 + x) without the special cases, for −1 < x < Inf. */
@inline
function log1pOrdinary(x: v128): v128 {
  // u = 1 + x rounded, ln(1 + x) = ln u + (the rounding error) / u
  const u = f32x4.add(x, splat(1.0))
  const big = f32x4.gt(u, splat(2.0))
  const lostBig = f32x4.sub(splat(1.0), f32x4.sub(u, x))
  const lostSmall = f32x4.sub(x, f32x4.sub(u, splat(1.0)))
  const c = f32x4.div(v128.bitselect(lostBig, lostSmall, big), u)
  const offset = offsetBits(u)
  return logPolynomial(f32x4.sub(mantissa(offset), splat(1.0)), exponent(offset), c)
}

/** ln(1 + x). −1 → −Inf, x < −1 → NaN, NaN → NaN, Inf → Inf, −0 → −0. 0.9 / 0.9 ulp. */
@inline
export function log1p(x: v128): v128 {
  return logSpecial(withSignOf(log1pOrdinary(x), x), f32x4.add(x, splat(1.0)))
}

/** tanh x = x·P(x²)/Q(x²). NaN → NaN, −0 → −0, |y| ≤ 1 always. 5.9 / 5.5 ulp. */
@inline
export function tanh(x: v128): v128 {
  const c = tanhLimited(x)
  return tanhOf(c, f32x4.mul(c, c))
}

/** tanh x, 0 below LEAST_FACTOR; none of its steps has a denormal result. as tanh. */
@inline
export function tanhFactor(x: v128): v128 {
  const c = tanhLimited(x)
  const size = f32x4.abs(c)
  // below 2⁻²⁰, x² changes nothing
  const visible = f32x4.pmax(size, splat(9.5367431640625e-7))
  return v128.andnot(tanhOf(c, f32x4.mul(visible, visible)), f32x4.lt(size, splat(<f32>LEAST_FACTOR)))
}

@inline
function tanhLimited(x: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, splat(8.6)), splat(-8.6))
}

@inline
function tanhOf(c: v128, z: v128): v128 {
  let p = madd(splat(1.54279753e-8), z, splat(2.20232469e-5))
  p = madd(p, z, splat(0.00357899209))
  p = madd(p, z, splat(0.134506211))
  p = madd(p, z, splat(1.0))
  let q = madd(splat(8.59878128e-7), z, splat(0.000342365063))
  q = madd(q, z, splat(0.0261922386))
  q = madd(q, z, splat(0.467839479))
  q = madd(q, z, splat(1.0))
  const y = f32x4.div(f32x4.mul(c, p), q)
  return f32x4.pmax(f32x4.pmin(y, splat(1.0)), splat(-1.0))
}

/**
 * σ(x) = 2⁻⁶⁴/(2⁻⁶⁴ + 2⁻⁶⁴·e^−x): the factor keeps e^−x finite where σ(x) is denormal. NaN → NaN. 2.5 / 2.5 ulp.
 */
@inline
export function sigmoid(x: v128): v128 {
  return sigmoidFrom(x, -104.0)
}

/** σ(x) for x above `least`. */
@inline
function sigmoidFrom(x: v128, least: f32): v128 {
  // above 30, σ(x) is 1
  const c = f32x4.pmax(f32x4.pmin(x, splat(30.0)), splat(least))
  // −x = n·ln2 − r; the low bits of `shifted` are the exponent field of 2ⁿ⁻⁶⁴
  const shifted = nmadd(c, splat(LOG2_E), splat(ROUND + 63.0))
  const n = f32x4.sub(shifted, splat(ROUND + 63.0))
  const r = madd(n, splat(LN2_LOW), madd(n, splat(LN2_HIGH), c))
  // e^−r: expm1Polynomial of −r
  const r2 = f32x4.mul(r, r)
  const low = nmadd(splat(0.166665465), r, splat(0.49999997))
  const high = madd(splat(0.00138706574), r2, nmadd(splat(0.00836626161), r, splat(0.0416674353)))
  const p = f32x4.sub(splat(1.0), nmadd(madd(high, r2, low), r2, r))
  const unit = splat(UNSCALE)
  return f32x4.div(unit, madd(p, i32x4.shl(shifted, 23), unit))
}

/** σ(x), 0 below LEAST_FACTOR; none of its steps has a denormal result. as sigmoid. */
@inline
export function sigmoidFactor(x: v128): v128 {
  return rectified(sigmoidFrom(x, -44.0), splat(<f32>LEAST_FACTOR))
}

/** tanh(ln(1 + e^x)) = n/(n + 2), n = e^x (e^x + 2), through e = e^−|x|, `least` as in exp. NaN → NaN. 3 ulp. */
@inline
export function tanhSoftplus(x: v128, least: v128): v128 {
  const e = expNegative(negativeAbs(x), least)
  const r = withSquare(e)
  const square = f32x4.mul(r, r)
  const twice = f32x4.add(e, e)
  const isNegative = f32x4.lt(x, splat(0.0))
  // x < 0: n/(n + 2), else the same over e^2x: (1 + 2e)/(1 + 2e + 2e²)
  const above = f32x4.add(twice, v128.bitselect(square, splat(1.0), isNegative))
  const below = f32x4.add(above, v128.bitselect(splat(2.0), f32x4.add(square, square), isNegative))
  return f32x4.div(above, below)
}

/** Below this, a gate such as σ(x) or tanh(ln(1 + e^x)) is e^x and nearly denormal, but x·e^x is not yet. */
const GATE_TAIL: f32 = -87.0

/** Whether any x is below GATE_TAIL, so that `gatedTail` is needed; also for −NaN. Compares bits: those of negative floats grow with |x|. */
@inline
export function hasGatedTail(x0: v128, x1: v128, x2: v128, x3: v128): bool {
  const furthest = i32x4.max_u(i32x4.max_u(x0, x1), i32x4.max_u(x2, x3))
  return v128.any_true(i32x4.gt_u(furthest, splat(GATE_TAIL)))
}

/** x·e^x for x < −87, y elsewhere. −Inf → −0. 1.8 ulp. */
@inline
export function gatedTail(x: v128, y: v128): v128 {
  return gatedTailLanes(x, y)
}

function gatedTailLanes(x: v128, y: v128): v128 {
  const c = f32x4.pmin(f32x4.pmax(x, splat(-120.0)), splat(0.0))
  return v128.bitselect(f32x4.mul(f32x4.mul(c, expScaled(c)), splat(UNSCALE)), y, f32x4.lt(x, splat(GATE_TAIL)))
}

// −v = −√(8/π) (x + 0.044715 x³)
const GELU_LINEAR: f64 = -1.5957691216057308
const GELU_CUBIC: f64 = -0.07135481627260025
const LOG2_E_F64: f64 = 1.4426950408889634
const LN2_F64: f64 = 0.6931471805599453

/** −v of two float64 x. */
@inline
function geluExponent(x: v128): v128 {
  return f64x2.mul(x, f64x2.add(f64x2.mul(f64x2.mul(x, x), f64x2.splat(GELU_CUBIC)), f64x2.splat(GELU_LINEAR)))
}

/** v·log₂e rounded to an integer n, which is in the low bits of the result. */
@inline
function shiftedExponent_f64(v: v128): v128 {
  return f64x2.add(f64x2.mul(v, f64x2.splat(LOG2_E_F64)), f64x2.splat(ROUND_F64))
}

/** v − n·ln2 */
@inline
function restOfExponent_f64(v: v128, shifted: v128): v128 {
  return f64x2.sub(v, f64x2.mul(f64x2.sub(shifted, f64x2.splat(ROUND_F64)), f64x2.splat(LN2_F64)))
}

/**
 * ½x (1 + tanh(√(2/π) (x + 0.044715 x³))) = x·σ(v), with the exponent v in float64: as a float32, v near −88 would be rounded by
 * 4e-6. NaN → NaN, −0 → −0, −Inf → −0, denormal results kept. 3 ulp.
 */
@inline
export function geluTanh(x: v128): v128 {
  const one = splat(1.0)
  // 2⁶⁴ e^−|v|, of |x| limited to where x·σ(v) is 0 or x
  const t = f32x4.pmin(f32x4.abs(x), splat(10.9))
  const low = geluExponent(f64x2.promote_low_f32x4(t))
  const high = geluExponent(f64x2.promote_low_f32x4(swapHalves(t)))
  const shiftedLow = shiftedExponent_f64(low)
  const shiftedHigh = shiftedExponent_f64(high)
  const r = v128.shuffle<i32>(
    f32x4.demote_f64x2_zero(restOfExponent_f64(low, shiftedLow)),
    f32x4.demote_f64x2_zero(restOfExponent_f64(high, shiftedHigh)),
    0, 1, 4, 5,
  )
  const n = v128.shuffle<i32>(shiftedLow, shiftedHigh, 0, 2, 4, 6)
  const scale = i32x4.shl(i32x4.add(n, i32x4.splat(64 + 127)), 23)
  const scaled = f32x4.mul(f32x4.add(expm1Polynomial(r), one), scale)
  // x/(1 + e) or x·e/(1 + e)
  const isNegative = f32x4.lt(x, splat(0.0))
  const y = f32x4.div(
    f32x4.mul(f32x4.pmax(x, splat(-10.9)), v128.bitselect(scaled, one, isNegative)),
    f32x4.add(f32x4.mul(scaled, splat(UNSCALE)), one),
  )
  return f32x4.mul(y, v128.bitselect(splat(UNSCALE), one, isNegative))
}

/** e ≥ 0 where e + e² differs from e, else 0, so that no power of it is denormal. */
@inline
function withSquare(e: v128): v128 {
  return v128.and(e, f32x4.gt(e, splat(9.313225746154785e-10)))
}

/** ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|), `least` as in exp. NaN → NaN. 2.3 / 1.9 ulp. */
@inline
export function softplus(x: v128, least: v128): v128 {
  const e = expNegative(negativeAbs(x), least)
  // ln(1 + e) = e + e²·p(e) on [0, 1]
  const r = withSquare(e)
  const e2 = f32x4.mul(r, r)
  const e4 = f32x4.mul(e2, e2)
  const low = madd(madd(splat(0.196921214), r, splat(-0.249580204)), e2, madd(splat(0.333304644), r, splat(-0.499999315)))
  const high = madd(madd(splat(0.0200884603), r, splat(-0.0574604832)), e2, madd(splat(0.106613711), r, splat(-0.153449774)))
  const p = madd(madd(splat(-0.00329107419), e4, high), e4, low)
  const positive = v128.andnot(x, f32x4.lt(x, splat(0.0)))
  return f32x4.add(positive, madd(p, e2, e))
}

/** The error function. NaN → NaN, −0 → −0, ±Inf → ±1. 1.2 / 1.0 ulp. */
@inline
export function erf(x: v128): v128 {
  const t = f32x4.pmin(f32x4.abs(x), splat(4.0))
  // |x| ≤ 0.921875: erf x = x + x·p(x²)
  const z = f32x4.mul(x, x)
  let p = madd(splat(-0.000599441002), z, splat(0.00499402592))
  p = madd(p, z, splat(-0.0267673451))
  p = madd(p, z, splat(0.112818435))
  p = madd(p, z, splat(-0.376124978))
  p = madd(p, z, splat(0.128379151))
  const near = madd(p, x, x)
  // beyond: erf t = 1 − e^−(t + t·q(t)), and 1 from 3.92 on
  let q = madd(splat(-0.000213925989), t, splat(0.00321446196))
  q = madd(q, t, splat(-0.0228883605))
  q = madd(q, t, splat(0.105259314))
  q = madd(q, t, splat(0.635720253))
  q = madd(q, t, splat(0.128513783))
  const far = f32x4.sub(splat(1.0), expClamped(f32x4.neg(madd(q, t, t))))
  return withSignOf(v128.bitselect(far, near, f32x4.gt(t, splat(0.921875))), x)
}

/**
 * ½ erfc(t/√2) · e^(t²/2) · (1 + t/2) for 0 ≤ t ≤ 14, as a polynomial in x = 1/(1 + t/2) − 5/8: the factor of
 * e^(−t²/2)/(1 + t/2) that gives Φ(−t). Summed like the polynomial of exp.
 */
@inline
function tailPolynomial(x: v128): v128 {
  const x2 = f32x4.mul(x, x)
  const x4 = f32x4.mul(x2, x2)
  const p01 = madd(splat(0.3390079140663147), x, splat(0.3782447278499603))
  const p23 = madd(splat(-0.13463662564754486), x, splat(0.004013861995190382))
  const p45 = madd(splat(0.05375545099377632), x, splat(0.04711563140153885))
  const p67 = madd(splat(0.02180316671729088), x, splat(-0.07258401066064835))
  const p89 = madd(splat(-0.05454651638865471), x, splat(0.05491608753800392))
  const high = madd(madd(madd(splat(-0.03478521108627319), x2, p89), x4, madd(p67, x2, p45)), x4, f32x4.mul(p23, x2))
  return f32x4.add(p01, high)
}

/**
 * x·Φ(x) = max(x, 0) − |x|·Φ(−|x|), Φ the normal distribution function. NaN → NaN, −0 → −0, −Inf → 0; 0 from −13.2 on, a little
 * before results are denormal. 4.7 ulp.
 */
@inline
export function gelu(x: v128): v128 {
  const t = f32x4.pmin(f32x4.abs(x), splat(14.0))
  const w = f32x4.div(t, madd(splat(0.5), t, splat(1.0)))
  const tail = f32x4.mul(f32x4.mul(w, gaussian(t)), tailPolynomial(nmadd(splat(0.5), w, splat(0.375))))
  return f32x4.sub(f32x4.pmax(x, splat(0.0)), tail)
}

/** From here on, the rational function of geluGradient is ½ to the last bit, with and without FMA. */
const GELU_SLOPE_END: f32 = 5.7383

/**
 * d gelu(x) dy = (Φ(x) + x·φ(x)) dy, φ the normal density: ½ + x·p(x²)/q(x²), without an exponential. An error of 3.4e-7 · dy,
 * none for |x| ≥ 5.74.
 */
@inline
export function geluGradient(x: v128, dy: v128): v128 {
  const t = f32x4.pmax(f32x4.pmin(x, splat(GELU_SLOPE_END)), splat(-GELU_SLOPE_END))
  const z = f32x4.mul(t, t)
  let p = madd(splat(1.9290145303330064e-7), z, splat(3.5953937185695395e-5))
  let q = madd(splat(8.9515242507332e-6), z, splat(0.00019204053387511522))
  p = madd(p, z, splat(1.9250112018198706e-5))
  q = madd(q, z, splat(0.003523044753819704))
  p = madd(p, z, splat(0.014230125583708286))
  q = madd(q, z, splat(0.04098055139183998))
  p = madd(p, z, splat(-0.030994540080428123))
  q = madd(q, z, splat(0.29449567198753357))
  p = madd(p, z, splat(0.7978853583335876))
  q = madd(q, z, splat(1.0))
  return f32x4.mul(dy, f32x4.add(f32x4.div(f32x4.mul(t, p), q), splat(0.5)))
}

/**
 * The inverse of erf: x·p(ln(1 − x²)). ±1 → ±Inf, |x| > 1 or NaN → NaN, −0 → −0. 2.5 / 2.4 ulp.
 */
@inline
export function erfInv(x: v128): v128 {
  const a = f32x4.abs(x)
  const one = splat(1.0)
  const t = log(f32x4.mul(f32x4.sub(one, a), f32x4.add(one, a)))
  // −6 ≤ t ≤ 0
  let near = madd(splat(5.84345416e-9), t, splat(1.53465649e-7))
  near = madd(near, t, splat(1.33400226e-6))
  near = madd(near, t, splat(7.07887978e-7))
  near = madd(near, t, splat(-5.42234993e-5))
  near = madd(near, t, splat(-0.000144042118))
  near = madd(near, t, splat(0.00231857039))
  near = madd(near, t, splat(0.0115413349))
  near = madd(near, t, splat(-0.232015073))
  near = madd(near, t, splat(0.886226892))
  // −16.3 ≤ t < −6, in powers of t + 11: those of t would almost cancel each other
  const c = f32x4.add(t, splat(11.0))
  let far = madd(splat(3.16249443e-10), c, splat(2.62289457e-9))
  far = madd(far, c, splat(-8.11855383e-9))
  far = madd(far, c, splat(-3.32574814e-7))
  far = madd(far, c, splat(-6.83136523e-6))
  far = madd(far, c, splat(-0.000140772361))
  far = madd(far, c, splat(-0.00334027526))
  far = madd(far, c, splat(-0.151649743))
  far = madd(far, c, splat(3.15088367))
  return f32x4.mul(x, v128.bitselect(far, near, f32x4.lt(t, splat(-6.0))))
}

/** 1/√x: two correctly rounded operations. −0 → −Inf, x < 0 → NaN. 1.5 / 1.5 ulp. */
@inline
export function rsqrt(x: v128): v128 {
  return f32x4.div(splat(1.0), f32x4.sqrt(x))
}

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

/** |x|^y of two positive float64 x = 2ⁿ·m given as n and m: 2^(y·(n + log2 m)). */
@inline
function powerPositive(n: v128, m: v128, y: v128): v128 {
  // log2 m = f·(2/ln2)·(1 + z/3 + z²/5 + …),  f = (m − 1)/(m + 1),  z = f² ≤ 0.0295
  const one = f64x2.splat(1.0)
  const f = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one))
  const z = f64x2.mul(f, f)
  let p = madd_f64(f64x2.splat(0.22195308321368667), z, f64x2.splat(0.2623081892525388))
  p = madd_f64(p, z, f64x2.splat(0.3205988979753252))
  p = madd_f64(p, z, f64x2.splat(0.4121985831111324))
  p = madd_f64(p, z, f64x2.splat(0.5770780163555853))
  p = madd_f64(p, z, f64x2.splat(0.9617966939259756))
  p = madd_f64(p, z, f64x2.splat(2.8853900817779268))
  let l = f64x2.mul(y, madd_f64(p, f, n))
  l = f64x2.pmax(f64x2.pmin(l, f64x2.splat(200.0)), f64x2.splat(-200.0))
  // 2^l = 2^k·2^r,  |r| ≤ ½,  2^r = Σ (r·ln2)ⁱ/i!
  const shifted = f64x2.add(l, f64x2.splat(ROUND_F64))
  const r = f64x2.sub(l, f64x2.sub(shifted, f64x2.splat(ROUND_F64)))
  let q = madd_f64(f64x2.splat(1.3215486790144307e-6), r, f64x2.splat(1.5252733804059840e-5))
  q = madd_f64(q, r, f64x2.splat(1.5403530393381608e-4))
  q = madd_f64(q, r, f64x2.splat(1.3333558146428443e-3))
  q = madd_f64(q, r, f64x2.splat(9.6181291076284770e-3))
  q = madd_f64(q, r, f64x2.splat(5.5504108664821580e-2))
  q = madd_f64(q, r, f64x2.splat(2.4022650695910070e-1))
  q = madd_f64(q, r, f64x2.splat(6.9314718055994530e-1))
  q = madd_f64(q, r, one)
  return i64x2.add(q, i64x2.shl(shifted, 52))
}

/**
 * x^y as C's powf: x^0 = 1^y = 1, (−1)^±Inf = 1, a negative base gives NaN unless y is an integer.
 * Computed in float64 and rounded once: 0.51 ulp.
 */
@inline
export function power(x: v128, y: v128): v128 {
  const one = splat(1.0)
  const zero = splat(0.0)
  const infinity = splat(Infinity)
  const a = f32x4.abs(x)
  const tiny = f32x4.lt(a, splat(1.17549435e-38))
  const offset = offsetBits(v128.bitselect(f32x4.mul(a, splat(8388608.0)), a, tiny))
  const m = mantissa(offset)
  let n = f32x4.sub(exponent(offset), v128.and(tiny, splat(23.0)))
  // log2 of 0 and Inf
  n = v128.bitselect(splat(-Infinity), n, f32x4.eq(a, zero))
  n = v128.bitselect(infinity, n, f32x4.eq(a, infinity))
  let p = v128.shuffle<i32>(
    f32x4.demote_f64x2_zero(
      powerPositive(f64x2.promote_low_f32x4(n), f64x2.promote_low_f32x4(m), f64x2.promote_low_f32x4(y)),
    ),
    f32x4.demote_f64x2_zero(
      powerPositive(
        f64x2.promote_low_f32x4(swapHalves(n)),
        f64x2.promote_low_f32x4(swapHalves(m)),
        f64x2.promote_low_f32x4(swapHalves(y)),
      ),
    ),
    0, 1, 4, 5,
  )
  // a negative base: (−1)^y is −1 for odd y, 1 for even y and ±Inf, NaN between (Inf and 0 keep |x|^y)
  const isInteger = f32x4.eq(f32x4.floor(y), y)
  const halfY = f32x4.mul(y, splat(0.5))
  const odd = v128.and(v128.and(isInteger, f32x4.lt(f32x4.abs(y), infinity)), f32x4.ne(f32x4.floor(halfY), halfY))
  const negative = i32x4.shr_s(x, 31)
  p = v128.xor(p, v128.and(v128.and(negative, odd), i32x4.splat(0x80000000)))
  const finiteNegative = v128.and(f32x4.lt(x, zero), f32x4.gt(x, f32x4.neg(infinity)))
  p = v128.or(p, v128.andnot(finiteNegative, isInteger))
  // NaN in, NaN out; then the cases that are 1 whatever the other operand is
  p = v128.or(p, v128.or(f32x4.ne(x, x), f32x4.ne(y, y)))
  let isOne = v128.or(f32x4.eq(x, one), f32x4.eq(y, zero))
  isOne = v128.or(isOne, v128.and(f32x4.eq(a, one), f32x4.eq(f32x4.abs(y), infinity)))
  return v128.bitselect(one, p, isOne)
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

/** A quotient up to which x − ⌊x/y⌋·y is exact in float64, and so is each step of `reduceLarge`. */
const LARGE_QUOTIENT: f64 = 268435456.0

/** ⌊x/y⌋ of two float64. */
@inline
function floorQuotient_f64(x: v128, y: v128): v128 {
  return f64x2.floor(f64x2.div(x, y))
}

/** The rest of x by y·2²⁸, with the sign of x, of two float64 that are float32: the rest of every step is one, too. */
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

/** x, or with the same rest by y a smaller number for which modulo_f64 is exact. */
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
 * The remainder of ⌊x/y⌋ below 2²⁸, with the sign of y: exact unless x is small and x and y have
 * different signs: then it is y + x, rounded. y = 0, x = ±Inf or NaN → NaN; y = ±Inf: x, or y where the signs differ. A zero has the sign of y.
 */
@inline
export function modulo(x: v128, y: v128): v128 {
  return moduloOf(x, x, y)
}

/** `modulo` of x, with the same rest by y as `near`. */
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

/** −1, 0 or 1; ±0 and NaN stay as they are. */
@inline
export function sign(x: v128): v128 {
  const nonzero = f32x4.gt(f32x4.abs(x), splat(0.0))
  return v128.bitselect(withSignOf(splat(1.0), x), x, nonzero)
}
