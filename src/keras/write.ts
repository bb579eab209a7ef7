// Writes `.keras` files, which Keras opens and goes on training.

import type { Config, Json } from '../core/registry'
import { classNameOf, isSerialized, snakeCase } from '../core/registry'
import { Sequential } from '../models/sequential'
import type { Model } from '../models/model'
import type { Variable } from '../ops/variable'
import { LossScaleOptimizer } from '../optimizers/loss-scale'
import type { Optimizer } from '../optimizers/optimizer'
import { writeArchive } from './archive'
import type { Hdf5Array, Hdf5DatasetContent, Hdf5GroupContent } from './hdf5/types'
import { writeHdf5 } from './hdf5/write'
import { placesOf } from './places'
import { optimizerArrays } from './slots'
import type { OptimizerArray } from './slots'
import { ObjectWriter } from './write-objects'
import { kerasName } from './write-names'

/** The version whose format is written. */
const KERAS_VERSION = '3.15.1'

type AnyModel = Model<unknown, unknown>

/** The bytes of a `.keras` file. @throws FormatError that names what Keras does not have */
export function archiveOf(model: AnyModel, includeOptimizer: boolean): Uint8Array {
  const compiled = includeOptimizer ? model.training.compiled : null
  const config = ObjectWriter.model(model)
  const files = new Map<string, Uint8Array>()
  const put = (name: string, value: Json): void => void files.set(name, new TextEncoder().encode(jsonOf(value)))
  put('metadata.json', { keras_version: KERAS_VERSION, date_saved: '1980-01-01@00:00:00' })
  put('config.json', {
    ...config,
    ...(model instanceof Sequential && model.buildSpec !== null
      ? { build_config: { input_shape: [...(model.buildSpec as { shape: readonly (number | null)[] }).shape] } }
      : {}),
    ...(compiled === null ? {} : { compile_config: compileConfig(compiled.serialize() as Config) }),
  })
  files.set('model.weights.h5', weightsFile(model, compiled?.optimizer ?? null))
  return writeArchive(files)
}

/** JSON in which these options are floats of Python also if they are whole: Keras refuses integers. */
function jsonOf(value: Json): string {
  return JSON.stringify(value).replace(/(?<!\\)"(learning_rate|momentum)":(-?\d+)(?=[,}])/g, '"$1":$2.0')
}

function compileConfig({ optimizer, loss, lossWeights = null, metrics, weightedMetrics }: Config): Json {
  const named = (value: Json | undefined, namespace: string): Json => {
    if (value === undefined || value === null) return null
    if (typeof value === 'string') return kerasName(value)
    if (Array.isArray(value)) return value.map((each: Json) => named(each, namespace))
    if (isSerialized(value)) return ObjectWriter.object(value, namespace)
    if (typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, named(each, namespace)]))
    return value
  }
  return {
    optimizer: named(optimizer, 'optimizers'),
    loss: named(loss, 'losses'),
    loss_weights: lossWeights,
    metrics: named(metrics, 'metrics'),
    weighted_metrics: named(weightedMetrics, 'metrics'),
    run_eagerly: false,
    steps_per_execution: 1,
    jit_compile: false,
  }
}

/** A group that is filled path by path. */
interface Branch {
  readonly kind: 'group'
  readonly attributes: Map<string, Hdf5Array>
  readonly members: Map<string, Branch | Hdf5DatasetContent>
}

const branch = (): Branch => ({ kind: 'group', attributes: new Map(), members: new Map() })

function groupAt(root: Branch, path: string): Branch {
  return path.split('/').reduce((group, step) => {
    if (step === '') return group
    const found = group.members.get(step)
    if (found !== undefined && found.kind === 'group') return found as Branch
    const made = branch()
    group.members.set(step, made)
    return made
  }, root)
}

/** The bytes of `model.weights.h5`, or of a `.weights.h5` file. */
export function weightsFile(model: AnyModel, optimizer: Optimizer | null): Uint8Array {
  const root = branch()
  const put = (path: string, name: string, arrays: readonly Hdf5Array[]): void => {
    const vars = groupAt(root, path === '' ? 'vars' : `${path}/vars`)
    vars.attributes.set('name', { type: 'string', shape: [], values: [name] })
    arrays.forEach((array, i) =>
      vars.members.set(String(i), { kind: 'dataset', attributes: new Map(), read: () => array }),
    )
  }
  for (const { path, layer, variables } of placesOf(model)) put(path, layer.name, variables.map(arrayOf))
  if (optimizer !== null) {
    put('optimizer', optimizer.name, optimizerArrays(optimizer).map(arrayFor))
    if (optimizer instanceof LossScaleOptimizer)
      put(
        'optimizer/inner_optimizer',
        snakeCase(classNameOf(optimizer.innerOptimizer)),
        optimizerArrays(optimizer.innerOptimizer).map(arrayFor),
      )
  }
  return writeHdf5(root as Hdf5GroupContent)
}

function arrayOf({ shape, value, dtype }: Variable): Hdf5Array {
  const { data } = value
  return dtype === 'float32'
    ? { type: 'float32', shape, values: Float32Array.from(data) }
    : { type: 'int32', shape, values: Int32Array.from(data) }
}

function arrayFor(own: OptimizerArray): Hdf5Array {
  if (own.kind === 'variable') return arrayOf(own.variable)
  if (own.kind === 'calls') {
    const calls = own.updates.value.item() * own.steps + own.gathered.value.item()
    return { type: 'int32', shape: [], values: Int32Array.of(calls) }
  }
  const size = own.shape.reduce((product, extent) => product * extent, 1)
  return own.dtype === 'int32'
    ? { type: 'int32', shape: own.shape, values: new Int32Array(size) }
    : { type: 'float32', shape: own.shape, values: new Float32Array(size) }
}
