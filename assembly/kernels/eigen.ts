// Eigenvalues and eigenvectors of symmetric matrices, in float64: A = Q T Qᵀ with a tridiagonal T, by reflections, and
// T = Z diag(w) Zᵀ by the QR iteration with Wilkinson's shift; V = Q Z. After Golub and van Loan, "Matrix Computations", 8.3.

import { FACTORIZE_SWEEPS } from '../shared/instructions'
import { WORK, applyReflections, clear, completeFours, copyBytes, inFours, inLines, reflection, setIdentity, storeColumn, strideOf } from './reflections'
import { eigenOfFew } from './jacobi'
import { ROTATION, rotate } from './rotations'
import { dot_f64, scale_f64, subtract_scaled_f64, subtract_two_f64, update_dot_2_f64 } from './vectors-f64'

/** Rows up to which Jacobi's method is faster. */
const FEW_ROWS = 3
/** Sweeps after which a matrix counts as done, per eigenvalue; they take two. */
export const MOST_SWEEPS: i32 = 40
/** What counts as 0 beside a diagonal, relative to it. Results have 24 bits. */
const NEGLIGIBLE: f64 = 1e-12
/** Its square is a normal float64, and it is far below the smallest float32. */
const TINY: f64 = 1e-150

/** Whether `beside` counts as 0 between two elements of a diagonal. */
@inline
export function isNegligible(beside: f64, a: f64, b: f64): bool {
  return abs<f64>(beside) <= NEGLIGIBLE * (abs<f64>(a) + abs<f64>(b)) + TINY
}

/** −1 if the element of largest magnitude is negative, else 1. */
export function signOf(vector: usize, n: i32): f64 {
  let largest: f64 = 0
  for (; n > 0; n--) {
    const value = load<f64>(vector)
    if (abs<f64>(value) > abs<f64>(largest)) largest = value
    vector += 8
  }
  return largest < 0 ? -1 : 1
}

/** order [n]: the places of values, from the smallest to the largest, or with `falls` from the largest. */
export function sortPlaces(order: usize, values: usize, n: i32, falls: bool): void {
  for (let i = 0; i < n; i++) {
    const value = load<f64>(values + (<usize>i << 3))
    let at = order + (<usize>i << 2)
    for (; at > order; at -= 4) {
      const place = load<i32>(at - 4)
      const other = load<f64>(values + (<usize>place << 3))
      if (falls ? other >= value : other <= value) break
      store<i32>(at, place)
    }
    store<i32>(at, i)
  }
}

/**
 * Computes T and the reflections of Q from a symmetric matrix [n, n], which it overwrites. Direction k starts at element k +
 * 1. The matrix has one more row; `vectors` has room for 4 vectors.
 *
 * Each step makes A ← A − v wᵀ − w vᵀ for one reflection. The matrix is read once per step, which also computes A x for the
 * next direction x.
 */
function tridiagonalize(matrix: usize, stride: usize, directions: usize, factors: usize, diagonal: usize, beside: usize, vectors: usize, n: i32): void {
  const w = vectors
  const product = vectors + stride
  let v = product + stride
  clear(vectors, 3 * stride)
  for (let k = 0; k < n; k++) {
    const row = matrix + <usize>k * stride
    const from = <usize>(k & ~1) << 3
    const at = <usize>k << 3
    subtract_two_f64(row + from, w + from, v + from, load<f64>(v + at), load<f64>(w + at), n - (k & ~1))
    store<f64>(diagonal + at, load<f64>(row + at))
    if (k == n - 1) break
    const direction = directions + <usize>k * stride
    copyBytes(direction, row, stride)
    store<f64>(beside + at, reflection(direction, k + 1, n, factors + at))
    // in pairs of rows; the row before the first is no longer needed, nor is the one after the last
    const first = (k + 1) & ~1
    const start = <usize>first << 3
    for (let i = first; i < n; i += 2) {
      const place = <usize>i << 3
      update_dot_2_f64(
        matrix + <usize>i * stride + start, stride, w + start, v + start, v + place, w + place, direction + start, product + place, n - first)
    }
    if (first <= k) store<f64>(product + at, 0)
    // w = f (A v − ½ f (vᵀ A v) v)
    const factor = load<f64>(factors + at)
    const half = 0.5 * factor * dot_f64(product + start, direction + start, n - first)
    clear(w, start)
    copyBytes(w + start, product + start, stride - start)
    subtract_scaled_f64(w + start, direction + start, half, n - first)
    scale_f64(w + start, factor, n - first)
    v = direction
  }
}

/** diagonal [n] ← the eigenvalues of T, whose rotations are applied to the rows of basis. */
function iterate(diagonal: usize, beside: usize, n: i32, basis: usize, stride: usize, sweeps: usize): void {
  let end = sweeps
  const full = sweeps + <usize>(FACTORIZE_SWEEPS * n) * ROTATION
  let last = n - 1
  for (let left = MOST_SWEEPS * n; last > 0 && left > 0; left--) {
    let d = diagonal + (<usize>last << 3)
    let e = beside + (<usize>last << 3) - 8
    // the block [first, last] that does not decompose
    let first = last
    for (; first > 0; first--) {
      if (isNegligible(load<f64>(e), load<f64>(d), load<f64>(d - 8))) break
      d -= 8
      e -= 8
    }
    if (first == last) {
      last--
      left++
      continue
    }
    const count = last - first
    e += 8
    const dEnd = d + (<usize>count << 3)
    const corner = load<f64>(e + (<usize>count << 3) - 8)
    const gap = 0.5 * (load<f64>(dEnd - 8) - load<f64>(dEnd))
    let x = load<f64>(d) - (load<f64>(dEnd) - corner * (corner / (gap + copysign<f64>(sqrt<f64>(gap * gap + corner * corner), gap))))
    let z = load<f64>(e)
    if (end + <usize>(count + 1) * ROTATION > full) {
      rotate(basis, stride, n, sweeps, end)
      end = sweeps
    }
    store<i32>(end, first)
    store<i32>(end, count, 4)
    end += ROTATION
    for (let k = 0; k < count; k++) {
      const r = sqrt<f64>(x * x + z * z)
      const c = r == 0 ? 1 : x / r
      const s = r == 0 ? 0 : z / r
      if (k > 0) store<f64>(e - 8, r)
      const d0 = load<f64>(d)
      const d1 = load<f64>(d, 8)
      const e0 = load<f64>(e)
      const a = c * d0 + s * e0
      const b = c * e0 + s * d1
      store<f64>(d, c * a + s * b)
      x = c * b - s * a
      store<f64>(e, x)
      store<f64>(d, c * (c * d1 - s * e0) - s * (c * e0 - s * d0), 8)
      if (k < count - 1) {
        z = s * load<f64>(e, 8)
        store<f64>(e, c * load<f64>(e, 8), 8)
      }
      store<f64>(end, c)
      store<f64>(end, s, 8)
      end += ROTATION
      d += 8
      e += 8
    }
  }
  rotate(basis, stride, n, sweeps, end)
}

/** values [n], ascending, and vectors [n, n], as columns, of a symmetric input. */
export function eigen(values: usize, vectors: usize, input: usize, n: i32, temporary: usize): void {
  const stride = strideOf(n)
  const directions = temporary + <usize>(n + 1) * stride
  const basis = directions + <usize>inFours(n) * stride
  const diagonal = basis + <usize>n * stride
  const beside = diagonal + stride
  const factors = beside + stride
  const work = factors + inLines(n)
  const sweeps = work + 3 * stride + WORK
  for (let i = 0; i < n; i++) {
    const row = temporary + <usize>i * stride
    for (let j = 0; j < n; j++) store<f64>(row + (<usize>j << 3), <f64>load<f32>(input + (<usize>(i * n + j) << 2)))
    clear(row + (<usize>n << 3), stride - (<usize>n << 3))
  }
  clear(temporary + <usize>n * stride, stride)
  setIdentity(basis, stride, n)
  if (n <= FEW_ROWS) {
    eigenOfFew(temporary, basis, diagonal, stride, n)
  } else {
    tridiagonalize(temporary, stride, directions, factors, diagonal, beside, work, n)
    completeFours(directions, stride, factors, n - 1)
    applyReflections(basis, n, directions, stride, factors, n - 1, n, true, work)
    iterate(diagonal, beside, n, basis, stride, sweeps)
  }
  const order = sweeps
  sortPlaces(order, diagonal, n, false)
  for (let i = 0; i < n; i++) {
    const place = <usize>load<i32>(order + (<usize>i << 2))
    const vector = basis + place * stride
    store<f32>(values + (<usize>i << 2), <f32>load<f64>(diagonal + (place << 3)))
    storeColumn(vectors + (<usize>i << 2), vector, signOf(vector, n), n, n)
  }
}
