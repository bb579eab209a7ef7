// Products and sums of two vectors, the basis of factorizations.

import { madd, nmadd, sumLanes } from '../simd'

/** Σ a·b over n elements. */
export function dot_f32(a: usize, b: usize, n: i32): f32 {
  let first = f32x4.splat(0)
  let second = f32x4.splat(0)
  for (; n >= 8; n -= 8) {
    first = madd(v128.load(a), v128.load(b), first)
    second = madd(v128.load(a, 16), v128.load(b, 16), second)
    a += 32
    b += 32
  }
  let sum = f32x4.extract_lane(sumLanes(f32x4.add(first, second)), 0)
  for (; n > 0; n--) {
    sum += load<f32>(a) * load<f32>(b)
    a += 4
    b += 4
  }
  return sum
}

/** target −= factor · source, n elements. */
export function subtract_scaled_f32(target: usize, source: usize, factor: f32, n: i32): void {
  const factors = f32x4.splat(factor)
  for (; n >= 4; n -= 4) {
    v128.store(target, nmadd(factors, v128.load(source), v128.load(target)))
    target += 16
    source += 16
  }
  for (; n > 0; n--) {
    store<f32>(target, load<f32>(target) - factor * load<f32>(source))
    target += 4
    source += 4
  }
}

/** Two rows, `next` bytes apart, −= Σ factors[j] · source row j, of four; the factors of the second row are as far apart. */
export function subtract_4x2_f32(target: usize, next: usize, source: usize, stride: usize, factors: usize, n: i32): void {
  const a0 = v128.load32_splat(factors)
  const a1 = v128.load32_splat(factors, 4)
  const a2 = v128.load32_splat(factors, 8)
  const a3 = v128.load32_splat(factors, 12)
  const b0 = v128.load32_splat(factors + next)
  const b1 = v128.load32_splat(factors + next, 4)
  const b2 = v128.load32_splat(factors + next, 8)
  const b3 = v128.load32_splat(factors + next, 12)
  let other = target + next
  let source1 = source + stride
  let source2 = source1 + stride
  let source3 = source2 + stride
  for (; n >= 4; n -= 4) {
    let first = v128.load(target)
    let second = v128.load(other)
    let row = v128.load(source)
    first = nmadd(a0, row, first)
    second = nmadd(b0, row, second)
    row = v128.load(source1)
    first = nmadd(a1, row, first)
    second = nmadd(b1, row, second)
    row = v128.load(source2)
    first = nmadd(a2, row, first)
    second = nmadd(b2, row, second)
    row = v128.load(source3)
    first = nmadd(a3, row, first)
    second = nmadd(b3, row, second)
    v128.store(target, first)
    v128.store(other, second)
    target += 16
    other += 16
    source += 16
    source1 += 16
    source2 += 16
    source3 += 16
  }
  for (; n > 0; n--) {
    const first = subtractFour(target, source, stride, a0, a1, a2, a3)
    const second = subtractFour(other, source, stride, b0, b1, b2, b3)
    store<f32>(target, first)
    store<f32>(other, second)
    target += 4
    other += 4
    source += 4
  }
}

@inline
function subtractFour(target: usize, source: usize, stride: usize, a0: v128, a1: v128, a2: v128, a3: v128): f32 {
  let value = load<f32>(target) - f32x4.extract_lane(a0, 0) * load<f32>(source)
  value -= f32x4.extract_lane(a1, 0) * load<f32>(source + stride)
  value -= f32x4.extract_lane(a2, 0) * load<f32>(source + 2 * stride)
  return value - f32x4.extract_lane(a3, 0) * load<f32>(source + 3 * stride)
}
