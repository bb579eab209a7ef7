// The names of weights in TensorFlow.js, by which it finds them in a file: the name of the layer, and that of the weight. The names of
// cells and of nested models are not part of it.

import { nameOfClass } from '../../../core/registry'
import { inFiles } from '../../../layers/saved-weights'
import { isList } from '../../containers/json'
import { kerasName } from '../../keras/write-names'
import { Layer, type LayerBase } from '../../../layers/layer'
import { Model } from '../../../models/model'
import type { Variable } from '../../../ops/variable'

/** A weight under its name in a file. */
export interface NamedWeight {
  readonly name: string
  /** Other names, in files of the converter: with the names of cells, and `dense/0` in those that were made of `.keras` files. */
  readonly others: readonly string[]
  readonly variable: Variable
  /** The layer that has it. */
  readonly layer: LayerBase
}

/** Weights that have another name there. */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  DepthwiseConv1D: { kernel: 'depthwise_kernel' },
  DepthwiseConv2D: { kernel: 'depthwise_kernel' },
}

/** The name of a weight without its scope. */
function ownName(layer: LayerBase, { name }: Variable): string {
  const step = kerasName(name.slice(name.lastIndexOf('/') + 1))
  return NAMES[nameOfClass(layer.constructor)]?.[step] ?? step
}

/** An inner layer, and the prefixes of its weights' names here and in Keras. */
type Inner = readonly [layer: LayerBase, scope: string, kerasScope: string]

/** The layers in a list. */
export function layersIn(list: unknown): readonly LayerBase[] {
  return isList(list) ? list.filter((each) => each instanceof Layer) : []
}

function innerLayers(outer: LayerBase): readonly Inner[] {
  const className = nameOfClass(outer.constructor)
  return Object.entries<unknown>({ ...outer }).flatMap(([property, value]): Inner[] => {
    if (property === 'cells' && className === 'StackedRNNCells')
      return layersIn(value).map((cell, i): Inner => [cell, `/RNNCell_${i}`, `/${cell.name}`])
    if (!(value instanceof Layer)) return []
    const step = `/${value.name}`
    if (property === 'cell') return [[value, '', step]]
    return className === 'TimeDistributed' ? [[value, '', '']] : [[value, step, step]]
  })
}

/** The weights of a model, each once, in the order of its layers. */
export function namedWeights(model: LayerBase): readonly NamedWeight[] {
  const seen = new Set<LayerBase>()
  const found: NamedWeight[] = []
  const visit = (layer: LayerBase, scope: string, kerasScope: string): void => {
    if (seen.has(layer)) return
    seen.add(layer)
    if (layer instanceof Model && layer.graph !== null) {
      for (const each of layer.layers) visit(each, each.name, each.name)
      return
    }
    inFiles(layer.ownWeights).forEach((variable, i) => {
      const title = ownName(layer, variable)
      found.push({ name: `${scope}/${title}`, others: [`${kerasScope}/${title}`, `${scope}/${i}`], variable, layer })
    })
    for (const [inner, step, kerasStep] of innerLayers(layer)) visit(inner, scope + step, kerasScope + kerasStep)
  }
  visit(model, model.name, model.name)
  return found
}

/**
 * Finds weights by their names in a file. Files of Keras have the names of cells and of models, too: `lstm/lstm_cell/kernel`,
 * `encoder/dense/kernel`.
 */
export function finderOf(weights: readonly NamedWeight[]): (name: string) => Variable | undefined {
  const byName = new Map<string, Variable>()
  const put = (name: string, variable: Variable): void => void (byName.has(name) || byName.set(name, variable))
  for (const { name, variable } of weights) put(name, variable)
  for (const { others, variable } of weights) for (const each of others) put(each, variable)
  // Without a scope, if there is only one weight of the name.
  const alike = new Map<string, Variable[]>()
  for (const { name, variable } of weights) {
    const last = name.slice(name.lastIndexOf('/') + 1)
    alike.set(last, [...(alike.get(last) ?? []).slice(0, 1), variable])
  }
  for (const [last, [variable, another]] of alike) if (another === undefined) put(last, variable!)
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
