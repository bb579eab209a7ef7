// Householder reflections I − factor · v vᵀ in float64, and QR. A vector, also a column of a matrix, is a row in memory, with
// zeros up to `strideOf`. Four reflections are applied at once: (I − f₄v₄v₄ᵀ) … (I − f₁v₁v₁ᵀ) c
// = c − Σ aᵢ vᵢ, where aᵢ = fᵢ (vᵢᵀc − Σ_{j<i} vᵢᵀvⱼ aⱼ). So c is read twice for four reflections.

import { FACTORIZE_PADDING } from '../shared/instructions'
import { dot_4x2_f64, dot_f64, scale_f64, subtract_4x2_f64, subtract_scaled_f64 } from './vectors-f64'

/**
 * Bytes from one vector of n elements to the next, at most 8 (n + FACTORIZE_PADDING). For long ones it is an odd number of
 * cache lines, so that neighbours do not share the places of the first-level cache.
 */
export function strideOf(n: i32): usize {
  return n < 32 ? <usize>((n + 1) & ~1) << 3 : <usize>(((n + 7) >> 3) | 1) << 6
}

/** n, up to a multiple of four: the reflections of n vectors. */
@inline
export function inFours(n: i32): i32 {
  return (n + 3) & ~3
}

/** Bytes for the factors of n reflections, in whole cache lines. */
@inline
export function inLines(n: i32): usize {
  return <usize>((inFours(n) + 7) & ~7) << 3
}

/** The square of a length that counts as 0: far below that of the smallest float32, and above squares that lose digits. */
const TINY: f64 = 1e-280

// memory.fill and memory.copy are calls, which take longer than the vectors of small matrices.

/** Clears float64 of this many bytes. */
export function clear(target: usize, bytes: usize): void {
  const end = target + (bytes & ~15)
  for (; target < end; target += 16) v128.store(target, f64x2.splat(0))
  if (bytes & 8) store<f64>(target, 0)
}

/** Copies float64 of this many bytes. */
export function copyBytes(target: usize, source: usize, bytes: usize): void {
  const end = target + (bytes & ~15)
  for (; target < end; target += 16) {
    v128.store(target, v128.load(source))
    source += 16
  }
  if (bytes & 8) store<f64>(target, load<f64>(source))
}

/** Reflections up to which each is applied alone. */
const FEW = 8

/** Bytes that reflectFour needs for 14 numbers. */
export const WORK: usize = 128

/** Whether all of n float32 are finite: an exponent of ones is an infinity or NaN. */
export function isFinite_f32(input: usize, n: i32): bool {
  const exponent = i32x4.splat(0x7f800000)
  let found = i32x4.splat(0)
  for (; n >= 4; n -= 4) {
    found = v128.or(found, i32x4.eq(v128.and(v128.load(input), exponent), exponent))
    input += 16
  }
  let isAll = !v128.any_true(found)
  for (; n > 0; n--) {
    isAll = isAll && (load<u32>(input) & 0x7f800000) != 0x7f800000
    input += 4
  }
  return isAll
}

/** Vectors of float64 from the columns of input [rows, columns]. */
export function loadColumns(vectors: usize, stride: usize, input: usize, rows: i32, columns: i32): void {
  for (let j = 0; j < columns; j++) {
    let source = input + (<usize>j << 2)
    let target = vectors + <usize>j * stride
    for (let i = 0; i < rows; i++) {
      store<f64>(target, <f64>load<f32>(source))
      source += <usize>columns << 2
      target += 8
    }
    clear(target, stride - (<usize>rows << 3))
  }
}

/** output [rows, columns] from vectors that are its columns. */
export function storeColumn(output: usize, vector: usize, factor: f64, rows: i32, columns: i32): void {
  for (; rows > 0; rows--) {
    store<f32>(output, <f32>(factor * load<f64>(vector)))
    output += <usize>columns << 2
    vector += 8
  }
}

export function setIdentity(matrix: usize, stride: usize, n: i32): void {
  clear(matrix, <usize>n * stride)
  for (let i = 0; i < n; i++) store<f64>(matrix + <usize>i * (stride + 8), 1)
}

/**
 * Makes the reflection that maps a vector to a multiple of the unit vector `at`, and leaves the elements before it. Its
 * direction replaces the vector: zeros, 1, and the rest up to n. Stores its factor; returns the multiple.
 */
export function reflection(vector: usize, at: i32, n: i32, factor: usize): f64 {
  const pivot = vector + (<usize>at << 3)
  const count = n - at - 1
  const alpha = load<f64>(pivot)
  const rest = dot_f64(pivot + 8, pivot + 8, count)
  clear(vector, <usize>at << 3)
  store<f64>(pivot, 1)
  if (rest < TINY) {
    store<f64>(factor, 0)
    return alpha
  }
  const beta = -copysign<f64>(sqrt<f64>(alpha * alpha + rest), alpha)
  scale_f64(pivot + 8, 1 / (alpha - beta), count)
  store<f64>(factor, (beta - alpha) / beta)
  return beta
}

/** Applies the reflections `first` … `last` − 1 of directions to one vector of length n. */
function reflectOnce(vector: usize, directions: usize, stride: usize, factors: usize, first: i32, last: i32, n: i32): void {
  for (let k = first; k < last; k++) {
    const from = <usize>k << 3
    const direction = directions + <usize>k * stride + from
    const amount = load<f64>(factors + from) * dot_f64(vector + from, direction, n - k)
    subtract_scaled_f64(vector + from, direction, amount, n - k)
  }
}

/** aᵢ of two vectors at once, from their products with the directions. */
@inline
function amountOf(products: usize, i: usize, factor: usize, other: v128): void {
  v128.store(products + (i << 4), f64x2.mul(v128.load64_splat(factor, 0), f64x2.sub(v128.load(products + (i << 4)), other)))
}

/** vᵢᵀvⱼ · aⱼ */
@inline
function share(gram: usize, place: usize, products: usize, j: usize): v128 {
  return f64x2.mul(v128.load64_splat(gram + (place << 3)), v128.load(products + (j << 4)))
}

/**
 * Applies four reflections from `first`, a multiple of four, to `count` vectors of length n: the first one first, or with
 * `isBackwards` the last one. `work` has WORK bytes.
 */
export function reflectFour(
  vectors: usize, count: i32, directions: usize, stride: usize, factors: usize, first: i32, n: i32, isBackwards: bool, work: usize,
): void {
  const from = <usize>first << 3
  const length = ((n + 1) & ~1) - first
  const direction = directions + <usize>first * stride + from
  const factor = factors + from
  // vᵢᵀvⱼ for (i, j) = (1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2)
  const products = work
  const gram = work + 64
  let place = gram
  for (let i: usize = 1; i < 4; i++) {
    for (let j: usize = 0; j < i; j++) {
      store<f64>(place, dot_f64(direction + i * stride, direction + j * stride, length))
      place += 8
    }
  }
  for (; count > 0; count -= 2) {
    const x = vectors + from
    // the last one may be computed twice
    const y = count > 1 ? x + stride : x
    dot_4x2_f64(direction, stride, x, y, products, length)
    if (isBackwards) {
      amountOf(products, 3, factor + 24, f64x2.splat(0))
      amountOf(products, 2, factor + 16, share(gram, 5, products, 3))
      amountOf(products, 1, factor + 8, f64x2.add(share(gram, 2, products, 2), share(gram, 4, products, 3)))
      amountOf(products, 0, factor, f64x2.add(f64x2.add(share(gram, 0, products, 1), share(gram, 1, products, 2)), share(gram, 3, products, 3)))
    } else {
      amountOf(products, 0, factor, f64x2.splat(0))
      amountOf(products, 1, factor + 8, share(gram, 0, products, 0))
      amountOf(products, 2, factor + 16, f64x2.add(share(gram, 1, products, 0), share(gram, 2, products, 1)))
      amountOf(products, 3, factor + 24, f64x2.add(f64x2.add(share(gram, 3, products, 0), share(gram, 4, products, 1)), share(gram, 5, products, 2)))
    }
    subtract_4x2_f64(direction, stride, x, y, products, length)
    vectors += 2 * stride
  }
}

/** Completes the directions and factors of `count` reflections to a multiple of four, with reflections that do nothing. */
export function completeFours(directions: usize, stride: usize, factors: usize, count: i32): void {
  const missing = inFours(count) - count
  clear(directions + <usize>count * stride, <usize>missing * stride)
  clear(factors + (<usize>count << 3), <usize>missing << 3)
}

/**
 * Vectors ← H₀ H₁ … H_{count−1} vectors. With `isTriangular`, vectors is an identity so far, of which the reflections from
 * i on change only the vectors from i on.
 */
export function applyReflections(
  vectors: usize, width: i32, directions: usize, stride: usize, factors: usize, count: i32, n: i32, isTriangular: bool, work: usize,
): void {
  if (count <= FEW) {
    for (let j = 0; j < width; j++) {
      let k = isTriangular ? min(j, count - 1) : count - 1
      for (; k >= 0; k--) reflectOnce(vectors + <usize>j * stride, directions, stride, factors, k, k + 1, n)
    }
    return
  }
  for (let k = inFours(count) - 4; k >= 0; k -= 4) {
    const skipped = isTriangular ? k : 0
    reflectFour(vectors + <usize>skipped * stride, width - skipped, directions, stride, factors, k, n, true, work)
  }
}

/**
 * QR of vectors [columns] of length rows: R replaces them, with anything below it. directions has space for
 * inFours(count) vectors, factors for as many numbers, count = min(rows, columns). One block of all if there are few columns.
 */
export function triangularize(vectors: usize, directions: usize, stride: usize, factors: usize, rows: i32, columns: i32, work: usize): void {
  const count = min(rows, columns)
  const isSmall = columns <= FEW
  const step = isSmall ? FEW : 4
  if (!isSmall) completeFours(directions, stride, factors, count)
  for (let block = 0; block < count; block += step) {
    const end = min(block + step, count)
    for (let k = block; k < end; k++) {
      const column = vectors + <usize>k * stride
      const direction = directions + <usize>k * stride
      reflectOnce(column, directions, stride, factors, block, k, rows)
      copyBytes(direction, column, stride)
      store<f64>(column + (<usize>k << 3), reflection(direction, k, rows, factors + (<usize>k << 3)))
    }
    if (isSmall) for (let j = end; j < columns; j++) reflectOnce(vectors + <usize>j * stride, directions, stride, factors, block, end, rows)
    else if (end < columns) reflectFour(vectors + <usize>end * stride, columns - end, directions, stride, factors, block, rows, false, work)
  }
}

/** QR; signs as in LAPACK. */
export function qr_f64(q: usize, r: usize, input: usize, rows: i32, columns: i32, width: i32, temporary: usize): void {
  const stride = strideOf(rows)
  const count = min(rows, columns)
  const directions = temporary + <usize>columns * stride
  const basis = directions + <usize>inFours(count) * stride
  const factors = basis + <usize>width * stride
  const work = factors + inLines(count)
  loadColumns(temporary, stride, input, rows, columns)
  triangularize(temporary, directions, stride, factors, rows, columns, work)
  for (let i = 0; i < width; i++) {
    for (let j = 0; j < columns; j++) {
      const value: f64 = j < i ? 0 : load<f64>(temporary + <usize>j * stride + (<usize>i << 3))
      store<f32>(r + (<usize>(i * columns + j) << 2), <f32>value)
    }
  }
  setIdentity(basis, stride, width)
  applyReflections(basis, width, directions, stride, factors, count, rows, true, work)
  for (let j = 0; j < width; j++) storeColumn(q + (<usize>j << 2), basis + <usize>j * stride, 1, rows, width)
}
