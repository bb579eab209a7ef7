// From what users have — numbers, nested arrays, typed arrays, tensors, variables — to tensors.

import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, ShapeError, formatShape, quoted } from '../core/errors'
import type { DType } from '../core/dtypes'
import { allocateData, storeData } from '../core/dtypes'
import { custom } from '../core/options'
import type { Shape } from '../core/shapes'
import { MOST_GIVEN, sizeOf } from '../core/shapes'
import { requireDType, requireShape } from './arguments'
import type { NestedArray, ShapedData, TensorData, TypedArray } from './tensor'
import { Tensor } from './tensor'
import { apply, currentTrace } from './trace'
import type { TensorLike } from './variable'
import { Variable, convertWith } from './variable'

export type { ShapedData, TypedArray } from './tensor'
export type { TensorLike } from './variable'

/**
 * What stands for a tree of tensors where a function is called: at each leaf whatever can become a tensor; in lists not plain
 * numbers, because a list of numbers is one tensor. What takes data already stays what it is.
 */
export type InputsOf<In> = Variable extends In ? In : InputsWithin<In>
type InputsWithin<In> = In extends Tensor
  ? TensorLike
  : In extends null | undefined
    ? In
    : In extends readonly unknown[]
      ? { readonly [Key in keyof In]: Exclude<InputsOf<In[Key]>, NestedArray> }
      : In extends object
        ? { readonly [Key in keyof In]: InputsOf<In[Key]> }
        : never

/** The tensors that come back for such a tree: a Tensor at each leaf. */
export type TensorsOf<In> = Variable extends In ? Tensor : TensorsWithin<In>
type TensorsWithin<In> = In extends Tensor | null | undefined ? In : { [Key in keyof In]: TensorsOf<In[Key]> }

/**
 * Makes a tensor.
 * @param values a number, nested arrays, or a typed array
 * @param shape of the result; that of the values when left out
 * @param dtype when left out: float32, or bool for booleans, or int32 for integer typed arrays
 * @throws DataError for ragged arrays and values that are not numbers; ShapeError when the sizes differ
 */
export function tensor(values: TensorLike, shape?: Shape, dtype?: DType): Tensor {
  requireArguments('tensor', arguments, 3)
  const made = toTensor(values, 'tensor', dtype)
  if (shape === undefined) return made
  requireShape('tensor', shape, MOST_GIVEN)
  if (sizeOf(shape) !== made.size) {
    throw new ShapeError(`tensor: shape ${formatShape(shape)} needs ${sizeOf(shape)} elements, received ${made.size}`)
  }
  return new Tensor(made.data, [...shape], made.dtype)
}

/**
 * Any TensorLike as a tensor; tensors come back as they are.
 * @param where names the argument in errors
 */
export function toTensor(values: TensorLike, where: string, dtype?: DType): Tensor {
  if (dtype !== undefined && dtype !== 'int8') requireDType(where, dtype)
  if (values instanceof Tensor) return dtype === undefined || values.dtype === dtype ? values : convert(values, dtype)
  if (values instanceof Variable) return toTensor(values.value, where, dtype)
  if (isTypedArray(values)) return fromTyped(values, [values.length], dtype)
  if (typeof values === 'number' || typeof values === 'boolean' || isArray(values)) {
    return fromNested(values, where, dtype)
  }
  if (isShaped(values)) return fromShaped(values, where, dtype)
  throw new DataError(
    `${where}: expected numbers, nested arrays, a typed array or a Tensor, received ${describe(values)}`,
  )
}

convertWith(toTensor)

/** Any TensorLike as a tensor; inside a trace, a variable as the symbol of its content. */
export function asTensor(x: TensorLike, where: string): Tensor {
  if (x instanceof Tensor) return x
  if (x instanceof Variable && currentTrace() !== null) return currentTrace()!.read(x)
  return toTensor(x, where)
}

/** The same for what may be left out, by null or undefined. */
export function tensorOrNothing(x: TensorLike | null | undefined, where: string): Tensor | undefined {
  return x == null ? undefined : asTensor(x, where)
}

/** The option of an operand that may be left out. */
export const operand = /* @__PURE__ */ custom<TensorLike | null>(
  (value) => value as TensorLike | null,
  () => null,
)

/** Any TensorLike as arithmetic takes it: bool counts as int32. */
export function asNumbers(x: TensorLike, where: string): Tensor {
  const value = asTensor(x, where)
  return value.dtype === 'bool' ? apply('cast', [value], { dtype: 'int32' })[0]! : value
}

function isTypedArray(values: unknown): values is TypedArray {
  return (
    ArrayBuffer.isView(values) &&
    'BYTES_PER_ELEMENT' in values &&
    !(values instanceof BigInt64Array) &&
    !(values instanceof BigUint64Array)
  )
}

function isArray(values: TensorLike): values is readonly NestedArray[] {
  return Array.isArray(values)
}

function isShaped(values: unknown): values is ShapedData {
  return typeof values === 'object' && values !== null && 'data' in values && 'shape' in values
}

function describe(values: unknown): string {
  return typeof values === 'string' ? `the string '${values}'` : quoted(values)
}

function convert(values: Tensor, dtype: DType): Tensor {
  if (Tensor.symbolOf(values) !== null)
    throw new ArgumentError(`Use ops.cast to convert to ${dtype} inside a traced function`)
  return new Tensor(storeData(dtype, values.data), values.shape, dtype)
}

/** @param shape of the tensor's own */
function fromTyped(data: TypedArray, shape: Shape, dtype?: DType): Tensor {
  // Pixels and counts are data to compute with; only int32 is taken for indices.
  const natural = data instanceof Int32Array ? 'int32' : 'float32'
  return new Tensor(storeData(dtype ?? natural, data), shape, dtype ?? natural)
}

function fromShaped({ data, shape: given, dtype: own }: ShapedData, where: string, dtype?: DType): Tensor {
  const shape = requireShape(where, given, MOST_GIVEN)
  const isNumbers =
    isTypedArray(data) ||
    (Array.isArray(data) && data.every((x: unknown) => typeof x === 'number' || typeof x === 'boolean'))
  if (!isNumbers)
    throw new DataError(`${where}: data must be a typed array or an array of numbers, received ${describe(data)}`)
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(
      `${where}: shape ${formatShape(shape)} needs ${sizeOf(shape)} elements, received ${data.length}`,
    )
  }
  const wanted = dtype ?? (own === undefined ? undefined : requireDType(where, own))
  if (isTypedArray(data)) return fromTyped(data, shape, wanted)
  return new Tensor(storeData(wanted ?? 'float32', data.map(Number)), shape, wanted ?? 'float32')
}

/** More axes than anybody has; an array that holds itself has more. */
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
  const data = allocateData(natural, sizeOf(requireShape(where, shape, MOST_GIVEN)))
  const filler = new Filler(where, shape, data, natural === 'bool')
  filler.fill(values, 0)
  return new Tensor(data, shape, natural)
}

/** An array, or a typed array among arrays. */
function isRow(item: unknown): item is ArrayLike<NestedArray> {
  return Array.isArray(item) || isTypedArray(item)
}

/** Walks nested arrays that should all have one shape. */
class Filler {
  private at = 0
  private readonly path: number[] = []

  constructor(
    private readonly where: string,
    private readonly shape: Shape,
    private readonly data: TensorData,
    private readonly asBool: boolean,
  ) {}

  fill(item: NestedArray, axis: number): void {
    const { shape, path } = this
    if (!isRow(item) || axis === shape.length || item.length !== shape[axis]) {
      return this.put(item, axis)
    }
    let i = axis + 1 === shape.length && !this.asBool ? this.fillNumbers(item) : 0
    for (; i < item.length; i++) {
      path[axis] = i
      this.fill(item[i]!, axis + 1)
    }
    path.length = axis
  }

  /** Nearly all the time goes by here. @returns how many numbers the row begins with */
  private fillNumbers(row: ArrayLike<NestedArray>): number {
    const { data, at } = this
    const { length } = row
    let i = 0
    for (; i < length; i++) {
      const child = row[i]
      if (typeof child !== 'number') break
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
    this.data[this.at++] = this.asBool ? Number(Boolean(item)) : Number(item)
  }

  private ragged(item: NestedArray, axis: number): DataError {
    const received =
      typeof item === 'object' ? `an array of length ${item.length}` : `the ${typeof item} ${String(item)}`
    const expected = axis < this.shape.length ? `an array of length ${this.shape[axis]}` : 'a number'
    return new DataError(
      `${this.where}: the nested arrays are ragged. By its first elements the shape is ${formatShape(this.shape)}, so [${this.path.join('][')}] must be ${expected}, received ${received}`,
    )
  }
}
