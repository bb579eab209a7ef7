// LayerGraph: the structure of a model as an immutable value. The calls of layers between inputs and outputs, found by
// walking back from the outputs; other code replays, counts, draws and saves them.

import { ArgumentError } from '../core/errors'
import { flatten, mapTree, type Tree } from '../core/tree'
import type { LayerBase } from '../layers/layer'
import { InputLayer } from '../layers/core/input-layer'
import { isFormerOrder } from '../layers/weight-lists'
import type { TensorSpec } from '../layers/spec'
import { isSymbol, originOf, replaceSymbols } from '../layers/symbol'
import { Tensor } from '../ops/tensor'
import { layersByDepth, symbolsByKey, walkBack, type GraphCall } from './graph-order'
import { applyTree } from '../layers/applying'
import { replayedBy, traitsOf } from '../layers/traits'

export type { GraphCall } from './graph-order'

/** Checks the data of one input. */
export interface InputCheck {
  readonly position: number
  check(data: Tensor): void
}

export class LayerGraph {
  /** The types of the inputs, as a tree. */
  readonly inputSpecs: Tree<TensorSpec>
  /** The types of the outputs, as a tree. */
  readonly outputSpecs: Tree<TensorSpec>

  private constructor(
    /** Symbols. */
    readonly inputs: Tree<Tensor>,
    readonly outputs: Tree<Tensor>,
    /** The layers of the inputs, in the order of `flatten(inputs)`. */
    readonly inputLayers: readonly InputLayer[],
    /** The calls except those of inputs, in an order in which every symbol is created before it is used. */
    readonly calls: readonly GraphCall[],
    private readonly byDepth: readonly LayerBase[],
  ) {
    this.inputSpecs = mapTree(inputs, (symbol) => originOf(symbol)!.spec)
    this.outputSpecs = mapTree(outputs, (symbol) => originOf(symbol)!.spec)
  }

  /**
   * The graph between symbols.
   * @throws ArgumentError if an output needs an Input that is not among the inputs, or if names are not unique
   */
  static between(inputs: unknown, outputs: unknown): LayerGraph {
    requireSymbols('inputs', inputs)
    requireSymbols('outputs', outputs)
    const symbols = flatten(inputs)
    if (new Set(symbols).size !== symbols.length) throw new ArgumentError('Model: the inputs must be distinct')
    const distinct = new Set(symbolsByKey(inputs))
    const walk = walkBack(distinct, outputs)
    // An input that begins inside another model has the name of the layer that creates its symbol.
    const inputLayers = symbols.map((symbol) => {
      const { call, spec } = originOf(symbol)!
      if (call.layer instanceof InputLayer) return call.layer
      const [batchSize, ...shape] = spec.shape
      return new InputLayer({
        shape,
        batchSize: batchSize ?? null,
        dtype: spec.dtype,
        name: `${call.layer.name}_input`,
      })
    })
    const layerOfInput = new Map<Tensor, LayerBase>(symbols.map((symbol, i) => [symbol, inputLayers[i]!]))
    const graph = new LayerGraph(
      inputs,
      outputs,
      inputLayers,
      walk.left.filter((node): node is GraphCall => !(node instanceof Tensor)).sort((a, b) => a.id - b.id),
      layersByDepth(walk, distinct, (node) => (node instanceof Tensor ? layerOfInput.get(node)! : node.layer)),
    )
    requireUniqueNames(graph.layers)
    return graph
  }

  private knownLayers: readonly LayerBase[] | null = null

  /** Every layer once, in the order of its first call; the inputs first. Files list them in this order. */
  get layersByCall(): readonly LayerBase[] {
    this.knownLayers ??= Object.freeze([
      ...new Set<LayerBase>([...this.inputLayers, ...this.calls.map(({ layer }) => layer)]),
    ])
    return this.knownLayers
  }

  /** Every layer once, in Keras's order: by depth, then in the order of a walk from the outputs. */
  get layers(): readonly LayerBase[] {
    return isFormerOrder() ? this.layersByCall : this.byDepth
  }

  private knownChecks: readonly InputCheck[] | null = null

  /** The checks of each input, by position: by the layers that read it first, also in nested models. */
  get inputChecks(): readonly InputCheck[] {
    this.knownChecks ??= flatten(this.inputs).flatMap((symbol, position) =>
      this.calls.flatMap((call) =>
        flatten(call.input).flatMap((leaf, i): InputCheck[] => {
          const { layer } = call
          if (leaf !== symbol) return []
          const graph = replayedBy(layer)
          const within = graph instanceof LayerGraph ? graph.inputChecks.filter((check) => check.position === i) : []
          const { validateInput } = traitsOf(layer)
          const ofLayer =
            validateInput === undefined ? [] : [{ position, check: (data: Tensor) => validateInput(layer, data) }]
          return [...ofLayer, ...within.map(({ check }) => ({ position, check }))]
        }),
      ),
    )
    return this.knownChecks
  }

  /** The names of the inputs in a record of data, in the order of `flatten(inputs)`. */
  get inputNames(): readonly string[] {
    return this.inputLayers.map(({ name }) => name)
  }

  /** The names of the layers that create the outputs, in the order of `flatten(outputs)`. */
  get outputNames(): readonly string[] {
    return flatten(this.outputs).map((symbol) => originOf(symbol)!.call.layer.name)
  }

  /** Calls the layers on tensors, as they were called on symbols. */
  run(inputs: Tree<Tensor>): Tree<Tensor> {
    const values = new Map<Tensor, Tensor>()
    const tensors = flatten(inputs)
    flatten(this.inputs).forEach((symbol, i) => values.set(symbol, tensors[i]!))
    const valueOf = (symbol: Tensor): unknown => values.get(symbol)
    for (const call of this.calls) {
      const options = replaceSymbols(call.options, valueOf)
      const results = flatten(applyTree(call.layer, replaceSymbols(call.input, valueOf), options))
      call.outputs.forEach((symbol, i) => {
        if (!values.has(symbol)) values.set(symbol, results[i]!)
      })
    }
    return mapTree(this.outputs, (symbol) => values.get(symbol)!)
  }
}

/** @throws ArgumentError for a tree without leaves, and for leaves that are not symbols */
function requireSymbols(what: string, tree: unknown): asserts tree is Tree<Tensor> {
  const leaves = flatten(tree)
  if (leaves.length === 0) throw new ArgumentError(`Model: needs ${what}`)
  const others = leaves.filter((leaf) => !isSymbol(leaf))
  if (others.length > 0)
    throw new ArgumentError(
      `Model: ${what} must be symbols, made by Input() and by calls of layers, received ${String(others[0])}`,
    )
}

function requireUniqueNames(layers: readonly LayerBase[]): void {
  const byName = new Map<string, LayerBase>()
  for (const layer of layers) {
    const other = byName.get(layer.name)
    if (other !== undefined)
      throw new ArgumentError(`Model: there are two layers named '${layer.name}'. Names must differ within a model.`)
    byName.set(layer.name, layer)
  }
}
