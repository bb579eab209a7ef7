// A functional model as Keras 2 lists it: an entry for each layer with its calls, `[[layer, call, result, options], …]` for each call.
// Further inputs of a call, such as the initial states of an LSTM, follow in the list. Keras 3 has another form: write-graphs.ts.

import type { Json } from '../../core/registry'
import { isBranch } from '../../core/tree'
import type { LayerBase } from '../../layers/layer'
import { isSymbol, symbolsIn, type LayerCall } from '../../layers/symbol'
import type { LayerGraph } from '../../models/layer-graph'
import { Tensor } from '../../ops/tensor'
import { Histories, type History } from './histories'

/** Writes the layers of a graph. */
export interface FormerWriter {
  /** `{ class_name, config }` */
  layer(layer: LayerBase): Record<string, Json>
  /** Notes what the format does not have. */
  refuse(layer: LayerBase, why: string): void
}

/** The layers, inputs and outputs of a graph. Records of inputs or outputs become lists. */
export function formerGraph(graph: LayerGraph, writer: FormerWriter): Record<string, Json> {
  const histories = new Histories(graph)
  const history = (symbol: Tensor): History => histories.of(symbol, () => true)
  const node = (layer: LayerBase, { input, options }: LayerCall): Json => {
    const { initialState, ...others } = options
    for (const [name, value] of Object.entries(others))
      if (value !== undefined && value !== null && value !== false)
        writer.refuse(layer, `the option ${name} of a call cannot be written`)
    if (isBranch(input) && !Array.isArray(input)) writer.refuse(layer, 'a record of inputs cannot be written')
    const inputs = [...leavesOf(input), ...leavesOf(initialState ?? [])]
    if (!inputs.every(isSymbol)) {
      writer.refuse(layer, 'a constant among the inputs of a call cannot be written')
      return []
    }
    return inputs.map((each) => [...history(each), {}])
  }
  const ends = (tree: unknown): Json => symbolsIn(tree).map(history)
  return {
    layers: graph.layers.map((layer) => ({
      ...writer.layer(layer),
      name: layer.name,
      inbound_nodes: histories.callsOf(layer).map((call) => node(layer, call)),
    })),
    input_layers: ends(graph.inputs),
    output_layers: ends(graph.outputs),
  }
}

function leavesOf(tree: unknown): unknown[] {
  if (tree instanceof Tensor || !isBranch(tree)) return [tree]
  return Object.values<unknown>(tree).flatMap(leavesOf)
}
