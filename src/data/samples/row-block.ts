// Rows of a data set in blocks: many rows in a few arrays. Transformations that only select, reorder or stack rows copy them from
// block to block. A row becomes an element when a user, or a function of the user, takes it.

import type { NumericArray } from '../../core/dtypes'
import { internalError } from '../../core/errors'
import { typed } from '../../core/tree'
import { collate, type Padding } from './collate'

/** The entries of rows, one row after the other: numbers, or elements. */
export type Entries = NumericArray | unknown[]

/** The positions of rows in the columns: a first one, which the others follow, or one for each row. */
export type Places = number | Int32Array

/** How rows are stored: in arrays, the columns, of which each has some entries for every row. */
export interface RowFormat<T = unknown> {
  /** Formats with equal keys store rows alike. */
  readonly key: unknown
  /** The number of entries of a row in each column. */
  readonly widths: readonly number[]
  /** Columns for `count` rows. @param spare a batch whose memory may be reused */
  allocate(count: number, spare?: unknown): Entries[]
  /** The row `at` as an element, which does not share memory with the columns. */
  row(columns: readonly Entries[], at: number): T
  /** The element for a file, if it differs: with the numbers before their conversion to float32. */
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
    collate(Array.from<unknown>(elements!).slice(0, count), where, null, spare),
}

/** Elements as a block. */
export function blockOf<T>(elements: T[]): Block<T> {
  // A column does not know the type of its entries: those of this block are elements of type T.
  return typed({ format: ELEMENTS, columns: [elements], places: 0, count: elements.length } satisfies Block)
}

/** Rows that are stored elsewhere and read by their numbers. */
export interface NumberedRows<T = unknown> {
  readonly size: number
  row(i: number): T
  /** The row for a file: numbers that float32 cannot hold are doubles, and an int32 is a tensor. */
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
    row: ([numbers], at) => rows.row(integersIn(numbers)[at]!),
    exact: ([numbers], at) => rows.exact(integersIn(numbers)[at]!),
    stack: ([numbers], count, where, spare) => rows.batch(integersIn(numbers).subarray(0, count), where, spare),
  }
}

function integersIn(column: Entries | undefined): Int32Array {
  if (column instanceof Int32Array) return column
  throw internalError('the column does not have the numbers of rows')
}

/** Longer runs of numbers are copied with `set`: for shorter ones, a loop is faster than two views. */
const LONG = 24

/** into[to(i)] ← from[at(i)] for `count` rows of `width` entries */
export function copyRows(from: Entries, at: Places, into: Entries, to: Places, count: number, width: number): void {
  if (Array.isArray(into)) {
    for (let i = 0; i < count; i++) into[placeAt(to, i)] = from[placeAt(at, i)]
    return
  }
  if (Array.isArray(from)) throw internalError('elements cannot be copied to rows of numbers')
  if (typeof at === 'number' && typeof to === 'number' && count * width > LONG)
    return into.set(from.subarray(at * width, (at + count) * width), to * width)
  for (let i = 0; i < count; i++) {
    const start = placeAt(at, i) * width
    const target = placeAt(to, i) * width
    if (width > LONG) into.set(from.subarray(start, start + width), target)
    else for (let k = 0; k < width; k++) into[target + k] = from[start + k]!
  }
}

/** Rows that are kept, by their numbers. */
export function numberedRows<T>({ format, columns, count: size }: Block<T>): NumberedRows<T> {
  return {
    size,
    row: (i) => format.row(columns, i),
    exact: (i) => (format.exact ?? format.row)(columns, i),
    batch(rows, where, spare) {
      const chosen = format.allocate(rows.length, spare)
      columns.forEach((each, k) => copyRows(each, rows, chosen[k]!, 0, rows.length, format.widths[k]!))
      return format.stack(chosen, rows.length, where, spare)
    },
  }
}

/** The number of rows that get memory at first, because there may be fewer than expected. */
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
    return this.format.key === ELEMENTS.key ? rowsOf(this.all) : null
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
    const larger = this.format!.allocate(this.capacity)
    const { columns } = this
    // A list of elements grows by itself.
    this.columns = larger.map((each, k) => {
      const old = columns[k]!
      if (Array.isArray(each) || Array.isArray(old)) return old
      each.set(old)
      return each
    })
  }
}
