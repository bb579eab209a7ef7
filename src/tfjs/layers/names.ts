// The names of weights in TensorFlow.js, by which it finds them in a file: the name of the layer, and that of the weight. Cells have no
// names of their own, layers in models have no names of the models.

import { nameOfClass } from '../../core/registry'
import { inFiles } from '../../formats/weights'
import { kerasName } from '../../keras/write-names'
import type { LayerBase } from '../../layers/layer'
import { Layer } from '../../layers/layer'
import { Model } from '../../models/model'
import type { Variable } from '../../ops/variable'

/** A weight under its name in a file. */
export interface NamedWeight {
  readonly name: string
  /** `dense/0`: the name in files that were converted from `.keras`. */
  readonly numbered: string
  readonly variable: Variable
}

/** Weights that have another name there. */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DepthwiseConv1D: { kernel: 'depthwise_kernel' },
  DepthwiseConv2D: { kernel: 'depthwise_kernel' },
}

/** The name of a weight without its scope. */
function ownName(layer: LayerBase, { name }: Variable): string {
  const own = kerasName(name.slice(name.lastIndexOf('/') + 1))
  return NAMES[nameOfClass(layer.constructor)]?.[own] ?? own
}

/** What the names of weights of an inner layer begin with. */
function innerScope(outer: LayerBase, property: string, inner: LayerBase): string {
  const isDirection = nameOfClass(outer.constructor) === 'Bidirectional'
  return !isDirection && ['cell', 'layer'].includes(property) ? '' : `/${inner.name}`
}

/** The weights of a model, each once, in the order of its layers. */
export function namedWeights(model: LayerBase): readonly NamedWeight[] {
  const seen = new Set<LayerBase>()
  const found: NamedWeight[] = []
  const visit = (layer: LayerBase, scope: string): void => {
    if (seen.has(layer)) return
    seen.add(layer)
    if (layer instanceof Model && layer.graph !== null) {
      for (const each of layer.layers) visit(each, each.name)
      return
    }
    inFiles(layer.ownWeights).forEach((variable, i) =>
      found.push({ name: `${scope}/${ownName(layer, variable)}`, numbered: `${scope}/${i}`, variable }),
    )
    for (const [property, value] of Object.entries<unknown>({ ...layer })) {
      if (value instanceof Layer) visit(value, scope + innerScope(layer, property, value))
      else if (property === 'cells' && nameOfClass(layer.constructor) === 'StackedRNNCells')
        (value as LayerBase[]).forEach((cell, i) => visit(cell, `${scope}/RNNCell_${i}`))
    }
  }
  visit(model, model.name)
  return found
}

/**
 * Finds weights by their names in a file. Files of Keras have the names of cells and of models, too: `lstm/lstm_cell/kernel`,
 * `encoder/dense/kernel`.
 */
export function finderOf(weights: readonly NamedWeight[]): (name: string) => Variable | undefined {
  const byName = new Map(
    weights.flatMap(({ name, numbered, variable }) => [
      [name, variable],
      [numbered, variable],
    ]),
  )
  return (name) => {
    const steps = name.split('/')
    const [last] = steps.slice(-1)
    const candidates = [steps, [...steps.slice(0, -2), last], steps.slice(-3), steps.slice(-2), [steps.at(-3), last]]
    for (const candidate of candidates) {
      const variable = byName.get(candidate.join('/'))
      if (variable !== undefined) return variable
    }
    return undefined
  }
}
