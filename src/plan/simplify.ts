// Graph → smaller graph with the same results: drops what nothing needs, shares what is computed twice,
// folds scalar constants, and applies each primitive's own `simplify`.

import type { GraphBuilder } from '../ir/builder'
import type { Graph, Node, Value } from '../ir/graph'
import { results } from '../ir/graph'
import { hasEffect, isLoop, passesOf } from '../ir/region'
import { ruleOf } from '../primitives'
import type { PrimitiveName } from '../primitives/attributes'
import type { NumericArray } from '../core/dtypes'
import { sizeOf } from '../core/shapes'
import type { Shared } from './rewrite'
import { rewrite } from './rewrite'

export function simplify(graph: Graph): Graph {
  const simple = simplifyOnce(graph)
  // What came out of a loop was not there when the rest was looked at.
  return simple.nodes.some(isLoop) || graph.nodes.some(isLoop) ? simplifyOnce(simple) : simple
}

function simplifyOnce(graph: Graph): Graph {
  const { needed, live } = neededNodes(graph)
  return rewrite(graph, (node, inputs, builder, shared) => {
    if (!needed.has(node)) return []
    if (isLoop(node)) return passesOf(node).simplify(node, inputs, (output) => live.has(output), builder, shared)
    return reduceNode(node, inputs, builder) ?? shareOrEmit(node, inputs, builder, shared)
  })
}

/** The nodes that some result or effect depends on, and the values. */
function neededNodes(graph: Graph): { needed: Set<Node>; live: Set<Value> } {
  const needed = new Set<Node>()
  const live = new Set<Value>(results(graph))
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!
    if (!hasEffect(node) && !node.outputs.some((output) => live.has(output))) continue
    needed.add(node)
    for (const input of node.inputs) live.add(input)
  }
  return { needed, live }
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
  if (hasEffect(node)) return builder.copy(node, inputs)
  const key = `${node.name} ${attributesKey(node.attributes, `node ${node.outputs[0]?.id}`)}`
  return share(shared, key, inputs, () => builder.copy(node, inputs))
}

export function share(shared: Shared, name: string, inputs: readonly Value[], emit: () => readonly Value[]): readonly Value[] {
  const key = `${name} ${inputs.map((input) => input.id).join(' ')}`
  let outputs = shared.get(key)
  if (outputs === undefined) {
    outputs = emit()
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
