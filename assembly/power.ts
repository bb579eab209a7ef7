// Powers of float32 on four lanes, computed in float64: see math.ts.

import { exponent, mantissa, offsetBits, ROUND_F64, splat } from './math'
import { madd_f64, swapHalves } from './simd'

/** |x|^y of two positive float64 x = 2ⁿ·m, from n and m: 2^(y·(n + log2 m)). */
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
