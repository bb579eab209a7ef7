// Loops on the GPU: the body is lowered once, and its dispatches run in every turn with the addresses of that turn.
//
// A turn that a condition excludes runs too, but its kernels return immediately: before each turn, a kernel sets a word that
// stops them. So the host needs no answer from the device, and a loop always has the same number of dispatches.
//
// A loop whose rows are independent of each other is one kernel instead: see scan.ts.

import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { sizeOf } from '../../core/shapes'
import type { Node } from '../ir/graph'
import type { Address } from '../ir/operand'
import { bodyOf, isLoop } from '../ir/region'
import { labelOf, type Kernel, type Placement } from '../plan/kernel'
import type { BytesCopy, LoopKernel } from '../plan/loop'
import { ruleOf } from '../primitives'
import { emitterTo, joined, type Draft } from './join'
import type { GpuContext, RunWords } from './kernel'
import { scanOf } from './scan'
import type { LoopStep } from './steps'
import { rangesOf, rangesOfWord } from './ranges'
import { usesOf, usesOfCopy, type Placed } from './uses'

/** How kernels are lowered. */
export interface Lowering extends RunWords, Pick<GpuContext<unknown>, 'isByRow'> {
  /** A word of memory for a loop with a condition. */
  newWord(): Address
}

type LowerAll = (kernels: readonly Kernel[], placement: Placement, how: Lowering) => Draft

/** @param lowerAll lowers the kernels of the body */
export function lowerLoop(kernel: LoopKernel, placement: Placement, how: Lowering, lowerAll: LowerAll): Draft {
  const draft: Draft = []
  const label = labelOf(kernel)
  const { unless } = how
  copyAll(kernel.copiesBefore(placement), label, unless, draft)
  for (const zeros of kernel.zeroed(placement)) {
    const size = sizeOf(zeros.shape)
    const uses = { reads: rangesOfWord(unless), writes: rangesOf(zeros.address, BYTES_PER_ELEMENT * size) }
    emitterTo(draft, label, unless, uses).over(size, { fields: { zeros }, body: 'memory[p.zeros + index] = 0u;' })
  }
  draft.push(...(scanned(kernel, placement, how, lowerAll) ?? [turnByTurn(kernel, placement, how, lowerAll)]))
  copyAll(kernel.copiesAfter(placement), label, unless, draft)
  return draft
}

/** A loop as one kernel; null if it is not one. */
function scanned(kernel: LoopKernel, placement: Placement, how: Lowering, lowerAll: LowerAll): Draft | null {
  const { rows, identity, node } = kernel
  if (rows === null) return null
  const body = lowerAll(kernel.kernels, kernel.placeBody(placement), { ...how, isByRow: true })
  const pieces = body.filter((each): each is Placed => !('loop' in each))
  const text = scanOf(identity, node.attributes.length, rows, pieces)
  if (text === null) return null
  const draft: Draft = []
  emitterTo(draft, labelOf(kernel), how.unless, usesOf(kernel, placement, how)).groups(rows, text)
  return draft
}

/** A loop whose kernels are dispatched in every turn. */
function turnByTurn(kernel: LoopKernel, placement: Placement, how: Lowering, lowerAll: LowerAll): LoopStep {
  const { length, runs } = kernel.node.attributes
  const inside = kernel.placeBody(placement)
  const label = labelOf(kernel)
  const stop = runs === undefined ? null : how.newWord()
  const unless = stop ?? how.unless
  const body: Draft = []
  if (stop !== null) emitStop(body, label, kernel.conditionIn(inside), stop, how.unless)
  body.push(...lowerAll(kernel.kernels, inside, { ...how, unless }))
  copyAll(kernel.copiesInside(inside), label, unless, body)
  return { loop: kernel.identity, length, body: joined(body) }
}

/**
 * Sets the word that stops the kernels of a turn, if its condition is false or the word around the loop is set. If `while`
 * ends, no later turn changes the condition, so the word stays set.
 */
function emitStop(draft: Draft, label: string, condition: Address, stop: Address, around: Address | null): void {
  const own = 'select(1u, 0u, memory[p.condition] != 0u)'
  emitterTo(draft, label, null, usesOfCopy(condition, stop, BYTES_PER_ELEMENT, around)).over(1, {
    fields: { condition, stop, around: around ?? undefined },
    body: `memory[p.stop] = ${around === null ? own : `memory[p.around] | ${own}`};`,
  })
}

function copyAll(copies: readonly BytesCopy[], label: string, unless: Address | null, draft: Draft): void {
  for (const { from, to, bytes } of copies)
    emitterTo(draft, label, unless, usesOfCopy(from, to, bytes, unless)).copy(from, to, bytes)
}

/** The most turns of a loop that runs while a condition is true: all of them are dispatched. */
const MOST_TURNS = 4096
const MOST_RECORD_BYTES = 2 ** 26
/** The usual bytes of a record. */
const RECORD_BYTES = 512

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
