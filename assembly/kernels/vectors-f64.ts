// Loops over float64, the basis of the factorizations in float64. All but the first three work on pairs: addresses of
// elements with an even index, an even length, and zeros in the padding.

import { madd_f64 } from '../simd'

@inline
function sumPair(a: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1)
}

/** Σ a·b over n elements. */
export function dot_f64(a: usize, b: usize, n: i32): f64 {
  let first = f64x2.splat(0)
  let second = f64x2.splat(0)
  for (; n >= 4; n -= 4) {
    first = madd_f64(v128.load(a), v128.load(b), first)
    second = madd_f64(v128.load(a, 16), v128.load(b, 16), second)
    a += 32
    b += 32
  }
  if (n >= 2) {
    first = madd_f64(v128.load(a), v128.load(b), first)
    a += 16
    b += 16
  }
  const sum = sumPair(f64x2.add(first, second))
  return n & 1 ? sum + load<f64>(a) * load<f64>(b) : sum
}

/** target −= factor · source, n elements. */
export function subtract_scaled_f64(target: usize, source: usize, factor: f64, n: i32): void {
  const factors = f64x2.splat(-factor)
  for (; n >= 2; n -= 2) {
    v128.store(target, madd_f64(factors, v128.load(source), v128.load(target)))
    target += 16
    source += 16
  }
  if (n > 0) store<f64>(target, load<f64>(target) - factor * load<f64>(source))
}

/** target *= factor, n elements. */
export function scale_f64(target: usize, factor: f64, n: i32): void {
  const factors = f64x2.splat(factor)
  for (; n >= 2; n -= 2) {
    v128.store(target, f64x2.mul(factors, v128.load(target)))
    target += 16
  }
  if (n > 0) store<f64>(target, factor * load<f64>(target))
}

/** target −= a · x + b · y */
export function subtract_two_f64(target: usize, x: usize, y: usize, a: f64, b: f64, n: i32): void {
  const first = f64x2.splat(-a)
  const second = f64x2.splat(-b)
  for (; n > 0; n -= 2) {
    v128.store(target, madd_f64(first, v128.load(x), madd_f64(second, v128.load(y), v128.load(target))))
    target += 16
    x += 16
    y += 16
  }
}

/** Two rows −= a_i · x + b_i · y; products[i] = row i · z, of the new rows. */
export function update_dot_2_f64(
  row: usize, stride: usize, x: usize, y: usize, a: usize, b: usize, z: usize, products: usize, n: i32,
): void {
  const a0 = f64x2.neg(v128.load64_splat(a))
  const a1 = f64x2.neg(v128.load64_splat(a, 8))
  const b0 = f64x2.neg(v128.load64_splat(b))
  const b1 = f64x2.neg(v128.load64_splat(b, 8))
  let sum0 = f64x2.splat(0)
  let sum1 = f64x2.splat(0)
  let other = row + stride
  for (; n > 0; n -= 2) {
    const left = v128.load(x)
    const right = v128.load(y)
    const factor = v128.load(z)
    const first = madd_f64(a0, left, madd_f64(b0, right, v128.load(row)))
    v128.store(row, first)
    sum0 = madd_f64(first, factor, sum0)
    const second = madd_f64(a1, left, madd_f64(b1, right, v128.load(other)))
    v128.store(other, second)
    sum1 = madd_f64(second, factor, sum1)
    row += 16
    other += 16
    x += 16
    y += 16
    z += 16
  }
  store<f64>(products, sumPair(sum0))
  store<f64>(products, sumPair(sum1), 8)
}

/** Two rows −= a_i · x + b_i · y; sums += c_i · row i, of the new rows. */
export function update_sum_2_f64(
  row: usize, stride: usize, x: usize, y: usize, a: usize, b: usize, c: usize, sums: usize, n: i32,
): void {
  const a0 = f64x2.neg(v128.load64_splat(a))
  const a1 = f64x2.neg(v128.load64_splat(a, 8))
  const b0 = f64x2.neg(v128.load64_splat(b))
  const b1 = f64x2.neg(v128.load64_splat(b, 8))
  const c0 = v128.load64_splat(c)
  const c1 = v128.load64_splat(c, 8)
  let other = row + stride
  for (; n > 0; n -= 2) {
    const left = v128.load(x)
    const right = v128.load(y)
    const first = madd_f64(a0, left, madd_f64(b0, right, v128.load(row)))
    v128.store(row, first)
    const second = madd_f64(a1, left, madd_f64(b1, right, v128.load(other)))
    v128.store(other, second)
    v128.store(sums, madd_f64(c0, first, madd_f64(c1, second, v128.load(sums))))
    row += 16
    other += 16
    x += 16
    y += 16
    sums += 16
  }
}

/** products[i] = row i · x, of four rows. */
export function dot_4_f64(row: usize, stride: usize, x: usize, products: usize, n: i32): void {
  let row1 = row + stride
  let row2 = row1 + stride
  let row3 = row2 + stride
  let sum0 = f64x2.splat(0)
  let sum1 = f64x2.splat(0)
  let sum2 = f64x2.splat(0)
  let sum3 = f64x2.splat(0)
  for (; n > 0; n -= 2) {
    const factor = v128.load(x)
    sum0 = madd_f64(v128.load(row), factor, sum0)
    sum1 = madd_f64(v128.load(row1), factor, sum1)
    sum2 = madd_f64(v128.load(row2), factor, sum2)
    sum3 = madd_f64(v128.load(row3), factor, sum3)
    row += 16
    row1 += 16
    row2 += 16
    row3 += 16
    x += 16
  }
  store<f64>(products, sumPair(sum0))
  store<f64>(products, sumPair(sum1), 8)
  store<f64>(products, sumPair(sum2), 16)
  store<f64>(products, sumPair(sum3), 24)
}

/** products[i] = [direction i · x, direction i · y], of four directions. */
export function dot_4x2_f64(direction: usize, stride: usize, x: usize, y: usize, products: usize, n: i32): void {
  let direction1 = direction + stride
  let direction2 = direction1 + stride
  let direction3 = direction2 + stride
  let x0 = f64x2.splat(0)
  let x1 = f64x2.splat(0)
  let x2 = f64x2.splat(0)
  let x3 = f64x2.splat(0)
  let y0 = f64x2.splat(0)
  let y1 = f64x2.splat(0)
  let y2 = f64x2.splat(0)
  let y3 = f64x2.splat(0)
  for (; n > 0; n -= 2) {
    const left = v128.load(x)
    const right = v128.load(y)
    let factor = v128.load(direction)
    x0 = madd_f64(left, factor, x0)
    y0 = madd_f64(right, factor, y0)
    factor = v128.load(direction1)
    x1 = madd_f64(left, factor, x1)
    y1 = madd_f64(right, factor, y1)
    factor = v128.load(direction2)
    x2 = madd_f64(left, factor, x2)
    y2 = madd_f64(right, factor, y2)
    factor = v128.load(direction3)
    x3 = madd_f64(left, factor, x3)
    y3 = madd_f64(right, factor, y3)
    x += 16
    y += 16
    direction += 16
    direction1 += 16
    direction2 += 16
    direction3 += 16
  }
  v128.store(products, sumPairs(x0, y0))
  v128.store(products, sumPairs(x1, y1), 16)
  v128.store(products, sumPairs(x2, y2), 32)
  v128.store(products, sumPairs(x3, y3), 48)
}

/** [a₀ + a₁, b₀ + b₁] */
@inline
function sumPairs(a: v128, b: v128): v128 {
  return f64x2.add(v128.shuffle<i64>(a, b, 0, 2), v128.shuffle<i64>(a, b, 1, 3))
}

/** [x, y] −= Σ amounts[i] · direction i, of four directions; amounts[i] is a pair. */
export function subtract_4x2_f64(direction: usize, stride: usize, x: usize, y: usize, amounts: usize, n: i32): void {
  let direction1 = direction + stride
  let direction2 = direction1 + stride
  let direction3 = direction2 + stride
  const x0 = f64x2.neg(v128.load64_splat(amounts))
  const y0 = f64x2.neg(v128.load64_splat(amounts, 8))
  const x1 = f64x2.neg(v128.load64_splat(amounts, 16))
  const y1 = f64x2.neg(v128.load64_splat(amounts, 24))
  const x2 = f64x2.neg(v128.load64_splat(amounts, 32))
  const y2 = f64x2.neg(v128.load64_splat(amounts, 40))
  const x3 = f64x2.neg(v128.load64_splat(amounts, 48))
  const y3 = f64x2.neg(v128.load64_splat(amounts, 56))
  for (; n > 0; n -= 2) {
    let left = v128.load(x)
    let right = v128.load(y)
    let factor = v128.load(direction)
    left = madd_f64(x0, factor, left)
    right = madd_f64(y0, factor, right)
    factor = v128.load(direction1)
    left = madd_f64(x1, factor, left)
    right = madd_f64(y1, factor, right)
    factor = v128.load(direction2)
    left = madd_f64(x2, factor, left)
    right = madd_f64(y2, factor, right)
    factor = v128.load(direction3)
    left = madd_f64(x3, factor, left)
    right = madd_f64(y3, factor, right)
    v128.store(x, left)
    v128.store(y, right)
    x += 16
    y += 16
    direction += 16
    direction1 += 16
    direction2 += 16
    direction3 += 16
  }
}
