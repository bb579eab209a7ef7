// Writes `.keras` files, which Keras can open and train further.

import { encodeUtf8 } from '../../core/text'
import { classNameOf, describingForFile, type Json } from '../../core/registry'
import { Sequential } from '../../models/sequential'
import type { LayerBase } from '../../layers/layer'
import type { Model } from '../../models/model'
import { requireModel } from '../../models/required-model'
import { TensorSpec } from '../../layers/spec'
import { jsonValue } from '../containers/json'
import { TableModel } from '../../tables/table-model'
import { LossScaleOptimizer } from '../../optimizers/loss-scale'
import { MultiOptimizer } from '../../optimizers/multi'
import type { Optimizer } from '../../optimizers/optimizer'
import { writeArchive } from '../containers/archive'
import { writtenAsFloats } from '../../layers/float-form'
import type { Hdf5Array, Hdf5GroupContent } from './hdf5/types'
import { writeHdf5 } from './hdf5/write'
import { orderedOptimizers } from './multi-optimizer'
import { PATHS, trainedPaths } from './legacy-order'
import { ownArrays, writesOwn } from './own-variables'
import { numbered, placesOf } from './places'
import { optimizerArrays } from './slots'
import { warnOfUndescribed } from './trainability'
import { arrayFor, arrayOf, branch, datasetOf, groupAt, putNames, textOf } from './write-branch'
import { KERAS_VERSION, compileConfig, jsonOf } from './write-json'
import { legacyWeightsFile } from './write-legacy'
import { ObjectWriter } from './write-objects'
import { buildSpecOf } from '../../layers/weight-lists'

type AnyModel = Model<unknown, unknown>

/** The bytes of a `.keras` file. @throws FormatError that names what Keras does not have */
export function archiveOf(model: AnyModel, includeOptimizer: boolean): Uint8Array {
  return writtenAsFloats(model, () => archive(model, includeOptimizer))
}

function archive(model: AnyModel, includeOptimizer: boolean): Uint8Array {
  const compiled = includeOptimizer ? model.training.compiled : null
  const { config, compile } = describingForFile(() => ({
    config: ObjectWriter.model(model),
    compile: compiled === null ? {} : { compile_config: compileConfig(compiled, model) },
  }))
  warnOfUndescribed(model)
  const files = new Map<string, Uint8Array>()
  const put = (name: string, value: Json): void => void files.set(name, encodeUtf8(jsonOf(value)))
  put('metadata.json', {
    keras_version: KERAS_VERSION,
    date_saved: '1980-01-01@00:00:00',
    // Keras does not read it, and its configurations may not have further entries.
    ...(model instanceof TableModel ? { table: jsonValue(model.table) } : {}),
  })
  const spec = buildSpecOf(model)
  put('config.json', {
    ...config,
    ...(model instanceof Sequential && spec instanceof TensorSpec
      ? { build_config: { input_shape: [...spec.shape] } }
      : {}),
    ...compile,
  })
  files.set('model.weights.h5', weightsArchive(model, compiled?.optimizer ?? null))
  return writeArchive(files)
}

/** The bytes of a `.weights.h5` file, or of a legacy one, for `model.saveWeights`. */
export async function saveKerasWeights(model: LayerBase, isLegacy: boolean): Promise<Uint8Array> {
  requireModel('saveWeights', model)
  return isLegacy ? legacyWeightsFile(model) : weightsFile(model)
}

/** The bytes of a `.weights.h5` file. */
export function weightsFile(model: AnyModel): Uint8Array {
  return writtenAsFloats(model, () => weightsArchive(model, null))
}

/** The bytes of `model.weights.h5`. */
function weightsArchive(model: AnyModel, optimizer: Optimizer | null): Uint8Array {
  const root = branch()
  const put = (path: string, name: string, arrays: readonly Hdf5Array[]): void => {
    const vars = groupAt(root, path === '' ? 'vars' : `${path}/vars`)
    vars.attributes.set('name', textOf(name))
    arrays.forEach((array, i) => vars.members.set(String(i), datasetOf(array)))
  }
  for (const { path, layer, variables } of placesOf(model)) {
    const isOwn = writesOwn(layer)
    put(path, layer.name, isOwn ? [] : variables.map(arrayOf))
    if (!isOwn) continue
    const { members } = groupAt(root, path === '' ? 'vars' : `${path}/vars`)
    for (const [name, array] of ownArrays(layer)) members.set(name, datasetOf(array))
  }
  const weights = new Set(model.weights)
  const putOptimizer = (each: Optimizer, path: string): void => {
    put(path, each.name, optimizerArrays(each, { among: weights }).map(arrayFor))
    // Keras reads what inner optimizers have from these places again.
    if (each instanceof LossScaleOptimizer) putOptimizer(each.innerOptimizer, `${path}/inner_optimizer`)
    if (!(each instanceof MultiOptimizer)) return
    const members = orderedOptimizers(each).map((each) => each.optimizer)
    const names = numbered(members.map(classNameOf))
    members.forEach((member, i) => putOptimizer(member, `${path}/optimizers/${names[i]!}`))
  }
  if (optimizer !== null) {
    putOptimizer(optimizer, 'optimizer')
    putNames(groupAt(root, 'optimizer/vars'), PATHS, trainedPaths(optimizer, model))
  }
  return writeHdf5(root as Hdf5GroupContent)
}
