// A separate module for myelin/language: numbers of files become weights, as float32 or as integers of 8 and 4 bits in the order of
// docs/decisions/0041-weights-of-few-bits.md. The caller, src/language/presets/rows/row-kernel.ts, places everything in this
// module's memory. The integers and scales are those of packRows, bit for bit.

/** Kinds of numbers in files. */
const F16: i32 = 1
const BF16: i32 = 2

/** Inputs of a group, and the bytes from one quad of a row to the next. */
const GROUP: i32 = 32
const STEP: usize = 32
/** The least normal float32: smaller scales may have no finite reciprocal. Then numbers are multiplied by BOOST, 2⁶⁴, before. */
const LEAST_SCALE: f32 = reinterpret<f32>(0x00800000)
const BOOST: f32 = 18446744073709551616.0

// Vectors that the loops use. A vector loaded before a loop stays in a register; a constant would be made again in each iteration.
const MAGIC: usize = 16
const INDICES: usize = 32
/** The first byte that the caller may use. */
export const FREE: usize = 64

/** To be called once. */
export function setUp(): void {
  // (x + this) − this as integers is ⌊x⌉, to even, for |x| < 2²².
  v128.store(MAGIC, f32x4.splat(12582912))
  v128.store(INDICES, i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
}

/** Whether no lane is above `most`; lanes are not negative. */
@inline
function areWithin(lanes: v128, most: i32): bool {
  return !v128.any_true(i16x8.gt_u(lanes, i16x8.splat(<i16>most)))
}

/** `count` numbers as float32. Reads and writes up to a vector past the end. @returns whether all are finite */
export function widen(kind: i32, from: usize, to: usize, count: i32): bool {
  if (kind == BF16) return widenBrain(from, to, count)
  if (kind == F16) return widenHalf(from, to, count)
  return copyFinite(from, to, count)
}

/** The lanes of the last vector that are numbers, `left` of 8. */
@inline
function firstOf8(value: v128, left: i32): v128 {
  return v128.and(value, i16x8.lt_s(i16x8(0, 1, 2, 3, 4, 5, 6, 7), i16x8.splat(<i16>left)))
}

function widenBrain(from: usize, to: usize, count: i32): bool {
  const zero = i16x8.splat(0)
  const magnitude = i16x8.splat(0x7fff)
  let most = zero
  for (let left = count; left > 0; left -= 8) {
    let x = v128.load(from)
    if (left < 8) x = firstOf8(x, left)
    most = i16x8.max_u(most, v128.and(x, magnitude))
    v128.store(to, v128.shuffle<i16>(zero, x, 0, 8, 1, 9, 2, 10, 3, 11))
    v128.store(to, v128.shuffle<i16>(zero, x, 4, 12, 5, 13, 6, 14, 7, 15), 16)
    from += 16, to += 32
  }
  return areWithin(most, 0x7f7f)
}

/** Four float16 in the low halves of the lanes: the exponent is moved by a product, which is exact also for denormal numbers. */
@inline
function halves(x: v128): v128 {
  const sign = i32x4.shl(v128.and(x, i32x4.splat(0x8000)), 16)
  const magnitude = i32x4.shl(v128.and(x, i32x4.splat(0x7fff)), 13)
  return v128.or(f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>(0x77800000))), sign)
}

function widenHalf(from: usize, to: usize, count: i32): bool {
  const magnitude = i16x8.splat(0x7fff)
  let most = i16x8.splat(0)
  for (let left = count; left > 0; left -= 8) {
    let x = v128.load(from)
    if (left < 8) x = firstOf8(x, left)
    most = i16x8.max_u(most, v128.and(x, magnitude))
    v128.store(to, halves(i32x4.extend_low_i16x8_u(x)))
    v128.store(to, halves(i32x4.extend_high_i16x8_u(x)), 16)
    from += 16, to += 32
  }
  return areWithin(most, 0x7bff)
}

function copyFinite(from: usize, to: usize, count: i32): bool {
  const magnitude = i32x4.splat(0x7fffffff)
  let most = i32x4.splat(0)
  for (let left = count; left > 0; left -= 4) {
    let x = v128.load(from)
    if (left < 4) x = v128.and(x, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(left)))
    most = i32x4.max_u(most, v128.and(x, magnitude))
    v128.store(to, x)
    from += 16, to += 16
  }
  return !v128.any_true(i32x4.gt_u(most, i32x4.splat(0x7f7fffff)))
}

/**
 * Packs rows of numbers.
 * @param room for a row of float32 and a group
 * @param out the strip of the first row
 * @param lane of the first row in its strip
 * @returns the first row with a number that is not finite; −1 if there is none
 */
export function pack(kind: i32, bits: i32, from: usize, rowBytes: usize, rows: i32, inputs: i32, room: usize, out: usize, lane: i32): i32 {
  const groups = (inputs + GROUP - 1) / GROUP
  const stripBytes = <usize>groups * (bits == 4 ? 192 : 288)
  for (let row = 0; row < rows; row++) {
    if (!widen(kind, from, room, inputs)) return row
    // The last group is filled with its last number, which changes neither its least nor its largest one.
    const end = room + (<usize>inputs << 2)
    const last = v128.load32_splat(end - 4)
    for (let at: usize = 0; at < 128; at += 16) v128.store(end + at, last)
    const to = out + (<usize>lane << 2)
    if (bits == 4) packRow4(room, to, inputs)
    else packRow8(room, to, inputs)
    from += rowBytes
    if (++lane == 8) lane = 0, out += stripBytes
  }
  return -1
}

/** The upper half of a vector in the lower one. */
@inline
function upper(x: v128): v128 {
  return v128.shuffle<i64>(x, x, 1, 0)
}

/** ⌊(x − least) factor⌉, to even, of four numbers, as int32. */
@inline
function above(x: v128, least: v128, factor: v128, magic: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(f32x4.sub(x, least), factor), magic), magic)
}

/** ⌊x factor⌉, to even, of four numbers, as int32. */
@inline
function around(x: v128, factor: v128, magic: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(x, factor), magic), magic)
}

/** Sixteen integers as bytes, saturated. */
@inline
function bytes(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d))
}

/** Zeros in place of the bytes from `count` on. */
@inline
function firstOf16(x: v128, indices: v128, count: i32): v128 {
  return v128.and(x, i8x16.lt_s(indices, i8x16.splat(<i8>count)))
}

@inline
function storeQuads(to: usize, x: v128): void {
  v128.store32_lane(to, x, 0)
  v128.store32_lane(to, x, 1, STEP)
  v128.store32_lane(to, x, 2, 2 * STEP)
  v128.store32_lane(to, x, 3, 3 * STEP)
}

/** The largest number of four, in all lanes. */
@inline
function largestOf(x: v128): v128 {
  x = f32x4.pmax(x, upper(x))
  return f32x4.pmax(x, v128.shuffle<i32>(x, x, 1, 0, 3, 2))
}

/** Multiplies a group by BOOST. */
function boost(x: usize): void {
  for (let at: usize = 0; at < 128; at += 16) v128.store(x + at, f32x4.mul(v128.load(x + at), f32x4.splat(BOOST)))
}

/** q = ⌊(w + m) · (1 / d)⌉, to even, with d = (max w − min w) / 15 and m = −min w */
function packRow4(x: usize, to: usize, inputs: i32): void {
  const magic = v128.load(MAGIC), indices = v128.load(INDICES)
  for (let left = inputs; left > 0; left -= GROUP) {
    let x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48)
    let x4 = v128.load(x, 64), x5 = v128.load(x, 80), x6 = v128.load(x, 96), x7 = v128.load(x, 112)
    const lows = f32x4.pmin(f32x4.pmin(f32x4.pmin(x0, x1), f32x4.pmin(x2, x3)), f32x4.pmin(f32x4.pmin(x4, x5), f32x4.pmin(x6, x7)))
    const highs = f32x4.pmax(f32x4.pmax(f32x4.pmax(x0, x1), f32x4.pmax(x2, x3)), f32x4.pmax(f32x4.pmax(x4, x5), f32x4.pmax(x6, x7)))
    let least = -f32x4.extract_lane(largestOf(f32x4.neg(lows)), 0)
    let scale = <f32>((<f64>f32x4.extract_lane(largestOf(highs), 0) - <f64>least) / 15)
    store<f32>(to, scale)
    store<f32>(to, 0 - least, 32)
    if (scale < LEAST_SCALE) {
      boost(x)
      scale *= BOOST, least *= BOOST
      x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48)
      x4 = v128.load(x, 64), x5 = v128.load(x, 80), x6 = v128.load(x, 96), x7 = v128.load(x, 112)
    }
    const f = f32x4.splat(scale > 0 ? 1 / scale : 0), l = f32x4.splat(least)
    const first = bytes(above(x0, l, f, magic), above(x1, l, f, magic), above(x2, l, f, magic), above(x3, l, f, magic))
    const second = bytes(above(x4, l, f, magic), above(x5, l, f, magic), above(x6, l, f, magic), above(x7, l, f, magic))
    const lower = firstOf16(i8x16.min_u(first, i8x16.splat(15)), indices, min(left, 16))
    const higher = firstOf16(i8x16.min_u(second, i8x16.splat(15)), indices, min(left - 16, 16))
    storeQuads(to + 64, v128.or(lower, i16x8.shl(higher, 4)))
    x += 128, to += 192
  }
}

/** q = ⌊w · (1 / d)⌉, to even, with d = max |w| / 127 */
function packRow8(x: usize, to: usize, inputs: i32): void {
  const magic = v128.load(MAGIC), indices = v128.load(INDICES)
  for (let left = inputs; left > 0; left -= GROUP) {
    let x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48)
    let x4 = v128.load(x, 64), x5 = v128.load(x, 80), x6 = v128.load(x, 96), x7 = v128.load(x, 112)
    const a = f32x4.pmax(f32x4.pmax(f32x4.abs(x0), f32x4.abs(x1)), f32x4.pmax(f32x4.abs(x2), f32x4.abs(x3)))
    const b = f32x4.pmax(f32x4.pmax(f32x4.abs(x4), f32x4.abs(x5)), f32x4.pmax(f32x4.abs(x6), f32x4.abs(x7)))
    let scale = <f32>(<f64>f32x4.extract_lane(largestOf(f32x4.pmax(a, b)), 0) / 127)
    store<f32>(to, scale)
    if (scale < LEAST_SCALE) {
      boost(x)
      scale *= BOOST
      x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48)
      x4 = v128.load(x, 64), x5 = v128.load(x, 80), x6 = v128.load(x, 96), x7 = v128.load(x, 112)
    }
    const f = f32x4.splat(scale > 0 ? 1 / scale : 0), least = i8x16.splat(-127)
    const first = bytes(around(x0, f, magic), around(x1, f, magic), around(x2, f, magic), around(x3, f, magic))
    const second = bytes(around(x4, f, magic), around(x5, f, magic), around(x6, f, magic), around(x7, f, magic))
    storeQuads(to + 32, firstOf16(i8x16.max_s(first, least), indices, min(left, 16)))
    storeQuads(to + 160, firstOf16(i8x16.max_s(second, least), indices, min(left - 16, 16)))
    x += 128, to += 288
  }
}
