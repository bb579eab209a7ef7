// Where Keras has the variables of each layer in `model.weights.h5`: a path of attributes, `layers/bidirectional_1/forward_layer/cell`.
// The layers of a list are named by their classes, which are numbered in the order of the list; the names of the layers do not matter.

import { nameOfClass, snakeCase } from '../../core/registry'
import { isBranch } from '../../core/tree'
import { inFiles } from '../../layers/saved-weights'
import { Layer, type LayerBase } from '../../layers/layer'
import { Model } from '../../models/model'
import { Sequential } from '../../models/sequential'
import type { Variable } from '../../ops/variable'

/** A layer, and the path of its group. */
export interface Place {
  readonly path: string
  readonly layer: LayerBase
  /** The variables of the layer alone, in the order of `vars`. */
  readonly variables: readonly Variable[]
}

/** The names of attributes in Keras, by the names of properties here; null for a part that is not a layer in Keras. */
const ATTRIBUTES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Bidirectional: { layer: 'forward_layer', backwardLayer: 'backward_layer' },
  MultiHeadAttention: {
    query: 'query_dense',
    key: 'key_dense',
    value: 'value_dense',
    gate: '_gate_dense',
    attentionOutput: 'output_dense',
  },
  GroupedQueryAttention: {
    query: '_query_dense',
    key: '_key_dense',
    value: '_value_dense',
    gate: '_gate_dense',
    attentionOutput: '_output_dense',
  },
}

/** The class of a layer in Keras. */
export function kerasClass(layer: LayerBase): string {
  const name = nameOfClass(layer.constructor)
  return layer.constructor === Model ? 'Functional' : name
}

/** The paths of the objects of a list, by their classes: `dense`, `dense_1`. */
export function numbered(classNames: readonly string[]): string[] {
  const counts = new Map<string, number>()
  return classNames.map((className) => {
    const name = snakeCase(className)
    const count = counts.get(name) ?? 0
    counts.set(name, count + 1)
    return count === 0 ? name : `${name}_${count}`
  })
}

/** The layers of a list by their paths in the list. */
export function numberedLayers(layers: readonly LayerBase[]): [path: string, layer: LayerBase][] {
  const paths = numbered(layers.map(kerasClass))
  return layers.map((layer, i) => [paths[i]!, layer])
}

/** The inner layers of a layer by the paths of Keras's attributes. */
function innerLayers(layer: LayerBase): [path: string, layer: LayerBase][] {
  if (layer instanceof Model && layer.graph !== null)
    return numberedLayers(layer.layers).map(([path, inner]) => [`layers/${path}`, inner])
  const names = ATTRIBUTES[nameOfClass(layer.constructor)] ?? {}
  return Object.entries<unknown>({ ...layer }).flatMap(([property, value]): [string, LayerBase][] => {
    if (typeof value !== 'object' || value === null || value === layer) return []
    const attribute = (): string => names[property] ?? snakeCase(property)
    if (value instanceof Layer) return [[attribute(), value]]
    const list = isBranch(value) ? Object.values<unknown>(value).filter((each) => each instanceof Layer) : []
    return numberedLayers(list).map(([path, inner]) => [`${attribute()}/${path}`, inner])
  })
}

/** The places of a model and of all layers in it, each layer once, in the order in which Keras writes them. */
export function placesOf(model: LayerBase): readonly Place[] {
  const seen = new Set<LayerBase>()
  const places: Place[] = []
  const visit = (layer: LayerBase, path: string): void => {
    if (seen.has(layer)) return
    seen.add(layer)
    places.push({ path, layer, variables: layer instanceof Sequential ? [] : inFiles(layer.ownWeights) })
    for (const [step, inner] of innerLayers(layer)) visit(inner, path === '' ? step : `${path}/${step}`)
  }
  visit(model, '')
  return places
}
