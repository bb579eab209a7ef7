// Tensor: either data on the JavaScript heap, or a symbol inside a traced function.

import { requireArguments } from '../core/arguments'
import { ArgumentError, ShapeError, StateError, formatShape, quoted } from '../core/errors'
import type { DType, TensorData } from '../core/dtypes'
import { dataSizeOf, frozenShape, sizeOf, type Shape, type TensorType } from '../core/shapes'

/** Numbers, or arrays of them to any depth. */
export type NestedArray = number | boolean | readonly NestedArray[]

interface NestedNumbers extends Array<NumbersOfAnyRank> {}
/** The numbers of a tensor whose rank is not part of its type: a number, or nested arrays of any depth. */
export type NumbersOfAnyRank = number & NestedNumbers

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
  /** The elements; their number must match the shape. */
  readonly data: TypedArray | readonly number[]
  /** The extent of each axis. */
  readonly shape: Shape
  /** Default: the dtype of the elements, float32 for numbers. */
  readonly dtype?: DType
}

export type { TensorData }

/**
 * The symbol behind a tensor without data. Its creator keeps further information about it: see trace.ts and
 * layers/symbol.ts.
 */
export interface TensorSymbol {
  /** The error message for code that reads the data. */
  readonly whyNoData: string
  /** The name of the Input or layer that computes it, if it has one. */
  readonly name?: string
  /** Records calls of ops on it, if it belongs to a functional model. */
  readonly recorder?: CallRecorder | undefined
}

/** An op, with the properties that the recording of its calls uses. */
export interface RecordedOp {
  (...args: readonly unknown[]): unknown
  /** The name under which models with the op are saved. */
  readonly opName: string
}

/** Records a call of an op. The arguments are in order. */
export type CallRecorder = (op: RecordedOp, args: readonly unknown[]) => unknown

/** An immutable array of numbers with a shape and a dtype. It uses garbage-collected memory, so it needs no dispose. */
export class Tensor implements TensorType {
  // Kernels trust shapes and dtypes, so they are read-only.
  readonly #content: TensorData | TensorSymbol
  readonly #shape: Shape
  readonly #dtype: DType

  /**
   * Use `tensor(…)` to create one. The constructor does not copy the data; the shape must not change afterwards.
   * @throws ShapeError when the data have another number of elements than the shape
   * @internal
   */
  constructor(content: TensorData | TensorSymbol, shape: Shape, dtype: DType) {
    const { shape: frozen, size } = frozenShape(shape)
    if (ArrayBuffer.isView(content) && content.length !== size && dtype !== 'string')
      throw wrongElements(content, frozen)
    this.#content = content
    this.#shape = frozen
    this.#dtype = dtype
  }

  /** The extent of each axis; frozen. */
  get shape(): Shape {
    return this.#shape
  }

  get dtype(): DType {
    return this.#dtype
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length
  }

  /** The same as `rank`. Keras: `KerasTensor.ndim`. */
  get ndim(): number {
    return this.rank
  }

  /**
   * The name of a symbol of a model: that of the Input or of the layer that made it; '' for other tensors.
   *
   *   Input({ shape: [4], name: 'age' }).name   // 'age'
   */
  get name(): string {
    return Tensor.symbolOf(this)?.name ?? ''
  }

  /**
   * The same elements in another shape; one extent may be −1. Also of a symbol, as `ops.reshape`.
   *
   *   tensor([1, 2, 3, 4]).reshape([2, -1])   // [[1, 2], [3, 4]]
   *
   * Keras: `KerasTensor.reshape`.
   * @throws ShapeError for another number of elements
   */
  declare reshape: (newshape: Shape) => Tensor

  /**
   * Without axes of extent 1: all of them, or those in `axis`. Also of a symbol, as `ops.squeeze`.
   *
   *   tensor([[1], [2]]).squeeze(-1)   // [1, 2]
   *
   * Keras: `KerasTensor.squeeze`.
   * @throws ShapeError for an axis with another extent
   */
  declare squeeze: (axis?: number | readonly number[] | null) => Tensor

  /**
   * The elements in row-major order: Float32Array, or Int32Array for int32 and bool (0 or 1).
   * @throws StateError inside a traced function, where there is no data yet
   */
  get data(): TensorData {
    if (ArrayBuffer.isView(this.#content)) return this.#content
    throw new StateError(`A ${this.dtype} tensor of shape ${formatShape(this.shape)} ${this.#content.whyNoData}`)
  }

  /** The only element of a tensor of size 1. */
  item(): number {
    requireArguments('item', arguments, 0)
    if (this.size !== 1) {
      throw new StateError(`item(): the tensor must have one element, received shape ${formatShape(this.shape)}`)
    }
    return this.data[0]!
  }

  /**
   * Nested arrays; a number for a scalar. bool becomes true and false. The type fits every rank, so
   * `x.toArray()[0]![1]! + 1` and `const rows: number[][] = x.toArray()` compile; for bool name it:
   * `mask.toArray<boolean[]>()`.
   */
  toArray<Nested = NumbersOfAnyRank>(): Nested
  toArray(): unknown {
    requireArguments('toArray', arguments, 0)
    const { data } = this
    return this.nest(this.dtype === 'bool' ? (at) => data[at]! !== 0 : (at) => data[at]!)
  }

  /** The same as `toArray`: nested arrays. Keras: `numpy`. */
  numpy<Nested = NumbersOfAnyRank>(): Nested {
    return this.toArray()
  }

  /** Nested arrays of elements, read in row-major order. */
  protected nest(read: (at: number) => unknown): unknown {
    const build = (axis: number, start: number): unknown => {
      if (axis === this.shape.length) return read(start)
      const stride = sizeOf(this.shape.slice(axis + 1))
      return Array.from({ length: this.shape[axis]! }, (_, i) => build(axis + 1, start + i * stride))
    }
    return build(0, 0)
  }

  /** @throws ArgumentError for JavaScript operators, which cannot compute with tensors */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString()
    throw new ArgumentError('Operators do not work on tensors. Use ops, such as ops.subtract(a, b).')
  }

  toJSON(): NestedArray {
    return this.toArray()
  }

  toString(): string {
    const head = `Tensor ${this.dtype} ${formatShape(this.shape)}`
    if (!ArrayBuffer.isView(this.#content)) return `${head} (symbolic)`
    const shown = Array.from(this.#content.subarray(0, 8), (x) => String(Number(x.toPrecision(6))))
    return `${head} [${shown.join(', ')}${this.size > 8 ? ', …' : ''}]`
  }

  /** The symbol behind a tensor without data; null for a tensor with data. @internal */
  static symbolOf(tensor: Tensor): TensorSymbol | null {
    return ArrayBuffer.isView(tensor.#content) ? null : tensor.#content
  }

  /** A new object for the same value. Properties that are kept for an object, such as its mask, are not copied. @internal */
  static aliasOf(tensor: Tensor): Tensor {
    return new Tensor(tensor.#content, tensor.shape, tensor.dtype)
  }
}

/** For errors: the shape of a tensor that does not fit, or the value itself if it is not a tensor. */
export const shapeOrValue = (value: unknown): string =>
  value instanceof Tensor ? `shape ${formatShape(value.shape)}` : quoted(value)

/**
 * Copies the elements of a tensor to memory that was sized by its shape. The number of elements is checked, because the object may claim
 * another shape than that of its data, and the buffer of its data may have been transferred or resized.
 * @throws ShapeError when the number of elements differs
 */
export function copyElements({ data, shape }: Tensor, target: Pick<Float32Array, 'length' | 'set'>): void {
  if (data.length !== target.length || data.length !== dataSizeOf(shape)) throw wrongElements(data, shape)
  target.set(data)
}

function wrongElements({ length }: ArrayLike<number>, shape: Shape): ShapeError {
  return new ShapeError(
    `A tensor of shape ${formatShape(shape)} cannot have ${length} elements: use tensor(data, shape)`,
  )
}
