// Matrix · vector, for both directions of memory. gemm.ts chooses between them.
//
// Common to all: out [count] = rectified(matrix · vector + bias, floor). bias may be 0; it has one element per output if
// biasIsVector, else one for all of them. Steps are in bytes.
import { madd, rectified, storeUpTo4, tailMask } from '../simd'

/** Bias of four neighbouring outputs. */
@inline
function biasOf(bias: usize, biasIsVector: bool, index: usize): v128 {
  if (!bias) return f32x4.splat(0)
  return biasIsVector ? v128.load(bias + index) : v128.load32_splat(bias)
}

/**
 * out[j] = Σₚ vector[p] · matrix[p,j], matrix [k, count] with neighbouring columns, or in strips of eight columns: `strip`
 * is the step from eight columns to the next. Streams rows of the matrix past 24 columns of accumulators; narrow edges take
 * two or four rows at once, so that they also have four independent sums in flight.
 */
export function gemv_columns_f32(
  out: usize, vector: usize, vectorStep: usize, matrix: usize, matrixStep: usize, strip: usize,
  count: i32, k: i32, bias: usize, biasIsVector: bool, floor: f32,
): void {
  const low = f32x4.splat(floor)
  let index: usize = 0
  for (; count >= 24; count -= 24) {
    let c0 = biasOf(bias, biasIsVector, index)
    let c1 = biasOf(bias, biasIsVector, index + 16)
    let c2 = biasOf(bias, biasIsVector, index + 32)
    let c3 = biasOf(bias, biasIsVector, index + 48)
    let c4 = biasOf(bias, biasIsVector, index + 64)
    let c5 = biasOf(bias, biasIsVector, index + 80)
    let v = vector
    let r0 = matrix, r1 = r0 + strip, r2 = r1 + strip
    for (let p = k; p > 0; p--) {
      const s = v128.load32_splat(v)
      c0 = madd(s, v128.load(r0), c0)
      c1 = madd(s, v128.load(r0, 16), c1)
      c2 = madd(s, v128.load(r1), c2)
      c3 = madd(s, v128.load(r1, 16), c3)
      c4 = madd(s, v128.load(r2), c4)
      c5 = madd(s, v128.load(r2, 16), c5)
      v += vectorStep
      r0 += matrixStep, r1 += matrixStep, r2 += matrixStep
    }
    const o = out + index
    v128.store(o, rectified(c0, low))
    v128.store(o, rectified(c1, low), 16)
    v128.store(o, rectified(c2, low), 32)
    v128.store(o, rectified(c3, low), 48)
    v128.store(o, rectified(c4, low), 64)
    v128.store(o, rectified(c5, low), 80)
    index += 96
    matrix += 3 * strip
  }
  for (; count > 4; count -= 8) {
    addColumns8(
      out + index, vector, vectorStep, matrix, matrixStep, k,
      biasOf(bias, biasIsVector, index), biasOf(bias, biasIsVector, index + 16), low, count,
    )
    index += 32
    matrix += strip
  }
  if (count > 0) {
    addColumns4(out + index, vector, vectorStep, matrix, matrixStep, k, biasOf(bias, biasIsVector, index), low, count)
  }
}

/** 5 to 8 columns of gemv_columns_f32, two rows at once; c0 and c1 are the bias. */
@inline
function addColumns8(
  out: usize, vector: usize, vectorStep: usize, matrix: usize, matrixStep: usize, k: i32, c0: v128, c1: v128, low: v128, columns: i32,
): void {
  let d0 = f32x4.splat(0)
  let d1 = d0
  for (; k > 1; k -= 2) {
    const s = v128.load32_splat(vector)
    const next = v128.load32_splat(vector + vectorStep)
    c0 = madd(s, v128.load(matrix), c0)
    c1 = madd(s, v128.load(matrix, 16), c1)
    d0 = madd(next, v128.load(matrix + matrixStep), d0)
    d1 = madd(next, v128.load(matrix + matrixStep, 16), d1)
    vector += 2 * vectorStep
    matrix += 2 * matrixStep
  }
  if (k) {
    const s = v128.load32_splat(vector)
    c0 = madd(s, v128.load(matrix), c0)
    c1 = madd(s, v128.load(matrix, 16), c1)
  }
  v128.store(out, rectified(f32x4.add(c0, d0), low))
  storeUpTo4(out + 16, rectified(f32x4.add(c1, d1), low), columns - 4)
}

/** The last 1 to 4 columns of gemv_columns_f32, four rows at once; c is the bias. */
@inline
function addColumns4(
  out: usize, vector: usize, vectorStep: usize, matrix: usize, matrixStep: usize, k: i32, c: v128, low: v128, columns: i32,
): void {
  let d = f32x4.splat(0)
  let e = d
  let f = d
  for (; k > 3; k -= 4) {
    c = madd(v128.load32_splat(vector), v128.load(matrix), c)
    d = madd(v128.load32_splat(vector + vectorStep), v128.load(matrix + matrixStep), d)
    vector += 2 * vectorStep
    matrix += 2 * matrixStep
    e = madd(v128.load32_splat(vector), v128.load(matrix), e)
    f = madd(v128.load32_splat(vector + vectorStep), v128.load(matrix + matrixStep), f)
    vector += 2 * vectorStep
    matrix += 2 * matrixStep
  }
  for (; k > 0; k--) {
    c = madd(v128.load32_splat(vector), v128.load(matrix), c)
    vector += vectorStep
    matrix += matrixStep
  }
  c = f32x4.add(f32x4.add(c, d), f32x4.add(e, f))
  storeUpTo4(out, rectified(c, low), columns)
}

/**
 * The same for a matrix that does not fit into the second-level cache, count a multiple of 4. Reads it four whole rows
 * at a time, front to back, and keeps the sums in out: columns of tiles would jump a row ahead at every step and wait
 * for memory (1024 × 1024: 180 → 90 to 110 µs).
 */
export function gemv_stream_f32(
  out: usize, vector: usize, vectorStep: usize, matrix: usize, matrixStep: usize,
  count: i32, k: i32, bias: usize, biasIsVector: bool, floor: f32,
): void {
  const bytes = <usize>count * 4
  for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, biasOf(bias, biasIsVector, i))
  for (; k & 3; k--) {
    const s = v128.load32_splat(vector)
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(out + i, madd(s, v128.load(matrix + i), v128.load(out + i)))
    }
    vector += vectorStep
    matrix += matrixStep
  }
  for (; k > 0; k -= 4) {
    const s0 = v128.load32_splat(vector)
    const s1 = v128.load32_splat(vector + vectorStep)
    const s2 = v128.load32_splat(vector + 2 * vectorStep)
    const s3 = v128.load32_splat(vector + 3 * vectorStep)
    let r0 = matrix
    let r1 = matrix + matrixStep
    let r2 = matrix + 2 * matrixStep
    let r3 = matrix + 3 * matrixStep
    let o = out
    for (const end = r0 + bytes; r0 != end; r0 += 16, r1 += 16, r2 += 16, r3 += 16, o += 16) {
      let c = madd(s0, v128.load(r0), v128.load(o))
      c = madd(s1, v128.load(r1), c)
      c = madd(s2, v128.load(r2), c)
      v128.store(o, madd(s3, v128.load(r3), c))
    }
    vector += 4 * vectorStep
    matrix += 4 * matrixStep
  }
  const low = f32x4.splat(floor)
  for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, rectified(v128.load(out + i), low))
}

/** The sums of the lanes of four vectors: halves of pairs first, then quarters. */
@inline
function sumsOf(c0: v128, c1: v128, c2: v128, c3: v128): v128 {
  const t0 = f32x4.add(v128.shuffle<f32>(c0, c1, 0, 4, 1, 5), v128.shuffle<f32>(c0, c1, 2, 6, 3, 7))
  const t1 = f32x4.add(v128.shuffle<f32>(c2, c3, 0, 4, 1, 5), v128.shuffle<f32>(c2, c3, 2, 6, 3, 7))
  return f32x4.add(v128.shuffle<f64>(t0, t1, 0, 2), v128.shuffle<f64>(t0, t1, 1, 3))
}

/**
 * out[i] = Σₚ matrix[i,p] · vector[p], matrix [count, k] and vector with neighbouring p. Computes four dot products at
 * a time and sums them across lanes by one 4×4 transpose. The last k mod 4 elements are masked on both sides, since the
 * bytes after them may be NaN.
 */
export function gemv_rows_f32(
  out: usize, matrix: usize, matrixStep: usize, vector: usize,
  count: i32, k: i32, bias: usize, biasIsVector: bool, floor: f32,
): void {
  const low = f32x4.splat(floor)
  const whole = <usize>(k & ~3) * 4
  const mask = tailMask(k & 3)
  let index: usize = 0
  for (; count > 0; count -= 4) {
    let a0 = matrix
    let a1 = count > 1 ? matrix + matrixStep : matrix
    let a2 = count > 2 ? matrix + 2 * matrixStep : matrix
    let a3 = count > 3 ? matrix + 3 * matrixStep : matrix
    let c0 = f32x4.splat(0)
    let c1 = c0, c2 = c0, c3 = c0
    let v = vector
    for (const end = vector + whole; v != end; v += 16) {
      const x = v128.load(v)
      c0 = madd(x, v128.load(a0), c0)
      c1 = madd(x, v128.load(a1), c1)
      c2 = madd(x, v128.load(a2), c2)
      c3 = madd(x, v128.load(a3), c3)
      a0 += 16, a1 += 16, a2 += 16, a3 += 16
    }
    if (k & 3) {
      const x = v128.and(v128.load(v), mask)
      c0 = madd(x, v128.and(v128.load(a0), mask), c0)
      c1 = madd(x, v128.and(v128.load(a1), mask), c1)
      c2 = madd(x, v128.and(v128.load(a2), mask), c2)
      c3 = madd(x, v128.and(v128.load(a3), mask), c3)
    }
    const sums = sumsOf(c0, c1, c2, c3)
    storeUpTo4(out + index, rectified(f32x4.add(sums, biasOf(bias, biasIsVector, index)), low), count)
    matrix += 4 * matrixStep
    index += 16
  }
}

/**
 * out[i] = Σₚ a[i,p] · b[i,p], a and b [count, k] with neighbouring p, with the bits of `gemv_rows_f32` for each row. Four rows
 * are four independent sums, while one would wait for each of its additions.
 */
export function dot_rows_f32(
  out: usize, a: usize, aStep: usize, b: usize, bStep: usize, count: i32, k: i32, bias: usize, biasIsVector: bool, floor: f32,
): void {
  for (let index: usize = 0; count > 0; count -= 4, index += 16) {
    const second: usize = count > 1 ? 1 : 0, third: usize = count > 2 ? 2 : 0, fourth: usize = count > 3 ? 3 : 0
    let c0 = f32x4.splat(0)
    let c1 = c0, c2 = c0, c3 = c0
    for (let left = k; left > 0; left -= 4) {
      const mask = tailMask(left)
      c0 = madd(v128.and(v128.load(a), mask), v128.and(v128.load(b), mask), c0)
      c1 = madd(v128.and(v128.load(a + second * aStep), mask), v128.and(v128.load(b + second * bStep), mask), c1)
      c2 = madd(v128.and(v128.load(a + third * aStep), mask), v128.and(v128.load(b + third * bStep), mask), c2)
      c3 = madd(v128.and(v128.load(a + fourth * aStep), mask), v128.and(v128.load(b + fourth * bStep), mask), c3)
      a += 16, b += 16
    }
    const sums = f32x4.add(sumsOf(c0, c1, c2, c3), biasOf(bias, biasIsVector, index))
    storeUpTo4(out + index, rectified(sums, f32x4.splat(floor)), count)
    a += 4 * aStep - (<usize>(k + 3 & ~3) << 2)
    b += 4 * bStep - (<usize>(k + 3 & ~3) << 2)
  }
}
