// Rows of a data set in blocks: many rows in a few arrays. What only selects, reorders or stacks rows copies them from block
// to block; a row becomes an element of its own where a user's function, or the user, takes it.

import type { NumericArray } from '../../core/dtypes'
import { collate, type Padding } from './collate'

/** The entries of rows, one row after the other: numbers, or elements as they are. */
export type Entries = NumericArray | unknown[]

/** Rows of the columns: from the given one on, or each by its number. */
export type Places = number | Int32Array

/** How rows are stored: in arrays, the columns, of which each has some entries for every row. */
export interface RowFormat<T = unknown> {
  /** Formats with equal keys store rows alike. */
  readonly key: unknown
  /** The number of entries of a row in each column. */
  readonly widths: readonly number[]
  /** Columns for `count` rows. @param spare a batch whose memory may be reused */
  allocate(count: number, spare?: unknown): Entries[]
  /** The row `at` as an element with memory of its own. */
  row(columns: readonly Entries[], at: number): T
  /** The same for a file, if it differs: with numbers as they were given. */
  exact?(columns: readonly Entries[], at: number): unknown
  /** The first `count` rows stacked as by `collate`. The batch may keep the columns. */
  stack(columns: readonly Entries[], count: number, where: string, spare: unknown): unknown
}

/** Some rows of a pass. */
export interface Block<T = unknown> {
  readonly format: RowFormat<T>
  readonly columns: readonly Entries[]
  readonly places: Places
  readonly count: number
}

function placeAt(places: Places, i: number): number {
  return typeof places === 'number' ? places + i : places[i]!
}

/** Row i of a block as an element. */
export function rowAt<T>({ format, columns, places }: Block<T>, i: number): T {
  return format.row(columns, placeAt(places, i))
}

/** All rows of a block as elements. */
export function rowsOf<T>(block: Block<T>): T[] {
  return Array.from({ length: block.count }, (_, i) => rowAt(block, i))
}

/** All rows of a block as elements for a file. */
export function exactRowsOf<T>(block: Block<T>): unknown[] {
  const { format, columns, places, count } = block
  if (format.exact === undefined) return rowsOf(block)
  return Array.from({ length: count }, (_, i) => format.exact!(columns, placeAt(places, i)))
}

const ELEMENTS: RowFormat = {
  key: 'elements',
  widths: [1],
  allocate: () => [[]],
  row: ([elements], at) => elements![at],
  stack: ([elements], count, where, spare) =>
    collate((elements as readonly unknown[]).slice(0, count), where, null, spare),
}

/** Elements as a block. */
export function blockOf<T>(elements: T[]): Block<T> {
  return { format: ELEMENTS as RowFormat<T>, columns: [elements], places: 0, count: elements.length }
}

/** Rows that are somewhere else, by their numbers. */
export interface NumberedRows<T = unknown> {
  readonly size: number
  row(i: number): T
  /** The row as it was given: numbers that are no float32 stay, and an int32 is a tensor. */
  exact(i: number): unknown
  /**
   * Rows as a batch, stacked as by `collate`.
   * @param spare a batch whose memory may be reused
   */
  batch(rows: Int32Array, where: string, spare: unknown): unknown
}

/** Blocks of numbers in place of rows. */
export function numbersOf<T>(rows: NumberedRows<T>): RowFormat<T> {
  return {
    key: rows,
    widths: [1],
    allocate: (count) => [new Int32Array(count)],
    row: ([numbers], at) => rows.row(numbers![at] as number),
    exact: ([numbers], at) => rows.exact(numbers![at] as number),
    stack: ([numbers], count, where, spare) => rows.batch((numbers as Int32Array).subarray(0, count), where, spare),
  }
}

/** Longer runs of numbers are copied with `set`: for shorter ones, a loop is faster than two views. */
const LONG = 24

/** into[to(i)] ← from[at(i)] for `count` rows of `width` entries */
export function copyRows(from: Entries, at: Places, into: Entries, to: Places, count: number, width: number): void {
  if (Array.isArray(into)) {
    for (let i = 0; i < count; i++) into[placeAt(to, i)] = from[placeAt(at, i)]
    return
  }
  const numbers = from as NumericArray
  if (typeof at === 'number' && typeof to === 'number' && count * width > LONG)
    return into.set(numbers.subarray(at * width, (at + count) * width), to * width)
  for (let i = 0; i < count; i++) {
    const start = placeAt(at, i) * width
    const target = placeAt(to, i) * width
    if (width > LONG) into.set(numbers.subarray(start, start + width), target)
    else for (let k = 0; k < width; k++) into[target + k] = numbers[start + k]!
  }
}

/** Rows that are kept, by their numbers. */
export function numberedRows<T>({ format, columns, count: size }: Block<T>): NumberedRows<T> {
  return {
    size,
    row: (i) => format.row(columns, i),
    exact: (i) => (format.exact ?? format.row)(columns, i),
    batch(rows, where, spare) {
      const own = format.allocate(rows.length, spare)
      columns.forEach((each, k) => copyRows(each, rows, own[k]!, 0, rows.length, format.widths[k]!))
      return format.stack(own, rows.length, where, spare)
    },
  }
}

/** Up to so many rows get memory at once, before it is known whether there are as many. */
const AT_ONCE = 4096

/** Collects rows. They are in the format of the first ones; if others come, all are elements. */
export class RowStore<T = unknown> {
  private format: RowFormat<T> | null = null
  private columns: readonly Entries[] = []
  /** The number of rows, or of places for rows. */
  count = 0
  private capacity = 0

  /**
   * @param expected the number of rows, if it is known
   * @param spare a batch whose memory may be reused
   */
  constructor(
    private readonly expected = Infinity,
    private readonly spare?: unknown,
  ) {}

  /** Writes rows to places, by default behind all others. A place is new, or was written before. */
  add(block: Block<T>, to: Places = this.count): void {
    if (this.format === null) this.begin(block.format)
    if (this.format!.key !== block.format.key) this.keepElements()
    const { widths, key } = this.format!
    const { columns, places, count } = key === block.format.key ? block : blockOf(rowsOf(block))
    const end = typeof to === 'number' ? to + count : to.reduce((most, place) => Math.max(most, place + 1), 0)
    this.count = Math.max(this.count, end)
    this.reserve(this.count)
    for (let k = 0; k < widths.length; k++) copyRows(columns[k]!, places, this.columns[k]!, to, count, widths[k]!)
  }

  /** A row as an element. */
  row(place: number): T {
    return this.format!.row(this.columns, place)
  }

  /** All rows. */
  get all(): Block<T> {
    return { format: this.format!, columns: this.columns, places: 0, count: this.count }
  }

  /** All rows, if they are stored as elements; null otherwise. */
  get elements(): readonly T[] | null {
    if (this.format === null) return []
    return this.format.key === ELEMENTS.key ? (this.columns[0] as T[]) : null
  }

  /** All rows stacked as by `collate`. The batch may keep the memory of the store. */
  batch(where: string, padding: Padding | null): unknown {
    return padding === null
      ? this.format!.stack(this.columns, this.count, where, this.spare)
      : collate(rowsOf(this.all), where, padding, this.spare)
  }

  private begin(format: RowFormat<T>): void {
    this.format = format
    this.capacity = this.spare === undefined ? Math.min(this.expected, AT_ONCE) : this.expected
    this.columns = format.allocate(this.capacity, this.spare)
  }

  private keepElements(): void {
    if (this.format!.key === ELEMENTS.key) return
    const { format, columns } = blockOf(this.count === 0 ? [] : rowsOf(this.all))
    this.format = format
    this.columns = columns
  }

  /** Makes room for `count` rows: for twice as many as before up to those that are expected, and then for an eighth more. */
  private reserve(count: number): void {
    if (count <= this.capacity) return
    const ahead = count > this.expected ? count + (this.expected >> 3) : Math.min(2 * this.capacity, this.expected)
    this.capacity = Math.max(count, ahead)
    const own = this.format!.allocate(this.capacity)
    const { columns } = this
    // A list of elements grows by itself.
    this.columns = own.map((each, k) => {
      const old = columns[k]!
      if (Array.isArray(each) || Array.isArray(old)) return old
      each.set(old)
      return each
    })
  }
}
