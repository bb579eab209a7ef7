// A separate module for myelin/language: numbers of files become weights, as float32 or as integers of 8 and 4 bits in the order of
// docs/decisions/0041-weights-of-few-bits.md. The caller, src/language/presets/rows/row-kernel.ts, places everything in this
// module's memory. The integers and scales are those of packRows, bit for bit.

/** Kinds of numbers in files. */
const F16: i32 = 1
const BF16: i32 = 2

/** Inputs of a group, and the bytes from one quad of a row to the next. */
const GROUP: i32 = 32
const STEP: usize = 32
/** The least normal float32. Scales below it count as 0, because they have no finite reciprocal. */
const LEAST_SCALE: f32 = reinterpret<f32>(0x00800000)

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

/** `range` / `steps`; 0 if that has no normal float32. */
@inline
function scaleOf(range: f64, steps: f64): f32 {
  const scale = <f32>(range / steps)
  return scale < LEAST_SCALE ? 0 : scale
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

/** q = ⌊(w + m) / d⌉, to even, with d = (max w − min w) / 15 and m = −min w */
function packRow4(x: usize, to: usize, inputs: i32): void {
  const magic = v128.load(MAGIC), indices = v128.load(INDICES)
  for (let left = inputs; left > 0; left -= GROUP) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48)
    const x4 = v128.load(x, 64), x5 = v128.load(x, 80), x6 = v128.load(x, 96), x7 = v128.load(x, 112)
    let lows = f32x4.pmin(f32x4.pmin(f32x4.pmin(x0, x1), f32x4.pmin(x2, x3)), f32x4.pmin(f32x4.pmin(x4, x5), f32x4.pmin(x6, x7)))
    let highs = f32x4.pmax(f32x4.pmax(f32x4.pmax(x0, x1), f32x4.pmax(x2, x3)), f32x4.pmax(f32x4.pmax(x4, x5), f32x4.pmax(x6, x7)))
    lows = f32x4.pmin(lows, upper(lows)), highs = f32x4.pmax(highs, upper(highs))
    lows = f32x4.pmin(lows, v128.shuffle<i32>(lows, lows, 1, 0, 3, 2))
    highs = f32x4.pmax(highs, v128.shuffle<i32>(highs, highs, 1, 0, 3, 2))
    const least = f32x4.extract_lane(lows, 0)
    const scale = scaleOf(<f64>f32x4.extract_lane(highs, 0) - <f64>least, 15)
    const f = f32x4.splat(scale > 0 ? 1 / scale : 0), l = f32x4.splat(least)
    store<f32>(to, scale)
    store<f32>(to, 0 - least, 32)
    const first = bytes(
      above(x0, l, f, magic), above(x1, l, f, magic), above(x2, l, f, magic), above(x3, l, f, magic),
    )
    const second = bytes(
      above(x4, l, f, magic), above(x5, l, f, magic), above(x6, l, f, magic), above(x7, l, f, magic),
    )
    const lower = firstOf16(i8x16.min_u(first, i8x16.splat(15)), indices, left > 127 ? 127 : left)
    const higher = left > 16
      ? firstOf16(i8x16.min_u(second, i8x16.splat(15)), indices, left > 127 ? 127 : left - 16)
      : i8x16.splat(0)
    storeQuads(to + 64, v128.or(lower, i16x8.shl(higher, 4)))
    x += 128, to += 192
  }
}

/** q = ⌊w / d⌉, to even, with d = max |w| / 127 */
function packRow8(x: usize, to: usize, inputs: i32): void {
  const magic = v128.load(MAGIC), indices = v128.load(INDICES)
  for (let left = inputs; left > 0; left -= GROUP) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48)
    const x4 = v128.load(x, 64), x5 = v128.load(x, 80), x6 = v128.load(x, 96), x7 = v128.load(x, 112)
    const a0 = f32x4.abs(x0), a1 = f32x4.abs(x1), a2 = f32x4.abs(x2), a3 = f32x4.abs(x3)
    const a4 = f32x4.abs(x4), a5 = f32x4.abs(x5), a6 = f32x4.abs(x6), a7 = f32x4.abs(x7)
    let highs = f32x4.pmax(f32x4.pmax(f32x4.pmax(a0, a1), f32x4.pmax(a2, a3)), f32x4.pmax(f32x4.pmax(a4, a5), f32x4.pmax(a6, a7)))
    highs = f32x4.pmax(highs, upper(highs))
    highs = f32x4.pmax(highs, v128.shuffle<i32>(highs, highs, 1, 0, 3, 2))
    const scale = scaleOf(<f64>f32x4.extract_lane(highs, 0), 127)
    const f = f32x4.splat(scale > 0 ? 1 / scale : 0)
    store<f32>(to, scale)
    const first = bytes(around(x0, f, magic), around(x1, f, magic), around(x2, f, magic), around(x3, f, magic))
    const second = bytes(around(x4, f, magic), around(x5, f, magic), around(x6, f, magic), around(x7, f, magic))
    storeQuads(to + 32, firstOf16(i8x16.max_s(first, i8x16.splat(-127)), indices, left > 127 ? 127 : left))
    storeQuads(to + 160, left > 16 ? firstOf16(i8x16.max_s(second, i8x16.splat(-127)), indices, left > 127 ? 127 : left - 16) : i8x16.splat(0))
    x += 128, to += 288
  }
}
