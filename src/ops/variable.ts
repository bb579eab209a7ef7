// Variable: a named tensor in linear memory that outlives calls and can be assigned. Weights, optimizer slots,
// metric sums and counters are variables.

import { requireArguments } from '../core/arguments'
import { registryOf, type Configurable } from '../core/registry'
import { scoped } from '../core/scope'
import { requireRoom } from '../core/weight-limit'
import { ArgumentError, ShapeError, checkOptions, formatShape, printable, unknownName } from '../core/errors'
import { dtypes, type DType } from '../core/dtypes'
import { sameShape, sizeOf, type Shape } from '../core/shapes'
import { cellView, type Storage, type Runtime } from '../engine/runtime/runtime'
import { currentRuntime } from '../engine/runtime/current'
import { requireShape } from './arguments'
import { changes } from './changes'
import { fromData } from './data'
import {
  Tensor,
  copyElements,
  type NestedArray,
  type NumbersOfAnyRank,
  type ShapedData,
  type TensorData,
  type TypedArray,
} from './tensor'
import { apply, currentTrace } from './trace'

/** What every op, `fit`, `predict` and `evaluate` accept as a tensor. Typed arrays in a list are rows. */
export type TensorLike = Tensor | Variable | ShapedData | TypedArray | readonly TypedArray[] | NestedArray

/** An initializer: it makes the first content. */
interface Initial {
  call(shape: Shape): Tensor
}

/** An initializer by its name. The registry is looked up by its kind, because its module imports this file. */
function initializerOf(name: string): Configurable {
  const initializers = registryOf('initializer')
  if (initializers !== undefined) return initializers.get(name)
  throw new ArgumentError(`Variable: '${name}' is the name of an initializer; pass an object, such as new Zeros()`)
}

/** The first content; null for zeros of a shape. */
function contentOf(initial: unknown, shape: Shape | undefined, dtype: DType | undefined): Tensor | null {
  const where = 'Variable'
  if (typeof initial === 'number' || typeof initial === 'boolean') return fromData(initial, where, dtype)
  if (initial instanceof Variable) return initial.value
  const made: unknown = typeof initial === 'string' ? initializerOf(initial) : initial
  if (!isInitial(made)) {
    if (shape !== undefined) throw new ArgumentError('Variable: the option shape is for an initializer')
    return made instanceof Tensor ? made : null
  }
  if (shape === undefined) throw new ArgumentError('Variable: an initializer needs the option shape')
  return made.call(requireShape(where, shape))
}

function isInitial(value: unknown): value is Initial {
  return typeof value === 'object' && value !== null && 'call' in value && typeof value.call === 'function'
}

export interface VariableOptions {
  /** The name. Default 'variable'. */
  readonly name?: string
  /** Default: the dtype of the first value; float32 if `initial` is a shape. */
  readonly dtype?: DType
  /** Whether an optimizer may change it. Default true. */
  readonly trainable?: boolean
  /** The shape, for an initializer. */
  readonly shape?: Shape
}

const VARIABLE_OPTIONS = ['name', 'dtype', 'trainable', 'shape'] as const satisfies readonly (keyof VariableOptions)[]

/** Where variables are made: in the models and layers that are being built or called, from the outside in. */
interface Place {
  /** Their names. Paths of variables begin with them. */
  readonly path: readonly string[]
  /** Their names without that of the outermost model. Names of variables in files begin with them. */
  readonly names: readonly string[]
}

export const place = /* @__PURE__ */ scoped<Place>({ path: [], names: [] })

/** A regularizer. */
interface Penalty {
  call(weight: Tensor): Tensor
}

/** The regularizers of weights. */
export const penalties = /* @__PURE__ */ new WeakMap<Variable, Penalty>()

/** Kernels trust shape, dtype and place, so they are read-only. Only `adopt` moves a variable. */
function define(variable: Variable, properties: Partial<Variable>, configurable = false): void {
  for (const [name, value] of Object.entries(properties))
    Object.defineProperty(variable, name, { value, enumerable: true, configurable })
}

function setType(variable: Variable, shape: Shape, dtype: DType): void {
  define(variable, { shape: Object.freeze(shape), dtype })
}

// Implements Cell without declaring it, because its location in memory is internal.
/**
 * A named tensor whose content can be assigned: a weight, a state of an optimizer, a counter. A function that `jit` compiles reads
 * and assigns it; its value is not part of the compiled program.
 *
 *   const count = new Variable([], { name: 'count', trainable: false })   a scalar that starts with 0
 *   count.assign(ops.add(count, 1))
 *
 * Keras: `keras.Variable`.
 */
export class Variable {
  /** The extent of each axis; frozen. */
  declare readonly shape: Shape
  declare readonly dtype: DType
  name: string
  /**
   * The names of the model and of the layers in which it was made, then its name: `sequential/dense/kernel`. Files and errors have `name`, in
   * which the name of the outermost model is missing. Keras: `Variable.path`.
   */
  path: string
  private isTrainable = true
  /**
   * Whether it was trainable when it was created. Determines its position among the weights of its layer. @internal
   */
  readonly madeTrainable: boolean = false
  /** The constraint that an optimizer applies to the content after every update; null for none. */
  constraint: { call(value: Tensor): Tensor } | null = null
  /**
   * The variables that files contain in place of this weight; none for a part of another weight. Without this property, files contain the
   * weight itself. Files do not contain the state that an optimizer keeps for a replaced weight. See enableLora. @internal
   */
  declare inFile?: readonly Variable[]
  /** The memory of the elements. Only `adopt` changes it. @internal */
  declare readonly storage: Storage
  /** @internal */
  declare readonly byteOffset: number

  /**
   * @param initial the first content: a tensor or a number; a shape for zeros; or an initializer or its name, with the option shape
   * @throws ArgumentError for an unknown option or dtype, and for other values; ShapeError for a
   *   shape whose extents are not integers ≥ 0, or that is too large
   */
  constructor(initial: Tensor | Variable | Shape | number | boolean | string | Initial, options: VariableOptions = {}) {
    checkOptions('Variable', options, VARIABLE_OPTIONS)
    const { name = 'variable', dtype, trainable = true, shape } = options
    if (dtype !== undefined && !(dtype in dtypes)) throw unknownName('dtype', dtype, Object.keys(dtypes))
    const content = contentOf(initial, shape, dtype)
    if (content !== null) setType(this, content.shape, dtype ?? content.dtype)
    else setType(this, requireShape('Variable without a tensor', initial), dtype ?? 'float32')
    this.name = name
    this.path = [...place.current.path, name].join('/')
    this.madeTrainable = trainable
    this.trainable = trainable
    requireRoom(name, this.shape)
    const storage = currentRuntime().createStorage(this.byteLength, content === null)
    define(this, { storage, byteOffset: 0 }, true)
    if (content !== null) copyElements(content, this.view)
  }

  /** A variable on bytes of existing storage. @internal */
  static within(storage: Storage, byteOffset: number, shape: Shape, name: string): Variable {
    const variable: Variable = Object.create(Variable.prototype)
    setType(variable, [...shape], 'float32')
    define(variable, { storage, byteOffset }, true)
    return Object.assign(variable, { name, trainable: false, constraint: null })
  }

  /** Whether an optimizer may change it. */
  get trainable(): boolean {
    return this.isTrainable
  }

  set trainable(trainable: boolean) {
    this.isTrainable = trainable
    changes.note()
  }

  /** The penalty that `addWeight` got for it, and that its layer adds to the loss; null for none. */
  get regularizer(): Penalty | null {
    return penalties.get(this) ?? null
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape)
  }

  /** The number of axes. */
  get ndim(): number {
    return this.shape.length
  }

  /**
   * The content as nested arrays; a number for a scalar.
   *
   *   new Variable(tensor([1, 2])).numpy()   // [1, 2]
   *
   * Keras: `Variable.numpy`.
   */
  numpy<Nested = NumbersOfAnyRank>(): Nested {
    return this.value.toArray()
  }

  /**
   * The number of a scalar, so that `Number(step)`, `step > 100` and `step + 1` compute with it; as text, its type.
   * @throws ArgumentError for other shapes, as for tensors; StateError inside a traced function, where there is no number yet
   */
  [Symbol.toPrimitive](hint: string): number | string {
    if (hint === 'string') return this.toString()
    return this.ndim === 0 ? this.value.item() : this.value[Symbol.toPrimitive](hint)
  }

  /** `Variable "dense/kernel" float32 [4, 3]` */
  toString(): string {
    return `Variable "${printable(this.name)}" ${this.dtype} ${formatShape(this.shape)}`
  }

  get byteLength(): number {
    return dtypes[this.dtype].bytes * this.size
  }

  /** @internal */
  get runtime(): Runtime {
    return this.storage.runtime
  }

  /** The elements in place; invalid after memory grows. @internal */
  get view(): TensorData {
    return cellView(this.runtime, this)
  }

  /** A copy of the content, or inside a traced function its symbol. */
  get value(): Tensor {
    const trace = currentTrace()
    return trace === null ? new Tensor(this.view.slice(), this.shape, this.dtype) : trace.read(this)
  }

  /**
   * Replaces the content: immediately, or, inside a traced function, at the end of each run.
   *
   *   scale.assign([1, 2])
   *
   * @param value a tensor, a variable, or data: numbers, nested or typed arrays, which are converted to the variable's dtype
   * @throws ShapeError when the shape, or the dtype of a tensor, differs; DataError for a value that cannot be a tensor
   */
  assign(value: TensorLike): void {
    requireArguments('assign', arguments, 1)
    const content = this.read(value)
    if (!sameShape(content.shape, this.shape) || content.dtype !== this.dtype) {
      const [expected, received] = [this, content].map(({ dtype, shape }) => `${dtype} ${formatShape(shape)}`)
      throw new ShapeError(`${this.name}: the new value must be ${expected}, received ${received}`)
    }
    const trace = currentTrace()
    if (trace === null) copyElements(content, this.view)
    else trace.update(this, content)
  }

  /** Adds to the content: v ← v + value. Takes effect when `assign` does. */
  assignAdd(value: TensorLike): void {
    requireArguments('assignAdd', arguments, 1)
    this.assign(apply('add', [this.value, this.read(value)], {})[0]!)
  }

  /** Subtracts from the content: v ← v − value. */
  assignSub(value: TensorLike): void {
    requireArguments('assignSub', arguments, 1)
    this.assign(apply('subtract', [this.value, this.read(value)], {})[0]!)
  }

  private read(value: TensorLike): Tensor {
    if (value instanceof Tensor) return value
    return value instanceof Variable ? value.value : fromData(value, `${this.name}: the new value`, this.dtype)
  }

  /** Moves the content to a place in other storage. Existing programs use the new place. @internal */
  adopt(storage: Storage, byteOffset: number): void {
    const content = this.view.slice()
    define(this, { storage, byteOffset }, true)
    this.view.set(content)
    this.runtime.invalidate()
  }
}

/** The content of a variable; other values unchanged. For results of user code, which may be variables. */
export function valueOf<Value>(result: Value | Variable): Value | Tensor {
  return result instanceof Variable ? result.value : result
}
