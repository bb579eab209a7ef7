// The record of a primitive, from which building, differentiation, the interpreter and the planner get all information
// about it. They read its fields instead of comparing names. Only loops have separate passes: see engine/ir/region.ts.

import type { Epilogue } from '../../../assembly/shared/opcodes'
import type { Emitter } from './emitter'
import type { Value } from '../ir/graph'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { NumericArray } from '../../core/dtypes'
import type { Shape, TensorType } from '../../core/shapes'

/** Where a value's elements are inside the bytes of another value; in elements. */
export interface View {
  readonly offset: number
  readonly strides: readonly number[]
}

/** A gradient that is zero outside a block: the gradient of a slice. */
export interface SparseGradient {
  readonly block: Value
  readonly starts: readonly number[]
}

export type Contribution = Value | SparseGradient

export interface VjpContext<Attributes> {
  /** Emits nodes into the graph that is being differentiated. */
  readonly e: Emitter
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly attributes: Attributes
  /** The gradient of the differentiated result with respect to each output; zeros if it does not depend on the output. */
  readonly cotangents: readonly Value[]
  /** Whether the differentiated result depends on output i. If not, its cotangent is zero. */
  isUsed(output: number): boolean
  /** Whether the gradient of input i is needed. If not, the rule need not emit it. */
  isWanted(input: number): boolean
}

export interface RefContext<Attributes> {
  /** Contiguous. float32 tensors are Float64Array if the interpreter computes in float64. */
  readonly inputs: readonly NumericArray[]
  readonly outputs: readonly NumericArray[]
  readonly inputTypes: readonly TensorType[]
  readonly outputTypes: readonly TensorType[]
  readonly attributes: Attributes
}

interface SimplifyContext<Attributes> {
  readonly e: Emitter
  readonly inputs: readonly Value[]
  readonly output: TensorType
  readonly attributes: Attributes
  /** The number that every element of a value equals, if known. */
  constantNumber(value: Value): number | null
}

export interface TotalContext<Attributes> {
  /** Emits nodes outside the loop. */
  readonly e: Emitter
  readonly inputs: readonly Value[]
  readonly attributes: Attributes
  readonly length: number
  /** The values of an operand in all iterations, [length, …]; null if they are not available. */
  stack(operand: Value): Value | null
  /** The sum of an operand over all iterations; null if that is not cheaper than adding it in each iteration. */
  total(operand: Value): Value | null
}

export interface PrepareContext {
  readonly inputs: readonly Value[]
  /** The number of iterations of the loop. */
  readonly length: number
  /** Whether an operand is the same in every iteration. */
  isSame(input: number): boolean
}

/** Prepares an operand of a node once, before a loop. */
export interface Preparation {
  readonly operand: number
  /** Emits the preparation before the loop. */
  before(e: Emitter, operand: Value): Value
  /** Emits the replacement of the node in the body; the prepared operand is among the inputs. */
  inside(e: Emitter, inputs: readonly Value[]): Value
}

export interface CostContext<Attributes> {
  readonly inputs: readonly TensorType[]
  readonly outputs: readonly TensorType[]
  readonly attributes: Attributes
}

interface Common<Attributes> {
  /** The outputs' types. Throws an error that begins with `name`, the primitive's, and names the shapes. */
  infer(inputs: readonly TensorType[], attributes: Attributes, name: PrimitiveName): readonly TensorType[]
  /** Gradients with respect to the inputs (null: no gradient flows). null instead of a function: not differentiable. */
  readonly vjp: ((context: VjpContext<Attributes>) => readonly (Contribution | null)[]) | null
  /** Whether operands may be int8. Default: no kernel reads int8. */
  takesInt8?(attributes: Attributes): boolean
  /** The node must run even if its results are unused, and keeps its order among other effects. */
  readonly effect?: boolean
  /**
   * The attributes for operands that all have an additional leading axis of `length`. Without it, the
   * node cannot be computed for all iterations of a loop at once. Elementwise primitives may omit it: their attributes do
   * not depend on axes.
   */
  lift?(attributes: Attributes, length: number): Attributes
  /**
   * For a node in a loop: the sum of its result over all iterations, if that is cheaper than adding it in each
   * iteration.
   */
  total?(context: TotalContext<Attributes>): Value | null
  /** For a node in a loop: how to prepare an operand before the loop; null if that does not pay. */
  prepare?(context: PrepareContext): Preparation | null
  /**
   * Whether one call for all iterations of a loop is faster than one per iteration: one large product beats
   * many small ones.
   */
  readonly batches?: boolean
  /** Whether it multiplies elements of its operands, so that those that have vanished count as 0: see engine/plan/flush.ts. */
  multiplies?(attributes: Attributes): boolean
  /**
   * Whether a result can be close to 0 although no operand is, as a product of small numbers can; `repeated`: only after many
   * iterations of a loop.
   */
  readonly vanishes?: boolean | 'repeated'
  /**
   * Whether the result depends on the proportion of an operand to another number, as a quotient does: then numbers that have
   * vanished are read as they are, not as 0.
   */
  readonly proportional?: boolean
  /** The operand that is the slope of a function, or its result, from which the slope follows: a factor of the gradient. */
  readonly slope?: number
  /** The operand that has vanished wherever the result has. */
  readonly gate?: number
  /** Whether its result consists of elements of its operands, up to their signs. Views need not declare it. */
  readonly moves?: boolean
  /** For an effect: whether the run ends here. */
  ends?(inputs: readonly NumericArray[], attributes: Attributes): boolean
  /** A cheaper value that equals the only output, if there is one. */
  simplify?(context: SimplifyContext<Attributes>): Value | null
}

/** Element i of the result depends on element i of each (broadcast) operand. */
export interface ElementwisePrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'elementwise'
  /** The number of operands. */
  readonly operands: 1 | 2 | 3
  /** The step of a chain for operands of these types: a number of engine/ir/steps.ts. */
  step(inputs: readonly TensorType[], attributes: Attributes): number
  /** Floating-point operations per element of the result: see flops.ts. */
  readonly flops: number
  /** The result for one element, in float64 (integers as numbers). */
  scalar(inputs: readonly number[], inputTypes: readonly TensorType[], attributes: Attributes): number
  /** The tensors that are read and written. Default: every operand and the result, once. */
  traffic?(): readonly TensorType[]
  /** The epilogue with which a kernel applies this primitive to its result before it stores the result. */
  readonly epilogue?: Epilogue
  /** The epilogue that applies this primitive, too, to the result of another one; null if there is none. */
  epilogueAfter?(epilogue: Epilogue): Epilogue | null
  /** Whether it adds its operands, so that one of them can become the bias of the kernel that computes the other. */
  readonly bias?: boolean
  /** The largest error of kernels, in units in the last place; default 0.5, the nearest float32. */
  readonly ulp?: number
  /** An error that is allowed in addition. Default 0. */
  readonly absolute?: number
  /** The first operands between which the primitive is defined, and neither saturates nor overflows. Default: all. */
  readonly range?: readonly [low: number, high: number]
}

/** Moves no data: the result is the operand with another layout, if such a layout exists. */
export interface ViewPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'view'
  /** null: the operand's layout does not allow the view, so the operand must be copied first. */
  view(input: TensorType, layout: View, attributes: Attributes): View | null
}

/** An output that may use the bytes of an input. */
export type InPlace = readonly [output: number, input: number]

/** Has a kernel on every device. Its reference is in references.ts. */
export interface KernelPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'kernel'
  /** Floating-point operations: see flops.ts. */
  flops(context: CostContext<Attributes>): number
  /** The tensors that are read and written. Default: every operand and every result, once. */
  traffic?(context: CostContext<Attributes>): readonly TensorType[]
}

/** Composed of other primitives, which replace it before planning. Its reference is in references.ts. */
export interface ComposedPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'composed'
  compose(e: Emitter, inputs: readonly Value[], attributes: Attributes): Value
  /** As for a kernel. */
  flops(context: CostContext<Attributes>): number
}

/** Fixed data that belongs to the graph. */
export interface ConstantPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'constant'
  data(attributes: Attributes): NumericArray
}

/** Runs a region repeatedly. Passes handle the region themselves, so there is nothing else to declare. */
export interface LoopPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'loop'
  readonly vjp: null
}

type Primitive<Attributes> =
  | ElementwisePrimitive<Attributes>
  | ViewPrimitive<Attributes>
  | KernelPrimitive<Attributes>
  | ComposedPrimitive<Attributes>
  | ConstantPrimitive<Attributes>
  | LoopPrimitive<Attributes>

export type PrimitiveRule<Name extends PrimitiveName> = Primitive<PrimitiveAttributes[Name]>

/** Whether elements are row-major without gaps; axes of extent 1 may have any stride. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false
    expected *= shape[i]!
  }
  return true
}
