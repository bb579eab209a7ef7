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

/** The fixed part of an instruction behind its header. Every field is one word. */
export class Fields {
  constructor(
    /** In the order of their offsets. */
    readonly words: readonly Word[],
  ) {}

  /** The word at a byte offset from the start of the instruction. */
  get(offset: number): Word | undefined {
    return this.words[fieldIndex(offset)]
  }

  /** The byte offsets of all fields. */
  keys(): number[] {
    return this.words.map((_, index) => Header.size + 4 * index)
  }

  *[Symbol.iterator](): Generator<readonly [offset: number, word: Word]> {
    for (const offset of this.keys()) yield [offset, this.get(offset)!]
  }
}

function fieldIndex(offset: number): number {
  return (offset - Header.size) / 4
}

/** The byte offset of each field of an opcode, by its name. */
export type FieldLayout = Readonly<Record<string, number | string>> & { readonly size: number }

/** One instruction: its opcode, its fields, and the words of its lists. */
export interface Instruction {
  readonly opcode: Opcode
  /** Names the fields for people. */
  readonly layout: FieldLayout
  readonly fields: Fields
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
  return { opcode, layout, fields: new Fields(words), fixedBytes: layout.size, lists }
}

export function float(value: number): FloatWord {
  return { float: value }
}

export function isAddress(word: Word): word is Address {
  return typeof word === 'object' && 'buffer' in word
}

/** The address word of a buffer that is not there. */
export const ABSENT = 0
