// Copies a model with some layers replaced, for quantize and lowRank.

import { StateError, internalError } from '../core/errors'
import { inFiles } from '../layers/saved-weights'
import type { LayerBase } from '../layers/layer'
import { remade } from '../layers/remade'
import { cloneInParts, type Chain } from '../models/clone'
import { LayerGraph } from '../models/layer-graph'
import { requireModel } from '../models/required-model'
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
 * copied, with their weights, random states, and regularizer state. `model` is not changed.
 * @param replace called once per layer, including layers of nested models; returns null to keep the layer
 */
export function replaceLayers<Kind extends LayerBase>(
  model: Kind,
  replace: (layer: LayerBase) => Replacement | null,
): Kind {
  requireModel('replaceLayers', model)
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
  if (!isLike(copy, model)) throw internalError(`the copy of ${model} is of another class`)
  for (const [layer, [replacement]] of made) {
    const fill = replacements.get(layer)?.fill ?? null
    if (fill !== null) fill()
    // The layers of a nested model are copied themselves.
    else if (!(replayedBy(layer) instanceof LayerGraph)) {
      copyAll(inFiles(layer.weights), inFiles(replacement!.weights))
      copyAll(layer.stateVariables, replacement!.stateVariables)
    }
  }
  compileLike(copy.training, model.training)
  return copy
}

/** A copy has the class of its original. The types of inputs and outputs follow, because its graph is the same. */
function isLike<Kind extends object>(copy: object, original: Kind): copy is Kind {
  return copy.constructor === original.constructor
}

function copyAll(from: readonly Variable[], to: readonly Variable[]): void {
  from.forEach((variable, i) => {
    const target = to[i]
    if (target === undefined) throw new StateError(`${variable.name}: the copy of its layer lacks this weight`)
    target.assign(variable.value)
    target.trainable = variable.trainable
  })
}
