// The same model with other layers in some places: what quantize and lowRank have in common.

import { StateError } from '../core/errors'
import { typed } from '../core/tree'
import type { LayerBase } from '../layers/base'
import { remade } from '../layers/remade'
import type { Chain } from '../models/clone'
import { cloneInParts } from '../models/clone'
import { LayerGraph } from '../models/layer-graph'
import type { Model } from '../models/model'
import type { Variable } from '../ops/variable'
import { withRuntime } from '../runtime/current'
import { compileLike } from '../training/compile-like'

/** What stands for a layer. */
export interface Replacement {
  /** Called one after the other. */
  readonly layers: Chain
  /** Gives them their weights, once they are built; null where they have those of the layer. */
  readonly fill: (() => void) | null
}

/**
 * A model of the same graph, compiled alike with an optimizer that begins anew. Layers for which nothing else stands are made again,
 * with all their weights, positions of random streams, and what regularizers keep. The given model stays as it is.
 * @param replace called once for each layer, also of models within; null for one that stays
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
    // The layers of a model within are there themselves.
    else if (!(layer.graph instanceof LayerGraph)) {
      copyAll(layer.weights, own!.weights)
      copyAll(layer.stateVariables, own!.stateVariables)
    }
  }
  compileLike(copy.trainer, model.trainer)
  return typed(copy)
}

function copyAll(from: readonly Variable[], to: readonly Variable[]): void {
  from.forEach((variable, i) => {
    const target = to[i]
    if (target === undefined) throw new StateError(`${variable.name}: the copy of its layer has no such weight`)
    target.assign(variable.value)
    target.trainable = variable.trainable
  })
}
