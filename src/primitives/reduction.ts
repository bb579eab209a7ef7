// Primitives that fold axes: sums, extremes, arg-extremes, and softmax over the last axis.

import { ArgReduce, Reduce, Softmax } from '../../assembly/shared/instructions'
import { Extreme, Opcode, Reduction, SoftmaxKind } from '../../assembly/shared/opcodes'
import { ArgumentError, ShapeError } from '../core/errors'
import type { Emitter } from './emitter'
import type { Value } from '../ir/graph'
import { instruction } from '../ir/instruction'
import type { KernelPrimitive, TotalContext } from './rule'
import type { Shape, TensorType } from '../core/shapes'
import { splitAround } from '../core/shapes'
import type { AxesAttributes, AxisAttributes, NoAttributes, PrimitiveName } from './attributes'

function requireFloat(name: string, input: TensorType): void {
  if (input.dtype !== 'float32') {
    throw new ArgumentError(`${name}: the operand must be float32, received ${input.dtype}. Cast it first.`)
  }
}

function splitAxes(shape: Shape, axes: readonly number[]) {
  return axes.length === 0 ? { ...splitAround(shape, 0, -1) } : splitAround(shape, axes[0]!, axes[axes.length - 1])
}

interface ReductionRule {
  /** Whether folding all turns of a loop is folding one axis more. */
  readonly isSum?: boolean
  readonly reduction: Reduction
  readonly start: number
  fold(accumulator: number, x: number): number
  finish?(accumulator: number, count: number): number
  vjp(e: Emitter, dy: Value, x: Value, y: Value, axes: readonly number[]): Value
}

// Σ_t Σ_axes x_t = Σ over turns and axes at once
function totalOfSum({ e, inputs: [x], attributes: { axes }, stack }: TotalContext<AxesAttributes>): Value | null {
  const all = stack(x!)
  return all === null ? null : e.sum(all, [0, ...axes.map((axis) => axis + 1)])
}

// out [outer, inner] = fold over axis of input [outer, axis, inner]
function reduction(name: PrimitiveName, rule: ReductionRule): KernelPrimitive<AxesAttributes> {
  return {
    kind: 'kernel',
    infer([x], { axes }) {
      requireFloat(name, x!)
      return [{ shape: x!.shape.filter((_, i) => !axes.includes(i)), dtype: 'float32' }]
    },
    vjp: ({ e, inputs: [x], outputs: [y], attributes: { axes }, cotangents: [dy] }) => [
      rule.vjp(e, e.keepAxes(dy!, x!.shape, axes), x!, e.keepAxes(y!, x!.shape, axes), axes),
    ],
    ...(rule.isSum === true ? { total: totalOfSum } : {}),
    // Folding one element is looking at it.
    simplify: ({ e, inputs: [x], output, attributes: { axes } }) =>
      splitAxes(x!.shape, axes).axis === 1 ? e.reshape(x!, output.shape) : null,
    ref({ inputs: [x], outputs: [out], inputTypes: [type], attributes: { axes } }) {
      const { outer, axis, inner } = splitAxes(type!.shape, axes)
      for (let i = 0; i < outer; i++) {
        for (let j = 0; j < inner; j++) {
          let accumulator = rule.start
          for (let a = 0; a < axis; a++) accumulator = rule.fold(accumulator, x![(i * axis + a) * inner + j]!)
          out![i * inner + j] = rule.finish === undefined ? accumulator : rule.finish(accumulator, axis)
        }
      }
    },
    lower({ inputs: [x], outputs: [out], attributes: { axes }, emit }) {
      emit(
        instruction(Opcode.Reduce, Reduce, {
          out: out!.address,
          input: x!.address,
          ...splitAxes(x!.shape, axes),
          reduction: rule.reduction,
        }),
      )
    },
  }
}

// dx = dy where x is the extreme, shared equally among ties
function extremeVjp(e: Emitter, dy: Value, x: Value, y: Value, axes: readonly number[]): Value {
  const hit = e.cast(e.equal(x, y), 'float32')
  const ties = e.keepAxes(e.sum(hit, axes), x.shape, axes)
  return e.multiply(hit, e.divide(dy, ties))
}

function argReduction(
  name: PrimitiveName,
  extreme: Extreme,
  better: (candidate: number, best: number) => boolean,
): KernelPrimitive<AxisAttributes> {
  return {
    kind: 'kernel',
    infer([x], { axis }) {
      requireFloat(name, x!)
      if (x!.shape[axis] === 0) throw new ShapeError(`${name}: axis ${axis} is empty`)
      return [{ shape: x!.shape.filter((_, i) => i !== axis), dtype: 'int32' }]
    },
    vjp: null,
    ref({ inputs: [x], outputs: [out], inputTypes: [type], attributes }) {
      const { outer, axis, inner } = splitAround(type!.shape, attributes.axis)
      for (let i = 0; i < outer; i++) {
        for (let j = 0; j < inner; j++) {
          let best = 0
          for (let a = 1; a < axis; a++) {
            const candidate = x![(i * axis + a) * inner + j]!
            const incumbent = x![(i * axis + best) * inner + j]!
            // The first NaN counts as the extreme.
            if (better(candidate, incumbent) || (Number.isNaN(candidate) && !Number.isNaN(incumbent))) best = a
          }
          out![i * inner + j] = best
        }
      }
    },
    lower({ inputs: [x], outputs: [out], attributes: { axis }, emit }) {
      emit(
        instruction(Opcode.ArgReduce, ArgReduce, {
          out: out!.address,
          input: x!.address,
          ...splitAround(x!.shape, axis),
          extreme,
        }),
      )
    },
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
    ref({ inputs: [x], outputs: [out], inputTypes: [type] }) {
      const { outer: rows, axis: columns } = splitAround(type!.shape, type!.shape.length - 1)
      for (let row = 0; row < rows; row++) {
        const start = row * columns
        let max = -Infinity
        for (let i = start; i < start + columns; i++) max = Math.max(max, x![i]!)
        let sum = 0
        for (let i = start; i < start + columns; i++) sum += Math.exp(x![i]! - max)
        for (let i = start; i < start + columns; i++) {
          const shifted = x![i]! - max
          out![i] = kind === SoftmaxKind.Softmax ? Math.exp(shifted) / sum : shifted - Math.log(sum)
        }
      }
    },
    lower({ inputs: [x], outputs: [out], scratch, emit }) {
      const { outer: rows, axis: columns } = splitAround(x!.shape, x!.shape.length - 1)
      emit(instruction(Opcode.Softmax, Softmax, { out: out!.address, input: x!.address, rows, columns, kind, scratch }))
    },
    inPlace: [[0, 0]],
  }
}

export const reductions = {
  sum: reduction('sum', {
    isSum: true,
    reduction: Reduction.Sum,
    start: 0,
    fold: (sum, x) => sum + x,
    vjp: (e, dy, x) => e.broadcastTo(dy, x.shape),
  }),
  mean: reduction('mean', {
    reduction: Reduction.Mean,
    start: 0,
    fold: (sum, x) => sum + x,
    finish: (sum, count) => sum / count,
    vjp: (e, dy, x, _y, axes) => {
      const count = splitAxes(x.shape, axes).axis
      return e.broadcastTo(e.multiply(dy, 1 / count), x.shape)
    },
  }),
  max: reduction('max', { reduction: Reduction.Max, start: -Infinity, fold: Math.max, vjp: extremeVjp }),
  min: reduction('min', { reduction: Reduction.Min, start: Infinity, fold: Math.min, vjp: extremeVjp }),
  argMax: argReduction('argMax', Extreme.Max, (candidate, best) => candidate > best),
  argMin: argReduction('argMin', Extreme.Min, (candidate, best) => candidate < best),
  // dx = y (dy − Σ dy·y)
  softmax: rowSoftmax('softmax', SoftmaxKind.Softmax, (e, dy, y, sum) =>
    e.multiply(y, e.subtract(dy, sum(e.multiply(dy, y)))),
  ),
  // dx = dy − eʸ Σ dy
  logSoftmax: rowSoftmax('logSoftmax', SoftmaxKind.LogSoftmax, (e, dy, y, sum) =>
    e.subtract(dy, e.multiply(e.exp(y), sum(dy))),
  ),
}
