// A separate module for JPEG files: Huffman codes of sequential scans, the inverse cosine transform, the enlarging of colours that
// are stored at half the size, and their conversion. src/data/readers/jpeg places everything in this module's memory, and has the
// plain version of each function, with the same bits, for engines without SIMD.

import { BLOCK_FAULT, CODE_FAULT, END, SHIFT, SHORT, SYMBOLS } from './shared/jpeg-codes'

/** The position in a block of the k-th coefficient (figure A.6). */
const ZIGZAG = memory.data<u8>([
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
])

/** The first byte that the caller may use. */
export const FREE: usize = __heap_base

// The next bits are the last `count` of `buffer`. The last `added` of them are zeros beyond the end of the data.

let buffer: u64 = 0
let count: i32 = 0
let added: i32 = 0
/** The address of the next byte, and of the end of the file. */
let next: usize = 0
let stop: usize = 0

/** Continues with the byte at `from`. */
export function begin(from: usize, to: usize): void {
  buffer = 0
  count = added = 0
  next = from
  stop = to
}

/** The address of the next byte that is not in the buffer. */
export function position(): usize {
  return next
}

/** The bits of the data in the buffer; negative if more were taken than there are. */
export function left(): i32 {
  return count - added
}

/** At least 32 bits, up to the next marker; zeros after it. */
export function fill(): void {
  while (count < 32) {
    if (next + 4 <= stop) {
      const word = load<u32>(next)
      // No byte is FF: none of ~word is 0.
      if (((~word - 0x01010101) & word & 0x80808080) == 0) {
        buffer = (buffer << 32) | <u64>bswap(word)
        next += 4
        count += 32
        return
      }
    }
    let byte: u64 = 0
    // After FF, a byte 0 is left out; any other is a marker.
    if (next < stop && (load<u8>(next) != 0xff || (next + 1 < stop && load<u8>(next, 1) == 0))) {
      byte = load<u8>(next)
      next += byte == 0xff ? 2 : 1
    } else added += 8
    buffer = (buffer << 8) | byte
    count += 8
  }
}

/** The next symbol, by a table; −1 for a code that is not in it. The buffer must have at least 16 bits. */
@inline
function symbolOf(codes: usize): i32 {
  const known = <i32>load<u16>(codes + ((<usize>(buffer >>> (count - 8)) & 255) << 1), SHORT)
  if (known == 0) return longSymbol(codes)
  count -= known >>> 8
  return known & 255
}

function longSymbol(codes: usize): i32 {
  for (let length = 9; length <= 16; length++) {
    const code = <i32>(buffer >>> (count - length)) & ((1 << length) - 1)
    if (code < load<i32>(codes + (length << 2), END)) {
      count -= length
      return load<u8>(codes + load<i32>(codes + (length << 2), SHIFT) + code, SYMBOLS)
    }
  }
  return -1
}

/** A number of `size` bits: those that begin with 0 are negative (F.2.2.1). */
@inline
function signedOf(size: i32): i32 {
  count -= size
  const most = (1 << size) - 1
  const value = <i32>(buffer >>> count) & most
  return value > most >> 1 ? value : value - most
}

/**
 * A block of a sequential scan (F.2.2): all coefficients but the first.
 * @param to 64 zeros, int16
 * @returns the difference of the first coefficient, or a fault
 */
export function block(to: usize, dc: usize, ac: usize): i32 {
  if (count < 32) fill()
  const first = symbolOf(dc)
  if (first < 0) return CODE_FAULT
  const difference = signedOf(first & 15)
  for (let k = 1; k < 64; k++) {
    if (count < 32) fill()
    const symbol = symbolOf(ac)
    if (symbol < 0) return CODE_FAULT
    const size = symbol & 15
    if (size == 0 && symbol < 0xf0) break
    k += symbol >>> 4
    if (k > 63) return BLOCK_FAULT
    if (size > 0) store<i16>(to + (<usize>load<u8>(ZIGZAG + k) << 1), signedOf(size))
  }
  return difference
}

/** Pairs of factors, of 2⁻¹³: see src/data/readers/jpeg/samples.ts. */
const PAIRS = memory.data<i16>([
  8192, 8192, 8192, -8192, 10703, 4433, 4433, -10704,
  11363, 9633, 6437, 2260,
  9633, -2259, -11362, -6436,
  6437, -11362, 2261, 9633,
  2260, -6436, 9633, -11363,
])

/** A block between the two passes. */
const WORK = memory.data(128, 16)

/**
 * The inverse cosine transform of 8 columns, one after the other in memory.
 * @param shift drops so many bits, rounding halves up
 */
function transformColumns(from: usize, to: usize, shift: i32): void {
  const s0 = v128.load(from), s1 = v128.load(from, 16), s2 = v128.load(from, 32), s3 = v128.load(from, 48)
  const s4 = v128.load(from, 64), s5 = v128.load(from, 80), s6 = v128.load(from, 96), s7 = v128.load(from, 112)
  const half = i32x4.splat(1 << (shift - 1))
  const sum = v128.load32_splat(PAIRS), difference = v128.load32_splat(PAIRS, 4)
  const near = v128.load32_splat(PAIRS, 8), far = v128.load32_splat(PAIRS, 12)
  const low04 = low(s0, s4), high04 = high(s0, s4), low26 = low(s2, s6), high26 = high(s2, s6)
  const lowSum = i32x4.add(i32x4.dot_i16x8_s(low04, sum), half), highSum = i32x4.add(i32x4.dot_i16x8_s(high04, sum), half)
  const lowDifference = i32x4.add(i32x4.dot_i16x8_s(low04, difference), half)
  const highDifference = i32x4.add(i32x4.dot_i16x8_s(high04, difference), half)
  const lowNear = i32x4.dot_i16x8_s(low26, near), highNear = i32x4.dot_i16x8_s(high26, near)
  const lowFar = i32x4.dot_i16x8_s(low26, far), highFar = i32x4.dot_i16x8_s(high26, far)
  const low13 = low(s1, s3), high13 = high(s1, s3), low57 = low(s5, s7), high57 = high(s5, s7)
  mirrored(to, 0, i32x4.add(lowSum, lowNear), i32x4.add(highSum, highNear), low13, low57, high13, high57, shift)
  mirrored(to, 1, i32x4.add(lowDifference, lowFar), i32x4.add(highDifference, highFar), low13, low57, high13, high57, shift)
  mirrored(to, 2, i32x4.sub(lowDifference, lowFar), i32x4.sub(highDifference, highFar), low13, low57, high13, high57, shift)
  mirrored(to, 3, i32x4.sub(lowSum, lowNear), i32x4.sub(highSum, highNear), low13, low57, high13, high57, shift)
}

/** The rows i and 7 − i, from what the even and the odd coefficients give. */
@inline
function mirrored(to: usize, i: usize, lowEven: v128, highEven: v128, low13: v128, low57: v128, high13: v128, high57: v128, shift: i32): void {
  const of13 = v128.load32_splat(PAIRS + 16 + 8 * i), of57 = v128.load32_splat(PAIRS + 20 + 8 * i)
  const lowOdd = i32x4.add(i32x4.dot_i16x8_s(low13, of13), i32x4.dot_i16x8_s(low57, of57))
  const highOdd = i32x4.add(i32x4.dot_i16x8_s(high13, of13), i32x4.dot_i16x8_s(high57, of57))
  v128.store(to + 16 * i, i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.add(lowEven, lowOdd), shift), i32x4.shr_s(i32x4.add(highEven, highOdd), shift)))
  v128.store(to + 16 * (7 - i), i16x8.narrow_i32x4_s(i32x4.shr_s(i32x4.sub(lowEven, lowOdd), shift), i32x4.shr_s(i32x4.sub(highEven, highOdd), shift)))
}

@inline
function low(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
}

@inline
function high(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
}

@inline
function lowBytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

@inline
function highBytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

/** Exchanges the rows and columns of WORK. */
function transpose(): void {
  const r0 = v128.load(WORK), r1 = v128.load(WORK, 16), r2 = v128.load(WORK, 32), r3 = v128.load(WORK, 48)
  const r4 = v128.load(WORK, 64), r5 = v128.load(WORK, 80), r6 = v128.load(WORK, 96), r7 = v128.load(WORK, 112)
  // Each step interleaves the numbers of rows that are 4 apart.
  const a0 = low(r0, r4), a1 = high(r0, r4), a2 = low(r1, r5), a3 = high(r1, r5)
  const a4 = low(r2, r6), a5 = high(r2, r6), a6 = low(r3, r7), a7 = high(r3, r7)
  const b0 = low(a0, a4), b1 = high(a0, a4), b2 = low(a1, a5), b3 = high(a1, a5)
  const b4 = low(a2, a6), b5 = high(a2, a6), b6 = low(a3, a7), b7 = high(a3, a7)
  v128.store(WORK, low(b0, b4))
  v128.store(WORK, high(b0, b4), 16)
  v128.store(WORK, low(b1, b5), 32)
  v128.store(WORK, high(b1, b5), 48)
  v128.store(WORK, low(b2, b6), 64)
  v128.store(WORK, high(b2, b6), 80)
  v128.store(WORK, low(b3, b7), 96)
  v128.store(WORK, high(b3, b7), 112)
}

/**
 * Blocks beside each other → 8 rows of samples, `stride` bytes apart.
 * @param blocks of 64 int16
 * @param steps of the quantization, uint16
 */
export function transformBlocks(blocks: usize, blockCount: usize, steps: usize, to: usize, stride: usize): void {
  const middle = i8x16.splat(-128)
  for (let end = blocks + (blockCount << 7); blocks < end; blocks += 128, to += 8) {
    const r0 = v128.load(blocks), r1 = v128.load(blocks, 16), r2 = v128.load(blocks, 32), r3 = v128.load(blocks, 48)
    const r4 = v128.load(blocks, 64), r5 = v128.load(blocks, 80), r6 = v128.load(blocks, 96), r7 = v128.load(blocks, 112)
    const others = v128.or(v128.or(v128.or(r1, r2), v128.or(r3, r4)), v128.or(v128.or(r5, r6), r7))
    if (!v128.any_true(v128.or(others, i16x8.replace_lane(r0, 0, 0)))) {
      // A block of one colour, with the roundings of both passes.
      const first = i32x4.splat((<i32>load<i16>(blocks) * <i32>load<i16>(steps)) << 16 >> 14)
      const equal = i16x8.narrow_i32x4_s(first, first)
      const wide = i32x4.shr_s(i32x4.add(i32x4.extend_low_i16x8_s(equal), i32x4.splat(16)), 5)
      const samples = i16x8.narrow_i32x4_s(wide, wide)
      const bytes = v128.xor(i8x16.narrow_i16x8_s(samples, samples), middle)
      for (let i = 0, at = to; i < 8; i++, at += stride) v128.store64_lane(at, bytes, 0)
      continue
    }
    v128.store(WORK, i16x8.mul(r0, v128.load(steps)))
    v128.store(WORK, i16x8.mul(r1, v128.load(steps, 16)), 16)
    v128.store(WORK, i16x8.mul(r2, v128.load(steps, 32)), 32)
    v128.store(WORK, i16x8.mul(r3, v128.load(steps, 48)), 48)
    v128.store(WORK, i16x8.mul(r4, v128.load(steps, 64)), 64)
    v128.store(WORK, i16x8.mul(r5, v128.load(steps, 80)), 80)
    v128.store(WORK, i16x8.mul(r6, v128.load(steps, 96)), 96)
    v128.store(WORK, i16x8.mul(r7, v128.load(steps, 112)), 112)
    transformColumns(WORK, WORK, 11)
    transpose()
    transformColumns(WORK, WORK, 18)
    // The columns of samples, as bytes, and then as rows.
    const c04 = i8x16.narrow_i16x8_s(v128.load(WORK), v128.load(WORK, 64))
    const c15 = i8x16.narrow_i16x8_s(v128.load(WORK, 16), v128.load(WORK, 80))
    const c26 = i8x16.narrow_i16x8_s(v128.load(WORK, 32), v128.load(WORK, 96))
    const c37 = i8x16.narrow_i16x8_s(v128.load(WORK, 48), v128.load(WORK, 112))
    const c01 = lowBytes(c04, c15), c45 = highBytes(c04, c15), c23 = lowBytes(c26, c37), c67 = highBytes(c26, c37)
    let at = to
    at = storeRows(at, stride, low(c01, c23), low(c45, c67), middle)
    storeRows(at, stride, high(c01, c23), high(c45, c67), middle)
  }
}

/** Four rows, from the halves of each. @returns where the next begins */
@inline
function storeRows(at: usize, stride: usize, c0123: v128, c4567: v128, middle: v128): usize {
  const upper = v128.xor(i32x4.shuffle(c0123, c4567, 0, 4, 1, 5), middle)
  const lower = v128.xor(i32x4.shuffle(c0123, c4567, 2, 6, 3, 7), middle)
  v128.store64_lane(at, upper, 0)
  v128.store64_lane(at + stride, upper, 1)
  v128.store64_lane(at + 2 * stride, lower, 0)
  v128.store64_lane(at + 3 * stride, lower, 1)
  return at + 4 * stride
}

/**
 * A row of twice as many samples. Each is a mean of the four around it: the row `near` counts three times as much as its
 * neighbour `other`, and the nearer column three times as much as the other one. Reads and writes up to 16 bytes beyond the
 * rows.
 * @param sums room for `columns` + 16 uint16
 */
export function enlarge(near: usize, other: usize, columns: usize, sums: usize, to: usize, evenBias: i32, oddBias: i32): void {
  const first = sums + 16
  const three = i16x8.splat(3)
  for (let x: usize = 0; x < columns; x += 8) {
    const sum = i16x8.add(i16x8.mul(v128.load8x8_u(near + x), three), v128.load8x8_u(other + x))
    v128.store(first + (x << 1), sum)
  }
  store<u16>(first - 2, load<u16>(first))
  store<u16>(first + (columns << 1), load<u16>(first + (columns << 1) - 2))
  const even = i16x8.splat(<i16>evenBias), odd = i16x8.splat(<i16>oddBias)
  for (let x: usize = 0; x < columns; x += 8) {
    const at = first + (x << 1)
    const sum = i16x8.mul(v128.load(at), three)
    const before = i16x8.shr_u(i16x8.add(i16x8.add(sum, v128.load(at - 2)), even), 4)
    const after = i16x8.shr_u(i16x8.add(i16x8.add(sum, v128.load(at, 2)), odd), 4)
    v128.store(to + (x << 1), v128.or(before, i16x8.shl(after, 8)))
  }
}

/**
 * Factors of the blue and the red difference, in units of 2⁻¹⁶: the fractions of the factors in
 * src/data/readers/jpeg/colours.ts.
 */
const RED = memory.data<i16>([0, 26345])
const GREEN = memory.data<i16>([-22554, 18734])
const BLUE = memory.data<i16>([-14942, 0])

/** A row of light, blue and red differences → red, green, blue and 255. Reads and writes up to 15 pixels beyond the row. */
export function mixColours(light: usize, blue: usize, red: usize, width: usize, to: usize): void {
  const middle = i16x8.splat(128)
  for (let x: usize = 0; x < width; x += 8, to += 32) {
    const y = v128.load8x8_u(light + x)
    const b = i16x8.sub(v128.load8x8_u(blue + x), middle)
    const r = i16x8.sub(v128.load8x8_u(red + x), middle)
    const lows = low(b, r), highs = high(b, r)
    const reds = i16x8.add(i16x8.add(y, r), part(lows, highs, v128.load32_splat(RED)))
    const greens = i16x8.add(i16x8.sub(y, r), part(lows, highs, v128.load32_splat(GREEN)))
    const blues = i16x8.add(i16x8.add(y, i16x8.shl(b, 1)), part(lows, highs, v128.load32_splat(BLUE)))
    const redGreen = i8x16.narrow_i16x8_u(reds, greens)
    const blueOpaque = i8x16.narrow_i16x8_u(blues, i16x8.splat(255))
    // R R … G G … → R G R G …
    const rg = i8x16.shuffle(redGreen, redGreen, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15)
    const ba = i8x16.shuffle(blueOpaque, blueOpaque, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15)
    v128.store(to, low(rg, ba))
    v128.store(to, high(rg, ba), 16)
  }
}

/** The nearest integers to sums of products. */
@inline
function part(lows: v128, highs: v128, factors: v128): v128 {
  const half = i32x4.splat(32768)
  const first = i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(lows, factors), half), 16)
  return i16x8.narrow_i32x4_s(first, i32x4.shr_s(i32x4.add(i32x4.dot_i16x8_s(highs, factors), half), 16))
}
