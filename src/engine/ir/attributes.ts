// The names of all primitives and their attributes. Those of elementwise ones are the names of their kernels, in engine/ir/steps.ts, which the
// build writes. engine/primitives/index.ts must contain a rule for each name; tsc reports missing ones.

import type * as steps from './steps'
import type { DType, NumericArray } from '../../core/dtypes'
import type { Shape, TensorType } from '../../core/shapes'

export type NoAttributes = Readonly<Record<never, never>>

export interface AxesAttributes {
  /** Sorted, distinct, non-negative. They are removed from the shape. */
  readonly axes: readonly number[]
}

export interface AxisAttributes {
  readonly axis: number
}

/**
 * A function inside a graph, as far as rules need it: the types of its inputs and results. Its contents are in
 * engine/ir/region.ts.
 */
export interface Region {
  readonly parameters: readonly TensorType[]
  readonly outputs: readonly TensorType[]
  /** The types of the results of a loop over this region. */
  infer(inputs: readonly TensorType[], attributes: LoopAttributes): readonly TensorType[]
}

/** A kernel that loads with the op that uses it, as far as rules need it. Its contents are in engine/primitives/routine.ts. */
export interface Routine {
  /** Unique among all routines. */
  readonly name: string
}

export interface LoopAttributes {
  /** [...carries, ...slices of what is scanned, ...captures] → [...carries, ...slices of what is stacked] */
  readonly body: Region
  readonly length: number
  /** How many operands are carries, and how many of the following are scanned along their first axis. */
  readonly carries: number
  readonly scanned: number
  /** Whether the first iteration gets the last slices. */
  readonly reverse: boolean
  /**
   * Which iterations run; all by default. `while`: those before the first whose first carry, a bool, is false. `where`:
   * those whose slice of the first scanned operand, a bool, is true. Where an iteration does not run, carries keep their
   * values and stacked results are 0.
   */
  readonly runs?: 'while' | 'where' | undefined
}

/** How a window moves over the axes between batch and channels: one number per axis. */
export interface WindowAttributes {
  readonly strides: readonly number[]
  /** The distance between neighbouring taps. */
  readonly dilation: readonly number[]
}

/** The zeros before and after each axis. A negative number after an axis skips that many elements. */
export interface PaddedAttributes extends WindowAttributes {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

export interface ConvolutionAttributes extends PaddedAttributes {
  readonly groups: number
}

export interface PoolAttributes {
  readonly window: Shape
  readonly strides: readonly number[]
}

/**
 * A step of a chain is the primitive of that name. Steps for int32 and steps that convert are forms of other primitives. The
 * step multiply also computes `slope`, the step clip computes a `minimum` of a `maximum`, and a step whose name ends in
 * ToFactor or ToState computes two nodes.
 */
export type StepName = Exclude<keyof typeof steps, `${string}I32` | `${string}To${string}` | 'clip'>

export interface PrimitiveAttributes extends Readonly<Record<StepName, NoAttributes>> {
  // elementwise.ts
  slope: NoAttributes
  cast: { readonly dtype: DType }
  // contraction.ts
  matmul: NoAttributes
  matmulStrips: NoAttributes
  // convolution.ts
  convolution: ConvolutionAttributes
  convolutionKernel: ConvolutionAttributes & { readonly kernel: Shape }
  convolutionTranspose: ConvolutionAttributes & { readonly spatial: Shape }
  convolutionTurned: ConvolutionAttributes & { readonly spatial: Shape }
  depthwiseConvolution: PaddedAttributes
  depthwiseConvolutionKernel: PaddedAttributes & { readonly kernel: Shape }
  depthwiseConvolutionTranspose: PaddedAttributes & { readonly spatial: Shape }
  // pooling.ts
  maxPool: PoolAttributes
  maxPoolPick: PoolAttributes
  maxPoolTranspose: PoolAttributes
  sumPool: PoolAttributes
  sumPoolTranspose: PoolAttributes & { readonly spatial: Shape }
  // reduction.ts
  sum: AxesAttributes
  mean: AxesAttributes
  max: AxesAttributes
  min: AxesAttributes
  argMax: AxisAttributes
  argMin: AxisAttributes
  softmax: NoAttributes
  logSoftmax: NoAttributes
  // cross-entropy.ts
  classCrossEntropy: NoAttributes
  classCrossEntropyGradient: NoAttributes
  crossEntropy: NoAttributes
  crossEntropyGradient: NoAttributes
  // indexing.ts
  /** `zeros`: an index outside the axis gives 0. */
  gather: AxisAttributes & { readonly zeros?: boolean }
  scatterAdd: AxisAttributes & { readonly size: number }
  // movement.ts
  reshape: { readonly shape: Shape }
  transpose: { readonly permutation: readonly number[] }
  slice: { readonly starts: readonly number[]; readonly sizes: readonly number[] }
  reverse: { readonly axes: readonly number[] }
  broadcastTo: { readonly shape: Shape }
  stopGradient: NoAttributes
  concat: AxisAttributes
  sliceAdd: { readonly starts: readonly number[] }
  pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number }
  // loop.ts
  loop: LoopAttributes
  // routine.ts
  routine: { readonly routine: Routine }
  // source.ts
  constant: { readonly data: NumericArray; readonly shape: Shape; readonly dtype: DType }
  uniform: { readonly shape: Shape; readonly stream: number }
  // training.ts
  /** The largest allowed magnitude of each operand; any finite one if omitted. */
  guard: { readonly limits?: readonly number[] }
  sgd: { readonly momentum: number; readonly nesterov: boolean; readonly weightDecay: number }
  rmsprop: {
    readonly rho: number
    readonly momentum: number
    readonly epsilon: number
    readonly centered: boolean
    readonly weightDecay: number
  }
  adam: {
    readonly beta1: number
    readonly beta2: number
    readonly epsilon: number
    readonly weightDecay: number
  }
}

export type PrimitiveName = keyof PrimitiveAttributes
/** The primitives that reduce axes to one number. */
export type ReductionName = 'sum' | 'mean' | 'max' | 'min'
