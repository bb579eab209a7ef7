// What a primitive declares about itself: the one interface between graphs, gradients, the interpreter
// and the planner. Passes ask these fields; none of them asks for a primitive's name.

import type { Epilogue, Step } from '../../assembly/shared/opcodes'
import type { Emitter } from './emitter'
import type { Value } from '../ir/graph'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { NumericArray } from '../core/dtypes'
import type { Shape, TensorType } from '../core/shapes'

/** How a value lies inside the buffer of another one; in elements. */
export interface Layout {
  readonly offset: number
  readonly strides: readonly number[]
}

/** A gradient that is zero but for a block: what a slice gives its operand. */
export interface Block {
  readonly block: Value
  readonly starts: readonly number[]
}

export type Contribution = Value | Block

export interface VjpContext<Attributes> {
  /** Emits nodes into the graph that is differentiated. */
  readonly e: Emitter
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly attributes: Attributes
  /** The gradient of the result with respect to each output; zeros where an output is unused. */
  readonly cotangents: readonly Value[]
  /** Whether anything that is differentiated reads output i, so that its cotangent is more than zeros. */
  isUsed(output: number): boolean
  /** Whether anybody asks for the gradient of input i; no nodes need be emitted for another one. */
  isWanted(input: number): boolean
}

export interface RefContext<Attributes> {
  /** Contiguous; float32 tensors may be Float64Array in high-precision mode. */
  readonly inputs: readonly NumericArray[]
  readonly outputs: readonly NumericArray[]
  readonly inputTypes: readonly TensorType[]
  readonly outputTypes: readonly TensorType[]
  readonly attributes: Attributes
}

export interface SimplifyContext<Attributes> {
  readonly e: Emitter
  readonly inputs: readonly Value[]
  readonly output: TensorType
  readonly attributes: Attributes
  /** The number that every element of a value equals, when it is known. */
  constantNumber(value: Value): number | null
}

export interface TotalContext<Attributes> {
  /** Emits nodes outside of the loop. */
  readonly e: Emitter
  readonly inputs: readonly Value[]
  readonly attributes: Attributes
  readonly length: number
  /** An operand of all turns, [length, …]; null where it cannot be had. */
  stack(operand: Value): Value | null
  /** The sum of an operand over all turns; null where that is not cheaper than to add it up turn by turn. */
  total(operand: Value): Value | null
}

export interface PrepareContext {
  readonly inputs: readonly Value[]
  /** How many turns the loop has. */
  readonly length: number
  /** Whether an operand is the same in every turn. */
  isSame(input: number): boolean
}

/** How a node of a loop does with an operand that is made ready once. */
export interface Preparation {
  readonly operand: number
  /** Emits what is done before the loop. */
  before(e: Emitter, operand: Value): Value
  /** Emits what is done in each turn instead of the node; the operand is ready among the inputs. */
  inside(e: Emitter, inputs: readonly Value[]): Value
}

export interface CostContext<Attributes> {
  readonly inputs: readonly TensorType[]
  readonly outputs: readonly TensorType[]
  readonly attributes: Attributes
}

interface Common<Attributes> {
  /** The outputs' types, or an error that names the primitive and the shapes. */
  infer(inputs: readonly TensorType[], attributes: Attributes): readonly TensorType[]
  /** Gradients with respect to the inputs (null: none flows). null as a whole: not differentiable. */
  readonly vjp: ((context: VjpContext<Attributes>) => readonly (Contribution | null)[]) | null
  /** Whether operands may be int8. Default: no kernel reads bytes. */
  takesInt8?(attributes: Attributes): boolean
  /** Must run even when no result is asked for, and keeps its place among other effects. */
  readonly effect?: boolean
  /**
   * The attributes for operands that all have one more axis, of `length`, in front. Left out: there are none.
   * Elementwise primitives need not say, their attributes know no axes.
   */
  lift?(attributes: Attributes, length: number): Attributes
  /** Of a node in a loop: the sum of its result over all turns, when that is cheaper than to add it up turn by turn. */
  total?(context: TotalContext<Attributes>): Value | null
  /** Of a node in a loop: what becomes of it when an operand is made ready before the loop; null where that does not pay. */
  prepare?(context: PrepareContext): Preparation | null
  /** Better done once for all turns of a loop than once for each: one large product beats many small ones. */
  readonly batches?: boolean
  /** Of an effect: whether the run ends here. */
  ends?(inputs: readonly NumericArray[], attributes: Attributes): boolean
  /** A value that equals the only output and costs less, if there is one. */
  simplify?(context: SimplifyContext<Attributes>): Value | null
}

/** Element i of the result depends on element i of each (broadcast) operand. */
export interface ElementwisePrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'elementwise'
  /** The chain step for operands of these types. */
  step(inputs: readonly TensorType[], attributes: Attributes): Step
  /** Floating-point operations for one element of the result: see flops.ts. */
  readonly flops: number
  /** The result of one element, in float64 (or of integers as numbers). */
  scalar(inputs: readonly number[], inputTypes: readonly TensorType[], attributes: Attributes): number
  /** A kernel with an epilogue can apply this to its result before it is stored. */
  readonly epilogue?: Epilogue
  /** Adds its second operand to the first: lets a row vector become a kernel's bias. */
  readonly bias?: boolean
}

/** Moves no data: the result is the operand seen through another layout, where such a layout exists. */
export interface ViewPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'view'
  /** null: the operand, as it lies, cannot be seen so and must be copied first. */
  view(input: TensorType, layout: Layout, attributes: Attributes): Layout | null
}

/** An output that may have the bytes of an input. */
export type InPlace = readonly [output: number, input: number]

/** Has a kernel of its own on every device. references.ts says what it computes. */
export interface KernelPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'kernel'
  /** Floating-point operations: see flops.ts. */
  flops(context: CostContext<Attributes>): number
  /** What is read and written. Default: every operand and every result, once. */
  traffic?(context: CostContext<Attributes>): readonly TensorType[]
}

/** Written with other primitives, which take its place before anything is planned. What it computes says references.ts. */
export interface ComposedPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'composed'
  compose(e: Emitter, inputs: readonly Value[], attributes: Attributes): Value
  /** As of a kernel. */
  flops(context: CostContext<Attributes>): number
}

/** Fixed data that belongs to the graph. */
export interface ConstantPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'constant'
  data(attributes: Attributes): NumericArray
}

/** Runs a region again and again. Every pass goes into the region by itself, so there is nothing else to declare. */
export interface LoopPrimitive<Attributes> extends Common<Attributes> {
  readonly kind: 'loop'
  readonly vjp: null
}

export type Primitive<Attributes> =
  | ElementwisePrimitive<Attributes>
  | ViewPrimitive<Attributes>
  | KernelPrimitive<Attributes>
  | ComposedPrimitive<Attributes>
  | ConstantPrimitive<Attributes>
  | LoopPrimitive<Attributes>

export type PrimitiveRule<Name extends PrimitiveName> = Primitive<PrimitiveAttributes[Name]>

/** Row-major and without gaps; extents of 1 may have any stride. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) return false
    expected *= shape[i]!
  }
  return true
}
