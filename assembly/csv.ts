// A separate module for myelin/data: parses the numbers in the lines of a CSV file. A line with anything but numbers
// is left to the caller, src/data/readers/csv/vectors.ts, which also places everything in this module's memory.

const SHUFFLES: usize = 0
const POWERS: usize = SHUFFLES + 256 * 8
/** Numbers of up to this many digits are exact in a float64. */
const MOST_DIGITS: usize = 15
/**
 * Vectors that the loops use. A vector loaded before a loop stays in a register; a constant would be made again in each
 * iteration.
 */
const VECTORS: usize = POWERS + (MOST_DIGITS + 1) * 8
const ZEROS: usize = VECTORS
const NINES: usize = VECTORS + 16
const ENDS: usize = VECTORS + 32
const TENS: usize = VECTORS + 48
const HUNDREDS: usize = VECTORS + 64
const UPPER: usize = VECTORS + 80
/** The first byte that the caller may use. */
export const FREE: usize = VECTORS + 96

const LINE_FEED: u32 = 10
const CARRIAGE_RETURN: u32 = 13
const MINUS: u32 = 45
const POINT: u32 = 46

let delimiter: u32 = 0
let columns: usize = 0
/** The destination of each column: a feature's index, −1 for none, −2 − i for target i. */
let slots: usize = 0
/**
 * Runs of neighbouring columns that are also neighbouring features: first column, first feature and length of each run.
 */
let spans: usize = 0
let spanCount: usize = 0
/** The cells of a line. */
let cells: usize = 0
let features: usize = 0
let featureCount: usize = 0
let targets: usize = 0
let targetCount: usize = 0

/** The address after the last line that was read. */
export let stopped: usize = 0

export function setUp(_delimiter: u32, _columns: usize, _slots: usize, _spans: usize, _spanCount: usize, _cells: usize, _features: usize, _featureCount: usize, _targets: usize, _targetCount: usize): void {
  delimiter = _delimiter
  columns = _columns
  slots = _slots
  spans = _spans
  spanCount = _spanCount
  cells = _cells
  features = _features
  featureCount = _featureCount
  targets = _targets
  targetCount = _targetCount
  for (let mask: usize = 0; mask < 256; mask++) {
    const shuffle = SHUFFLES + (mask << 3)
    store<u64>(shuffle, 0)
    let count: usize = 0
    for (let i: usize = 0; i < 8; i++) if ((mask >>> i) & 1) store<u8>(shuffle + count++, <u8>i)
  }
  v128.store(ZEROS, i8x16.splat(48))
  v128.store(NINES, i8x16.splat(9))
  v128.store(ENDS, i8x16.splat(<i8>delimiter))
  v128.store(TENS, v128(0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 0, 0, 0, 0, 0, 0))
  v128.store(HUNDREDS, i16x8.splat(100))
  v128.store(UPPER, i8x16.splat(8))
  let power: f64 = 1
  for (let i: usize = 0; i <= MOST_DIGITS; i++, power *= 10) store<f64>(POWERS + (i << 3), power)
}

/**
 * Counts the lines that end between `from` and `to`; returns the complement of the count if a quote is among the bytes.
 * Reads up to 16 bytes past `to`.
 */
export function survey(from: usize, to: usize, quote: u32): i32 {
  const feeds = i8x16.splat(<i8>LINE_FEED), quotes = i8x16.splat(<i8>quote)
  let found = i8x16.splat(0)
  let lines = 0
  let at = from
  for (; at + 16 <= to; at += 16) {
    const bytes = v128.load(at)
    found = v128.or(found, i8x16.eq(bytes, quotes))
    lines += popcnt(i8x16.bitmask(i8x16.eq(bytes, feeds)))
  }
  let isQuoted = v128.any_true(found)
  for (; at < to; at++) {
    const byte = <u32>load<u8>(at)
    isQuoted = isQuoted || byte == quote
    lines += i32(byte == LINE_FEED)
  }
  return isQuoted ? ~lines : lines
}

/**
 * Parses up to `most` lines. Skips empty lines and does not count them.
 * @param from the start of a line; its first cell ignores the 3 bytes before it
 * @param to the end of the last line, followed by 16 bytes that are no digits
 * @returns the number of lines parsed; if fewer than `most`, the line at `stopped` contains something other than
 *   numbers
 */
export function scan(from: usize, to: usize, most: usize): usize {
  let row: usize = 0
  let areShort = true
  let at = from
  while (row < most && at < to) {
    const end = lineEnd(at, to)
    const last = end > at && <u32>load<u8>(end - 1) == CARRIAGE_RETURN ? end - 1 : end
    if (last > at) {
      areShort = areShort && readShort(at, last, row)
      if (!areShort && !readLong(at, last, row)) break
      row++
    }
    at = end + 1
  }
  stopped = at < to ? at : to
  return row
}

function lineEnd(from: usize, to: usize): usize {
  const feeds = i8x16.splat(<i8>LINE_FEED)
  for (let at = from; at < to; at += 16) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(at), feeds))
    if (found) {
      const end = at + ctz(found)
      return end < to ? end : to
    }
  }
  return to
}

/**
 * Parses a line whose cells have one to three digits each. Computes a number for every byte as if it ended a cell, with
 * the two bytes before it as tens and hundreds, then keeps the bytes that do end one. A cell and its end take at least
 * two bytes, so eight bytes end at most four cells.
 */
function readShort(at: usize, last: usize, row: usize): bool {
  const zeros = v128.load(ZEROS), nines = v128.load(NINES), ends = v128.load(ENDS)
  const tens = v128.load(TENS), hundreds = v128.load(HUNDREDS), upper = v128.load(UPPER)
  const most = cells + (columns << 2)
  let out = cells
  /** Errors: a byte that is neither a digit nor an end, an end right after an end, a fourth digit. */
  let wrong = i8x16.splat(0)
  /** The previous 16 bytes minus '0', and which of them are digits. A cell never continues from the line before. */
  let before = i8x16.splat(0), wereDigits = i8x16.splat(0)
  for (; at <= last; at += 16) {
    if (out > most) return false
    const digits = i8x16.sub(v128.load(at), zeros)
    let areDigits = i8x16.le_u(digits, nines)
    let areEnds = i8x16.eq(v128.load(at), ends)
    const left = last - at
    if (left < 16) {
      // The end of the line ends a cell.
      const numbers = v128(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
      const inside = i8x16.lt_u(numbers, i8x16.splat(<i8>left))
      const end = i8x16.eq(numbers, i8x16.splat(<i8>left))
      wrong = v128.or(wrong, v128.andnot(inside, v128.or(areDigits, areEnds)))
      areDigits = v128.and(areDigits, inside)
      areEnds = v128.or(v128.and(areEnds, inside), end)
    } else wrong = v128.or(wrong, v128.not(v128.or(areDigits, areEnds)))
    const haveOne = behind1(wereDigits, areDigits), haveTwo = behind2(wereDigits, areDigits)
    const haveHundreds = v128.and(haveTwo, behind3(wereDigits, areDigits))
    wrong = v128.or(wrong, v128.andnot(areEnds, haveOne))
    wrong = v128.or(wrong, v128.and(v128.and(areDigits, haveOne), haveHundreds))
    const ones = behind1(before, digits)
    const end = <u32>i8x16.bitmask(areEnds)
    if ((end == 0xaaaa && !i8x16.extract_lane_s(haveOne, 0)) || (end == 0x5555 && !i8x16.extract_lane_s(haveTwo, 0))) {
      // Eight cells of one digit each.
      const each = end == 0xaaaa ? i16x8.shr_u(ones, 8) : v128.and(ones, i16x8.splat(0xff))
      v128.store(out, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(each)))
      v128.store(out, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(each)), 16)
      out += 32
    } else {
      // A byte that is no digit selects nothing from the table.
      const low = i8x16.add(ones, i8x16.swizzle(tens, behind2(before, digits)))
      const high = v128.and(behind3(before, digits), haveHundreds)
      const first = v128.load64_zero(SHUFFLES + (<usize>(end & 0xff) << 3))
      v128.store(out, weighted(i8x16.swizzle(low, first), i8x16.swizzle(high, first), hundreds))
      out += popcnt(end & 0xff) << 2
      const second = v128.or(v128.load64_zero(SHUFFLES + (<usize>(end >>> 8) << 3)), upper)
      v128.store(out, weighted(i8x16.swizzle(low, second), i8x16.swizzle(high, second), hundreds))
      out += popcnt(end >>> 8) << 2
    }
    before = digits
    wereDigits = areDigits
  }
  if (out != most || v128.any_true(wrong)) return false
  place(row)
  return true
}

/** For each byte of `now`, the byte before it. */
@inline
function behind1(before: v128, now: v128): v128 {
  return i8x16.shuffle(before, now, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
}

@inline
function behind2(before: v128, now: v128): v128 {
  return i8x16.shuffle(before, now, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
}

@inline
function behind3(before: v128, now: v128): v128 {
  return i8x16.shuffle(before, now, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28)
}

/** Four numbers from their last two digits and their hundreds. */
@inline
function weighted(low: v128, high: v128, hundreds: v128): v128 {
  const all = i16x8.add(i16x8.extend_low_i8x16_u(low), i16x8.mul(i16x8.extend_low_i8x16_u(high), hundreds))
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(all))
}

/** Copies the cells of a line to their destinations. */
function place(row: usize): void {
  const out = features + ((row * featureCount) << 2)
  for (let i: usize = 0; i < spanCount; i++) {
    const span = spans + i * 12
    memory.copy(out + (<usize>load<u32>(span, 4) << 2), cells + (<usize>load<u32>(span) << 2), <usize>load<u32>(span, 8) << 2)
  }
  if (targetCount == 0) return
  for (let i: usize = 0; i < columns; i++) {
    const slot = load<i32>(slots + (i << 2))
    if (slot < -1) store<f64>(targets + ((row * targetCount + <usize>(-2 - slot)) << 3), <f64>load<f32>(cells + (i << 2)))
  }
}

/** Parses any line of numbers with up to fifteen digits each. */
function readLong(at: usize, last: usize, row: usize): bool {
  const feature = features + ((row * featureCount) << 2)
  const target = targets + ((row * targetCount) << 3)
  for (let i: usize = 0; i < columns; i++) {
    const slot = load<i32>(slots + (i << 2))
    if (slot == -1) {
      while (at < last && <u32>load<u8>(at) != delimiter) at++
    } else {
      const isNegative = <u32>load<u8>(at) == MINUS
      if (isNegative) at++
      let whole: u64 = 0
      let digits: usize = 0
      let point: usize = -1
      for (;;) {
        // Up to eight digits at once. A byte that is no digit is 10 or more here, and the sum sets its highest bit.
        const bytes = load<u64>(at) ^ 0x3030303030303030
        const others = ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080
        const count = <usize>ctz(others) >>> 3
        if (count > 0) {
          let pairs = bytes << ((8 - count) << 3)
          pairs = pairs * 10 + (pairs >>> 8)
          const value = ((pairs & 0x000000ff000000ff) * 0x000f424000000064 + ((pairs >>> 16) & 0x000000ff000000ff) * 0x0000271000000001) >>> 32
          whole = whole * <u64>load<f64>(POWERS + (count << 3)) + value
          digits += count
          at += count
        }
        if (digits > MOST_DIGITS) return false
        if (count == 8) continue
        if (<u32>load<u8>(at) != POINT || point != -1) break
        point = digits
        at++
      }
      if (digits == 0) return false
      // Both are exact, so the quotient is the value of the text, rounded once.
      let value = <f64>whole
      if (point != -1) value /= load<f64>(POWERS + ((digits - point) << 3))
      if (isNegative) value = -value
      if (slot >= 0) store<f32>(feature + (<usize>slot << 2), <f32>value)
      else store<f64>(target + (<usize>(-2 - slot) << 3), value)
    }
    if (i == columns - 1) break
    if (at >= last || <u32>load<u8>(at) != delimiter) return false
    at++
  }
  return at == last
}
