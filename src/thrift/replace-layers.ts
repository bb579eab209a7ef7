// Copies a model with some layers replaced, for quantize and lowRank.

import { StateError } from '../core/errors'
import { typed } from '../core/tree'
import { inFiles } from '../layers/saved-weights'
import type { LayerBase } from '../layers/layer'
import { remade } from '../layers/remade'
import { cloneInParts, type Chain } from '../models/clone'
import { LayerGraph } from '../models/layer-graph'
import type { Model } from '../models/model'
import type { Variable } from '../ops/variable'
import { withRuntime } from '../engine/runtime/current'
import { compileLike } from '../training/compile-like'
import { replayedBy } from '../layers/traits'

/** The layers that replace a layer. */
export interface Replacement {
  /** Called one after the other. */
  readonly layers: Chain
  /** Sets their weights once they are built; null to copy those of the original. */
  readonly fill: (() => void) | null
}

/**
 * A model of the same graph, compiled with the same options and a fresh optimizer. Layers that are not replaced are
 * copied, with their weights, random states, and regularizer state. The given model is not changed.
 * @param replace called once per layer, including layers of nested models; returns null to keep the layer
 */
export function replaceLayers<Kind extends LayerBase>(
  whole: Kind,
  replace: (layer: LayerBase) => Replacement | null,
): Kind {
  const model = typed<Model<never, never>>(whole)
  const replacements = new Map<LayerBase, Replacement>()
  const make = () =>
    cloneInParts(model, (layer) => {
      const replacement = replace(layer)
      if (replacement === null) return [remade(layer)]
      replacements.set(layer, replacement)
      return replacement.layers
    })
  const [weight] = model.weights
  const { model: copy, made } = weight === undefined ? make() : withRuntime(weight.runtime, make)
  for (const [layer, [own]] of made) {
    const fill = replacements.get(layer)?.fill ?? null
    if (fill !== null) fill()
    // The layers of a nested model are copied themselves.
    else if (!(replayedBy(layer) instanceof LayerGraph)) {
      copyAll(inFiles(layer.weights), inFiles(own!.weights))
      copyAll(layer.stateVariables, own!.stateVariables)
    }
  }
  compileLike(copy.training, model.training)
  return typed(copy)
}

function copyAll(from: readonly Variable[], to: readonly Variable[]): void {
  from.forEach((variable, i) => {
    const target = to[i]
    if (target === undefined) throw new StateError(`${variable.name}: the copy of its layer lacks this weight`)
    target.assign(variable.value)
    target.trainable = variable.trainable
  })
}
