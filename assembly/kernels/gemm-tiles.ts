// The register tiles of the matrix product: strips of 8 or 4 columns, four rows at a time.
// Chooses nothing and packs nothing: see gemm.ts and pack.ts.
//
// A strip runs over all its rows inside one function, so that a small product costs a handful of calls.
// Only the innermost loop is hot: one k per turn. V8 before 12.8 hoists every load of a basic block above
// its arithmetic, so a second k in the same block would not fit into 15 vector registers.
//
// Edges. The four rows of a tile are at 0, step1, step2 and step1 + step2: (r, 2r) gives four rows, (r, r) the
// rows 0 1 1 2, (r, 0) the rows 0 1 0 1 and (0, 0) one row, so that the last rows run through the same code;
// rows are written from the last to row 0, which makes the right one win. Clamping inside the kernel instead
// costs a few cycles per tile, since V8 recomputes loop-invariant selects where they are used. A column past
// the last one is read (READ_SLACK) and never stored.
import { madd } from '../simd'

// Common to the four kernels below:
//
//   out [m, columns] = max(lhs [m,k] · rhs [k, columns] + start, floor)
//
// out, rhs and start have neighbouring columns; all steps are in bytes and rhsStep ≠ 0. start is what the
// sums begin with: a row of biases or zeros (steps 0), or what out already holds (the steps of out).
// m is a multiple of 4 unless the steps say otherwise: 1, 2 or, with rows only, 3.
// max(x, floor) is x < floor ? floor : x, so NaN passes; floor is 0 for relu and −∞ for none.

/**
 * 5 to 8 columns, lhs [m,k] with neighbouring columns: four row pointers.
 * 8 accumulators, 2 vectors of rhs and one splat: 11 registers, 32 multiply-adds for 6 loads.
 */
export function gemm_4x8_rows_f32(
  out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhs1Step: usize, lhs2Step: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  const rhsEnd = rhs + <usize>k * rhsStep
  for (; m > 0; m -= 4) {
    let a0 = lhs, a1 = lhs + lhs1Step, a2 = lhs + lhs2Step, a3 = a1 + lhs2Step
    const start1 = start + start1Step, start2 = start + start2Step, start3 = start1 + start2Step
    let c00 = v128.load(start), c01 = v128.load(start, 16)
    let c10 = v128.load(start1), c11 = v128.load(start1, 16)
    let c20 = v128.load(start2), c21 = v128.load(start2, 16)
    let c30 = v128.load(start3), c31 = v128.load(start3, 16)
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
      a0 += 4, a1 += 4, a2 += 4, a3 += 4
    }
    const low = f32x4.splat(floor)
    c00 = f32x4.pmax(c00, low), c01 = f32x4.pmax(c01, low)
    c10 = f32x4.pmax(c10, low), c11 = f32x4.pmax(c11, low)
    c20 = f32x4.pmax(c20, low), c21 = f32x4.pmax(c21, low)
    c30 = f32x4.pmax(c30, low), c31 = f32x4.pmax(c31, low)
    const out1 = out + out1Step, out2 = out + out2Step, out3 = out1 + out2Step
    v128.store(out3, c30)
    v128.store(out2, c20)
    v128.store(out1, c10)
    v128.store(out, c00)
    if (columns == 8) {
      v128.store(out3, c31, 16)
      v128.store(out2, c21, 16)
      v128.store(out1, c11, 16)
      v128.store(out, c01, 16)
    } else if (columns == 6) {
      v128.store64_lane(out3, c31, 0, 16)
      v128.store64_lane(out2, c21, 0, 16)
      v128.store64_lane(out1, c11, 0, 16)
      v128.store64_lane(out, c01, 0, 16)
    } else if (columns == 7) {
      v128.store64_lane(out3, c31, 0, 16)
      v128.store32_lane(out3, c31, 2, 24)
      v128.store64_lane(out2, c21, 0, 16)
      v128.store32_lane(out2, c21, 2, 24)
      v128.store64_lane(out1, c11, 0, 16)
      v128.store32_lane(out1, c11, 2, 24)
      v128.store64_lane(out, c01, 0, 16)
      v128.store32_lane(out, c01, 2, 24)
    } else {
      v128.store32_lane(out3, c31, 0, 16)
      v128.store32_lane(out2, c21, 0, 16)
      v128.store32_lane(out1, c11, 0, 16)
      v128.store32_lane(out, c01, 0, 16)
    }
    lhs += 2 * lhs2Step
    out += 2 * out2Step
    start += 2 * start2Step
  }
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
  const rhsEnd = rhs + <usize>k * rhsStep
  for (; m > 0; m -= 4) {
    let a = lhs
    const start1 = start + start1Step, start2 = start + start2Step, start3 = start1 + start2Step
    let c00 = v128.load(start), c01 = v128.load(start, 16)
    let c10 = v128.load(start1), c11 = v128.load(start1, 16)
    let c20 = v128.load(start2), c21 = v128.load(start2, 16)
    let c30 = v128.load(start3), c31 = v128.load(start3, 16)
    for (let b = rhs; b != rhsEnd; b += rhsStep) {
      const b0 = v128.load(b), b1 = v128.load(b, 16)
      let s = v128.load32_splat(a)
      c00 = madd(s, b0, c00), c01 = madd(s, b1, c01)
      s = v128.load32_splat(a, 4)
      c10 = madd(s, b0, c10), c11 = madd(s, b1, c11)
      s = v128.load32_splat(a, 8)
      c20 = madd(s, b0, c20), c21 = madd(s, b1, c21)
      s = v128.load32_splat(a, 12)
      c30 = madd(s, b0, c30), c31 = madd(s, b1, c31)
      a += lhsStep
    }
    const low = f32x4.splat(floor)
    c00 = f32x4.pmax(c00, low), c01 = f32x4.pmax(c01, low)
    c10 = f32x4.pmax(c10, low), c11 = f32x4.pmax(c11, low)
    c20 = f32x4.pmax(c20, low), c21 = f32x4.pmax(c21, low)
    c30 = f32x4.pmax(c30, low), c31 = f32x4.pmax(c31, low)
    const out1 = out + out1Step, out2 = out + out2Step, out3 = out1 + out2Step
    v128.store(out3, c30)
    v128.store(out2, c20)
    v128.store(out1, c10)
    v128.store(out, c00)
    if (columns == 8) {
      v128.store(out3, c31, 16)
      v128.store(out2, c21, 16)
      v128.store(out1, c11, 16)
      v128.store(out, c01, 16)
    } else if (columns == 6) {
      v128.store64_lane(out3, c31, 0, 16)
      v128.store64_lane(out2, c21, 0, 16)
      v128.store64_lane(out1, c11, 0, 16)
      v128.store64_lane(out, c01, 0, 16)
    } else if (columns == 7) {
      v128.store64_lane(out3, c31, 0, 16)
      v128.store32_lane(out3, c31, 2, 24)
      v128.store64_lane(out2, c21, 0, 16)
      v128.store32_lane(out2, c21, 2, 24)
      v128.store64_lane(out1, c11, 0, 16)
      v128.store32_lane(out1, c11, 2, 24)
      v128.store64_lane(out, c01, 0, 16)
      v128.store32_lane(out, c01, 2, 24)
    } else {
      v128.store32_lane(out3, c31, 0, 16)
      v128.store32_lane(out2, c21, 0, 16)
      v128.store32_lane(out1, c11, 0, 16)
      v128.store32_lane(out, c01, 0, 16)
    }
    lhs += lhsPanel
    out += 2 * out2Step
    start += 2 * start2Step
  }
}

/** 1 to 4 columns, lhs with neighbouring columns. Half the width, so that a narrow edge costs less. */
export function gemm_4x4_rows_f32(
  out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhs1Step: usize, lhs2Step: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  const rhsEnd = rhs + <usize>k * rhsStep
  for (; m > 0; m -= 4) {
    let a0 = lhs, a1 = lhs + lhs1Step, a2 = lhs + lhs2Step, a3 = a1 + lhs2Step
    const start1 = start + start1Step, start2 = start + start2Step, start3 = start1 + start2Step
    let c0 = v128.load(start)
    let c1 = v128.load(start1)
    let c2 = v128.load(start2)
    let c3 = v128.load(start3)
    for (let b = rhs; b != rhsEnd; b += rhsStep) {
      const b0 = v128.load(b)
      c0 = madd(v128.load32_splat(a0), b0, c0)
      c1 = madd(v128.load32_splat(a1), b0, c1)
      c2 = madd(v128.load32_splat(a2), b0, c2)
      c3 = madd(v128.load32_splat(a3), b0, c3)
      a0 += 4, a1 += 4, a2 += 4, a3 += 4
    }
    const low = f32x4.splat(floor)
    c0 = f32x4.pmax(c0, low)
    c1 = f32x4.pmax(c1, low)
    c2 = f32x4.pmax(c2, low)
    c3 = f32x4.pmax(c3, low)
    const out1 = out + out1Step, out2 = out + out2Step, out3 = out1 + out2Step
    if (columns == 4) {
      v128.store(out3, c3)
      v128.store(out2, c2)
      v128.store(out1, c1)
      v128.store(out, c0)
    } else if (columns == 2) {
      v128.store64_lane(out3, c3, 0)
      v128.store64_lane(out2, c2, 0)
      v128.store64_lane(out1, c1, 0)
      v128.store64_lane(out, c0, 0)
    } else if (columns == 3) {
      v128.store64_lane(out3, c3, 0)
      v128.store32_lane(out3, c3, 2, 8)
      v128.store64_lane(out2, c2, 0)
      v128.store32_lane(out2, c2, 2, 8)
      v128.store64_lane(out1, c1, 0)
      v128.store32_lane(out1, c1, 2, 8)
      v128.store64_lane(out, c0, 0)
      v128.store32_lane(out, c0, 2, 8)
    } else {
      v128.store32_lane(out3, c3, 0)
      v128.store32_lane(out2, c2, 0)
      v128.store32_lane(out1, c1, 0)
      v128.store32_lane(out, c0, 0)
    }
    lhs += 2 * lhs2Step
    out += 2 * out2Step
    start += 2 * start2Step
  }
}

/** 1 to 4 columns, lhs with neighbouring rows. */
export function gemm_4x4_columns_f32(
  out: usize, out1Step: usize, out2Step: usize,
  lhs: usize, lhsStep: usize, lhsPanel: usize, rhs: usize, rhsStep: usize,
  m: i32, k: i32, columns: i32, start: usize, start1Step: usize, start2Step: usize, floor: f32,
): void {
  const rhsEnd = rhs + <usize>k * rhsStep
  for (; m > 0; m -= 4) {
    let a = lhs
    const start1 = start + start1Step, start2 = start + start2Step, start3 = start1 + start2Step
    let c0 = v128.load(start)
    let c1 = v128.load(start1)
    let c2 = v128.load(start2)
    let c3 = v128.load(start3)
    for (let b = rhs; b != rhsEnd; b += rhsStep) {
      const b0 = v128.load(b)
      c0 = madd(v128.load32_splat(a), b0, c0)
      c1 = madd(v128.load32_splat(a, 4), b0, c1)
      c2 = madd(v128.load32_splat(a, 8), b0, c2)
      c3 = madd(v128.load32_splat(a, 12), b0, c3)
      a += lhsStep
    }
    const low = f32x4.splat(floor)
    c0 = f32x4.pmax(c0, low)
    c1 = f32x4.pmax(c1, low)
    c2 = f32x4.pmax(c2, low)
    c3 = f32x4.pmax(c3, low)
    const out1 = out + out1Step, out2 = out + out2Step, out3 = out1 + out2Step
    if (columns == 4) {
      v128.store(out3, c3)
      v128.store(out2, c2)
      v128.store(out1, c1)
      v128.store(out, c0)
    } else if (columns == 2) {
      v128.store64_lane(out3, c3, 0)
      v128.store64_lane(out2, c2, 0)
      v128.store64_lane(out1, c1, 0)
      v128.store64_lane(out, c0, 0)
    } else if (columns == 3) {
      v128.store64_lane(out3, c3, 0)
      v128.store32_lane(out3, c3, 2, 8)
      v128.store64_lane(out2, c2, 0)
      v128.store32_lane(out2, c2, 2, 8)
      v128.store64_lane(out1, c1, 0)
      v128.store32_lane(out1, c1, 2, 8)
      v128.store64_lane(out, c0, 0)
      v128.store32_lane(out, c0, 2, 8)
    } else {
      v128.store32_lane(out3, c3, 0)
      v128.store32_lane(out2, c2, 0)
      v128.store32_lane(out1, c1, 0)
      v128.store32_lane(out, c0, 0)
    }
    lhs += lhsPanel
    out += 2 * out2Step
    start += 2 * start2Step
  }
}
