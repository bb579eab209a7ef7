// Elementwise nodes of one shape → one Chain instruction: a program over registers, run tile by tile. A node that only
// copies becomes a Copy.
// Which nodes go together is decided in fuse.ts.

import { Chain, Copy } from '../../assembly/shared/instructions'
import { Access, Opcode, Step } from '../../assembly/shared/opcodes'
import { internalError } from '../core/errors'
import { ruleOf } from '../primitives'
import type { Node, Value } from '../ir/graph'
import type { Operand, Word } from '../ir/instruction'
import { instruction } from '../ir/instruction'
import { isContiguous } from '../primitives/rule'
import type { PrimitiveName } from '../primitives/attributes'
import { asElementwise } from '../primitives/elementwise'
import type { Shape } from '../core/shapes'
import { broadcastStrides, rowMajorStrides, sizeOf } from '../core/shapes'
import type { Kernel, LowerTarget } from './kernel'
import type { Locations } from './legalize'

/** Bytes of tiles that should stay in the first-level cache. */
const TILE_BYTES = 24 * 1024
/** A tile never holds fewer elements than this. */
const SMALLEST_TILE = 64
/** With these limits a chain's pointer table and tiles fit into 32 KB of scratch. */
export const MAX_CHAIN_OPERANDS = 12
export const MAX_CHAIN_STEPS = 32
export class ChainKernel implements Kernel {
  readonly reads: ReadonlySet<Value>
  private readonly operands: readonly Value[]
  /** The last node that reads a value, by its index. */
  private readonly lastUse = new Map<Value, number>()

  constructor(
    readonly nodes: readonly Node[],
    /** The results that are needed outside, in order of the nodes. */
    readonly writes: readonly Value[],
    private readonly locations: Locations,
  ) {
    const made = new Set<Value>()
    const operands = new Set<Value>()
    nodes.forEach((node, i) => {
      for (const input of node.inputs) {
        if (!made.has(input)) operands.add(input)
        this.lastUse.set(input, i)
      }
      made.add(node.outputs[0]!)
    })
    this.operands = [...operands]
    this.reads = new Set(this.operands.map((value) => locations.of(value).base))
  }

  /** Nothing is computed: then it is a Copy, which moves blocks where a chain would move elements. */
  private get onlyCopies(): boolean {
    return this.nodes.length === 1 && stepOf(this.nodes[0]!) === Step.Identity
  }

  private get shape(): Shape {
    return this.nodes[0]!.outputs[0]!.shape
  }

  // Safe when every read of the bytes is at the element that is written, and no later step reads them.
  mayShare(write: Value, read: Value): boolean {
    const users = this.operands.filter((operand) => this.locations.of(operand).base === read)
    const aligned = users.every(
      (operand) => this.locations.isWhole(operand) && sizeOf(operand.shape) === sizeOf(this.shape),
    )
    const written = this.nodes.findIndex((node) => node.outputs[0] === write)
    return aligned && users.every((user) => this.lastUse.get(user)! <= written)
  }

  lower({ operand, scratch, emit }: LowerTarget): void {
    const shape = this.shape
    const count = sizeOf(shape)
    if (count === 0) return
    const operands = this.operands.map(operand)
    const { extents, strides } = collapse(shape, operands)
    if (this.onlyCopies) {
      const outStrides = rowMajorStrides(extents)
      const lists = extents.flatMap((extent, axis) => [extent, strides[0]![axis]!, outStrides[axis]!])
      const out = operand(this.writes[0]!).address
      emit(instruction(Opcode.Copy, Copy, { out, input: operands[0]!.address, rank: extents.length }, lists))
      return
    }
    const registers = new Registers(this.operands, this.writes)
    const steps = this.nodes.flatMap((node, i) => encodeStep(node, (input) => this.lastUse.get(input) === i, registers))
    const accesses = strides.map((own) => accessOf(extents, own))
    const tiled = accesses.filter((access) => access !== Access.Contiguous).length + registers.temporaries
    emit(
      instruction(
        Opcode.Chain,
        Chain,
        {
          count,
          tile: tileSize(count, tiled, registers.count, this.nodes.length),
          rank: extents.length,
          operandCount: operands.length,
          outputCount: this.writes.length,
          stepCount: this.nodes.length,
          registerCount: registers.count,
          scratch,
        },
        [
          ...extents,
          ...operands.flatMap(({ address }, i): Word[] => [address, accesses[i]!, ...strides[i]!]),
          ...this.writes.map((write) => operand(write).address),
          ...steps,
        ],
      ),
    )
  }
}

function tileSize(count: number, tiled: number, registers: number, steps: number): number {
  const whole = roundUp(count, 4)
  if (tiled === 0 && steps === 1) return whole
  const fitting = Math.floor(TILE_BYTES / 4 / registers / 16) * 16
  return Math.min(whole, Math.max(SMALLEST_TILE, fitting))
}

function roundUp(x: number, multiple: number): number {
  return Math.ceil(x / multiple) * multiple
}

function accessOf(extents: readonly number[], strides: readonly number[]): Access {
  if (isContiguous(extents, strides)) return Access.Contiguous
  return strides.every((stride) => stride === 0) ? Access.Scalar : Access.Strided
}

/** Drops extents of 1 and merges neighbouring axes that every operand steps through as one. */
function collapse(shape: Shape, operands: readonly Operand[]): { extents: number[]; strides: number[][] } {
  const own = operands.map((operand) => broadcastStrides(operand.shape, operand.strides, shape))
  const extents: number[] = []
  const strides: number[][] = operands.map(() => [])
  shape.forEach((extent, axis) => {
    if (extent === 1) return
    const last = extents.length - 1
    const joins = last >= 0 && own.every((each, i) => strides[i]![last] === each[axis]! * extent)
    if (joins) extents[last]! *= extent
    else extents.push(extent)
    own.forEach((each, i) => (strides[i]![extents.length - 1] = each[axis]!))
  })
  return { extents, strides }
}

/** Numbers for operands, outputs and temporaries; a temporary's number is free again after its last use. */
class Registers {
  private readonly fixed = new Map<Value, number>()
  private readonly temporary = new Map<Value, number>()
  private readonly free: number[] = []
  count: number

  constructor(operands: readonly Value[], outputs: readonly Value[]) {
    for (const value of [...operands, ...outputs]) this.fixed.set(value, this.fixed.size)
    this.count = this.fixed.size
  }

  get temporaries(): number {
    return this.count - this.fixed.size
  }

  get(value: Value): number {
    const number = this.fixed.get(value) ?? this.temporary.get(value)
    if (number === undefined) throw internalError('a chain step reads a register that was not written')
    return number
  }

  define(value: Value): number {
    const known = this.fixed.get(value)
    if (known !== undefined) return known
    const number = this.free.pop() ?? this.count++
    this.temporary.set(value, number)
    return number
  }

  release(value: Value): void {
    const number = this.temporary.get(value)
    if (number === undefined) return
    this.temporary.delete(value)
    this.free.push(number)
  }
}

function stepOf<Name extends PrimitiveName>(node: Node<Name>): Step {
  return asElementwise(ruleOf(node.name)).step(node.inputs, node.attributes)
}

// { step, target, a, b, c }: the words of a ChainStep
function encodeStep<Name extends PrimitiveName>(
  node: Node<Name>,
  diesHere: (input: Value) => boolean,
  registers: Registers,
): number[] {
  const [a = 0, b = 0, c = 0] = node.inputs.map((input) => registers.get(input))
  // Element i of every operand is read before element i is written, so a dying operand's register can serve.
  for (const input of node.inputs) if (diesHere(input)) registers.release(input)
  return [stepOf(node), registers.define(node.outputs[0]!), a, b, c]
}
