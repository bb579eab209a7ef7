// A program as one WebAssembly module: the kernels that its instructions use, without the code that they cannot reach, and a function
// that calls them in order.
//
//   run   for each instruction of the tape: kernel(address, 0, 1)

import { Loop } from '../../../assembly/shared/instructions'
import { Opcode } from '../../../assembly/shared/opcodes'
import { internalError } from '../../core/errors'
import { bodyOffset, byteLength, type TapeInstruction } from '../../engine/tape/encode'
import type { MemoryImage, Segment } from '../image'
import { signed, sized, unsigned, type Piece } from './bytes'
import { Op } from './code'
import { kernelsFor, type Kernels } from './kernels'
import { moduleOf, type WrittenFunction } from './module'

const PAGE = 65536
const [I32, NO_RESULT] = [0x7f, 0x40]
const [GREATER_OR_EQUAL, ADD] = [0x4e, 0x6a]

/** The bytes of a module without imports. It exports `memory` and `run`. @param data what its memory has besides the tape and its constants */
export function wasmOf(image: MemoryImage, data: readonly Segment[] = []): Uint8Array<ArrayBuffer> {
  const kernels = kernelsFor(image)
  const { functions, globals } = kernels
  const starts = startsOf(kernels)
  return moduleOf({
    functions: [...functions, runOf(image, kernels), ...starts],
    table: kernels.steps,
    pages: Math.ceil(image.byteLength / PAGE),
    data: [...kernels.data, ...image.segments, ...data],
    globals,
    start: starts.length === 0 ? null : functions.length + 1,
    exports: { run: functions.length },
  })
}

/** The function that runs first, if a binary has one. */
export function startsOf({ starts }: Kernels): readonly WrittenFunction[] {
  if (starts.length === 0) return []
  const calls = starts.map((each) => [Op.call, unsigned(each)])
  return [{ type: { parameters: [], results: [] }, code: () => sized([0], calls, Op.end) }]
}

/** The function that runs the tape. */
export function runOf({ instructions, tape }: MemoryImage, kernels: Kernels): WrittenFunction {
  const calls = new Calls(kernels)
  const body = calls.sequence(instructions, tape.address, 0)
  const locals = calls.depth === 0 ? [0] : [1, unsigned(calls.depth), I32]
  return { type: { parameters: [], results: [] }, code: () => sized(locals, body, Op.end) }
}

/** Writes calls of kernels. */
class Calls {
  /** How deep loops are nested. The turn of each depth is a local. */
  depth = 0

  constructor(private readonly kernels: Kernels) {}

  sequence(instructions: readonly TapeInstruction[], start: number, depth: number): Piece[] {
    let address = start
    return instructions.map((instruction) => {
      const at = address
      address += byteLength(instruction)
      const { opcode } = instruction
      if (opcode === Opcode.Loop) return this.loop(instruction, at, depth)
      if (opcode === Opcode.Guard) throw internalError('a prediction has a guard')
      return [number(at), number(0), number(1), Op.call, unsigned(this.kernels.kernelOf(opcode))]
    })
  }

  /** for (turn = 0; turn < count; turn++) { setTurn(loop, turn); body } */
  private loop(instruction: TapeInstruction, at: number, depth: number): Piece {
    this.depth = Math.max(this.depth, depth + 1)
    const turn = unsigned(depth)
    const count = [number(at), Op.i32Load, 2, unsigned(Loop.count)]
    return [
      [number(0), Op.localSet, turn, Op.block, NO_RESULT, Op.loop, NO_RESULT],
      [Op.localGet, turn, count, GREATER_OR_EQUAL, Op.brIf, 1],
      [number(at), Op.localGet, turn, Op.call, unsigned(this.kernels.setTurn())],
      this.sequence(instruction.body ?? [], at + bodyOffset(instruction), depth + 1),
      [Op.localGet, turn, number(1), ADD, Op.localSet, turn, Op.br, 0, Op.end, Op.end],
    ]
  }
}

function number(value: number): Piece {
  return [Op.i32Const, signed(value)]
}
