// Methods for the primitives that gradient rules use. Their meaning is documented in engine/primitives/emitter.ts.

import { TargetKind } from '../../../assembly/shared/opcodes'
import { storeData, type DType, type NumericArray } from '../../core/dtypes'
import { sameShape, type Shape, type TensorType } from '../../core/shapes'
import type { PrimitiveAttributes, PrimitiveName, ReductionName, Routine, StepName } from '../ir/attributes'
import type { Emitter } from '../primitives/emitter'
import type { Value } from '../ir/graph'

/** Where the emitter appends nodes. */
interface NodeSink {
  emit<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
  ): readonly Value[]
  emitOne<Name extends PrimitiveName>(
    name: Name,
    inputs: readonly Value[],
    attributes: PrimitiveAttributes[Name],
  ): Value
}

const none = {}

export class NodeEmitter implements Emitter {
  /** One node per number. −0 differs from 0. */
  private readonly scalars: Readonly<Record<DType, Map<number | '-0', Value>>> = {
    float32: new Map(),
    int32: new Map(),
    bool: new Map(),
    int8: new Map(),
    string: new Map(),
  }

  constructor(private readonly builder: NodeSink) {}

  apply(name: StepName | 'slope', ...operands: readonly (Value | number)[]): Value {
    return this.builder.emitOne(
      name,
      operands.map((x) => this.lift(x)),
      none,
    )
  }

  private lift(x: Value | number): Value {
    return typeof x === 'number' ? this.scalar(x) : x
  }

  scalar(x: number, dtype: DType = 'float32'): Value {
    const known = this.scalars[dtype]
    const key = Object.is(x, -0) ? '-0' : x
    let value = known.get(key)
    if (value === undefined) {
      value = this.builder.emitOne('constant', [], { data: storeData(dtype, [x]), shape: [], dtype })
      known.set(key, value)
    }
    return value
  }

  negative(x: Value): Value {
    return this.apply('negative', x)
  }

  sign(x: Value): Value {
    return this.apply('sign', x)
  }

  exp(x: Value): Value {
    return this.apply('exp', x)
  }

  log(x: Value): Value {
    return this.apply('log', x)
  }

  square(x: Value): Value {
    return this.apply('square', x)
  }

  reciprocal(x: Value): Value {
    return this.apply('reciprocal', x)
  }

  sin(x: Value): Value {
    return this.apply('sin', x)
  }

  cos(x: Value): Value {
    return this.apply('cos', x)
  }

  sigmoid(x: Value): Value {
    return this.apply('sigmoid', x)
  }

  softmax(x: Value): Value {
    return this.builder.emitOne('softmax', [x], none)
  }

  logSoftmax(x: Value): Value {
    return this.builder.emitOne('logSoftmax', [x], none)
  }

  add(a: Value | number, b: Value | number): Value {
    return this.apply('add', a, b)
  }

  subtract(a: Value | number, b: Value | number): Value {
    return this.apply('subtract', a, b)
  }

  multiply(a: Value | number, b: Value | number): Value {
    return this.apply('multiply', a, b)
  }

  divide(a: Value | number, b: Value | number): Value {
    return this.apply('divide', a, b)
  }

  power(a: Value | number, b: Value | number): Value {
    return this.apply('power', a, b)
  }

  /** dy · slope */
  slope = (dy: Value | number, slope: Value | number) => this.apply('slope', dy, slope)
  reluGradient = (y: Value | number, dy: Value | number) => this.apply('reluGradient', y, dy)
  geluGradient = (x: Value | number, dy: Value | number) => this.apply('geluGradient', x, dy)
  tanhGradient = (y: Value | number, dy: Value | number) => this.apply('tanhGradient', y, dy)
  sigmoidGradient = (y: Value | number, dy: Value | number) => this.apply('sigmoidGradient', y, dy)
  less(a: Value | number, b: Value | number): Value {
    return this.apply('less', a, b)
  }

  equal(a: Value | number, b: Value | number): Value {
    return this.apply('equal', a, b)
  }

  copy(x: Value): Value {
    return this.builder.emitOne('copy', [x], none)
  }

  matmulStrips(a: Value, b: Value): Value {
    return this.builder.emitOne('matmulStrips', [a, b], none)
  }

  matmul(a: Value, b: Value): Value {
    return this.builder.emitOne('matmul', [a, b], none)
  }

  convolution(x: Value, kernel: Value, attributes: PrimitiveAttributes['convolution']): Value {
    return this.builder.emitOne('convolution', [x, kernel], attributes)
  }

  convolutionKernel(x: Value, dy: Value, attributes: PrimitiveAttributes['convolutionKernel']): Value {
    return this.builder.emitOne('convolutionKernel', [x, dy], attributes)
  }

  convolutionTranspose(dy: Value, kernel: Value, attributes: PrimitiveAttributes['convolutionTranspose']): Value {
    return this.builder.emitOne('convolutionTranspose', [dy, kernel], attributes)
  }

  convolutionTurned(dy: Value, kernel: Value, attributes: PrimitiveAttributes['convolutionTurned']): Value {
    return this.builder.emitOne('convolutionTurned', [dy, kernel], attributes)
  }

  depthwiseConvolution(x: Value, kernel: Value, attributes: PrimitiveAttributes['depthwiseConvolution']): Value {
    return this.builder.emitOne('depthwiseConvolution', [x, kernel], attributes)
  }

  depthwiseConvolutionKernel(
    x: Value,
    dy: Value,
    attributes: PrimitiveAttributes['depthwiseConvolutionKernel'],
  ): Value {
    return this.builder.emitOne('depthwiseConvolutionKernel', [x, dy], attributes)
  }

  depthwiseConvolutionTranspose(
    dy: Value,
    kernel: Value,
    attributes: PrimitiveAttributes['depthwiseConvolutionTranspose'],
  ): Value {
    return this.builder.emitOne('depthwiseConvolutionTranspose', [dy, kernel], attributes)
  }

  maxPoolPick(x: Value, values: Value, attributes: PrimitiveAttributes['maxPoolPick']): Value {
    return this.builder.emitOne('maxPoolPick', [x, values], attributes)
  }

  maxPoolTranspose(x: Value, dy: Value, attributes: PrimitiveAttributes['maxPoolTranspose']): Value {
    return this.builder.emitOne('maxPoolTranspose', [x, dy], attributes)
  }

  sumPool(x: Value, attributes: PrimitiveAttributes['sumPool']): Value {
    return this.builder.emitOne('sumPool', [x], attributes)
  }

  sumPoolTranspose(dy: Value, attributes: PrimitiveAttributes['sumPoolTranspose']): Value {
    return this.builder.emitOne('sumPoolTranspose', [dy], attributes)
  }

  cast(x: Value, dtype: DType): Value {
    return x.dtype === dtype ? x : this.builder.emitOne('cast', [x], { dtype })
  }

  select(condition: Value, a: Value | number, b: Value | number): Value {
    return this.builder.emitOne('select', [condition, this.lift(a), this.lift(b)], none)
  }

  /** (p Σt − t) · scale, for targets t of either kind. */
  crossEntropyGradient(kind: TargetKind, p: Value, targets: Value, scale: Value): Value {
    const name = kind === TargetKind.Classes ? 'classCrossEntropyGradient' : 'crossEntropyGradient'
    return this.builder.emitOne(name, [p, targets, scale], none)
  }

  /** Reduces sorted axes and removes them. */
  reduce(name: ReductionName, x: Value, axes: readonly number[]): Value {
    return axes.length === 0 ? x : this.builder.emitOne(name, [x], { axes })
  }

  sum(x: Value, axes: readonly number[]): Value {
    return this.reduce('sum', x, axes)
  }

  reshape(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.builder.emitOne('reshape', [x], { shape })
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    return this.builder.emitOne('transpose', [x], { permutation })
  }

  /** Swaps the last two axes. */
  transposeMatrix(x: Value): Value {
    const rank = x.shape.length
    return this.transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2])
  }

  slice(x: Value, starts: readonly number[], sizes: readonly number[]): Value {
    return this.builder.emitOne('slice', [x], { starts, sizes })
  }

  reverse(x: Value, axes: readonly number[]): Value {
    return this.builder.emitOne('reverse', [x], { axes })
  }

  broadcastTo(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.builder.emitOne('broadcastTo', [x], { shape })
  }

  pad(x: Value, before: readonly number[], after: readonly number[]): Value {
    return this.builder.emitOne('pad', [x], { before, after, value: 0 })
  }

  sliceAdd(base: Value, block: Value, starts: readonly number[]): Value {
    return this.builder.emitOne('sliceAdd', [base, block], { starts })
  }

  concat(parts: readonly Value[], axis: number): Value {
    return parts.length === 1 ? parts[0]! : this.builder.emitOne('concat', parts, { axis })
  }

  gather(x: Value, indices: Value, axis: number, zeros = false): Value {
    return this.builder.emitOne('gather', [x, indices], zeros ? { axis, zeros } : { axis })
  }

  scatterAdd(updates: Value, indices: Value, axis: number, size: number): Value {
    return this.builder.emitOne('scatterAdd', [updates, indices], { axis, size })
  }

  constant(data: NumericArray, shape: Shape, dtype: DType): Value {
    return this.builder.emitOne('constant', [], { data, shape, dtype })
  }

  routine(routine: Routine, inputs: readonly Value[]): readonly Value[] {
    return this.builder.emit('routine', inputs, { routine })
  }

  zeros(type: TensorType): Value {
    return this.broadcastTo(this.scalar(0, type.dtype), type.shape)
  }

  /** The adjoint of broadcasting: sums over the repeated axes, so that the result has `shape`. */
  sumTo(x: Value, shape: Shape): Value {
    if (sameShape(x.shape, shape)) return x
    const offset = x.shape.length - shape.length
    const axes = x.shape.map((_, i) => i).filter((i) => i < offset || (shape[i - offset] === 1 && x.shape[i] !== 1))
    return this.reshape(this.sum(x, axes), shape)
  }

  /** Restores the axes that a reduction removed, with extent 1. */
  keepAxes(x: Value, shape: Shape, axes: readonly number[]): Value {
    return this.reshape(
      x,
      shape.map((extent, i) => (axes.includes(i) ? 1 : extent)),
    )
  }
}
