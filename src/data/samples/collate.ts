// Collates elements to batches: trees of numbers, tensors and strings, one per element, become one tree of tensors with
// an additional first axis.

import { allocateData, storeData, type DType, type NumericArray, type TensorData } from '../../core/dtypes'
import { DataError, ShapeError, formatShape, quoted } from '../../core/errors'
import { sameShape, sizeOf, type Shape } from '../../core/shapes'
import { childrenAt, isBranch } from '../../core/tree'
import { toTensor, type TypedArray } from '../../ops/convert'
import { StringTensor, beginsWithString, toStrings } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import { doublesOf, keepsDoubles, withDoubles } from './doubles'

/**
 * The type of a batch of such elements: tensors for numbers and tensors, lists for strings, and lists and records of
 * them. A list of only numbers, or of only strings, is a tensor.
 */
export type Batched<T> = T extends number | boolean | Tensor | TypedArray | readonly number[] | readonly string[]
  ? Tensor
  : T extends string
    ? string[]
    : { [Key in keyof T]: Batched<T[Key]> }

/** How elements with different shapes are padded to one. */
export interface Padding {
  /** The value that fills the end of an axis. */
  readonly value: number
  /** Extents are padded to a multiple of this, so that fewer shapes are compiled. */
  readonly multiple: number
}

/**
 * One batch of elements.
 * @param padding null: all must have one shape
 * @param spare a batch that is no longer used, whose memory may be reused
 * @throws DataError for what cannot become a tensor, ShapeError where shapes differ
 */
export function collate(
  elements: readonly unknown[],
  where: string,
  padding: Padding | null = null,
  spare: unknown = null,
): unknown {
  const stack = (parts: readonly unknown[], path: string, depth: number, spared: unknown): unknown => {
    const [first] = parts
    if (!branches(first, depth === 0))
      return stackLeaves(parts, {
        where,
        path,
        padding,
        spare: spared instanceof Tensor ? spared : null,
      })
    // Refuses parts that contain themselves.
    childrenAt(first, depth)
    const keys = Object.keys(first)
    const children = keys.map((key) => {
      return stack(
        parts.map((part, i) => childOf(part, key, keys.length, `${where}: element ${i}${path}`)),
        `${path}${Array.isArray(first) ? `[${key}]` : `.${key}`}`,
        depth + 1,
        isBranch(spared) ? Reflect.get(spared, key) : null,
      )
    })
    return Array.isArray(first) ? children : Object.fromEntries(keys.map((key, i) => [key, children[i]]))
  }
  return stack(elements, '', 0, spare)
}

/** Lists of numbers and lists of strings are tensors; inside an element, lists of such lists are tensors, too. */
function branches(value: unknown, isTop: boolean): value is object {
  if (!isBranch(value) || ('data' in value && 'shape' in value)) return false
  return (
    !Array.isArray(value) ||
    !(isTop ? value.every(isNumber) || value.every(isString) : isNested(value, isNumber) || isNested(value, isString))
  )
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): value is number | boolean {
  return typeof value === 'number' || typeof value === 'boolean'
}

function isNested(value: unknown, isElement: (value: unknown) => boolean, depth = 0): boolean {
  return Array.isArray(value)
    ? childrenAt(value, depth).every((each) => isNested(each, isElement, depth + 1))
    : isElement(value)
}

function childOf(part: unknown, key: string, count: number, place: string): unknown {
  if (!isBranch(part) || !(key in part) || Object.keys(part).length !== count) {
    throw new DataError(`${place}: expected the same parts as in the first element, received ${quoted(part)}`)
  }
  return Reflect.get(part, key)
}

interface LeafInfo {
  readonly where: string
  readonly path: string
  readonly padding: Padding | null
  readonly spare: Tensor | null
}

function stackLeaves(parts: readonly unknown[], place: LeafInfo): Tensor | string[] {
  const [first] = parts
  const wrong = (i: number, expected: string): DataError =>
    new DataError(`${place.where}: element ${i}${place.path} must be ${expected}, received ${quoted(parts[i])}`)
  /** All parts, which must have the type of the first one. */
  const alike = <Part>(isPart: (part: unknown) => part is Part): Part[] =>
    parts.map((part, i) => {
      if (isPart(part) && typeof part === typeof first) return part
      throw wrong(i, `a ${typeof first} as in the first element`)
    })
  if (typeof first === 'string') return alike(isString)
  if (isNumber(first)) {
    const dtype = typeof first === 'boolean' ? 'bool' : 'float32'
    const numbers = new Tensor(storeData(dtype, alike(isNumber).map(Number)), [parts.length], dtype)
    return withDoubles(numbers, doublesOf(parts))
  }
  if (typeof first !== 'object' || first === null) throw wrong(0, 'a number, a string, a list of numbers or a tensor')
  if (first instanceof StringTensor || beginsWithString(first))
    return stackStrings(
      parts.map((part, i) => toStrings(part, `${place.where}: element ${i}${place.path}`)),
      place,
    )
  return stackRows(
    parts.map((part, i) => rowOf(part, `${place.where}: element ${i}${place.path}`)),
    place,
    keepsDoubles() ? parts.map(doublesOf) : [],
  )
}

/** Strings are not padded: no string means padding in every layer. */
function stackStrings(rows: readonly StringTensor[], { where, path }: LeafInfo): StringTensor {
  const { shape } = rows[0]!
  const differs = rows.findIndex((row) => !sameShape(row.shape, shape))
  if (differs >= 0)
    throw new ShapeError(
      `${where}: element ${differs}${path} must have shape ${formatShape(shape)} as in the first element, received ${formatShape(rows[differs]!.shape)}: strings are not filled up`,
    )
  return new StringTensor(
    rows.flatMap(({ strings }) => strings),
    [rows.length, ...shape],
  )
}

/** A row of a batch. */
interface Row {
  readonly data: TensorData
  readonly shape: Shape
  readonly dtype: DType
}

function rowOf(part: unknown, where: string): Row {
  // The most common case needs no conversion.
  if (part instanceof Float32Array) return { data: part, shape: [part.length], dtype: 'float32' }
  return part instanceof Tensor ? part : toTensor(part, where)
}

/** @param doubles of each row, while the rows are saved */
function stackRows(
  rows: readonly Row[],
  { where, path, padding, spare }: LeafInfo,
  doubles: readonly (Float64Array | null)[],
): Tensor {
  const { shape, dtype } = rows[0]!
  const other = rows.findIndex((row) => row.dtype !== dtype)
  if (other >= 0)
    throw new DataError(
      `${where}: element ${other}${path} must be ${dtype} as in the first element, received ${rows[other]!.dtype}`,
    )
  const differs = rows.findIndex((row) =>
    padding === null ? !sameShape(row.shape, shape) : row.shape.length !== shape.length,
  )
  if (differs >= 0) {
    const hint = padding === null ? ' Use paddedBatch for rows of several lengths.' : ''
    throw new ShapeError(
      `${where}: element ${differs}${path} must have ${padding === null ? `shape ${formatShape(shape)}` : `${shape.length} axes`} as in the first element, received ${formatShape(rows[differs]!.shape)}.${hint}`,
    )
  }
  const { value, multiple } = padding ?? { value: 0, multiple: 1 }
  const extents =
    padding === null
      ? shape
      : shape.map((_, axis) => Math.ceil(Math.max(...rows.map((row) => row.shape[axis]!)) / multiple) * multiple)
  const width = sizeOf(extents)
  const size = rows.length * width
  const isSpared = spare !== null && spare.dtype === dtype && spare.data.length === size
  const data = isSpared ? spare.data : allocateData(dtype, size)
  if (value !== 0 || (isSpared && padding !== null)) data.fill(value)
  const fill = <Data extends NumericArray>(target: Data, dataOf: (row: Row, i: number) => NumericArray): Data => {
    rows.forEach((row, i) => place({ data: dataOf(row, i), shape: row.shape }, target, i * width, extents))
    return target
  }
  const stacked = new Tensor(
    fill(data, (row) => row.data),
    [rows.length, ...extents],
    dtype,
  )
  if (doubles.every((each) => each === null)) return stacked
  const exact = new Float64Array(size).fill(value)
  return withDoubles(
    stacked,
    fill(exact, (row, i) => doubles[i] ?? row.data),
  )
}

/** Copies a row to the start of a larger one, along all axes. */
function place(
  { data, shape }: { readonly data: NumericArray; readonly shape: Shape },
  target: NumericArray,
  start: number,
  extents: Shape,
): void {
  if (sameShape(shape, extents)) return target.set(data, start)
  const copy = (axis: number, from: number, to: number): void => {
    const inner = sizeOf(shape.slice(axis + 1)),
      outer = sizeOf(extents.slice(axis + 1))
    if (axis >= shape.length - 1) return target.set(data.subarray(from, from + (shape[axis] ?? 1)), to)
    for (let i = 0; i < shape[axis]!; i++) copy(axis + 1, from + i * inner, to + i * outer)
  }
  copy(0, 0, start)
}
