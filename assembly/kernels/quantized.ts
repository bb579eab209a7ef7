// Products of int8 weights: rows of float32 become int16 within ±127, are multiplied exactly in integers, and the sums are
// scaled. Dense layers and convolutions alike: what a window sees is some runs of neighbouring elements. The results are the
// same on every machine.

import { GEMM_SCRATCH, Quantize, QuantizedProduct, WindowAxis } from '../shared/instructions'
import { Epilogue } from '../shared/opcodes'
import { partEnd, partStart } from '../parts'
import { storeUpTo8 } from '../simd'
import { writePlaces } from './window'

/** The largest integer, and what smaller maxima count as: 0. */
const LARGEST: f32 = 127
const TINY: f32 = 1e-30
/** x + this has ⌊x⌉, to even, in its low bits, for |x| < 2²². */
const ROUNDING: f32 = 12582912
const ROUNDING_BITS: i32 = 0x4b400000

/** Runs a Quantize, or a part of its rows. */
export function quantize(instruction: usize, part: i32, parts: i32): void {
  const rows = load<i32>(instruction, Quantize.rows)
  const columns = load<i32>(instruction, Quantize.columns)
  const fixed = load<usize>(instruction, Quantize.fixed)
  const scales = load<usize>(instruction, Quantize.scales)
  const last = partEnd(rows, 1, part, parts)
  const rowBytes = <usize>columns << 1
  let row = partStart(rows, 1, part, parts)
  let out = load<usize>(instruction, Quantize.out) + <usize>row * rowBytes
  let input = load<usize>(instruction, Quantize.input) + <usize>row * rowBytes * 2
  for (; row < last; row++) {
    const largest = fixed ? load<f32>(fixed) * LARGEST : largest_f32(input, columns)
    const scale = largest / LARGEST
    store<f32>(scales + (<usize>row << 2), scale)
    quantize_row_f32(out, input, columns, largest > TINY ? LARGEST / largest : 0)
    out += rowBytes
    input += rowBytes * 2
  }
}

/** max |x|; NaN counts as more than ∞. */
export function largest_f32(input: usize, n: i32): f32 {
  const magnitude = i32x4.splat(0x7fffffff)
  let low = i32x4.splat(0), high = i32x4.splat(0)
  for (; n >= 8; n -= 8) {
    low = i32x4.max_s(low, v128.and(v128.load(input), magnitude))
    high = i32x4.max_s(high, v128.and(v128.load(input, 16), magnitude))
    input += 32
  }
  low = i32x4.max_s(low, high)
  let most = max(max(i32x4.extract_lane(low, 0), i32x4.extract_lane(low, 1)), max(i32x4.extract_lane(low, 2), i32x4.extract_lane(low, 3)))
  for (; n > 0; n--, input += 4) most = max(most, load<i32>(input) & 0x7fffffff)
  return reinterpret<f32>(most)
}

/** out int16 [n] = ⌊x · factor⌉, to even, within ±127 */
export function quantize_row_f32(out: usize, input: usize, n: i32, factor: f32): void {
  const by = f32x4.splat(factor), most = f32x4.splat(LARGEST), least = f32x4.splat(-LARGEST)
  const rounding = f32x4.splat(ROUNDING), bits = i32x4.splat(ROUNDING_BITS)
  for (; n >= 8; n -= 8) {
    const low = f32x4.add(f32x4.pmax(f32x4.pmin(f32x4.mul(v128.load(input), by), most), least), rounding)
    const high = f32x4.add(f32x4.pmax(f32x4.pmin(f32x4.mul(v128.load(input, 16), by), most), least), rounding)
    v128.store(out, i16x8.narrow_i32x4_s(i32x4.sub(low, bits), i32x4.sub(high, bits)))
    input += 32
    out += 16
  }
  for (; n > 0; n--, input += 4, out += 2) {
    const x = f32x4.add(f32x4.pmax(f32x4.pmin(f32x4.mul(v128.load32_zero(input), by), most), least), rounding)
    store<i16>(out, <i16>(i32x4.extract_lane(x, 0) - ROUNDING_BITS))
  }
}

/** Places of a block: what they see should stay in the first-level cache. */
const MOST_PLACES: i32 = 96
const BLOCK_BYTES: i32 = 20 * 1024

/** Runs a QuantizedProduct, or a part of its places. */
export function quantizedProduct(instruction: usize, part: i32, parts: i32): void {
  const all = load<i32>(instruction, QuantizedProduct.places)
  const first = partStart(all, 4, part, parts), last = partEnd(all, 4, part, parts)
  const channels = load<i32>(instruction, QuantizedProduct.channels)
  if (first >= last || channels <= 0) return
  const rank = load<i32>(instruction, QuantizedProduct.rank)
  const taps = load<i32>(instruction, QuantizedProduct.taps)
  const pairs = (load<i32>(instruction, QuantizedProduct.run) + 1) >> 1
  const input = load<usize>(instruction, QuantizedProduct.input)
  const weights = load<usize>(instruction, QuantizedProduct.weights)
  const weightScales = load<usize>(instruction, QuantizedProduct.weightScales)
  const bias = load<usize>(instruction, QuantizedProduct.bias)
  const scales = load<usize>(instruction, QuantizedProduct.scales)
  const perScale = load<i32>(instruction, QuantizedProduct.perScale)
  const out = load<usize>(instruction, QuantizedProduct.out)
  const floor: f32 = load<i32>(instruction, QuantizedProduct.epilogue) == Epilogue.Relu ? 0 : -Infinity
  const axes = instruction + QuantizedProduct.size, offsets = axes + <usize>rank * WindowAxis.size
  const places = load<usize>(instruction, QuantizedProduct.scratch) + <usize>part * GEMM_SCRATCH
  const placeScales = places + 4 * MOST_PLACES
  const step = <usize>channels << 2
  const depth = taps * pairs
  const stripBytes = <usize>depth << 4
  const block = max(4, min(MOST_PLACES, BLOCK_BYTES / max(4 * depth, 1)) & ~3)
  for (let place = first; place < last; place += block) {
    const height = min(block, last - place)
    writePlaces(places, 0, axes, rank, place, height)
    // four bytes an element become two
    for (let i = 0; i < height; i++) {
      const at = places + (<usize>i << 2)
      store<usize>(at, input + (load<usize>(at) >> 1))
      store<f32>(placeScales + (<usize>i << 2), load<f32>(scales + (<usize>((place + i) / perScale) << 2)))
    }
    const whole = height & ~3, edge = <usize>whole << 2
    let strip = weights
    let to = out + <usize>place * step
    let column: usize = 0
    for (let left = channels; left > 0; left -= 8) {
      const start = bias ? bias + column : 0
      if (whole) quantized_4x8_i8(to, step, places, placeScales, offsets, taps, pairs, strip, weightScales + column, start, whole, left, floor)
      for (let i = whole; i < height; i++) {
        const at = edge + (<usize>(i - whole) << 2)
        quantized_1x8_i8(to + <usize>i * step, load<usize>(places + at), load<f32>(placeScales + at), offsets, taps, pairs, strip, weightScales + column, start, left, floor)
      }
      strip += stripBytes
      to += 32
      column += 32
    }
  }
}

/** sums · scale · scales + bias, at least floor */
@inline
function finished(sums: v128, scale: v128, scales: v128, bias: v128, floor: v128): v128 {
  return f32x4.pmax(f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sums), f32x4.mul(scale, scales)), bias), floor)
}

/**
 * Up to 8 channels of m places, a multiple of 4. Two neighbouring elements of a place are one 32-bit word for all four lanes,
 * their weights for four channels one vector: an instruction makes eight products and adds them in pairs. Weights are read as
 * bytes and widened once for the four places. Two pairs a turn, or weights that are int16 in memory, were no faster.
 */
export function quantized_4x8_i8(
  out: usize, step: usize, places: usize, placeScales: usize, offsets: usize, taps: i32, pairs: i32, weights: usize,
  weightScales: usize, bias: usize, m: i32, columns: i32, floor: f32,
): void {
  const runBytes = <usize>pairs << 4
  const end = offsets + (<usize>taps << 2)
  for (; m > 0; m -= 4) {
    let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0)
    let c20 = i32x4.splat(0), c21 = i32x4.splat(0), c30 = i32x4.splat(0), c31 = i32x4.splat(0)
    let b = weights
    for (let tap = offsets; tap != end; tap += 4) {
      const offset = load<usize>(tap) << 1
      let a0 = load<usize>(places) + offset, a1 = load<usize>(places, 4) + offset
      let a2 = load<usize>(places, 8) + offset, a3 = load<usize>(places, 12) + offset
      const runEnd = b + runBytes
      for (; b != runEnd; b += 16) {
        const b0 = v128.load8x8_s(b), b1 = v128.load8x8_s(b, 8)
        let s = v128.load32_splat(a0)
        c00 = i32x4.add(c00, i32x4.dot_i16x8_s(s, b0)), c01 = i32x4.add(c01, i32x4.dot_i16x8_s(s, b1))
        s = v128.load32_splat(a1)
        c10 = i32x4.add(c10, i32x4.dot_i16x8_s(s, b0)), c11 = i32x4.add(c11, i32x4.dot_i16x8_s(s, b1))
        s = v128.load32_splat(a2)
        c20 = i32x4.add(c20, i32x4.dot_i16x8_s(s, b0)), c21 = i32x4.add(c21, i32x4.dot_i16x8_s(s, b1))
        s = v128.load32_splat(a3)
        c30 = i32x4.add(c30, i32x4.dot_i16x8_s(s, b0)), c31 = i32x4.add(c31, i32x4.dot_i16x8_s(s, b1))
        a0 += 4, a1 += 4, a2 += 4, a3 += 4
      }
    }
    const least = f32x4.splat(floor)
    const w0 = v128.load(weightScales), w1 = v128.load(weightScales, 16)
    const bias0 = bias ? v128.load(bias) : f32x4.splat(0), bias1 = bias ? v128.load(bias, 16) : f32x4.splat(0)
    let s = v128.load32_splat(placeScales)
    storeUpTo8(out, finished(c00, s, w0, bias0, least), finished(c01, s, w1, bias1, least), columns)
    s = v128.load32_splat(placeScales, 4)
    storeUpTo8(out + step, finished(c10, s, w0, bias0, least), finished(c11, s, w1, bias1, least), columns)
    s = v128.load32_splat(placeScales, 8)
    storeUpTo8(out + 2 * step, finished(c20, s, w0, bias0, least), finished(c21, s, w1, bias1, least), columns)
    s = v128.load32_splat(placeScales, 12)
    storeUpTo8(out + 3 * step, finished(c30, s, w0, bias0, least), finished(c31, s, w1, bias1, least), columns)
    places += 16
    placeScales += 16
    out += 4 * step
  }
}

/** Up to 8 channels of one place. Two sums for each, so that an addition need not wait for the one before. */
export function quantized_1x8_i8(
  out: usize, place: usize, scale: f32, offsets: usize, taps: i32, pairs: i32, weights: usize, weightScales: usize, bias: usize,
  columns: i32, floor: f32,
): void {
  let c0 = i32x4.splat(0), c1 = i32x4.splat(0), d0 = i32x4.splat(0), d1 = i32x4.splat(0)
  const end = offsets + (<usize>taps << 2)
  let b = weights
  for (let tap = offsets; tap != end; tap += 4) {
    let a = place + (load<usize>(tap) << 1)
    let left = pairs
    for (; left >= 2; left -= 2) {
      let s = v128.load32_splat(a)
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, v128.load8x8_s(b))), c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, v128.load8x8_s(b, 8)))
      s = v128.load32_splat(a, 4)
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(s, v128.load8x8_s(b, 16))), d1 = i32x4.add(d1, i32x4.dot_i16x8_s(s, v128.load8x8_s(b, 24)))
      a += 8
      b += 32
    }
    if (left > 0) {
      const s = v128.load32_splat(a)
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, v128.load8x8_s(b))), c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, v128.load8x8_s(b, 8)))
      b += 16
    }
  }
  const least = f32x4.splat(floor), s = f32x4.splat(scale)
  const bias0 = bias ? v128.load(bias) : f32x4.splat(0), bias1 = bias ? v128.load(bias, 16) : f32x4.splat(0)
  storeUpTo8(
    out, finished(i32x4.add(c0, d0), s, v128.load(weightScales), bias0, least),
    finished(i32x4.add(c1, d1), s, v128.load(weightScales, 16), bias1, least), columns,
  )
}
