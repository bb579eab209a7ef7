// Factorizations of dense matrices, one matrix at a time. Cholesky and LU work in the result, in float32; QR, eigenvalues and
// singular values in float64. Matrices with NaN or infinities have no such factors: all their elements are NaN.

import { Factorization } from '../shared/opcodes'
import { Factorize } from '../shared/instructions'
import { copyWords, fillWords } from '../simd'
import { eigen } from './eigen'
import { isFinite_f32, qr_f64 } from './reflections'
import { singular } from './singular'
import { dot_f32, subtract_4x2_f32, subtract_scaled_f32 } from './vectors'

/** NaN, as bits. */
const NOT_A_NUMBER: i32 = 0x7fc00000

/**
 * L [n, n] from the lower part of input. If input is not positive definite, the rows from the first failure on would be
 * NaN; the whole lower part is set to NaN.
 */
export function cholesky_f32(out: usize, input: usize, n: i32): void {
  const rowSize = <usize>n << 2
  for (let i = 0; i < n; i++) {
    const row = out + <usize>i * rowSize
    const source = input + <usize>i * rowSize
    let other = out
    for (let j = 0; j < i; j++) {
      const at = <usize>j << 2
      store<f32>(row + at, (load<f32>(source + at) - dot_f32(row, other, j)) / load<f32>(other + at))
      other += rowSize
    }
    const diagonal = <usize>i << 2
    store<f32>(row + diagonal, sqrt<f32>(load<f32>(source + diagonal) - dot_f32(row, row, i)))
    fillWords(row + diagonal + 4, 0, n - i - 1)
    // NaN, or 0, by which no later row could be divided
    if (!(load<f32>(row + diagonal) > 0)) {
      for (let j = 0; j < n; j++) {
        fillWords(out + <usize>j * rowSize, NOT_A_NUMBER, j + 1)
        fillWords(out + <usize>j * rowSize + (<usize>(j + 1) << 2), 0, n - j - 1)
      }
      return
    }
  }
}

/** Exchanges two runs of n words. */
function exchangeWords(a: usize, b: usize, n: i32): void {
  for (; n > 0; n--) {
    const held = load<u32>(a)
    store<u32>(a, load<u32>(b))
    store<u32>(b, held)
    a += 4
    b += 4
  }
}

/** The first row from k on whose element of column k is largest in magnitude. */
@inline
function pivotRow(a: usize, rowSize: usize, k: i32, n: i32): i32 {
  const column = <usize>k << 2
  let best = k
  let most = abs<f32>(load<f32>(a + <usize>k * rowSize + column))
  for (let i = k + 1; i < n; i++) {
    const size = abs<f32>(load<f32>(a + <usize>i * rowSize + column))
    if (size > most) {
      most = size
      best = i
    }
  }
  return best
}

/**
 * Replaces a [n, n] by L and U of its reordered rows. A pivot of 0 is left in place. Four columns at a time if n ≥ 16: first the
 * elements of these columns, then four rows of U, and then the rows below, each of which is read and written once per four columns.
 */
export function lu_f32(a: usize, pivots: usize, order: usize, n: i32): void {
  const rowSize = <usize>n << 2
  for (let i = 0; i < n; i++) store<i32>(order + (<usize>i << 2), i)
  const isSmall = n < 16
  const step = isSmall ? 1 : 4
  for (let block = 0; block < n; block += step) {
    const end = min(block + step, n)
    const rest = n - end
    // whether all four pivots divide
    let isWhole = end - block == 4
    for (let k = block; k < end; k++) {
      const row = a + <usize>k * rowSize
      const column = <usize>k << 2
      const best = pivotRow(a, rowSize, k, n)
      store<i32>(pivots + column, best)
      if (best != k) {
        exchangeWords(row, a + <usize>best * rowSize, n)
        exchangeWords(order + column, order + (<usize>best << 2), 1)
      }
      const pivot = load<f32>(row + column)
      if (pivot == 0) {
        isWhole = false
        continue
      }
      const width = <usize>(end - k) << 2
      for (let i = k + 1; i < n; i++) {
        const below = a + <usize>i * rowSize + column
        const factor = load<f32>(below) / pivot
        store<f32>(below, factor)
        if (isSmall) subtract_scaled_f32(below + 4, row + column + 4, factor, n - k - 1)
        else for (let j: usize = 4; j < width; j += 4) store<f32>(below + j, load<f32>(below + j) - factor * load<f32>(row + column + j))
      }
    }
    if (isSmall) continue
    const right = <usize>end << 2
    const first = a + <usize>block * rowSize
    const one = isWhole ? end : n
    for (let i = block + 1; i < one; i++) {
      const row = a + <usize>i * rowSize
      const last = min(i, end)
      for (let k = block; k < last; k++) {
        // a pivot of 0
        if (load<f32>(a + <usize>k * (rowSize + 4)) == 0) continue
        subtract_scaled_f32(row + right, a + <usize>k * rowSize + right, load<f32>(row + (<usize>k << 2)), rest)
      }
    }
    if (!isWhole) continue
    for (let i = end; i < n; i += 2) {
      const row = a + <usize>i * rowSize
      const factors = row + (<usize>block << 2)
      // the last row may be computed twice
      const next: usize = i + 1 < n ? rowSize : 0
      subtract_4x2_f32(row + right, next, first + right, rowSize, factors, rest)
    }
  }
}

// The factors of a matrix that is not finite: NaN, except below the diagonal of R.

function missingQr(q: usize, r: usize, rows: i32, columns: i32, width: i32): void {
  fillWords(q, NOT_A_NUMBER, rows * width)
  for (let i = 0; i < width; i++) {
    const from = min(i, columns)
    const row = r + (<usize>(i * columns) << 2)
    fillWords(row, 0, from)
    fillWords(row + (<usize>from << 2), NOT_A_NUMBER, columns - from)
  }
}

function missingEigen(values: usize, vectors: usize, n: i32): void {
  fillWords(values, NOT_A_NUMBER, n)
  fillWords(vectors, NOT_A_NUMBER, n * n)
}

function missingSingular(left: usize, values: usize, right: usize, rows: i32, columns: i32, width: i32): void {
  fillWords(values, NOT_A_NUMBER, columns)
  if (!left) return
  fillWords(left, NOT_A_NUMBER, rows * width)
  fillWords(right, NOT_A_NUMBER, columns * columns)
}

/** Runs a Factorize. */
export function factorize(instruction: usize, _part: i32, _parts: i32): void {
  let first = load<usize>(instruction, Factorize.first)
  let second = load<usize>(instruction, Factorize.second)
  let third = load<usize>(instruction, Factorize.third)
  let input = load<usize>(instruction, Factorize.input)
  const rows = load<i32>(instruction, Factorize.rows)
  const columns = load<i32>(instruction, Factorize.columns)
  const width = load<i32>(instruction, Factorize.width)
  const factorization: Factorization = load<i32>(instruction, Factorize.factorization)
  const temporary = load<usize>(instruction, Factorize.temporary)
  for (let batch = load<i32>(instruction, Factorize.batch); batch > 0; batch--) {
    switch (factorization) {
      case Factorization.Cholesky:
        cholesky_f32(first, input, rows)
        first += <usize>(rows * rows) << 2
        break
      case Factorization.Lu:
        copyWords(first, input, rows * rows)
        lu_f32(first, second, third, rows)
        first += <usize>(rows * rows) << 2
        second += <usize>rows << 2
        third += <usize>rows << 2
        break
      case Factorization.Qr:
        if (isFinite_f32(input, rows * columns)) qr_f64(first, second, input, rows, columns, width, temporary)
        else missingQr(first, second, rows, columns, width)
        first += <usize>(rows * width) << 2
        second += <usize>(width * columns) << 2
        break
      case Factorization.Eigen:
        if (isFinite_f32(input, rows * rows)) eigen(first, second, input, rows, temporary)
        else missingEigen(first, second, rows)
        first += <usize>rows << 2
        second += <usize>(rows * rows) << 2
        break
      case Factorization.Singular:
        if (isFinite_f32(input, rows * columns)) singular(first, second, third, input, rows, columns, width, temporary)
        else missingSingular(first, second, third, rows, columns, width)
        if (first) first += <usize>(rows * width) << 2
        second += <usize>columns << 2
        third += <usize>(columns * columns) << 2
        break
    }
    input += <usize>(rows * columns) << 2
  }
}
