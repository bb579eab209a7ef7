// Decides which nodes run as one kernel, and in which order kernels run. Fuses elementwise nodes of one shape to chains,
// and a bias and an activation into the matrix product before them, as far as primitives and target declare it. A sum of
// products becomes products that accumulate: each adds the result of another one.

import { internalError } from '../../core/errors'
import { ruleOf } from '../primitives'
import { results, type Graph, type Node, type Value } from '../ir/graph'
import { isLoop, passesOf } from '../ir/region'
import { LoopPlanning } from './loops'
import { sameShape, sizeOf } from '../../core/shapes'
import { ChainKernel } from './chain'
import { SingleKernel, type Activation, type FuseOptions, type Kernel } from './kernel'
import { copiesForChain } from './legalize'
import type { Locations } from './locations'
import type { ChainLimits } from './target'

/**
 * Up to this many elements, a node joins an unrelated chain of its shape, because dispatching another instruction costs
 * more than the work.
 */
const SMALL_CHAIN = 256

/** Kernels in an order in which every value is computed before it is read. */
export function fuse(graph: Graph, locations: Locations, options: FuseOptions): Kernel[] {
  const enabled = options.fuse
  const users = countUsers(graph)
  /** Indexed by the id of a node's result: the kernel that an earlier node started and that absorbed this node. */
  const absorbed = new Array<SingleKernel>(graph.idEnd)
  /** Kernels by the position of their last node. */
  const placed = new Array<Kernel>(graph.nodes.length)
  const chains = new OpenChains(graph, locations, users, enabled)
  graph.nodes.forEach((node, position) => {
    const kernel = homeIn(absorbed, node)
    if (kernel !== undefined) {
      chains.close(node)
      if (kernel.nodes[kernel.nodes.length - 1] === node) placed[position] = kernel
      return
    }
    const rule = ruleOf(node.name)
    if (rule.kind === 'elementwise') return chains.add(node, position)
    if (isLoop(node)) {
      chains.close(node)
      placed[position] = passesOf(node, LoopPlanning).kernel(node, locations, options)
      return
    }
    if (rule.kind !== 'kernel') return
    chains.close(node)
    const isFree = (follower: Node): boolean => homeIn(absorbed, follower) === undefined
    const single =
      enabled && locations.target.kernelOf(node.name).fusesEpilogue === true
        ? withEpilogue(node, users, locations, isFree)
        : new SingleKernel(node, locations)
    const { nodes } = single
    for (let i = 1; i < nodes.length; i++) absorbed[nodes[i]!.outputs[0]!.id] = single
    if (nodes.length === 1) placed[position] = single
  })
  chains.finish(placed)
  // Skips the positions where no kernel ends.
  return placed.filter(() => true)
}

function homeIn(absorbed: readonly SingleKernel[], { outputs }: Node): SingleKernel | undefined {
  return outputs.length === 0 ? undefined : absorbed[outputs[0]!.id]
}

const NOBODY: readonly Node[] = []

interface Users {
  /** The nodes that read a value directly. */
  of(value: Value): readonly Node[]
  isResult(value: Value): boolean
}

function countUsers(graph: Graph): Users {
  const readers = new Array<Node[]>(graph.idEnd)
  graph.nodes.forEach((node) => {
    const { inputs } = node
    for (let i = 0; i < inputs.length; i++) if (inputs.indexOf(inputs[i]!) === i) append(readers, inputs[i]!.id, node)
  })
  const wanted = new Uint8Array(graph.idEnd)
  for (const value of results(graph)) wanted[value.id] = 1
  return { of: (value) => readers[value.id] ?? NOBODY, isResult: (value) => wanted[value.id] === 1 }
}

/** A use of a kernel's result: the node, and its operand, which is the result or a view of all its bytes in order. */
interface Use {
  readonly node: Node
  readonly operand: Value
}

/** The only use of `value`, if there are no others. A reshape does not count: the kernel's result is read with another shape. */
function soleUse(value: Value, users: Users, locations: Locations): Use | null {
  const readers = users.of(value)
  if (readers.length !== 1 || users.isResult(value)) return null
  const node = readers[0]!
  const isView = ruleOf(node.name).kind === 'view' && locations.isWhole(node.outputs[0]!)
  return isView ? soleUse(node.outputs[0]!, users, locations) : { node, operand: value }
}

/**
 * A kernel with the bias and the activation that follow `node`, if there are any.
 * @param isFree whether a node is not part of another kernel: the sum of two products can be the bias of only one
 */
function withEpilogue(
  node: Node,
  users: Users,
  locations: Locations,
  isFree: (follower: Node) => boolean,
): SingleKernel {
  let next = soleUse(node.outputs[0]!, users, locations)
  let bias: { node: Node; operand: Value } | null = null
  if (next !== null && isFree(next.node)) {
    const operand = biasOperand(next, node.outputs[0]!, locations)
    if (operand !== null) {
      bias = { node: next.node, operand }
      next = soleUse(next.node.outputs[0]!, users, locations)
    }
  }
  return new SingleKernel(node, locations, bias, activationIn(next, users, locations))
}

/** The activation in a use of a product, and what follows it if a kernel applies both at once. */
function activationIn(use: Use | null, users: Users, locations: Locations): Activation | null {
  const rule = use && ruleOf(use.node.name)
  const epilogue = rule?.kind === 'elementwise' ? rule.epilogue : undefined
  if (use === null || epilogue === undefined) return null
  const after = soleUse(use.node.outputs[0]!, users, locations)
  const follower = after && ruleOf(after.node.name)
  const joint = follower?.kind === 'elementwise' ? follower.epilogueAfter?.(epilogue) : null
  return joint == null ? { nodes: [use.node], epilogue } : { nodes: [use.node, after!.node], epilogue: joint }
}

/**
 * The operand that a node adds to `product`, which it reads as `operand`, if the kernel of the product can add it: one row for
 * all rows, or a matrix of the same size. null if it cannot.
 */
function biasOperand({ node, operand }: Use, product: Value, locations: Locations): Value | null {
  const rule = ruleOf(node.name)
  const { shape } = operand
  if (rule.kind !== 'elementwise' || rule.bias !== true || !sameShape(node.outputs[0]!.shape, shape)) return null
  const other = node.inputs[0] === operand ? node.inputs[1]! : node.inputs[0]!
  const first = other.shape.findIndex((extent) => extent !== 1)
  const rest = other.shape.slice(first)
  const isRow =
    sizeOf(rest) === product.shape[product.shape.length - 1]! &&
    sameShape(rest, shape.slice(shape.length - rest.length))
  const fits = isRow || (fusesAddend(product, locations) && sameShape(other.shape, shape))
  return fits && other !== operand && other.dtype === 'float32' && locations.isContiguous(other) ? other : null
}

function fusesAddend({ node }: Value, { target }: Locations): boolean {
  return node !== null && target.kernelOf(node.name).fusesAddend === true
}

const NO_CHAINS: readonly OpenChain[] = []

interface OpenChain {
  /** The order in which chains were opened; the first that a node can join takes it. */
  readonly order: number
  readonly nodes: Node[]
  /** The values read from outside, without duplicates. */
  readonly operands: Value[]
  last: number
  isOpen: boolean
}

/**
 * Chains that can still grow. A chain runs at the position of its last node, so it can absorb a node as long as
 * nothing outside has read one of its values: then no operand can depend on the chain, and no reader runs
 * before it. Open chains are found by the values that they compute and read, and by their shape.
 */
class OpenChains {
  private readonly all: OpenChain[] = []
  /** Indexed by the id of a value: the chain that computes it, and those that read it. */
  private readonly makers: OpenChain[]
  private readonly readers: OpenChain[][]
  /** Small chains that an unrelated node may join. */
  private readonly small = new Map<string, OpenChain[]>()
  private readonly limits: ChainLimits

  constructor(
    { idEnd }: Graph,
    private readonly locations: Locations,
    private readonly users: Users,
    private readonly enabled: boolean,
  ) {
    this.limits = locations.target.chain
    this.makers = new Array<OpenChain>(idEnd)
    this.readers = new Array<OpenChain[]>(idEnd)
  }

  add(node: Node, position: number): void {
    // In a chain with others, a copy of a transposed value would not be made block by block.
    const isApart = node.name === 'copy' && copiesForChain(node.inputs[0]!, this.locations)
    const home = this.enabled && !isApart ? this.homeOf(node) : null
    this.close(node, home)
    const chain = home ?? this.begin(node)
    for (let i = 0; i < node.inputs.length; i++) {
      const input = node.inputs[i]!
      if (this.makers[input.id] === chain || chain.operands.includes(input)) continue
      chain.operands.push(input)
      append(this.readers, input.id, chain)
    }
    chain.nodes.push(node)
    this.makers[node.outputs[0]!.id] = chain
    chain.last = position
    if (isApart) chain.isOpen = false
  }

  private begin(node: Node): OpenChain {
    const chain: OpenChain = { order: this.all.length, nodes: [], operands: [], last: 0, isOpen: true }
    this.all.push(chain)
    const { shape } = node.outputs[0]!
    if (this.enabled && sizeOf(shape) <= SMALL_CHAIN) {
      const key = shape.join()
      const known = this.small.get(key)
      if (known === undefined) this.small.set(key, [chain])
      else known.push(chain)
    }
    return chain
  }

  /** The first open chain that can absorb `node`; null if there is none. */
  private homeOf(node: Node): OpenChain | null {
    const { shape } = node.outputs[0]!
    let home: OpenChain | null = null
    const offer = (chain: OpenChain | undefined): void => {
      if (chain?.isOpen === true && (home === null || chain.order < home.order) && this.joins(chain, node)) home = chain
    }
    for (let i = 0; i < node.inputs.length; i++) {
      const { id } = node.inputs[i]!
      offer(this.makers[id])
      this.onlyOpen(this.readers, id).forEach(offer)
    }
    if (sizeOf(shape) <= SMALL_CHAIN) {
      const candidates = this.small.get(shape.join()) ?? []
      // Related chains were tried already, so a full one is not a candidate.
      const roomy = candidates.filter(
        ({ isOpen, nodes, operands }) =>
          isOpen && nodes.length < this.limits.steps && operands.length < this.limits.operands,
      )
      if (roomy.length < candidates.length) this.small.set(shape.join(), roomy)
      for (const chain of roomy) offer(chain)
    }
    return home
  }

  private joins(chain: OpenChain, node: Node): boolean {
    if (chain.nodes.length >= this.limits.steps) return false
    if (!sameShape(chain.nodes[0]!.outputs[0]!.shape, node.outputs[0]!.shape)) return false
    let fresh = 0
    const { inputs } = node
    for (let i = 0; i < inputs.length; i++) {
      const input = inputs[i]!
      if (this.makers[input.id] === chain) continue
      // A value of the chain that is read through a view is not yet complete when the chain reads it.
      if (this.makers[this.locations.baseOf(input).id] === chain) return false
      if (!chain.operands.includes(input) && inputs.indexOf(input) === i) fresh++
    }
    return chain.operands.length + fresh <= this.limits.operands
  }

  /** Closes the chains whose values `node` reads, directly or through a view, but not `except`. */
  close(node: Node, except: OpenChain | null = null): void {
    for (let i = 0; i < node.inputs.length; i++) {
      const chain = this.makers[this.locations.baseOf(node.inputs[i]!).id]
      if (chain !== undefined && chain !== except) chain.isOpen = false
    }
  }

  /** The chains of a list that are open and have room; drops the others from the list. */
  private onlyOpen(lists: OpenChain[][], index: number): readonly OpenChain[] {
    const list = lists[index]
    if (list === undefined) return NO_CHAINS
    const open = list.filter(({ isOpen, nodes }) => isOpen && nodes.length < this.limits.steps)
    if (open.length < list.length) lists[index] = open
    return open
  }

  finish(placed: Kernel[]): void {
    this.all.forEach((chain) => (placed[chain.last] = this.build(chain)))
  }

  private build({ nodes, operands }: OpenChain): Kernel {
    const isOutside = (user: Node): boolean => !nodes.includes(user)
    const needed = (value: Value): boolean => this.users.isResult(value) || this.users.of(value).some(isOutside)
    const writes = nodes.map((node) => node.outputs[0]!).filter(needed)
    if (writes.length === 0) throw internalError('a chain has no result that is used')
    return new ChainKernel(nodes, operands, writes, this.locations)
  }
}

function append<Item>(lists: Item[][], index: number, item: Item): void {
  const list = lists[index]
  if (list === undefined) lists[index] = [item]
  else list.push(item)
}
