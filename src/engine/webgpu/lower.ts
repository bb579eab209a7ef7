// Graph → plan → dispatches and loops of dispatches, with symbolic addresses.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import { titleOf, type Graph, type Node } from '../ir/graph'
import type { Address, Operand } from '../ir/operand'
import type { PrimitiveName } from '../ir/attributes'
import { bodyOf, isLoop } from '../ir/region'
import { plan, type Plan } from '../plan'
import { ChainKernel } from '../plan/chain'
import { labelOf, SingleKernel, type Kernel, type Placement } from '../plan/kernel'
import { LoopKernel } from '../plan/loop'
import type { PlacedBuffer } from '../plan/memory'
import { hasEffect } from '../transforms/effect'
import { ruleOf } from '../primitives'
import { simplify } from '../plan/simplify'
import { lowerChain } from './chain'
import type { Emitter } from './dispatch'
import { isExpressible } from './elementwise'
import { emitterTo, joined, type Draft } from './join'
import { isEndless, lowerLoop, tooLongIn, type Lowering } from './loop'
import { rowsOf } from './scan'
import type { Step } from './steps'
import { gpuKernelOf, gpuTarget, hasKernel } from './target'
import { usesOf, usesOfCopy } from './uses'

export interface GpuPlan extends Plan {
  readonly steps: readonly Step[]
  /** The bytes of the planned memory, and of the words for conditions. */
  readonly workspaceBytes: number
}

/** The first primitive of a graph that the GPU cannot compute; null if it can compute all. */
export function missingIn(graph: Graph): string | null {
  const { nodes } = simplify(graph)
  return missingAmong(nodes) ?? tooLongIn(nodes)
}

function missingAmong(nodes: readonly Node[]): string | null {
  for (const node of nodes) {
    const missing = missingFor(node)
    if (missing !== null) return missing
  }
  return null
}

function missingFor(node: Node): string | null {
  if (isLoop(node)) return isEndless(node) ? 'loop without a known end' : missingAmong(bodyOf(node).nodes)
  const { kind } = ruleOf(node.name)
  const lacks = (kind === 'kernel' && !hasKernel(node)) || (kind === 'elementwise' && !isExpressible(node))
  return lacks ? titleOf(node) : null
}

/**
 * @param flag the word that a guard sets to end the run
 */
export function planGpu(graph: Graph, flag: Address): GpuPlan {
  const planned = plan(graph, { fuse: true, target: gpuTarget, rowsOf })
  const { kernels, memory, placement } = planned
  let { workspaceBytes } = memory
  const newWord = (): Address => {
    const home = { kind: 'workspace', offset: workspaceBytes } as const
    const buffer: PlacedBuffer = { id: -1, byteLength: BYTES_PER_ELEMENT, home, start: 0, end: kernels.length }
    workspaceBytes += BYTES_PER_ELEMENT
    return { buffer, offset: 0 }
  }
  // What follows the last guard runs only if no guard ended the run. No kernel before it, nor in a loop with it, changes a cell.
  const after = 1 + kernels.findLastIndex(({ nodes: [first] }) => hasEffect(first!))
  const unless = after > 0 ? flag : null
  const how = { flag, newWord, isByRow: false }
  const draft: Draft = [
    ...lowerAll(kernels.slice(0, after), placement, { ...how, unless: null }),
    ...lowerAll(kernels.slice(after), placement, { ...how, unless }),
  ]
  for (const { cell, value, target } of memory.copies) {
    const { address, shape } = placement.operand(value)
    const bytes = BYTES_PER_ELEMENT * sizeOf(shape)
    const to = { buffer: target, offset: 0 }
    emitterTo(draft, `update ${cell.name}`, unless, usesOfCopy(address, to, bytes, unless)).copy(address, to, bytes)
  }
  return { ...planned, steps: joined(draft), workspaceBytes }
}

function lowerAll(kernels: readonly Kernel[], placement: Placement, how: Lowering): Draft {
  return kernels.flatMap((kernel) => lower(kernel, placement, how))
}

function lower(kernel: Kernel, placement: Placement, how: Lowering): Draft {
  if (kernel instanceof LoopKernel) return lowerLoop(kernel, placement, how, lowerAll)
  const draft: Draft = []
  const emit = emitterTo(draft, labelOf(kernel), how.unless, usesOf(kernel, placement, how))
  if (kernel instanceof ChainKernel) lowerChain(kernel, placement, emit)
  else if (kernel instanceof SingleKernel) lowerSingle(kernel, placement, how, emit)
  return draft
}

function lowerSingle<Name extends PrimitiveName>(
  kernel: SingleKernel<Name>,
  { operand, temporaryOf }: Placement,
  { flag, isByRow }: Lowering,
  emit: Emitter,
): void {
  const { node, writes, bias, activation } = kernel
  gpuKernelOf(node.name).lower({
    inputs: node.inputs.map(operand),
    outputs: writes.map((write, i) => ({ ...operand(write), shape: node.outputs[i]!.shape }) satisfies Operand),
    attributes: node.attributes,
    temporary: temporaryOf(kernel),
    bias: bias && operand(bias.operand),
    activation: activation?.nodes ?? [],
    flag,
    isByRow,
    emit,
  })
}
