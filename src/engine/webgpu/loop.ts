// Loops on the GPU: the body is lowered once, and its dispatches run in every turn with the addresses of that turn.
//
// A turn that a condition excludes runs too, but its kernels return immediately: before each turn, a kernel sets a word that
// stops them. So the host needs no answer from the device, and a loop always has the same number of dispatches.
//
// A single dispatch for all turns would need:
// - a barrier between the kernels of a turn. WGSL has barriers only inside a workgroup, so the workgroups must be independent: each
//   computes some rows of the carries in all turns. The planner must find the loops whose kernels allow this: products of rows with
//   captured matrices, and chains whose operands have the same rows or are captured;
// - kernels as WGSL functions of their rows instead of complete modules, with their workgroup memory and the number of threads
//   as parameters;
// - a record with the first, odd and even address and the step of each stream (`Stream`), instead of a record for each turn.

import { sizeOf } from '../../core/shapes'
import type { Node } from '../ir/graph'
import type { Word } from '../ir/instruction'
import type { Address, Operand } from '../ir/operand'
import { bodyOf, isLoop } from '../ir/region'
import { labelOf, type Kernel, type Placement } from '../plan/kernel'
import type { BytesCopy, LoopKernel } from '../plan/loop'
import { ruleOf } from '../primitives'
import { RECORD_BYTES } from './device'
import { copyOf, kernelOver, type Dispatch } from './dispatch'
import type { GpuContext } from './kernel'
import type { LabelledDispatch, Step } from './steps'

/** The words that decide whether kernels run. */
export interface RunWords extends Pick<GpuContext<unknown>, 'unless' | 'flag'> {
  /** A word of memory for a loop with a condition. */
  newWord(): Address
}

type LowerAll = (kernels: readonly Kernel[], placement: Placement, run: RunWords) => Step[]

/** @param lowerAll lowers the kernels of the body */
export function lowerLoop(kernel: LoopKernel, placement: Placement, run: RunWords, lowerAll: LowerAll): Step[] {
  const { length, runs } = kernel.node.attributes
  const label = labelOf(kernel)
  const labelled = (dispatches: readonly Dispatch[]): LabelledDispatch[] =>
    dispatches.map((each) => ({ ...each, label }))
  const inside = kernel.placeBody(placement)
  const stop = runs === undefined ? null : run.newWord()
  const unless = stop ?? run.unless
  const body = [
    ...labelled(stop === null ? [] : [stopUnless(kernel.conditionIn(inside), stop, run.unless)]),
    ...lowerAll(kernel.kernels, inside, { ...run, unless }),
    ...labelled(copies(kernel.copiesInside(inside), unless)),
  ]
  return [
    ...labelled(copies(kernel.copiesBefore(placement), run.unless)),
    ...labelled(kernel.zeroed(placement).map((operand) => zeros(operand, run.unless))),
    { loop: kernel.identity, length, body },
    ...labelled(copies(kernel.copiesAfter(placement), run.unless)),
  ]
}

/**
 * Sets the word that stops the kernels of a turn, if its condition is false or the word around the loop is set. If `while`
 * ends, no later turn changes the condition, so the word stays set.
 */
function stopUnless(condition: Address, stop: Address, around: Word | null): Dispatch {
  const own = 'select(1u, 0u, memory[p.condition] != 0u)'
  return kernelOver(1, {
    fields: { condition, stop, ...(around === null ? {} : { around }) },
    body: `memory[p.stop] = ${around === null ? own : `memory[p.around] | ${own}`};`,
    unless: null,
  })
}

function copies(all: readonly BytesCopy[], unless: Word | null): Dispatch[] {
  return all.filter(({ bytes }) => bytes > 0).map(({ from, to, bytes }) => copyOf(from, to, bytes, unless))
}

/** Fills a contiguous operand with zeros. */
function zeros({ address, shape }: Operand, unless: Word | null): Dispatch {
  return kernelOver(sizeOf(shape), { fields: { to: address }, body: 'memory[p.to + index] = 0u;', unless })
}

/** The most turns of a loop that runs while a condition is true: all of them are dispatched. */
const MOST_TURNS = 4096
const MOST_RECORD_BYTES = 2 ** 26

/** Whether the turns of a loop may be too many to dispatch all. */
export function isEndless({ attributes: { runs, length } }: Node<'loop'>): boolean {
  return runs === 'while' && length > MOST_TURNS
}

/** The longest loop, in words, if the records of a graph need too much memory; else null. */
export function tooLongIn(nodes: readonly Node[]): string | null {
  if (RECORD_BYTES * recordsOf(nodes) <= MOST_RECORD_BYTES) return null
  const loops = nodes.filter(isLoop)
  const longest = Math.max(...loops.map(recordsOfNode))
  const found = loops.find((loop) => recordsOfNode(loop) === longest)
  return found === undefined ? null : `loop of ${found.attributes.length} turns`
}

/** The number of records before fusion. */
function recordsOf(nodes: readonly Node[]): number {
  return nodes.reduce((sum, node) => sum + recordsOfNode(node), 0)
}

function recordsOfNode(node: Node): number {
  if (isLoop(node)) {
    const { length, runs, carries } = node.attributes
    return length * (recordsOf(bodyOf(node).nodes) + (runs === undefined ? 0 : 1 + carries))
  }
  const { kind } = ruleOf(node.name)
  return kind === 'kernel' || kind === 'elementwise' ? 1 : 0
}
