// cloneModel: the same architecture with new layers and new weights. Layers are created from their configurations;
// nothing is trained, copied or compiled here.

import { requireArguments } from '../core/arguments'
import { ArgumentError, internalError, quoted } from '../core/errors'
import { option, custom, nullable, readOptions } from '../core/options'
import { flatten, typed } from '../core/tree'
import { Layer, type LayerBase } from '../layers/layer'
import { InputLayer } from '../layers/core/input-layer'
import { buildSpecOf, stateOf } from '../layers/weight-lists'
import { remade } from '../layers/remade'
import { replaceSymbols } from '../layers/symbol'
import type { Tensor } from '../ops/tensor'
import { inputOf, symbolsOfCall } from './graph-config'
import { customObjectScope } from './scope'
import { hasTable } from './known-graph'
import type { LayerGraph } from './layer-graph'
import { Model, takesGraph } from './model'
import { Sequential } from './sequential'
import { applyTree } from '../layers/applying'

/** Maps a layer of a model to its counterpart in the clone. */
export type CloneFunction = (layer: LayerBase) => LayerBase

export interface CloneOptions {
  /**
   * Creates the layers of the clone, in place of `layer.constructor` and `layer.getConfig()`. Called once for every
   * layer except InputLayers and models, including those of nested models; it may return the layer itself, which is
   * then shared.
   */
  readonly cloneFunction?: CloneFunction | null | undefined
}

const cloneFunction = custom<CloneFunction>(
  (value, where) => {
    if (typeof value === 'function') return (layer) => requireLayer(value(layer), where)
    throw new ArgumentError(`${where} must be a function from a layer to a layer, received ${quoted(value)}`)
  },
  () => null,
)
const CLONE_OPTIONS = { cloneFunction: option(nullable(cloneFunction), null) }

function requireLayer(value: unknown, where: string): LayerBase {
  if (value instanceof Layer) return value
  throw new ArgumentError(`${where} must return a layer, received ${quoted(value)}`)
}

/**
 * A model of the same architecture with newly initialized weights; not compiled. Shared layers stay shared; names and
 * frozen layers are kept. Custom model classes are recreated from `getConfig`; the clone of a subclass of Sequential
 * has that class, with the constructor called as `new Own(layers, { name, trainable })`.
 *
 *   const target = cloneModel(network)
 *   target.setWeights(network.getWeights())
 *
 * @throws ArgumentError for a value that is not a model, for a class that its configuration cannot recreate, and for a
 * subclass of Sequential with another constructor
 *
 * Keras: `keras.models.clone_model`, with `recursive=True`; it turns a subclass of Sequential into a plain Sequential.
 */
export function cloneModel<Kind extends LayerBase>(model: Kind, options: CloneOptions = {}): Kind {
  requireArguments('cloneModel', arguments, 2)
  if (!(model instanceof Model))
    throw new ArgumentError(
      `cloneModel: needs a model, received ${model instanceof Layer ? String(model) : quoted(model)}`,
    )
  const { cloneFunction } = readOptions('cloneModel', CLONE_OPTIONS, options)
  return typed(cloneInParts(model, (layer) => [(cloneFunction ?? remade)(layer)]).model)
}

/** Layers that replace one layer, each called on the output of the previous one. */
export type Chain = readonly LayerBase[]

/**
 * The same, where several layers may replace one; also returns which layers replace which, including those of nested
 * models.
 */
export function cloneInParts(
  model: Model,
  clone: (layer: LayerBase) => Chain,
): { readonly model: Model; readonly made: ReadonlyMap<LayerBase, Chain> } {
  const cloner = new Cloner(clone)
  // A layer may hold a model, which is recreated from its graph.
  const copy = customObjectScope({}, () => cloner.model(model))
  if (!(copy instanceof Model)) throw internalError(`the copy of ${model} is no model`)
  return { model: copy, made: cloner.made }
}

/**
 * A Sequential of the same class.
 * @throws ArgumentError if its constructor does not create one from a list of layers
 */
function sequentialLike(model: Sequential, layers: readonly LayerBase[]): Sequential {
  const { constructor, name, trainable } = model
  let copy: unknown = null
  let cause: unknown
  try {
    copy = Reflect.construct(constructor, [layers, { name, trainable }])
  } catch (error) {
    if (constructor === Sequential) throw error
    cause = error
  }
  if (copy instanceof Sequential && copy.name === name && copy.consistsOf(layers)) return copy
  throw new ArgumentError(
    `${model} cannot be recreated: the constructor of its class must take (layers, options) and pass them to the constructor of Sequential. ` +
      'A plain model of the same layers works: new Model({ inputs: model.input, outputs: model.output })',
    { cause },
  )
}

class Cloner {
  readonly made = new Map<LayerBase, Chain>()

  constructor(private readonly clone: (layer: LayerBase) => Chain) {}

  chain(layer: LayerBase): Chain {
    let copies = this.made.get(layer)
    if (copies === undefined) {
      copies = this.copiesOf(layer)
      this.made.set(layer, copies)
    }
    return copies
  }

  private copiesOf(layer: LayerBase): Chain {
    if (layer instanceof Model) return [this.model(layer)]
    return layer instanceof InputLayer ? [remade(layer)] : this.clone(layer)
  }

  model(model: Model): LayerBase {
    const { graph, name, trainable } = model
    const buildSpec = buildSpecOf(model)
    if (model instanceof Sequential) {
      const layers = model.listed.flatMap((each) => this.chain(each))
      const copy = sequentialLike(model, layers)
      if (buildSpec !== null) copy.ensureBuilt(buildSpec)
      return copy
    }
    if (graph !== null && takesGraph(model.constructor))
      return Reflect.construct(model.constructor, [
        { ...this.graph(graph), name, trainable, ...(hasTable(model) && { table: model.table }) },
      ])
    const copy = remade(model)
    stateOf(copy).isApart = stateOf(model).isApart
    if (buildSpec !== null) copy.ensureBuilt(buildSpec)
    return copy
  }

  private inputLayer(layer: InputLayer): InputLayer {
    const [copy] = this.chain(layer)
    if (copy instanceof InputLayer) return copy
    throw internalError(`the copy of ${layer} is no InputLayer`)
  }

  /** Repeats the calls of a graph with the layers of the clone. */
  private graph(graph: LayerGraph): { inputs: unknown; outputs: unknown } {
    const symbols = new Map<Tensor, Tensor>()
    flatten(graph.inputs).forEach((symbol, i) => symbols.set(symbol, inputOf(this.inputLayer(graph.inputLayers[i]!))))
    const copyOf = (symbol: Tensor): Tensor | undefined => symbols.get(symbol)
    for (const { layer, input, options, outputs } of graph.calls) {
      const [first, ...rest] = this.chain(layer)
      const result = rest.reduce(
        (before, next) => applyTree(next, before, {}),
        applyTree(first!, replaceSymbols(input, copyOf), replaceSymbols(options, copyOf)),
      )
      const results = symbolsOfCall(result)
      outputs.forEach((symbol, i) => symbols.has(symbol) || symbols.set(symbol, results[i]!))
    }
    return { inputs: replaceSymbols(graph.inputs, copyOf), outputs: replaceSymbols(graph.outputs, copyOf) }
  }
}
