// The interface with which gradient rules and simplifications emit nodes: one method per primitive that they
// need. Rules do not depend on graph building; the implementation is engine/transforms/emitter.ts.

import type { TargetKind } from '../../../assembly/shared/opcodes'
import type { DType, NumericArray } from '../../core/dtypes'
import type { Shape, TensorType } from '../../core/shapes'
import type { Value } from '../ir/graph'
import type {
  ConvolutionAttributes,
  PaddedAttributes,
  PoolAttributes,
  PrimitiveAttributes,
  ReductionName,
  Routine,
  StepName,
} from '../ir/attributes'

/** Appends nodes to one graph. Operands broadcast; a number stands for a float32 scalar. */
export interface Emitter {
  /** An elementwise primitive that has no method here. */
  apply(name: StepName | 'slope', ...operands: readonly (Value | number)[]): Value
  copy(x: Value): Value
  negative(x: Value): Value
  sign(x: Value): Value
  exp(x: Value): Value
  log(x: Value): Value
  square(x: Value): Value
  reciprocal(x: Value): Value
  sin(x: Value): Value
  cos(x: Value): Value
  sigmoid(x: Value): Value
  softmax(x: Value): Value
  logSoftmax(x: Value): Value
  add(a: Value | number, b: Value | number): Value
  subtract(a: Value | number, b: Value | number): Value
  multiply(a: Value | number, b: Value | number): Value
  divide(a: Value | number, b: Value | number): Value
  power(a: Value | number, b: Value | number): Value
  slope(a: Value | number, b: Value | number): Value
  reluGradient(a: Value | number, b: Value | number): Value
  geluGradient(a: Value | number, b: Value | number): Value
  tanhGradient(a: Value | number, b: Value | number): Value
  sigmoidGradient(a: Value | number, b: Value | number): Value
  less(a: Value | number, b: Value | number): Value
  equal(a: Value | number, b: Value | number): Value
  /** a [… m,k] · b [… k,n] */
  matmul(a: Value, b: Value): Value
  /** a [m,k] · b [n/8, k, 8] → [m,n] */
  matmulStrips(a: Value, b: Value): Value
  /** x [n, …spatial, c], kernel [… window, c / groups, channels], on the axes of the window. */
  convolution(x: Value, kernel: Value, attributes: ConvolutionAttributes): Value
  convolutionKernel(x: Value, dy: Value, attributes: PrimitiveAttributes['convolutionKernel']): Value
  convolutionTranspose(dy: Value, kernel: Value, attributes: PrimitiveAttributes['convolutionTranspose']): Value
  /** The same with a kernel whose window is reversed and whose channels and filters are swapped. */
  convolutionTurned(dy: Value, kernel: Value, attributes: PrimitiveAttributes['convolutionTurned']): Value
  depthwiseConvolution(x: Value, kernel: Value, attributes: PaddedAttributes): Value
  depthwiseConvolutionKernel(x: Value, dy: Value, attributes: PrimitiveAttributes['depthwiseConvolutionKernel']): Value
  depthwiseConvolutionTranspose(
    dy: Value,
    kernel: Value,
    attributes: PrimitiveAttributes['depthwiseConvolutionTranspose'],
  ): Value
  maxPoolPick(x: Value, values: Value, attributes: PoolAttributes): Value
  maxPoolTranspose(x: Value, dy: Value, attributes: PoolAttributes): Value
  sumPool(x: Value, attributes: PoolAttributes): Value
  sumPoolTranspose(dy: Value, attributes: PrimitiveAttributes['sumPoolTranspose']): Value
  scalar(x: number, dtype?: DType): Value
  zeros(type: TensorType): Value
  cast(x: Value, dtype: DType): Value
  select(condition: Value, a: Value | number, b: Value | number): Value
  /** (p Σt − t) · scale, for targets t of either kind. */
  crossEntropyGradient(kind: TargetKind, p: Value, targets: Value, scale: Value): Value
  /** Reduces sorted axes and removes them. */
  reduce(name: ReductionName, x: Value, axes: readonly number[]): Value
  /** Sums over sorted axes and removes them. */
  sum(x: Value, axes: readonly number[]): Value
  reshape(x: Value, shape: Shape): Value
  transpose(x: Value, permutation: readonly number[]): Value
  /** Swaps the last two axes. */
  transposeMatrix(x: Value): Value
  slice(x: Value, starts: readonly number[], sizes: readonly number[]): Value
  reverse(x: Value, axes: readonly number[]): Value
  broadcastTo(x: Value, shape: Shape): Value
  pad(x: Value, before: readonly number[], after: readonly number[]): Value
  /** base, with `block` added to the elements from `starts` on. */
  sliceAdd(base: Value, block: Value, starts: readonly number[]): Value
  concat(parts: readonly Value[], axis: number): Value
  gather(x: Value, indices: Value, axis: number, zeros?: boolean): Value
  scatterAdd(updates: Value, indices: Value, axis: number, size: number): Value
  constant(data: NumericArray, shape: Shape, dtype: DType): Value
  routine(routine: Routine, inputs: readonly Value[]): readonly Value[]
  /** The adjoint of broadcasting: sums over the repeated axes, so that the result has `shape`. */
  sumTo(x: Value, shape: Shape): Value
  /** Restores the axes that a reduction removed, with extent 1. */
  keepAxes(x: Value, shape: Shape, axes: readonly number[]): Value
}
