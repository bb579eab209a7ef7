// The register tiles of the matrix product: strips of 8 or 4 columns, four rows at a time, and of 16 columns, six at a
// time, for engines that pair vectors.
// gemm.ts chooses among them, and pack.ts packs.
//
// A strip runs over all its rows inside one function, so that a small product costs a handful of calls.
// Only the innermost loop is hot: one k per iteration. V8 before 12.8 hoists every load of a basic block above
// its arithmetic, so a second k in the same block would not fit into 15 vector registers.
//
// Edges. The four rows of a tile are at 0, step1, step2 and step1 + step2: (r, 2r) gives four rows, (r, r) the
// rows 0 1 1 2, (r, 0) the rows 0 1 0 1 and (0, 0) one row, so that the last rows run through the same code;
// rows are written from the last to row 0, which makes the right one win. Clamping inside the kernel instead
// costs a few cycles per tile, since V8 recomputes loop-invariant selects where they are used. A column past
// the last one is read (READ_SLACK) and never stored.
import { madd, rectified, storeRectified16 } from '../simd'

// Common to all kernels below:
//
//   out [m, columns] = rectified(lhs [m,k] · rhs [k, columns] + start, floor)
//
// out, rhs and start have neighbouring columns; all steps are in bytes and rhsStep ≠ 0. start holds the initial sums: a
// row of biases or zeros (steps 0), or the present contents of out (the steps of out). m is a multiple of 4 unless the
// steps make it 1, 2 or, with rows only, 3. rectified(x, floor) is x < floor ? 0 : x, so NaN passes; floor is 0 for relu,
// more for relu with a flush, and −∞ for none.

/**
 * The algorithm of all tiles of four rows: up to 8 columns if `isWide`, else up to 4; lhs with neighbouring columns if `isRows`,
 * else with neighbouring rows. Both are constants, so that each kernel contains only the branches that it needs. lhs1 and lhs2 are
 * lhs1Step and lhs2Step with `isRows`, otherwise lhsStep and lhsPanel.
 *
 * With `isWide`: 8 accumulators, 2 vectors of rhs and one splat: 11 registers, 32 multiply-adds for 6 loads.
 */
@inline
export function multiplyTiles(
  isWide: bool, isRows: bool, out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhs1: usize, lhs2: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  const rhsEnd = rhs + <usize>k * rhsStep
  const lastColumns = isWide ? columns - 4 : columns
  for (; m > 0; m -= 4) {
    let a0 = lhs, a1 = lhs + lhs1, a2 = lhs + lhs2, a3 = a1 + lhs2
    const start1 = start + start1Step, start2 = start + start2Step, start3 = start1 + start2Step
    let c00 = v128.load(start), c01 = isWide ? v128.load(start, 16) : c00
    let c10 = v128.load(start1), c11 = isWide ? v128.load(start1, 16) : c10
    let c20 = v128.load(start2), c21 = isWide ? v128.load(start2, 16) : c20
    let c30 = v128.load(start3), c31 = isWide ? v128.load(start3, 16) : c30
    for (let b = rhs; b != rhsEnd; b += rhsStep) {
      const b0 = v128.load(b), b1 = isWide ? v128.load(b, 16) : b0
      let s = v128.load32_splat(a0)
      c00 = madd(s, b0, c00)
      if (isWide) c01 = madd(s, b1, c01)
      s = isRows ? v128.load32_splat(a1) : v128.load32_splat(a0, 4)
      c10 = madd(s, b0, c10)
      if (isWide) c11 = madd(s, b1, c11)
      s = isRows ? v128.load32_splat(a2) : v128.load32_splat(a0, 8)
      c20 = madd(s, b0, c20)
      if (isWide) c21 = madd(s, b1, c21)
      s = isRows ? v128.load32_splat(a3) : v128.load32_splat(a0, 12)
      c30 = madd(s, b0, c30)
      if (isWide) c31 = madd(s, b1, c31)
      if (isRows) a0 += 4, a1 += 4, a2 += 4, a3 += 4
      else a0 += lhs1
    }
    if (floor > -Infinity) {
      const low = f32x4.splat(floor)
      c00 = rectified(c00, low), c10 = rectified(c10, low), c20 = rectified(c20, low), c30 = rectified(c30, low)
      if (isWide) c01 = rectified(c01, low), c11 = rectified(c11, low), c21 = rectified(c21, low), c31 = rectified(c31, low)
    }
    const out1 = out + out1Step, out2 = out + out2Step, out3 = out1 + out2Step
    if (isWide) {
      v128.store(out3, c30), v128.store(out2, c20), v128.store(out1, c10), v128.store(out, c00)
      storeColumns<SecondHalf>(out, out1, out2, out3, c01, c11, c21, c31, lastColumns)
    } else {
      storeColumns<FirstHalf>(out, out1, out2, out3, c00, c10, c20, c30, lastColumns)
    }
    lhs += isRows ? 2 * lhs2 : lhs2
    out += 2 * out2Step
    start += 2 * start2Step
  }
}

// Half a row of eight columns. The size of the class is the offset of the half, which an instruction can contain.
@unmanaged class FirstHalf {}
@unmanaged class SecondHalf { before: v128 }

/** Stores the first 1 to 4 lanes of a half of each row, from the last row to row 0. */
@inline
function storeColumns<Half>(
  out0: usize, out1: usize, out2: usize, out3: usize, c0: v128, c1: v128, c2: v128, c3: v128, columns: i32,
): void {
  if (columns == 4) {
    v128.store(out3, c3, offsetof<Half>()), v128.store(out2, c2, offsetof<Half>())
    v128.store(out1, c1, offsetof<Half>()), v128.store(out0, c0, offsetof<Half>())
  } else if (columns == 2) {
    v128.store64_lane(out3, c3, 0, offsetof<Half>()), v128.store64_lane(out2, c2, 0, offsetof<Half>())
    v128.store64_lane(out1, c1, 0, offsetof<Half>()), v128.store64_lane(out0, c0, 0, offsetof<Half>())
  } else if (columns == 3) {
    v128.store64_lane(out3, c3, 0, offsetof<Half>()), v128.store32_lane(out3, c3, 2, offsetof<Half>() + 8)
    v128.store64_lane(out2, c2, 0, offsetof<Half>()), v128.store32_lane(out2, c2, 2, offsetof<Half>() + 8)
    v128.store64_lane(out1, c1, 0, offsetof<Half>()), v128.store32_lane(out1, c1, 2, offsetof<Half>() + 8)
    v128.store64_lane(out0, c0, 0, offsetof<Half>()), v128.store32_lane(out0, c0, 2, offsetof<Half>() + 8)
  } else {
    v128.store32_lane(out3, c3, 0, offsetof<Half>()), v128.store32_lane(out2, c2, 0, offsetof<Half>())
    v128.store32_lane(out1, c1, 0, offsetof<Half>()), v128.store32_lane(out0, c0, 0, offsetof<Half>())
  }
}

/** 5 to 8 columns, lhs [m,k] with neighbouring columns: four row pointers. */
export function gemm_4x8_rows_f32(
  out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhs1Step: usize, lhs2Step: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  multiplyTiles(true, true, out, out1Step, out2Step, lhs, lhs1Step, lhs2Step, rhs, rhsStep, m, k, columns, start, start1Step, start2Step, floor)
}

/**
 * 5 to 8 columns, lhs [m,k] with neighbouring rows: a transposed matrix (lhsPanel = 16, the bytes to the next
 * four rows) or packed panels of four rows (lhsStep = 16). One pointer instead of four.
 */
export function gemm_4x8_columns_f32(
  out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhsStep: usize, lhsPanel: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  multiplyTiles(true, false, out, out1Step, out2Step, lhs, lhsStep, lhsPanel, rhs, rhsStep, m, k, columns, start, start1Step, start2Step, floor)
}

/** 1 to 4 columns, lhs with neighbouring columns. Half the width, so that a narrow edge costs less. */
export function gemm_4x4_rows_f32(
  out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhs1Step: usize, lhs2Step: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  multiplyTiles(false, true, out, out1Step, out2Step, lhs, lhs1Step, lhs2Step, rhs, rhsStep, m, k, columns, start, start1Step, start2Step, floor)
}

/** 1 to 4 columns, lhs with neighbouring rows. */
export function gemm_4x4_columns_f32(
  out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhsStep: usize, lhsPanel: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  multiplyTiles(false, false, out, out1Step, out2Step, lhs, lhsStep, lhsPanel, rhs, rhsStep, m, k, columns, start, start1Step, start2Step, floor)
}

// V8 with --experimental-wasm-revectorize combines two neighbouring 128-bit operations into one of 256 bits, so that
// the 24 accumulators below fit into 12 registers. It starts from pairs of stores to neighbouring addresses in one
// basic block, so there are no narrow edges here. Without pairing the tile spills and runs at half the speed of 4 × 8:
// src/engine/runtime/wasm/turbo.ts measures that. 6 rows, because V8 adds an instruction for every splat but the first, which 4
// rows do not hide.

/**
 * Exactly 16 columns, the second 8 of rhs at rhsHalf from the first, and m a multiple of 6; lhs [m,k] with neighbouring
 * rows (lhsPanel = 24) or in packed panels of six (lhsStep = 24). outRow and startRow are the steps to the next row.
 */
export function gemm_6x16_columns_f32(
  out: usize, outRow: usize, lhs: usize, lhsStep: usize, lhsPanel: usize, rhs: usize, rhsStep: usize, rhsHalf: usize,
  m: i32, k: i32, start: usize, startRow: usize, floor: f32,
): void {
  const rhsEnd = rhs + <usize>k * rhsStep
  for (; m > 0; m -= 6) {
    let a = lhs
    const start1 = start + startRow, start2 = start1 + startRow, start3 = start2 + startRow
    const start4 = start3 + startRow, start5 = start4 + startRow
    let c00 = v128.load(start), c01 = v128.load(start, 16), c02 = v128.load(start, 32), c03 = v128.load(start, 48)
    let c10 = v128.load(start1), c11 = v128.load(start1, 16), c12 = v128.load(start1, 32), c13 = v128.load(start1, 48)
    let c20 = v128.load(start2), c21 = v128.load(start2, 16), c22 = v128.load(start2, 32), c23 = v128.load(start2, 48)
    let c30 = v128.load(start3), c31 = v128.load(start3, 16), c32 = v128.load(start3, 32), c33 = v128.load(start3, 48)
    let c40 = v128.load(start4), c41 = v128.load(start4, 16), c42 = v128.load(start4, 32), c43 = v128.load(start4, 48)
    let c50 = v128.load(start5), c51 = v128.load(start5, 16), c52 = v128.load(start5, 32), c53 = v128.load(start5, 48)
    for (let b = rhs; b != rhsEnd; b += rhsStep) {
      const half = b + rhsHalf
      const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(half), b3 = v128.load(half, 16)
      let s = v128.load32_splat(a)
      c00 = madd(s, b0, c00), c01 = madd(s, b1, c01), c02 = madd(s, b2, c02), c03 = madd(s, b3, c03)
      s = v128.load32_splat(a, 4)
      c10 = madd(s, b0, c10), c11 = madd(s, b1, c11), c12 = madd(s, b2, c12), c13 = madd(s, b3, c13)
      s = v128.load32_splat(a, 8)
      c20 = madd(s, b0, c20), c21 = madd(s, b1, c21), c22 = madd(s, b2, c22), c23 = madd(s, b3, c23)
      s = v128.load32_splat(a, 12)
      c30 = madd(s, b0, c30), c31 = madd(s, b1, c31), c32 = madd(s, b2, c32), c33 = madd(s, b3, c33)
      s = v128.load32_splat(a, 16)
      c40 = madd(s, b0, c40), c41 = madd(s, b1, c41), c42 = madd(s, b2, c42), c43 = madd(s, b3, c43)
      s = v128.load32_splat(a, 20)
      c50 = madd(s, b0, c50), c51 = madd(s, b1, c51), c52 = madd(s, b2, c52), c53 = madd(s, b3, c53)
      a += lhsStep
    }
    const low = f32x4.splat(floor)
    let o = out
    storeRectified16(o, c00, c01, c02, c03, low)
    o += outRow
    storeRectified16(o, c10, c11, c12, c13, low)
    o += outRow
    storeRectified16(o, c20, c21, c22, c23, low)
    o += outRow
    storeRectified16(o, c30, c31, c32, c33, low)
    o += outRow
    storeRectified16(o, c40, c41, c42, c43, low)
    o += outRow
    storeRectified16(o, c50, c51, c52, c53, low)
    lhs += lhsPanel
    out += 6 * outRow
    start += 6 * startRow
  }
}

/**
 * The same for the last rows of a panel, two at a time, and one alone. Four sums of 256 bits wait for each other, but take
 * half the time of two 4 × 8 tiles.
 */
export function gemm_2x16_columns_f32(
  out: usize, outRow: usize, lhs: usize, lhsStep: usize, rhs: usize, rhsStep: usize, rhsHalf: usize,
  m: i32, k: i32, start: usize, startRow: usize, floor: f32,
): void {
  const rhsEnd = rhs + <usize>k * rhsStep
  for (; m > 0; m -= 2) {
    // one row alone is computed twice
    const second: usize = m > 1 ? usize.MAX_VALUE : 0
    let a = lhs, next = lhs + (4 & second)
    const start1 = start + (startRow & second)
    let c00 = v128.load(start), c01 = v128.load(start, 16), c02 = v128.load(start, 32), c03 = v128.load(start, 48)
    let c10 = v128.load(start1), c11 = v128.load(start1, 16), c12 = v128.load(start1, 32), c13 = v128.load(start1, 48)
    for (let b = rhs; b != rhsEnd; b += rhsStep) {
      const half = b + rhsHalf
      const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(half), b3 = v128.load(half, 16)
      let s = v128.load32_splat(a)
      c00 = madd(s, b0, c00), c01 = madd(s, b1, c01), c02 = madd(s, b2, c02), c03 = madd(s, b3, c03)
      s = v128.load32_splat(next)
      c10 = madd(s, b0, c10), c11 = madd(s, b1, c11), c12 = madd(s, b2, c12), c13 = madd(s, b3, c13)
      a += lhsStep
      next += lhsStep
    }
    const low = f32x4.splat(floor)
    let o = out + (outRow & second)
    storeRectified16(o, c10, c11, c12, c13, low)
    o = out
    storeRectified16(o, c00, c01, c02, c03, low)
    lhs += 8
    out += 2 * outRow
    start += 2 * startRow
  }
}
