// Graph → smaller graph with the same results: drops what nothing needs, shares what is computed twice,
// folds scalar constants, and applies each primitive's own `simplify`.

import { GraphBuilder } from '../ir/builder'
import type { Graph, Node, Value } from '../ir/graph'
import { results } from '../ir/graph'
import { ruleOf } from '../primitives'
import type { PrimitiveName } from '../primitives/attributes'
import type { NumericArray } from '../core/dtypes'
import { sizeOf } from '../core/shapes'

export function simplify(graph: Graph): Graph {
  const needed = neededNodes(graph)
  return rewrite(graph, (node, inputs, builder, shared) => {
    if (!needed.has(node)) return []
    return reduceNode(node, inputs, builder) ?? shareOrEmit(node, inputs, builder, shared)
  })
}

type Shared = Map<string, readonly Value[]>
type Visit = (node: Node, inputs: readonly Value[], builder: GraphBuilder, shared: Shared) => readonly Value[]

/** Rebuilds a graph; `visit` says which values stand for a node's outputs. */
export function rewrite(graph: Graph, visit: Visit, finish?: (value: Value, builder: GraphBuilder) => Value): Graph {
  const builder = new GraphBuilder()
  const renamed = new Map<Value, Value>()
  const shared: Shared = new Map()
  for (const parameter of graph.parameters) renamed.set(parameter, builder.parameter(parameter))
  for (const [cell, value] of graph.cells) renamed.set(value, builder.read(cell))
  const get = (value: Value): Value => renamed.get(value)!
  for (const node of graph.nodes) {
    builder.scope = node.scope
    const outputs = visit(node, node.inputs.map(get), builder, shared)
    outputs.forEach((output, i) => renamed.set(node.outputs[i]!, output))
  }
  const last = (value: Value): Value => (finish === undefined ? get(value) : finish(get(value), builder))
  const updates = graph.updates.map(({ cell, value }) => [cell, last(value)] as const)
  for (const [cell, value] of updates) builder.update(cell, value)
  return builder.finish(graph.outputs.map(last))
}

/** The nodes that some result or effect depends on. */
function neededNodes(graph: Graph): Set<Node> {
  const needed = new Set<Node>()
  const live = new Set<Value>(results(graph))
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!
    if (ruleOf(node.name).effect !== true && !node.outputs.some((output) => live.has(output))) continue
    needed.add(node)
    for (const input of node.inputs) live.add(input)
  }
  return needed
}

/** Numbers that are known, so that views of views are looked through once only. */
const knownNumbers = new WeakMap<Value, number>()

/** The number that every element of a value equals, when it is known: a scalar constant, or a view of one. */
export function constantNumber(value: Value): number | null {
  const { node } = value
  if (node === null) return null
  const known = knownNumbers.get(value)
  if (known !== undefined) return known
  const isView = ruleOf(node.name).kind === 'view'
  const number = isView ? constantNumber(node.inputs[0]!) : sizeOf(value.shape) === 1 ? (constantData(node)?.[0] ?? null) : null
  if (number !== null) knownNumbers.set(value, number)
  return number
}

/** The data of a constant node; null for every other. */
export function constantData<Name extends PrimitiveName>(node: Node<Name>): NumericArray | null {
  const rule = ruleOf(node.name)
  return rule.kind === 'constant' ? rule.data(node.attributes) : null
}

function reduceNode<Name extends PrimitiveName>(
  node: Node<Name>,
  inputs: readonly Value[],
  builder: GraphBuilder,
): readonly Value[] | null {
  const rule = ruleOf(node.name)
  const output = node.outputs[0]
  if (output === undefined) return null
  if (rule.kind === 'elementwise') {
    const numbers = inputs.map(constantNumber)
    if (numbers.every((x) => x !== null)) {
      const folded = builder.e.scalar(rule.scalar(numbers, inputs, node.attributes), output.dtype)
      return [builder.e.broadcastTo(folded, output.shape)]
    }
  }
  const simpler = rule.simplify?.({ e: builder.e, inputs, output, attributes: node.attributes, constantNumber })
  return simpler == null ? null : [simpler]
}

function shareOrEmit<Name extends PrimitiveName>(
  node: Node<Name>,
  inputs: readonly Value[],
  builder: GraphBuilder,
  shared: Shared,
): readonly Value[] {
  if (ruleOf(node.name).effect === true) return builder.copy(node, inputs)
  const key = `${node.name} ${inputs.map((input) => input.id).join(' ')} ${attributesKey(node.attributes, `node ${node.outputs[0]?.id}`)}`
  let outputs = shared.get(key)
  if (outputs === undefined) {
    outputs = builder.copy(node, inputs)
    shared.set(key, outputs)
  }
  return outputs
}

const LARGEST_COMPARED = 16

/**
 * Attributes as text that is equal only for equal ones. Large data is told apart by `identity`: comparing it would
 * cost more than sharing saves.
 */
export function attributesKey(attributes: object, identity = ''): string {
  if (Object.keys(attributes).length === 0) return ''
  return JSON.stringify(attributes, (_key, value: unknown) => {
    // JSON knows neither −0 nor what is not finite.
    if (!ArrayBuffer.isView(value)) return Object.is(value, -0) ? '-0' : typeof value === 'number' ? String(value) : value
    if (value.byteLength > 4 * LARGEST_COMPARED) return identity
    return Array.from(new Uint32Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength)))
  })
}
