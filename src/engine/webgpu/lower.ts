// Graph → plan → dispatches, with symbolic addresses.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { Graph, Node } from '../ir/graph'
import type { Word } from '../ir/instruction'
import type { Address, Operand } from '../ir/operand'
import type { PrimitiveName } from '../ir/attributes'
import { isLoop } from '../ir/region'
import { plan, type Plan } from '../plan'
import { ChainKernel } from '../plan/chain'
import { labelOf, SingleKernel, type Kernel, type Placement } from '../plan/kernel'
import { hasEffect } from '../transforms/effect'
import { ruleOf } from '../primitives'
import { simplify } from '../plan/simplify'
import { lowerChain } from './chain'
import { kernelOver, type Dispatch } from './dispatch'
import { isExpressible } from './elementwise'
import type { GpuContext } from './kernel'
import { gpuKernelOf, gpuTarget, hasKernel } from './target'

/** A dispatch with the name of its origin. */
export interface LabelledDispatch extends Dispatch {
  readonly label: string
}

export interface GpuPlan extends Plan {
  readonly dispatches: readonly LabelledDispatch[]
}

/** The first primitive of a graph that the GPU cannot compute; null if it can compute all. */
export function missingIn(graph: Graph): string | null {
  const lacks = ({ name }: Node): boolean => {
    const { kind } = ruleOf(name)
    return kind === 'kernel' ? !hasKernel(name) : kind === 'loop'
  }
  const missing = simplify(graph).nodes.find(
    (node) => lacks(node) || (ruleOf(node.name).kind === 'elementwise' && !isExpressible(node)),
  )
  return missing?.name ?? null
}

/**
 * @param flag the word that a guard sets to end the run
 */
export function planGpu(graph: Graph, fuse: boolean, flag: Address): GpuPlan {
  const planned = plan(graph, { fuse, target: gpuTarget })
  const { kernels, memory, placement } = planned
  const last = kernels.findLastIndex(({ nodes: [first] }) => hasEffect(first!))
  const dispatches: LabelledDispatch[] = []
  kernels.forEach((kernel, i) => {
    // What follows the last guard runs only if no guard ended the run.
    const unless = last >= 0 && i > last ? flag : null
    const label = labelOf(kernel)
    lowerKernel(kernel, placement, { unless, flag }, (dispatch) => dispatches.push({ ...dispatch, label }))
  })
  for (const { cell, value, target } of memory.copies) {
    const { address, shape } = placement.operand(value)
    const words = copyOf(address, { buffer: target, offset: 0 }, BYTES_PER_ELEMENT * sizeOf(shape), last >= 0 ? flag : null)
    dispatches.push({ ...words, label: `update ${cell.name}` })
  }
  return { ...planned, dispatches }
}

/** The words by which guards end a run. */
type RunWords = Pick<GpuContext<unknown>, 'unless' | 'flag'>

function lowerKernel(kernel: Kernel, placement: Placement, run: RunWords, emit: (dispatch: Dispatch) => void): void {
  if (kernel instanceof ChainKernel) {
    const dispatch = lowerChain(kernel, placement, run.unless)
    if (dispatch !== null) emit(dispatch)
  } else if (kernel instanceof SingleKernel) lowerSingle(kernel, placement, run, emit)
  else if (isLoop(kernel.nodes[0]!)) throw new Error('loops')
}

function lowerSingle<Name extends PrimitiveName>(
  kernel: SingleKernel<Name>,
  { operand, temporaryOf }: Placement,
  run: RunWords,
  emit: (dispatch: Dispatch) => void,
): void {
  const { node, writes, bias, activation } = kernel
  gpuKernelOf(node.name).lower({
    inputs: node.inputs.map(operand),
    outputs: writes.map((write, i) => ({ ...operand(write), shape: node.outputs[i]!.shape }) satisfies Operand),
    attributes: node.attributes,
    temporary: temporaryOf(kernel),
    bias: bias && operand(bias.operand),
    activation: activation?.nodes ?? [],
    ...run,
    emit,
  })
}

/** A copy of consecutive bytes. */
export function copyOf(from: Address, to: Address, bytes: number, unless: Word | null): Dispatch {
  return kernelOver(bytes / BYTES_PER_ELEMENT, {
    fields: { source: from, to },
    body: 'memory[p.to + index] = memory[p.source + index];',
    unless,
  })
}
