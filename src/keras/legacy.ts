// HDF5 files of whole models, `.h5`, and of weights by layers: what Keras wrote before `.keras`. Weights are listed by the names of
// layers, a nested model as one layer: first its trainable weights, then the others.

import { FormatError } from '../core/errors'
import type { Json } from '../core/registry'
import type { LayerBase } from '../layers/layer'
import type { Model } from '../models/model'
import type { Variable } from '../ops/variable'
import type { Hdf5Array, Hdf5Dataset, Hdf5Group } from './hdf5/types'
import type { JsonRecord } from '../formats/json'
import { isRecord, own } from '../formats/json'
import { parsePythonJson } from './python-json'
import type { Loaded } from './weights'
import { loadedOf, requireFitting } from './weights'

/** What a legacy file has besides weights. */
export interface LegacyFile {
  /** The configuration of the model; null in a file of weights. */
  readonly config: Json
  /** The options of compile, as `.keras` files have them; null without them. */
  readonly compile: JsonRecord | null
  /** Whether Keras 2 wrote it. */
  readonly isFormer: boolean
}

/** Whether a file is of this kind: `.weights.h5` files of today have no names of layers. */
export function isLegacy(root: Hdf5Group): boolean {
  return root.members.has('model_weights') || root.attributes.has('layer_names') || root.attributes.has('layer_names0')
}

export function legacyFile(root: Hdf5Group): LegacyFile {
  const config = jsonAt(root, 'model_config')
  const training = jsonAt(root, 'training_config')
  const version = textAt(root, 'keras_version') ?? textAt(weightsGroup(root), 'keras_version') ?? ''
  const compile = isRecord(training) ? { ...training, optimizer: own(training, 'optimizer_config') ?? null } : null
  return { config, compile: compile?.optimizer == null ? null : compile, isFormer: !version.startsWith('3.') }
}

function textAt(group: Hdf5Group, name: string): string | null {
  const value: unknown = group.attributes.get(name)?.values[0]
  return typeof value === 'string' ? value : null
}

function jsonAt(group: Hdf5Group, name: string): Json {
  const text = textAt(group, name)
  return text === null ? null : parsePythonJson(text, name)
}

function weightsGroup(root: Hdf5Group): Hdf5Group {
  const found = root.members.get('model_weights')
  return found?.kind === 'group' ? found : root
}

/** A list of names, which is divided among several attributes if it is long: `layer_names0`, `layer_names1`, … */
function namesAt(group: Hdf5Group, name: string): readonly string[] {
  const whole = group.attributes.get(name)
  if (whole !== undefined) return textsOf(whole)
  const parts: string[] = []
  for (let i = 0; ; i++) {
    const part = group.attributes.get(`${name}${i}`)
    if (part === undefined) return parts
    parts.push(...textsOf(part))
  }
}

const textsOf = ({ values }: Hdf5Array): string[] => Array.from<unknown>(values).map(String)

/** The datasets that a group lists. */
function datasetsOf(group: Hdf5Group, where: string): readonly Hdf5Dataset[] {
  return namesAt(group, 'weight_names').map((name) => {
    let found: Hdf5Group | Hdf5Dataset | undefined = group
    for (const step of name.split('/')) found = found?.kind === 'group' ? found.members.get(step) : undefined
    if (found?.kind === 'dataset') return found
    throw new FormatError(`The file is damaged: ${where} has no array '${name}'`)
  })
}

/** The weights of a layer in the order of these files. */
export function legacyWeights(layer: LayerBase): readonly Variable[] {
  return [...layer.trainableWeights, ...layer.nonTrainableWeights].flatMap((weight) => weight.inFile ?? weight)
}

/**
 * The arrays of the weights of a model: by the names of layers, or, if a name is not in the model, in their order.
 * @throws FormatError for another number of layers or weights, and for other shapes
 */
export function legacyWeightsIn(
  root: Hdf5Group,
  model: Model<unknown, unknown>,
  skipped: string[] | null = null,
): readonly Loaded[] {
  const group = weightsGroup(root)
  const listed = namesAt(group, 'layer_names').flatMap((name) => {
    const member = group.members.get(name)
    if (member?.kind !== 'group') throw new FormatError(`The file is damaged: it has no weights of the layer '${name}'`)
    const datasets = datasetsOf(member, `the layer '${name}'`)
    return datasets.length === 0 ? [] : [{ name, datasets }]
  })
  const layers = model.layers.filter((layer) => legacyWeights(layer).length > 0)
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const isByName = listed.every(({ name }) => byName.has(name))
  if (listed.length !== layers.length)
    throw new FormatError(
      `The weights of the file do not fit the model: ${layers.length} layers of ${model} have weights, but the file has those of ${listed.length}: ${listed.map(({ name }) => name).join(', ')}`,
    )
  const loaded = listed.flatMap(({ name, datasets }, i) => {
    const layer = isByName ? byName.get(name)! : layers[i]!
    const weights = legacyWeights(layer)
    const found = loadedOf({ layer, variables: weights, datasets, path: name }, skipped)
    if (found !== null) return found
    throw new FormatError(
      `The weights of the file do not fit the model: ${layer} has ${weights.length} weights, but the file has ${datasets.length} at '${name}'`,
    )
  })
  requireFitting(loaded, [])
  return loaded
}

/** The arrays of the optimizer, and whether they are listed slot by slot, as optimizers before Keras 2.11 have them. */
export function legacyOptimizer(root: Hdf5Group): {
  readonly datasets: readonly Hdf5Dataset[]
  readonly isApart: boolean
} {
  const group = root.members.get('optimizer_weights')
  if (group?.kind !== 'group') return { datasets: [], isApart: false }
  return {
    datasets: datasetsOf(group, 'optimizer_weights'),
    isApart: /\/iter(?::0)?$/.test(namesAt(group, 'weight_names')[0] ?? ''),
  }
}
