// Factorizations of small dense matrices, one matrix at a time. Cholesky and LU work in the result, in float32; QR and
// the rotations of rotations.ts in float64.

import { Factorization } from '../shared/opcodes'
import { Factorize } from '../shared/instructions'
import { copyWords, fillWords } from '../simd'
import { eigen, singular } from './rotations'
import { dot_f32, dot_f64, subtract_scaled_f32, subtract_scaled_f64 } from './vectors'

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
    fillWords(row + diagonal + 4, i32x4.splat(0), n - i - 1)
    // NaN, or 0, by which no later row could be divided
    if (!(load<f32>(row + diagonal) > 0)) {
      for (let j = 0; j < n; j++) {
        fillWords(out + <usize>j * rowSize, i32x4.splat(0x7fc00000), j + 1)
        fillWords(out + <usize>j * rowSize + (<usize>(j + 1) << 2), i32x4.splat(0), n - j - 1)
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

/** Replaces a [n, n] by L and U of its reordered rows. A pivot of 0 is left in place. */
export function lu_f32(a: usize, pivots: usize, order: usize, n: i32): void {
  const rowSize = <usize>n << 2
  for (let i = 0; i < n; i++) store<i32>(order + (<usize>i << 2), i)
  for (let k = 0; k < n; k++) {
    const row = a + <usize>k * rowSize
    const column = <usize>k << 2
    let best = k
    let most = abs<f32>(load<f32>(row + column))
    for (let i = k + 1; i < n; i++) {
      const size = abs<f32>(load<f32>(a + <usize>i * rowSize + column))
      if (size > most) {
        most = size
        best = i
      }
    }
    store<i32>(pivots + column, best)
    if (best != k) {
      exchangeWords(row, a + <usize>best * rowSize, n)
      exchangeWords(order + column, order + (<usize>best << 2), 1)
    }
    if (most == 0) continue
    const pivot = load<f32>(row + column)
    for (let i = k + 1; i < n; i++) {
      const below = a + <usize>i * rowSize + column
      const factor = load<f32>(below) / pivot
      store<f32>(below, factor)
      subtract_scaled_f32(below + 4, row + column + 4, factor, n - k - 1)
    }
  }
}

/**
 * The reflection that maps a vector of n ≥ 1 float64 to a multiple of the first unit vector. Stores that multiple in
 * the first element, and in the others the direction of the reflection, whose own first element is 1. Returns the
 * factor of the reflection.
 */
function reflection(x: usize, n: i32): f64 {
  const alpha = load<f64>(x)
  const rest = dot_f64(x + 8, x + 8, n - 1)
  if (rest == 0) return 0
  const beta = -copysign<f64>(sqrt<f64>(alpha * alpha + rest), alpha)
  const scale = 1 / (alpha - beta)
  for (let i = 1; i < n; i++) store<f64>(x + (<usize>i << 3), load<f64>(x + (<usize>i << 3)) * scale)
  store<f64>(x, beta)
  return (beta - alpha) / beta
}

/** Applies a reflection to a vector of n float64. */
function reflect(vector: usize, direction: usize, factor: f64, n: i32): void {
  const amount = factor * (load<f64>(vector) + dot_f64(vector + 8, direction + 8, n - 1))
  store<f64>(vector, load<f64>(vector) - amount)
  subtract_scaled_f64(vector + 8, direction + 8, amount, n - 1)
}

/** QR by Householder reflections; signs as in LAPACK. */
export function qr_f64(q: usize, r: usize, input: usize, rows: i32, columns: i32, width: i32, temporary: usize): void {
  const columnSize = <usize>rows << 3
  const basis = temporary + <usize>columns * columnSize
  const factors = basis + <usize>width * columnSize
  const count = min(rows, columns)
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) store<f64>(temporary + <usize>j * columnSize + (<usize>i << 3), load<f32>(input + (<usize>(i * columns + j) << 2)))
  }
  for (let k = 0; k < count; k++) {
    const from = temporary + <usize>k * (columnSize + 8)
    const factor = reflection(from, rows - k)
    store<f64>(factors + (<usize>k << 3), factor)
    for (let j = k + 1; j < columns; j++) reflect(temporary + <usize>j * columnSize + (<usize>k << 3), from, factor, rows - k)
  }
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < columns; j++) {
      const value: f64 = j < i ? 0 : load<f64>(temporary + <usize>j * columnSize + (<usize>i << 3))
      store<f32>(r + (<usize>(i * columns + j) << 2), <f32>value)
    }
  }
  memory.fill(basis, 0, <usize>width * columnSize)
  for (let j = 0; j < width; j++) store<f64>(basis + <usize>j * (columnSize + 8), 1)
  for (let k = count - 1; k >= 0; k--) {
    const direction = temporary + <usize>k * (columnSize + 8)
    const factor = load<f64>(factors + (<usize>k << 3))
    for (let j = k; j < width; j++) reflect(basis + <usize>j * columnSize + (<usize>k << 3), direction, factor, rows - k)
  }
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) store<f32>(q + (<usize>(i * width + j) << 2), <f32>load<f64>(basis + <usize>j * columnSize + (<usize>i << 3)))
  }
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
        qr_f64(first, second, input, rows, columns, width, temporary)
        first += <usize>(rows * width) << 2
        second += <usize>(width * columns) << 2
        break
      case Factorization.Eigen:
        eigen(first, second, input, rows, temporary)
        first += <usize>rows << 2
        second += <usize>(rows * rows) << 2
        break
      case Factorization.Singular:
        singular(first, second, third, input, rows, columns, width, temporary)
        first += <usize>(rows * width) << 2
        second += <usize>columns << 2
        third += <usize>(columns * columns) << 2
        break
    }
    input += <usize>(rows * columns) << 2
  }
}
