// Symbols of functional models: Input() creates the first ones, and a layer that is called on symbols records the call
// and returns new ones. Nothing is stored in the layer, so one layer may be called many times. models/layer-graph.ts
// walks the recorded calls.

import { nextNumber } from '../core/numbers'
import { StateError } from '../core/errors'
import type { Shape } from '../core/shapes'
import { flatten, isBranch, mapTree, unflatten, type Tree } from '../core/tree'
import { recorderIn, symbolIn } from '../ops/recorder'
import { Tensor, type CallRecorder, type TensorSymbol } from '../ops/tensor'
import type { BatchShape, TensorSpec } from './spec'

/** A layer, as far as symbols use it. */
export interface RecordedLayer {
  readonly name: string
}

/** One call of a layer on symbols. */
export interface LayerCall<Layer extends RecordedLayer = RecordedLayer> {
  /** Increases with time, so that calls sorted by id are in an order of execution. */
  readonly id: number
  readonly layer: Layer
  /** Symbols, with constants in between; null for an input of the model. */
  readonly input: Tree<unknown>
  /** The options of the call: training, mask, initialState and others. */
  readonly options: Readonly<Record<string, unknown>>
  /** The tree of results, as indices into `outputs`. */
  readonly structure: Tree<number>
  readonly outputs: readonly Tensor[]
}

class GraphSymbol implements TensorSymbol {
  readonly whyNoData = 'is a symbol of a model, which has no data. Make a Model of it, and give the model data.'
  constructor(
    readonly call: LayerCall,
    readonly index: number,
    readonly spec: TensorSpec,
    readonly recorder: CallRecorder | undefined,
  ) {}

  get name(): string {
    return this.call.layer.name
  }
}

/** The shape of a symbol. Its open extents are null, although the type of a tensor's shape has no null. */
function shapeOfSymbol(spec: TensorSpec): Shape
function shapeOfSymbol({ shape }: TensorSpec): BatchShape {
  return shape
}

/** The calls of each layer on symbols. */
const callsByLayer = new WeakMap<RecordedLayer, LayerCall[]>()

/** The calls of a layer on symbols, in all models. */
function callsOf(layer: RecordedLayer): readonly LayerCall[] {
  return callsByLayer.get(layer) ?? []
}

/** The first call of a layer, which defines its input and output as in Keras. @throws StateError if there is none */
export function firstCall(layer: RecordedLayer): LayerCall {
  const [first] = callsOf(layer)
  if (first !== undefined) return first
  throw new StateError(`${layer} was never called on symbols, so it has no input or output`)
}

/**
 * Records a call, and returns the symbols of its results.
 * @param recorder records calls of ops on them; by default that of the input
 */
export function recordCall(
  layer: RecordedLayer,
  input: Tree<unknown>,
  options: Readonly<Record<string, unknown>>,
  outputs: TensorSpec,
  recorder?: CallRecorder,
): Tensor
export function recordCall(
  layer: RecordedLayer,
  input: Tree<unknown>,
  options: Readonly<Record<string, unknown>>,
  outputs: Tree<TensorSpec>,
  recorder?: CallRecorder,
): Tree<Tensor>
export function recordCall(
  layer: RecordedLayer,
  input: Tree<unknown>,
  options: Readonly<Record<string, unknown>>,
  outputs: Tree<TensorSpec>,
  recorder: CallRecorder | undefined = recorderIn(input),
): Tree<Tensor> {
  const symbols: Tensor[] = []
  let at = 0
  const structure = mapTree(outputs, () => at++)
  const call: LayerCall = { id: nextNumber(), layer, input, options, structure, outputs: symbols }
  for (const spec of flatten(outputs)) {
    symbols.push(new Tensor(new GraphSymbol(call, symbols.length, spec, recorder), shapeOfSymbol(spec), spec.dtype))
  }
  const known = callsByLayer.get(layer)
  if (known === undefined) callsByLayer.set(layer, [call])
  else known.push(call)
  return unflatten<Tensor>(structure, symbols)
}

/** The origin of a symbol; null for other tensors and values. */
export function originOf(
  value: unknown,
): { readonly call: LayerCall; readonly index: number; readonly spec: TensorSpec } | null {
  const symbol = value instanceof Tensor ? Tensor.symbolOf(value) : null
  return symbol instanceof GraphSymbol ? symbol : null
}

/** Whether a value is the symbol of a functional model. */
export function isSymbol(value: unknown): value is Tensor {
  return originOf(value) !== null
}

/** Whether a tree contains a symbol. Rows of numbers are not searched. */
export function hasSymbol(tree: unknown): boolean {
  return symbolIn(tree) !== undefined
}

/** Replaces the symbols in a tree; other leaves stay. */
export function replaceSymbols(
  tree: Readonly<Record<string, unknown>>,
  replace: (symbol: Tensor) => unknown,
): Readonly<Record<string, unknown>>
export function replaceSymbols(tree: unknown, replace: (symbol: Tensor) => unknown): unknown
export function replaceSymbols(tree: unknown, replace: (symbol: Tensor) => unknown): unknown {
  if (tree instanceof Tensor) return originOf(tree) === null ? tree : replace(tree)
  if (!isBranch(tree)) return tree
  if (Array.isArray(tree)) return tree.map((each: unknown) => replaceSymbols(each, replace))
  return Object.fromEntries(Object.entries(tree).map(([key, each]) => [key, replaceSymbols(each, replace)]))
}

/** The symbols in a tree. */
export function symbolsIn(tree: unknown): Tensor[] {
  const found: Tensor[] = []
  replaceSymbols(tree, (symbol) => found.push(symbol))
  return found
}
