// Checks for functions that inspect the layers of a model, or rebuild it with others: its graph must be known.

import { ArgumentError, StateError, quoted } from '../core/errors'
import { Layer, type LayerBase } from '../layers/layer'
import { LayerGraph } from './layer-graph'
import { Model } from './model'
import { Sequential } from './sequential'
import { replayedBy } from '../layers/traits'

/**
 * The graph that a layer replays when it is called; null for a layer that is not a model, and for a model with an
 * overridden `call`.
 */
export function graphOf(layer: LayerBase): LayerGraph | null {
  const graph = replayedBy(layer)
  const replays = [Model, Sequential].some(({ prototype }) => Reflect.get(layer, 'call') === prototype.call)
  return graph instanceof LayerGraph && replays ? graph : null
}

/** @throws ArgumentError for a value that is not a model */
function requireModel(where: string, model: unknown): Model {
  if (model instanceof Model) return model
  throw new ArgumentError(`${where}: needs a model, received ${model instanceof Layer ? String(model) : quoted(model)}`)
}

/**
 * The graph of a model.
 * @param where the function that needs it, in errors
 * @throws ArgumentError for a value that is not a model, or a model without a known graph; StateError before it is
 * built
 */
export function knownGraph(where: string, value: unknown): LayerGraph {
  const model = requireModel(where, value)
  const graph = graphOf(model)
  if (graph !== null) return graph
  if (!model.built)
    throw new StateError(`${where}: ${model} must be built. Give the first layer an inputShape, or predict once.`)
  throw new ArgumentError(
    `${where}: needs a Sequential or a functional model, whose connections between layers are known; ${model} ${model.graph === null ? 'is a custom class, which makes its layers itself' : 'has a custom call'}`,
  )
}

/**
 * Like `knownGraph`, for functions that rebuild the model.
 * @throws ArgumentError also for classes that a copy would not preserve
 */
export function copyableGraph(where: string, value: unknown): LayerGraph {
  const model = requireModel(where, value)
  const graph = knownGraph(where, model)
  const { hasOwnStep } = model
  const isKept = model.constructor === Model || hasTable(model)
  if (model instanceof Sequential ? !hasOwnStep : isKept) return graph
  const why = hasOwnStep
    ? 'has a custom training step, which a copy would not have'
    : 'is a custom class, which a copy would not be'
  throw new ArgumentError(
    `${where}: needs a Sequential or a functional model; ${model} ${why}. Give it a plain model of the same layers: new Model({ inputs: model.input, outputs: model.output })`,
  )
}

/** Whether a model knows the table of its rows, as a TableModel does, which bundles need not contain. */
export function hasTable(model: unknown): model is Model & { readonly table: object } {
  return model instanceof Model && 'table' in model && 'classNames' in model
}

/** The layers that a graph calls, including those of nested models, by their paths: `encoder/hidden`. */
export function pathsIn(graph: LayerGraph, before = ''): Map<LayerBase, string> {
  const paths = new Map<LayerBase, string>()
  for (const layer of graph.layers) {
    const path = `${before}${layer.name}`
    const inner = graphOf(layer)
    const found = inner === null ? new Map([[layer, path]]) : pathsIn(inner, `${path}/`)
    for (const [each, innerPath] of found) if (!paths.has(each)) paths.set(each, innerPath)
  }
  return paths
}
