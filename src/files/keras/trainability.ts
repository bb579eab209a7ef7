// What Keras's configurations say of the weights that are trained: they have `trainable` of each layer that is an option or part of a graph,
// but not that of a Sequential, of other inner layers, and of a single weight.

import { warn } from '../../core/warnings'
import { listed } from '../../core/errors'
import { optionsOf } from '../../core/options'
import { isBranch } from '../../core/tree'
import type { LayerBase } from '../../layers/layer'
import { Model } from '../../models/model'
import { Sequential } from '../../models/sequential'
import type { Variable } from '../../ops/variable'

/** The weights that are trainable in a layer that is made from its configuration. */
export function describedTrainable(layer: LayerBase): ReadonlySet<Variable> {
  const found = new Set<Variable>()
  const seen = new Set<LayerBase>()
  const visit = (each: LayerBase, isTrained: boolean): void => {
    if (seen.has(each)) return
    seen.add(each)
    if (isTrained) for (const weight of each.ownWeights) if (weight.madeTrainable) found.add(weight)
    const described = describedLayers(each)
    for (const inner of each.sublayers) visit(inner, isTrained && (!described.has(inner) || isSaidTrainable(inner)))
  }
  visit(layer, isSaidTrainable(layer))
  return found
}

const isSaidTrainable = (layer: LayerBase): boolean => layer.trainable || layer instanceof Sequential

/** The inner layers that the configuration of a layer has. */
function describedLayers(layer: LayerBase): ReadonlySet<unknown> {
  if (layer instanceof Model && layer.graph !== null) return new Set<unknown>(layer.sublayers)
  const values = Object.keys(optionsOf(layer.constructor)).map((option): unknown => Reflect.get(layer, option))
  return new Set(values.flatMap((value) => (isBranch(value) ? Object.values<unknown>(value) : [value])))
}

/** Warns of weights that are frozen, or trained, in a model, but not in the one that is made from its configuration. */
export function warnOfUndescribed(model: LayerBase): void {
  const described = describedTrainable(model)
  const trained = new Set(model.trainableWeights)
  const changed = model.weights.filter(
    (weight) => weight.inFile === undefined && described.has(weight) !== trained.has(weight),
  )
  if (changed.length === 0) return
  const names = changed.map((weight) => `${weight.name} (${trained.has(weight) ? 'trained' : 'frozen'})`)
  warn(
    `save: files of Keras have trainable of layers, not of single weights; these will be otherwise in the model that is loaded: ${listed(names, ', ')}. Freeze whole layers, or save as safetensors`,
  )
}
