// The columns of a CSV file: how the text of a cell is converted, and what is learnt about a column first. Knows no
// rows.

import { ArgumentError, RowError, nearestName, quoted } from '../../../core/errors'
import { DROPPED } from '../faults'

/** 'category': a class number, by the position in a vocabulary. 'date': milliseconds since 1970, or parts. */
export type ColumnType = 'number' | 'category' | 'date' | 'string'
export const columnTypes = ['number', 'category', 'date', 'string'] as const satisfies readonly ColumnType[]

/** The treatment of an empty cell: an error, dropping the row, the mean of the column, or a fixed value. */
export type MissingPolicy = 'error' | 'drop' | 'mean' | number | (string & {})

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
  /** null if it must be learnt. */
  readonly vocabulary: readonly string[] | null
  /** Whether its numbers become float32. */
  readonly isFloat32: boolean
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?)?(Z|[+-]\d\d:?\d\d)?$/

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

  constructor(private readonly setting: ColumnSetting) {
    const { name, index, type, missing, vocabulary } = setting
    this.name = name
    this.index = index
    this.type = type
    const twice = vocabulary?.find((each, i) => vocabulary.indexOf(each) !== i)
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
    return this.type === 'number' && ![...this.setting.missingValues].some((each) => numberIn(each) !== null)
  }

  /** The names of the classes; null for other types. */
  get vocabulary(): string[] | null {
    return this.classes === null ? null : [...this.classes.keys()]
  }

  /** The value of a cell. @throws RowError */
  read(text: string, place: FilePosition): CsvValue | typeof DROPPED {
    return this.setting.missingValues.has(text) ? this.filled(text, place) : this.parsed(text, place)
  }

  private filled(text: string, place: FilePosition): CsvValue | typeof DROPPED {
    const { missing } = this.setting
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
        const number = numberIn(text)
        if (number === null) throw this.wrong(`expected a number, received ${quoted(text)}`, text, place)
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

  private unknown(text: string): string {
    const known = this.vocabulary!
    const nearest = nearestName(text, known)
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
    if (this.isUnnumbered) this.found.add(isMissing ? String(missing) : text)
    if (missing !== 'mean' || isMissing) return
    this.sum += numberIn(text)!
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
  if (missing === 'error' || missing === 'drop') return null
  if (type === 'number')
    return missing === 'mean' || typeof missing === 'number' ? null : `${quoted(missing)} is not a number`
  if (missing === 'mean') return `a ${type === 'string' ? 'text' : type} has no mean`
  if (type === 'date') return timeIn(String(missing)) === null ? `${quoted(missing)} is not a date` : null
  return typeof missing === 'number'
    ? `${missing} is not ${type === 'category' ? 'the name of a class' : 'a text'}`
    : null
}

function numbersOf(vocabulary: readonly string[]): Map<string, number> {
  return new Map(vocabulary.map((name, i) => [name, i]))
}

/** The type that fits the cells of a column. */
export function typeOf(cells: readonly string[]): 'number' | 'date' | 'string' {
  if (cells.every((cell) => numberIn(cell) !== null)) return 'number'
  return cells.every((cell) => timeIn(cell) !== null) ? 'date' : 'string'
}

export function numberIn(text: string): number | null {
  const trimmed = text.trim()
  if (!NUMBER.test(trimmed)) return null
  const number = Number(trimmed)
  return Number.isFinite(number) ? number : null
}

/** Milliseconds since 1970. Times without a time zone are UTC. */
function timeIn(text: string): number | null {
  const found = DATE.exec(text.trim())
  if (found === null) return null
  const [year, month, day, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part))) as [number, number, number]
  const time = Date.UTC(year, month - 1, day, hour, minute, second, Number((found[7] ?? '').padEnd(3, '0')))
  // 31 February would become a day in March.
  const date = new Date(time)
  if (
    date.getUTCFullYear() !== year ||
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== day ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  )
    return null
  const zone = /([+-])(\d\d):?(\d\d)$/.exec(found[8] ?? '')
  return zone === null ? time : time - Number(`${zone[1]}1`) * (Number(zone[2]) * 60 + Number(zone[3])) * 60_000
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
