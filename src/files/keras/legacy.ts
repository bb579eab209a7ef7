// HDF5 files of whole models, `.h5`, and of weights by layers: what Keras wrote before `.keras`. Weights are listed by the names of
// layers, a nested model as one layer: first its trainable weights, then the others.

import { FormatError, listed } from '../../core/errors'
import type { Json } from '../../core/registry'
import type { LayerBase } from '../../layers/layer'
import type { Model } from '../../models/model'
import type { Variable } from '../../ops/variable'
import type { Hdf5Array, Hdf5Dataset, Hdf5Group } from './hdf5/types'
import { isRecord, valueAt, type JsonRecord } from '../containers/json'
import { PATHS, TOP_LEVEL, legacyWeights, topLevelWeights, weightsInOrder, type ListedArrays } from './legacy-order'
import { parsePythonJson } from './python-json'
import { loadedOf, requireFitting, type Loaded } from './read-weights'
import { stepsIn } from './write-branch'
import { kerasName } from './write-names'

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
  const compile = isRecord(training) ? { ...training, optimizer: valueAt(training, 'optimizer_config') ?? null } : null
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
  // A file of weights may have a layer of this name.
  if (root.attributes.has('layer_names') || root.attributes.has('layer_names0')) return root
  const found = root.members.get('model_weights')
  return found?.kind === 'group' ? found : root
}

/** A list of names, which is divided among several attributes if it is long: `layer_names0`, `layer_names1`, … */
export function namesAt(group: Hdf5Group, name: string): readonly string[] {
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

/** The member at a path below a group. Empty steps do not count, as in HDF5. */
export function memberAt(group: Hdf5Group, path: string): Hdf5Group | Hdf5Dataset | undefined {
  let found: Hdf5Group | Hdf5Dataset | undefined = group
  for (const step of stepsIn(path)) found = found?.kind === 'group' ? found.members.get(step) : undefined
  return found
}

/** The datasets that a group lists. */
function datasetsOf(group: Hdf5Group, where: string): readonly Hdf5Dataset[] {
  return namesAt(group, 'weight_names').map((name) => {
    const found = memberAt(group, name)
    if (found?.kind === 'dataset') return found
    throw new FormatError(`The file is damaged: ${where} has no array '${name}'`)
  })
}

/** The arrays of a layer. */
interface LayerGroup extends ListedArrays {
  readonly datasets: readonly Hdf5Dataset[]
}

function layerGroup(group: Hdf5Group, name: string): LayerGroup {
  const datasets = datasetsOf(group, `the layer '${name}'`)
  return {
    group: name,
    datasets,
    names: namesAt(group, 'weight_names'),
    paths: namesAt(group, PATHS),
    shapes: datasets.map(({ shape }) => shape),
  }
}

/**
 * The arrays of the weights of a model: those of layers by the names of layers, or, if a name is not in the model, in their order; those of
 * one layer by the names of weights.
 * @throws FormatError for another number of layers or weights, for other shapes, and for names that leave open which array is which
 */
export function legacyWeightsIn(
  root: Hdf5Group,
  model: Model<unknown, unknown>,
  skipped: string[] | null = null,
): readonly Loaded[] {
  const group = weightsGroup(root)
  const groups = namesAt(group, 'layer_names').flatMap((name) => {
    const member = memberAt(group, name)
    if (member?.kind !== 'group') throw new FormatError(`The file is damaged: it has no weights of the layer '${name}'`)
    const arrays = layerGroup(member, name)
    return arrays.datasets.length === 0 ? [] : [arrays]
  })
  const layers = model.layers.filter((layer) => legacyWeights(layer).length > 0)
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const isByName = groups.every(({ group: name }) => byName.has(name))
  if (groups.length !== layers.length)
    throw new FormatError(
      `The weights of the file do not fit the model: ${layers.length} layers of ${model} have weights, but the file has those of ${groups.length}: ${groups.map(({ group: name }) => name).join(', ')}`,
    )
  const loaded = groups.flatMap((arrays, i) => {
    const layer = isByName ? byName.get(arrays.group)! : layers[i]!
    return arraysOf(layer, legacyWeights(layer), arrays, skipped)
  })
  const top = memberAt(group, TOP_LEVEL)
  const weights = topLevelWeights(model)
  const others = top?.kind === 'group' && !byName.has(TOP_LEVEL) ? layerGroup(top, TOP_LEVEL) : null
  if (weights.length > 0 || (others?.datasets.length ?? 0) > 0)
    loaded.push(...arraysOf(model, weights, others ?? NO_ARRAYS, skipped))
  requireFitting(loaded, [])
  return loaded
}

const NO_ARRAYS: LayerGroup = { group: TOP_LEVEL, names: [], paths: [], shapes: [], datasets: [] }

/** The arrays for weights of a layer. @throws FormatError for another number of them, and for names of which the order is not clear */
function arraysOf(
  layer: LayerBase,
  weights: readonly Variable[],
  arrays: LayerGroup,
  skipped: string[] | null,
): readonly Loaded[] {
  const { group, datasets } = arrays
  const variables = weightsInOrder(layer, weights, arrays)
  const found = loadedOf({ layer, variables, datasets, path: group }, skipped)
  if (found !== null) return found
  if (weights.length === datasets.length) throw unclear(layer, weights, arrays)
  throw new FormatError(
    `The weights of the file do not fit the model: ${layer} has ${weights.length} weights, but the file has ${datasets.length} at '${group}'`,
  )
}

/** The error for arrays of which the names do not say to which weights they belong. */
function unclear(layer: LayerBase, weights: readonly Variable[], { group, names }: ListedArrays): FormatError {
  const ours = weights.map(({ name }) => kerasName(name))
  return new FormatError(
    `The weights of the file do not fit the model: the file has ${listed(names, ', ')} at '${group}', but the weights of ${layer} are ${listed(ours, ', ')}. Give its inner layers the names of the file, or set trainable as it was when the file was written`,
  )
}

/** The arrays of the optimizer, and whether they are listed slot by slot, as optimizers before Keras 2.11 have them. */
export function legacyOptimizer(root: Hdf5Group): {
  readonly datasets: readonly Hdf5Dataset[]
  readonly isApart: boolean
  readonly paths: readonly string[]
} {
  const group = root.members.get('optimizer_weights')
  if (group?.kind !== 'group') return { datasets: [], isApart: false, paths: [] }
  return {
    datasets: datasetsOf(group, 'optimizer_weights'),
    // Keras 2.0 to 2.3 has `iterations:0`.
    isApart: /\/iter(?::0)?$|\biterations(?:_\d+)?:0$/.test(namesAt(group, 'weight_names')[0] ?? ''),
    paths: namesAt(group, PATHS),
  }
}
