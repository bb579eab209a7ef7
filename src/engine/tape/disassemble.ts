// Prints a tape with the layer's name on every instruction. Only `disassemble` of models reads it, so that other pages
// contain no names of opcodes.

import { Chain, ChainStep, LoopPatch } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import * as steps from '../ir/steps'
import { fieldOf, isAddress, type Instruction, type Word } from '../ir/instruction'
import type { Address } from '../ir/operand'
import { bodyOffset, instructionOffsets, type LabelledInstruction } from './encode'

/** The name of a number. */
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
  const first = words.length - stepWords * number(Chain.stepCount)
  const lines = [`         ${words.slice(0, first).join(' ')}`]
  for (let at = first; at < words.length; at += stepWords) {
    const [step, target, a, b, c] = words.slice(at, at + stepWords)
    const name = nameIn(steps, Number(step)).replace(/^./, (letter) => letter.toUpperCase())
    lines.push(`           r${target} = ${name} r${a} r${b} r${c}`)
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
