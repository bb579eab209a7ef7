// The instruction of a loop: its body, and the words of it that change in each iteration. If a condition selects the
// iterations, a SetCount reads it: at the end of the body, or before a second Loop inside, which has the body. Both are
// documented in assembly/shared/instructions.ts.

import { Fill, Header, Loop, LoopPatch, SetCount } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { internalError } from '../../core/errors'
import { instruction, isAddress, type Instruction, type Word } from '../ir/instruction'
import { offsetBy, type Address } from '../ir/operand'
import { sizeOf } from '../../core/shapes'
import { labelOf, type Kernel } from '../plan/kernel'
import { LoopKernel, type BytesCopy } from '../plan/loop'
import { isPlaced, type LoopIdentity, type Stream } from '../plan/memory'
import { copyOf, type TapeBuilder } from './builder'
import { bodyOffset, byteLength, instructionOffsets, type LabelledInstruction, type TapeInstruction } from './encode'
import { lowerAll } from './lower'

export function lowerLoop(kernel: Kernel, builder: TapeBuilder): void {
  if (!(kernel instanceof LoopKernel)) throw internalError('a loop was planned as another kernel')
  const { wideTiles } = builder
  const { identity } = kernel
  const { length, runs } = kernel.node.attributes
  const inside = kernel.placeBody(builder)
  const label = labelOf(kernel)
  const labelled = (each: Instruction): LabelledInstruction => ({ ...each, label, made: [] })
  const body = [
    ...lowerAll(kernel.kernels, inside, { wideTiles }),
    ...copies(kernel.copiesInside(inside)).map(labelled),
  ]
  copies(kernel.copiesBefore(builder)).forEach(builder.emit)
  for (const { address, shape } of kernel.zeroed(builder))
    builder.emit(instruction(Opcode.Fill, Fill, { out: address, count: sizeOf(shape), value: 0 }))
  if (runs === undefined) {
    builder.emitLoop(loopOf(body, length, identity), body, identity)
  } else if (runs === 'where') {
    const once = { ...labelled(loopOf(body, 1, null)), body }
    const turn = [labelled(setCount(kernel.conditionIn(inside), 1, SetCount.size)), once]
    builder.emitLoop(loopOf(turn, length, identity), turn, identity)
  } else {
    const again = (distance: number): Instruction => setCount(kernel.conditionIn(inside), length, distance)
    const turn = [...body, labelled(again(0))]
    const loop = loopOf(turn, Math.min(length, EXPECTED), identity)
    const start = body.reduce((sum, each) => sum + byteLength(each), bodyOffset(loop))
    turn[body.length] = labelled(again(-start))
    builder.emit(again(SetCount.size))
    builder.emitLoop(loop, turn, identity)
  }
  copies(kernel.copiesAfter(builder)).forEach(builder.emit)
}

/** The number of iterations until a condition is false, for estimates of work. */
const EXPECTED = 16

function copies(all: readonly BytesCopy[]): Instruction[] {
  return all.filter(({ bytes }) => bytes > 0).map(({ from, to, bytes }) => copyOf(from, to, bytes))
}

/** @param distance the start of the Loop, in bytes from this instruction */
function setCount(when: Address, count: number, distance: number): Instruction {
  return instruction(Opcode.SetCount, SetCount, { when, count, distance })
}

/**
 * The Loop instruction for a body, with the words that change and their addresses.
 * @param loop null if none change
 */
function loopOf(body: readonly LabelledInstruction[], count: number, loop: LoopIdentity | null): Instruction {
  const moved: { readonly at: number; readonly stream: Stream }[] = []
  forEachWord(body, 0, (at, word) => {
    const stream = loop !== null && isAddress(word) ? streamIn(word, loop) : null
    if (stream !== null) moved.push({ at, stream })
  })
  const start = Loop.size + LoopPatch.size * moved.length
  const lists = moved.flatMap(({ at, stream: { first, odd, even, step } }): Word[] => [
    start + at,
    first,
    odd,
    even,
    step,
  ])
  return instruction(Opcode.Loop, Loop, { count, patchCount: moved.length }, lists)
}

/** Visits every word of instructions and of their bodies, with its byte offset from the start of the first. */
function forEachWord(
  instructions: readonly TapeInstruction[],
  start: number,
  visit: (at: number, word: Word) => void,
): void {
  const offsets = instructionOffsets(instructions, start)
  instructions.forEach((each, i) => {
    const at = offsets[i]!
    each.fields.forEach((word, j) => visit(at + Header.size + 4 * j, word))
    each.lists.forEach((word, j) => visit(at + each.fixedBytes + 4 * j, word))
    if (each.body !== undefined) forEachWord(each.body, at + bodyOffset(each), visit)
  })
}

/** The stream of an address in a loop; null if the address does not change in that loop. */
function streamIn(address: Address, loop: LoopIdentity): Stream | null {
  let { buffer, offset } = address
  for (;;) {
    if (!isPlaced(buffer)) return null
    const { home } = buffer
    if (home.kind === 'moving') {
      const { stream } = home
      if (stream.loop !== loop) return null
      const { first, odd, even } = stream
      return { ...stream, first: offsetBy(first, offset), odd: offsetBy(odd, offset), even: offsetBy(even, offset) }
    }
    if (home.kind !== 'inside') return null
    offset += home.at.offset
    buffer = home.at.buffer
  }
}
