// Reads a layers-model: its configuration is one of Keras 2 (src/files/keras), its weights have the names of names.ts. The model is made, built and
// compiled, and filled when everything was checked.

import { FormatError, formatShape, listed } from '../../../core/errors'
import type { Json } from '../../../core/registry'
import { sameShape, sizeOf } from '../../../core/shapes'
import { withFile } from '../../../core/file-scope'
import { SPARE_ELEMENTS, limitWeights } from '../../../core/weight-limit'
import { compileOptions, warnOfState } from '../../keras/compile'
import { modelOf } from '../../keras/json'
import { inFloatForm } from '../../../layers/float-form'
import { isRecord, valueAt } from '../../containers/json'
import { isObject } from '../../keras/keras-object'
import { ObjectReader } from '../../keras/objects'
import type { LayerBase } from '../../../layers/layer'
import { compileSaved } from '../../own/revive'
import type { LoadSettings } from '../../../models/load-options'
import type { Model } from '../../../models/model'
import { Tensor } from '../../../ops/tensor'
import type { Variable } from '../../../ops/variable'
import { manifestTensors, numbersOf, type Artifacts, type ManifestTensor } from '../manifest'
import { finderOf, namedWeights } from './names'
import { stateIn } from './optimizers'
import { currentForm } from './topologies'
import { savedCompile } from './training'

/** @throws FormatError for a damaged file, and for what this library does not have, all of it in one message */
export function modelFromLayers(
  { name, json, weights }: Artifacts,
  { customObjects = {}, compile = true }: LoadSettings,
): Model {
  const tensors = manifestTensors(weights, name)
  const saved = ObjectReader.model(currentForm(topologyOf(json['modelTopology'] ?? null, name)), customObjects, {
    isFormer: true,
  })
  const [largest, total] = sizesOf(tensors)
  return limitWeights(largest, SPARE_ELEMENTS + 2 * total, () => {
    const model = withFile({ fillsWeights: true }, () => modelOf(saved, customObjects))
    const ofModel = tensors.filter(({ group }) => group === 'model')
    const assignments = assignmentsOf(model, ofModel, name)
    const training = compile ? savedCompile(json, model.outputs.length) : null
    if (training !== null) {
      compileSaved(model, compileOptions(training, model, customObjects), customObjects)
      const state = tensors.filter(({ group }) => group === 'optimizer')
      if (state.length > 1) model.optimizer.build(model.trainableWeights)
      const found = stateIn(model.optimizer, state, finderOf(namedWeights(model)))
      if (typeof found === 'string') warnOfState(model, found)
      else assignments.push(...found)
    }
    for (const [variable, value] of assignments) variable.assign(value)
    return model
  })
}

/** Loads the weights of a file into a model of the same layers. */
export function fillFromLayers(model: LayerBase, { name, weights }: Artifacts): void {
  const ofModel = manifestTensors(weights, name).filter(({ group }) => group === 'model')
  inFloatForm(() => {
    for (const [variable, value] of assignmentsOf(model, ofModel, name)) variable.assign(value)
  })
}

/** The elements of the largest tensor, and of all. */
function sizesOf(tensors: readonly ManifestTensor[]): readonly [largest: number, total: number] {
  return tensors.reduce<readonly [number, number]>(
    ([largest, total], { shape }) => [Math.max(largest, sizeOf(shape)), total + sizeOf(shape)],
    [1, 0],
  )
}

/** The converter has the configuration in `model_config`. */
function topologyOf(topology: Json, name: string): Json {
  const inner = isRecord(topology) ? valueAt(topology, 'model_config') : undefined
  const found = isRecord(inner) ? inner : topology
  if (isObject(found)) return found
  throw new FormatError(`${name}: the modelTopology has no class_name: it is not that of a layers-model`)
}

type Assignment = readonly [variable: Variable, value: Tensor]

/** @throws FormatError that names weights that are missing, left over, or of another shape */
function assignmentsOf(model: LayerBase, tensors: readonly ManifestTensor[], where: string): Assignment[] {
  const weights = namedWeights(model)
  const find = finderOf(weights)
  const left = new Map(weights.map(({ name, variable }) => [variable, name]))
  const problems: string[] = []
  const fitting: [Variable, ManifestTensor][] = []
  for (const tensor of tensors) {
    const variable = find(tensor.name)
    if (variable === undefined || !left.delete(variable))
      problems.push(`the model has no weight '${tensor.name}', which the file has`)
    else if (tensor.dtype === 'string' || !sameShape(variable.shape, tensor.shape))
      problems.push(
        `'${tensor.name}' must have the shape ${formatShape(variable.shape)}, received ${formatShape(tensor.shape)} of ${tensor.dtype}`,
      )
    else fitting.push([variable, tensor])
  }
  for (const name of left.values()) problems.push(`the file has no weight '${name}'`)
  if (problems.length > 0) throw new FormatError(`${where}: the weights do not fit the model: ${listed(problems)}`)
  return fitting.map(([variable, tensor]) => [variable, valueOf(variable, tensor)])
}

function valueOf({ dtype, shape }: Variable, tensor: ManifestTensor): Tensor {
  const values = numbersOf(tensor)
  return new Tensor(dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values), shape, dtype)
}
