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
import type { Address } from '../ir/operand'
import { bodyOf, isLoop } from '../ir/region'
import { labelOf, type Kernel, type Placement } from '../plan/kernel'
import type { BytesCopy, LoopKernel } from '../plan/loop'
import { ruleOf } from '../primitives'
import { RECORD_BYTES } from './device'
import type { Emitter } from './dispatch'
import { emitterTo, type Step } from './steps'

/** The words that decide whether kernels run. */
export interface RunWords {
  /** If this word is not 0, kernels do nothing; null if they run in any case. */
  readonly unless: Word | null
  /** The word that a guard sets to end the run. */
  readonly flag: Word
  /** A word of memory for a loop with a condition. */
  newWord(): Address
}

type LowerAll = (kernels: readonly Kernel[], placement: Placement, run: RunWords) => Step[]

/** @param lowerAll lowers the kernels of the body */
export function lowerLoop(kernel: LoopKernel, placement: Placement, run: RunWords, lowerAll: LowerAll): Step[] {
  const { length, runs } = kernel.node.attributes
  const label = labelOf(kernel)
  const inside = kernel.placeBody(placement)
  const stop = runs === undefined ? null : run.newWord()
  const unless = stop ?? run.unless
  const body: Step[] = []
  if (stop !== null) emitStop(emitterTo(body, label, null), kernel.conditionIn(inside), stop, run.unless)
  body.push(...lowerAll(kernel.kernels, inside, { ...run, unless }))
  copyAll(kernel.copiesInside(inside), emitterTo(body, label, unless))
  const steps: Step[] = []
  const emit = emitterTo(steps, label, run.unless)
  copyAll(kernel.copiesBefore(placement), emit)
  for (const zeros of kernel.zeroed(placement))
    emit.over(sizeOf(zeros.shape), { fields: { zeros }, body: 'memory[p.zeros + index] = 0u;' })
  steps.push({ loop: kernel.identity, length, body })
  copyAll(kernel.copiesAfter(placement), emit)
  return steps
}

/**
 * Sets the word that stops the kernels of a turn, if its condition is false or the word around the loop is set. If `while`
 * ends, no later turn changes the condition, so the word stays set.
 */
function emitStop(emit: Emitter, condition: Address, stop: Address, around: Word | null): void {
  const own = 'select(1u, 0u, memory[p.condition] != 0u)'
  emit.over(1, {
    fields: { condition, stop, around: around ?? undefined },
    body: `memory[p.stop] = ${around === null ? own : `memory[p.around] | ${own}`};`,
  })
}

function copyAll(copies: readonly BytesCopy[], emit: Emitter): void {
  for (const { from, to, bytes } of copies) emit.copy(from, to, bytes)
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
