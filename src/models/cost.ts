// The cost of running a model, in floating-point operations and bytes: counted on the graphs that run, by the
// conventions of engine/primitives/flops.ts. summary.ts prints the table.

import { flatten, unflatten, type Tree } from '../core/tree'
import type { LayerBase } from '../layers/layer'
import { whileInferring } from '../layers/context'
import type { TensorSpec } from '../layers/spec'
import { trace, untraced } from '../ops/trace'
import type { Tensor } from '../ops/tensor'
import { costOf, type GraphCost } from '../engine/plan/cost'
import { simplify } from '../engine/plan/simplify'
import type { LayerGraph } from './layer-graph'
import { buildSpecOf } from '../layers/weight-lists'
import { predicted } from '../training/step'

/** A model, as far as its costs go. */
export interface CostedModel extends LayerBase {
  readonly graph: LayerGraph | null
  predictStep(x: unknown): unknown
}

/**
 * The cost of predicting some rows, by default one; null if the model's input is not known yet, or if extents other
 * than the number of rows are open.
 */
export function predictionCost(model: CostedModel, rows = 1): GraphCost | null {
  const specs: Tree<TensorSpec> | null = model.graph?.inputSpecs ?? buildSpecOf(model)
  if (specs === null || flatten(specs).some(({ shape }) => shape.slice(1).includes(null))) return null
  const types = flatten(specs).map(({ shape, dtype }) => ({
    shape: shape.map((extent, axis) => (axis === 0 ? (extent ?? rows) : extent!)),
    dtype,
  }))
  const { graph } = untraced(() =>
    whileInferring(() =>
      trace(types, (symbols) => {
        const input: Tree<Tensor> = unflatten(specs, symbols)
        return flatten<Tensor>(predicted(model, input))
      }),
    ),
  )
  return costOf(simplify(graph))
}

/**
 * The operations of each scope with all its inner scopes: those of `model/block/dense` count for `model/block` as well.
 * @param scopes if names contain slashes, the longest matching one counts
 */
export function flopsWithin({ byScope }: GraphCost, scopes: readonly string[]): Map<string, number> {
  const flops = new Map(scopes.map((scope) => [scope, 0]))
  for (const [innermost, cost] of byScope) {
    const [within] = scopes
      .filter((scope) => innermost === scope || innermost.startsWith(`${scope}/`))
      .sort((a, b) => b.length - a.length)
    if (within !== undefined) flops.set(within, flops.get(within)! + cost.flops)
  }
  return flops
}
