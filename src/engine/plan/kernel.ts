// A Kernel is one or more nodes that run as one: fuse.ts creates it, memory.ts places its values, and a device
// generates its code.

import type { Epilogue } from '../../../assembly/shared/opcodes'
import { titleOf, type Graph, type Node, type Value } from '../ir/graph'
import type { Address, Operand } from '../ir/operand'
import type { PrimitiveAttributes, PrimitiveName } from '../ir/attributes'
import type { Legal, Locations } from './locations'
import type { KernelTraits } from './target'

export interface FuseOptions {
  /** false: one kernel per node, for comparison. */
  readonly fuse: boolean
  /** The rows of a loop that the device computes apart, each in all iterations; null if it does not. Default: no loop has such rows. */
  readonly rowsOf?: (node: Node<'loop'>, body: Legal, kernels: readonly Kernel[]) => number | null
}

/** The locations of everything that kernels use. */
export interface Placement {
  operand(value: Value): Operand
  readonly scratch: Address
  /** The memory that a kernel requested for its run. */
  temporaryOf(kernel: Kernel): Address | null
  /** The start of one of a kernel's blocks. */
  block(block: JointResults): Address
}

/** Results that must be in one block, at these byte offsets. They may overlap. */
export interface JointResults {
  readonly bytes: number
  readonly parts: ReadonlyMap<Value, number>
}

export interface Kernel {
  readonly nodes: readonly Node[]
  /** The values whose bytes are read, as bases, without duplicates. */
  readonly reads: readonly Value[]
  /** The computed values that are used outside. */
  readonly writes: readonly Value[]
  /** The number of bytes that the kernel needs while it runs. */
  readonly temporaryBytes: number
  /**
   * The offset in the result, in elements, of each operand, if the kernel only concatenates its operands; else
   * null.
   */
  readonly places: readonly number[] | null
  readonly blocks?: readonly JointResults[]
  /** Whether `write` may take over the bytes of `read`, if nothing reads `read` afterwards. */
  mayShare(write: Value, read: Value): boolean
}

/** The bases of values, without duplicates. */
export function basesOf(values: readonly Value[], locations: Locations): readonly Value[] {
  return [...new Set(values.map((value) => locations.baseOf(value)))]
}

/** The scope of the kernel's layer, and the titles of its nodes. */
export function labelOf(kernel: Kernel): string {
  const names = kernel.nodes.map(titleOf).join('+')
  const scope = kernel.nodes[0]!.scope
  return scope === '' ? names : `${scope}: ${names}`
}

/** The nodes that an epilogue computes. */
export interface Activation {
  readonly nodes: readonly Node[]
  readonly epilogue: Epilogue
}

/** A node that becomes an instruction, and the bias and activation fused into it. */
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
    readonly activation: Activation | null = null,
  ) {
    const nodes: Node[] = [node]
    if (bias !== null) nodes.push(bias.node)
    if (activation !== null) nodes.push(...activation.nodes)
    this.nodes = nodes
    const operands = bias === null ? node.inputs : [...node.inputs, bias.operand]
    this.reads = basesOf(operands, locations)
    this.writes = nodes[nodes.length - 1]!.outputs
    this.traits = locations.target.kernelOf(node.name)
    this.temporaryBytes = this.traits.temporaryBytes?.(node.inputs, node.attributes) ?? 0
    this.places = this.traits.places?.(node.inputs, node.attributes) ?? null
  }

  mayShare(write: Value, read: Value): boolean {
    const { inputs } = this.node
    const isIt = (operand: Value): boolean => this.locations.baseOf(operand) === read
    if (this.bias !== null && isIt(this.bias.operand))
      return this.traits.fusesAddend === true && this.locations.isWhole(this.bias.operand) && !inputs.some(isIt)
    const pairs = this.traits.inPlace?.(this.node.attributes)
    if (pairs === undefined) return false
    const output = this.writes.indexOf(write)
    const input = inputs.findIndex(isIt)
    return (
      input >= 0 &&
      inputs.findLastIndex(isIt) === input &&
      this.locations.isWhole(inputs[input]!) &&
      pairs.some(([to, from]) => to === output && from === input)
    )
  }
}

/** Caches the locations of values. */
export function locatedOnce({ idEnd }: Graph, locate: (value: Value) => Operand): (value: Value) => Operand {
  const known = new Array<Operand>(idEnd)
  return (value) => (known[value.id] ??= locate(value))
}
