// Rebuilds a graph node by node; all graph passes use it. Unchanged nodes belong to both graphs.

import { GraphBuilder } from '../transforms/builder'
import type { Graph, Node, Value } from '../ir/graph'

/**
 * Values by their computation, for passes that share them: by the key of a primitive and its attributes, then
 * by operands.
 */
export type Shared = Map<string, Map<number | string, readonly Value[]>>
export type Visit = (
  node: Node,
  inputs: readonly Value[],
  builder: GraphBuilder,
  shared: Shared,
) => readonly (Value | null)[]
/** The replacement of a result; `index` counts the outputs, −1 is an update. */
export type Finish = (value: Value, builder: GraphBuilder, index: number) => Value

/** The replacements of values; the same list if no value changes. */
export function mapKept(values: readonly Value[], map: (value: Value, index: number) => Value): readonly Value[] {
  let mapped: Value[] | null = null
  for (let i = 0; i < values.length; i++) {
    const value = map(values[i]!, i)
    if (mapped === null && value !== values[i]) mapped = values.slice()
    if (mapped !== null) mapped[i] = value
  }
  return mapped ?? values
}

/**
 * Rebuilds a graph. `visit` returns the values that replace a node's outputs: null or none for unused outputs.
 * @param finish default: the value itself
 */
export function rewrite(graph: Graph, visit: Visit, finish: Finish = (value) => value): Graph {
  const builder = new GraphBuilder(graph)
  /** The replacements of values that changed, by id. */
  const renamed = new Array<Value>(graph.idEnd)
  const shared: Shared = new Map()
  const get = (value: Value): Value => renamed[value.id] ?? value
  const { nodes } = graph
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at]!
    builder.scope = node.scope
    const outputs = visit(node, mapKept(node.inputs, get), builder, shared)
    for (let i = 0; i < outputs.length; i++) {
      const old = node.outputs[i]!
      const now = outputs[i]!
      if (now !== null && now !== old) renamed[old.id] = now
    }
  }
  const updates = graph.updates.map(({ cell, value }) => [cell, finish(get(value), builder, -1)] as const)
  for (const [cell, value] of updates) builder.update(cell, value)
  return builder.finish(graph.outputs.map((value, index) => finish(get(value), builder, index)))
}
