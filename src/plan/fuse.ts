// Decides which nodes run as one kernel, and in which order. Fuses what the primitives declare: chains of
// elementwise nodes of one shape, and a bias and an activation behind a matrix product. Moves no data.

import { internalError } from '../core/errors'
import { ruleOf } from '../primitives'
import type { Graph, Node, Value } from '../ir/graph'
import { results } from '../ir/graph'
import { sameShape, sizeOf } from '../core/shapes'
import { ChainKernel, MAX_CHAIN_OPERANDS, MAX_CHAIN_STEPS } from './chain'
import type { Kernel } from './kernel'
import { SingleKernel } from './kernel'
import type { Locations } from './legalize'

/** Elements up to which unrelated chains of one shape share an instruction: dispatch outweighs the work. */
const SMALL_CHAIN = 256

export interface FuseOptions {
  /** false: one kernel per node, for comparison. */
  readonly fuse: boolean
}

/** Kernels in an order in which every value is made before it is read. */
export function fuse(graph: Graph, locations: Locations, { fuse: enabled }: FuseOptions): Kernel[] {
  const users = countUsers(graph)
  const absorbed = new Map<Node, SingleKernel>()
  const placed: { position: number; kernel: Kernel }[] = []
  const chains = new OpenChains(locations, users, enabled)
  graph.nodes.forEach((node, position) => {
    const kernel = absorbed.get(node)
    if (kernel !== undefined) {
      chains.close(node)
      if (kernel.nodes[kernel.nodes.length - 1] === node) placed.push({ position, kernel })
      return
    }
    const rule = ruleOf(node.name)
    if (rule.kind === 'elementwise') return chains.add(node, position)
    if (rule.kind !== 'kernel') return
    chains.close(node)
    const isFree = (follower: Node): boolean => !absorbed.has(follower)
    const single = enabled && rule.fusesEpilogue === true ? withEpilogue(node, users, locations, isFree) : new SingleKernel(node, locations)
    for (const follower of single.nodes.slice(1)) absorbed.set(follower, single)
    if (single.nodes.length === 1) placed.push({ position, kernel: single })
  })
  placed.push(...chains.finish())
  return placed.sort((a, b) => a.position - b.position).map(({ kernel }) => kernel)
}

interface Users {
  /** The nodes that read a value, directly. */
  of(value: Value): readonly Node[]
  isResult(value: Value): boolean
}

function countUsers(graph: Graph): Users {
  const readers = new Map<Value, Node[]>()
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs)) {
      const list = readers.get(input)
      if (list === undefined) readers.set(input, [node])
      else list.push(node)
    }
  }
  const wanted = new Set(results(graph))
  return { of: (value) => readers.get(value) ?? [], isResult: (value) => wanted.has(value) }
}

/** The only node that reads `value`, if nothing else needs it. */
function soleUser(value: Value, users: Users): Node | null {
  const readers = users.of(value)
  return readers.length === 1 && !users.isResult(value) ? readers[0]! : null
}

/** @param isFree whether a node is not part of another kernel: the sum of two products can be the bias of one only */
function withEpilogue(node: Node, users: Users, locations: Locations, isFree: (follower: Node) => boolean): SingleKernel {
  let last: Value = node.outputs[0]!
  let next = soleUser(last, users)
  let bias: { node: Node; operand: Value } | null = null
  if (next !== null && isFree(next)) {
    const operand = biasOperand(next, last, locations)
    if (operand !== null) {
      bias = { node: next, operand }
      last = next.outputs[0]!
      next = soleUser(last, users)
    }
  }
  const rule = next && ruleOf(next.name)
  const epilogue = rule?.kind === 'elementwise' ? rule.epilogue : undefined
  const activation = next !== null && epilogue !== undefined ? { node: next, epilogue } : null
  return new SingleKernel(node, locations, bias, activation)
}

/** The row vector that `node` adds to every row of `product`. */
function biasOperand(node: Node, product: Value, locations: Locations): Value | null {
  const rule = ruleOf(node.name)
  if (rule.kind !== 'elementwise' || rule.bias !== true || !sameShape(node.outputs[0]!.shape, product.shape)) return null
  const other = node.inputs[0] === product ? node.inputs[1]! : node.inputs[0]!
  const columns = product.shape[product.shape.length - 1]!
  const isRow = sizeOf(other.shape) === columns && other.shape[other.shape.length - 1] === columns
  return isRow && other !== product && other.dtype === 'float32' && locations.isContiguous(other) ? other : null
}

interface OpenChain {
  readonly nodes: Node[]
  readonly made: Set<Value>
  readonly operands: Set<Value>
  last: number
}

/**
 * Chains that may still grow. A chain runs where its last node stands, so it can take in a node as long as
 * nothing outside has read one of its values yet: then no operand can depend on it, and no reader comes
 * before it.
 */
class OpenChains {
  private open: OpenChain[] = []
  private readonly closed: OpenChain[] = []

  constructor(
    private readonly locations: Locations,
    private readonly users: Users,
    private readonly enabled: boolean,
  ) {}

  add(node: Node, position: number): void {
    const output = node.outputs[0]!
    const home = this.enabled ? this.open.find((chain) => this.joins(chain, node)) : undefined
    this.close(node, home)
    const chain = home ?? { nodes: [], made: new Set<Value>(), operands: new Set<Value>(), last: position }
    if (home === undefined) this.open.push(chain)
    for (const input of node.inputs) if (!chain.made.has(input)) chain.operands.add(input)
    chain.nodes.push(node)
    chain.made.add(output)
    chain.last = position
  }

  private joins(chain: OpenChain, node: Node): boolean {
    const output = node.outputs[0]!
    if (!sameShape(chain.nodes[0]!.outputs[0]!.shape, output.shape)) return false
    const operands = new Set([...chain.operands, ...node.inputs.filter((input) => !chain.made.has(input))])
    // Seen through a view, a value of the chain is not yet there when the chain reads it.
    const throughView = node.inputs.some((input) => !chain.made.has(input) && chain.made.has(this.locations.of(input).base))
    const related = node.inputs.some((input) => chain.made.has(input) || chain.operands.has(input))
    return (
      !throughView &&
      (related || sizeOf(output.shape) <= SMALL_CHAIN) &&
      operands.size <= MAX_CHAIN_OPERANDS &&
      chain.nodes.length < MAX_CHAIN_STEPS
    )
  }

  /** Closes every chain, but `except`, whose values `node` reads, itself or through a view. */
  close(node: Node, except?: OpenChain): void {
    const bases = node.inputs.map((input) => this.locations.of(input).base)
    const staying: OpenChain[] = []
    for (const chain of this.open) {
      if (chain !== except && bases.some((base) => chain.made.has(base))) this.closed.push(chain)
      else staying.push(chain)
    }
    this.open = staying
  }

  finish(): { position: number; kernel: Kernel }[] {
    const chains = [...this.closed, ...this.open]
    return chains.map((chain) => ({ position: chain.last, kernel: this.build(chain) }))
  }

  private build({ nodes, made }: OpenChain): Kernel {
    const needed = (value: Value): boolean =>
      this.users.isResult(value) || this.users.of(value).some((user) => !made.has(user.outputs[0]!))
    const writes = nodes.map((node) => node.outputs[0]!).filter(needed)
    if (writes.length === 0) throw internalError('a chain that nothing needs')
    return new ChainKernel(nodes, writes, this.locations)
  }
}
