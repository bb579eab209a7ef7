// The context for lowering kernels: the locations of values, and the list of instructions.

import { Copy } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { BYTES_PER_ELEMENT } from '../../core/dtypes'
import { instruction, type Instruction } from '../ir/instruction'
import type { Address } from '../ir/operand'
import type { Placement } from '../plan/kernel'
import type { LoopIdentity } from '../plan/memory'
import type { LabelledInstruction } from './encode'

export interface LowerOptions {
  /** Whether products use tiles of 16 columns: see engine/runtime/wasm/turbo.ts. The results are the same, bit for bit. */
  readonly wideTiles: boolean
}

export interface TapeBuilder extends Placement, LowerOptions {
  emit(instruction: Instruction): void
  emitLoop(instruction: Instruction, body: readonly LabelledInstruction[], loop: LoopIdentity): void
}

/** A Copy of consecutive words. */
export function copyOf(input: Address, out: Address, bytes: number): Instruction {
  return instruction(Opcode.Copy, Copy, { out, input, rank: 1 }, [bytes / BYTES_PER_ELEMENT, 1, 1])
}
