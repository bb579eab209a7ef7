// Rows of data in memory, of any type, and labels as a plain list.

import { ArgumentError, DataError, internalError, quoted } from '../../core/errors'
import { isBranch } from '../../core/tree'
import { allocateData } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import { toTensor, type ShapedData, type TypedArray } from '../../ops/convert'
import { StringTensor } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'

/** Data with a row for each sample: a tensor, `{ data, shape }`, a typed array, or a list. */
export type RowData = Tensor | ShapedData | TypedArray | readonly unknown[]
/** Such data, or records of them. */
export type RowsByName = RowData | { readonly [name: string]: RowsByName }

/** A label for each sample. */
export type Labels = Tensor | TypedArray | readonly (number | string | boolean)[]
export type Label = number | string | boolean

/** The number of rows. @throws DataError for data without rows, or records with different numbers */
export function rowCount(data: unknown, where: string): number {
  if (isRecord(data)) {
    const counts = Object.entries(data).map(([name, part]) => ({ name, count: rowCount(part, `${where}.${name}`) }))
    const other = counts.find(({ count }) => count !== counts[0]!.count)
    if (counts.length === 0) throw new DataError(`${where}: the record is empty`)
    if (other !== undefined)
      throw new DataError(
        `${where}: all must have the same number of rows, received ${counts[0]!.count} (${counts[0]!.name}) and ${other.count} (${other.name})`,
      )
    return counts[0]!.count
  }
  if (Array.isArray(data) || isNumbers(data)) return data.length
  if (!isShaped(data) || data.shape.length === 0)
    throw new DataError(`${where}: expected rows, an array, a typed array or a tensor, received ${quoted(data)}`)
  return data.shape[0]!
}

/** Selects rows by their indices, in the type of the data; for a tensor or `{ data, shape }`, as a tensor. */
export function takeRows<Data extends RowsByName>(
  data: Data,
  indices: ArrayLike<number>,
): Data extends ShapedData ? Tensor : Data
export function takeRows(data: unknown, indices: ArrayLike<number>): unknown {
  return rowsOf(data, indices)
}

/** The same for data whose type is not known. */
export function rowsOf(data: unknown, indices: ArrayLike<number>): unknown {
  if (isRecord(data))
    return Object.fromEntries(Object.entries(data).map(([name, part]) => [name, rowsOf(part, indices)]))
  if (Array.isArray(data)) return Array.from(indices, (i): unknown => data[i])
  if (isNumbers(data)) return pick(data, indices)
  if (data instanceof StringTensor) {
    const strings = Array.from(indices, (i) => data.rows(i, i + 1).strings).flat()
    return new StringTensor(strings, [indices.length, ...data.shape.slice(1)])
  }
  const { data: elements, shape, dtype } = toTensor(data, 'the data')
  const row = shape.slice(1)
  const width = sizeOf(row)
  const taken = allocateData(dtype, indices.length * width)
  for (let i = 0; i < taken.length; i++) taken[i] = elements[indices[Math.floor(i / width)]! * width + (i % width)]!
  return new Tensor(taken, [indices.length, ...row], dtype)
}

/** One tensor [rows, …] of the rows of several, which have one shape and one type. */
export function joinRows(parts: readonly Tensor[]): Tensor {
  const first = parts[0]!
  if (parts.length === 1) return first
  const shape = [parts.reduce((rows, part) => rows + part.shape[0]!, 0), ...first.shape.slice(1)]
  if (first instanceof StringTensor)
    return new StringTensor(
      parts.flatMap((part) => (part instanceof StringTensor ? part.strings : [])),
      shape,
    )
  const data = allocateData(first.dtype, sizeOf(shape))
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  return new Tensor(data, shape, first.dtype)
}

/** Elements of an array, in an array of its class. */
function pick(from: TypedArray, indices: ArrayLike<number>): TypedArray {
  // Node's Buffer is a Uint8Array whose constructor is deprecated.
  const kind = from instanceof Uint8Array ? Uint8Array : from.constructor
  const picked: unknown = Reflect.construct(kind, [indices.length])
  if (!isNumbers(picked)) throw internalError('a typed array makes no typed array')
  for (let i = 0; i < indices.length; i++) picked[i] = from[indices[i]!]!
  return picked
}

/** Whether data are a typed array. */
function isNumbers(data: unknown): data is TypedArray {
  return ArrayBuffer.isView(data) && !(data instanceof DataView)
}

/** Whether the data are a record of parts by name. */
function isRecord(data: unknown): data is Readonly<Record<string, unknown>> {
  return isBranch(data) && !Array.isArray(data) && !isShaped(data)
}

function isShaped(data: unknown): data is ShapedData {
  return data instanceof Tensor || (typeof data === 'object' && data !== null && 'data' in data && 'shape' in data)
}

/** Labels as a list. @throws ArgumentError for other values */
export function labelsOf(labels: unknown, where: string): readonly Label[] {
  if (labels instanceof Tensor && labels.size === labels.shape[0]) return [...labels.data]
  if (isNumbers(labels)) return Array.from(labels)
  const isLabel = (each: unknown): each is Label => ['number', 'string', 'boolean'].includes(typeof each)
  if (Array.isArray(labels) && labels.every(isLabel)) return labels
  throw new ArgumentError(
    `${where} must have a label for each sample, as numbers or texts, received ${labels instanceof Tensor ? `a tensor [${labels.shape.join(', ')}]` : quoted(labels)}`,
  )
}

/** The distinct labels in the order of their first occurrence, with the number of each. */
export function countsOf<Each extends Label>(labels: readonly Each[]): Map<Each, number> {
  const counts = new Map<Each, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return counts
}
