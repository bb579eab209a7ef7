// Writes `.h5` files: the inverse of legacy.ts. Configurations have the form of Keras 2 wherever Keras 3 reads it, so that Keras 2.15
// opens the files of models whose classes it has. Its optimizers have other variables, so training continues there with a new optimizer.

import { classNameOf, describingForFile, snakeCase } from '../../core/registry'
import { writtenAsFloats } from '../../layers/float-form'
import type { LayerBase } from '../../layers/layer'
import type { Model } from '../../models/model'
import type { Variable } from '../../ops/variable'
import type { Optimizer } from '../../optimizers/optimizer'
import { compileConfig, jsonOf, KERAS_VERSION } from './write-json'
import type { Hdf5Array, Hdf5GroupContent } from './hdf5/types'
import { writeHdf5 } from './hdf5/write'
import {
  PATHS,
  TOP_LEVEL,
  describedWeights,
  legacyWeights,
  pathsIn,
  topLevelWeights,
  trainedPaths,
} from './legacy-order'
import { optimizerArrays } from './slots'
import { warnOfUndescribed } from './trainability'
import {
  arrayFor,
  arrayOf,
  branch,
  datasetOf,
  groupAt,
  isFree,
  putNames,
  stepsIn,
  textOf,
  type Branch,
} from './write-branch'
import { kerasName } from './write-names'
import { ObjectWriter } from './write-objects'

type AnyModel = Model<unknown, unknown>

/** The bytes of a `.h5` file with a whole model. @throws FormatError that names what Keras does not have */
export function legacyModelFile(model: AnyModel, includeOptimizer: boolean): Uint8Array {
  return writtenAsFloats(model, () => legacyModel(model, includeOptimizer))
}

function legacyModel(model: AnyModel, includeOptimizer: boolean): Uint8Array {
  const compiled = includeOptimizer ? model.training.compiled : null
  const { saved, training } = describingForFile(() => ({
    saved: ObjectWriter.model(model, 'former'),
    training: compiled === null ? null : compileConfig(compiled, model, 'former'),
  }))
  warnOfUndescribed(model)
  const { class_name, config } = saved
  const root = branch()
  const put = (name: string, text: string): void => void root.attributes.set(name, textOf(text))
  put('keras_version', KERAS_VERSION)
  put('backend', BACKEND)
  put('model_config', jsonOf({ class_name: class_name!, config: config! }))
  putWeights(groupAt(root, 'model_weights'), model, describedWeights)
  if (compiled !== null && training !== null) {
    const { optimizer, ...others } = training
    put('training_config', jsonOf({ ...others, optimizer_config: optimizer! }))
    putOptimizer(groupAt(root, 'optimizer_weights'), compiled.optimizer, model)
  }
  return writeHdf5(root as Hdf5GroupContent)
}

/** The bytes of a `.h5` file with weights alone. */
export function legacyWeightsFile(model: AnyModel): Uint8Array {
  const root = branch()
  writtenAsFloats(model, () => putWeights(root, model, legacyWeights))
  return writeHdf5(root as Hdf5GroupContent)
}

/** Keras 3 writes the same arrays with every backend; Keras 2 has only this one. */
const BACKEND = 'tensorflow'

function putWeights(group: Branch, model: AnyModel, orderOf: (layer: LayerBase) => readonly Variable[]): void {
  const { layers } = model
  const taken = new Set([TOP_LEVEL])
  const names = layers.map(({ name }) => {
    const path = unique(pathOf(name, 'layer'), (each) => taken.has(each))
    taken.add(path)
    return path
  })
  putNames(group, 'layer_names', names)
  group.attributes.set('backend', textOf(BACKEND))
  group.attributes.set('keras_version', textOf(KERAS_VERSION))
  // All groups first: arrays get names that are not those of groups.
  const groups = names.map((name) => groupAt(group, name))
  layers.forEach((layer, i) => putLayer(groups[i]!, layer, orderOf(layer)))
  putLayer(groupAt(group, TOP_LEVEL), model, topLevelWeights(model))
}

function putLayer(group: Branch, layer: LayerBase, weights: readonly Variable[]): void {
  putArrays(
    group,
    weights.map((variable) => ({ name: kerasName(variable.name), array: arrayOf(variable) })),
  )
  if (weights.length > 0) putNames(group, PATHS, pathsIn(layer, weights))
}

function putOptimizer(group: Branch, optimizer: Optimizer, model: AnyModel): void {
  const scope = snakeCase(classNameOf(optimizer))
  const arrays = optimizerArrays(optimizer, { among: new Set(model.weights) }).map((part): NamedArray => {
    const counter = part.kind === 'calls' ? 'iterations' : 'unused'
    const name = part.kind === 'variable' ? part.variable.name : counter
    return { name: `${scope}/${kerasName(name).replaceAll('/', '_')}`, array: arrayFor(part) }
  })
  putArrays(group, arrays)
  putNames(group, PATHS, trainedPaths(optimizer, model))
}

/** An array, and its name; a second array of that name gets a number. */
interface NamedArray {
  readonly name: string
  readonly array: Hdf5Array
}

/** Arrays, and the list of their names, which states their order. */
function putArrays(group: Branch, arrays: readonly NamedArray[]): void {
  const names: string[] = []
  for (const { name: wanted, array } of arrays) {
    const name = unique(pathOf(wanted, 'variable'), (path) => !isFree(group, path))
    names.push(name)
    const end = name.lastIndexOf('/')
    groupAt(group, name.slice(0, Math.max(0, end))).members.set(name.slice(end + 1), datasetOf(array))
  }
  putNames(group, 'weight_names', names)
}

/** The path in a file for a name, in which empty steps do not count. */
const pathOf = (name: string, otherwise: string): string => stepsIn(name).join('/') || otherwise

/** A name, with a number if it is taken. */
function unique(wanted: string, isTaken: (name: string) => boolean): string {
  let name = wanted
  for (let k = 1; isTaken(name); k++) name = `${wanted}_${k}`
  return name
}
