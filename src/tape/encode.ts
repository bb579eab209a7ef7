// Instructions ⇄ words: encode resolves symbolic addresses; disassemble prints a tape with the layer's name on
// every instruction. The byte layout is in assembly/shared/instructions.ts.

import { Chain, ChainStep, END_OF_TAPE, Header, LoopPatch } from '../../assembly/shared/instructions'
import { Opcode, Step } from '../../assembly/shared/opcodes'
import type { Instruction, Word } from '../ir/instruction'
import type { Address, Operand } from '../ir/operand'
import { fieldOf, isAddress } from '../ir/instruction'
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

/** The name of a value of an enum. */
function nameIn(names: Readonly<Record<string, number | string>>, number: number): string {
  return Object.keys(names).find((name) => names[name] === number)!
}

function printWord(word: Word, describe: (address: Address) => string): string {
  if (typeof word === 'number') return String(word)
  return isAddress(word) ? describe(word) : String(word.float)
}

/**
 * Prints one line per instruction: offset, opcode, label, fields. Chains list their steps below, loops their patches and
 * their body. `|` marks where threads synchronize, ×4 an instruction with four parts.
 * @param describe names an address, such as `dense/kernel` or `work+128`
 */
export function disassemble(
  instructions: readonly LabelledInstruction[],
  describe: (address: Address) => string,
  start = 0,
): string {
  const offsets = instructionOffsets(instructions, start)
  return instructions.map((instruction, i) => disassembleOne(instruction, describe, offsets[i]!)).join('\n')
}

function disassembleOne(instruction: LabelledInstruction, describe: (address: Address) => string, at: number): string {
  const fields = Object.entries(instruction.layout)
    .filter(([name, offset]) => typeof offset === 'number' && name !== 'size')
    .map(([name, offset]) => [name, fieldOf(instruction, Number(offset))] as const)
    .map(([name, word]) => (word === undefined ? '' : `${name}=${printWord(word, describe)}`))
  const { opcode, parts = 1, meets = false, body } = instruction
  const share = parts > 1 ? ` ×${parts}` : ''
  const head = `${String(at).padStart(5)} ${meets ? '|' : ' '}${nameIn(Opcode, opcode).padEnd(10)} ${instruction.label}${share}`
  const lines = [head, `         ${fields.join(' ')}`, ...listLines(instruction, describe)]
  if (body === undefined) return lines.join('\n')
  const inside = disassemble(body, describe, at + bodyOffset(instruction)).replaceAll(/^/gm, '    ')
  return [...lines, inside].join('\n')
}

function listLines(instruction: Instruction, describe: (address: Address) => string): string[] {
  const words = instruction.lists.map((word) => printWord(word, describe))
  if (words.length === 0) return []
  if (instruction.opcode === Opcode.Loop) return patchLines(words)
  if (instruction.opcode !== Opcode.Chain) return [`         ${words.join(' ')}`]
  const number = (field: Chain): number => Number(fieldOf(instruction, field))
  const stepWords = ChainStep.size / 4
  const steps = words.length - stepWords * number(Chain.stepCount)
  const lines = [`         ${words.slice(0, steps).join(' ')}`]
  for (let at = steps; at < words.length; at += stepWords) {
    const [step, target, a, b, c] = words.slice(at, at + stepWords)
    lines.push(`           r${target} = ${nameIn(Step, Number(step))} r${a} r${b} r${c}`)
  }
  return lines
}

/**
 * `+44: work+0, then work+128, advancing by 256`, or with two alternating buffers
 * `work+0, then alternately work+128 and work+640`
 */
function patchLines(words: readonly string[]): string[] {
  const patchWords = LoopPatch.size / 4
  return Array.from({ length: words.length / patchWords }, (_, i) => {
    const [word, first, odd, even, step] = words.slice(i * patchWords, (i + 1) * patchWords)
    const later =
      Number(step) === 0 ? `then alternately ${odd} and ${even}` : `then ${odd}, advancing by ${Number(step) / 2}`
    return `         +${word}: ${first}, ${later}`
  })
}
