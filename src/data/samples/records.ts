// Rows as objects, [{ age: 33, sex: 'f' }], become columns: an array for each named input. Checks the keys and the values
// of each row, so that errors name row and column; parse.ts makes tensors of the columns.

import { ArgumentError, DataError, ShapeError, formatShape, quoted } from '../../core/errors'
import { sameShape, type Shape } from '../../core/shapes'
import { TensorSpec } from '../../core/spec'
import { flatten, isBranch, mapTree, type Tree } from '../../core/tree'
import { toTensor } from '../../ops/convert'
import { StringTensor, beginsWithString, toStrings } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import { Variable } from '../../ops/variable'
import { isNamedData, type Layout } from './layout'
import type { RecordReader } from './record-hook'

type Row = Readonly<Record<string, unknown>>

/** The spec of each key of a row; null for a value of any shape. */
interface Specs {
  readonly [key: string]: TensorSpec | Specs | null
}

/** A row is an object; a list of rows gives one batch. */
export const recordReader: RecordReader = {
  columns(layout, { x, y }, names) {
    const specs = specsIn(layout)
    if (specs === null) return { x, y }
    const isOne = isRow(x) && isOneRow(specs, x)
    if (!isOne && !isRowList(x)) return { x, y: targetColumns(y, names.y) }
    const rows = isRowList(x) ? x : [x]
    if (!areKeys(y)) {
      const columns = columnsOf(specs, rows, names.x, [])
      return { x: columns, y: targetColumns(isOne && isOneTarget(y) ? [y] : y, names.y) }
    }
    const keys = flatten(y)
    const columns = columnsOf(specs, rows, names.x, keys)
    const found = columnsOf(Object.fromEntries(keys.map((key) => [key, null])), rows, names.y, null)
    return { x: columns, y: mapTree(y, (key) => found[key]) }
  },
  areRows(batch) {
    const [first] = batch
    return isRow(first) && Object.values(first).some(isSingle) && batch.every((row) => hasKeysOf(first, row))
  },
}

/** Whether targets are the keys of the rows that have them. */
function areKeys(y: unknown): y is Tree<string> {
  const leaves = y == null ? [] : flatten<unknown>(y)
  return leaves.length > 0 && leaves.every((each) => typeof each === 'string')
}

/** The specs by name; null for a model without named inputs. */
function specsIn({ structure, names }: Layout): Specs | null {
  if (structure === null || names.length === 0) return null
  if (areNamed(structure)) return structure
  const list: readonly unknown[] = Array.isArray(structure) ? structure : [structure]
  const specs = list.filter((each) => each instanceof TensorSpec)
  if (list.length !== names.length || specs.length !== names.length) return null
  return Object.fromEntries(names.map((name, i) => [name, specs[i]!]))
}

/** Whether all branches are records. */
function areNamed(structure: unknown): structure is Specs {
  return isRow(structure) && Object.values(structure).every((child) => child instanceof TensorSpec || areNamed(child))
}

function isRow(value: unknown): value is Row {
  return isBranch(value) && !Array.isArray(value)
}

/** Whether data are a list of rows: its first value is an object that is not itself data. */
function isRowList(data: unknown): data is readonly unknown[] {
  const first: unknown = Array.isArray(data) ? data.find((each) => each != null) : null
  return typeof first === 'object' && first !== null && !isData(first)
}

function isSingle(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean'
}

/** Whether an object is one row, rather than columns: its values have an axis less than a batch. */
function isOneRow(specs: Specs, data: Row): boolean {
  let isClear = false
  const fits = Object.entries(specs).every(([key, spec]) => {
    const value = Object.hasOwn(data, key) ? data[key] : null
    if (value == null) {
      isClear ||= spec instanceof TensorSpec && spec.optional === true
      return true
    }
    if (!(spec instanceof TensorSpec)) {
      if (!isRow(value) || spec === null || !isOneRow(spec, value)) return false
      isClear = true
      return true
    }
    const extents = extentsOf(value)
    if (extents === null || extents.includes(0)) return false
    if (takesSingle(spec)) {
      // A list of one may also be a column.
      isClear ||= extents.length === 0
      return extents.length === 0 || (extents.length === 1 && extents[0] === 1)
    }
    if (extents.length !== spec.shape.length - 1) return false
    isClear = true
    return true
  })
  return fits && isClear
}

/** Whether a row has one number or string, which may also be in a list of one. */
function takesSingle({ shape }: TensorSpec): boolean {
  return shape.length < 2 || (shape.length === 2 && shape[1] === 1)
}

/** The shape of a value, of lists by their first elements; null for a value that is not data. */
function extentsOf(value: unknown): Shape | null {
  if (isSingle(value)) return []
  if (Array.isArray(value)) {
    const inner = value.length === 0 ? [] : extentsOf(value[0])
    return inner && [value.length, ...inner]
  }
  if (isView(value)) return [value.length]
  const shape: unknown = typeof value === 'object' && value !== null && 'shape' in value ? value.shape : null
  return Array.isArray(shape) ? shape : null
}

function isView(value: unknown): value is ArrayLike<unknown> {
  return ArrayBuffer.isView(value) && 'length' in value
}

/** Whether targets are those of one row: a number, or an object with one. */
function isOneTarget(y: unknown): boolean {
  return isSingle(y) || (isNamedData(y) && Object.values(y).some(isSingle))
}

/** Targets as a list of objects with a value for each output become a record of columns. */
function targetColumns(y: unknown, where: string): unknown {
  if (!isRowList(y)) return y
  const keys = Object.keys(y.find(isRow) ?? {})
  return columnsOf(Object.fromEntries(keys.map((key) => [key, null])), y, where, [])
}

function hasKeysOf(first: Row, row: unknown): boolean {
  const keys = Object.keys(first)
  return isRow(row) && Object.keys(row).length === keys.length && keys.every((key) => Object.hasOwn(row, key))
}

/**
 * A column for each spec.
 * @param beside the other keys that a row may have; null for any
 * @param path of the rows within their rows
 */
function columnsOf(
  specs: Specs,
  rows: readonly unknown[],
  where: string,
  beside: readonly string[] | null,
  path = '',
): Record<string, unknown> {
  const keys = Object.keys(specs)
  const columns = keys.map((key) => new Column(specs[key]!, where, `${path}${key}`))
  // A loop by index also meets the holes of a sparse list.
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    const place = (): string => `${where}, row ${i}${path === '' ? '' : `, column '${path.slice(0, -1)}'`}`
    if (!isRow(row))
      throw new DataError(`${place()}: expected a plain object { ${keys.join(', ')} }, received ${quoted(row)}`)
    const present = Object.keys(row)
    const surplus = beside && present.find((key) => !Object.hasOwn(specs, key) && !beside.includes(key))
    if (surplus != null)
      throw new ArgumentError(
        `${place()}: '${surplus}' is not one of { ${keys.join(', ')} }. Remove it; if it is the target, give its name in place of the targets: fit(rows, '${surplus}')`,
      )
    for (let k = 0; k < keys.length; k++) {
      const key = keys[k]!
      if (!Object.hasOwn(row, key))
        throw new ArgumentError(`${place()}: '${key}' is missing; the row has { ${present.join(', ')} }`)
      columns[k]!.add(row[key], i)
    }
  }
  return Object.fromEntries(
    columns.map(({ spec, values }, k) => {
      const isLeaf = spec === null || spec instanceof TensorSpec
      return [keys[k]!, isLeaf ? values : columnsOf(spec, values, where, beside && [], `${path}${keys[k]!}.`)]
    }),
  )
}

/** The values of one key, row after row. */
class Column {
  readonly values: unknown[] = []
  /** The shape of a value; null if unknown. */
  private readonly expected: readonly (number | null)[] | null
  /** Whether one number or string is a value, so also a list of one. */
  private readonly takesSingle: boolean
  /** The shape of the first value. */
  private shape: Shape | null = null

  /** @param spec null for targets, which may be of any shape; a record of specs for values that are rows themselves */
  constructor(
    readonly spec: TensorSpec | Specs | null,
    private readonly where: string,
    private readonly name: string,
  ) {
    this.expected = spec instanceof TensorSpec ? spec.shape.slice(1) : null
    this.takesSingle = spec instanceof TensorSpec && takesSingle(spec)
  }

  add(cell: unknown, row: number): void {
    const { spec, takesSingle } = this
    const isOptional = spec instanceof TensorSpec && spec.optional
    if (cell == null && isOptional && takesSingle) return void this.values.push(spec.dtype === 'string' ? '' : NaN)
    if (cell == null)
      throw new DataError(
        `${this.place(row)}: the value is missing, received ${String(cell)}. Fill it, or leave out the row.`,
      )
    if (spec !== null && !(spec instanceof TensorSpec)) return void this.values.push(cell)
    const value: unknown = takesSingle && Array.isArray(cell) && cell.length === 1 ? cell[0] : cell
    const isText = spec === null ? isString(value) : spec.dtype === 'string'
    if (isText !== isString(value) || !(isSingle(value) || isData(value)))
      throw new DataError(
        `${this.place(row)}: expected ${isText ? 'a string' : 'a number'}${takesSingle || spec === null ? '' : ' or a list of them'}, received ${quoted(value)}`,
      )
    this.values.push(isSingle(value) ? this.single(value, row) : this.several(value, isText, row))
  }

  private single(value: unknown, row: number): unknown {
    this.requireShape([], row)
    return typeof value === 'boolean' && !this.isBool ? Number(value) : value
  }

  private several(value: unknown, isText: boolean, row: number): unknown {
    const place = this.place(row)
    const tensor = isText ? toStrings(value, place) : toTensor(value, place)
    const { shape } = tensor
    // Only a tensor: a list of one was unpacked before.
    if (this.takesSingle && shape.length < 2 && tensor.size === 1)
      return this.single([tensor.toArray<unknown>()].flat()[0], row)
    this.requireShape(shape, row)
    if (tensor.dtype === 'bool' && !this.isBool) return toTensor(tensor, place, 'float32').toArray()
    // Numbers of a list do not pass through float32, which cannot represent large integers.
    return Array.isArray(value) || ArrayBuffer.isView(value) ? value : tensor.toArray()
  }

  private get isBool(): boolean {
    return this.spec instanceof TensorSpec && this.spec.dtype === 'bool'
  }

  private requireShape(shape: Shape, row: number): void {
    const { expected, takesSingle } = this
    const isExpected =
      expected === null ||
      (takesSingle && shape.length === 0) ||
      (shape.length === expected.length && shape.every((extent, axis) => (expected[axis] ?? extent) === extent))
    if (!isExpected)
      throw new ShapeError(
        `${this.place(row)}: expected a value of shape ${formatShape(expected)}, received ${formatShape(shape)}`,
      )
    this.shape ??= shape
    if (!sameShape(shape, this.shape))
      throw new ShapeError(
        `${this.place(row)}: expected shape ${formatShape(this.shape)} as in row 0, received ${formatShape(shape)}`,
      )
  }

  private place(row: number): string {
    return `${this.where}, row ${row}, column '${this.name}'`
  }
}

function isString(value: unknown): boolean {
  return value instanceof StringTensor || beginsWithString(value)
}

/** Whether a value is a list or a tensor. */
function isData(value: unknown): boolean {
  return (
    Array.isArray(value) ||
    ArrayBuffer.isView(value) ||
    value instanceof Tensor ||
    value instanceof Variable ||
    (isRow(value) && !isNamedData(value))
  )
}
