// References of the kernels in factorization.ts and solutions.ts as plain loops over one row-major matrix. Matrices are arrays
// with an offset.

import type { NumericArray } from '../../core/dtypes'

/** Elements of an array, by two indices. */
class Matrix {
  constructor(
    private readonly data: NumericArray,
    private readonly offset: number,
    readonly columns: number,
    private readonly rowStride = columns,
    private readonly columnStride = 1,
  ) {}

  get(i: number, j: number): number {
    return this.data[this.offset + i * this.rowStride + j * this.columnStride]!
  }

  set(i: number, j: number, value: number): void {
    this.data[this.offset + i * this.rowStride + j * this.columnStride] = value
  }

  /** The same elements of a square matrix with rows and columns swapped. */
  transposed(): Matrix {
    return new Matrix(this.data, this.offset, this.columns, this.columnStride, this.rowStride)
  }
}

export const matrixOf = (data: NumericArray, offset: number, columns: number): Matrix =>
  new Matrix(data, offset, columns)

const zeros = (rows: number, columns: number): Matrix => new Matrix(new Float64Array(rows * columns), 0, columns)

function identity(n: number): Matrix {
  const result = zeros(n, n)
  for (let i = 0; i < n; i++) result.set(i, i, 1)
  return result
}

const sumOver = (from: number, to: number, term: (i: number) => number): number => {
  let sum = 0
  for (let i = from; i < to; i++) sum += term(i)
  return sum
}

/** L from the lower triangle of a; its lower triangle is NaN if a is not positive definite. */
export function cholesky(a: Matrix, l: Matrix, n: number): void {
  let isDefinite = true
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const rest = a.get(i, j) - sumOver(0, j, (k) => l.get(i, k) * l.get(j, k))
      l.set(i, j, j < i ? rest / l.get(j, j) : Math.sqrt(rest))
    }
    for (let j = i + 1; j < n; j++) l.set(i, j, 0)
    isDefinite &&= l.get(i, i) > 0
  }
  if (!isDefinite) for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) l.set(i, j, NaN)
}

/** L and U of the rows of a, ordered so that each pivot is the largest of its column. */
export function lu(a: Matrix, packed: Matrix, pivots: NumericArray, order: NumericArray, at: number, n: number): void {
  for (let i = 0; i < n; i++) {
    order[at + i] = i
    for (let j = 0; j < n; j++) packed.set(i, j, a.get(i, j))
  }
  for (let k = 0; k < n; k++) {
    let best = k
    for (let i = k + 1; i < n; i++) if (Math.abs(packed.get(i, k)) > Math.abs(packed.get(best, k))) best = i
    pivots[at + k] = best
    for (let j = 0; j < n; j++) {
      const held = packed.get(k, j)
      packed.set(k, j, packed.get(best, j))
      packed.set(best, j, held)
    }
    const place = order[at + k]!
    order[at + k] = order[at + best]!
    order[at + best] = place
    const pivot = packed.get(k, k)
    if (pivot === 0) continue
    for (let i = k + 1; i < n; i++) {
      const factor = packed.get(i, k) / pivot
      packed.set(i, k, factor)
      for (let j = k + 1; j < n; j++) packed.set(i, j, packed.get(i, j) - factor * packed.get(k, j))
    }
  }
}

/** x [n, columns] ← T⁻¹ x, where t(i, j) returns the elements of T, starting at the first unknown or at the last. */
export function substitute(
  t: (i: number, j: number) => number,
  x: Matrix,
  n: number,
  isLower: boolean,
  isUnit: boolean,
): void {
  const order = Array.from({ length: n }, (_, i) => (isLower ? i : n - 1 - i))
  order.forEach((i, known) => {
    for (let c = 0; c < x.columns; c++) {
      const rest = x.get(i, c) - sumOver(0, known, (k) => t(i, order[k]!) * x.get(order[k]!, c))
      x.set(i, c, isUnit ? rest : rest / t(i, i))
    }
  })
}

/** Whether the factors are NaN, because an element of a is NaN or infinite. */
function allFinite(a: Matrix, rows: number, columns: number): boolean {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) if (!Number.isFinite(a.get(i, j))) return false
  return true
}

function fill(x: Matrix, rows: number, value: (i: number, j: number) => number): void {
  for (let i = 0; i < rows; i++) for (let j = 0; j < x.columns; j++) x.set(i, j, value(i, j))
}

/** Householder QR: q [rows, width], r [width, columns]. */
export function qr(a: Matrix, q: Matrix, r: Matrix, rows: number, columns: number, width: number): void {
  if (!allFinite(a, rows, columns)) {
    fill(q, rows, () => NaN)
    fill(r, width, (i, j) => (j < i ? 0 : NaN))
    return
  }
  const work = zeros(rows, columns)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) work.set(i, j, a.get(i, j))
  const basis = identity(rows)
  for (let k = 0; k < Math.min(rows, columns); k++) {
    const rest = sumOver(k + 1, rows, (i) => work.get(i, k) ** 2)
    // a length far below the smallest float32 counts as 0: its square has lost digits
    if (rest < 1e-280) continue
    const alpha = work.get(k, k)
    const beta = -Math.sqrt(alpha * alpha + rest) * (alpha < 0 || Object.is(alpha, -0) ? -1 : 1)
    const direction = Array.from({ length: rows }, (_, i) => {
      if (i === k) return 1
      return i < k ? 0 : work.get(i, k) / (alpha - beta)
    })
    const factor = (beta - alpha) / beta
    // A ← H A, Q ← Q H
    for (let j = k; j < columns; j++) {
      const amount = factor * sumOver(k, rows, (i) => direction[i]! * work.get(i, j))
      for (let i = k; i < rows; i++) work.set(i, j, work.get(i, j) - amount * direction[i]!)
    }
    for (let i = 0; i < rows; i++) {
      const amount = factor * sumOver(k, rows, (j) => direction[j]! * basis.get(i, j))
      for (let j = k; j < rows; j++) basis.set(i, j, basis.get(i, j) - amount * direction[j]!)
    }
  }
  for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) q.set(i, j, basis.get(i, j))
  for (let i = 0; i < width; i++) for (let j = 0; j < columns; j++) r.set(i, j, j < i ? 0 : work.get(i, j))
}

/** Rotates rows p and q by the angle with tangent t. */
function rotateRows(x: Matrix, p: number, q: number, t: number): void {
  const c = 1 / Math.sqrt(t * t + 1)
  for (let k = 0; k < x.columns; k++) {
    const [a, b] = [x.get(p, k), x.get(q, k)]
    x.set(p, k, c * a - t * c * b)
    x.set(q, k, t * c * a + c * b)
  }
}

const tangent = (a: number, b: number, g: number): number => {
  const ratio = (b - a) / (2 * g)
  return (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.sqrt(ratio * ratio + 1))
}

const rowNumbers = (x: Matrix, i: number): number[] => Array.from({ length: x.columns }, (_, j) => x.get(i, j))
const dot = (a: readonly number[], b: readonly number[]): number => sumOver(0, a.length, (i) => a[i]! * b[i]!)

/** −1 if the element of largest magnitude is negative, else 1. */
function signOf(row: readonly number[]): number {
  return row.reduce((largest, x) => (Math.abs(x) > Math.abs(largest) ? x : largest), 0) < 0 ? -1 : 1
}

const MOST_ROUNDS = 60

/** Jacobi's method: values [n] ascending, vectors [n, n] in columns. */
export function eigen(a: Matrix, values: NumericArray, at: number, vectors: Matrix, n: number): void {
  if (!allFinite(a, n, n)) {
    values.fill(NaN, at, at + n)
    fill(vectors, n, () => NaN)
    return
  }
  const work = zeros(n, n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) work.set(i, j, a.get(i, j))
  const basis = identity(n)
  const below = (): number => sumOver(0, n, (i) => sumOver(0, i, (j) => work.get(i, j) ** 2))
  const all = below() + sumOver(0, n, (i) => work.get(i, i) ** 2)
  for (let round = 0; round < MOST_ROUNDS && below() > 1e-30 * all; round++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const g = work.get(p, q)
        if (g === 0) continue
        const t = tangent(work.get(p, p), work.get(q, q), g)
        // R A Rᵀ
        rotateRows(work, p, q, t)
        rotateRows(work.transposed(), p, q, t)
        rotateRows(basis, p, q, t)
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => work.get(i, i) - work.get(j, j))
  order.forEach((from, i) => {
    values[at + i] = work.get(from, from)
    const row = rowNumbers(basis, from)
    row.forEach((x, k) => vectors.set(k, i, signOf(row) * x))
  })
}

/** A row of norm 1, orthogonal to the rows before it. */
function complete(rows: readonly (readonly number[])[], n: number): number[] {
  const left = Array.from({ length: n }, (_, i) => 1 - sumOver(0, rows.length, (j) => rows[j]![i]! ** 2))
  const best = left.reduce((most, x, i) => (x > left[most]! ? i : most), 0)
  let row = left.map((_, i) => Number(i === best))
  for (let times = 0; times < 2; times++) {
    for (const other of rows) {
      const amount = dot(row, other)
      row = row.map((x, i) => x - amount * other[i]!)
    }
  }
  const length = Math.sqrt(dot(row, row))
  return row.map((x) => x / length)
}

/**
 * One-sided Jacobi: left [rows, width], values [columns] descending, right [columns, columns]. rows ≥ columns. With more rows
 * than columns, it decomposes R of A = Q R, and the last columns of left are columns of Q.
 */
export function singular(
  a: Matrix,
  left: Matrix,
  values: NumericArray,
  at: number,
  right: Matrix,
  rows: number,
  columns: number,
  width: number,
): void {
  if (!allFinite(a, rows, columns)) {
    values.fill(NaN, at, at + columns)
    fill(left, rows, () => NaN)
    fill(right, columns, () => NaN)
    return
  }
  const [q, r] = [zeros(rows, rows), zeros(rows, columns)]
  if (rows === columns) {
    fill(q, rows, (i, j) => Number(i === j))
    fill(r, rows, (i, j) => a.get(i, j))
  } else qr(a, q, r, rows, columns, rows)
  const work = zeros(columns, columns)
  fill(work, columns, (j, i) => r.get(i, j))
  const basis = identity(columns)
  for (let round = 0, turned = true; round < MOST_ROUNDS && turned; round++) {
    turned = false
    for (let p = 0; p < columns; p++) {
      for (let q = p + 1; q < columns; q++) {
        const [x, y] = [rowNumbers(work, p), rowNumbers(work, q)]
        const [lengthX, lengthY, g] = [dot(x, x), dot(y, y), dot(x, y)]
        if (!(Math.abs(g) > 1e-15 * Math.sqrt(lengthX * lengthY))) continue
        const t = tangent(lengthX, lengthY, g)
        rotateRows(work, p, q, t)
        rotateRows(basis, p, q, t)
        turned = true
      }
    }
  }
  const lengths = Array.from({ length: columns }, (_, j) => Math.sqrt(dot(rowNumbers(work, j), rowNumbers(work, j))))
  const order = lengths.map((_, j) => j).sort((i, j) => lengths[j]! - lengths[i]!)
  const found: number[][] = []
  const place = (j: number, sign: number, row: readonly number[]): void =>
    row.forEach((x, i) => left.set(i, j, sign * x))
  const throughQ = (row: readonly number[]): number[] =>
    Array.from({ length: rows }, (_, i) => sumOver(0, columns, (k) => q.get(i, k) * row[k]!))
  order.forEach((from, j) => {
    values[at + j] = lengths[from]!
    const vector = rowNumbers(basis, from)
    const sign = signOf(vector)
    vector.forEach((x, k) => right.set(j, k, sign * x))
    const hasVanished = lengths[from]! <= 1e-12 * lengths[order[0]!]!
    const row = hasVanished ? complete(found, columns) : rowNumbers(work, from).map((x) => x / lengths[from]!)
    found.push(row)
    const whole = throughQ(row)
    place(j, hasVanished ? signOf(whole) : sign, whole)
  })
  for (let j = columns; j < width; j++) for (let i = 0; i < rows; i++) left.set(i, j, q.get(i, j))
}
