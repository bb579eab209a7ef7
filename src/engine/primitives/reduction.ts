// Primitives that reduce axes: sums, extremes, arg-extremes, and softmax over the last axis.

import { SoftmaxKind } from '../../../assembly/shared/opcodes'
import { ArgumentError, ShapeError } from '../../core/errors'
import type { Emitter } from './emitter'
import type { Node, Value } from '../ir/graph'
import { FUNCTION, elementsOf } from './flops'
import type { KernelPrimitive, TotalContext } from './rule'
import type { DType } from '../../core/dtypes'
import { adjacentGroups, splitAround, type Shape, type TensorType } from '../../core/shapes'
import type { AxesAttributes, AxisAttributes, NoAttributes, PrimitiveName, ReductionName } from '../ir/attributes'

function requireFloat(name: string, input: TensorType): void {
  if (input.dtype !== 'float32') {
    throw new ArgumentError(`${name}: the operand must be float32, received ${input.dtype}. Cast it first.`)
  }
}

/** The number of elements that are reduced to one. */
function foldedCount(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * shape[axis]!, 1)
}

interface ReductionRule {
  /** Whether reducing all iterations of a loop equals reducing one more axis. */
  readonly isSum?: boolean
  /** The dtype of the result for each dtype of the operand; other dtypes are errors. */
  readonly results: { readonly [Type in DType]?: DType }
  /** Whether each result is divided by the number of elements. */
  readonly isMean?: boolean
  vjp(e: Emitter, dy: Value, x: Value, y: Value, axes: readonly number[]): Value
}

// Σ_t Σ_axes x_t = Σ over iterations and axes together
function totalOfSum({ e, inputs: [x], attributes: { axes }, stack }: TotalContext<AxesAttributes>): Value | null {
  const all = stack(x!)
  return all === null ? null : e.sum(all, [0, ...axes.map((axis) => axis + 1)])
}

const isTranspose = (node: Node): node is Node<'transpose'> => node.name === 'transpose'
/** The kernel reduces one run of adjacent axes; other axes need one reduction per run. */
const inGroups = (e: Emitter, name: ReductionName, x: Value, axes: readonly number[]): Value =>
  adjacentGroups(axes).reduce((folded, group) => e.reduce(name, folded, group), x)
const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b)

// out [outer, inner] = fold over axis of input [outer, axis, inner]
function reduction(name: ReductionName, rule: ReductionRule): KernelPrimitive<AxesAttributes> {
  return {
    kind: 'kernel',
    infer([x], { axes }) {
      const dtype = rule.results[x!.dtype]
      if (dtype === undefined)
        throw new ArgumentError(`${name}: the operand must be float32, received ${x!.dtype}. Cast it first.`)
      return [{ shape: x!.shape.filter((_, i) => !axes.includes(i)), dtype }]
    },
    vjp: ({ e, inputs: [x], outputs: [y], attributes: { axes }, cotangents: [dy] }) => [
      rule.vjp(e, e.keepAxes(dy!, x!.shape, axes), x!, e.keepAxes(y!, x!.shape, axes), axes),
    ],
    ...(rule.isSum === true ? { total: totalOfSum } : {}),
    simplify({ e, inputs: [x], output, attributes: { axes } }) {
      // Reducing one element is a reshape.
      if (foldedCount(x!.shape, axes) === 1) return e.reshape(e.cast(x!, output.dtype), output.shape)
      if (x!.node !== null && isTranspose(x!.node)) {
        // Reducing other axes of its operand saves the copy that the kernel would need.
        const { inputs, attributes } = x!.node
        const from = attributes.permutation
        const folded = ascending(axes.map((axis) => from[axis]!))
        const kept = from.filter((axis) => !folded.includes(axis))
        const places = ascending(kept)
        return e.transpose(
          inGroups(e, name, inputs[0]!, folded),
          kept.map((axis) => places.indexOf(axis)),
        )
      }
      return adjacentGroups(axes).length === 1 ? null : inGroups(e, name, x!, axes)
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

function argReduction(name: PrimitiveName): KernelPrimitive<AxisAttributes> {
  return {
    kind: 'kernel',
    infer([x], { axis }) {
      if (x!.shape[axis] === 0) throw new ShapeError(`${name}: axis ${axis} is empty`)
      return [{ shape: x!.shape.filter((_, i) => i !== axis), dtype: 'int32' }]
    },
    vjp: null,
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
    vanishes: kind === SoftmaxKind.Softmax,
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
    // max, −, exp, Σ and ÷; or max, −, exp, Σ, − and the logarithm of each row
    flops({ inputs: [x] }) {
      const { outer: rows, axis: columns } = splitAround(x!.shape, x!.shape.length - 1)
      return rows * (columns * (4 + FUNCTION) + (kind === SoftmaxKind.LogSoftmax ? FUNCTION : 0))
    },
  }
}

export const reductions = {
  sum: reduction('sum', {
    isSum: true,
    results: { float32: 'float32', int32: 'int32', bool: 'int32' },
    vjp: (e, dy, x) => e.broadcastTo(dy, x.shape),
  }),
  mean: reduction('mean', {
    results: { float32: 'float32' },
    isMean: true,
    vjp: (e, dy, x, _y, axes) => e.broadcastTo(e.multiply(dy, 1 / foldedCount(x.shape, axes)), x.shape),
  }),
  max: reduction('max', {
    results: { float32: 'float32', int32: 'int32', bool: 'bool' },
    vjp: extremeVjp,
  }),
  min: reduction('min', {
    results: { float32: 'float32', int32: 'int32', bool: 'bool' },
    vjp: extremeVjp,
  }),
  argMax: argReduction('argMax'),
  argMin: argReduction('argMin'),
  // dx = y (dy − Σ dy·y)
  softmax: rowSoftmax('softmax', SoftmaxKind.Softmax, (e, dy, y, sum) =>
    e.slope(e.subtract(dy, sum(e.slope(dy, y))), y),
  ),
  // dx = dy − eʸ Σ dy
  logSoftmax: rowSoftmax('logSoftmax', SoftmaxKind.LogSoftmax, (e, dy, y, sum) =>
    e.subtract(dy, e.slope(sum(dy), e.exp(y))),
  ),
}
