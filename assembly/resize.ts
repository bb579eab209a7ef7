// A separate module for pictures: what src/data/readers/resize/fit-pixels.ts resizes them with, by bilinear interpolation. It places
// everything in this module's memory. The numbers are those of ops.image.resize.

/** The first byte that the caller may use. */
export const FREE: usize = __heap_base

/**
 * Pixels of bytes → numbers times `scale`, rounded to float32 once. Reads and writes up to 12 bytes beyond them.
 * @param columns the pixels, int32
 * @param size bytes of a pixel: 1 is grey, which all channels get
 */
export function gather(samples: usize, size: usize, columns: usize, count: usize, channels: usize, scale: f64, to: usize): void {
  const factor = f64x2.splat(scale)
  for (let i: usize = 0; i < count; i++, to += channels << 2) {
    const at = samples + <usize>load<i32>(columns + (i << 2)) * size
    const bytes = size == 1 ? v128.load8_splat(at) : v128.load32_zero(at)
    const integers = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes))
    let numbers = f32x4.convert_i32x4_u(integers)
    if (scale != 1) numbers = joined(f64x2.mul(lowOf(numbers), factor), f64x2.mul(highOf(numbers), factor))
    v128.store(to, numbers)
  }
}

/**
 * above · near + below · far.
 * @param isFused whether the second product and the sum are rounded together, as by the fused multiply-add of the relaxed binary
 */
export function mixRows(above: usize, near: f32, below: usize, far: f32, count: usize, to: usize, isFused: bool): void {
  const v = f32x4.splat(near), w = f32x4.splat(far)
  for (let i: usize = 0; i < count << 2; i += 16) {
    const a = v128.load(above + i), b = v128.load(below + i)
    v128.store(to + i, isFused ? fused(a, v, b, w) : f32x4.add(f32x4.mul(a, v), f32x4.mul(b, w)))
  }
}

/**
 * The same for pixels beside each other. Writes up to 12 bytes beyond the results.
 * @param pairs for each pixel of the result the two between which it is
 * @param weights of both
 */
export function mixColumns(pairs: usize, weights: usize, count: usize, channels: usize, to: usize, isFused: bool): void {
  const size = channels << 2
  for (let i: usize = 0; i < count; i++, pairs += 2 * size, weights += 8, to += size) {
    const a = v128.load(pairs), b = v128.load(pairs + size)
    const v = v128.load32_splat(weights), w = v128.load32_splat(weights, 4)
    v128.store(to, isFused ? fused(a, v, b, w) : f32x4.add(f32x4.mul(a, v), f32x4.mul(b, w)))
  }
}

@inline
function lowOf(x: v128): v128 {
  return f64x2.promote_low_f32x4(x)
}

@inline
function highOf(x: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(x, x, 2, 3, 2, 3))
}

/** Four numbers in float32. */
@inline
function joined(low: v128, high: v128): v128 {
  return i32x4.shuffle(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5)
}

/** a · v + b · w in float32, rounded after the first product and at the end. */
function fused(a: v128, v: v128, b: v128, w: v128): v128 {
  const first = f32x4.mul(a, v)
  // The product of two float32 numbers is exact in float64, and so is the rounding error of the sum.
  const low = f64x2.add(lowOf(first), f64x2.mul(lowOf(b), lowOf(w)))
  const high = f64x2.add(highOf(first), f64x2.mul(highOf(b), highOf(w)))
  const rounded = joined(low, high)
  if (!v128.any_true(v128.or(halves(low, lowOf(rounded)), halves(high, highOf(rounded))))) return rounded
  v128.store(LANES, a)
  v128.store(LANES, v, 16)
  v128.store(LANES, b, 32)
  v128.store(LANES, w, 48)
  for (let i: usize = LANES; i < LANES + 16; i += 4)
    store<f32>(i, fusedLane(load<f32>(i), load<f32>(i, 16), load<f32>(i, 32), load<f32>(i, 48)))
  return v128.load(LANES)
}

const LANES = memory.data(64, 16)

/** A sum half way between two float32 numbers, `rounded` and another one: the error of the sum decides. */
@inline
function halves(sum: v128, rounded: v128): v128 {
  const rest = f64x2.sub(sum, rounded)
  const other = f64x2.add(rounded, f64x2.add(rest, rest))
  const isNumber = f64x2.eq(f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(other)), other)
  return v128.and(f64x2.ne(rest, f64x2.splat(0)), isNumber)
}

function fusedLane(a: f32, v: f32, b: f32, w: f32): f32 {
  const first = <f64>(a * v)
  const product = <f64>b * <f64>w
  const sum = first + product
  const rounded = <f64><f32>sum
  const rest = sum - rounded
  const other = rounded + 2 * rest
  if (rest == 0 || <f64><f32>other != other) return <f32>rounded
  // Knuth's TwoSum.
  const added = sum - first
  const error = first - (sum - added) + (product - added)
  return <f32>(error == 0 ? rounded : error > 0 == rest > 0 ? other : rounded)
}
