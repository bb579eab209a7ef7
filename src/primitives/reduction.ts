// Primitives that fold axes: sums, extremes, arg-extremes, and softmax over the last axis.

import { ArgReduce, Fill, Reduce, Softmax } from '../../assembly/shared/instructions'
import { Extreme, Opcode, Reduction, SoftmaxKind } from '../../assembly/shared/opcodes'
import { ArgumentError, ShapeError, internalError } from '../core/errors'
import type { Emitter } from './emitter'
import type { Value } from '../ir/graph'
import { instruction } from '../ir/instruction'
import { FUNCTION, elementsOf } from './flops'
import type { KernelPrimitive, TotalContext } from './rule'
import type { DType } from '../core/dtypes'
import type { Shape, TensorType } from '../core/shapes'
import { adjacentGroups, sizeOf, splitAround } from '../core/shapes'
import type { AxesAttributes, AxisAttributes, NoAttributes, PrimitiveName, ReductionName } from '../ir/attributes'

function requireFloat(name: string, input: TensorType): void {
  if (input.dtype !== 'float32') {
    throw new ArgumentError(`${name}: the operand must be float32, received ${input.dtype}. Cast it first.`)
  }
}

function splitAxes(shape: Shape, axes: readonly number[]) {
  return axes.length === 0 ? splitAround(shape, 0, -1) : splitAround(shape, axes[0]!, axes[axes.length - 1])
}

/** How many elements fold into one. */
function foldedCount(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * shape[axis]!, 1)
}

/** One dtype's way of folding. */
interface Fold {
  readonly reduction: Reduction
  /** What an empty axis gives. */
  readonly start: number
}

interface ReductionRule extends Fold {
  /** Whether folding all turns of a loop is folding one axis more. */
  readonly isSum?: boolean
  /** Integers, in integers. null: float32 only. */
  readonly int32: Fold | null
  /** 0 and 1, and the dtype of the result. null: not of bool. */
  readonly bool: (Fold & { readonly result: DType }) | null
  /** Whether each result is divided once. */
  readonly isMean?: boolean
  vjp(e: Emitter, dy: Value, x: Value, y: Value, axes: readonly number[]): Value
}

// Σ_t Σ_axes x_t = Σ over turns and axes at once
function totalOfSum({ e, inputs: [x], attributes: { axes }, stack }: TotalContext<AxesAttributes>): Value | null {
  const all = stack(x!)
  return all === null ? null : e.sum(all, [0, ...axes.map((axis) => axis + 1)])
}

function foldOf(name: string, rule: ReductionRule, dtype: DType): Fold {
  const fold = dtype === 'float32' ? rule : dtype === 'int8' || dtype === 'string' ? null : rule[dtype]
  if (fold === null) throw new ArgumentError(`${name}: the operand must be float32, received ${dtype}. Cast it first.`)
  return fold
}

// out [outer, inner] = fold over axis of input [outer, axis, inner]
function reduction(name: ReductionName, rule: ReductionRule): KernelPrimitive<AxesAttributes> {
  return {
    kind: 'kernel',
    infer([x], { axes }) {
      foldOf(name, rule, x!.dtype)
      const dtype = x!.dtype === 'bool' && rule.bool !== null ? rule.bool.result : x!.dtype
      return [{ shape: x!.shape.filter((_, i) => !axes.includes(i)), dtype }]
    },
    vjp: ({ e, inputs: [x], outputs: [y], attributes: { axes }, cotangents: [dy] }) => [
      rule.vjp(e, e.keepAxes(dy!, x!.shape, axes), x!, e.keepAxes(y!, x!.shape, axes), axes),
    ],
    ...(rule.isSum === true ? { total: totalOfSum } : {}),
    simplify({ e, inputs: [x], output, attributes: { axes } }) {
      // Folding one element is looking at it.
      if (foldedCount(x!.shape, axes) === 1) return e.reshape(e.cast(x!, output.dtype), output.shape)
      // The kernel knows one run of axes: apart, they take one reduction each.
      const groups = adjacentGroups(axes)
      return groups.length === 1 ? null : groups.reduce((folded, group) => e.reduce(name, folded, group), x!)
    },
    lower({ inputs: [x], outputs: [out], attributes: { axes }, emit }) {
      if (adjacentGroups(axes).length > 1) throw internalError(`${name}: axes ${axes.join()} are not neighbours`)
      const { reduction, start } = foldOf(name, rule, x!.dtype)
      const split = splitAxes(x!.shape, axes)
      emit(
        x!.dtype !== 'float32' && split.axis === 0
          ? instruction(Opcode.Fill, Fill, { out: out!.address, count: sizeOf(out!.shape), value: start })
          : instruction(Opcode.Reduce, Reduce, { out: out!.address, input: x!.address, ...split, reduction }),
      )
    },
    flops: ({ inputs, outputs }) => elementsOf(inputs) + (rule.isMean === true ? elementsOf(outputs) : 0),
  }
}

// dx = dy where x is the extreme, shared equally among all ties
function extremeVjp(e: Emitter, dy: Value, x: Value, y: Value, axes: readonly number[]): Value {
  const hit = e.cast(e.equal(x, y), 'float32')
  const ties = e.keepAxes(e.sum(hit, axes), x.shape, axes)
  return e.multiply(hit, e.divide(dy, ties))
}

function argReduction(
  name: PrimitiveName,
  extremes: { readonly float32: Extreme; readonly int32: Extreme },
): KernelPrimitive<AxisAttributes> {
  return {
    kind: 'kernel',
    infer([x], { axis }) {
      if (x!.shape[axis] === 0) throw new ShapeError(`${name}: axis ${axis} is empty`)
      return [{ shape: x!.shape.filter((_, i) => i !== axis), dtype: 'int32' }]
    },
    vjp: null,
    lower({ inputs: [x], outputs: [out], attributes: { axis }, emit }) {
      emit(
        instruction(Opcode.ArgReduce, ArgReduce, {
          out: out!.address,
          input: x!.address,
          ...splitAround(x!.shape, axis),
          extreme: x!.dtype === 'float32' ? extremes.float32 : extremes.int32,
        }),
      )
    },
    flops: ({ inputs }) => elementsOf(inputs),
  }
}

// y [rows, columns]: y = e^(x − max x) / Σ e^(x − max x), or its logarithm
function rowSoftmax(
  name: PrimitiveName,
  kind: SoftmaxKind,
  vjp: (e: Emitter, dy: Value, y: Value, sum: (x: Value) => Value) => Value,
): KernelPrimitive<NoAttributes> {
  return {
    kind: 'kernel',
    infer([x]) {
      requireFloat(name, x!)
      if (x!.shape.length === 0) throw new ShapeError(`${name}: needs at least one axis, received a scalar`)
      return [x!]
    },
    vjp({ e, inputs: [x], outputs: [y], cotangents: [dy] }) {
      const last = x!.shape.length - 1
      const sum = (value: Value) => e.keepAxes(e.sum(value, [last]), x!.shape, [last])
      return [vjp(e, dy!, y!, sum)]
    },
    lower({ inputs: [x], outputs: [out], scratch, emit }) {
      const { outer: rows, axis: columns } = splitAround(x!.shape, x!.shape.length - 1)
      emit(instruction(Opcode.Softmax, Softmax, { out: out!.address, input: x!.address, rows, columns, kind, scratch }))
    },
    // max, −, exp, Σ and ÷; or max, −, exp, Σ, − and the logarithm of each row
    flops({ inputs: [x] }) {
      const { outer: rows, axis: columns } = splitAround(x!.shape, x!.shape.length - 1)
      return rows * (columns * (4 + FUNCTION) + (kind === SoftmaxKind.LogSoftmax ? FUNCTION : 0))
    },
    inPlace: () => [[0, 0]],
  }
}

const sumI32: Fold = { reduction: Reduction.SumI32, start: 0 }
const maxI32: Fold = { reduction: Reduction.MaxI32, start: -(2 ** 31) }
const minI32: Fold = { reduction: Reduction.MinI32, start: 2 ** 31 - 1 }

export const reductions = {
  sum: reduction('sum', {
    isSum: true,
    reduction: Reduction.Sum,
    start: 0,
    int32: sumI32,
    bool: { ...sumI32, result: 'int32' },
    vjp: (e, dy, x) => e.broadcastTo(dy, x.shape),
  }),
  mean: reduction('mean', {
    reduction: Reduction.Mean,
    start: 0,
    int32: null,
    bool: null,
    isMean: true,
    vjp: (e, dy, x, _y, axes) => e.broadcastTo(e.multiply(dy, 1 / foldedCount(x.shape, axes)), x.shape),
  }),
  max: reduction('max', {
    reduction: Reduction.Max,
    start: -Infinity,
    int32: maxI32,
    bool: { ...maxI32, start: 0, result: 'bool' },
    vjp: extremeVjp,
  }),
  min: reduction('min', {
    reduction: Reduction.Min,
    start: Infinity,
    int32: minI32,
    bool: { ...minI32, start: 1, result: 'bool' },
    vjp: extremeVjp,
  }),
  argMax: argReduction('argMax', { float32: Extreme.Max, int32: Extreme.MaxI32 }),
  argMin: argReduction('argMin', { float32: Extreme.Min, int32: Extreme.MinI32 }),
  // dx = y (dy − Σ dy·y)
  softmax: rowSoftmax('softmax', SoftmaxKind.Softmax, (e, dy, y, sum) =>
    e.multiply(y, e.subtract(dy, sum(e.multiply(dy, y)))),
  ),
  // dx = dy − eʸ Σ dy
  logSoftmax: rowSoftmax('logSoftmax', SoftmaxKind.LogSoftmax, (e, dy, y, sum) =>
    e.subtract(dy, e.multiply(e.exp(y), sum(dy))),
  ),
}
