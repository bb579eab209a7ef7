// The columns of a CSV file: they convert the texts of cells, and learn vocabularies and means before that. Know no rows.

import { timeIn } from '../../../core/dates'
import { ArgumentError, RowError, nearestName, quoted } from '../../../core/errors'
import { DROPPED } from '../faults'

/** 'category': a class number, by the position in a vocabulary. 'date': milliseconds since 1970, or parts. */
export type ColumnType = 'number' | 'category' | 'date' | 'string'
export const columnTypes = ['number', 'category', 'date', 'string'] as const satisfies readonly ColumnType[]

/** The treatment of an empty cell: an error, dropping the row, the mean of the column, a fixed value, or null, which keeps it empty. */
export type MissingPolicy = 'error' | 'drop' | 'mean' | number | (string & {}) | null

export interface DateParts {
  readonly year: number
  /** 1 … 12 */
  readonly month: number
  /** 1 … 31 */
  readonly day: number
  /** 0 … 6, Sunday is 0. */
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

export type CsvValue = number | string | DateParts
/** What separates the whole part of a number from the rest. */
export type DecimalMark = '.' | ','

/** The position of a reader in a file. */
export interface FilePosition {
  readonly file: string
  line: number
}

export interface ColumnSetting {
  readonly name: string
  /** The column's position in the file. */
  readonly index: number
  readonly type: ColumnType
  readonly missing: MissingPolicy
  /** Why the policy for all columns does not fit this one; null if it does. */
  readonly unfit: string | null
  /** The texts of an empty cell. */
  readonly missingValues: ReadonlySet<string>
  readonly dates: 'milliseconds' | 'parts'
  readonly decimal: DecimalMark
  /** null if it must be learnt. */
  readonly vocabulary: readonly string[] | null
  /** Whether the type was inferred from cells. */
  readonly isInferred: boolean
  /** Whether its numbers become float32. */
  readonly isFloat32: boolean
}

/** 1.234.567,8 */
const THOUSANDS = /^[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?$/
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i
/** Numbers that are not finite, as pandas reads them. */
const INFINITE = /^[+-]?inf(?:inity)?$/i
/** Whole numbers with more digits than every float64 holds. Those above 10³⁰⁸ are not numbers. */
const LONG_INTEGER = /^[+-]?\d{16,310}$/
/** The number of unknown cells whose errors propose a class: a search costs time, and nobody reads very many errors. */
const MOST_GUESSES = 100
/** The longest vocabulary and text for which a similar name is searched. */
const [GUESSED_NAMES, GUESSED_LENGTH] = [1000, 64]

export class Column {
  readonly name: string
  readonly index: number
  readonly type: ColumnType
  /** The class numbers by name; null for other types, and until they are learnt. */
  private classes: Map<string, number> | null
  private readonly found = new Set<string>()
  private sum = 0
  private count = 0
  private mean: number | null = null
  private guesses = 0
  /** The classes that errors show. */
  private listed: readonly string[] | null = null

  constructor(private readonly setting: ColumnSetting) {
    const { name, index, type, missing, vocabulary } = setting
    this.name = name
    this.index = index
    this.type = type
    const twice = vocabulary === null ? undefined : firstTwice(vocabulary)
    if (twice !== undefined) throw new ArgumentError(`readCsv: vocabulary '${name}' has ${quoted(twice)} twice`)
    this.classes = vocabulary === null ? null : numbersOf(vocabulary)
    const reason = unfitFor(missing, type)
    if (reason !== null)
      throw new ArgumentError(`readCsv: missing '${name}': ${reason}. Use 'error', 'drop'${VALUES[type]}`)
  }

  /** The mean that replaces empty cells; null if unused or not learnt yet. */
  get meanInUse(): number | null {
    return this.mean
  }

  /** Whether empty cells stay empty. */
  get staysEmpty(): boolean {
    return this.setting.missing === null
  }

  /** Whether a pass over all rows must come first. */
  get mustLearn(): boolean {
    return this.isUnnumbered || (this.setting.missing === 'mean' && this.mean === null)
  }

  /** Whether its classes are not known yet. */
  private get isUnnumbered(): boolean {
    return this.type === 'category' && this.classes === null
  }

  /** Whether plain digits always mean a number, never an empty cell. */
  get isPlain(): boolean {
    const { missingValues, decimal } = this.setting
    return this.type === 'number' && decimal === '.' && ![...missingValues].some((each) => numberIn(each) !== null)
  }

  /** The names of the classes; null for other types. */
  get vocabulary(): string[] | null {
    return this.classes === null ? null : [...this.classes.keys()]
  }

  /** The value of a cell. @throws RowError */
  read(text: string, place: FilePosition): CsvValue | null | typeof DROPPED {
    return this.setting.missingValues.has(text) ? this.filled(text, place) : this.parsed(text, place)
  }

  private filled(text: string, place: FilePosition): CsvValue | null | typeof DROPPED {
    const { missing } = this.setting
    if (missing === null) return null
    if (missing === 'drop') return DROPPED
    if (missing === 'mean') return this.mean!
    if (typeof missing === 'number') return missing
    if (missing !== 'error') return this.parsed(missing, place)
    if (this.type === 'string') return text
    throw this.wrong(this.unfilled(), text, place)
  }

  private unfilled(): string {
    const {
      name,
      type,
      setting: { unfit },
    } = this
    const ways = `'drop'${VALUES[type]}`
    return unfit === null
      ? `is missing. Set missing: ${ways}`
      : `is missing, and ${unfit}. Set missing by column, { ${quoted(name)}: … }, to ${ways}`
  }

  private parsed(text: string, place: FilePosition): CsvValue {
    switch (this.type) {
      case 'string':
        return text
      case 'number': {
        const number = this.number(text)
        if (number === null && isInfinite(text, this.setting.decimal))
          throw this.wrong(
            `expected a finite number, received ${quoted(text)}. If it is an empty cell, add it to missingValues; if it is text, set types: { ${quoted(this.name)}: 'string' }`,
            text,
            place,
          )
        if (number === null)
          throw this.wrong(`expected a number, received ${quoted(text)}${this.hint(text)}`, text, place)
        if (this.setting.isInferred && isRounded(text.trim(), number))
          throw this.wrong(
            `${quoted(text)} has more digits than a number holds. If it is an identifier, set types: { ${quoted(this.name)}: 'string' }, otherwise 'number', which rounds it to ${number}`,
            text,
            place,
          )
        if (this.setting.isFloat32 && !Number.isFinite(Math.fround(number)))
          throw this.wrong(`expected a number that float32 can hold, received ${quoted(text)}`, text, place)
        return number
      }
      case 'date': {
        const time = timeIn(text)
        if (time === null)
          throw this.wrong(
            `expected a date such as 2024-05-31 or 2024-05-31T18:30:00Z, received ${quoted(text)}`,
            text,
            place,
          )
        return this.setting.dates === 'parts' ? partsOf(time) : time
      }
      case 'category': {
        const number = this.classes!.get(text)
        if (number === undefined) throw this.wrong(this.unknown(text), text, place)
        return number
      }
    }
  }

  private number(text: string): number | null {
    return numberIn(text, this.setting.decimal)
  }

  /** What to do about a number with the other decimal mark. */
  private hint(text: string): string {
    const other = this.setting.decimal === '.' ? ',' : '.'
    return numberIn(text, other) === null ? '' : `. Set decimal: '${other}' for numbers such as ${text.trim()}`
  }

  private unknown(text: string): string {
    const known = (this.listed ??= this.vocabulary!.slice(0, GUESSED_NAMES))
    const isGuessed =
      this.classes!.size <= GUESSED_NAMES && text.length <= GUESSED_LENGTH && this.guesses++ < MOST_GUESSES
    const nearest = isGuessed ? nearestName(text, known) : undefined
    const guess = nearest === undefined ? '.' : `. Is it '${nearest}'?`
    return `${quoted(text)} is not in the vocabulary ${quoted(known)}${guess} If new classes can occur, set types: { ${quoted(this.name)}: 'string' } and number the texts with StringLookup, which has a number for unknown ones.`
  }

  private wrong(message: string, text: string, { file, line }: FilePosition): RowError {
    return new RowError(message, file, line, this.name, text)
  }

  /** Whether a row with this cell is used for learning. @throws RowError */
  counts(text: string, place: FilePosition): boolean {
    const { missing, missingValues } = this.setting
    const isOpen = missingValues.has(text)
      ? this.mustLearn && missing !== 'error' && missing !== 'drop'
      : this.isUnnumbered
    return isOpen || this.read(text, place) !== DROPPED
  }

  /** Learns from a cell of such a row. */
  learn(text: string): void {
    const { missing, missingValues } = this.setting
    const isMissing = missingValues.has(text)
    if (this.isUnnumbered && !(isMissing && missing === null)) this.found.add(isMissing ? String(missing) : text)
    if (missing !== 'mean' || isMissing) return
    this.sum += this.number(text)!
    this.count++
  }

  /** Ends learning: sorts the vocabulary by code units. */
  settle(file: string): void {
    if (this.isUnnumbered) this.classes = numbersOf([...this.found].sort())
    if (this.setting.missing !== 'mean') return
    if (this.count === 0) throw new RowError('no cell has a number, so there is no mean', file, 1, this.name)
    this.mean = this.sum / this.count
  }
}

/** The values that may replace an empty cell, besides dropping its row. */
const VALUES: Readonly<Record<ColumnType, string>> = {
  number: ", 'mean' or a number",
  date: ' or a date such as 2024-05-31',
  category: ' or the name of a class',
  string: ' or a text',
}

/** Why a column cannot have this policy; null if it can. */
export function unfitFor(missing: MissingPolicy, type: ColumnType): string | null {
  if (missing === 'error' || missing === 'drop' || missing === null) return null
  if (type === 'number')
    return missing === 'mean' || typeof missing === 'number' ? null : `${quoted(missing)} is not a number`
  if (missing === 'mean') return `a ${type === 'string' ? 'text' : type} has no mean`
  if (type === 'date') return timeIn(String(missing)) === null ? `${quoted(missing)} is not a date` : null
  return typeof missing === 'number'
    ? `${missing} is not ${type === 'category' ? 'the name of a class' : 'a text'}`
    : null
}

/** Whether a whole number of a text is not exactly `number`. */
function isRounded(text: string, number: number): boolean {
  return LONG_INTEGER.test(text) && BigInt(text.replace('+', '')) !== BigInt(number)
}

/** The first of some names that occurs again. */
export function firstTwice(names: readonly string[]): string | undefined {
  const met = new Set<string>()
  return names.find((name) => met.size === met.add(name).size)
}

function numbersOf(vocabulary: readonly string[]): Map<string, number> {
  return new Map(vocabulary.map((name, i) => [name, i]))
}

/** The type that fits the cells of a column: for infinite numbers also 'number', so that reading them is an error. */
export function typeOf(cells: readonly string[], decimal: DecimalMark): 'number' | 'date' | 'string' {
  if (cells.every((cell) => numberIn(cell, decimal) !== null || isInfinite(cell, decimal))) return 'number'
  return cells.every((cell) => timeIn(cell) !== null) ? 'date' : 'string'
}

/** A finite number; null for other texts. */
export function numberIn(text: string, decimal: DecimalMark = '.'): number | null {
  const plain = plainNumber(text, decimal)
  const number = plain === null ? NaN : Number(plain)
  return Number.isFinite(number) ? number : null
}

/** Whether a text is an infinite number, or one with an exponent that float64 cannot hold. */
function isInfinite(text: string, decimal: DecimalMark): boolean {
  if (INFINITE.test(text.trim())) return true
  const plain = plainNumber(text, decimal)
  return plain !== null && /e/i.test(plain) && !Number.isFinite(Number(plain))
}

/** A number as JavaScript writes it; null for other texts. With a decimal comma, points are between thousands: 1.234,5. */
function plainNumber(text: string, decimal: DecimalMark): string | null {
  const number = text.trim()
  if (decimal === ',' && number.includes('.') && !THOUSANDS.test(number)) return null
  const plain = decimal === ',' ? number.replaceAll('.', '').replace(',', '.') : number
  return NUMBER.test(plain) ? plain : null
}

function partsOf(time: number): DateParts {
  const date = new Date(time)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  }
}
