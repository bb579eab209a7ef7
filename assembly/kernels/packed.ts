// Products of packed weights with activations that become integers, by groups of 32 inputs. The sums of a group are exact
// integers; groups are added in float32, in order, so every element is the same in any tile and any part.
//
// Weights of 4 bits are not negative, so engines that multiply bytes agree on their products. These are sums of two in
// int16, of which eight fit: 8 · 2 · 127 · 15 < 2¹⁵. All other products are those of int16.

import {
  GEMM_SCRATCH, PACKED_GROUP, PACKED_GROUP_SCALES, PACKED_STRIP, PackedProduct, PackedQuantize,
} from '../shared/instructions'
import { partEnd, partStart } from '../parts'
import { copyWords, dotPairs } from '../simd'
import {
  packed_1x8_bytes_i4, packed_1x8_words_i4, packed_1x8_words_i8, packed_2x8_words_i4, packed_2x8_words_i8, packed_4x8_bytes_i4,
} from './packed-tiles'

/** The largest integer. A maximum up to TINY counts as 0. */
const LARGEST: f32 = 127
const TINY: f32 = 1e-30
/** x + this has ⌊x⌉, to even, in its low bits, for |x| < 2²². */
const ROUNDING: f32 = 12582912
const ROUNDING_BITS: i32 = 0x4b400000

/** The rows of a panel: of bytes, and of int16. */
const BYTE_ROWS: i32 = 4
const WORD_ROWS: i32 = 2

/** Rows of a block stay in the second-level cache while all strips are multiplied with them. */
const BLOCK_BYTES: i32 = 256 * 1024

/**
 * Whether products of bytes are right, also while many vectors are in use. In the plain binary they are not. The operands change
 * in the loop, so that the compiler of the binary does not compute the products itself.
 */
function multipliesBytes(): bool {
  let x = i8x16.splat(125), y = i8x16.splat(5)
  let a = i16x8.splat(1), b = i16x8.splat(2), c = i16x8.splat(3), d = i16x8.splat(4)
  let e = i16x8.splat(5), f = i16x8.splat(6), g = i16x8.splat(7), h = i16x8.splat(8)
  for (let i = 0; i < 2; i++) {
    x = i8x16.add(x, i8x16.splat(1)), y = i8x16.sub(y, i8x16.splat(1))
    a = i16x8.add(a, dotPairs(x, y)), b = i16x8.add(b, dotPairs(x, y)), c = i16x8.add(c, dotPairs(x, y)), d = i16x8.add(d, dotPairs(x, y))
    e = i16x8.add(e, dotPairs(x, y)), f = i16x8.add(f, dotPairs(x, y)), g = i16x8.add(g, dotPairs(x, y)), h = i16x8.add(h, dotPairs(x, y))
  }
  const sum: i16 = 2 * (126 * 4 + 127 * 3)
  const ab = v128.or(v128.xor(a, i16x8.splat(sum + 1)), v128.xor(b, i16x8.splat(sum + 2)))
  const cd = v128.or(v128.xor(c, i16x8.splat(sum + 3)), v128.xor(d, i16x8.splat(sum + 4)))
  const ef = v128.or(v128.xor(e, i16x8.splat(sum + 5)), v128.xor(f, i16x8.splat(sum + 6)))
  const gh = v128.or(v128.xor(g, i16x8.splat(sum + 7)), v128.xor(h, i16x8.splat(sum + 8)))
  return !v128.any_true(v128.or(v128.or(ab, cd), v128.or(ef, gh)))
}

/** Found while the instance starts, so that all kernels agree: see quantized.ts. */
const MULTIPLIES_BYTES: bool = multipliesBytes()

@inline
function areBytes(bits: i32): bool {
  return bits == 4 && MULTIPLIES_BYTES
}

@inline
function groupsOf(inputs: i32): i32 {
  return (inputs + PACKED_GROUP - 1) / PACKED_GROUP
}

/** Bytes of a strip. */
@inline
export function stripBytes(inputs: i32, bits: i32): usize {
  return <usize>groupsOf(inputs) * (bits == 4 ? 192 : 288)
}

/** Runs a PackedQuantize, or a part of its rows. */
export function packedQuantize(instruction: usize, part: i32, parts: i32): void {
  const rows = load<i32>(instruction, PackedQuantize.rows)
  const columns = load<i32>(instruction, PackedQuantize.columns)
  const bits = load<i32>(instruction, PackedQuantize.bits)
  const asBytes = areBytes(bits)
  const out = load<usize>(instruction, PackedQuantize.out)
  const scales = load<usize>(instruction, PackedQuantize.scales)
  const input = load<usize>(instruction, PackedQuantize.input)
  const room = load<usize>(instruction, PackedQuantize.scratch) + <usize>part * GEMM_SCRATCH
  const tall = asBytes ? BYTE_ROWS : WORD_ROWS
  const whole = rows - rows % tall
  const groups = <usize>groupsOf(columns)
  const rowBytes = groups * (asBytes ? PACKED_GROUP : 2 * PACKED_GROUP)
  const last = partEnd(rows, BYTE_ROWS, part, parts)
  for (let row = partStart(rows, BYTE_ROWS, part, parts); row < last; row++) {
    const height = row < whole ? tall : 1
    const lane = row % height
    const panel = <usize>(row - lane)
    const to = out + panel * rowBytes, scalesTo = scales + panel * groups * PACKED_GROUP_SCALES
    const from = input + (<usize>row * <usize>columns << 2)
    if (asBytes) quantize_groups_i8_f32(to, scalesTo, from, columns, height, lane, room)
    else if (bits == 4) quantize_groups_alternating_i16_f32(to, scalesTo, from, columns, height, lane, room)
    else quantize_groups_i16_f32(to, scalesTo, from, columns, height, lane, room)
  }
}

/** The largest magnitude of a group; NaN counts as more than ∞. */
@inline
function largestOfGroup(input: usize): f32 {
  const magnitude = i32x4.splat(0x7fffffff)
  let most = i32x4.splat(0)
  for (const end = input + 128; input != end; input += 32) {
    most = i32x4.max_s(most, i32x4.max_s(v128.and(v128.load(input), magnitude), v128.and(v128.load(input, 16), magnitude)))
  }
  most = i32x4.max_s(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1))
  return reinterpret<f32>(max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)))
}

/** ⌊x · factor⌉, to even, within ±127, of four x. ∞ · 0 counts as 127. */
@inline
function integers(x: v128, factor: v128): v128 {
  const within = f32x4.pmax(f32x4.pmin(f32x4.splat(LARGEST), f32x4.mul(x, factor)), f32x4.splat(-LARGEST))
  return i32x4.sub(f32x4.add(within, f32x4.splat(ROUNDING)), i32x4.splat(ROUNDING_BITS))
}

/** Row `lane` of a panel of `height` rows; `room` for a group. `alternating`: the elements of a quad are in the order 0 2 1 3. */
@inline
function quantizeGroups(
  asBytes: bool, alternating: bool, out: usize, scales: usize, input: usize, columns: i32, height: i32, lane: i32, room: usize,
): void {
  const quad: usize = asBytes ? 4 : 8
  const step = <usize>height * quad
  const sums = <usize>height << 2
  out += <usize>lane * quad
  scales += <usize>lane << 2
  for (; columns > 0; columns -= PACKED_GROUP) {
    let from = input
    if (columns < PACKED_GROUP) {
      for (let i: usize = 0; i < 128; i += 16) v128.store(room + i, i32x4.splat(0))
      copyWords(room, input, columns)
      from = room
    }
    const largest = largestOfGroup(from)
    const factor = f32x4.splat(largest > TINY ? LARGEST / largest : 0)
    let sum = i32x4.splat(0)
    for (const end = from + 128; from != end; from += 32) {
      const low = integers(v128.load(from), factor), high = integers(v128.load(from, 16), factor)
      sum = i32x4.add(sum, i32x4.add(low, high))
      const both = i16x8.narrow_i32x4_s(low, high)
      if (asBytes) {
        const bytes = i8x16.narrow_i16x8_s(both, both)
        v128.store32_lane(out, bytes, 0)
        v128.store32_lane(out + step, bytes, 1)
      } else {
        const quads = alternating ? v128.shuffle<i16>(both, both, 0, 2, 1, 3, 4, 6, 5, 7) : both
        v128.store64_lane(out, quads, 0)
        v128.store64_lane(out + step, quads, 1)
      }
      out += 2 * step
    }
    sum = i32x4.add(sum, v128.shuffle<i32>(sum, sum, 2, 3, 0, 1))
    const scale = largest / LARGEST
    store<f32>(scales, scale)
    store<f32>(scales + sums, -(scale * <f32>(i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1))))
    scales += 2 * sums
    input += 128
  }
}

export function quantize_groups_i8_f32(
  out: usize, scales: usize, input: usize, columns: i32, height: i32, lane: i32, room: usize,
): void {
  quantizeGroups(true, false, out, scales, input, columns, height, lane, room)
}

export function quantize_groups_i16_f32(
  out: usize, scales: usize, input: usize, columns: i32, height: i32, lane: i32, room: usize,
): void {
  quantizeGroups(false, false, out, scales, input, columns, height, lane, room)
}

export function quantize_groups_alternating_i16_f32(
  out: usize, scales: usize, input: usize, columns: i32, height: i32, lane: i32, room: usize,
): void {
  quantizeGroups(false, true, out, scales, input, columns, height, lane, room)
}

/** Runs a PackedProduct, or a part of its strips. */
export function packedProduct(instruction: usize, part: i32, parts: i32): void {
  const rows = load<i32>(instruction, PackedProduct.rows)
  const outputs = load<i32>(instruction, PackedProduct.outputs)
  const inputs = load<i32>(instruction, PackedProduct.inputs)
  const bits = load<i32>(instruction, PackedProduct.bits)
  const weights = load<usize>(instruction, PackedProduct.weights)
  const out = load<usize>(instruction, PackedProduct.out)
  const sums = load<usize>(instruction, PackedProduct.scratch) + <usize>part * GEMM_SCRATCH
  const first = partStart(outputs, PACKED_STRIP, part, parts), last = partEnd(outputs, PACKED_STRIP, part, parts)
  const asBytes = areBytes(bits)
  const tall = asBytes ? BYTE_ROWS : WORD_ROWS
  const groups = groupsOf(inputs)
  const rowBytes = groups * (asBytes ? PACKED_GROUP : 2 * PACKED_GROUP)
  const rowScales = <usize>groups * PACKED_GROUP_SCALES
  const step = <usize>outputs << 2
  const bytes = stripBytes(inputs, bits)
  const block = max(BYTE_ROWS, BLOCK_BYTES / max(rowBytes, 1) & -BYTE_ROWS)
  for (let row = 0; row < rows; row += block) {
    const height = min(block, rows - row)
    const whole = height - height % tall
    const x = load<usize>(instruction, PackedProduct.input) + <usize>row * rowBytes
    const scales = load<usize>(instruction, PackedProduct.scales) + <usize>row * rowScales
    for (let column = first; column < last; column += PACKED_STRIP) {
      const strip = weights + <usize>(column / PACKED_STRIP) * bytes
      const columns = outputs - column
      const to = out + <usize>row * step + (<usize>column << 2)
      if (whole) {
        if (asBytes) packed_4x8_bytes_i4(to, step, strip, x, scales, groups, whole, columns, sums)
        else if (bits == 4) packed_2x8_words_i4(to, step, strip, x, scales, groups, whole, columns)
        else packed_2x8_words_i8(to, step, strip, x, scales, groups, whole, columns)
      }
      if (whole < height) {
        const rest = <usize>whole
        const restTo = to + rest * step, restX = x + rest * rowBytes, restScales = scales + rest * rowScales
        if (asBytes) packed_1x8_bytes_i4(restTo, step, strip, restX, restScales, groups, height - whole, columns)
        else if (bits == 4) packed_1x8_words_i4(restTo, step, strip, restX, restScales, groups, height - whole, columns)
        else packed_1x8_words_i8(restTo, step, strip, restX, restScales, groups, height - whole, columns)
      }
    }
  }
}
