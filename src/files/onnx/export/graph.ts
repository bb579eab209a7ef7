// The nodes of a traced graph in their order, all traces side by side.

import { titleOf, type Graph, type Node, type Value } from '../../../engine/ir/graph'
import { interpret } from '../../../engine/transforms/interpret'
import { Call, type Surroundings } from './call'
import { acrossTraces, isFixed } from './extents'
import { Item } from './items'
import { matchAt, nodesFor } from './patterns'
import { rowOf } from './rows'
import { Refusal, isSmall, type Writer } from './writer'

/** What is refused, with the layers that need it. */
export type Problems = Map<string, Set<string>>

/**
 * Writes the nodes that some results of a graph need. The items of its parameters and cells are in the writer.
 * @param graphs the graph in each trace
 */
export function writeNodes(
  writer: Writer,
  graphs: readonly Graph[],
  results: readonly number[],
  problems: Problems,
): void {
  const traces = graphs.map((graph) => nodesFor(graph, results))
  const nodes = traces[0]!
  const isSame = traces.every(
    (each) => each.length === nodes.length && each.every(({ name }, i) => name === nodes[i]!.name),
  )
  if (!isSame) throw new Refusal('a graph that depends on the open extents. Fix the inputs with the option shapes')
  const readers = new Map<Value, (Node | null)[]>()
  const note = (value: Value, reader: Node | null): void => {
    const all = readers.get(value)
    if (all === undefined) readers.set(value, [reader])
    else all.push(reader)
  }
  for (const node of nodes) for (const input of node.inputs) note(input, node)
  for (const i of results) note(graphs[0]!.outputs[i]!, null)

  const around: Surroundings = {
    isRead: (value) => readers.has(value),
    readerOf(value) {
      const all = readers.get(value) ?? []
      return all.length === 1 ? all[0]! : null
    },
    match(steps) {
      const found = matchAt(nodes, current, steps)
      const isAlone = found?.nodes
        .slice(0, -1)
        .every(({ outputs }) =>
          outputs.every(
            (value) => readers.get(value)?.every((reader) => reader !== null && found.nodes.includes(reader)) !== false,
          ),
        )
      return isAlone === true ? found : null
    },
    fuse: (...through) => void (fused = through),
    run: (bodies, wanted) => writeNodes(writer, bodies, wanted, problems),
  }
  let [current, fused]: [number, readonly Node[]] = [0, []]
  const done = new Set<Node>()
  const place = (at: number): void => {
    const node = nodes[at]!
    if (done.has(node)) return
    const { where } = writer.scope
    writer.where = writer.pathOf(node)
    ;[current, fused] = [at, []]
    const same = traces.map((each) => each[at]!)
    const items = itemsOf(same)
    for (const each of [node, ...fused]) {
      done.add(each)
      each.outputs.forEach((output, i) => writer.items.set(output, items[i]!))
    }
    writer.where = where
  }
  const itemsOf = (same: readonly Node[]): readonly Item[] => {
    const node = same[0]!
    const call = new Call(
      writer,
      same,
      node.inputs.map((input) => writer.items.get(input)!),
      around,
    )
    const known = evaluated(call)
    if (known !== null) return known
    try {
      const row = rowOf(node.name)
      if (row === undefined) throw new Refusal(titleOf(node))
      const found = row(call)
      return found instanceof Item ? [found] : found
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const layers = problems.get(error.message) ?? new Set()
      problems.set(error.message, layers.add(writer.pathOf(node)))
      return node.outputs.map((_, i) => writer.item('', call.output(i)))
    }
  }
  // Constants first: some nodes look at those of their readers.
  nodes.forEach(({ name }, at) => name === 'constant' && place(at))
  nodes.forEach((_, at) => place(at))
}

/** The results of a node whose operands are constants; null for other nodes. */
function evaluated({ node, nodes, inputs }: Call): readonly Item[] | null {
  if (node.name === 'loop' || node.inputs.length === 0 || node.name === 'transpose' || node.name === 'reshape')
    return null
  if (!inputs.every((each) => each.content.kind === 'constant' && isSmall(each))) return null
  const shapes = node.outputs.map((_, i) => acrossTraces(nodes.map(({ outputs }) => outputs[i]!.shape)))
  if (!shapes.every((shape) => shape.every(isFixed) && isSmall({ dtype: 'float32', shape }))) return null
  const graph: Graph = {
    parameters: node.inputs,
    cells: new Map(),
    nodes: [node],
    outputs: node.outputs,
    updates: [],
    idEnd: 0,
  }
  const data = inputs.map(({ content }) => (content.kind === 'constant' ? content.data : new Float32Array()))
  const { outputs } = interpret(graph, data as Float32Array[], () => new Float32Array())
  return node.outputs.map(({ dtype }, i) => new Item(dtype, shapes[i]!, { kind: 'constant', data: outputs[i]! }))
}
