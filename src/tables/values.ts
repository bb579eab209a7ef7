// Rows of a table: the values that a column can have, and their form in the inputs of a model.

import { timeIn } from '../core/dates'
import { DataError, quoted } from '../core/errors'
import { isBranch } from '../core/tree'
import { StringTensor } from '../ops/strings'
import { Tensor } from '../ops/tensor'

/** The kinds of the values of a column. */
export const KINDS = ['number', 'category', 'date', 'text'] as const
export type TableKind = (typeof KINDS)[number]
/** A row of a table: a value for each column; null, undefined, NaN and '' are missing values. */
export type TableRow = Readonly<Record<string, unknown>>

/** Whether a value is an object with single values: no batch, and no record of columns. */
export function isRow(value: unknown): value is TableRow {
  return isBranch(value) && !Array.isArray(value) && !Object.values(value).some(isData)
}

function isData(value: unknown): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value) || value instanceof Tensor || value instanceof StringTensor
}

/** null, undefined, NaN and the empty string. */
export function isMissing(value: unknown): boolean {
  return value == null || value === '' || Number.isNaN(value)
}

/**
 * A value of a column as the model's input takes it.
 * @throws DataError for a value that the column cannot have
 */
export function valueOf(value: unknown, kind: TableKind, optional: boolean, place: string): number | string {
  if (isMissing(value)) {
    if (optional) return kind === 'number' ? NaN : ''
    throw new DataError(
      `${place}: the value is missing, and the table from which the model was made had a value in each row. Fill it, leave out the row, or make the model with columns: { …: { missing: 'mean' } }.`,
    )
  }
  const read = READERS[kind](value)
  if (read !== null) return read
  throw new DataError(`${place}: expected ${EXPECTED[kind]}, received ${quoted(value)}`)
}

const EXPECTED: Readonly<Record<TableKind, string>> = {
  number: 'a number',
  category: 'a category: a text, a number or a boolean',
  date: 'a date: a Date, milliseconds since 1970, or a text such as 2024-05-31',
  text: 'a text',
}

const READERS: Readonly<Record<TableKind, (value: unknown) => number | string | null>> = {
  number: (value) => {
    const number =
      typeof value === 'boolean' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : value
    return typeof number === 'number' && Number.isFinite(number) ? number : null
  },
  category: (value) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null,
  date: dateText,
  text: (value) => (typeof value === 'string' ? value : null),
}

/** The text of a date, from a Date, milliseconds since 1970, a text, or the parts of a date that readCsv returns. */
function dateText(value: unknown): string | null {
  if (typeof value === 'string') return timeIn(value) === null ? null : value
  if (isBranch(value) && 'year' in value) {
    const [year, month, day] = ['year', 'month', 'day'].map((part) => Number(Reflect.get(value, part)))
    const [hour, minute, second] = ['hour', 'minute', 'second'].map((part) => Number(Reflect.get(value, part) ?? 0))
    return dateText(Date.UTC(year!, month! - 1, day, hour, minute, second))
  }
  const time = value instanceof Date ? value.getTime() : value
  if (typeof time !== 'number' || !(Math.abs(time) <= LAST_TIME)) return null
  const text = new Date(time).toISOString()
  return timeIn(text) === null ? null : text
}

/** The last time of a Date, in milliseconds. */
const LAST_TIME = 8.64e15
