// Graph → plan → dispatches and loops of dispatches, with symbolic addresses.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import { titleOf, type Graph, type Node, type Value } from '../ir/graph'
import { offsetBy, type Address, type Operand } from '../ir/operand'
import type { PrimitiveName } from '../ir/attributes'
import type { Word } from '../ir/instruction'
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
import { emitterTo, joined, rangesOf, type Draft, type Range, type Uses } from './join'
import { isEndless, lowerLoop, tooLongIn, type RunWords } from './loop'
import type { Step } from './steps'
import { gpuKernelOf, gpuTarget, hasKernel } from './target'

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
  const planned = plan(graph, { fuse: true, target: gpuTarget })
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
  const draft: Draft = [
    ...lowerAll(kernels.slice(0, after), placement, { unless: null, flag, newWord }),
    ...lowerAll(kernels.slice(after), placement, { unless, flag, newWord }),
  ]
  for (const { cell, value, target } of memory.copies) {
    const { address, shape } = placement.operand(value)
    const bytes = BYTES_PER_ELEMENT * sizeOf(shape)
    const to = { buffer: target, offset: 0 }
    const uses = { reads: [...rangesOf(address, bytes), ...stopRange(unless)], writes: rangesOf(to, bytes) }
    emitterTo(draft, `update ${cell.name}`, unless, uses).copy(address, to, bytes)
  }
  return { ...planned, steps: joined(draft), workspaceBytes }
}

function lowerAll(kernels: readonly Kernel[], placement: Placement, run: RunWords): Draft {
  return kernels.flatMap((kernel) => lower(kernel, placement, run))
}

function lower(kernel: Kernel, placement: Placement, run: RunWords): Draft {
  if (kernel instanceof LoopKernel) return lowerLoop(kernel, placement, run, lowerAll)
  const draft: Draft = []
  const emit = emitterTo(draft, labelOf(kernel), run.unless, usesOf(kernel, placement, run))
  if (kernel instanceof ChainKernel) lowerChain(kernel, placement, emit)
  else if (kernel instanceof SingleKernel) lowerSingle(kernel, placement, run.flag, emit)
  return draft
}

/** The bytes that all parts of a kernel use. */
function usesOf(kernel: Kernel, { operand, temporaryOf }: Placement, { unless, flag }: RunWords): Uses {
  const rangesIn = (value: Value): Range[] => rangesOfView(operand(value))
  const temporary = temporaryOf(kernel)
  const own = temporary === null ? [] : rangesOf(temporary, kernel.temporaryBytes)
  const set = hasEffect(kernel.nodes[0]!) ? stopRange(flag) : []
  return {
    reads: [...kernel.reads.flatMap(rangesIn), ...stopRange(unless)],
    writes: [...kernel.writes.flatMap(rangesIn), ...own, ...set],
  }
}

/** The bytes between the first and the last element of a view. */
function rangesOfView({ address, shape, strides }: Operand): Range[] {
  if (sizeOf(shape) === 0) return []
  const steps = strides.map((stride, axis) => stride * (shape[axis]! - 1))
  const low = steps.reduce((sum, step) => sum + Math.min(0, step), 0)
  const high = steps.reduce((sum, step) => sum + Math.max(0, step), 0)
  return rangesOf(offsetBy(address, BYTES_PER_ELEMENT * low), BYTES_PER_ELEMENT * (high - low + 1))
}

/** The bytes of a word that decides whether kernels run. */
const stopRange = (word: Address | null): Range[] => (word === null ? [] : rangesOf(word, BYTES_PER_ELEMENT))

function lowerSingle<Name extends PrimitiveName>(
  kernel: SingleKernel<Name>,
  { operand, temporaryOf }: Placement,
  flag: Word,
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
    emit,
  })
}
