// Rotations of neighbouring rows, in float64. A sweep of the QR iteration rotates rows first, first + 1, …; sweeps are
// collected and then applied to eight columns at a time, which stay in the first-level cache meanwhile.

import { madd_f64 } from '../simd'

/** A rotation, and what precedes those of a sweep: its first row and their number, as i32. */
export const ROTATION: usize = 16

/** For `count` rotations [c, s]: rows (i, i + 1) ← (c · row i + s · row i + 1, c · row i + 1 − s · row i), eight columns. */
export function rotate_8_f64(row: usize, stride: usize, rotation: usize, count: i32): void {
  let a0 = v128.load(row)
  let a1 = v128.load(row, 16)
  let a2 = v128.load(row, 32)
  let a3 = v128.load(row, 48)
  for (; count > 0; count--) {
    const c = v128.load64_splat(rotation)
    const s = v128.load64_splat(rotation, 8)
    const minus = f64x2.neg(s)
    const next = row + stride
    let b = v128.load(next)
    v128.store(row, madd_f64(s, b, f64x2.mul(c, a0)))
    a0 = madd_f64(minus, a0, f64x2.mul(c, b))
    b = v128.load(next, 16)
    v128.store(row, madd_f64(s, b, f64x2.mul(c, a1)), 16)
    a1 = madd_f64(minus, a1, f64x2.mul(c, b))
    b = v128.load(next, 32)
    v128.store(row, madd_f64(s, b, f64x2.mul(c, a2)), 32)
    a2 = madd_f64(minus, a2, f64x2.mul(c, b))
    b = v128.load(next, 48)
    v128.store(row, madd_f64(s, b, f64x2.mul(c, a3)), 48)
    a3 = madd_f64(minus, a3, f64x2.mul(c, b))
    rotation += ROTATION
    row = next
  }
  v128.store(row, a0)
  v128.store(row, a1, 16)
  v128.store(row, a2, 32)
  v128.store(row, a3, 48)
}

/** The same for two columns. */
export function rotate_2_f64(row: usize, stride: usize, rotation: usize, count: i32): void {
  let a = v128.load(row)
  for (; count > 0; count--) {
    const c = v128.load64_splat(rotation)
    const s = v128.load64_splat(rotation, 8)
    const minus = f64x2.neg(s)
    const b = v128.load(row + stride)
    v128.store(row, madd_f64(s, b, f64x2.mul(c, a)))
    a = madd_f64(minus, a, f64x2.mul(c, b))
    rotation += ROTATION
    row += stride
  }
  v128.store(row, a)
}

/** Applies the sweeps from `first` to `end` to the rows of a matrix with `columns` columns. */
export function rotate(matrix: usize, stride: usize, columns: i32, first: usize, end: usize): void {
  while (columns > 0) {
    for (let sweep = first; sweep < end; ) {
      const row = matrix + <usize>load<i32>(sweep) * stride
      const count = load<i32>(sweep, 4)
      sweep += ROTATION
      if (columns >= 8) rotate_8_f64(row, stride, sweep, count)
      else rotate_2_f64(row, stride, sweep, count)
      sweep += <usize>count * ROTATION
    }
    const width = columns >= 8 ? 8 : 2
    matrix += <usize>width << 3
    columns -= width
  }
}
