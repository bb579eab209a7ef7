// A Kernel is one or more nodes that run as one: the unit that fuse.ts makes, memory.ts places and a device turns into
// code of its own.

import type { Epilogue } from '../../assembly/shared/opcodes'
import type { Graph, Node, Value } from '../ir/graph'
import { titleOf } from '../ir/graph'
import type { Address, Operand } from '../ir/operand'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { Locations } from './locations'
import type { KernelTraits } from './target'

export interface FuseOptions {
  /** false: one kernel per node, for comparison. */
  readonly fuse: boolean
}

/** Where everything lies that kernels work on. */
export interface Placement {
  operand(value: Value): Operand
  readonly scratch: Address
  /** The bytes that a kernel asked for, while it runs. */
  temporaryOf(kernel: Kernel): Address | null
  /** Where one of a kernel's blocks begins. */
  block(block: Block): Address
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
  readonly temporaryBytes: number
  /** Where each operand lies in the result, in elements, when the result is nothing but its operands. */
  readonly places: readonly number[] | null
  readonly blocks?: readonly Block[]
  /** Whether `write` may take over the bytes of `read`, if nothing needs `read` afterwards. */
  mayShare(write: Value, read: Value): boolean
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
  readonly places: readonly number[] | null
  private readonly traits: KernelTraits<PrimitiveAttributes[Name]>

  constructor(
    readonly node: Node<Name>,
    private readonly locations: Locations,
    readonly bias: { readonly node: Node; readonly operand: Value } | null = null,
    readonly activation: { readonly node: Node; readonly epilogue: Epilogue } | null = null,
  ) {
    const nodes: Node[] = [node]
    if (bias !== null) nodes.push(bias.node)
    if (activation !== null) nodes.push(activation.node)
    this.nodes = nodes
    const operands = bias === null ? node.inputs : [...node.inputs, bias.operand]
    this.reads = basesOf(operands, locations)
    this.writes = nodes[nodes.length - 1]!.outputs
    this.traits = locations.target.kernelOf(node.name)
    this.temporaryBytes = this.traits.temporaryBytes?.(node.inputs, node.attributes) ?? 0
    this.places = this.traits.places?.(node.inputs, node.attributes) ?? null
  }

  mayShare(write: Value, read: Value): boolean {
    const pairs = this.traits.inPlace?.(this.node.attributes)
    if (pairs === undefined) return false
    const { inputs } = this.node
    const output = this.writes.indexOf(write)
    const isIt = (operand: Value): boolean => this.locations.baseOf(operand) === read
    const input = inputs.findIndex(isIt)
    return (
      input >= 0 &&
      inputs.findLastIndex(isIt) === input &&
      this.locations.isWhole(inputs[input]!) &&
      pairs.some(([to, from]) => to === output && from === input)
    )
  }
}

/** Says where values lie; each is looked up once. */
export function locatedOnce({ idEnd }: Graph, locate: (value: Value) => Operand): (value: Value) => Operand {
  const known = new Array<Operand>(idEnd)
  return (value) => (known[value.id] ??= locate(value))
}
