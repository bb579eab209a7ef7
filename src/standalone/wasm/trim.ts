// Writes a function with only the code that can run: see reach.ts. What cannot run is left out; where it would be needed to end a
// block, the instruction `unreachable` stands instead.

import { sized, unsigned, type Piece } from './bytes'
import type { FunctionCode } from './binary'
import { Op, type Code, type Instruction } from './code'
import { Reached } from './reach'

/** Numbers of functions and types in the module that is written. */
export interface Numbers {
  functionOf(index: number): number
  typeOf(index: number): number
  globalOf(index: number): number
}

/** The entry of the code section for a function. */
export function trimmed({ locals }: FunctionCode, code: Code, reached: Uint8Array, numbers: Numbers): Piece {
  return sized(locals, sequence(code.body, reached, numbers), Op.end)
}

function sequence(instructions: readonly Instruction[], reached: Uint8Array, numbers: Numbers): Piece[] {
  const pieces: Piece[] = []
  let last: Instruction | null = null
  for (const instruction of instructions) {
    if (reached[instruction.id] === Reached.No) {
      if (last === null || !ENDS.has(last.op)) pieces.push(Op.unreachable)
      break
    }
    if (dropsValue(instruction, reached) && last !== null && VALUES.has(last.op)) pieces.pop()
    else pieces.push(dropped(instruction, reached))
    pieces.push(...written(instruction, reached, numbers))
    last = instruction
  }
  return pieces
}

/** After these nothing runs. */
const ENDS: ReadonlySet<number> = new Set([Op.unreachable, Op.br, Op.brTable, Op.return])
/** These only give a value. */
const VALUES: ReadonlySet<number> = new Set([Op.localGet, Op.i32Const])

/** Whether the condition of an if or a br_if has only one outcome that does not need it. */
function dropsValue({ op, id }: Instruction, reached: Uint8Array): boolean {
  const [isTrue, isFalse] = [reached[id]! & Reached.IsTrue, reached[id]! & Reached.IsFalse]
  if (op === Op.if) return isTrue === 0 || isFalse === 0
  return op === Op.brIf && isTrue === 0
}

function dropped(instruction: Instruction, reached: Uint8Array): Piece {
  return dropsValue(instruction, reached) ? Op.drop : []
}

function written(instruction: Instruction, reached: Uint8Array, numbers: Numbers): Piece[] {
  const { op, bytes, immediate, body } = instruction
  switch (op) {
    case Op.block:
    case Op.loop:
      return [bytes, ...sequence(body, reached, numbers), Op.end]
    case Op.if:
      return either(instruction, reached, numbers)
    case Op.brIf:
      return dropsValue(instruction, reached) ? [] : [bytes]
    case Op.call:
      return [op, unsigned(numbers.functionOf(immediate))]
    case Op.globalGet:
    case Op.globalSet:
      return [op, unsigned(numbers.globalOf(immediate))]
    case Op.callIndirect:
      return [op, unsigned(numbers.typeOf(immediate)), 0]
  }
  return [bytes]
}

/** An if with one outcome is a block, so that the depths of branches stay. */
function either({ id, bytes, body, otherwise }: Instruction, reached: Uint8Array, numbers: Numbers): Piece[] {
  const isTrue = (reached[id]! & Reached.IsTrue) !== 0
  const isFalse = (reached[id]! & Reached.IsFalse) !== 0
  if (isTrue && isFalse) {
    const second = otherwise.length === 0 ? [] : [Op.else, ...sequence(otherwise, reached, numbers)]
    return [bytes, ...sequence(body, reached, numbers), ...second, Op.end]
  }
  const only = isTrue ? body : otherwise
  if (only.length === 0) return []
  return [Op.block, bytes.subarray(1), ...sequence(only, reached, numbers), Op.end]
}
