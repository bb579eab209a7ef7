// The instructions of a function as a tree: blocks contain theirs. Knows how many operands each takes and gives, not what it computes.

import { internalError } from '../../core/errors'
import { ByteReader } from './bytes'
import type { FunctionType } from './binary'

export const Op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i32Load8S: 0x2c,
  i32Load8U: 0x2d,
  i32Load16S: 0x2e,
  i32Load16U: 0x2f,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
} as const

/** The first bytes of instructions with two. */
const [MORE, SIMD] = [0xfc, 0xfd]

export interface Instruction {
  /** Of an instruction with two: both. */
  readonly op: number
  /** Its number within the function. */
  readonly id: number
  /** As written; of a block, an if or a loop without what it contains. */
  readonly bytes: Uint8Array
  /** The local, global, function, type or depth that it names; a constant; the offset of a load. */
  readonly immediate: number
  /** The depths of a br_table, the default last. */
  readonly depths: readonly number[]
  /** Of a block, a loop, or an if: how many results it has. */
  readonly results: number
  readonly body: readonly Instruction[]
  readonly otherwise: readonly Instruction[]
}

/** The instructions of a function, without its last end, and their number. */
export interface Code {
  readonly body: readonly Instruction[]
  readonly count: number
}

export function decode(body: Uint8Array, types: readonly FunctionType[]): Code {
  const decoder = new Decoder(body, types)
  return { body: decoder.sequence().instructions, count: decoder.count }
}

class Decoder {
  count = 0
  private readonly reader: ByteReader

  constructor(
    bytes: Uint8Array,
    private readonly types: readonly FunctionType[],
  ) {
    this.reader = new ByteReader(bytes)
  }

  /** Up to an end or an else, which is read. */
  sequence(): { instructions: Instruction[]; isElse: boolean } {
    const instructions: Instruction[] = []
    for (;;) {
      const start = this.reader.at
      const op = this.opcode()
      if (op === Op.end || op === Op.else) return { instructions, isElse: op === Op.else }
      instructions.push(this.instruction(op, start))
    }
  }

  private opcode(): number {
    const op = this.reader.byte()
    return op === MORE || op === SIMD ? (op << 12) | this.reader.unsigned() : op
  }

  private instruction(op: number, start: number): Instruction {
    const id = this.count++
    if (op === Op.block || op === Op.loop || op === Op.if) return this.block(op, id, start)
    const depths = op === Op.brTable ? [...this.reader.list(() => this.reader.unsigned()), this.reader.unsigned()] : []
    const immediate = op === Op.brTable ? 0 : this.immediate(op)
    const bytes = this.reader.bytes.subarray(start, this.reader.at)
    return { op, id, bytes, immediate, depths, results: 0, body: [], otherwise: [] }
  }

  private block(op: number, id: number, start: number): Instruction {
    const type = this.reader.signed()
    // −64: no result; other negative numbers: one; else the index of a type
    const results = type >= 0 ? this.types[type]!.results.length : Number(type !== -64)
    if (type >= 0 && this.types[type]!.parameters.length > 0) throw internalError('a block has parameters')
    const bytes = this.reader.bytes.subarray(start, this.reader.at)
    const { instructions: body, isElse } = this.sequence()
    const otherwise = isElse ? this.sequence().instructions : []
    return { op, id, bytes, immediate: 0, depths: [], results, body, otherwise }
  }

  private immediate(op: number): number {
    const { reader } = this
    if (op >= 0x28 && op <= 0x3e) return this.memoryOffset()
    if (op >> 12 === SIMD) return this.simdImmediate(op & 0xfff)
    switch (op) {
      case Op.i32Const:
      case Op.i64Const:
        return reader.signed()
      case Op.f32Const:
        reader.take(4)
        return 0
      case Op.f64Const:
        reader.take(8)
        return 0
      case Op.callIndirect: {
        const type = reader.unsigned()
        reader.unsigned()
        return type
      }
      case Op.br:
      case Op.brIf:
      case Op.call:
      case Op.localGet:
      case Op.localSet:
      case Op.localTee:
      case Op.globalGet:
      case Op.globalSet:
        return reader.unsigned()
    }
    return this.skipIndices(op)
  }

  private skipIndices(op: number): number {
    const count = INDICES.get(op) ?? 0
    for (let i = 0; i < count; i++) this.reader.unsigned()
    return 0
  }

  private memoryOffset(): number {
    this.reader.unsigned()
    return this.reader.unsigned()
  }

  private simdImmediate(op: number): number {
    if (op <= 11 || op === 92 || op === 93) return this.memoryOffset()
    if (op === 12 || op === 13) this.reader.take(16)
    else if (op >= 21 && op <= 34) this.reader.byte()
    else if (op >= 84 && op <= 91) {
      this.memoryOffset()
      this.reader.byte()
    }
    return 0
  }
}

/** The instructions with indices that are not needed: memory.size, memory.grow, memory.copy, memory.fill. */
const INDICES = new Map([
  [0x3f, 1],
  [0x40, 1],
  [(MORE << 12) | 10, 2],
  [(MORE << 12) | 11, 1],
])

/** How many operands an instruction takes and how many results it gives. Blocks, branches and calls are not in this table. */
export function arityOf(op: number): readonly [operands: number, results: number] {
  if (op >> 12 === SIMD) return simdArityOf(op & 0xfff)
  if (op >> 12 === MORE) return (op & 0xfff) < 8 ? [1, 1] : [3, 0]
  if (op === 0x01) return [0, 0]
  if (op === Op.drop || op === Op.localSet || op === Op.globalSet) return [1, 0]
  if (op === Op.select) return [3, 1]
  if (op === Op.localGet || op === 0x3f) return [0, 1]
  if (op === Op.localTee || op === 0x40) return [1, 1]
  if (op >= 0x28 && op <= 0x35) return [1, 1]
  if (op >= 0x36 && op <= 0x3e) return [2, 0]
  if (op >= 0x41 && op <= 0x44) return [0, 1]
  if (op > 0xc4 || op < 0x45) throw internalError(`a binary has the instruction 0x${op.toString(16)}`)
  return UNARY.some(([first, last]) => op >= first && op <= last) ? [1, 1] : [2, 1]
}

/** Ranges of numeric instructions with one operand; the others of 0x45 … 0xc4 have two. */
const UNARY = [
  [0x45, 0x45],
  [0x50, 0x50],
  [0x67, 0x69],
  [0x79, 0x7b],
  [0x8b, 0x91],
  [0x99, 0x9f],
  [0xa7, 0xc4],
] as const

function simdArityOf(op: number): readonly [operands: number, results: number] {
  if (op <= 10 || op === 92 || op === 93) return [1, 1]
  if (op === 11 || (op >= 88 && op <= 91)) return [2, 0]
  if (op === 12) return [0, 1]
  if (op === 82) return [3, 1]
  if (op > 255) throw internalError(`a binary has the relaxed instruction ${op}`)
  return SIMD_UNARY.has(op) ? [1, 1] : [2, 1]
}

/** The SIMD instructions with one operand and one result, besides loads: splats, lanes, and by type abs, neg, tests, roundings, conversions. */
const SIMD_UNARY: ReadonlySet<number> = new Set(
  [
    [15, 16, 17, 18, 19, 20, 21, 22, 24, 25, 27, 29, 31, 33, 77, 83, 94, 95],
    [96, 97, 98, 99, 100, 103, 104, 105, 106, 116, 117, 122, 124, 125, 126, 127],
    [128, 129, 131, 132, 135, 136, 137, 138, 148, 160, 161, 163, 164, 167, 168, 169, 170],
    [192, 193, 195, 196, 199, 200, 201, 202, 224, 225, 227, 236, 237, 239],
    [248, 249, 250, 251, 252, 253, 254, 255],
  ].flat(),
)
