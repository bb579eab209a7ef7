// The routines with a kernel on the GPU. Their classes are only types here, so that applications without these ops do not
// bundle them.

import { internalError } from '../../../core/errors'
import type { PrimitiveAttributes } from '../../ir/attributes'
import type { After } from '../../primitives/after'
import type { AttentionGradientKernel, AttentionKernel } from '../../primitives/attention'
import type { BitCast } from '../../primitives/bitcast'
import type { BitOperation } from '../../primitives/bits'
import type { InsertBlock, ScatterMax } from '../../primitives/indexing'
import type { Normalization, NormalizationGradient } from '../../primitives/normalization'
import type { PackedMatmul, PackedRows } from '../../primitives/packed'
import type { QuantizedContraction } from '../../primitives/quantized'
import { routineOf, type KernelRoutine } from '../../primitives/routine'
import type { RunningResult } from '../../primitives/running'
import type { ArgSort, SearchSorted, SortedValues } from '../../primitives/sorting'
import type { GpuKernel, RoutineKernel } from '../kernel'
import { after } from './after'
import { attention, attentionGradient } from './attention'
import { bitCast, bitOperation } from './bits'
import { insert, scatterMax } from './indexing'
import { normalization, normalizationGradient } from './normalization'
import { packedMatmul, packedTake } from './packed'
import { quantizedContraction } from './quantized'
import { running } from './running'
import { search, sort } from './sorting'

type KernelsOf<All extends KernelRoutine> = {
  readonly [Routine in All as Routine['name']]: RoutineKernel<Routine>
}

const kernels: KernelsOf<
  | After
  | ArgSort
  | AttentionGradientKernel
  | AttentionKernel
  | BitCast
  | BitOperation
  | InsertBlock
  | Normalization
  | NormalizationGradient
  | PackedMatmul
  | PackedRows
  | QuantizedContraction
  | RunningResult
  | ScatterMax
  | SearchSorted
  | SortedValues
> = {
  after,
  argsort: sort,
  attention,
  attentionGradient,
  bitcast: bitCast,
  bits: bitOperation,
  insert,
  normalization,
  normalizationGradient,
  packedMatmul,
  packedTake,
  quantizedContraction,
  running,
  scatterMax,
  searchsorted: search,
  sort,
}

const byName: Readonly<Record<string, RoutineKernel<KernelRoutine>>> = kernels

type Attributes = PrimitiveAttributes['routine']

function kernelOf({ routine: { name } }: Attributes): RoutineKernel<KernelRoutine> {
  const kernel = byName[name]
  if (kernel === undefined) throw internalError(`${name} has no kernel on the GPU`)
  return kernel
}

export const hasRoutine = ({ routine: { name } }: Attributes): boolean => byName[name] !== undefined

const routine: GpuKernel<Attributes> = {
  lower: (context) => kernelOf(context.attributes).lower(routineOf(context.attributes), context),
  accepts: (operand, input, layout, attributes) => routineOf(attributes).accepts(operand, input, layout),
  inPlace: (attributes) => routineOf(attributes).inPlace(),
  temporaryBytes: (inputs, attributes) => kernelOf(attributes).temporaryBytes?.(routineOf(attributes), inputs) ?? 0,
}

export const routines = { routine }
