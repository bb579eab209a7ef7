// Variable: a named tensor in linear memory that outlives calls and can be assigned. Weights, optimizer
// slots, metric sums and counters are variables.

import { requireRoom } from '../core/weight-limit'
import { ShapeError, formatShape } from '../core/errors'
import type { DType } from '../core/dtypes'
import type { Shape } from '../core/shapes'
import { dtypes } from '../core/dtypes'
import { requireSize, sameShape, sizeOf } from '../core/shapes'
import { cellView } from '../runtime/runtime'
import type { Storage } from '../runtime/runtime'
import { currentRuntime } from '../runtime/current'
import type { Runtime } from '../runtime/runtime'
import type { NestedArray, ShapedData, TensorData, TypedArray } from './tensor'
import { Tensor } from './tensor'
import { apply, currentTrace } from './trace'

/** What every op, `fit`, `predict` and `evaluate` accept as a tensor. Typed arrays in a list are rows. */
export type TensorLike = Tensor | Variable | ShapedData | TypedArray | readonly TypedArray[] | NestedArray

type Convert = (value: TensorLike, where: string, dtype?: DType) => Tensor

let convert: Convert

/** Sets how assigned values become tensors. convert.ts sets it, because it imports this file. */
export function convertWith(given: Convert): void {
  convert = given
}

export interface VariableOptions {
  /** What it is called. Default 'variable'. */
  readonly name?: string
  /** Default: that of the first value; float32 where only a shape is given. */
  readonly dtype?: DType
  /** Whether an optimizer may change it. Default true. */
  readonly trainable?: boolean
}

/**
 * Counts what can change which variables a layer has and which of them are trained: lists of them are kept until the count
 * rises.
 */
export const structure = {
  version: 0,
  /** Counts how often something changed that programs hold as a constant: those made before compute with the old one. */
  constants: 0,
}

/** Kernels trust shape and dtype, so nobody can change them. */
function setType(variable: Variable, shape: Shape, dtype: DType): void {
  Object.defineProperties(variable, {
    shape: { value: Object.freeze(shape), enumerable: true },
    dtype: { value: dtype, enumerable: true },
  })
}

// A Cell, but for the declarations that users see: its place in memory is internal.
export class Variable {
  /** The extent of each axis; frozen. */
  declare readonly shape: Shape
  declare readonly dtype: DType
  name: string
  private isTrainable = true
  /** Whether it was made to be trained, whatever `trainable` says now: where it stands among the weights of its layer. @internal */
  readonly madeTrainable: boolean = false
  /** What an optimizer makes the content fulfil after every update; null for nothing. */
  constraint: { call(value: Tensor): Tensor } | null = null
  /** Where the elements are. Moved only by `adopt`. @internal */
  storage: Storage
  /** @internal */
  byteOffset = 0

  /**
   * @param initial the first content, or a shape for zeros
   */
  constructor(initial: Tensor | Shape, options: VariableOptions = {}) {
    setType(
      this,
      initial instanceof Tensor ? initial.shape : [...initial],
      options.dtype ?? (initial instanceof Tensor ? initial.dtype : 'float32'),
    )
    this.name = options.name ?? 'variable'
    this.madeTrainable = options.trainable ?? true
    this.trainable = this.madeTrainable
    requireSize(this.name, this.shape)
    requireRoom(this.name, this.shape)
    this.storage = currentRuntime().createStorage(this.byteLength)
    structure.version++
    this.view.fill(0)
    if (initial instanceof Tensor) this.view.set(initial.data)
  }

  /** A second name for bytes of existing storage. @internal */
  static within(storage: Storage, byteOffset: number, shape: Shape, name: string): Variable {
    const variable: Variable = Object.create(Variable.prototype)
    setType(variable, [...shape], 'float32')
    return Object.assign(variable, {
      name,
      trainable: false,
      constraint: null,
      storage,
      byteOffset,
    })
  }

  /** Whether an optimizer may change it. */
  get trainable(): boolean {
    return this.isTrainable
  }

  set trainable(trainable: boolean) {
    this.isTrainable = trainable
    structure.version++
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  get byteLength(): number {
    return dtypes[this.dtype].bytes * this.size
  }

  /** @internal */
  get runtime(): Runtime {
    return this.storage.runtime
  }

  /** The elements in place; stale when memory grows. @internal */
  get view(): TensorData {
    return cellView(this.runtime, this)
  }

  /** The content: a copy, or inside a traced function the symbol of it. */
  get value(): Tensor {
    const trace = currentTrace()
    return trace === null ? new Tensor(this.view.slice(), this.shape, this.dtype) : trace.read(this)
  }

  /**
   * Replaces the content, at once or, inside a traced function, at the end of each run.
   *
   *   scale.assign([1, 2])
   *
   * @param given a tensor, a variable, or data: numbers, nested or typed arrays, which become the dtype of the variable
   * @throws ShapeError when the shape, or of a tensor the dtype, differs; DataError for what is no data
   */
  assign(given: TensorLike): void {
    const value = this.read(given)
    if (!sameShape(value.shape, this.shape) || value.dtype !== this.dtype) {
      const [own, received] = [this, value].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`)
      throw new ShapeError(`${this.name}: the new value must be ${own}, received ${received}`)
    }
    const trace = currentTrace()
    if (trace === null) this.view.set(value.data)
    else trace.update(this, value)
  }

  /** Adds to the content, as assign replaces it: v ← v + value. */
  assignAdd(value: TensorLike): void {
    this.assign(apply('add', [this.value, this.read(value)], {})[0]!)
  }

  /** Subtracts from the content: v ← v − value. */
  assignSub(value: TensorLike): void {
    this.assign(apply('subtract', [this.value, this.read(value)], {})[0]!)
  }

  private read(given: TensorLike): Tensor {
    if (given instanceof Tensor) return given
    return given instanceof Variable ? given.value : convert(given, `${this.name}: the new value`, this.dtype)
  }

  /** Moves the content to a place in other storage; every program finds it there. @internal */
  adopt(storage: Storage, byteOffset: number): void {
    const content = this.view.slice()
    this.storage = storage
    this.byteOffset = byteOffset
    this.view.set(content)
    this.runtime.invalidate()
  }
}
