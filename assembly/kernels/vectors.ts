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
