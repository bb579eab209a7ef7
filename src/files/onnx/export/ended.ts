// The end of a graph: its results get their names, and nodes that nothing needs are left out.

import type { Graph } from '../../../engine/ir/graph'
import type { WrittenNode } from './scope'
import type { Writer } from './writer'

type Nodes = readonly WrittenNode[]

/** Gives the results their names. */
export function ended(writer: Writer, graph: Graph, names: readonly string[]) {
  writer.where = ''
  const made = new Map(writer.root.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const before = new Map<string, string>()
  graph.outputs.forEach((value, i) => {
    const name = writer.name(writer.items.get(value)!)
    const isLast = made.has(name) || writer.root.nodes.at(-1)?.outputs.includes(name) === true
    if (isLast && !before.has(name)) before.set(name, names[i]!)
    else writer.root.nodes.push({ inputs: [name], outputs: [names[i]!], type: 'Identity', name: names[i]!, graphs: [] })
  })
  renameIn(writer.root.nodes, before)
  return { outputs: names, ...kept(writer, new Set(names)) }
}

/** The nodes and initializers that the outputs need. */
function kept({ root, initializers }: Writer, live: Set<string>) {
  const read = (node: WrittenNode): void => {
    for (const name of node.inputs) live.add(name)
    node.graphs.forEach((nodes) => nodes.forEach(read))
  }
  const nodes: WrittenNode[] = []
  for (const node of [...root.nodes].reverse()) {
    if (!node.outputs.some((name) => live.has(name))) continue
    nodes.push(node)
    read(node)
  }
  return { nodes: nodes.reverse(), initializers: initializers.filter(({ name }) => live.has(name!)) }
}

function renameIn(nodes: Nodes, names: ReadonlyMap<string, string>): void {
  for (const node of nodes) {
    for (const list of [node.inputs, node.outputs]) list.forEach((name, i) => (list[i] = names.get(name) ?? name))
    for (const inner of node.graphs) renameIn(inner, names)
  }
}
