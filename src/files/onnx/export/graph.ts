// The nodes of a traced graph in their order, all traces side by side.

import { storeData } from '../../../core/dtypes'
import { titleOf, type Graph, type Node, type Value } from '../../../engine/ir/graph'
import { interpret } from '../../../engine/transforms/interpret'
import { Call, type Surroundings } from './call'
import { acrossTraces, isFixed } from './extents'
import { Item } from './items'
import { matchAt, nodesFor, type Match, type Step } from './patterns'
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
  const outputs = results.map((i) => graphs[0]!.outputs[i]!)
  new NodeWriter(writer, traces, readersOf(nodes, outputs), problems).writeAll()
}

/** The nodes that read each value, once for each operand; null stands for a result of the graph. */
type Readers = ReadonlyMap<Value, readonly (Node | null)[]>

function readersOf(nodes: readonly Node[], outputs: readonly Value[]): Readers {
  const readers = new Map<Value, (Node | null)[]>()
  const note = (value: Value, reader: Node | null): void => {
    const all = readers.get(value)
    if (all === undefined) readers.set(value, [reader])
    else all.push(reader)
  }
  for (const node of nodes) for (const input of node.inputs) note(input, node)
  for (const output of outputs) note(output, null)
  return readers
}

/** Writes the nodes of one graph, in their order. A row may write several nodes as one: they are *fused*. */
class NodeWriter implements Surroundings {
  private readonly nodes: readonly Node[]
  private readonly done = new Set<Node>()
  /** The position of the node that is being written. */
  private current = 0
  /** The nodes that the row of the current node fused with it. */
  private fused: readonly Node[] = []

  constructor(
    private readonly writer: Writer,
    /** The same nodes in each trace. */
    private readonly traces: readonly (readonly Node[])[],
    private readonly readers: Readers,
    private readonly problems: Problems,
  ) {
    this.nodes = traces[0]!
  }

  writeAll(): void {
    // Constants first: some nodes look at those of their readers.
    this.nodes.forEach(({ name }, at) => name === 'constant' && this.place(at))
    this.nodes.forEach((_, at) => this.place(at))
  }

  isRead(value: Value): boolean {
    return this.readers.has(value)
  }

  readerOf(value: Value): Node | null {
    const all = this.readers.get(value) ?? []
    return all.length === 1 ? all[0]! : null
  }

  match(steps: readonly Step[]): Match | null {
    const found = matchAt(this.nodes, this.current, steps)
    if (found === null) return null
    const isInside = (reader: Node | null): boolean => reader !== null && found.nodes.includes(reader)
    const inner = found.nodes.slice(0, -1).flatMap(({ outputs }) => outputs)
    return inner.every((value) => (this.readers.get(value) ?? []).every(isInside)) ? found : null
  }

  fuse(...nodes: readonly Node[]): void {
    this.fused = nodes
  }

  run(graphs: readonly Graph[], results: readonly number[]): void {
    writeNodes(this.writer, graphs, results, this.problems)
  }

  /** Writes a node, unless it was fused with another one. */
  private place(at: number): void {
    const node = this.nodes[at]!
    if (this.done.has(node)) return
    const { writer } = this
    const { where } = writer.scope
    writer.where = writer.pathOf(node)
    this.current = at
    this.fused = []
    const items = this.itemsOf(this.traces.map((each) => each[at]!))
    for (const each of [node, ...this.fused]) {
      this.done.add(each)
      each.outputs.forEach((output, i) => writer.items.set(output, items[i]!))
    }
    writer.where = where
  }

  /** The results of a node. One that ONNX cannot have is noted as a problem. @param same the node in each trace */
  private itemsOf(same: readonly Node[]): readonly Item[] {
    const { writer, problems } = this
    const node = same[0]!
    const operands = node.inputs.map((input) => writer.items.get(input)!)
    const call = new Call(writer, same, operands, this)
    try {
      return evaluated(call) ?? written(call)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const layers = problems.get(error.message) ?? new Set()
      problems.set(error.message, layers.add(writer.pathOf(node)))
      return node.outputs.map((_, i) => writer.item('', call.output(i)))
    }
  }
}

/** The results of a node by the row of its primitive. @throws Refusal */
function written(call: Call): readonly Item[] {
  const row = rowOf(call.node.name)
  if (row === undefined) throw new Refusal(titleOf(call.node))
  const found = row(call)
  return found instanceof Item ? [found] : found
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
  const data = inputs.map(({ content, dtype }) => storeData(dtype, content.kind === 'constant' ? content.data : []))
  const { outputs } = interpret(graph, data, () => new Float32Array())
  return node.outputs.map(({ dtype }, i) => new Item(dtype, shapes[i]!, { kind: 'constant', data: outputs[i]! }))
}
