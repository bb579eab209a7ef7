// Keras's order of a graph's layers (`keras/src/ops/function.py: map_graph`), so that lists of weights from Keras fit.

import { ArgumentError } from '../core/errors'
import { isBranch } from '../core/tree'
import { Layer, type LayerBase } from '../layers/layer'
import type { MaskTrail } from '../layers/masks'
import { originOf, type LayerCall } from '../layers/symbol'
import { Tensor } from '../ops/tensor'
import { maskTrailOf, traitsOf } from '../layers/traits'

export type GraphCall = LayerCall<LayerBase>

/** A call, or the symbol of an input of the graph. */
export type GraphNode = GraphCall | Tensor

/** The nodes between inputs and outputs, each once. */
export interface Walk {
  /** In the order in which a depth-first walk from the outputs first visits them. */
  readonly met: ReadonlySet<GraphNode>
  /** In the order in which the walk leaves them: every node after all its operands. */
  readonly left: readonly GraphNode[]
}

function isGraphCall(call: LayerCall): call is GraphCall {
  return call.layer instanceof Layer
}

/** The symbols in a tree; those of a record in alphabetical order of its keys, as in Keras. */
export function symbolsByKey(tree: unknown): Tensor[] {
  if (tree instanceof Tensor) return originOf(tree) === null ? [] : [tree]
  if (!isBranch(tree)) return []
  if (Array.isArray(tree)) return tree.flatMap(symbolsByKey)
  return Object.entries(tree)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, child]) => symbolsByKey(child))
}

function read(node: GraphNode): Tensor[] {
  return node instanceof Tensor ? [] : [...symbolsByKey(node.input), ...symbolsByKey(node.options)]
}

/** @throws ArgumentError if an output needs an Input that is not among the inputs */
function nodeOf(symbol: Tensor, inputs: ReadonlySet<Tensor>): GraphNode {
  if (inputs.has(symbol)) return symbol
  const { call } = originOf(symbol)!
  if (isGraphCall(call) && call.input !== null) return call
  throw new ArgumentError(`Model: an output depends on Input "${call.layer.name}", which is not among the inputs`)
}

/** All nodes that outputs depend on, back to the inputs. */
export function walkBack(inputs: ReadonlySet<Tensor>, outputs: unknown): Walk {
  const met = new Set<GraphNode>()
  const left: GraphNode[] = []
  // A node is pushed a second time, below its operands, to mark when they are finished.
  const open = new Set<GraphNode>()
  const nodesOf = (symbols: Tensor[]): GraphNode[] => symbols.reverse().map((symbol) => nodeOf(symbol, inputs))
  const stack = nodesOf(symbolsByKey(outputs))
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (open.delete(node)) left.push(node)
    if (met.has(node)) continue
    met.add(node)
    open.add(node)
    stack.push(node, ...nodesOf(read(node)))
  }
  return { met, left }
}

/** For each symbol with a mask, the symbols from which the mask is computed. */
function maskTrails(left: readonly GraphNode[]): ReadonlyMap<Tensor, MaskTrail> {
  const trails = new Map<Tensor, MaskTrail>()
  for (const node of left) {
    if (node instanceof Tensor) continue
    const inputs = symbolsByKey(node.input)
    const trail = maskTrailOf(
      node.layer,
      inputs,
      inputs.map((symbol) => trails.get(symbol) ?? null),
    )
    if (trail !== null) trails.set(node.outputs[0]!, trail)
  }
  return trails
}

/**
 * The layers by descending depth. The depth of a call is the length of the longest path to an output, including the ops
 * that compute masks; a layer has the largest depth of its calls. Layers of equal depth are in the order in which the
 * walk first visits them, after inputs that no output depends on, whose depth is 0.
 */
export function layersByDepth(
  { met, left }: Walk,
  inputs: ReadonlySet<Tensor>,
  layerOf: (node: GraphNode) => LayerBase,
): readonly LayerBase[] {
  const masks = maskTrails(left)
  const depths = new Map<GraphNode, number>()
  const layerDepths = new Map<LayerBase, number>()
  for (const node of [...left].reverse()) {
    const layer = layerOf(node)
    const depth = Math.max(depths.get(node) ?? 0, layerDepths.get(layer) ?? 0)
    layerDepths.set(layer, depth)
    const raise = (symbol: Tensor, least: number): void => {
      const before = nodeOf(symbol, inputs)
      depths.set(before, Math.max(depths.get(before) ?? 0, least))
    }
    for (const symbol of read(node)) raise(symbol, depth + 1)
    if (node instanceof Tensor || traitsOf(layer).readsMask?.(layer) !== true || node.options['mask'] !== undefined)
      continue
    // The ops that compute a mask are nodes of Keras's graph as well.
    for (const symbol of symbolsByKey(node.input))
      masks.get(symbol)?.forEach((ops, source) => raise(source, depth + ops + 1))
  }
  const unused = [...inputs].filter((symbol) => !met.has(symbol))
  const layers = new Set([...unused, ...met].map(layerOf))
  return Object.freeze([...layers].sort((a, b) => (layerDepths.get(b) ?? 0) - (layerDepths.get(a) ?? 0)))
}
