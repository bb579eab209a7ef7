// A Kernel is one or more nodes that run as one: the unit that fuse.ts makes, memory.ts places and
// lowering turns into instructions.

import { Epilogue } from '../../assembly/shared/opcodes'
import { ruleOf } from '../primitives'
import type { Graph, Node, Value } from '../ir/graph'
import { titleOf } from '../ir/graph'
import type { Address, Instruction, Operand } from '../ir/instruction'
import type { PrimitiveName } from '../ir/attributes'
import type { Locations } from './legalize'
import type { LoopIdentity } from './memory'
import type { LabelledInstruction } from '../tape/encode'

/** Where everything lies that kernels work on. */
export interface Placement {
  operand(value: Value): Operand
  readonly scratch: Address
  /** The bytes that a kernel asked for, while it runs. */
  temporaryOf(kernel: Kernel): Address | null
  /** Where one of a kernel's blocks begins. */
  block(block: Block): Address
  readonly wideTiles: boolean
}

export interface LowerTarget extends Placement {
  emit(instruction: Instruction): void
  emitLoop(instruction: Instruction, body: readonly LabelledInstruction[], loop: LoopIdentity): void
}

/** Results that must lie in one block, at these bytes from its start. They may overlap. */
export interface Block {
  readonly bytes: number
  readonly parts: ReadonlyMap<Value, number>
}

export interface Kernel {
  readonly nodes: readonly Node[]
  /** The values whose bytes are read, by base, each once. */
  readonly reads: readonly Value[]
  /** The values that are made and needed outside. */
  readonly writes: readonly Value[]
  /** Bytes of its own that a kernel needs while it runs. */
  readonly temporaryBytes?: number
  readonly blocks?: readonly Block[]
  /** Whether `write` may take over the bytes of `read`, if nothing needs `read` afterwards. */
  mayShare(write: Value, read: Value): boolean
  lower(target: LowerTarget): void
}

/** Where values lie, each base once. */
export function basesOf(values: readonly Value[], locations: Locations): readonly Value[] {
  return [...new Set(values.map((value) => locations.baseOf(value)))]
}

/** The name of the layer a kernel works for, and what it does there. */
export function labelOf(kernel: Kernel): string {
  const names = kernel.nodes.map(titleOf).join('+')
  const scope = kernel.nodes[0]!.scope
  return scope === '' ? names : `${scope}: ${names}`
}

/** A node with an instruction of its own, and the bias and activation folded into it. */
export class SingleKernel<Name extends PrimitiveName = PrimitiveName> implements Kernel {
  readonly nodes: readonly Node[]
  readonly reads: readonly Value[]
  readonly writes: readonly Value[]
  readonly temporaryBytes: number

  constructor(
    private readonly node: Node<Name>,
    private readonly locations: Locations,
    private readonly bias: { readonly node: Node; readonly operand: Value } | null = null,
    private readonly activation: { readonly node: Node; readonly epilogue: Epilogue } | null = null,
  ) {
    const nodes: Node[] = [node]
    if (bias !== null) nodes.push(bias.node)
    if (activation !== null) nodes.push(activation.node)
    this.nodes = nodes
    const operands = bias === null ? node.inputs : [...node.inputs, bias.operand]
    this.reads = basesOf(operands, locations)
    this.writes = nodes[nodes.length - 1]!.outputs
    const rule = ruleOf(node.name)
    this.temporaryBytes = rule.kind === 'kernel' ? (rule.temporaryBytes?.(node.inputs, node.attributes) ?? 0) : 0
  }

  mayShare(write: Value, read: Value): boolean {
    const rule = ruleOf(this.node.name)
    if (rule.kind !== 'kernel' || rule.inPlace === undefined) return false
    const { inputs } = this.node
    const output = this.writes.indexOf(write)
    const isIt = (operand: Value): boolean => this.locations.baseOf(operand) === read
    const input = inputs.findIndex(isIt)
    return (
      input >= 0 &&
      inputs.findLastIndex(isIt) === input &&
      this.locations.isWhole(inputs[input]!) &&
      rule.inPlace(this.node.attributes).some(([to, from]) => to === output && from === input)
    )
  }

  lower({ operand, scratch, temporaryOf, wideTiles, emit }: LowerTarget): void {
    const rule = ruleOf(this.node.name)
    if (rule.kind !== 'kernel') return
    rule.lower({
      inputs: this.node.inputs.map(operand),
      outputs: this.writes.map(operand),
      attributes: this.node.attributes,
      scratch,
      temporary: temporaryOf(this),
      wideTiles,
      bias: this.bias && operand(this.bias.operand),
      epilogue: this.activation?.epilogue ?? Epilogue.None,
      emit,
    })
  }
}

const NOTHING: readonly Operand[] = []

/** An instruction of a kernel; what the kernel made is said of its last one. */
interface KernelInstruction extends LabelledInstruction {
  made: readonly Operand[]
}

/** Says where values lie; each is looked up once. */
export function locatedOnce({ idEnd }: Graph, locate: (value: Value) => Operand): (value: Value) => Operand {
  const known = new Array<Operand>(idEnd)
  return (value) => (known[value.id] ??= locate(value))
}

/** Instructions of kernels, in their order. They hold on to nothing of the graph: they live as long as their program. */
export function lowerAll(kernels: readonly Kernel[], placement: Placement): LabelledInstruction[] {
  const result: KernelInstruction[] = []
  let label = ''
  const target: LowerTarget = {
    ...placement,
    emit: ({ opcode, layout, fields, fixedBytes, lists }) =>
      void result.push({ opcode, layout, fields, fixedBytes, lists, label, made: NOTHING }),
    emitLoop: (instruction, body, loop) => void result.push({ ...instruction, label, made: NOTHING, body, loop }),
  }
  kernels.forEach((kernel) => {
    const before = result.length
    label = labelOf(kernel)
    kernel.lower(target)
    if (result.length > before) result[result.length - 1]!.made = kernel.writes.map((write) => placement.operand(write))
  })
  return result
}
