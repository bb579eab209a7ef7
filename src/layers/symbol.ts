// Symbols of functional models: Input() makes the first ones, and a layer that is called on symbols records the call and
// gives new ones. Nothing is written on the layer, so one layer may be called many times. Who walks the recorded calls is
// models/layer-graph.ts.

import { StateError } from '../core/errors'
import type { Shape } from '../core/shapes'
import type { Tree } from '../core/tree'
import { flatten, isBranch, mapTree, unflatten } from '../core/tree'
import type { TensorSymbol } from '../ops/tensor'
import { Tensor } from '../ops/tensor'
import type { TensorSpec } from './spec'

/** A layer as far as symbols know it. */
export interface RecordedLayer {
  readonly name: string
}

/** One call of a layer on symbols. */
export interface LayerCall<Layer extends RecordedLayer = RecordedLayer> {
  /** Rises with time, so that the calls of a model in the order of their numbers are in an order of execution. */
  readonly id: number
  readonly layer: Layer
  /** Symbols, and constants between them; null for an input of the model. */
  readonly input: Tree<unknown>
  /** What was said besides: training, mask, initialState. */
  readonly options: Readonly<Record<string, unknown>>
  /** The tree of results, by position in `outputs`. */
  readonly structure: Tree<number>
  readonly outputs: readonly Tensor[]
}

class GraphSymbol implements TensorSymbol {
  readonly whyNoData = 'is a symbol of a model, which has no data. Make a Model of it, and give the model data.'
  constructor(
    readonly call: LayerCall,
    readonly index: number,
    readonly spec: TensorSpec,
  ) {}
}

let calls = 0

/** An op has no more arguments than these. */
const MOST_ARGUMENTS = 8

/** The calls of each layer. */
const callsByLayer = new WeakMap<RecordedLayer, LayerCall[]>()

/** How a layer was called on symbols, by whatever model. */
export function callsOf(layer: RecordedLayer): readonly LayerCall[] {
  return callsByLayer.get(layer) ?? []
}

/** The first call of a layer: Keras's rule for its input and output. @throws StateError when there is none */
export function firstCall(layer: RecordedLayer): LayerCall {
  const [first] = callsOf(layer)
  if (first !== undefined) return first
  throw new StateError(`${layer} was never called on symbols, so it has no input or output`)
}

/** Records a call, and gives the symbols of its results. */
export function recordCall(
  layer: RecordedLayer,
  input: Tree<unknown>,
  options: Readonly<Record<string, unknown>>,
  outputs: Tree<TensorSpec>,
): Tree<Tensor> {
  const symbols: Tensor[] = []
  let at = 0
  const structure = mapTree(outputs, () => at++)
  const call: LayerCall = { id: calls++, layer, input, options, structure, outputs: symbols }
  for (const spec of flatten(outputs)) {
    // An open extent is null, which the type of tensors with data does not say.
    symbols.push(new Tensor(new GraphSymbol(call, symbols.length, spec), spec.shape as Shape, spec.dtype))
  }
  const known = callsByLayer.get(layer)
  if (known === undefined) callsByLayer.set(layer, [call])
  else known.push(call)
  return unflatten<Tensor>(structure, symbols)
}

/** Where a symbol comes from; null for every other tensor, and for everything else. */
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

/** Whether a tree has a symbol in it. Rows of numbers are not looked through. */
export function hasSymbol(tree: unknown): boolean {
  return tree instanceof Tensor ? isSymbol(tree) : hasSymbolWithin(tree, new Set())
}

/** @param seen the branches that were looked through: an array that holds itself must end */
function hasSymbolWithin(tree: unknown, seen: Set<unknown>): boolean {
  if (tree instanceof Tensor) return isSymbol(tree)
  if (!isBranch(tree) || isRow(tree) || seen.has(tree)) return false
  seen.add(tree)
  return Object.values(tree).some((each) => hasSymbolWithin(each, seen))
}

/** Whether a branch is data, which is not looked through. Arguments such as (2, x, 3) are few. */
function isRow(tree: object): boolean {
  return (
    Array.isArray(tree) &&
    typeof tree[0] === 'number' &&
    (tree.length > MOST_ARGUMENTS || tree.every((each) => typeof each === 'number'))
  )
}

/** Replaces the symbols in a tree; everything else stays. */
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
