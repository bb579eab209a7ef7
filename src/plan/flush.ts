// Numbers that have vanished become 0, in programs that compute steps of models: on denormal numbers, below 2⁻¹²⁶, processors
// are up to a hundred times slower. Appends a flush to what can vanish, where it becomes a factor of a product or is kept:
// in a cell, or by a loop for its next iteration. Primitives to which the proportion of numbers matters (`proportional`) read
// the number itself, so that a logarithm or a quotient of small numbers is not lost, and so do the results of the graph.

import type { Graph, Node, Value } from '../ir/graph'
import type { PrimitiveName } from '../ir/attributes'
import { bodyOf, isLoop, regionOf } from '../ir/region'
import { ruleOf } from '../primitives'
import { mapKept, rewrite } from './rewrite'

/** How a value is read where it can vanish: as a factor of a product, or as what is kept. A factor's limit is higher. */
type Use = 'flushFactor' | 'flushState'

/** The graph with numbers below LEAST_FACTOR as factors of products, and below LEAST_STATE in what is kept, as 0: see vanishing.ts. */
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

  constructor(graph: Graph) {
    this.visit(graph, false)
    for (const { value } of graph.updates) this.use(value, 'flushState')
  }

  /** The use of a value that can vanish; undefined for others. */
  of(value: Value): Use | undefined {
    return this.vanishing.has(value) ? this.uses.get(value) : undefined
  }

  has(value: Value): boolean {
    return this.uses.has(value)
  }

  private visit({ nodes }: Graph, isBody: boolean): void {
    for (const node of nodes) {
      if (isLoop(node)) this.visitLoop(node)
      else if (multiplies(node)) for (const input of node.inputs) this.use(input, 'flushFactor')
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
    const open = [value]
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      const known = this.uses.get(each)
      if (each.dtype !== 'float32' || known === use || known === 'flushFactor') continue
      this.uses.set(each, use)
      open.push(...this.sourcesOf(each))
    }
  }

  /** The values whose elements a value consists of, if it computes none. */
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
    return moves(node) ? node.inputs : []
  }
}

function multiplies<Name extends PrimitiveName>(node: Node<Name>): boolean {
  return ruleOf(node.name).multiplies?.(node.attributes) === true
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
      const rule = ruleOf(node.name)
      if (rule.kind === 'view') {
        const outputs = builder.keep(node, inputs)
        const operands = mapKept(inputs, flushed)
        if (operands !== inputs) flushes.set(outputs[0]!, builder.copy(node, operands)[0]!)
        return outputs
      }
      const readsItself = rule.kind === 'elementwise' && rule.proportional === true
      const outputs = builder.keep(node, readsItself ? inputs : mapKept(inputs, flushed))
      outputs.forEach((output, i) => {
        const use = moves(node) ? undefined : uses.of(node.outputs[i]!)
        if (use !== undefined) flushes.set(output, builder.emitOne(use, [output], {}))
      })
      return outputs
    },
    (value, _builder, index) => (isBody || index < 0 ? flushed(value) : value),
  )
}
