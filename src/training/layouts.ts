// The layouts of the data that a model expects, from its graph or from the specs it was built for.

import { TensorSpec } from '../core/spec'
import { flatten, isBranch, type Tree } from '../core/tree'
import { UNKNOWN_LAYOUT, type Layout } from '../data/samples/layout'
import type { TrainedModel } from './step'
import { inputDtypeOf } from '../layers/traits'
import { buildSpecOf } from '../layers/weight-lists'

export interface Layouts {
  readonly x: Layout
  readonly y: Layout
}

export function layoutsOf(model: TrainedModel): Layouts {
  const { graph } = model
  if (graph === null) {
    const input = buildSpecOf(model) ?? (model.takesOneInput ? new TensorSpec([null, null], inputDtypeOf(model)) : null)
    // The outputs of a custom class are unknown until it is called.
    return { x: { structure: input, names: [] }, y: UNKNOWN_LAYOUT }
  }
  return {
    x: { structure: graph.inputSpecs, names: graph.inputNames },
    y: {
      structure: graph.outputSpecs,
      names: namesOfOutputs(graph.outputSpecs, graph.outputNames),
    },
  }
}

/**
 * The names of outputs: for a record its keys, numbered if there are several outputs below one key; otherwise the names
 * of the layers that make them.
 */
export function namesOfOutputs(specs: Tree<unknown>, layerNames: readonly string[]): readonly string[] {
  if (!isBranch(specs) || Array.isArray(specs)) return layerNames
  return Object.entries(specs).flatMap(([key, child]) => {
    const count = flatten(child as Tree<unknown>).length
    return count === 1 ? [key] : Array.from({ length: count }, (_, i) => `${key}_${i}`)
  })
}
