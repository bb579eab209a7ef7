// The nodes and arrows that a picture of a model shows. layered.ts places them; model.ts draws them.

import { formatShape } from '../core/errors'
import { classNameOf } from '../core/registry'
import { flatten } from '../core/tree'
import { InputLayer } from '../layers/core/input-layer'
import type { LayerBase } from '../layers/layer'
import { originOf, symbolsIn, type LayerCall } from '../layers/symbol'
import { LayerGraph } from '../models/layer-graph'
import type { Tensor } from '../ops/tensor'
import { replayedBy } from '../layers/traits'

export interface ModelNode {
  readonly name: string
  readonly className: string
  /** The shapes of its outputs, as text. */
  readonly shape: string
  /** null before the layer is built. */
  readonly parameters: number | null
  readonly kind: 'input' | 'weights' | 'plain'
  /** The names of the layers around it, then its name, as the path of a scope. */
  readonly scope: string
  readonly inner: ModelGraph | null
}

export interface ModelGraph {
  readonly nodes: readonly ModelNode[]
  /** From a node to a later one, by their positions. */
  readonly edges: readonly (readonly [from: number, to: number])[]
}

/** The part of a model that its picture needs. */
interface Drawn extends LayerBase {
  readonly graph: object | null
  readonly layers?: readonly LayerBase[]
}

function nodeOf(layer: LayerBase, shape: string, scope: string, nested: boolean): ModelNode {
  const path = `${scope}/${layer.name}`
  const isInput = layer instanceof InputLayer
  const replayed = replayedBy(layer)
  const parameters = layer.built || isInput ? layer.countParams() : null
  return {
    name: layer.name,
    className: classNameOf(layer),
    shape,
    parameters,
    kind: isInput ? 'input' : kindOf(parameters),
    scope: path,
    inner: nested && replayed instanceof LayerGraph ? graphOf(replayed, nested, path) : null,
  }
}

const kindOf = (parameters: number | null): ModelNode['kind'] => (parameters === 0 ? 'plain' : 'weights')

const shapesOf = (symbols: readonly Tensor[]): string =>
  symbols.map((symbol) => formatShape(originOf(symbol)!.spec.shape)).join(' ')

function graphOf(graph: LayerGraph, nested: boolean, scope: string): ModelGraph {
  const inputs = flatten(graph.inputs)
  const nodes = [
    ...inputs.map((symbol, i) => nodeOf(graph.inputLayers[i]!, shapesOf([symbol]), scope, false)),
    ...graph.calls.map(({ layer, outputs }) => nodeOf(layer, shapesOf(outputs), scope, nested)),
  ]
  const positions = new Map<LayerCall, number>(graph.calls.map((call, i) => [call, inputs.length + i]))
  const edges = graph.calls.flatMap((call, i) => {
    const sources = [...symbolsIn(call.input), ...symbolsIn(call.options)].map((symbol) => {
      const input = inputs.indexOf(symbol)
      return input >= 0 ? input : positions.get(originOf(symbol)!.call)
    })
    return [...new Set(sources)].flatMap((from) => (from === undefined ? [] : [[from, inputs.length + i] as const]))
  })
  return { nodes, edges }
}

/** The graph of a model. A model that is not functional or not built is a chain of its layers, without shapes. */
export function modelGraph(model: Drawn, nested: boolean): ModelGraph {
  if (model.graph instanceof LayerGraph) return graphOf(model.graph, nested, model.name)
  const nodes = (model.layers ?? []).map((layer) => nodeOf(layer, '?', model.name, nested))
  return { nodes, edges: nodes.slice(1).map((_, i) => [i, i + 1] as const) }
}
