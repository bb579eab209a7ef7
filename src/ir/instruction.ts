// Instructions before their addresses are known. The byte layout is drawn in assembly/shared/instructions.ts.

import { Header } from '../../assembly/shared/instructions'
import type { Opcode } from '../../assembly/shared/opcodes'
import type { TensorType } from '../core/shapes'

/** A block of bytes that the planner gives a place. */
export interface Buffer {
  readonly id: number
  readonly byteLength: number
}

/** A place inside a buffer. */
export interface Address {
  readonly buffer: Buffer
  /** In bytes. */
  readonly offset: number
}

/** A value as a kernel sees it: where its element 0 lies, and how the others follow. */
export interface Operand extends TensorType {
  readonly address: Address
  /** In elements. */
  readonly strides: readonly number[]
}

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

/** The byte offset of each field of an opcode, by its name. */
export type FieldLayout = Readonly<Record<string, number | string>> & { readonly size: number }

/** One instruction: its opcode, its fields, and the words of its lists. */
export interface Instruction {
  readonly opcode: Opcode
  /** Names the fields for people. */
  readonly layout: FieldLayout
  /** The fixed part behind the header. Every field is one word. */
  readonly fields: readonly Word[]
  readonly fixedBytes: number
  readonly lists: readonly Word[]
}

type FieldName<Layout> = Exclude<keyof Layout, 'size' | number | symbol>

/**
 * Builds an instruction from named fields; tsc checks that every field of the layout is given.
 * @param layout the enum of assembly/shared/instructions.ts that belongs to `opcode`
 */
export function instruction<Layout extends FieldLayout>(
  opcode: Opcode,
  layout: Layout,
  fields: Readonly<Record<FieldName<Layout>, Word>>,
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

/** The address word of a buffer that is not there. */
export const ABSENT = 0
