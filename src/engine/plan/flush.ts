// Numbers that have vanished become 0, in programs that compute steps of models: on denormal numbers, below 2⁻¹²⁶, processors
// are up to a hundred times slower. Appends a flush to what can vanish, where it becomes a factor of a product or is kept:
// in a cell, or by a loop for its next iteration. Primitives to which the proportion of numbers matters (`proportional`) read
// the number itself, so that a logarithm or a quotient of small numbers is not lost, and so do the results of the graph.

import type { Graph, Node, Value } from '../ir/graph'
import type { PrimitiveName } from '../ir/attributes'
import { bodyOf, isLoop, regionOf } from '../ir/region'
import { ruleOf } from '../primitives'
import { mapKept, rewrite } from './rewrite'

/** How a value that can vanish is read: as a factor of a product, or to be kept. The limit of factors is higher. */
type Use = 'flushFactor' | 'flushState'

/**
 * The graph in which factors of products below LEAST_FACTOR are 0, and so are kept numbers below LEAST_STATE: see
 * vanishing.ts.
 */
export function flushVanished(graph: Graph): Graph {
  return withFlushes(graph, new Uses(graph))
}

/** The parameter of a loop's body. */
interface Place {
  readonly loop: Node<'loop'>
  readonly index: number
}

/** How values are used by those of their readers that multiply or keep them. */
class Uses {
  private readonly uses = new Map<Value, Use>()
  private readonly places = new Map<Value, Place>()
  /** Values whose elements can be much smaller than what they were computed from: a sum of products can, too. */
  private readonly vanishing = new Set<Value>()
  /** Values that a reader needs as they are, not flushed. */
  private readonly exact = new Set<Value>()
  /** The operands of functions that are exact: the slope of such a function is read as it is, too. */
  private readonly operands = new Set<Value>()
  private readonly slopes: Value[] = []

  constructor(graph: Graph) {
    this.visit(graph, false)
    for (const { value } of graph.updates) this.use(value, 'flushState')
    for (const slope of this.slopes) if (!this.isExact(slope)) this.use(slope, 'flushFactor')
  }

  /** The use of a value that can vanish; undefined for others. */
  of(value: Value): Use | undefined {
    return this.vanishing.has(value) ? this.uses.get(value) : undefined
  }

  has(value: Value): boolean {
    return this.uses.has(value)
  }

  /** Whether a slope is read as it is, so that the gradient of log f(x) is right where f(x) has vanished. */
  isExact(slope: Value): boolean {
    return this.exact.has(slope) || slope.node?.inputs.some((input) => this.operands.has(input)) === true
  }

  private visit({ nodes }: Graph, isBody: boolean): void {
    for (const node of nodes) {
      if (isLoop(node)) this.visitLoop(node)
      else if (multiplies(node)) for (const input of node.inputs) this.use(input, 'flushFactor')
      const { slope } = ruleOf(node.name)
      if (slope !== undefined) this.slopes.push(node.inputs[slope]!)
      if (readsItself(node)) for (const input of node.inputs) this.keep(input)
      if (this.makesVanishing(node, isBody)) for (const output of node.outputs) this.vanishing.add(output)
    }
  }

  private visitLoop(loop: Node<'loop'>): void {
    const body = bodyOf(loop)
    body.parameters.forEach((parameter, index) => this.places.set(parameter, { loop, index }))
    for (let i = 0; i < loop.attributes.carries; i++) this.use(body.outputs[i]!, 'flushState')
    this.visit(body, true)
  }

  private makesVanishing(node: Node, isBody: boolean): boolean {
    const { kind, vanishes } = ruleOf(node.name)
    if (node.outputs[0]?.dtype !== 'float32') return false
    if (vanishes === true || (vanishes === 'repeated' && isBody)) return true
    return (kind === 'elementwise' || moves(node)) && node.inputs.some((input) => this.vanishing.has(input))
  }

  private use(value: Value, use: Use): void {
    this.follow(value, (each) => {
      const known = this.uses.get(each)
      if (known === use || known === 'flushFactor') return false
      this.uses.set(each, use)
      return true
    })
  }

  private keep(value: Value): void {
    this.follow(value, (each) => {
      if (this.exact.has(each)) return false
      this.exact.add(each)
      if (this.vanishing.has(each)) for (const operand of each.node?.inputs ?? []) this.operands.add(operand)
      return true
    })
  }

  /** Visits a value and what its elements come from, as long as `visit` finds something new. */
  private follow(value: Value, visit: (each: Value) => boolean): void {
    const open = [value]
    for (let each = open.pop(); each !== undefined; each = open.pop())
      if (each.dtype === 'float32' && visit(each)) open.push(...this.sourcesOf(each))
  }

  /** The values whose elements a value consists of, if it computes none; and its gate. */
  private sourcesOf(value: Value): readonly Value[] {
    const { node } = value
    if (node === null) {
      const place = this.places.get(value)
      if (place === undefined) return []
      const { loop, index } = place
      const before = loop.inputs[index]!
      return index < loop.attributes.carries ? [before, bodyOf(loop).outputs[index]!] : [before]
    }
    if (isLoop(node)) return [bodyOf(node).outputs[node.outputs.indexOf(value)]!]
    const { gate } = ruleOf(node.name)
    if (gate !== undefined) return [node.inputs[gate]!]
    return moves(node) ? node.inputs : []
  }
}

function multiplies<Name extends PrimitiveName>(node: Node<Name>): boolean {
  return ruleOf(node.name).multiplies?.(node.attributes) === true
}

function readsItself({ name }: Node): boolean {
  return ruleOf(name).proportional === true
}

function moves({ name }: Node): boolean {
  const rule = ruleOf(name)
  return rule.kind === 'view' || rule.moves === true
}

function withFlushes(graph: Graph, uses: Uses, isBody = false): Graph {
  /** By values of the new graph. */
  const flushes = new Map<Value, Value>()
  const flushed = (value: Value): Value => flushes.get(value) ?? value
  return rewrite(
    graph,
    (node, inputs, builder) => {
      if (isLoop(node)) {
        const body = withFlushes(bodyOf(node), uses, true)
        const operands = mapKept(inputs, (input, i) => (uses.has(bodyOf(node).parameters[i]!) ? flushed(input) : input))
        const attributes = { ...node.attributes, body: regionOf(node).with(body) }
        return builder.emit('loop', operands, attributes)
      }
      const { kind, gate, slope } = ruleOf(node.name)
      const isExact = readsItself(node) || (slope !== undefined && uses.isExact(node.inputs[slope]!))
      const operands = isExact ? inputs : mapKept(inputs, flushed)
      // readers that do not multiply get the result of the operands as they are
      const isTwofold = kind !== 'kernel' && (moves(node) || gate !== undefined)
      const outputs = builder.keep(node, isTwofold ? inputs : operands)
      const results = isTwofold && operands !== inputs ? builder.copy(node, operands) : outputs
      outputs.forEach((output, i) => {
        const use = moves(node) ? undefined : uses.of(node.outputs[i]!)
        const result = use === undefined ? results[i]! : builder.emitOne(use, [results[i]!], {})
        if (result !== output) flushes.set(output, result)
      })
      return outputs
    },
    (value, _builder, index) => (isBody || index < 0 ? flushed(value) : value),
  )
}
