// Reductions and softmax on the tape.

import { ArgReduce, Fill, Reduce, Softmax } from '../../../../assembly/shared/instructions'
import { Extreme, Opcode, Reduction, SoftmaxKind } from '../../../../assembly/shared/opcodes'
import { internalError } from '../../../core/errors'
import type { DType } from '../../../core/dtypes'
import { adjacentGroups, sizeOf, splitAround } from '../../../core/shapes'
import type { AxesAttributes, AxisAttributes, NoAttributes } from '../../ir/attributes'
import { instruction } from '../../ir/instruction'
import type { TapeKernel } from './kernel'

/** A reduction for one dtype. */
interface Reducer {
  readonly reduction: Reduction
  /** The result for an empty integer axis; for floats the kernel knows it. */
  readonly start: number
}

type Reducers = { readonly [Type in DType]?: Reducer }

function reduction(reducers: Reducers): TapeKernel<AxesAttributes> {
  return {
    lower({ inputs: [x], outputs: [out], attributes: { axes }, emit }) {
      const reducer = reducers[x!.dtype]
      if (reducer === undefined || adjacentGroups(axes).length > 1)
        throw internalError(`no reduction of ${x!.dtype} along axes ${axes.join()}`)
      const { shape } = x!
      const split = axes.length === 0 ? splitAround(shape, 0, -1) : splitAround(shape, axes[0]!, axes.at(-1))
      const isEmpty = x!.dtype !== 'float32' && split.axis === 0
      emit(
        isEmpty
          ? instruction(Opcode.Fill, Fill, { out: out!.address, count: sizeOf(out!.shape), value: reducer.start })
          : instruction(Opcode.Reduce, Reduce, {
              out: out!.address,
              input: x!.address,
              ...split,
              reduction: reducer.reduction,
            }),
      )
    },
  }
}

function argReduction(extremes: { readonly float32: Extreme; readonly int32: Extreme }): TapeKernel<AxisAttributes> {
  return {
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
  }
}

function rowSoftmax(kind: SoftmaxKind): TapeKernel<NoAttributes> {
  return {
    lower({ inputs: [x], outputs: [out], scratch, emit }) {
      const { outer: rows, axis: columns } = splitAround(x!.shape, x!.shape.length - 1)
      emit(instruction(Opcode.Softmax, Softmax, { out: out!.address, input: x!.address, rows, columns, kind, scratch }))
    },
    inPlace: () => [[0, 0]],
  }
}

const sumI32: Reducer = { reduction: Reduction.SumI32, start: 0 }
const maxI32: Reducer = { reduction: Reduction.MaxI32, start: -(2 ** 31) }
const minI32: Reducer = { reduction: Reduction.MinI32, start: 2 ** 31 - 1 }

export const reductions = {
  sum: reduction({ float32: { reduction: Reduction.Sum, start: 0 }, int32: sumI32, bool: sumI32 }),
  mean: reduction({ float32: { reduction: Reduction.Mean, start: 0 } }),
  max: reduction({
    float32: { reduction: Reduction.Max, start: -Infinity },
    int32: maxI32,
    bool: { ...maxI32, start: 0 },
  }),
  min: reduction({
    float32: { reduction: Reduction.Min, start: Infinity },
    int32: minI32,
    bool: { ...minI32, start: 1 },
  }),
  argMax: argReduction({ float32: Extreme.Max, int32: Extreme.MaxI32 }),
  argMin: argReduction({ float32: Extreme.Min, int32: Extreme.MinI32 }),
  softmax: rowSoftmax(SoftmaxKind.Softmax),
  logSoftmax: rowSoftmax(SoftmaxKind.LogSoftmax),
}
