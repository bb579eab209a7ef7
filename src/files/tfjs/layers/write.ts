// Writes a layers-model: model.json, which TensorFlow.js can open and train further, and the bytes of the weights.

import { concatBytes } from '../../../core/bytes'
import { FormatError } from '../../../core/errors'
import { describingForFile, type Json } from '../../../core/registry'
import { writtenAsFloats } from '../../../layers/float-form'
import type { Model } from '../../../models/model'
import type { Variable } from '../../../ops/variable'
import type { StoredModel } from '../stores'
import { namedWeights } from './names'
import { writtenState, type WrittenArray } from './optimizers'
import { TopologyWriter } from './topology'
import { trainingConfig } from './training'

/** The version of TensorFlow.js whose classes and options are written. */
const VERSION = '4.22.0'

/** A model without the paths of its files. @throws FormatError that names all that TensorFlow.js does not have */
export function layersModel(model: Model<unknown, unknown>, includeOptimizer: boolean): StoredModel {
  return writtenAsFloats(model, () => storedModel(model, includeOptimizer))
}

function storedModel(model: Model<unknown, unknown>, includeOptimizer: boolean): StoredModel {
  const writer = new TopologyWriter()
  const topology = describingForFile(() => writer.layer(model))
  const problems = [...writer.refused]
  const weights = namedWeights(model)
  const names = new Map(weights.map(({ variable, name }) => [variable, name]))
  problems.push(...repeated([...names.values()]).map((name) => `two weights would be named '${name}'. Rename a layer`))
  for (const { layer, variable } of weights)
    if (layer.trainable && variable.madeTrainable && !variable.trainable)
      problems.push(`${layer}: the weight ${variable.name} is frozen alone. Freeze the layer`)
  const compiled = includeOptimizer ? model.training.compiled : null
  const training =
    compiled === null
      ? null
      : describingForFile(() =>
          trainingConfig(compiled, model.graph?.outputNames ?? [], (why) =>
            problems.push(`${why} (write the model without: includeOptimizer: false)`),
          ),
        )
  if (problems.length > 0)
    throw new FormatError(`A model of TensorFlow.js cannot contain this model: ${[...new Set(problems)].join('; ')}`)
  const state = compiled === null ? [] : writtenState(compiled.optimizer, names)
  const arrays = weights.map(({ name, variable }) => arrayOf(name, variable))
  return {
    json: {
      modelTopology: { ...topology, keras_version: `tfjs-layers ${VERSION}`, backend: 'TensorFlow.js' },
      format: 'layers-model',
      generatedBy: `TensorFlow.js tfjs-layers v${VERSION}`,
      convertedBy: null,
      ...(training === null ? {} : { trainingConfig: training }),
    },
    weightSpecs: [...arrays.map((each) => specOf(each)), ...state.map((each) => specOf(each, 'optimizer'))],
    weightData: concatBytes([...arrays, ...state].map(bytesOf)),
  }
}

function repeated(names: readonly string[]): string[] {
  const seen = new Set<string>()
  return names.filter((name) => seen.has(name) || !seen.add(name))
}

function arrayOf(name: string, { shape, dtype, value }: Variable): WrittenArray {
  return dtype === 'float32'
    ? { name, shape, dtype, values: Float32Array.from(value.data) }
    : { name, shape, dtype: 'int32', values: Int32Array.from(value.data) }
}

function specOf({ name, shape, dtype }: WrittenArray, group?: string): Json {
  return { name, shape: [...shape], dtype, ...(group === undefined ? {} : { group }) }
}

function bytesOf({ values }: WrittenArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
