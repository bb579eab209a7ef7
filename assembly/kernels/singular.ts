// Singular values and vectors, in float64. A tall matrix is reduced to R by QR. M = Aᵀ or Rᵀ, square, is P B Qᵀ with an upper
// bidiagonal B, by reflections, and B = X diag(s) Yᵀ by the QR iteration of Golub and Kahan: A = (Q Y) diag(s) (P X)ᵀ. After
// Golub and van Loan, "Matrix Computations", 8.6.

import { FACTORIZE_SWEEPS } from '../shared/instructions'
import { MOST_SWEEPS, isNegligible, signOf, sortPlaces } from './eigen'
import {
  WORK, applyReflections, clear, completeFours, copyBytes, inFours, inLines, loadColumns, reflection, setIdentity, storeColumn, strideOf, triangularize,
} from './reflections'
import { singularOfFew } from './jacobi'
import { ROTATION, rotate } from './rotations'
import { dot_4_f64, dot_f64, scale_f64, subtract_scaled_f64, subtract_two_f64, update_sum_2_f64 } from './vectors-f64'

/** Columns up to which Jacobi's method is faster. */
const FEW_ROWS = 5
/** Singular values below it, relative to the largest, are rounding errors: the sign of the left vector is free. */
const VANISHED: f64 = 1e-12

/**
 * Computes B and the reflections of P and Q from a matrix [n, n], which it overwrites. The reflections of Q start one element
 * later. The matrix has three more rows; `vectors` has room for 4 vectors and 4 numbers.
 *
 * Each step makes A ← A − u yᵀ − x vᵀ for the reflections u and v of the step before. The matrix is read twice per step:
 * with its update Aᵀu is computed, which v depends on, and then A v.
 */
function bidiagonalize(
  matrix: usize, stride: usize, left: usize, leftFactors: usize, right: usize, rightFactors: usize, diagonal: usize, beside: usize,
  vectors: usize, n: i32,
): void {
  const sums = vectors
  const y = sums + stride
  // zeros before the first step
  let u = y + stride
  let v = u
  // the last, because the products of four rows may exceed it
  const x = u + stride
  clear(vectors, 4 * stride)
  for (let k = 0; k < n; k++) {
    const at = <usize>k << 3
    const first = k & ~1
    const start = <usize>first << 3
    const nextU = left + <usize>k * stride
    // column k
    clear(nextU, stride)
    const yk = load<f64>(y + at)
    const vk = load<f64>(v + at)
    for (let i = k; i < n; i++) {
      const place = <usize>i << 3
      store<f64>(nextU + place, load<f64>(matrix + <usize>i * stride + at) - load<f64>(u + place) * yk - load<f64>(x + place) * vk)
    }
    store<f64>(diagonal + at, reflection(nextU, k, n, leftFactors + at))
    // in pairs of rows; the row before the first is no longer needed, nor is the one after the last
    clear(sums, stride)
    for (let i = first; i < n; i += 2) {
      const place = <usize>i << 3
      update_sum_2_f64(
        matrix + <usize>i * stride + start, stride, y + start, v + start, u + place, x + place, nextU + place, sums + start, n - first)
    }
    scale_f64(sums + start, load<f64>(leftFactors + at), n - first)
    copyBytes(y, sums, stride)
    u = nextU
    if (k == n - 1) break
    // row k: the reflection changes the elements after the diagonal
    const nextV = right + <usize>k * stride
    copyBytes(nextV, matrix + <usize>k * stride, stride)
    subtract_scaled_f64(nextV + at + 8, y + at + 8, 1, n - k - 1)
    store<f64>(beside + at, reflection(nextV, k + 1, n, rightFactors + at))
    v = nextV
    // x = f (A v − u (yᵀ v))
    const factor = load<f64>(rightFactors + at)
    for (let i = k & ~3; i < n; i += 4) {
      dot_4_f64(matrix + <usize>i * stride + start, stride, v + start, x + (<usize>i << 3), n - first)
    }
    subtract_scaled_f64(x + at, u + at, dot_f64(y + at, v + at, n - k), n - k)
    scale_f64(x + at, factor, n - k)
    clear(x, at + 8)
    clear(x + (<usize>n << 3), stride - (<usize>n << 3))
  }
}

/** sqrt(a² + b²) */
@inline
function length(a: f64, b: f64): f64 {
  return sqrt<f64>(a * a + b * b)
}

/** The eigenvalue of the last two rows of BᵀB. B has `count` + 1 rows; its diagonal begins at d, the elements beside it at e. */
@inline
function shiftOf(d: usize, e: usize, count: i32): f64 {
  const dEnd = d + (<usize>count << 3)
  const eEnd = e + (<usize>count << 3)
  const corner = load<f64>(eEnd - 8)
  const low = load<f64>(dEnd)
  const high = load<f64>(dEnd - 8)
  const above = count > 1 ? load<f64>(eEnd - 16) : 0
  const product = high * corner
  const square = low * low + corner * corner
  const gap = 0.5 * (high * high + above * above - square)
  return square - product * (product / (gap + copysign<f64>(length(gap, product), gap)))
}

/**
 * One sweep over the block of `count` + 1 rows of B at d and e: the first rotation turns (y, z) into (r, 0), and the others
 * move the element that it adds beside B down and out of B. Unless `rotations` is 0, the rotations of rows are written there,
 * and the rotations of columns `space` bytes later.
 */
@inline
function chase(d: usize, e: usize, y: f64, z: f64, count: i32, rotations: usize, space: usize): void {
  for (let k = 0; k < count; k++) {
    // columns k, k + 1
    let r = length(y, z)
    let c = r == 0 ? 1 : y / r
    let s = r == 0 ? 0 : z / r
    if (rotations) {
      store<f64>(rotations + space, c)
      store<f64>(rotations + space, s, 8)
    }
    if (k > 0) store<f64>(e - 8, r)
    const d0 = load<f64>(d)
    const d1 = load<f64>(d, 8)
    const e0 = load<f64>(e)
    y = c * d0 + s * e0
    const beyond = c * e0 - s * d0
    z = s * d1
    const low = c * d1
    // rows k, k + 1
    r = length(y, z)
    c = r == 0 ? 1 : y / r
    s = r == 0 ? 0 : z / r
    if (rotations) {
      store<f64>(rotations, c)
      store<f64>(rotations, s, 8)
      rotations += ROTATION
    }
    store<f64>(d, r)
    y = c * beyond + s * low
    store<f64>(e, y)
    store<f64>(d, c * low - s * beyond, 8)
    if (k < count - 1) {
      z = s * load<f64>(e, 8)
      store<f64>(e, c * load<f64>(e, 8), 8)
    }
    d += 8
    e += 8
  }
}

/** diagonal [n] ← the singular values of B, with signs; the rotations of X and Y are applied to the rows of two matrices, if there are any. */
function iterate(diagonal: usize, beside: usize, n: i32, left: usize, right: usize, stride: usize, sweeps: usize): void {
  const space = <usize>(FACTORIZE_SWEEPS * n) * ROTATION
  const hasVectors = left != 0
  let end = sweeps
  let last = n - 1
  for (let remaining = MOST_SWEEPS * n; last > 0 && remaining > 0; remaining--) {
    let d = diagonal + (<usize>last << 3)
    let e = beside + (<usize>last << 3) - 8
    let smallest = abs<f64>(load<f64>(d))
    let largest = smallest
    // the block [first, last] that does not decompose
    let first = last
    for (; first > 0; first--) {
      const other = load<f64>(d - 8)
      if (isNegligible(load<f64>(e), load<f64>(d), other)) break
      smallest = min(smallest, abs<f64>(other))
      largest = max(largest, abs<f64>(other))
      d -= 8
      e -= 8
    }
    if (first == last) {
      last--
      remaining++
      continue
    }
    const count = last - first
    e += 8
    let y = load<f64>(d)
    const z = load<f64>(e)
    // not if B is singular
    if (!isNegligible(smallest, largest, 0)) y -= shiftOf(d, e, count) / y
    if (hasVectors && end + <usize>(count + 1) * ROTATION > sweeps + space) {
      rotate(left, stride, n, sweeps, end)
      rotate(right, stride, n, sweeps + space, end + space)
      end = sweeps
    }
    if (hasVectors) {
      store<i32>(end, first)
      store<i32>(end, count, 4)
      store<i32>(end + space, first)
      store<i32>(end + space, count, 4)
      end += ROTATION
    }
    chase(d, e, y, z, count, hasVectors ? end : 0, space)
    if (hasVectors) end += <usize>count * ROTATION
  }
  if (hasVectors) {
    rotate(left, stride, n, sweeps, end)
    rotate(right, stride, n, sweeps + space, end + space)
  }
}

/** out [n, n] = the product of `count` reflections. */
@inline
function storeReflections(out: usize, stride: usize, directions: usize, factors: usize, count: i32, n: i32, work: usize): void {
  completeFours(directions, stride, factors, count)
  setIdentity(out, stride, n)
  applyReflections(out, n, directions, stride, factors, count, n, true, work)
}

/** target = Rᵀ, of the first n columns of a triangularized matrix. */
@inline
function copyTriangle(target: usize, stride: usize, columns: usize, columnSize: usize, n: i32): void {
  for (let j = 0; j < n; j++) {
    const row = target + <usize>j * stride
    const count = <usize>(j + 1) << 3
    copyBytes(row, columns + <usize>j * columnSize, count)
    clear(row + count, stride - count)
  }
}

/** target = sign · source [n], with zeros up to `size` bytes. */
@inline
function copyRow(target: usize, size: usize, source: usize, n: i32, sign: f64): void {
  copyBytes(target, source, <usize>n << 3)
  clear(target + (<usize>n << 3), size - (<usize>n << 3))
  scale_f64(target, sign, n)
}

/** Makes all values positive. Their signs go to the rows of P, unless it is 0. */
@inline
function makePositive(values: usize, n: i32, p: usize, stride: usize): void {
  for (let j = 0; j < n; j++) {
    const place = values + (<usize>j << 3)
    if (load<f64>(place) >= 0) continue
    store<f64>(place, -load<f64>(place))
    if (p) scale_f64(p + <usize>j * stride, -1, n)
  }
}

/**
 * left [rows, width], values [columns] and right [columns, columns] of input [rows, columns], rows ≥ columns. Only values if
 * left is 0.
 */
export function singular(left: usize, values: usize, right: usize, input: usize, rows: i32, columns: i32, width: i32, temporary: usize): void {
  const n = columns
  const isTall = rows > n
  const stride = strideOf(n), tallStride = strideOf(rows)
  const fours = <usize>inFours(n)
  const factorBytes = inLines(n)
  // of a tall matrix only: A, its reflections, U
  const tallDirections = temporary + <usize>n * tallStride
  const tallFactors = tallDirections + fours * tallStride
  const outer = tallFactors + factorBytes
  const matrix = isTall ? outer + <usize>width * tallStride : temporary
  const leftDirections = matrix + (fours + 4) * stride, rightDirections = leftDirections + fours * stride
  const leftFactors = rightDirections + fours * stride, rightFactors = leftFactors + factorBytes
  const diagonal = rightFactors + factorBytes, beside = diagonal + stride
  const work = beside + stride, sweeps = work + 4 * stride + WORK
  if (isTall) {
    loadColumns(temporary, tallStride, input, rows, n)
    triangularize(temporary, tallDirections, tallStride, tallFactors, rows, n, work)
    copyTriangle(matrix, stride, temporary, tallStride, n)
  } else {
    loadColumns(matrix, stride, input, n, n)
  }
  clear(matrix + <usize>n * stride, (fours + 4 - n) * stride)
  // P and Q; P in the place of the matrix
  let p = matrix
  let q = sweeps + 2 * <usize>(FACTORIZE_SWEEPS * n) * ROTATION
  if (n <= FEW_ROWS) {
    // the rows of the matrix become those of Q Y
    p = q
    q = matrix
    setIdentity(p, stride, n)
    singularOfFew(q, p, diagonal, stride, n, VANISHED)
  } else {
    bidiagonalize(matrix, stride, leftDirections, leftFactors, rightDirections, rightFactors, diagonal, beside, work, n)
    if (left) {
      storeReflections(p, stride, leftDirections, leftFactors, n, n, work)
      storeReflections(q, stride, rightDirections, rightFactors, n - 1, n, work)
    }
    iterate(diagonal, beside, n, left ? p : 0, q, stride, sweeps)
  }
  makePositive(diagonal, n, left ? p : 0, stride)
  const order = sweeps
  sortPlaces(order, diagonal, n, true)
  const least = n ? VANISHED * load<f64>(diagonal + (<usize>load<i32>(order) << 3)) : 0
  for (let j = 0; j < n; j++) {
    const place = <usize>load<i32>(order + (<usize>j << 2))
    const value = load<f64>(diagonal + (place << 3))
    store<f32>(values + (<usize>j << 2), <f32>value)
    if (!left) continue
    const vector = p + place * stride
    const sign = signOf(vector, n)
    for (let k = 0; k < n; k++) store<f32>(right + (<usize>(j * n + k) << 2), <f32>(sign * load<f64>(vector + (<usize>k << 3))))
    const other = q + place * stride
    if (isTall) copyRow(outer + <usize>j * tallStride, tallStride, other, n, sign)
    else storeColumn(left + (<usize>j << 2), other, value <= least ? signOf(other, n) : sign, n, n)
  }
  if (left && isTall) {
    completeLeft(left, outer, width, tallStride, n, rows, diagonal, order, least, tallDirections, tallFactors, work)
  }
}

/**
 * left [rows, width] of a tall matrix: the reflections of its QR, applied to the first n columns of `outer` and to unit
 * vectors.
 */
@inline
function completeLeft(
  left: usize, outer: usize, width: i32, stride: usize, n: i32, rows: i32, values: usize, order: usize, least: f64,
  directions: usize, factors: usize, work: usize,
): void {
  for (let j = n; j < width; j++) {
    clear(outer + <usize>j * stride, stride)
    store<f64>(outer + <usize>j * (stride + 8), 1)
  }
  applyReflections(outer, width, directions, stride, factors, n, rows, false, work)
  for (let j = 0; j < width; j++) {
    const vector = outer + <usize>j * stride
    const hasVanished = j < n && load<f64>(values + (<usize>load<i32>(order + (<usize>j << 2)) << 3)) <= least
    storeColumn(left + (<usize>j << 2), vector, hasVanished ? signOf(vector, rows) : 1, rows, width)
  }
}
