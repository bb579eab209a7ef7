// Elementwise nodes of one shape → one Chain instruction: a program over registers that runs tile by tile.
// plan/fuse.ts decides which nodes belong together.

import { Chain, Copy } from '../../assembly/shared/instructions'
import { Access, Opcode, Step } from '../../assembly/shared/opcodes'
import { internalError } from '../core/errors'
import { ruleOf } from '../primitives'
import type { Node, Value } from '../ir/graph'
import type { Word } from '../ir/instruction'
import type { Operand } from '../ir/operand'
import { instruction } from '../ir/instruction'
import { isContiguous } from '../primitives/rule'
import type { PrimitiveName } from '../ir/attributes'
import { asElementwise } from '../primitives/elementwise'
import type { Shape } from '../core/shapes'
import { broadcastStrides, rowMajorStrides, sizeOf } from '../core/shapes'
import type { ChainKernel } from '../plan/chain'
import type { ChainLimits } from '../plan/target'
import type { TapeBuilder } from './builder'

/** The size of all tiles of a chain together, so that they stay in the first-level cache. */
const TILE_BYTES = 24 * 1024
/** The smallest tile, in elements. */
const SMALLEST_TILE = 64
/** Within these limits, a chain's pointer table and tiles fit into 32 KB of scratch. */
export const CHAIN_LIMITS: ChainLimits = { operands: 12, steps: 32, copies: isTransposed }

/** The elements from which on a transposed operand is copied: block by block, in place of one element of each row. */
const TRANSPOSED = 4096

/** Whether neighbours in memory are not neighbours along the last axis. */
function isTransposed(shape: Shape, strides: readonly number[]): boolean {
  if (sizeOf(shape) < TRANSPOSED) return false
  return Math.abs(strides.at(-1)!) > 8 && strides.some((stride, axis) => stride === 1 && shape[axis]! > 8)
}

/**
 * The instruction of a chain. A single copying node becomes a Copy, which moves blocks where a chain would move
 * elements.
 */
export function lowerChain(kernel: ChainKernel, { operand, scratch, emit }: TapeBuilder): void {
  const { nodes, shape, writes } = kernel
  const count = sizeOf(shape)
  if (count === 0) return
  const operands = kernel.operands.map(operand)
  const { extents, strides } = collapse(shape, operands)
  if (nodes.length === 1 && stepOf(nodes[0]!) === Step.Identity) {
    const outStrides = rowMajorStrides(extents)
    const axes = matrixLast(strides[0]!)
    const lists = axes.flatMap((axis) => [extents[axis]!, strides[0]![axis]!, outStrides[axis]!])
    const out = operand(writes[0]!).address
    emit(instruction(Opcode.Copy, Copy, { out, input: operands[0]!.address, rank: extents.length }, lists))
    return
  }
  const registers = new Registers(nodes, kernel.operands, writes)
  const steps: number[] = []
  nodes.forEach((node, i) => encodeStep(node, i, registers, steps))
  const lists: Word[] = [...extents]
  let tiled = registers.temporaries
  operands.forEach(({ address }, i) => {
    const access = accessOf(extents, strides[i]!)
    if (access !== Access.Contiguous) tiled++
    lists.push(address, access, ...strides[i]!)
  })
  for (const write of writes) lists.push(operand(write).address)
  lists.push(...steps)
  emit({
    ...instruction(
      Opcode.Chain,
      Chain,
      {
        count,
        tile: tileSize(count, tiled, registers.count, nodes.length),
        rank: extents.length,
        operandCount: operands.length,
        outputCount: writes.length,
        stepCount: nodes.length,
        registerCount: registers.count,
        scratch,
      },
      lists,
    ),
    flops: nodes.reduce((sum, node) => sum + flopsOf(node), 0),
  })
}

/** The axes of a copy, with that along which its operand is contiguous among the last two: the kernel transposes these. */
function matrixLast(strides: readonly number[]): number[] {
  const axes = strides.map((_, axis) => axis)
  const rows = strides.indexOf(1)
  if (rows >= 0 && rows < axes.length - 2) axes.splice(axes.length - 2, 0, ...axes.splice(rows, 1))
  return axes
}

/**
 * The elements of a tile. Without tiles in scratch, a single step runs over all elements at once.
 * @param tiled the number of registers that need a tile in scratch
 */
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

/** Removes axes of extent 1, and merges neighbouring axes if one stride per operand is enough for both. */
function collapse(shape: Shape, operands: readonly Operand[]): { extents: number[]; strides: number[][] } {
  const own = operands.map((operand) => broadcastStrides(operand.shape, operand.strides, shape))
  const extents: number[] = []
  const strides: number[][] = operands.map(() => [])
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis]!
    if (extent === 1) continue
    const last = extents.length - 1
    let joins = last >= 0
    for (let i = 0; joins && i < own.length; i++) joins = strides[i]![last] === own[i]![axis]! * extent
    if (joins) extents[last]! *= extent
    else extents.push(extent)
    for (let i = 0; i < own.length; i++) strides[i]![extents.length - 1] = own[i]![axis]!
  }
  return { extents, strides }
}

const NONE = -1

/** The registers of operands, outputs and temporaries. A temporary's register is reused after its last use. */
class Registers {
  /** For the operands, then for each node's result: its register, and the last node that reads it. */
  private readonly registers: number[]
  private readonly lastUse: number[]
  private readonly fixed: number
  private readonly free: number[] = []
  count: number

  constructor(
    private readonly nodes: readonly Node[],
    private readonly operands: readonly Value[],
    writes: readonly Value[],
  ) {
    const values = operands.length + nodes.length
    this.registers = new Array<number>(values).fill(NONE)
    this.lastUse = new Array<number>(values).fill(NONE)
    this.fixed = this.count = operands.length + writes.length
    operands.forEach((_, i) => (this.registers[i] = i))
    writes.forEach((write, i) => (this.registers[this.indexOf(write)] = operands.length + i))
    nodes.forEach((node, i) => {
      for (let j = 0; j < node.inputs.length; j++) this.lastUse[this.indexOf(node.inputs[j]!)] = i
    })
  }

  private indexOf(value: Value): number {
    const maker = value.node === null ? NONE : this.nodes.indexOf(value.node)
    return maker === NONE ? this.operands.indexOf(value) : this.operands.length + maker
  }

  get temporaries(): number {
    return this.count - this.fixed
  }

  get(value: Value): number {
    const number = this.registers[this.indexOf(value)] ?? NONE
    if (number === NONE) throw internalError('a chain step reads a register that was not written')
    return number
  }

  define(value: Value): number {
    const index = this.indexOf(value)
    if (this.registers[index] === NONE) this.registers[index] = this.free.pop() ?? this.count++
    return this.registers[index]!
  }

  /** Frees the register of a temporary if node `at` is its last reader. */
  release(value: Value, at: number): void {
    const index = this.indexOf(value)
    const number = this.registers[index]!
    if (number < this.fixed || this.lastUse[index] !== at) return
    this.registers[index] = NONE
    this.free.push(number)
  }
}

function stepOf<Name extends PrimitiveName>(node: Node<Name>): Step {
  return asElementwise(ruleOf(node.name)).step(node.inputs, node.attributes)
}

function flopsOf<Name extends PrimitiveName>({ name }: Node<Name>): number {
  return asElementwise(ruleOf(name)).flops
}

// Appends { step, target, a, b, c }: the words of a ChainStep.
function encodeStep<Name extends PrimitiveName>(
  node: Node<Name>,
  at: number,
  registers: Registers,
  words: number[],
): void {
  const { inputs } = node
  const operand = (i: number): number => (i < inputs.length ? registers.get(inputs[i]!) : 0)
  const a = operand(0)
  const b = operand(1)
  const c = operand(2)
  // Element i of every operand is read before element i is written, so the register of a dying operand can be
  // reused.
  for (let i = 0; i < inputs.length; i++) registers.release(inputs[i]!, at)
  words.push(stepOf(node), registers.define(node.outputs[0]!), a, b, c)
}
