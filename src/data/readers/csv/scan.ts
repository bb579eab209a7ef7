// Reads rows of numbers directly from their bytes: most cells of wide files are a few digits, and a string for each
// would take several times as long. Other cells are passed to their column as text.

import { CARRIAGE_RETURN } from '../blocks'

/** How the scanner treats the cells of a column: their place among the features or the targets, or none. */
export interface Slot {
  readonly to: 'features' | 'targets' | 'nothing'
  readonly at: number
  /** Whether plain digits are read as a number here; otherwise `read` always gets the text. */
  readonly isNumber: boolean
  /** Whether plain digits are read as a number among the features. */
  readonly isPlain: boolean
  /** Reads other cells; returns false if the row must be read in another way. */
  readonly read: (text: string, out: Float32Array | Float64Array, at: number) => boolean
}

const ZERO = 48
/** The number of digits that are exact in an int32. */
const FEW_DIGITS = 9
const MINUS = 45
const POINT = 46
/** The number of digits that are exact in a float64. */
const MOST_DIGITS = 15
const POWERS = Array.from({ length: MOST_DIGITS + 1 }, (_, i) => 10 ** i)

export interface Scanned {
  readonly features: Float32Array
  readonly targets: Float64Array
}

/**
 * Reads the cells of a line: the bytes from `from` to `to`, without the line end.
 * @returns whether there is a cell for each slot, and all could be read
 */
export function scanRow(
  bytes: Uint8Array,
  from: number,
  to: number,
  delimiter: number,
  slots: readonly Slot[],
  row: Scanned,
  decode: (from: number, to: number) => string,
): boolean {
  const { features, targets } = row
  const end = to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to
  const last = slots.length - 1
  const separator = delimiter - ZERO
  let at = from
  for (let i = 0; i <= last; i++) {
    const slot = slots[i]!
    const begin = at
    // Most cells are a few digits.
    if (slot.isPlain) {
      let whole = bytes[at]! - ZERO
      if (whole >= 0 && whole <= 9) {
        let next = at + 1
        let digit = bytes[next]! - ZERO
        for (const most = at + FEW_DIGITS; digit >= 0 && digit <= 9 && next < most; digit = bytes[++next]! - ZERO)
          whole = whole * 10 + digit
        if (i < last && digit === separator) {
          features[slot.at] = whole
          at = next + 1
          continue
        }
      }
    }
    let value = 0
    let digits = 0
    let point = -1
    const isNegative = bytes[at] === MINUS
    if (isNegative) at++
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO
      if (digit >= 0 && digit <= 9) {
        value = value * 10 + digit
        digits++
      } else if (digit === POINT - ZERO && point < 0) point = digits
      else break
    }
    const isEnd = at === end || bytes[at] === delimiter
    if (isEnd && slot.isNumber && digits > 0 && digits <= MOST_DIGITS) {
      // Both are exact, so the quotient is the number of the text, rounded once.
      const size = point < 0 ? value : value / POWERS[digits - point]!
      if (slot.to === 'features') features[slot.at] = isNegative ? -size : size
      else if (slot.to === 'targets') targets[slot.at] = isNegative ? -size : size
    } else {
      while (at < end && bytes[at] !== delimiter) at++
      if (slot.to !== 'nothing' && !slot.read(decode(begin, at), row[slot.to], slot.at)) return false
    }
    if (i < last && at++ >= end) return false
  }
  return at === end
}
