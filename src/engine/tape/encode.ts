// Instructions → words, with symbolic addresses resolved. The byte layout is in assembly/shared/instructions.ts;
// disassemble.ts prints instructions.

import { END_OF_TAPE, Header } from '../../../assembly/shared/instructions'
import type { Opcode } from '../../../assembly/shared/opcodes'
import { isAddress, type Instruction, type Word } from '../ir/instruction'
import type { Address, Operand } from '../ir/operand'
import type { LoopIdentity } from '../plan/memory'

/** An instruction; for a Loop also its body, which follows its lists. */
export interface TapeInstruction extends Instruction {
  readonly body?: readonly TapeInstruction[] | undefined
}

/** An instruction shared by several threads. */
export interface SharedInstruction extends TapeInstruction {
  /** Default 1. */
  readonly parts?: number
  /** Whether all threads synchronize before it. Default false. */
  readonly meets?: boolean
  readonly body?: readonly SharedInstruction[] | undefined
}

export interface LabelledInstruction extends SharedInstruction {
  /** `dense_1: matmul+add+relu` */
  readonly label: string
  /** Set on the last instruction of a kernel: the results of the kernel. */
  readonly made: readonly Operand[]
  /** Set on a Loop: identifies it in the streams of its body. */
  readonly loop?: LoopIdentity | undefined
  readonly body?: readonly LabelledInstruction[] | undefined
}

export function byteLength(instruction: TapeInstruction): number {
  let bytes = bodyOffset(instruction)
  if (instruction.body !== undefined) for (const each of instruction.body) bytes += byteLength(each)
  return bytes
}

/** The opcodes on a tape, including those inside loops. */
export function opcodesOf(instructions: readonly TapeInstruction[], found = new Set<Opcode>()): ReadonlySet<Opcode> {
  for (const { opcode, body } of instructions) {
    found.add(opcode)
    if (body !== undefined) opcodesOf(body, found)
  }
  return found
}

/** The number of bytes of a whole tape, including its end mark. */
export function tapeBytes(instructions: readonly TapeInstruction[]): number {
  return instructions.reduce((sum, instruction) => sum + byteLength(instruction), 4)
}

/** The offset of a Loop's body, in bytes from the start of the Loop. */
export function bodyOffset({ fixedBytes, lists }: Instruction): number {
  return fixedBytes + 4 * lists.length
}

/** The byte offset of each instruction from the start of its tape; that of the first is `start`. */
export function instructionOffsets(instructions: readonly TapeInstruction[], start = 0): number[] {
  let at = start
  return instructions.map((instruction) => {
    const offset = at
    at += byteLength(instruction)
    return offset
  })
}

/** The words of a tape. `resolve` turns a symbolic address into one in linear memory. */
export function encode(instructions: readonly SharedInstruction[], resolve: (address: Address) => number): Int32Array {
  const words = new Int32Array(tapeBytes(instructions) / 4)
  const floats = new Float32Array(words.buffer)
  const bytes = new Uint8Array(words.buffer)
  const put = (index: number, word: Word): void => {
    if (typeof word === 'number') words[index] = word
    else if (isAddress(word)) words[index] = resolve(word)
    else floats[index] = word.float
  }
  const write = (all: readonly SharedInstruction[], start: number): number => {
    let at = start
    for (const instruction of all) {
      put((at + Header.opcode) / 4, instruction.opcode)
      bytes[at + Header.moreParts] = (instruction.parts ?? 1) - 1
      bytes[at + Header.meet] = Number(instruction.meets ?? false)
      put((at + Header.byteLength) / 4, byteLength(instruction))
      let index = (at + Header.size) / 4
      const { fields, lists } = instruction
      for (let i = 0; i < fields.length; i++) put(index++, fields[i]!)
      for (let i = 0; i < lists.length; i++) put(index++, lists[i]!)
      at += bodyOffset(instruction)
      if (instruction.body !== undefined) at = write(instruction.body, at)
    }
    return at
  }
  const end = write(instructions, 0)
  words[end / 4] = END_OF_TAPE
  return words
}
