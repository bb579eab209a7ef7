// Jacobi's method in float64, which is faster for a few rows: it rotates pairs of rows until all are orthogonal.

import { dot_f64, scale_f64, subtract_scaled_f64 } from './vectors-f64'
import { clear } from './reflections'

/** Rounds over all pairs after which a matrix counts as done; finite matrices take a handful. */
const MOST_ROUNDS = 60
/** Relative to the diagonal, squared and not squared. */
const NEGLIGIBLE: f64 = 1e-30
const ORTHOGONAL: f64 = 1e-15

/** (a, b) ← (c·a − s·b, s·a + c·b), n float64 each. */
export function rotate_f64(a: usize, b: usize, c: f64, s: f64, n: i32): void {
  const cosines = f64x2.splat(c)
  const sines = f64x2.splat(s)
  for (; n >= 2; n -= 2) {
    const x = v128.load(a)
    const y = v128.load(b)
    v128.store(a, f64x2.sub(f64x2.mul(cosines, x), f64x2.mul(sines, y)))
    v128.store(b, f64x2.add(f64x2.mul(sines, x), f64x2.mul(cosines, y)))
    a += 16
    b += 16
  }
  if (n > 0) {
    const x = load<f64>(a)
    const y = load<f64>(b)
    store<f64>(a, c * x - s * y)
    store<f64>(b, s * x + c * y)
  }
}

/** The tangent of the angle that makes [[a, g], [g, b]] diagonal, where ratio = (b − a) / 2g. */
@inline
function tangent(ratio: f64): f64 {
  return copysign<f64>(1, ratio) / (abs<f64>(ratio) + sqrt<f64>(ratio * ratio + 1))
}

/** Makes element (p, q) of a symmetric matrix 0 and rotates the rows of `vectors` along. */
export function jacobi_rotation(matrix: usize, vectors: usize, stride: usize, p: i32, q: i32, n: i32): void {
  const rowP = matrix + <usize>p * stride
  const rowQ = matrix + <usize>q * stride
  const g = load<f64>(rowP + (<usize>q << 3))
  if (g == 0) return
  const a = load<f64>(rowP + (<usize>p << 3))
  const b = load<f64>(rowQ + (<usize>q << 3))
  const t = tangent((b - a) / (2 * g))
  const c = 1 / sqrt<f64>(t * t + 1)
  const s = t * c
  rotate_f64(rowP, rowQ, c, s, n)
  rotate_f64(vectors + <usize>p * stride, vectors + <usize>q * stride, c, s, n)
  // the columns equal the rows, except for the four elements that rotate twice
  let column = matrix
  for (let k = 0; k < n; k++) {
    store<f64>(column + (<usize>p << 3), load<f64>(rowP + (<usize>k << 3)))
    store<f64>(column + (<usize>q << 3), load<f64>(rowQ + (<usize>k << 3)))
    column += stride
  }
  store<f64>(rowP + (<usize>p << 3), a - t * g)
  store<f64>(rowQ + (<usize>q << 3), b + t * g)
  store<f64>(rowP + (<usize>q << 3), 0)
  store<f64>(rowQ + (<usize>p << 3), 0)
}

/** Σ x² over the elements below the diagonal, relative to all; 0 for zeros. */
function offDiagonal(matrix: usize, stride: usize, n: i32): f64 {
  let below: f64 = 0
  let all: f64 = 0
  for (let i = 0; i < n; i++) {
    const row = matrix + <usize>i * stride
    for (let j = 0; j <= i; j++) {
      const value = load<f64>(row + (<usize>j << 3))
      all += value * value
      if (j < i) below += value * value
    }
  }
  return below == 0 ? 0 : below / all
}

/**
 * diagonal ← the eigenvalues of a symmetric matrix; rows of vectors ← the eigenvectors. Before the call, vectors contains the identity
 * matrix.
 */
export function eigenOfFew(matrix: usize, vectors: usize, diagonal: usize, stride: usize, n: i32): void {
  for (let round = 0; round < MOST_ROUNDS && offDiagonal(matrix, stride, n) > NEGLIGIBLE; round++) {
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) jacobi_rotation(matrix, vectors, stride, p, q, n)
    }
  }
  for (let i = 0; i < n; i++) store<f64>(diagonal + (<usize>i << 3), load<f64>(matrix + <usize>i * (stride + 8)))
}

/** Makes two rows orthogonal and rotates the rows of `vectors` along. Returns whether they were not orthogonal. */
export function orthogonalize(p: usize, q: usize, vectorP: usize, vectorQ: usize, n: i32): i32 {
  const a = dot_f64(p, p, n)
  const b = dot_f64(q, q, n)
  const g = dot_f64(p, q, n)
  if (!(abs<f64>(g) > ORTHOGONAL * sqrt<f64>(a * b))) return 0
  const t = tangent((b - a) / (2 * g))
  const c = 1 / sqrt<f64>(t * t + 1)
  rotate_f64(p, q, c, t * c, n)
  rotate_f64(vectorP, vectorQ, c, t * c, n)
  return 1
}

/**
 * Makes the n rows of a matrix orthogonal, by rotations of them and of the rows of vectors, and divides them by their
 * lengths, diagonal [n]. Rows shorter than `vanished` times the longest become any that are orthogonal to the others.
 */
export function singularOfFew(matrix: usize, vectors: usize, diagonal: usize, stride: usize, n: i32, vanished: f64): void {
  for (let round = 0, turned = 1; round < MOST_ROUNDS && turned; round++) {
    turned = 0
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        turned |= orthogonalize(matrix + <usize>p * stride, matrix + <usize>q * stride, vectors + <usize>p * stride, vectors + <usize>q * stride, n)
      }
    }
  }
  let longest: f64 = 0
  for (let i = 0; i < n; i++) {
    const row = matrix + <usize>i * stride
    const length = sqrt<f64>(dot_f64(row, row, n))
    store<f64>(diagonal + (<usize>i << 3), length)
    longest = max(longest, length)
  }
  for (let i = 0; i < n; i++) {
    const row = matrix + <usize>i * stride
    const length = load<f64>(diagonal + (<usize>i << 3))
    // a row of zeros is orthogonal to all
    if (length <= vanished * longest) clear(row, stride)
    else scale_f64(row, 1 / length, n)
  }
  for (let i = 0; i < n; i++) {
    if (load<f64>(diagonal + (<usize>i << 3)) <= vanished * longest) complete(matrix, stride, i, n)
  }
}

/** Replaces row i, of zeros, by one of unit length that is orthogonal to the others, which are that or zeros. */
function complete(rows: usize, stride: usize, i: i32, n: i32): void {
  const row = rows + <usize>i * stride
  // the unit vector that is farthest from them
  let best = 0
  let most: f64 = -1
  for (let k = 0; k < n; k++) {
    let left: f64 = 1
    for (let j = 0; j < n; j++) {
      const value = load<f64>(rows + <usize>j * stride + (<usize>k << 3))
      left -= value * value
    }
    if (left > most) {
      most = left
      best = k
    }
  }
  store<f64>(row + (<usize>best << 3), 1)
  for (let times = 0; times < 2; times++) {
    for (let j = 0; j < n; j++) {
      const other = rows + <usize>j * stride
      if (j != i) subtract_scaled_f64(row, other, dot_f64(row, other, n), n)
    }
  }
  scale_f64(row, 1 / sqrt<f64>(dot_f64(row, row, n)), n)
}
