// Elementwise nodes of one shape → one Chain instruction: a program over registers that runs tile by tile.
// engine/plan/fuse.ts decides which nodes belong together.

import { Chain, Copy } from '../../../assembly/shared/instructions'
import { Access, Opcode } from '../../../assembly/shared/opcodes'
import { internalError } from '../../core/errors'
import { constantNumber } from '../plan/simplify'
import { ruleOf } from '../primitives'
import type { Node, Value } from '../ir/graph'
import * as Step from '../ir/steps'
import { instruction, type Word } from '../ir/instruction'
import type { Operand } from '../ir/operand'
import { isContiguous } from '../primitives/rule'
import type { PrimitiveName } from '../ir/attributes'
import { asElementwise } from '../primitives/elementwise'
import { broadcastStrides, rowMajorStrides, sizeOf, type Shape } from '../../core/shapes'
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
  if (nodes.length === 1 && stepOf(nodes[0]!) === Step.copy) {
    const outStrides = rowMajorStrides(extents)
    const axes = matrixLast(strides[0]!)
    const lists = axes.flatMap((axis) => [extents[axis]!, strides[0]![axis]!, outStrides[axis]!])
    const out = operand(writes[0]!).address
    emit(instruction(Opcode.Copy, Copy, { out, input: operands[0]!.address, rank: extents.length }, lists))
    return
  }
  const steps = stepsOf(nodes, writes)
  const { words, registerCount, temporaries } = encodeSteps(steps, kernel.operands, writes)
  const lists: Word[] = [...extents]
  let tiled = temporaries
  operands.forEach(({ address }, i) => {
    const access = accessOf(extents, strides[i]!)
    if (access !== Access.Contiguous) tiled++
    lists.push(address, access, ...strides[i]!)
  })
  for (const write of writes) lists.push(operand(write).address)
  lists.push(...words)
  emit({
    ...instruction(
      Opcode.Chain,
      Chain,
      {
        count,
        tile: tileSize(count, tiled, registerCount, nodes.length),
        rank: extents.length,
        operandCount: operands.length,
        outputCount: writes.length,
        stepCount: steps.length,
        registerCount,
        scratch,
      },
      lists,
    ),
    flops: nodes.reduce((sum, node) => sum + flopsOf(node), 0),
  })
}

/**
 * The axes of a copy. The axis along which its operand is contiguous becomes one of the last two, which the kernel
 * transposes.
 */
function matrixLast(strides: readonly number[]): number[] {
  const axes = strides.map((_, axis) => axis)
  const rows = strides.indexOf(1)
  if (rows >= 0 && rows < axes.length - 2) axes.splice(axes.length - 2, 0, ...axes.splice(rows, 1))
  return axes
}

/**
 * The elements of a tile. Without tiles in scratch, a single node runs over all elements at once; a step of two
 * nodes may pass over its tile twice.
 * @param tiled the number of registers that need a tile in scratch
 */
function tileSize(count: number, tiled: number, registers: number, nodes: number): number {
  const whole = (count + 3) & ~3
  if (tiled === 0 && nodes === 1) return whole
  const fitting = Math.floor(TILE_BYTES / 4 / registers / 16) * 16
  return Math.min(whole, Math.max(SMALLEST_TILE, fitting))
}

function accessOf(extents: readonly number[], strides: readonly number[]): Access {
  if (isContiguous(extents, strides)) return Access.Contiguous
  return strides.every((stride) => stride === 0) ? Access.Scalar : Access.Strided
}

/** Removes axes of extent 1, and merges neighbouring axes if one stride per operand is enough for both. */
function collapse(shape: Shape, operands: readonly Operand[]): { extents: number[]; strides: number[][] } {
  const spread = operands.map((operand) => broadcastStrides(operand.shape, operand.strides, shape))
  const extents: number[] = []
  const strides: number[][] = operands.map(() => [])
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis]!
    if (extent === 1) continue
    const last = extents.length - 1
    const joins = last >= 0 && spread.every((from, i) => strides[i]![last] === from[axis]! * extent)
    if (joins) extents[last]! *= extent
    else extents.push(extent)
    spread.forEach((from, i) => (strides[i]![extents.length - 1] = from[axis]!))
  }
  return { extents, strides }
}

interface ChainStep {
  readonly step: number
  readonly inputs: readonly Value[]
  readonly output: Value
}

type Followed = Readonly<Record<number, number>>

/** Steps that a flush of their result can join. */
const TO_FACTOR: Followed = {
  [Step.exp]: Step.expToFactor,
  [Step.softplus]: Step.softplusToFactor,
  [Step.tanhSoftplus]: Step.tanhSoftplusToFactor,
  [Step.gated]: Step.gatedToFactor,
  [Step.relu]: Step.reluToFactor,
  [Step.sigmoid]: Step.sigmoidToFactor,
  [Step.tanh]: Step.tanhToFactor,
  [Step.add]: Step.addToFactor,
  [Step.multiply]: Step.multiplyToFactor,
  [Step.reluGradient]: Step.reluGradientToFactor,
  [Step.tanhGradient]: Step.tanhGradientToFactor,
  [Step.sigmoidGradient]: Step.sigmoidGradientToFactor,
}
const TO_STATE: Followed = { [Step.add]: Step.addToState, [Step.multiply]: Step.multiplyToState }

/** The steps of a chain: one for each node, but two nodes may be one step. */
function stepsOf(nodes: readonly Node[], writes: readonly Value[]): ChainStep[] {
  const steps: ChainStep[] = []
  for (const node of nodes) {
    const [x, ...others] = node.inputs
    const output = node.outputs[0]!
    const last = steps.at(-1)
    const continues =
      last?.output === x && !writes.includes(x!) && nodes.filter(({ inputs }) => inputs.includes(x!)).length === 1
    const joint = continues ? jointStep(last!.step, x!.node!, node) : null
    if (joint === null) steps.push({ step: stepOf(node), inputs: node.inputs, output })
    else steps.push({ step: joint, inputs: [...steps.pop()!.inputs, ...others], output })
  }
  return steps
}

/** One step for `before` and then `node`; null if there is none. */
function jointStep(step: number, before: Node, node: Node): number | null {
  if (node.name === 'flushFactor') return TO_FACTOR[step] ?? null
  if (node.name === 'flushState') return TO_STATE[step] ?? null
  // a maximum and a minimum with two numbers are one clip
  const isClip =
    node.name === 'minimum' && before.name === 'maximum' && isBound(before.inputs[1]!) && isBound(node.inputs[1]!)
  if (!isClip) return null
  return node.outputs[0]!.dtype === 'float32' ? Step.clip : Step.clipI32
}

/** Whether a value is a number that Step.clip can take: neither NaN nor −0. */
function isBound(value: Value): boolean {
  const bound = constantNumber(value) ?? NaN
  return bound < 0 || 1 / bound >= 0
}

/**
 * The words of each ChainStep: { step, target, a, b, c }. Operands and outputs have registers; each temporary takes one, which
 * is reused after its last use.
 */
function encodeSteps(steps: readonly ChainStep[], operands: readonly Value[], writes: readonly Value[]) {
  const registers = new Map<Value, number>()
  for (const value of [...operands, ...writes]) registers.set(value, registers.size)
  const fixed = registers.size
  let registerCount = fixed
  const free: number[] = []
  /** The last step that reads a value. */
  const lastUse = new Map<Value, number>()
  steps.forEach(({ inputs }, i) => inputs.forEach((input) => lastUse.set(input, i)))
  const words = steps.flatMap(({ step, inputs, output }, i) => {
    const [a = 0, b = 0, c = 0] = inputs.map((input) => {
      const register = registers.get(input)
      if (register === undefined) throw internalError('a step reads an empty register')
      return register
    })
    // Element i of every operand is read before element i is written, so the register of a dying operand can be
    // reused.
    for (const input of inputs) {
      const register = registers.get(input) ?? 0
      if (register < fixed || lastUse.get(input) !== i) continue
      registers.delete(input)
      free.push(register)
    }
    const target = registers.get(output) ?? free.pop() ?? registerCount++
    registers.set(output, target)
    return [step, target, a, b, c]
  })
  return { words, registerCount, temporaries: registerCount - fixed }
}

function stepOf<Name extends PrimitiveName>(node: Node<Name>): number {
  return asElementwise(ruleOf(node.name)).step(node.inputs, node.attributes)
}

function flopsOf<Name extends PrimitiveName>({ name }: Node<Name>): number {
  return asElementwise(ruleOf(name)).flops
}
