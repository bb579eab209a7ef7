// Instructions ⇄ words: encode resolves symbolic addresses, disassemble prints a tape with the layer's name
// on every instruction. The byte layout is drawn in assembly/shared/instructions.ts.

import * as layouts from '../../assembly/shared/instructions'
import { END_OF_TAPE, Header } from '../../assembly/shared/instructions'
import { Opcode, Step } from '../../assembly/shared/opcodes'
import type { Address, Instruction, Word } from '../ir/instruction'
import { isAddress } from '../ir/instruction'

/** An instruction as several threads run it. */
export interface SharedInstruction extends Instruction {
  /** Default 1. */
  readonly parts?: number
  /** Whether all threads meet before it. Default false. */
  readonly meets?: boolean
}

export interface LabelledInstruction extends SharedInstruction {
  /** `dense_1: matmul+add+relu` */
  readonly label: string
}

export function byteLength(instruction: Instruction): number {
  return instruction.fixedBytes + 4 * instruction.lists.length
}

/** Bytes of a whole tape, its end marker included. */
export function tapeBytes(instructions: readonly Instruction[]): number {
  return instructions.reduce((sum, instruction) => sum + byteLength(instruction), 4)
}

/** The byte offset of each instruction from the start of its tape. */
export function instructionOffsets(instructions: readonly Instruction[]): number[] {
  let at = 0
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
  let at = 0
  for (const instruction of instructions) {
    put((at + Header.opcode) / 4, instruction.opcode)
    bytes[at + Header.moreParts] = (instruction.parts ?? 1) - 1
    bytes[at + Header.meet] = Number(instruction.meets ?? false)
    put((at + Header.byteLength) / 4, byteLength(instruction))
    for (const [offset, word] of instruction.fields) put((at + offset) / 4, word)
    instruction.lists.forEach((word, i) => put((at + instruction.fixedBytes) / 4 + i, word))
    at += byteLength(instruction)
  }
  words[at / 4] = END_OF_TAPE
  return words
}

type FieldLayout = Readonly<Record<string, number | string>>

/** The field names of an opcode; opcodes and layouts share their names. */
function layoutOf(opcode: Opcode): FieldLayout {
  const all: Readonly<Record<string, unknown>> = layouts
  const layout = all[Opcode[opcode]]
  return typeof layout === 'object' && layout !== null ? Object.fromEntries(Object.entries(layout)) : {}
}

function printWord(word: Word, describe: (address: Address) => string): string {
  if (typeof word === 'number') return String(word)
  return isAddress(word) ? describe(word) : String(word.float)
}

/**
 * One line per instruction: offset, opcode, label, fields. Chains list their steps below. `|` stands where threads
 * meet, ×4 where four have a part.
 * @param describe names an address, such as `dense/kernel` or `work+128`
 */
export function disassemble(
  instructions: readonly LabelledInstruction[],
  describe: (address: Address) => string,
): string {
  const offsets = instructionOffsets(instructions)
  return instructions
    .map((instruction, i) => {
      const fields = Object.entries(layoutOf(instruction.opcode))
        .filter(([name, offset]) => typeof offset === 'number' && name !== 'size')
        .map(([name, offset]) => [name, instruction.fields.get(Number(offset))] as const)
        .map(([name, word]) => (word === undefined ? '' : `${name}=${printWord(word, describe)}`))
      const { opcode, parts = 1, meets = false } = instruction
      const share = parts > 1 ? ` ×${parts}` : ''
      const head = `${String(offsets[i]).padStart(5)} ${meets ? '|' : ' '}${Opcode[opcode]!.padEnd(10)} ${instruction.label}${share}`
      return [head, `         ${fields.join(' ')}`, ...listLines(instruction, describe)].join('\n')
    })
    .join('\n')
}

function listLines(instruction: Instruction, describe: (address: Address) => string): string[] {
  const words = instruction.lists.map((word) => printWord(word, describe))
  if (words.length === 0) return []
  if (instruction.opcode !== Opcode.Chain) return [`         ${words.join(' ')}`]
  const number = (field: layouts.Chain): number => Number(instruction.fields.get(field))
  const stepWords = layouts.ChainStep.size / 4
  const steps = words.length - stepWords * number(layouts.Chain.stepCount)
  const lines = [`         ${words.slice(0, steps).join(' ')}`]
  for (let at = steps; at < words.length; at += stepWords) {
    const [step, target, a, b, c] = words.slice(at, at + stepWords)
    lines.push(`           r${target} = ${Step[Number(step)]} r${a} r${b} r${c}`)
  }
  return lines
}
