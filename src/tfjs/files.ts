// Models of TensorFlow.js by path, address, files or bytes.

import { encodeUtf8 } from '../core/text'
import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { custom, option, readOptions, recordOf } from '../core/options'
import { typed } from '../core/tree'
import type { LoadOptions } from '../models/load-options'
import { loadTable } from '../models/load-options'
import { Model } from '../models/model'
import type { SaveOptions } from '../models/save'
import { saveTable } from '../models/save'
import type { InputOptions } from '../onnx/graph-model'
import { inputOptions } from '../onnx/graph-model'
import type { Tensor } from '../ops/tensor'
import { fileSystem, pathOf, writeFile } from '../runtime/files'
import { requirePath } from '../runtime/platform'
import type { Artifacts, GivenFiles, TfjsSource } from './artifacts'
import { topologyFormat, readArtifacts } from './artifacts'
import { graphModelFrom } from './graph/load'
import { modelFromLayers } from './layers/read'
import { layersModel } from './layers/write'
import { manifestTensors } from './manifest'
import type { StoredModel } from './stores'
import { isStored, writeStored } from './stores'

export interface TfjsOptions extends LoadOptions, InputOptions {
  /** The content of files with weights, by their paths in model.json or by their names. Default {}: read next to it. */
  files?: GivenFiles
}

const content = custom<Uint8Array | Blob>(
  (value, where) => {
    if (value instanceof Uint8Array || value instanceof Blob) return value
    throw new ArgumentError(`${where} must be a Uint8Array or a Blob, received ${quoted(value)}`)
  },
  () => null,
)

const table = { ...loadTable, ...inputOptions, files: option(recordOf(content), {}) }

/**
 * The model of a file of TensorFlow.js.
 *
 *   const model = await readTfjs('model/model.json')
 *
 * A graph-model becomes a `TfjsModel`: its inputs and outputs have the keys of the signature, and its float tensors are weights.
 *
 * @param source a path (Node) or URL of model.json or of its folder, `indexeddb://name`, `localstorage://name`, bytes, or a list of files
 * @throws FormatError for a damaged file, and for what this library does not have, all of it in one message; ArgumentError for an unknown
 * option; StateError, with its cause, if the source cannot be read
 */
export async function readTfjs<In = Tensor, Out = Tensor>(
  source: TfjsSource,
  options: TfjsOptions = {},
): Promise<Model<In, Out>> {
  requireArguments('readTfjs', arguments, 2)
  const { signal } = readOptions('readTfjs', table, options)
  const artifacts = await readArtifacts(source, options.files ?? {}, 'readTfjs', signal)
  return typed(await modelFrom(artifacts, options))
}

/** The model of a file of either format. */
export async function modelFrom(
  artifacts: Artifacts,
  options: LoadOptions & InputOptions,
): Promise<Model<unknown, unknown>> {
  const { json, weights, name } = artifacts
  if (topologyFormat(json) === 'layers-model') return modelFromLayers(artifacts, options)
  return graphModelFrom(json, manifestTensors(weights, name), name, options)
}

/** The files of a model. */
export interface TfjsFiles {
  /** The content of model.json. */
  readonly json: Uint8Array<ArrayBuffer>
  /** The content of the files with weights, by their names in model.json. */
  readonly weights: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
}

/** The number of bytes of a file with weights, as TensorFlow.js divides them: 4 MiB. */
const SHARD = 2 ** 22

/**
 * A model as a layers-model, which `tf.loadLayersModel` of TensorFlow.js 4 opens: it has the weights, the options of compile and the state
 * of the optimizer.
 *
 *   await writeTfjs(model, 'model')                      the folder model with model.json and the weights (Node)
 *   await writeTfjs(model, 'indexeddb://digits')         in a page: tf.loadLayersModel('indexeddb://digits')
 *   const { json, weights } = await writeTfjs(model)
 *
 * @param target the path of model.json or of its folder (Node), `indexeddb://name`, `localstorage://name`; null for the content of the files
 * alone
 * @throws FormatError for layers, options, losses and optimizers that TensorFlow.js does not have, all of them in one message; StateError, with
 * its cause, if a file cannot be written or the storage of the page refuses
 */
export async function writeTfjs(
  model: Model,
  target: string | URL | null = null,
  options: SaveOptions = {},
): Promise<TfjsFiles> {
  requireArguments('writeTfjs', arguments, 3)
  const { includeOptimizer } = readOptions('writeTfjs', saveTable, options)
  if (!(model instanceof Model)) throw new ArgumentError(`writeTfjs: expected a model, received ${quoted(model)}`)
  const stored = layersModel(typed(model), includeOptimizer)
  const written = filesOf(stored)
  if (typeof target === 'string' && isStored(target)) await writeStored(target, stored, 'writeTfjs')
  else if (target !== null) await writeFolder(target, written)
  return written
}

function filesOf({ json, weightSpecs, weightData }: StoredModel): TfjsFiles {
  const count = Math.ceil(weightData.length / SHARD)
  const shards = Array.from({ length: count }, (_, i): [string, Uint8Array<ArrayBuffer>] => [
    `group1-shard${i + 1}of${count}.bin`,
    weightData.subarray(i * SHARD, (i + 1) * SHARD),
  ])
  const manifest = [{ paths: shards.map(([name]) => name), weights: weightSpecs }]
  return {
    json: encodeUtf8(JSON.stringify({ ...json, weightsManifest: manifest })),
    weights: Object.fromEntries(shards),
  }
}

/** model.json is written last: without it, there is no model. */
async function writeFolder(target: string | URL, { json, weights }: TfjsFiles): Promise<void> {
  requirePath(target, 'writeTfjs')
  const { files, paths } = fileSystem()
  const path = pathOf(target, 'writeTfjs')
  const isFile = path.endsWith('.json')
  const folder = isFile ? paths.dirname(path) : path
  if (!isFile) await files.mkdir(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(weights)) await writeFile(paths.join(folder, name), bytes, 'writeTfjs')
  await writeFile(isFile ? path : paths.join(folder, 'model.json'), json, 'writeTfjs')
}
