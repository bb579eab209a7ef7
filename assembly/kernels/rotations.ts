// Jacobi rotations, in float64: eigenvalues of symmetric matrices, and singular values. Simple, and accurate for small
// values too. Vectors are rows while they are rotated.

import { dot_f64, subtract_scaled_f64 } from './vectors'

/** Rounds over all pairs after which a matrix counts as done; finite matrices take a handful. */
const MOST_ROUNDS = 60
/** Relative to the diagonal, squared and not squared. */
const NEGLIGIBLE: f64 = 1e-30
const ORTHOGONAL: f64 = 1e-15
/** Singular values below it, relative to the largest, are rounding errors: they have no direction. */
const VANISHED: f64 = 1e-12

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

function setIdentity(matrix: usize, n: i32): void {
  memory.fill(matrix, 0, <usize>(n * n) << 3)
  for (let i = 0; i < n; i++) store<f64>(matrix + (<usize>(i * (n + 1)) << 3), 1)
}

/** Exchanges two runs of n float64. */
function exchange(a: usize, b: usize, n: i32): void {
  for (; n > 0; n--) {
    const held = load<f64>(a)
    store<f64>(a, load<f64>(b))
    store<f64>(b, held)
    a += 8
    b += 8
  }
}

/** −1 when the element of a row that is largest in magnitude is negative, else 1. */
function signOf(row: usize, n: i32): f64 {
  let largest: f64 = 0
  for (let i = 0; i < n; i++) {
    const value = load<f64>(row + (<usize>i << 3))
    if (abs<f64>(value) > abs<f64>(largest)) largest = value
  }
  return largest < 0 ? -1 : 1
}

/** Makes element (p, q) of a symmetric matrix 0 and rotates the rows of `vectors` along. */
export function jacobi_rotation(matrix: usize, vectors: usize, p: i32, q: i32, n: i32): void {
  const rowSize = <usize>n << 3
  const rowP = matrix + <usize>p * rowSize
  const rowQ = matrix + <usize>q * rowSize
  const g = load<f64>(rowP + (<usize>q << 3))
  if (g == 0) return
  const a = load<f64>(rowP + (<usize>p << 3))
  const b = load<f64>(rowQ + (<usize>q << 3))
  const t = tangent((b - a) / (2 * g))
  const c = 1 / sqrt<f64>(t * t + 1)
  const s = t * c
  rotate_f64(rowP, rowQ, c, s, n)
  rotate_f64(vectors + <usize>p * rowSize, vectors + <usize>q * rowSize, c, s, n)
  // the columns equal the rows, except for the four elements that rotate twice
  let column = matrix
  for (let k = 0; k < n; k++) {
    store<f64>(column + (<usize>p << 3), load<f64>(rowP + (<usize>k << 3)))
    store<f64>(column + (<usize>q << 3), load<f64>(rowQ + (<usize>k << 3)))
    column += rowSize
  }
  store<f64>(rowP + (<usize>p << 3), a - t * g)
  store<f64>(rowQ + (<usize>q << 3), b + t * g)
  store<f64>(rowP + (<usize>q << 3), 0)
  store<f64>(rowQ + (<usize>p << 3), 0)
}

/** Σ x² over the elements below the diagonal, relative to all; 0 for zeros. */
function offDiagonal(matrix: usize, n: i32): f64 {
  let below: f64 = 0
  for (let i = 1; i < n; i++) {
    const row = matrix + (<usize>(i * n) << 3)
    below += dot_f64(row, row, i)
  }
  return below == 0 ? 0 : below / dot_f64(matrix, matrix, n * n)
}

/** values [n] and vectors [n, n], as columns, of a symmetric input. */
export function eigen(values: usize, vectors: usize, input: usize, n: i32, temporary: usize): void {
  const basis = temporary + (<usize>(n * n) << 3)
  const rowSize = <usize>n << 3
  for (let i = 0; i < n * n; i++) store<f64>(temporary + (<usize>i << 3), load<f32>(input + (<usize>i << 2)))
  setIdentity(basis, n)
  for (let round = 0; round < MOST_ROUNDS && offDiagonal(temporary, n) > NEGLIGIBLE; round++) {
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) jacobi_rotation(temporary, basis, p, q, n)
    }
  }
  for (let i = 0; i < n; i++) {
    // the smallest of the rest
    let best = i
    for (let j = i + 1; j < n; j++) {
      if (load<f64>(temporary + (<usize>(j * (n + 1)) << 3)) < load<f64>(temporary + (<usize>(best * (n + 1)) << 3))) best = j
    }
    if (best != i) {
      exchange(temporary + (<usize>(i * (n + 1)) << 3), temporary + (<usize>(best * (n + 1)) << 3), 1)
      exchange(basis + <usize>i * rowSize, basis + <usize>best * rowSize, n)
    }
    store<f32>(values + (<usize>i << 2), <f32>load<f64>(temporary + (<usize>(i * (n + 1)) << 3)))
    const sign = signOf(basis + <usize>i * rowSize, n)
    for (let k = 0; k < n; k++) store<f32>(vectors + (<usize>(k * n + i) << 2), <f32>(sign * load<f64>(basis + <usize>i * rowSize + (<usize>k << 3))))
  }
}

/** Makes two rows orthogonal and rotates the rows of `vectors` along. Returns whether they were not orthogonal. */
export function orthogonalize(p: usize, q: usize, length: i32, vectorP: usize, vectorQ: usize, n: i32): i32 {
  const a = dot_f64(p, p, length)
  const b = dot_f64(q, q, length)
  const g = dot_f64(p, q, length)
  if (!(abs<f64>(g) > ORTHOGONAL * sqrt<f64>(a * b))) return 0
  const t = tangent((b - a) / (2 * g))
  const c = 1 / sqrt<f64>(t * t + 1)
  rotate_f64(p, q, c, t * c, length)
  rotate_f64(vectorP, vectorQ, c, t * c, n)
  return 1
}

/** Adds a row of unit length that is orthogonal to the `count` ≤ n − 1 rows before it, each of n float64. */
function complete(rows: usize, count: i32, n: i32): void {
  const rowSize = <usize>n << 3
  const row = rows + <usize>count * rowSize
  // the unit vector that is farthest from them
  let best = 0
  let most: f64 = -1
  for (let i = 0; i < n; i++) {
    let left: f64 = 1
    for (let j = 0; j < count; j++) {
      const value = load<f64>(rows + <usize>j * rowSize + (<usize>i << 3))
      left -= value * value
    }
    if (left > most) {
      most = left
      best = i
    }
  }
  memory.fill(row, 0, rowSize)
  store<f64>(row + (<usize>best << 3), 1)
  for (let times = 0; times < 2; times++) {
    for (let j = 0; j < count; j++) subtract_scaled_f64(row, rows + <usize>j * rowSize, dot_f64(row, rows + <usize>j * rowSize, n), n)
  }
  scale(row, 1 / sqrt<f64>(dot_f64(row, row, n)), n)
}

function scale(row: usize, factor: f64, n: i32): void {
  for (; n > 0; n--) {
    store<f64>(row, load<f64>(row) * factor)
    row += 8
  }
}

/** left [rows, width], values [columns] and right [columns, columns] of input [rows, columns]. */
export function singular(left: usize, values: usize, right: usize, input: usize, rows: i32, columns: i32, width: i32, temporary: usize): void {
  const rowSize = <usize>rows << 3
  const vectorSize = <usize>columns << 3
  const vectors = temporary + <usize>width * rowSize
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) store<f64>(temporary + <usize>j * rowSize + (<usize>i << 3), load<f32>(input + (<usize>(i * columns + j) << 2)))
  }
  setIdentity(vectors, columns)
  for (let round = 0, turned = 1; round < MOST_ROUNDS && turned; round++) {
    turned = 0
    for (let p = 0; p < columns - 1; p++) {
      for (let q = p + 1; q < columns; q++) {
        turned |= orthogonalize(
          temporary + <usize>p * rowSize, temporary + <usize>q * rowSize, rows, vectors + <usize>p * vectorSize, vectors + <usize>q * vectorSize, columns)
      }
    }
  }
  let largest: f64 = 0
  for (let j = 0; j < columns; j++) {
    // the longest of the rest
    let best = j
    let most: f64 = -1
    for (let k = j; k < columns; k++) {
      const size = dot_f64(temporary + <usize>k * rowSize, temporary + <usize>k * rowSize, rows)
      if (!(size <= most)) {
        most = size
        best = k
      }
    }
    const row = temporary + <usize>j * rowSize
    const vector = vectors + <usize>j * vectorSize
    if (best != j) {
      exchange(row, temporary + <usize>best * rowSize, rows)
      exchange(vector, vectors + <usize>best * vectorSize, columns)
    }
    const value = sqrt<f64>(most)
    if (j == 0) largest = value
    store<f32>(values + (<usize>j << 2), <f32>value)
    const sign = signOf(vector, columns)
    for (let k = 0; k < columns; k++) store<f32>(right + (<usize>(j * columns + k) << 2), <f32>(sign * load<f64>(vector + (<usize>k << 3))))
    if (value <= VANISHED * largest) complete(temporary, j, rows)
    else scale(row, sign / value, rows)
  }
  for (let j = columns; j < width; j++) complete(temporary, j, rows)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) store<f32>(left + (<usize>(i * width + j) << 2), <f32>load<f64>(temporary + <usize>j * rowSize + (<usize>i << 3)))
  }
}
