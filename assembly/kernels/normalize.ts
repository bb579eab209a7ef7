// Normalization of rows, then the scale and shift of their group, and the gradients. shared/instructions.ts has the
// formulas. A row is read two or three times, which costs little while it is in the first-level cache.

import { partEnd, partStart } from '../parts'
import { Normalize, NormalizeGradient } from '../shared/instructions'
import { fillWords, firstLane, madd, push, storeTail, storeUpTo4, sumLanes, tailMask } from '../simd'

/** sum + x, or sum + (x − mean)² */
@inline
function addTerm(isSquared: bool, sum: v128, x: v128, mean: v128): v128 {
  if (!isSquared) return f32x4.add(sum, x)
  const distance = f32x4.sub(x, mean)
  return madd(distance, distance, sum)
}

/** Σ x, or Σ (x − mean)², of `n` floats in every lane: in runs of 1024, so that long rows lose no precision. */
@inline
function rowSum(isSquared: bool, pointer: usize, n: i32, mean: v128): v128 {
  const zero = f32x4.splat(0)
  let total = zero
  while (n >= 16) {
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero
    const whole = min(n, 1024) & ~15
    for (const end = pointer + (<usize>whole << 2); pointer < end; pointer += 64) {
      a0 = addTerm(isSquared, a0, v128.load(pointer), mean)
      a1 = addTerm(isSquared, a1, v128.load(pointer, 16), mean)
      a2 = addTerm(isSquared, a2, v128.load(pointer, 32), mean)
      a3 = addTerm(isSquared, a3, v128.load(pointer, 48), mean)
    }
    n -= whole
    total = f32x4.add(total, f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)))
  }
  for (; n >= 4; n -= 4) {
    total = addTerm(isSquared, total, v128.load(pointer), mean)
    pointer += 16
  }
  if (n > 0) total = f32x4.add(total, v128.and(addTerm(isSquared, zero, v128.load(pointer), mean), tailMask(n)))
  return sumLanes(total)
}

@inline
function rescaled(hasScale: bool, hasShift: bool, x: usize, scale: usize, shift: usize, mean: v128, inverse: v128): v128 {
  const z = f32x4.mul(f32x4.sub(v128.load(x), mean), inverse)
  if (hasShift) return madd(z, v128.load(scale), v128.load(shift))
  return hasScale ? f32x4.mul(z, v128.load(scale)) : z
}

@inline
function rescaleRow(
  hasScale: bool, hasShift: bool, out: usize, x: usize, scale: usize, shift: usize, n: i32, mean: v128, inverse: v128,
): void {
  for (; n >= 4; n -= 4) {
    v128.store(out, rescaled(hasScale, hasShift, x, scale, shift, mean, inverse))
    out += 16, x += 16, scale += 16, shift += 16
  }
  if (n > 0) storeTail(out, rescaled(hasScale, hasShift, x, scale, shift, mean, inverse), n)
}

// Separate functions, because they are called often enough to be optimised within the first large instruction.

export function sum_row_f32(x: usize, columns: i32): v128 {
  return rowSum(false, x, columns, f32x4.splat(0))
}

export function squares_row_f32(x: usize, columns: i32, mean: v128): v128 {
  return rowSum(true, x, columns, mean)
}

/** out = (x − mean) · inverse · scale + shift. In place safe. */
export function rescale_row_f32(
  out: usize, x: usize, scale: usize, shift: usize, columns: i32, mean: v128, inverse: v128,
): void {
  if (shift) rescaleRow(true, true, out, x, scale, shift, columns, mean, inverse)
  else if (scale) rescaleRow(true, false, out, x, scale, scale, columns, mean, inverse)
  else rescaleRow(false, false, out, x, x, x, columns, mean, inverse)
}

/** Runs a Normalize, or a part of its rows. Four rows share a root and a division. */
export function normalize(instruction: usize, part: i32, parts: i32): void {
  const rows = load<i32>(instruction, Normalize.rows)
  const columns = load<i32>(instruction, Normalize.columns)
  const scale = load<usize>(instruction, Normalize.scale)
  const shift = load<usize>(instruction, Normalize.shift)
  const epsilon = v128.load32_splat(instruction, Normalize.epsilon)
  const isCentered = load<i32>(instruction, Normalize.isCentered)
  const count = f32x4.splat(<f32>columns)
  const all = load<i32>(instruction, Normalize.groups) * rows
  const rowSize = <usize>columns << 2
  const first = partStart(all, 16, part, parts)
  const end = partEnd(all, 16, part, parts)
  let out = load<usize>(instruction, Normalize.out) + <usize>first * rowSize
  let input = load<usize>(instruction, Normalize.input) + <usize>first * rowSize
  const mean = load<usize>(instruction, Normalize.mean)
  const inverse = load<usize>(instruction, Normalize.inverse)
  for (let row = first; row < end; row += 4) {
    const n = min(end - row, 4)
    let means = f32x4.splat(0)
    let squares = means
    // a missing row repeats the last one
    if (isCentered) {
      let x = input
      for (let i = 1; i <= 4; i++) {
        means = push(means, sum_row_f32(x, columns))
        if (i < n) x += rowSize
      }
      means = f32x4.div(means, count)
    }
    let x = input
    for (let i = 1; i <= 4; i++) {
      squares = push(squares, squares_row_f32(x, columns, firstLane(means)))
      means = push(means, means)
      if (i < n) x += rowSize
    }
    let factors = f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(f32x4.div(squares, count), epsilon)))
    storeUpTo4(mean + (<usize>row << 2), means, n)
    storeUpTo4(inverse + (<usize>row << 2), factors, n)
    for (let i = row; i < row + n; i++) {
      const weights = i < rows ? <usize>0 : <usize>(i / rows) * rowSize
      rescale_row_f32(
        out, input, scale ? scale + weights : 0, shift ? shift + weights : 0, columns, firstLane(means), firstLane(factors),
      )
      means = push(means, means)
      factors = push(factors, factors)
      out += rowSize, input += rowSize
    }
  }
}

@inline
function scaled(hasScale: bool, gradient: usize, scale: usize): v128 {
  return hasScale ? f32x4.mul(v128.load(gradient), v128.load(scale)) : v128.load(gradient)
}

/** One row of NormalizeGradient. In place safe. */
@inline
function gradientRow(
  hasScale: bool, out: usize, x: usize, scale: usize, gradient: usize, columns: i32, mean: v128, inverse: v128, isCentered: bool,
): void {
  const zero = f32x4.splat(0)
  let sums = zero, products = zero
  let n = columns
  let at: usize = 0
  while (n >= 4) {
    let a = zero, b = zero
    const whole = min(n, 256) & ~3
    for (const end = at + (<usize>whole << 2); at < end; at += 16) {
      const u = scaled(hasScale, gradient + at, scale + at)
      a = f32x4.add(a, u)
      b = madd(u, f32x4.sub(v128.load(x + at), mean), b)
    }
    n -= whole
    sums = f32x4.add(sums, a)
    products = f32x4.add(products, b)
  }
  if (n > 0) {
    const u = v128.and(scaled(hasScale, gradient + at, scale + at), tailMask(n))
    sums = f32x4.add(sums, u)
    // without the elements after the row, which may be infinite
    products = madd(u, v128.and(f32x4.sub(v128.load(x + at), mean), tailMask(n)), products)
  }
  const share = f32x4.splat(<f32>1 / <f32>columns)
  const middle = isCentered ? f32x4.mul(sumLanes(sums), share) : zero
  // z · mean (u · z) = (x − mean) · inverse² · mean (u · (x − mean))
  const slope = f32x4.mul(f32x4.mul(inverse, inverse), f32x4.mul(sumLanes(products), share))
  n = columns
  for (at = 0; n >= 4; n -= 4) {
    v128.store(out + at, gradientOf(scaled(hasScale, gradient + at, scale + at), x + at, mean, inverse, middle, slope))
    at += 16
  }
  if (n > 0)
    storeUpTo4(out + at, gradientOf(scaled(hasScale, gradient + at, scale + at), x + at, mean, inverse, middle, slope), n)
}

@inline
function gradientOf(u: v128, x: usize, mean: v128, inverse: v128, middle: v128, slope: v128): v128 {
  const distance = f32x4.sub(v128.load(x), mean)
  return f32x4.mul(inverse, f32x4.sub(f32x4.sub(u, middle), f32x4.mul(distance, slope)))
}

export function normalizeGradient_row_f32(
  out: usize, x: usize, scale: usize, gradient: usize, columns: i32, mean: v128, inverse: v128, isCentered: bool,
): void {
  if (scale) gradientRow(true, out, x, scale, gradient, columns, mean, inverse, isCentered)
  else gradientRow(false, out, x, x, gradient, columns, mean, inverse, isCentered)
}

/** Runs a NormalizeGradient, or a part of its rows. */
export function normalizeGradient(instruction: usize, part: i32, parts: i32): void {
  const rows = load<i32>(instruction, Normalize.rows)
  const columns = load<i32>(instruction, Normalize.columns)
  const scale = load<usize>(instruction, Normalize.scale)
  const isCentered = load<i32>(instruction, Normalize.isCentered) != 0
  const all = load<i32>(instruction, Normalize.groups) * rows
  const rowSize = <usize>columns << 2
  const first = partStart(all, 16, part, parts)
  const end = partEnd(all, 16, part, parts)
  let out = load<usize>(instruction, Normalize.out) + <usize>first * rowSize
  let input = load<usize>(instruction, Normalize.input) + <usize>first * rowSize
  let gradient = load<usize>(instruction, NormalizeGradient.gradient) + <usize>first * rowSize
  let mean = load<usize>(instruction, Normalize.mean) + (<usize>first << 2)
  let inverse = load<usize>(instruction, Normalize.inverse) + (<usize>first << 2)
  for (let row = first; row < end; row++) {
    const offset = row < rows ? <usize>0 : <usize>(row / rows) * rowSize
    normalizeGradient_row_f32(
      out, input, scale ? scale + offset : 0, gradient, columns, v128.load32_splat(mean), v128.load32_splat(inverse), isCentered,
    )
    out += rowSize, input += rowSize, gradient += rowSize, mean += 4, inverse += 4
  }
}

/** Rows whose sums are a chain of additions. */
const BLOCK = 256

/** dScale += Σ dy · (x − mean) · inverse and dShift += Σ dy, in sixteen columns of `rows` rows. */
export function addWeights_16_f32(
  dScale: usize, dShift: usize, x: usize, dy: usize, mean: usize, inverse: usize, rows: i32, rowSize: usize,
): void {
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0
  let a0 = t0, a1 = t0, a2 = t0, a3 = t0
  for (; rows > 0; rows--) {
    const m = v128.load32_splat(mean)
    const r = v128.load32_splat(inverse)
    const g0 = v128.load(dy)
    t0 = f32x4.add(t0, g0)
    a0 = madd(g0, f32x4.mul(f32x4.sub(v128.load(x), m), r), a0)
    const g1 = v128.load(dy, 16)
    t1 = f32x4.add(t1, g1)
    a1 = madd(g1, f32x4.mul(f32x4.sub(v128.load(x, 16), m), r), a1)
    const g2 = v128.load(dy, 32)
    t2 = f32x4.add(t2, g2)
    a2 = madd(g2, f32x4.mul(f32x4.sub(v128.load(x, 32), m), r), a2)
    const g3 = v128.load(dy, 48)
    t3 = f32x4.add(t3, g3)
    a3 = madd(g3, f32x4.mul(f32x4.sub(v128.load(x, 48), m), r), a3)
    x += rowSize, dy += rowSize, mean += 4, inverse += 4
  }
  v128.store(dScale, f32x4.add(v128.load(dScale), a0))
  v128.store(dScale, f32x4.add(v128.load(dScale, 16), a1), 16)
  v128.store(dScale, f32x4.add(v128.load(dScale, 32), a2), 32)
  v128.store(dScale, f32x4.add(v128.load(dScale, 48), a3), 48)
  if (dShift) {
    v128.store(dShift, f32x4.add(v128.load(dShift), t0))
    v128.store(dShift, f32x4.add(v128.load(dShift, 16), t1), 16)
    v128.store(dShift, f32x4.add(v128.load(dShift, 32), t2), 32)
    v128.store(dShift, f32x4.add(v128.load(dShift, 48), t3), 48)
  }
}

/** The same in up to four columns. */
export function addWeights_4_f32(
  dScale: usize, dShift: usize, x: usize, dy: usize, mean: usize, inverse: usize, rows: i32, rowSize: usize, width: i32,
): void {
  let t = f32x4.splat(0)
  let a = t
  for (; rows > 0; rows--) {
    const g = v128.load(dy)
    t = f32x4.add(t, g)
    a = madd(g, f32x4.mul(f32x4.sub(v128.load(x), v128.load32_splat(mean)), v128.load32_splat(inverse)), a)
    x += rowSize, dy += rowSize, mean += 4, inverse += 4
  }
  storeUpTo4(dScale, f32x4.add(v128.load(dScale), a), width)
  if (dShift) storeUpTo4(dShift, f32x4.add(v128.load(dShift), t), width)
}

/** Runs a NormalizeWeights, or a part of its columns. */
export function normalizeWeights(instruction: usize, part: i32, parts: i32): void {
  const rows = load<i32>(instruction, Normalize.rows)
  const columns = load<i32>(instruction, Normalize.columns)
  const first = partStart(columns, 16, part, parts)
  const end = partEnd(columns, 16, part, parts)
  const rowSize = <usize>columns << 2
  let dScale = load<usize>(instruction, NormalizeGradient.dScale)
  let dShift = load<usize>(instruction, NormalizeGradient.dShift)
  let x = load<usize>(instruction, Normalize.input)
  let dy = load<usize>(instruction, NormalizeGradient.gradient)
  let mean = load<usize>(instruction, Normalize.mean)
  let inverse = load<usize>(instruction, Normalize.inverse)
  for (let group = load<i32>(instruction, Normalize.groups); group > 0; group--) {
    fillWords(dScale + (<usize>first << 2), 0, end - first)
    if (dShift) fillWords(dShift + (<usize>first << 2), 0, end - first)
    // a block of rows stays in the second-level cache for all its columns
    for (let left = rows; left > 0; left -= BLOCK) {
      const inBlock = min(left, BLOCK)
      let column = first
      for (; column + 16 <= end; column += 16) {
        const at = <usize>column << 2
        addWeights_16_f32(dScale + at, dShift ? dShift + at : 0, x + at, dy + at, mean, inverse, inBlock, rowSize)
      }
      for (; column < end; column += 4) {
        const at = <usize>column << 2
        addWeights_4_f32(
          dScale + at, dShift ? dShift + at : 0, x + at, dy + at, mean, inverse, inBlock, rowSize, end - column,
        )
      }
      x += <usize>inBlock * rowSize
      dy += <usize>inBlock * rowSize
      mean += <usize>inBlock << 2
      inverse += <usize>inBlock << 2
    }
    dScale += rowSize
    if (dShift) dShift += rowSize
  }
}
