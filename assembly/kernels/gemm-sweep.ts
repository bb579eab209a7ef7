// Products whose right side does not stay in a cache while a tile walks down its rows: few rows times a large matrix, and
// many rows of a short k, whose result is large. gemm.ts decides.
//
// A strip of 8 columns over the whole of k reads half a cache line of every row of rhs, and the next strip reads the other
// half. If the rows are far apart, above all by a power of two, the lines have left the cache by then, and no prefetcher
// follows a column. So the loops are turned: `kc` rows of rhs, which a first-level cache holds however far apart they lie,
// and over these the tile sweeps from left to right. out keeps the sums meanwhile. Nothing is copied, and the order of the
// additions is that of the other tiles.
import { madd, rectified } from '../simd'

/** The rows of rhs of one sweep. */
export const SWEEP_KC: i32 = 16
/** The same for rows that are a multiple of SWEEP_PAGE bytes apart: first-level caches hold 8 or 12 lines of them. */
export const SWEEP_KC_IN_ONE_PLACE: i32 = 8
export const SWEEP_PAGE: i32 = 4096

@inline
function storeRectified8(pointer: usize, a: v128, b: v128, least: v128): void {
  v128.store(pointer, rectified(a, least)), v128.store(pointer, rectified(b, least), 16)
}

/** Loads four words, at `pointer` and at three offsets from it. */
@inline
function loadLanes(pointer: usize, second: usize, third: usize, fourth: usize): v128 {
  let lanes = v128.load32_zero(pointer)
  lanes = v128.load32_lane(pointer + second, lanes, 1)
  lanes = v128.load32_lane(pointer + third, lanes, 2)
  return v128.load32_lane(pointer + fourth, lanes, 3)
}

/**
 * Four rows of out, 8 columns at a time; columns is a multiple of 8: out [4, columns] = rectified(lhs [4,k] · rhs [k, columns] +
 * start, floor). lhs has any strides. The steps have the meaning that they have in gemm-tiles.ts, and startStrip is the step of start from one
 * strip to the next: 0 for zeros.
 */
export function gemm_4x8_sweep_f32(
  out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhs1Step: usize, lhs2Step: usize, lhsStep: usize, rhs: usize, rhsStep: usize,
  columns: i32, k: i32, start: usize, start1Step: usize, start2Step: usize, startStrip: usize, floor: f32,
): void {
  const bytes = <usize>k * rhsStep
  for (; columns > 0; columns -= 8) {
    let a0 = lhs, a1 = lhs + lhs1Step, a2 = lhs + lhs2Step, a3 = a1 + lhs2Step
    const start1 = start + start1Step, start2 = start + start2Step, start3 = start1 + start2Step
    let c00 = v128.load(start), c01 = v128.load(start, 16)
    let c10 = v128.load(start1), c11 = v128.load(start1, 16)
    let c20 = v128.load(start2), c21 = v128.load(start2, 16)
    let c30 = v128.load(start3), c31 = v128.load(start3, 16)
    const rhsEnd = rhs + bytes
    for (let b = rhs; b != rhsEnd; b += rhsStep) {
      const b0 = v128.load(b), b1 = v128.load(b, 16)
      let s = v128.load32_splat(a0)
      c00 = madd(s, b0, c00), c01 = madd(s, b1, c01)
      s = v128.load32_splat(a1)
      c10 = madd(s, b0, c10), c11 = madd(s, b1, c11)
      s = v128.load32_splat(a2)
      c20 = madd(s, b0, c20), c21 = madd(s, b1, c21)
      s = v128.load32_splat(a3)
      c30 = madd(s, b0, c30), c31 = madd(s, b1, c31)
      a0 += lhsStep, a1 += lhsStep, a2 += lhsStep, a3 += lhsStep
    }
    const low = f32x4.splat(floor)
    const out1 = out + out1Step, out2 = out + out2Step, out3 = out1 + out2Step
    storeRectified8(out3, c30, c31, low)
    storeRectified8(out2, c20, c21, low)
    storeRectified8(out1, c10, c11, low)
    storeRectified8(out, c00, c01, low)
    rhs += 32
    out += 32
    start += startStrip
  }
}

/**
 * The same for four rows and a transposed rhs, whose columns are `rhsColumn` bytes apart and contiguous. Blocks of 4 × 4 are
 * transposed in registers: for more rows it is cheaper to pack them.
 */
export function gemm_4x8_across_f32(
  out: usize, outRow: usize, lhs: usize, lhsRow: usize, rhs: usize, rhsColumn: usize,
  columns: i32, k: i32, start: usize, startRow: usize, startStrip: usize, floor: f32,
): void {
  const column2 = 2 * rhsColumn, column3 = 3 * rhsColumn, column4 = 4 * rhsColumn
  for (; columns > 0; columns -= 8) {
    let a0 = lhs, a1 = lhs + lhsRow, a2 = a1 + lhsRow, a3 = a2 + lhsRow
    const start1 = start + startRow, start2 = start1 + startRow, start3 = start2 + startRow
    let c00 = v128.load(start), c01 = v128.load(start, 16), c10 = v128.load(start1), c11 = v128.load(start1, 16)
    let c20 = v128.load(start2), c21 = v128.load(start2, 16), c30 = v128.load(start3), c31 = v128.load(start3, 16)
    let b = rhs, d = rhs + column4, p = k
    for (; p > 3; p -= 4) {
      let r0 = v128.load(b), r1 = v128.load(b + rhsColumn), r2 = v128.load(b + column2), r3 = v128.load(b + column3)
      let t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
      let v = v128.shuffle<f64>(t0, t1, 0, 2)
      c00 = madd(v128.load32_splat(a0), v, c00), c10 = madd(v128.load32_splat(a1), v, c10), c20 = madd(v128.load32_splat(a2), v, c20), c30 = madd(v128.load32_splat(a3), v, c30)
      v = v128.shuffle<f64>(t0, t1, 1, 3)
      c00 = madd(v128.load32_splat(a0, 4), v, c00), c10 = madd(v128.load32_splat(a1, 4), v, c10), c20 = madd(v128.load32_splat(a2, 4), v, c20), c30 = madd(v128.load32_splat(a3, 4), v, c30)
      t0 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t1 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
      v = v128.shuffle<f64>(t0, t1, 0, 2)
      c00 = madd(v128.load32_splat(a0, 8), v, c00), c10 = madd(v128.load32_splat(a1, 8), v, c10), c20 = madd(v128.load32_splat(a2, 8), v, c20), c30 = madd(v128.load32_splat(a3, 8), v, c30)
      v = v128.shuffle<f64>(t0, t1, 1, 3)
      c00 = madd(v128.load32_splat(a0, 12), v, c00), c10 = madd(v128.load32_splat(a1, 12), v, c10), c20 = madd(v128.load32_splat(a2, 12), v, c20), c30 = madd(v128.load32_splat(a3, 12), v, c30)
      r0 = v128.load(d), r1 = v128.load(d + rhsColumn), r2 = v128.load(d + column2), r3 = v128.load(d + column3)
      t0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5), t1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
      v = v128.shuffle<f64>(t0, t1, 0, 2)
      c01 = madd(v128.load32_splat(a0), v, c01), c11 = madd(v128.load32_splat(a1), v, c11), c21 = madd(v128.load32_splat(a2), v, c21), c31 = madd(v128.load32_splat(a3), v, c31)
      v = v128.shuffle<f64>(t0, t1, 1, 3)
      c01 = madd(v128.load32_splat(a0, 4), v, c01), c11 = madd(v128.load32_splat(a1, 4), v, c11), c21 = madd(v128.load32_splat(a2, 4), v, c21), c31 = madd(v128.load32_splat(a3, 4), v, c31)
      t0 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7), t1 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
      v = v128.shuffle<f64>(t0, t1, 0, 2)
      c01 = madd(v128.load32_splat(a0, 8), v, c01), c11 = madd(v128.load32_splat(a1, 8), v, c11), c21 = madd(v128.load32_splat(a2, 8), v, c21), c31 = madd(v128.load32_splat(a3, 8), v, c31)
      v = v128.shuffle<f64>(t0, t1, 1, 3)
      c01 = madd(v128.load32_splat(a0, 12), v, c01), c11 = madd(v128.load32_splat(a1, 12), v, c11), c21 = madd(v128.load32_splat(a2, 12), v, c21), c31 = madd(v128.load32_splat(a3, 12), v, c31)
      b += 16, d += 16, a0 += 16, a1 += 16, a2 += 16, a3 += 16
    }
    for (; p > 0; p--) {
      const v = loadLanes(b, rhsColumn, column2, column3), w = loadLanes(d, rhsColumn, column2, column3)
      let s = v128.load32_splat(a0)
      c00 = madd(s, v, c00), c01 = madd(s, w, c01)
      s = v128.load32_splat(a1)
      c10 = madd(s, v, c10), c11 = madd(s, w, c11)
      s = v128.load32_splat(a2)
      c20 = madd(s, v, c20), c21 = madd(s, w, c21)
      s = v128.load32_splat(a3)
      c30 = madd(s, v, c30), c31 = madd(s, w, c31)
      b += 4, d += 4, a0 += 4, a1 += 4, a2 += 4, a3 += 4
    }
    const low = f32x4.splat(floor)
    const out1 = out + outRow, out2 = out1 + outRow, out3 = out2 + outRow
    storeRectified8(out3, c30, c31, low)
    storeRectified8(out2, c20, c21, low)
    storeRectified8(out1, c10, c11, low)
    storeRectified8(out, c00, c01, low)
    rhs += 8 * rhsColumn
    out += 32
    start += startStrip
  }
}
