// Reads JSON text part by part, without making values of it. A value that is skipped may be one that JSON.parse refuses.

const TAB = 9
const LINE_FEED = 10
const RETURN = 13
const SPACE = 32
const QUOTE = 34
export const COMMA = 44
const ZERO = 48
const NINE = 57
export const COLON = 58
export const BEGIN_LIST = 91
const BACKSLASH = 92
export const END_LIST = 93
export const BEGIN_RECORD = 123
export const END_RECORD = 125

export class JsonScanner {
  /** Where the next part begins. */
  at = 0
  /** The text of the last string is from `from` to `to` of `source`: of the JSON text, or of the string itself if it has escapes. */
  source = ''
  from = 0
  to = 0

  constructor(readonly text: string) {}

  /** The next unit that is no whitespace; NaN at the end. */
  next(): number {
    const { text } = this
    for (;;) {
      const unit = text.charCodeAt(this.at)
      if (unit !== SPACE && unit !== LINE_FEED && unit !== RETURN && unit !== TAB) return unit
      this.at++
    }
  }

  /** Goes over the next unit if it is this one. */
  take(unit: number): boolean {
    if (this.next() !== unit) return false
    this.at++
    return true
  }

  /**
   * Reads a list or a record, with `read` for each item or member.
   * @returns false if the next value is none, or `read` returns false
   */
  each(begin: number, end: number, read: () => boolean): boolean {
    if (!this.take(begin)) return false
    if (this.take(end)) return true
    do if (!read()) return false
    while (this.take(COMMA))
    return this.take(end)
  }

  /** Reads a string. @returns false if the next value is none */
  string(): boolean {
    if (!this.take(QUOTE)) return false
    const { text } = this
    const begin = this.at
    let hasEscape = false
    for (let at = begin; ; at++) {
      const unit = text.charCodeAt(at)
      // Also at the end of the text, where the unit is NaN.
      if (!(unit >= SPACE)) return false
      if (unit === QUOTE) {
        this.at = at + 1
        return hasEscape ? this.unescape(begin, at) : this.set(text, begin, at)
      }
      if (unit !== BACKSLASH) continue
      hasEscape = true
      at++
    }
  }

  /** Reads a whole number that is not negative. @returns -1 if the next value is none, or is above 2³¹ - 1 */
  count(): number {
    const { text } = this
    let unit = this.next()
    const begin = this.at
    let value = 0
    for (; unit >= ZERO && unit <= NINE; unit = text.charCodeAt(++this.at)) value = 10 * value + unit - ZERO
    const digits = this.at - begin
    return digits === 0 || digits > 9 || (digits > 1 && text.charCodeAt(begin) === ZERO) ? -1 : value
  }

  /** Goes over a value. @returns false if the text ends before, or a string is not valid */
  skip(): boolean {
    let depth = 0
    do {
      const unit = this.next()
      if (Number.isNaN(unit)) return false
      if (unit === QUOTE) {
        if (!this.string()) return false
      } else {
        if (unit === BEGIN_RECORD || unit === BEGIN_LIST) depth++
        else if (unit === END_RECORD || unit === END_LIST) depth--
        if (depth < 0) return true
        this.at++
      }
    } while (depth > 0 || !this.isBehindValue())
    return true
  }

  /** Whether a value ends here. Numbers and words are gone over unit by unit. */
  private isBehindValue(): boolean {
    const unit = this.next()
    return Number.isNaN(unit) || unit === COMMA || unit === END_RECORD || unit === END_LIST || unit === COLON
  }

  private unescape(begin: number, end: number): boolean {
    try {
      const value: unknown = JSON.parse(this.text.slice(begin - 1, end + 1))
      return typeof value === 'string' && this.set(value, 0, value.length)
    } catch {
      return false
    }
  }

  private set(source: string, from: number, to: number): true {
    this.source = source
    this.from = from
    this.to = to
    return true
  }
}
