// The instruction of a loop: its body, and the words of it that change in each iteration. Loop is documented in
// assembly/shared/instructions.ts.

import { Header, Loop, LoopPatch } from '../../assembly/shared/instructions'
import { Opcode } from '../../assembly/shared/opcodes'
import { internalError } from '../core/errors'
import type { Instruction, Word } from '../ir/instruction'
import { instruction, isAddress } from '../ir/instruction'
import type { Address } from '../ir/operand'
import type { Kernel } from '../plan/kernel'
import type { BytesCopy } from '../plan/loop'
import { LoopKernel, offsetBy } from '../plan/loop'
import type { LoopIdentity, PlacedBuffer, Stream } from '../plan/memory'
import type { TapeBuilder } from './builder'
import { copyOf } from './builder'
import type { LabelledInstruction, TapeInstruction } from './encode'
import { bodyOffset, instructionOffsets } from './encode'
import { lowerAll } from './lower'

export function lowerLoop(kernel: Kernel, builder: TapeBuilder): void {
  if (!(kernel instanceof LoopKernel)) throw internalError('a loop was planned as another kernel')
  const { wideTiles } = builder
  const body = lowerAll(kernel.kernels, kernel.placeBody(builder), { wideTiles })
  const copy = ({ from, to, bytes }: BytesCopy): void => {
    if (bytes > 0) builder.emit(copyOf(from, to, bytes))
  }
  kernel.copiesBefore(builder).forEach(copy)
  builder.emitLoop(loopOf(body, kernel.node.attributes.length, kernel.identity), body, kernel.identity)
  kernel.copiesAfter(builder).forEach(copy)
}

/** The Loop instruction for a body, with the words that change and their addresses. */
function loopOf(body: readonly LabelledInstruction[], count: number, loop: LoopIdentity): Instruction {
  const moved: { readonly at: number; readonly stream: Stream }[] = []
  forEachWord(body, 0, (at, word) => {
    const stream = isAddress(word) ? streamIn(word, loop) : null
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

function isPlaced(buffer: Address['buffer']): buffer is PlacedBuffer {
  return 'home' in buffer
}
