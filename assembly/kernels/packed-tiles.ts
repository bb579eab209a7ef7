// The register tiles of packed.ts: a strip of 8 outputs, times the rows of panels.
//
// Common to all kernels below:
//
//   out [m, columns ≤ 8] = Σ over groups: scale · scales · Σ q x − minima · (scale · Σ x)
//
// weights is a strip; x and scales are panels of PackedQuantize, as many as contain m rows. `step` is the bytes from row to
// row of out.

import { dotPairs, madd, storeUpTo8, sumPairs } from '../simd'

/**
 * Weights of 8 bits times one row of int16, or two if `isTwo`, which is a constant. Eight products per instruction, for two outputs,
 * are added in pairs; weights are widened once for both rows.
 */
@inline
function multiplyBytes(
  isTwo: bool, out: usize, step: usize, weights: usize, x: usize, scales: usize, groups: i32, m: i32, columns: i32,
): void {
  for (; m > 0; m -= isTwo ? 2 : 1) {
    let b = weights
    let y00 = f32x4.splat(0), y01 = y00, y10 = y00, y11 = y00
    for (let left = groups; left > 0; left--) {
      let c0 = i32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, e0 = c0, e1 = c0, e2 = c0, e3 = c0
      const d0 = b
      b += 32
      for (const end = b + 256; b != end; b += 32) {
        const s = v128.load64_splat(x)
        const t = isTwo ? v128.load64_splat(x, 8) : s
        let w = v128.load8x8_s(b)
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, w))
        if (isTwo) e0 = i32x4.add(e0, i32x4.dot_i16x8_s(t, w))
        w = v128.load8x8_s(b, 8)
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, w))
        if (isTwo) e1 = i32x4.add(e1, i32x4.dot_i16x8_s(t, w))
        w = v128.load8x8_s(b, 16)
        c2 = i32x4.add(c2, i32x4.dot_i16x8_s(s, w))
        if (isTwo) e2 = i32x4.add(e2, i32x4.dot_i16x8_s(t, w))
        w = v128.load8x8_s(b, 24)
        c3 = i32x4.add(c3, i32x4.dot_i16x8_s(s, w))
        if (isTwo) e3 = i32x4.add(e3, i32x4.dot_i16x8_s(t, w))
        x += isTwo ? 16 : 8
      }
      const s = v128.load32_splat(scales)
      y00 = madd(f32x4.convert_i32x4_s(sumPairs(c0, c1)), f32x4.mul(s, v128.load(d0)), y00)
      y01 = madd(f32x4.convert_i32x4_s(sumPairs(c2, c3)), f32x4.mul(s, v128.load(d0, 16)), y01)
      if (isTwo) {
        const t = v128.load32_splat(scales, 4)
        y10 = madd(f32x4.convert_i32x4_s(sumPairs(e0, e1)), f32x4.mul(t, v128.load(d0)), y10)
        y11 = madd(f32x4.convert_i32x4_s(sumPairs(e2, e3)), f32x4.mul(t, v128.load(d0, 16)), y11)
      }
      scales += isTwo ? 16 : 8
    }
    storeUpTo8(out, y00, y01, columns)
    out += step
    if (isTwo) {
      storeUpTo8(out, y10, y11, columns)
      out += step
    }
  }
}

/**
 * The same for weights of 4 bits. A shift and a mask make int16 of every second byte, so the elements of a quad of x are in the order
 * 0 2 1 3.
 */
@inline
function multiplyNibbles(
  isTwo: bool, out: usize, step: usize, weights: usize, x: usize, scales: usize, groups: i32, m: i32, columns: i32,
): void {
  const half = i16x8.splat(15)
  for (; m > 0; m -= isTwo ? 2 : 1) {
    let b = weights
    let y00 = f32x4.splat(0), y01 = y00, y10 = y00, y11 = y00
    for (let left = groups; left > 0; left--) {
      let c0 = i32x4.splat(0), c1 = c0, e0 = c0, e1 = c0
      const group = b
      b += 64
      for (const end = b + 128; b != end; b += 32) {
        const v = v128.load(b), u = v128.load(b, 16)
        let s = v128.load32_splat(x), t = isTwo ? v128.load32_splat(x, 8) : s
        let v0 = v128.and(v, half), v1 = v128.and(u, half)
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, v0)), c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, v1))
        if (isTwo) e0 = i32x4.add(e0, i32x4.dot_i16x8_s(t, v0)), e1 = i32x4.add(e1, i32x4.dot_i16x8_s(t, v1))
        s = v128.load32_splat(x, 4), t = isTwo ? v128.load32_splat(x, 12) : s
        v0 = v128.and(i16x8.shr_u(v, 8), half), v1 = v128.and(i16x8.shr_u(u, 8), half)
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, v0)), c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, v1))
        if (isTwo) e0 = i32x4.add(e0, i32x4.dot_i16x8_s(t, v0)), e1 = i32x4.add(e1, i32x4.dot_i16x8_s(t, v1))
        s = isTwo ? v128.load32_splat(x, 64) : v128.load32_splat(x, 32), t = isTwo ? v128.load32_splat(x, 72) : s
        v0 = v128.and(i16x8.shr_u(v, 4), half), v1 = v128.and(i16x8.shr_u(u, 4), half)
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, v0)), c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, v1))
        if (isTwo) e0 = i32x4.add(e0, i32x4.dot_i16x8_s(t, v0)), e1 = i32x4.add(e1, i32x4.dot_i16x8_s(t, v1))
        s = isTwo ? v128.load32_splat(x, 68) : v128.load32_splat(x, 36), t = isTwo ? v128.load32_splat(x, 76) : s
        v0 = i16x8.shr_u(v, 12), v1 = i16x8.shr_u(u, 12)
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, v0)), c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, v1))
        if (isTwo) e0 = i32x4.add(e0, i32x4.dot_i16x8_s(t, v0)), e1 = i32x4.add(e1, i32x4.dot_i16x8_s(t, v1))
        x += isTwo ? 16 : 8
      }
      x += isTwo ? 64 : 32
      const s = v128.load32_splat(scales), r = isTwo ? v128.load32_splat(scales, 8) : v128.load32_splat(scales, 4)
      y00 = withGroup(y00, c0, s, v128.load(group), r, v128.load(group, 32))
      y01 = withGroup(y01, c1, s, v128.load(group, 16), r, v128.load(group, 48))
      if (isTwo) {
        const t = v128.load32_splat(scales, 4), q = v128.load32_splat(scales, 12)
        y10 = withGroup(y10, e0, t, v128.load(group), q, v128.load(group, 32))
        y11 = withGroup(y11, e1, t, v128.load(group, 16), q, v128.load(group, 48))
      }
      scales += isTwo ? 16 : 8
    }
    storeUpTo8(out, y00, y01, columns)
    out += step
    if (isTwo) {
      storeUpTo8(out, y10, y11, columns)
      out += step
    }
  }
}

/** y + scale · d · product + sum · minima */
@inline
function withGroup(y: v128, product: v128, scale: v128, d: v128, sum: v128, minima: v128): v128 {
  return madd(sum, minima, madd(f32x4.convert_i32x4_s(product), f32x4.mul(scale, d), y))
}

export function packed_2x8_words_i8(
  out: usize, step: usize, weights: usize, x: usize, scales: usize, groups: i32, m: i32, columns: i32,
): void {
  multiplyBytes(true, out, step, weights, x, scales, groups, m, columns)
}

export function packed_1x8_words_i8(
  out: usize, step: usize, weights: usize, x: usize, scales: usize, groups: i32, m: i32, columns: i32,
): void {
  multiplyBytes(false, out, step, weights, x, scales, groups, m, columns)
}

export function packed_2x8_words_i4(
  out: usize, step: usize, weights: usize, x: usize, scales: usize, groups: i32, m: i32, columns: i32,
): void {
  multiplyNibbles(true, out, step, weights, x, scales, groups, m, columns)
}

export function packed_1x8_words_i4(
  out: usize, step: usize, weights: usize, x: usize, scales: usize, groups: i32, m: i32, columns: i32,
): void {
  multiplyNibbles(false, out, step, weights, x, scales, groups, m, columns)
}

/** The same in memory, for sums of pairs. */
@inline
function addGroup(y: usize, pairs: v128, ones: v128, scale: v128, d: v128, sum: v128, minima: v128): void {
  v128.store(y, withGroup(v128.load(y), i32x4.dot_i16x8_s(pairs, ones), scale, d, sum, minima))
}

/** Four rows of bytes: sixteen products per instruction, for four outputs, added in pairs. `sums` has room for 4 × 8 numbers. */
export function packed_4x8_bytes_i4(
  out: usize, step: usize, weights: usize, x: usize, scales: usize, groups: i32, m: i32, columns: i32, sums: usize,
): void {
  const half = i8x16.splat(15), ones = i16x8.splat(1)
  for (; m > 0; m -= 4) {
    for (let i: usize = 0; i < 128; i += 16) v128.store(sums + i, f32x4.splat(0))
    let b = weights
    for (let left = groups; left > 0; left--) {
      let c00 = i16x8.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
      const group = b
      b += 64
      for (const end = b + 128; b != end; b += 32) {
        const v = v128.load(b), u = v128.load(b, 16)
        let w0 = v128.and(v, half), w1 = v128.and(u, half)
        let s = v128.load32_splat(x)
        c00 = i16x8.add(c00, dotPairs(s, w0)), c01 = i16x8.add(c01, dotPairs(s, w1))
        s = v128.load32_splat(x, 4)
        c10 = i16x8.add(c10, dotPairs(s, w0)), c11 = i16x8.add(c11, dotPairs(s, w1))
        s = v128.load32_splat(x, 8)
        c20 = i16x8.add(c20, dotPairs(s, w0)), c21 = i16x8.add(c21, dotPairs(s, w1))
        s = v128.load32_splat(x, 12)
        c30 = i16x8.add(c30, dotPairs(s, w0)), c31 = i16x8.add(c31, dotPairs(s, w1))
        w0 = v128.and(i16x8.shr_u(v, 4), half), w1 = v128.and(i16x8.shr_u(u, 4), half)
        s = v128.load32_splat(x, 64)
        c00 = i16x8.add(c00, dotPairs(s, w0)), c01 = i16x8.add(c01, dotPairs(s, w1))
        s = v128.load32_splat(x, 68)
        c10 = i16x8.add(c10, dotPairs(s, w0)), c11 = i16x8.add(c11, dotPairs(s, w1))
        s = v128.load32_splat(x, 72)
        c20 = i16x8.add(c20, dotPairs(s, w0)), c21 = i16x8.add(c21, dotPairs(s, w1))
        s = v128.load32_splat(x, 76)
        c30 = i16x8.add(c30, dotPairs(s, w0)), c31 = i16x8.add(c31, dotPairs(s, w1))
        x += 16
      }
      x += 64
      const d0 = v128.load(group), d1 = v128.load(group, 16), m0 = v128.load(group, 32), m1 = v128.load(group, 48)
      let s = v128.load32_splat(scales), t = v128.load32_splat(scales, 16)
      addGroup(sums, c00, ones, s, d0, t, m0), addGroup(sums + 16, c01, ones, s, d1, t, m1)
      s = v128.load32_splat(scales, 4), t = v128.load32_splat(scales, 20)
      addGroup(sums + 32, c10, ones, s, d0, t, m0), addGroup(sums + 48, c11, ones, s, d1, t, m1)
      s = v128.load32_splat(scales, 8), t = v128.load32_splat(scales, 24)
      addGroup(sums + 64, c20, ones, s, d0, t, m0), addGroup(sums + 80, c21, ones, s, d1, t, m1)
      s = v128.load32_splat(scales, 12), t = v128.load32_splat(scales, 28)
      addGroup(sums + 96, c30, ones, s, d0, t, m0), addGroup(sums + 112, c31, ones, s, d1, t, m1)
      scales += 32
    }
    for (let i: usize = 0; i < 128; i += 32) {
      storeUpTo8(out, v128.load(sums + i), v128.load(sums + i, 16), columns)
      out += step
    }
  }
}

/** Rows of bytes, one at a time. */
export function packed_1x8_bytes_i4(
  out: usize, step: usize, weights: usize, x: usize, scales: usize, groups: i32, m: i32, columns: i32,
): void {
  const half = i8x16.splat(15), ones = i16x8.splat(1)
  for (; m > 0; m--) {
    let b = weights
    let y0 = f32x4.splat(0), y1 = y0
    for (let left = groups; left > 0; left--) {
      let c0 = i16x8.splat(0), c1 = c0
      const s = v128.load32_splat(scales), sum = v128.load32_splat(scales, 4)
      const d0 = v128.load(b), d1 = v128.load(b, 16)
      const m0 = v128.load(b, 32), m1 = v128.load(b, 48)
      b += 64
      for (const end = b + 128; b != end; b += 32) {
        const v = v128.load(b), u = v128.load(b, 16)
        const low = v128.load32_splat(x), high = v128.load32_splat(x, 16)
        c0 = i16x8.add(c0, dotPairs(low, v128.and(v, half))), c1 = i16x8.add(c1, dotPairs(low, v128.and(u, half)))
        c0 = i16x8.add(c0, dotPairs(high, v128.and(i16x8.shr_u(v, 4), half)))
        c1 = i16x8.add(c1, dotPairs(high, v128.and(i16x8.shr_u(u, 4), half)))
        x += 4
      }
      x += 16
      y0 = withGroup(y0, i32x4.dot_i16x8_s(c0, ones), s, d0, sum, m0)
      y1 = withGroup(y1, i32x4.dot_i16x8_s(c1, ones), s, d1, sum, m1)
      scales += 8
    }
    storeUpTo8(out, y0, y1, columns)
    out += step
  }
}
