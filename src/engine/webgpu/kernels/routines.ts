// The routines with a kernel on the GPU. Their classes are only types here, so that applications without these ops do not
// bundle them; the kernels of packed weights are loaded when a program has such weights.

import { internalError } from '../../../core/errors'
import type { PrimitiveAttributes } from '../../ir/attributes'
import { isNodeOf, type Graph, type Node } from '../../ir/graph'
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
import { allNodes, type Family } from '../family'
import type { GpuKernel, KernelsOf, RoutineKernel } from '../kernel'
import { after } from './after'
import { attention, attentionGradient } from './attention'
import { bitCast, bitOperation } from './bits'
import { insert, scatterMax } from './indexing'
import { normalization, normalizationGradient } from './normalization'
import { quantizedContraction } from './quantized'
import { running } from './running'
import { search, sort } from './sorting'

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
  quantizedContraction,
  running,
  scatterMax,
  searchsorted: search,
  sort,
}

const byName = new Map<string, RoutineKernel<KernelRoutine>>(Object.entries(kernels))

/** Routines whose kernels are a file of their own, so that programs without packed weights do not load it. */
const PACKED: Readonly<Record<(PackedMatmul | PackedRows)['name'], true>> = { packedMatmul: true, packedTake: true }

/** Whether the kernel of a node is loaded when a program has it. */
const isLate = (node: Node): boolean => isNodeOf(node, 'routine') && Object.hasOwn(PACKED, node.attributes.routine.name)

/**
 * Loads the kernels of packed weights, if a graph has such weights.
 * @returns the graphs that test them; none if they are not needed
 */
export async function loadKernels(graph: Graph): Promise<readonly Family[]> {
  if (!allNodes(graph).some(isLate)) return []
  const { packedKernels, packedFamilies } = await import('../packed-kernels')
  for (const [name, kernel] of Object.entries<RoutineKernel<KernelRoutine>>(packedKernels)) byName.set(name, kernel)
  return packedFamilies
}

type Attributes = PrimitiveAttributes['routine']

function kernelOf({ routine: { name } }: Attributes): RoutineKernel<KernelRoutine> {
  const kernel = byName.get(name)
  if (kernel === undefined) throw internalError(`${name} has no kernel on the GPU`)
  return kernel
}

export const hasRoutine = ({ routine: { name } }: Attributes): boolean => byName.has(name)

const routine: GpuKernel<Attributes> = {
  lower: (context) => kernelOf(context.attributes).lower(routineOf(context.attributes), context),
  accepts: (operand, input, layout, attributes) => routineOf(attributes).accepts(operand, input, layout),
  inPlace: (attributes) => routineOf(attributes).inPlace(),
  temporaryBytes: (inputs, attributes) => kernelOf(attributes).temporaryBytes?.(routineOf(attributes), inputs) ?? 0,
}

export const routines = { routine }
