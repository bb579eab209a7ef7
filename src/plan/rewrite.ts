// Rebuilds a graph node by node: what every pass over graphs is written with.

import { GraphBuilder } from '../ir/builder'
import type { Graph, Node, Value } from '../ir/graph'

/** Values by what makes them, for passes that share. */
export type Shared = Map<string, readonly Value[]>
export type Visit = (node: Node, inputs: readonly Value[], builder: GraphBuilder, shared: Shared) => readonly (Value | null)[]
export interface RewriteOptions {
  /** Called with the new parameters before anything else. */
  readonly begin?: (parameters: readonly Value[]) => void
  /** What stands for a result; `index` counts the outputs, −1 is an update. Default: the value itself. */
  readonly finish?: (value: Value, builder: GraphBuilder, index: number) => Value
}

/** Rebuilds a graph; `visit` says which values stand for a node's outputs: null or none for those that nothing needs. */
export function rewrite(graph: Graph, visit: Visit, { begin, finish }: RewriteOptions = {}): Graph {
  const builder = new GraphBuilder()
  const renamed = new Map<Value, Value>()
  const shared: Shared = new Map()
  for (const parameter of graph.parameters) renamed.set(parameter, builder.parameter(parameter))
  begin?.(graph.parameters.map((parameter) => renamed.get(parameter)!))
  for (const [cell, value] of graph.cells) renamed.set(value, builder.read(cell))
  const get = (value: Value): Value => renamed.get(value)!
  for (const node of graph.nodes) {
    builder.scope = node.scope
    const outputs = visit(node, node.inputs.map(get), builder, shared)
    outputs.forEach((output, i) => output !== null && renamed.set(node.outputs[i]!, output))
  }
  const last = (value: Value, index: number): Value => (finish === undefined ? get(value) : finish(get(value), builder, index))
  const updates = graph.updates.map(({ cell, value }) => [cell, last(value, -1)] as const)
  for (const [cell, value] of updates) builder.update(cell, value)
  return builder.finish(graph.outputs.map(last))
}
