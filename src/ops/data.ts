// Converts numbers, nested arrays and typed arrays to tensors.

import { ArgumentError, DataError, ShapeError, formatShape, quoted } from '../core/errors'
import { allocateData, storeData, type DType } from '../core/dtypes'
import { MAX_DATA_ELEMENTS, sizeOf, type Shape } from '../core/shapes'
import { requireDType, requireShape } from './arguments'
import { Tensor, type NestedArray, type ShapedData, type TensorData, type TypedArray } from './tensor'

/**
 * Data, or a tensor, which is returned if it has the dtype.
 * @param values of any type: what is not data is an error
 * @param where names the argument in errors
 */
export function fromData(values: unknown, where: string, dtype?: DType): Tensor {
  requireDTypeOf(where, dtype)
  if (values instanceof Tensor)
    return dtype === undefined || values.dtype === dtype ? values : convert(values, where, dtype)
  if (typeof values === 'number' || typeof values === 'boolean' || Array.isArray(values))
    return fromNested(values as NestedArray, where, dtype)
  if (isTypedArray(values)) return fromTyped(values, [values.length], where, dtype)
  if (isShaped(values)) return fromShaped(values, where, dtype)
  throw new DataError(
    `${where}: expected numbers, nested arrays, a typed array or a Tensor, received ${describe(values)}`,
  )
}

/** The dtype that data are converted to, which may be int8 as in quantized weights. */
export function requireDTypeOf(where: string, dtype: DType | undefined): DType | undefined {
  return dtype === undefined || dtype === 'int8' ? dtype : requireDType(where, dtype)
}

/**
 * A copy of numbers as elements of a dtype. int32 truncates towards zero.
 * @throws DataError for int32 and a number beyond its range, or NaN
 */
export function storeNumbers(dtype: DType, numbers: ArrayLike<number>, where: string): TensorData {
  const isWithin =
    ArrayBuffer.isView(numbers) &&
    [Int32Array, Int16Array, Uint16Array, Int8Array, Uint8Array, Uint8ClampedArray].some(
      (kind) => numbers instanceof kind,
    )
  if (dtype === 'int32' && !isWithin)
    for (let i = 0; i < numbers.length; i++)
      if (!fitsInt32(numbers[i]!))
        throw beyondInt32(numbers.length === 1 ? `${where}: the number` : `${where}: element ${i}`, numbers[i]!)
  return storeData(dtype, numbers)
}

/** Whether the whole part of a number is an int32. */
function fitsInt32(x: number): boolean {
  return x > -(2 ** 31) - 1 && x < 2 ** 31
}

function beyondInt32(what: string, x: number): DataError {
  return new DataError(`${what} must be from ${-(2 ** 31)} to ${2 ** 31 - 1} for an int32, received ${x}`)
}

export function isTypedArray(values: unknown): values is TypedArray {
  if (!ArrayBuffer.isView(values)) return false
  return (
    values instanceof Float32Array ||
    !(values instanceof DataView || values instanceof BigInt64Array || values instanceof BigUint64Array)
  )
}

export function isShaped(values: unknown): values is ShapedData {
  return typeof values === 'object' && values !== null && 'data' in values && 'shape' in values
}

function describe(values: unknown): string {
  return typeof values === 'string' ? `the string '${values}'` : quoted(values)
}

function convert(values: Tensor, where: string, dtype: DType): Tensor {
  if (Tensor.symbolOf(values) !== null)
    throw new ArgumentError(`A traced tensor cannot be converted to ${dtype} implicitly. Use ops.cast`)
  return new Tensor(storeNumbers(dtype, values.data, where), values.shape, dtype)
}

/** @param shape of the tensor's own */
export function fromTyped(data: TypedArray, shape: Shape, where: string, dtype?: DType): Tensor {
  // Only Int32Array becomes int32: other integer arrays contain pixels or counts, which models compute with as float32.
  const natural = data instanceof Int32Array ? 'int32' : 'float32'
  return new Tensor(storeNumbers(dtype ?? natural, data, where), shape, dtype ?? natural)
}

export function requireCount(where: string, { length }: ArrayLike<unknown>, shape: Shape): void {
  const needed = sizeOf(shape)
  if (length !== needed)
    throw new ShapeError(`${where}: shape ${formatShape(shape)} needs ${needed} elements, received ${length}`)
}

function fromShaped({ data, shape: given, dtype: own }: ShapedData, where: string, dtype?: DType): Tensor {
  const shape = requireShape(where, given, MAX_DATA_ELEMENTS)
  const isNumbers =
    isTypedArray(data) ||
    (Array.isArray(data) && data.every((x: unknown) => typeof x === 'number' || typeof x === 'boolean'))
  if (!isNumbers)
    throw new DataError(`${where}: data must be a typed array or an array of numbers, received ${describe(data)}`)
  requireCount(where, data, shape)
  const wanted = dtype ?? (own === undefined ? undefined : requireDType(where, own))
  if (isTypedArray(data)) return fromTyped(data, shape, where, wanted)
  return new Tensor(storeNumbers(wanted ?? 'float32', data.map(Number), where), shape, wanted ?? 'float32')
}

/** More axes than any real data has; an array that contains itself exceeds this. */
const MOST_AXES = 64

function fromNested(values: NestedArray, where: string, dtype?: DType): Tensor {
  const shape: number[] = []
  let first: unknown = values
  while (isRow(first)) {
    shape.push(first.length)
    if (shape.length > MOST_AXES) throw new DataError(`${where}: the arrays are nested deeper than ${MOST_AXES}`)
    if (first.length === 0) break
    first = first[0]
  }
  const natural = dtype ?? (typeof first === 'boolean' ? 'bool' : 'float32')
  const data = allocateData(natural, sizeOf(requireShape(where, shape, MAX_DATA_ELEMENTS)))
  const filler = new Filler(where, shape, data, natural)
  filler.fill(values, 0)
  return new Tensor(data, shape, natural)
}

/** An array, or a typed array among arrays. */
function isRow(item: unknown): item is ArrayLike<NestedArray> {
  return Array.isArray(item) || isTypedArray(item)
}

/** Copies nested arrays, which must all have one shape, into a typed array. */
class Filler {
  private at = 0
  private readonly path: number[] = []

  constructor(
    private readonly where: string,
    private readonly shape: Shape,
    private readonly data: TensorData,
    private readonly dtype: DType,
  ) {}

  fill(item: NestedArray, axis: number): void {
    const { shape, path } = this
    if (!isRow(item) || axis === shape.length || item.length !== shape[axis]) {
      return this.put(item, axis)
    }
    let i = axis + 1 === shape.length && this.dtype !== 'bool' ? this.fillNumbers(item) : 0
    for (; i < item.length; i++) {
      path[axis] = i
      this.fill(item[i]!, axis + 1)
    }
    path.length = axis
  }

  /**
   * Copies leading numbers of a row; conversion spends nearly all its time here. @returns the number of leading
   * numbers
   */
  private fillNumbers(row: ArrayLike<NestedArray>): number {
    const { data, at } = this
    const { length } = row
    const isLimited = this.dtype === 'int32'
    let i = 0
    for (; i < length; i++) {
      const child = row[i]
      // put refuses the others.
      if (typeof child !== 'number' || (isLimited && !fitsInt32(child))) break
      data[at + i] = child
    }
    this.at = at + i
    return i
  }

  private put(item: NestedArray, axis: number): void {
    const isNumber = typeof item === 'number' || typeof item === 'boolean'
    if (!isNumber && !isRow(item)) {
      throw new DataError(
        `${this.where}: element [${this.path.join('][')}] must be a number, received ${describe(item)}`,
      )
    }
    if (!isNumber || axis !== this.shape.length) throw this.ragged(item, axis)
    if (this.dtype === 'int32' && !fitsInt32(Number(item)))
      throw beyondInt32(
        `${this.where}: ${this.path.length === 0 ? 'the number' : `element [${this.path.join('][')}]`}`,
        Number(item),
      )
    this.data[this.at++] = this.dtype === 'bool' ? Number(Boolean(item)) : Number(item)
  }

  private ragged(item: NestedArray, axis: number): DataError {
    const received =
      typeof item === 'object' ? `an array of length ${item.length}` : `the ${typeof item} ${String(item)}`
    const expected = axis < this.shape.length ? `an array of length ${this.shape[axis]}` : 'a number'
    return new DataError(
      `${this.where}: the nested arrays are ragged. The first elements imply the shape ${formatShape(this.shape)}, so [${this.path.join('][')}] must be ${expected}, received ${received}`,
    )
  }
}
