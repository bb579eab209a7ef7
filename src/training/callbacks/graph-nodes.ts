// The nodes of a model's graph, for TensorBoard: one for each call of a layer. Models within the model are scopes.

import { classNameOf } from '../../core/registry'
import { flatten, type Tree } from '../../core/tree'
import type { GraphNode } from '../../files/containers/event-file'
import { Operation } from '../../layers/core/operation'
import { originOf, symbolsIn } from '../../layers/symbol'
import type { Tensor } from '../../ops/tensor'
import { replayedBy } from '../../layers/traits'

/** The calls of layers in a functional model. */
interface CalledLayers {
  readonly inputs: Tree<Tensor>
  readonly outputs: Tree<Tensor>
  /** In the order of flatten(inputs). */
  readonly inputLayers: readonly { readonly name: string }[]
  readonly calls: readonly {
    readonly layer: { readonly name: string }
    readonly input: unknown
    readonly options: unknown
    readonly outputs: readonly Tensor[]
  }[]
}

/** Whether a graph consists of calls of layers. */
export function hasCalls(graph: object | null): graph is CalledLayers {
  return graph !== null && 'calls' in graph
}

/**
 * The nodes of a graph, named `scope/layer` as TensorBoard names those of Keras's models. Second calls of a layer are named
 * `layer_1`, `layer_2` ….
 */
export function graphNodes(scope: string, graph: CalledLayers): GraphNode[] {
  const nodes: GraphNode[] = []
  const names = new Set<string>()
  place(scope, graph, null, nodes, names)
  return nodes
}

/**
 * Adds the nodes of a graph.
 * @param sources the nodes that make the inputs of a model within a model
 * @returns the names of the nodes that make the outputs
 */
function place(
  scope: string,
  graph: CalledLayers,
  sources: readonly string[] | null,
  nodes: GraphNode[],
  names: Set<string>,
): readonly string[] {
  const makers = new Map<Tensor, string>()
  const unique = (wanted: string): string => {
    let name = wanted
    for (let i = 1; names.has(name); i++) name = `${wanted}_${i}`
    names.add(name)
    return name
  }
  const add = (layer: { readonly name: string }, inputs: readonly string[], outputs: readonly Tensor[]): void => {
    const specs = outputs.map((symbol) => originOf(symbol)!.spec)
    const name = unique(`${scope}/${layer.name}`)
    nodes.push({
      name,
      // An op has its own name; other layers have that of their class.
      op: layer instanceof Operation ? layer.op : classNameOf(layer),
      inputs,
      shapes: specs.map(({ shape }) => shape),
      dtype: specs[0]!.dtype,
    })
    for (const symbol of outputs) makers.set(symbol, name)
  }
  const reads = (input: unknown): string[] => [...new Set(symbolsIn(input).map((symbol) => makers.get(symbol)!))]

  flatten(graph.inputs).forEach((symbol, i) =>
    add(graph.inputLayers[i]!, sources === null ? [] : [sources[i]!], [symbol]),
  )
  for (const { layer, input, options, outputs } of graph.calls) {
    const inner = replayedBy(layer)
    if (!hasCalls(inner)) {
      add(layer, reads([input, options]), outputs)
      continue
    }
    const within = symbolsIn(input).map((symbol) => makers.get(symbol)!)
    const made = place(unique(`${scope}/${layer.name}`), inner, within, nodes, names)
    outputs.forEach((symbol, i) => makers.set(symbol, made[i]!))
  }
  return flatten(graph.outputs).map((symbol) => makers.get(symbol)!)
}
