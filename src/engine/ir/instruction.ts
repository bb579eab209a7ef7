// Instructions before their addresses are known. The byte layout is in assembly/shared/instructions.ts.

import { Header } from '../../../assembly/shared/instructions'
import type { Epilogue, Opcode } from '../../../assembly/shared/opcodes'
import type { Address, Operand } from './operand'

/** A number that is stored as a float32; plain numbers are stored as 32-bit integers. */
export interface FloatWord {
  readonly float: number
}

export type Word = number | FloatWord | Address

function fieldIndex(offset: number): number {
  return (offset - Header.size) / 4
}

/** A field by its byte offset from the start of the instruction. */
export function fieldOf({ fields }: Pick<Instruction, 'fields'>, offset: number): Word | undefined {
  return fields[fieldIndex(offset)]
}

/** The byte offset of each field of an opcode, by name. */
export type FieldLayout = Readonly<Record<string, number | string>> & { readonly size: number }

/** One instruction: its opcode, its fields, and the words of its lists. */
export interface Instruction {
  readonly opcode: Opcode
  /** Names the fields for printing. */
  readonly layout: FieldLayout
  /** The fixed part after the header. Each field is one word. */
  readonly fields: readonly Word[]
  readonly fixedBytes: number
  readonly lists: readonly Word[]
  /** Only for Chain: the floating-point operations per element, as declared by the primitives. */
  readonly flops?: number | undefined
}

type FieldName<Layout> = Exclude<keyof Layout, 'size' | number | symbol>
/** The words of an instruction by the names of its fields. */
export type Fields<Layout> = Readonly<Record<FieldName<Layout>, Word>>

/**
 * Builds an instruction from named fields; tsc checks that every field of the layout is present.
 * @param layout the enum of `opcode` in assembly/shared/instructions.ts
 */
export function instruction<Layout extends FieldLayout>(
  opcode: Opcode,
  layout: Layout,
  fields: Fields<Layout>,
  lists: readonly Word[] = [],
): Instruction {
  const words = new Array<Word>(fieldIndex(layout.size))
  let name: FieldName<Layout>
  for (name in fields) words[fieldIndex(Number(layout[name]))] = fields[name]
  return { opcode, layout, fields: words, fixedBytes: layout.size, lists }
}

export function float(value: number): FloatWord {
  return { float: value }
}

export function isAddress(word: Word): word is Address {
  return typeof word === 'object' && 'buffer' in word
}

/** The address word of an absent buffer. */
export const ABSENT = 0

/** The inputs for lowering a kernel. */
export interface LowerContext<Attributes> {
  readonly inputs: readonly Operand[]
  readonly outputs: readonly Operand[]
  readonly attributes: Attributes
  /** Memory that any kernel may use while it runs: a few hundred KB, shared by all. */
  readonly scratch: Address
  /** The memory that this kernel requested. */
  readonly temporary: Address | null
  /** Whether tiles of 16 columns are faster on this engine: see engine/runtime/wasm/turbo.ts. */
  readonly wideTiles: boolean
  /** Only for kernels that declare `fusesEpilogue`: a row, or with `fusesAddend` a matrix with the size of output 0. */
  readonly bias: Operand | null
  readonly epilogue: Epilogue
  emit(instruction: Instruction): void
}
