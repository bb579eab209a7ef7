// From what users have — numbers, nested arrays, typed arrays, tensors, variables — to tensors.

import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import type { DType } from '../core/dtypes'
import type { Shape } from '../core/shapes'
import { sizeOf } from '../core/shapes'
import type { NestedArray, TensorData } from './tensor'
import { Tensor } from './tensor'
import { currentTrace } from './trace'
import { Variable } from './variable'

/** Typed arrays that are accepted as data. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

/** Elements in row-major order, and their shape. */
export interface ShapedData {
  readonly data: TypedArray | readonly number[]
  readonly shape: Shape
  readonly dtype?: DType
}

/** What every op, `fit`, `predict` and `evaluate` accept as a tensor. */
export type TensorLike = Tensor | Variable | ShapedData | TypedArray | NestedArray

/**
 * Makes a tensor.
 * @param values a number, nested arrays, or a typed array
 * @param shape of the result; that of the values when left out
 * @param dtype when left out: float32, or bool for booleans, or int32 for integer typed arrays
 * @throws DataError for ragged arrays and values that are not numbers; ShapeError when the sizes differ
 */
export function tensor(values: TensorLike, shape?: Shape, dtype?: DType): Tensor {
  const made = toTensor(values, 'tensor', dtype)
  if (shape === undefined) return made
  checkShape(shape)
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
  if (values instanceof Tensor) return dtype === undefined || values.dtype === dtype ? values : convert(values, dtype)
  if (values instanceof Variable) return toTensor(values.value, where, dtype)
  if (isTypedArray(values)) return fromTyped(values, [values.length], dtype)
  if (typeof values === 'number' || typeof values === 'boolean' || isArray(values)) {
    return fromNested(values, where, dtype)
  }
  if (isShaped(values)) return fromShaped(values, where, dtype)
  throw new DataError(`${where}: expected numbers, nested arrays, a typed array or a Tensor, received ${describe(values)}`)
}

/** Any TensorLike as a tensor; inside a trace, a variable as the symbol of its content. */
export function asTensor(x: TensorLike, where: string): Tensor {
  if (x instanceof Tensor) return x
  if (x instanceof Variable && currentTrace() !== null) return currentTrace()!.read(x)
  return toTensor(x, where)
}

function isTypedArray(values: unknown): values is TypedArray {
  return ArrayBuffer.isView(values) && 'BYTES_PER_ELEMENT' in values && !(values instanceof BigInt64Array) && !(values instanceof BigUint64Array)
}

function isArray(values: TensorLike): values is readonly NestedArray[] {
  return Array.isArray(values)
}

function isShaped(values: unknown): values is ShapedData {
  return typeof values === 'object' && values !== null && 'data' in values && 'shape' in values
}

function describe(values: unknown): string {
  if (values === null || values === undefined) return String(values)
  if (typeof values === 'string') return `the string '${values}'`
  return typeof values === 'object' ? `an object (${values.constructor?.name ?? 'no prototype'})` : typeof values
}

function checkShape(shape: Shape): void {
  if (shape.every((extent) => Number.isInteger(extent) && extent >= 0)) return
  throw new ShapeError(`A shape must hold integers ≥ 0, received ${formatShape(shape)}`)
}

function convert(values: Tensor, dtype: DType): Tensor {
  if (Tensor.symbolOf(values) !== null) throw new ArgumentError(`Use ops.cast to convert to ${dtype} inside a traced function`)
  return new Tensor(store(values.data, dtype), values.shape, dtype)
}

function fromTyped(data: TypedArray, shape: Shape, dtype?: DType): Tensor {
  // Pixels and counts are data to compute with; only int32 is taken for indices.
  const natural = data instanceof Int32Array ? 'int32' : 'float32'
  return new Tensor(store(data, dtype ?? natural), [...shape], dtype ?? natural)
}

function fromShaped({ data, shape, dtype: own }: ShapedData, where: string, dtype?: DType): Tensor {
  checkShape(shape)
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`${where}: shape ${formatShape(shape)} needs ${sizeOf(shape)} elements, received ${data.length}`)
  }
  const wanted = dtype ?? own
  if (isTypedArray(data)) return fromTyped(data, shape, wanted)
  return new Tensor(store(data, wanted ?? 'float32'), [...shape], wanted ?? 'float32')
}

/** A copy of the elements in the array type of a dtype. */
function store(data: ArrayLike<number>, dtype: DType): TensorData {
  if (dtype === 'float32') return Float32Array.from(data)
  if (dtype === 'int32') return Int32Array.from(data)
  return Int32Array.from(data, (x) => Number(x !== 0))
}

function fromNested(values: NestedArray, where: string, dtype?: DType): Tensor {
  const shape: number[] = []
  let first: NestedArray = values
  while (typeof first === 'object' && first !== null) {
    shape.push(first.length)
    if (first.length === 0) break
    first = first[0]!
  }
  const natural = dtype ?? (typeof first === 'boolean' ? 'bool' : 'float32')
  const data = natural === 'float32' ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape))
  const filler = new Filler(where, shape, data, natural === 'bool')
  filler.fill(values, 0)
  return new Tensor(data, shape, natural)
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
    if (typeof item !== 'object' || item === null || axis === shape.length || item.length !== shape[axis]) {
      return this.put(item, axis)
    }
    // Nearly all the time goes by here: numbers in a row of numbers.
    const fast = axis + 1 === shape.length && !this.asBool
    for (let i = 0; i < item.length; i++) {
      const child = item[i]!
      if (fast && typeof child === 'number') {
        this.data[this.at++] = child
        continue
      }
      path[axis] = i
      this.fill(child, axis + 1)
    }
    path.length = axis
  }

  private put(item: NestedArray, axis: number): void {
    const isNumber = typeof item === 'number' || typeof item === 'boolean'
    if (!isNumber && !Array.isArray(item)) {
      throw new DataError(`${this.where}: element [${this.path.join('][')}] must be a number, received ${describe(item)}`)
    }
    if (!isNumber || axis !== this.shape.length) throw this.ragged(item, axis)
    this.data[this.at++] = this.asBool ? Number(Boolean(item)) : Number(item)
  }

  private ragged(item: NestedArray, axis: number): DataError {
    const received = typeof item === 'object' ? `an array of length ${item.length}` : `the ${typeof item} ${String(item)}`
    const expected = axis < this.shape.length ? `an array of length ${this.shape[axis]}` : 'a number'
    return new DataError(
      `${this.where}: the nested arrays are ragged. By its first elements the shape is ${formatShape(this.shape)}, so [${this.path.join('][')}] must be ${expected}, received ${received}`,
    )
  }
}
