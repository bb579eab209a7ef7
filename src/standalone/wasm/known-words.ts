// The words of a tape that never change while it runs: all but those that loops patch.

import { Loop, LoopPatch } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { bodyOffset, byteLength, opcodesOf, type TapeInstruction } from '../../engine/tape/encode'
import type { MemoryImage } from '../image'
import type { KnownWord } from './reach'

export function knownWords({ instructions, tape: { address: start, words } }: MemoryImage): KnownWord {
  const wordAt = (address: number): number => words[(address - start) / BYTES_PER_ELEMENT]!
  const patched = new Set<number>()
  const isCounted = opcodesOf(instructions).has(Opcode.SetCount)
  const notePatches = (all: readonly TapeInstruction[], from: number): void => {
    let address = from
    for (const each of all) {
      if (each.opcode === Opcode.Loop) {
        for (let i = 0; i < wordAt(address + Loop.patchCount); i++)
          patched.add(address + wordAt(address + Loop.size + i * LoopPatch.size + LoopPatch.word))
        if (isCounted) patched.add(address + Loop.count)
        notePatches(each.body ?? [], address + bodyOffset(each))
      }
      address += byteLength(each)
    }
  }
  notePatches(instructions, start)
  return (address) => {
    const index = (address - start) / BYTES_PER_ELEMENT
    return index < 0 || index >= words.length || patched.has(address) ? undefined : words[index]
  }
}
