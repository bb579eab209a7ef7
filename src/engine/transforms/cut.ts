// Cuts a graph into two parts that run one after the other: values of the first that the second needs become
// its parameters. So a pullback can run long after its function.

import { ruleOf } from '../primitives'
import { GraphBuilder } from './builder'
import type { Graph, Node, Value } from '../ir/graph'

/** The numbers of nodes, parameters and outputs in the first part; the others belong to the second. */
export interface CutPlace {
  readonly nodes: number
  readonly parameters: number
  readonly outputs: number
}

export interface CutGraph {
  /** Its outputs, then the carried values. Reads all cells, and has all updates. */
  readonly first: Graph
  /** The carried values, then its parameters → its outputs. */
  readonly second: Graph
}

export function cut(graph: Graph, { nodes, parameters, outputs }: CutPlace): CutGraph {
  const results = graph.outputs.slice(outputs)
  const later = neededFor(results, graph.nodes.slice(nodes))
  const made = new Set<Value>([...graph.parameters.slice(parameters), ...later.flatMap((node) => node.outputs)])
  const wanted = new Set([...results, ...later.flatMap((node) => node.inputs)].filter((value) => !made.has(value)))
  // Values computed from constants alone are recomputed, which is cheaper than keeping them.
  const carried = [...wanted].filter((value) => !isConstant(value))

  const builder = new GraphBuilder()
  const renamed = new Map<Value, Value>()
  for (const value of [...carried, ...graph.parameters.slice(parameters)]) renamed.set(value, builder.parameter(value))
  const copyNode = (node: Node): void => {
    builder.scope = node.scope
    const copies = builder.copy(node, node.inputs.map(get))
    node.outputs.forEach((output, i) => renamed.set(output, copies[i]!))
  }
  const get = (value: Value): Value => {
    if (!renamed.has(value)) copyNode(value.node!)
    return renamed.get(value)!
  }
  for (const node of later) copyNode(node)
  const first: Graph = {
    ...graph,
    parameters: graph.parameters.slice(0, parameters),
    nodes: graph.nodes.slice(0, nodes),
    outputs: [...graph.outputs.slice(0, outputs), ...carried],
  }
  return { first, second: builder.finish(results.map(get)) }
}

/** The nodes that values depend on, in order. */
function neededFor(values: readonly Value[], nodes: readonly Node[]): Node[] {
  const live = new Set(values)
  const needed: Node[] = []
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => live.has(output))) continue
    needed.push(node)
    for (const input of node.inputs) live.add(input)
  }
  return needed.reverse()
}

/** A constant, or a view of one. */
function isConstant({ node }: Value): boolean {
  if (node === null) return false
  const { kind } = ruleOf(node.name)
  return kind === 'constant' || (kind === 'view' && node.inputs.every(isConstant))
}
