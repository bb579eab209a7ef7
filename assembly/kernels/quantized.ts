// Products of int8 weights: rows of float32 become integers within ±127, are multiplied exactly, and the sums are
// scaled. Dense layers and convolutions work alike: a window is some runs of neighbouring elements. The results are the
// same on every machine.
//
// The integers are bytes if the engine has an instruction that multiplies bytes and adds four products, and int16
// otherwise.

import { GEMM_SCRATCH, QUANTIZED_SUMS, Quantize, QuantizedProduct, QuantizedRow, WindowAxis } from '../shared/instructions'
import { Epilogue } from '../shared/opcodes'
import { partEnd, partStart } from '../parts'
import { dotBytes, storeUpTo4, storeUpTo8, sumPairs } from '../simd'
import { writePlaces } from './window'

/** The largest integer. A maximum up to TINY counts as 0. */
const LARGEST: f32 = 127
const TINY: f32 = 1e-30
/** x + this has ⌊x⌉, to even, in its low bits, for |x| < 2²². */
const ROUNDING: f32 = 12582912
const ROUNDING_BITS: i32 = 0x4b400000

/** How an engine computes `dotBytes` with a second operand above 127. Up to 127 all agree. */
enum Bytes {
  /** The plain binary multiplies no bytes: all rows are int16. */
  None,
  /** Sums of two products saturate at int16 (SSSE3): rows without a negative number are bytes. */
  Cut,
  /** Bytes are signed (ARM). */
  Signed,
  /** Bytes are unsigned (VNNI): 128 is added to each. */
  Unsigned,
}

function bytesOfEngine(): Bytes {
  if (!multipliesBytes()) return Bytes.None
  const sum = i32x4.extract_lane(dotBytes(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0)), 0)
  return sum == -4 * 127 ? Bytes.Signed : sum == 4 * 127 * 255 ? Bytes.Unsigned : Bytes.Cut
}

/**
 * Whether sums are right while many vectors are in use. In the baseline code of V8 11 (Node 20), a product may overwrite
 * the sum to which it is added.
 */
function multipliesBytes(): bool {
  const x = i8x16.splat(127), y = i8x16.splat(3)
  let a = i32x4.splat(1), b = a, c = a, d = a, e = a, f = a, g = a, h = a
  for (let i = 0; i < 2; i++) {
    a = dotBytes(x, y, a), b = dotBytes(x, y, b), c = dotBytes(x, y, c), d = dotBytes(x, y, d)
    e = dotBytes(x, y, e), f = dotBytes(x, y, f), g = dotBytes(x, y, g), h = dotBytes(x, y, h)
  }
  const right = i32x4.splat(1 + 2 * 4 * 127 * 3)
  const wrong = v128.or(
    v128.or(v128.or(v128.xor(a, right), v128.xor(b, right)), v128.or(v128.xor(c, right), v128.xor(d, right))),
    v128.or(v128.or(v128.xor(e, right), v128.xor(f, right)), v128.or(v128.xor(g, right), v128.xor(h, right))),
  )
  return !v128.any_true(wrong)
}

/**
 * Found while the instance starts. V8 optimizes functions one by one: an answer found later could come from optimized
 * code while the kernels below still run baseline code.
 */
const BYTES: Bytes = bytesOfEngine()

/** Runs a Quantize, or a part of its rows. */
export function quantize(instruction: usize, part: i32, parts: i32): void {
  const rows = load<i32>(instruction, Quantize.rows)
  const columns = load<i32>(instruction, Quantize.columns)
  const fixed = load<usize>(instruction, Quantize.fixed)
  const last = partEnd(rows, 1, part, parts)
  const rowBytes = <usize>columns << 1
  let row = partStart(rows, 1, part, parts)
  let out = load<usize>(instruction, Quantize.out) + <usize>row * rowBytes
  let input = load<usize>(instruction, Quantize.input) + <usize>row * rowBytes * 2
  let to = load<usize>(instruction, Quantize.scales) + <usize>row * QuantizedRow.size
  for (; row < last; row++) {
    const largest = fixed ? load<f32>(fixed) * LARGEST : largest_f32(input, columns)
    const factor: f32 = largest > TINY ? LARGEST / largest : 0
    const isBytes = BYTES == Bytes.Cut ? !hasNegative_f32(input, columns) : BYTES != Bytes.None
    store<f32>(to, largest / LARGEST, QuantizedRow.scale)
    store<i32>(to, <i32>isBytes, QuantizedRow.isBytes)
    if (isBytes) quantize_row_i8_f32(out, input, columns, factor, BYTES == Bytes.Unsigned ? 128 : 0)
    else quantize_row_i16_f32(out, input, columns, factor)
    out += rowBytes
    input += rowBytes * 2
    to += QuantizedRow.size
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

/** Whether an x is below 0, or −0. */
function hasNegative_f32(input: usize, n: i32): bool {
  let signs = i32x4.splat(0)
  for (; n >= 4; n -= 4, input += 16) signs = v128.or(signs, v128.load(input))
  for (; n > 0; n--, input += 4) signs = v128.or(signs, v128.load32_zero(input))
  return i32x4.bitmask(signs) != 0
}

/** ⌊x · factor⌉, to even, within ±127, of four x. ∞ · 0 counts as 127. */
@inline
function integers(x: v128, factor: v128): v128 {
  const within = f32x4.pmax(f32x4.pmin(f32x4.splat(LARGEST), f32x4.mul(x, factor)), f32x4.splat(-LARGEST))
  return i32x4.sub(f32x4.add(within, f32x4.splat(ROUNDING)), i32x4.splat(ROUNDING_BITS))
}

/** out int16 [n] = ⌊x · factor⌉ */
export function quantize_row_i16_f32(out: usize, input: usize, n: i32, factor: f32): void {
  const by = f32x4.splat(factor)
  for (; n >= 8; n -= 8) {
    v128.store(out, i16x8.narrow_i32x4_s(integers(v128.load(input), by), integers(v128.load(input, 16), by)))
    input += 32
    out += 16
  }
  for (; n > 0; n--, input += 4, out += 2) store<i16>(out, <i16>i32x4.extract_lane(integers(v128.load32_zero(input), by), 0))
}

/** out bytes [n] = ⌊x · factor⌉ + zero */
export function quantize_row_i8_f32(out: usize, input: usize, n: i32, factor: f32, zero: i32): void {
  const by = f32x4.splat(factor), zeros = i8x16.splat(<i8>zero)
  for (; n >= 16; n -= 16) {
    const low = i16x8.narrow_i32x4_s(integers(v128.load(input), by), integers(v128.load(input, 16), by))
    const high = i16x8.narrow_i32x4_s(integers(v128.load(input, 32), by), integers(v128.load(input, 48), by))
    v128.store(out, i8x16.add(i8x16.narrow_i16x8_s(low, high), zeros))
    input += 64
    out += 16
  }
  for (; n > 0; n--, input += 4, out++) store<i8>(out, <i8>(i32x4.extract_lane(integers(v128.load32_zero(input), by), 0) + zero))
}

/** Places of a block: their windows should stay in the first-level cache. */
const MOST_PLACES: i32 = 96
const BLOCK_BYTES: i32 = 20 * 1024

/**
 * Replaces the float32 offsets in `places` by addresses of integers, and writes the scale of each place. Returns the number of
 * places whose integers are bytes.
 */
@inline
function readRows(
  places: usize, placeScales: usize, input: usize, scales: usize, first: i32, count: i32, perScale: i32, columns: i32,
): i32 {
  let ofBytes = 0
  for (let i = 0; i < count; i++) {
    const row = (first + i) / perScale
    const record = scales + <usize>row * QuantizedRow.size
    const isBytes = load<i32>(record, QuantizedRow.isBytes)
    const at = places + (<usize>i << 2)
    // The space of a row is two bytes per element, of which it may use one.
    store<usize>(at, input + (isBytes ? (load<usize>(at) >> 2) + <usize>row * columns : load<usize>(at) >> 1))
    store<f32>(placeScales + (<usize>i << 2), load<f32>(record, QuantizedRow.scale))
    ofBytes += isBytes
  }
  return ofBytes
}

/** Runs a QuantizedProduct, or a part of its places. */
export function quantizedProduct(instruction: usize, part: i32, parts: i32): void {
  const all = load<i32>(instruction, QuantizedProduct.places)
  const first = partStart(all, 4, part, parts), last = partEnd(all, 4, part, parts)
  const channels = load<i32>(instruction, QuantizedProduct.channels)
  if (first >= last || channels <= 0) return
  const rank = load<i32>(instruction, QuantizedProduct.rank)
  const taps = load<i32>(instruction, QuantizedProduct.taps)
  const quads = (load<i32>(instruction, QuantizedProduct.run) + 3) >> 2
  const input = load<usize>(instruction, QuantizedProduct.input)
  const weights = load<usize>(instruction, QuantizedProduct.weights)
  const weightScales = load<usize>(instruction, QuantizedProduct.weightScales)
  const bias = load<usize>(instruction, QuantizedProduct.bias)
  const scales = load<usize>(instruction, QuantizedProduct.scales)
  const perScale = load<i32>(instruction, QuantizedProduct.perScale)
  const columns = load<i32>(instruction, QuantizedProduct.columns)
  const out = load<usize>(instruction, QuantizedProduct.out)
  const floor: f32 = load<i32>(instruction, QuantizedProduct.epilogue) == Epilogue.Relu ? 0 : -Infinity
  const axes = instruction + QuantizedProduct.size, offsets = axes + <usize>rank * WindowAxis.size
  const places = load<usize>(instruction, QuantizedProduct.scratch) + <usize>part * GEMM_SCRATCH
  const placeScales = places + 4 * MOST_PLACES
  const step = <usize>channels << 2
  const zero = BYTES == Bytes.Unsigned ? 128 : 0
  const depth = taps * quads
  const stripBytes = (<usize>depth << 5) + QUANTIZED_SUMS
  const block = max(4, min(MOST_PLACES, BLOCK_BYTES / max(depth << 3, 1)) & ~3)
  for (let place = first; place < last; place += block) {
    const height = min(block, last - place)
    writePlaces(places, 0, axes, rank, place, height)
    const ofBytes = readRows(places, placeScales, input, scales, place, height, perScale, columns)
    // If a block has rows of both kinds, its places are multiplied one by one.
    const whole = ofBytes == 0 || ofBytes == height ? height & ~3 : 0
    let strip = weights
    let to = out + <usize>place * step
    let column: usize = 0
    for (let left = channels; left > 0; left -= 8) {
      const start = bias ? bias + column : 0
      const scale = weightScales + column
      if (whole) {
        if (ofBytes) quantized_4x8_i8(to, step, places, placeScales, offsets, taps, quads, strip, scale, start, whole, left, floor, zero)
        else quantized_4x8_i16(to, step, places, placeScales, offsets, taps, quads, strip, scale, start, whole, left, floor)
      }
      for (let i = whole; i < height; i++) {
        const at = <usize>i << 2
        const seen = load<usize>(places + at), seenScale = load<f32>(placeScales + at)
        if (load<i32>(scales + <usize>((place + i) / perScale) * QuantizedRow.size, QuantizedRow.isBytes)) {
          quantized_1x8_i8(to + <usize>i * step, seen, seenScale, offsets, taps, quads, strip, scale, start, left, floor, zero)
        } else {
          quantized_1x8_i16(to + <usize>i * step, seen, seenScale, offsets, taps, quads, strip, scale, start, left, floor)
        }
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

// Weights are in groups of four neighbouring elements for each of 8 channels. The integers of a place are one word for
// all lanes, so that one instruction serves four channels.

/** Up to 8 channels of m places, a multiple of 4, whose integers are bytes: sixteen products per instruction. */
export function quantized_4x8_i8(
  out: usize, step: usize, places: usize, placeScales: usize, offsets: usize, taps: i32, quads: i32, weights: usize,
  weightScales: usize, bias: usize, m: i32, columns: i32, floor: f32, zero: i32,
): void {
  const runBytes = <usize>quads << 5
  const end = offsets + (<usize>taps << 2)
  // Σ (q + zero) w = Σ q w + zero Σ w
  const start0 = i32x4.mul(v128.load(weights), i32x4.splat(-zero)), start1 = i32x4.mul(v128.load(weights, 16), i32x4.splat(-zero))
  for (; m > 0; m -= 4) {
    let c00 = start0, c01 = start1, c10 = start0, c11 = start1, c20 = start0, c21 = start1, c30 = start0, c31 = start1
    let b = weights + QUANTIZED_SUMS
    for (let tap = offsets; tap != end; tap += 4) {
      const offset = load<usize>(tap)
      let a0 = load<usize>(places) + offset, a1 = load<usize>(places, 4) + offset
      let a2 = load<usize>(places, 8) + offset, a3 = load<usize>(places, 12) + offset
      const runEnd = b + runBytes
      for (; b != runEnd; b += 32) {
        const b0 = v128.load(b), b1 = v128.load(b, 16)
        let s = v128.load32_splat(a0)
        c00 = dotBytes(b0, s, c00), c01 = dotBytes(b1, s, c01)
        s = v128.load32_splat(a1)
        c10 = dotBytes(b0, s, c10), c11 = dotBytes(b1, s, c11)
        s = v128.load32_splat(a2)
        c20 = dotBytes(b0, s, c20), c21 = dotBytes(b1, s, c21)
        s = v128.load32_splat(a3)
        c30 = dotBytes(b0, s, c30), c31 = dotBytes(b1, s, c31)
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

/**
 * Up to 8 channels of one place whose integers are bytes. Two sums per channel, so that an addition need not wait for
 * the previous one.
 */
export function quantized_1x8_i8(
  out: usize, place: usize, scale: f32, offsets: usize, taps: i32, quads: i32, weights: usize, weightScales: usize, bias: usize,
  columns: i32, floor: f32, zero: i32,
): void {
  let c0 = i32x4.mul(v128.load(weights), i32x4.splat(-zero)), c1 = i32x4.mul(v128.load(weights, 16), i32x4.splat(-zero))
  let d0 = i32x4.splat(0), d1 = i32x4.splat(0)
  const end = offsets + (<usize>taps << 2)
  let b = weights + QUANTIZED_SUMS
  for (let tap = offsets; tap != end; tap += 4) {
    let a = place + load<usize>(tap)
    let left = quads
    for (; left >= 2; left -= 2) {
      let s = v128.load32_splat(a)
      c0 = dotBytes(v128.load(b), s, c0), c1 = dotBytes(v128.load(b, 16), s, c1)
      s = v128.load32_splat(a, 4)
      d0 = dotBytes(v128.load(b, 32), s, d0), d1 = dotBytes(v128.load(b, 48), s, d1)
      a += 8
      b += 64
    }
    if (left > 0) {
      const s = v128.load32_splat(a)
      c0 = dotBytes(v128.load(b), s, c0), c1 = dotBytes(v128.load(b, 16), s, c1)
      b += 32
    }
  }
  const least = f32x4.splat(floor), s = f32x4.splat(scale)
  const bias0 = bias ? v128.load(bias) : f32x4.splat(0), bias1 = bias ? v128.load(bias, 16) : f32x4.splat(0)
  storeUpTo8(
    out, finished(i32x4.add(c0, d0), s, v128.load(weightScales), bias0, least),
    finished(i32x4.add(c1, d1), s, v128.load(weightScales, 16), bias1, least), columns,
  )
}

/**
 * Up to 8 channels of m places, a multiple of 4, whose integers are int16: eight products per instruction, added in
 * pairs, for two channels. Weights are widened once for the four places, four channels at a time.
 */
export function quantized_4x8_i16(
  out: usize, step: usize, places: usize, placeScales: usize, offsets: usize, taps: i32, quads: i32, weights: usize,
  weightScales: usize, bias: usize, m: i32, columns: i32, floor: f32,
): void {
  const runBytes = <usize>quads << 5
  const end = offsets + (<usize>taps << 2)
  const least = f32x4.splat(floor)
  for (; m > 0; m -= 4) {
    let half = weights + QUANTIZED_SUMS
    let to = out
    let scales = weightScales, biases = bias
    for (let left = min(columns, 8); left > 0; left -= 4) {
      let c00 = i32x4.splat(0), c01 = i32x4.splat(0), c10 = i32x4.splat(0), c11 = i32x4.splat(0)
      let c20 = i32x4.splat(0), c21 = i32x4.splat(0), c30 = i32x4.splat(0), c31 = i32x4.splat(0)
      let b = half
      for (let tap = offsets; tap != end; tap += 4) {
        const offset = load<usize>(tap) << 1
        let a0 = load<usize>(places) + offset, a1 = load<usize>(places, 4) + offset
        let a2 = load<usize>(places, 8) + offset, a3 = load<usize>(places, 12) + offset
        const runEnd = b + runBytes
        for (; b != runEnd; b += 32) {
          const b0 = v128.load8x8_s(b), b1 = v128.load8x8_s(b, 8)
          let s = v128.load64_splat(a0)
          c00 = i32x4.add(c00, i32x4.dot_i16x8_s(s, b0)), c01 = i32x4.add(c01, i32x4.dot_i16x8_s(s, b1))
          s = v128.load64_splat(a1)
          c10 = i32x4.add(c10, i32x4.dot_i16x8_s(s, b0)), c11 = i32x4.add(c11, i32x4.dot_i16x8_s(s, b1))
          s = v128.load64_splat(a2)
          c20 = i32x4.add(c20, i32x4.dot_i16x8_s(s, b0)), c21 = i32x4.add(c21, i32x4.dot_i16x8_s(s, b1))
          s = v128.load64_splat(a3)
          c30 = i32x4.add(c30, i32x4.dot_i16x8_s(s, b0)), c31 = i32x4.add(c31, i32x4.dot_i16x8_s(s, b1))
          a0 += 8, a1 += 8, a2 += 8, a3 += 8
        }
      }
      const w = v128.load(scales), plus = biases ? v128.load(biases) : f32x4.splat(0)
      storeUpTo4(to, finished(sumPairs(c00, c01), v128.load32_splat(placeScales), w, plus, least), left)
      storeUpTo4(to + step, finished(sumPairs(c10, c11), v128.load32_splat(placeScales, 4), w, plus, least), left)
      storeUpTo4(to + 2 * step, finished(sumPairs(c20, c21), v128.load32_splat(placeScales, 8), w, plus, least), left)
      storeUpTo4(to + 3 * step, finished(sumPairs(c30, c31), v128.load32_splat(placeScales, 12), w, plus, least), left)
      half += 16
      to += 16
      scales += 16
      if (biases) biases += 16
    }
    places += 16
    placeScales += 16
    out += 4 * step
  }
}

/** Up to 8 channels of one place whose integers are int16. */
export function quantized_1x8_i16(
  out: usize, place: usize, scale: f32, offsets: usize, taps: i32, quads: i32, weights: usize, weightScales: usize, bias: usize,
  columns: i32, floor: f32,
): void {
  let c0 = i32x4.splat(0), c1 = i32x4.splat(0), c2 = i32x4.splat(0), c3 = i32x4.splat(0)
  const end = offsets + (<usize>taps << 2)
  let b = weights + QUANTIZED_SUMS
  for (let tap = offsets; tap != end; tap += 4) {
    let a = place + (load<usize>(tap) << 1)
    for (let left = quads; left > 0; left--) {
      const s = v128.load64_splat(a)
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(s, v128.load8x8_s(b))), c1 = i32x4.add(c1, i32x4.dot_i16x8_s(s, v128.load8x8_s(b, 8)))
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(s, v128.load8x8_s(b, 16))), c3 = i32x4.add(c3, i32x4.dot_i16x8_s(s, v128.load8x8_s(b, 24)))
      a += 8
      b += 32
    }
  }
  const least = f32x4.splat(floor), s = f32x4.splat(scale)
  const bias0 = bias ? v128.load(bias) : f32x4.splat(0), bias1 = bias ? v128.load(bias, 16) : f32x4.splat(0)
  storeUpTo8(
    out, finished(sumPairs(c0, c1), s, v128.load(weightScales), bias0, least),
    finished(sumPairs(c2, c3), s, v128.load(weightScales, 16), bias1, least), columns,
  )
}
