// All nodes of a graph, those of the graphs in their attributes among them, and whether their operators are available.

import { FormatError } from '../../core/errors'
import { functionOf, operatorName } from './functions'
import type { FunctionProto, GraphProto, NodeProto } from './proto'

/** The graphs in the attributes of a node. */
export function graphsIn({ attributes }: NodeProto): GraphProto[] {
  return attributes.flatMap(({ graph }) => graph ?? [])
}

/** All nodes of a graph, and of the graphs in their attributes. */
export function* allNodes(nodes: readonly NodeProto[]): Generator<NodeProto> {
  for (const node of nodes) {
    yield node
    for (const graph of graphsIn(node)) yield* allNodes(graph.nodes)
  }
}

/** A file whose operators are checked. */
interface Checked {
  /** Names the file in errors. */
  readonly name: string
  readonly graph: Pick<GraphProto, 'nodes'>
  /** The operators that there are. */
  readonly operators: { has(type: string): boolean }
  readonly functions: ReadonlyMap<string, FunctionProto>
}

/** @throws FormatError that lists every operator that is missing, with the first node that needs it */
export function requireOperators({ name, graph, operators: available, functions }: Checked): void {
  const missing = new Map<string, { node: NodeProto; count: number }>()
  const all = [graph.nodes, ...[...functions.values()].map(({ nodes }) => nodes)]
  for (const nodes of all) {
    for (const node of allNodes(nodes)) {
      if (functionOf(node, functions) !== null || available.has(operatorName(node))) continue
      const key = operatorName(node)
      const found = missing.get(key)
      if (found === undefined) missing.set(key, { node, count: 1 })
      else found.count++
    }
  }
  if (missing.size === 0) return
  const shown = [...missing].slice(0, 100).map(([type, { node, count }]) => {
    const title = node.name === '' ? (node.outputs[0] ?? '') : node.name
    return `${type} (at '${title}'${count > 1 ? ` and ${count - 1} more` : ''})`
  })
  throw new FormatError(`${name}: these operators are not available: ${shown.join(', ')}`)
}
