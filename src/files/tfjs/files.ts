// Models of TensorFlow.js by path, address, files or bytes.

import { merged } from '../../core/merged'
import { isBlob } from '../../core/globals'
import { encodeUtf8 } from '../../core/text'
import { requireArguments } from '../../core/arguments'
import { crc32 } from '../../core/crc'
import { ArgumentError, quoted } from '../../core/errors'
import { custom, option, readOptions, recordOf } from '../../core/options'
import type { Json } from '../../core/registry'
import { isRecord, valueAt } from '../containers/json'
import {
  loadTable,
  requireNoInputOptions,
  type InputOptions,
  type LoadOptions,
  type LoadSettings,
} from '../../models/load-options'
import type { Model } from '../../models/model'
import { requireModel } from '../../models/required-model'
import { saveTable, type SaveOptions } from '../../models/save'
import { existing, requireNew } from '../../models/overwrite'
import { inputOptions } from '../onnx/graph-model'
import type { Tensor } from '../../ops/tensor'
import { fileSystem, pathOf, unlessMissing, writeFile } from '../../engine/runtime/files'
import { fileError, naming, requirePath } from '../../engine/runtime/platform'
import { leftovers, temporaryName } from '../../engine/runtime/temporary'
import { topologyFormat, readArtifacts, type Artifacts, type GivenFiles, type TfjsSource } from './artifacts'
import { graphModelFrom } from './graph/load'
import { modelFromLayers } from './layers/read'
import { layersModel } from './layers/write'
import { manifestTensors } from './manifest'
import { hasStored, isStored, writeStored, type StoredModel } from './stores'

export interface TfjsOptions extends LoadOptions, InputOptions {
  /** The content of files with weights, by their paths in model.json or by their names. Default {}: read next to it. */
  files?: GivenFiles
}

const content = custom<Uint8Array | Blob>(
  (value, where) => {
    if (value instanceof Uint8Array || isBlob(value)) return value
    throw new ArgumentError(`${where} must be a Uint8Array or a Blob, received ${quoted(value)}`)
  },
  () => null,
)

const table = merged(loadTable, inputOptions, { files: option(recordOf(content), {}) })

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
  const { files, ...others } = readOptions('readTfjs', table, options)
  const read = async () => modelFrom(await readArtifacts(source, files, 'readTfjs', others.signal), others)
  return await naming(source, read)
}

/** The model of a file of either format. */
export async function modelFrom(artifacts: Artifacts, options: LoadSettings): Promise<Model> {
  const { json, weights, name } = artifacts
  if (topologyFormat(json) === 'layers-model') {
    requireNoInputOptions(options, `${name}, which is a layers-model`)
    return modelFromLayers(artifacts, options)
  }
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
  const { includeOptimizer, overwrite } = readOptions('writeTfjs', saveTable, options)
  requireModel('writeTfjs', model)
  const stored = layersModel(model, includeOptimizer)
  if (typeof target === 'string' && isStored(target)) {
    if (!overwrite && (await hasStored(target, 'writeTfjs'))) throw existing(target, 'writeTfjs')
    await writeStored(target, stored, 'writeTfjs')
  } else if (target !== null) return writeFolder(target, stored, overwrite)
  return filesOf(stored)
}

/** @param mark a part of the names of the files with weights */
function filesOf({ json, weightSpecs, weightData }: StoredModel, mark = ''): TfjsFiles {
  const count = Math.ceil(weightData.length / SHARD)
  const shards = Array.from({ length: count }, (_, i): [string, Uint8Array<ArrayBuffer>] => [
    `group1${mark}-shard${i + 1}of${count}.bin`,
    weightData.subarray(i * SHARD, (i + 1) * SHARD),
  ])
  const manifest = [{ paths: shards.map(([name]) => name), weights: weightSpecs }]
  return {
    json: encodeUtf8(JSON.stringify({ ...json, weightsManifest: manifest })),
    weights: Object.fromEntries(shards),
  }
}

/**
 * Writes the shards, under other names than those of the model that is there, then model.json in one step, and then removes the shards of
 * the former model: at every time, the folder has the old model or the new one. The list of these files is there as long as it lasts, so that
 * the next save knows what a killed one left.
 */
async function writeFolder(target: string | URL, stored: StoredModel, overwrite: boolean): Promise<TfjsFiles> {
  requirePath(target, 'writeTfjs')
  const { files, paths } = fileSystem()
  const path = pathOf(target, 'writeTfjs')
  const isFile = path.endsWith('.json')
  const folder = isFile ? paths.dirname(path) : path
  const model = isFile ? path : paths.join(folder, 'model.json')
  if (!overwrite) requireNew(model, 'writeTfjs')
  const failing = (error: unknown): never => {
    throw fileError('writeTfjs', folder, 'written', error)
  }
  if (!isFile) await files.mkdir(folder, { recursive: true }).catch(failing)
  for (const list of await leftovers(files, folder, paths.join, 'list')) {
    const names = (await files.readFile(list, 'utf8').catch(() => '')).split('\n')
    await removeUnused(folder, names)
    await files.rm(list, { force: true })
  }
  const there = await files.readdir(folder).catch(unlessMissing)
  const plain = filesOf(stored)
  // A reader that has the former model.json must not meet shards of another model under its names.
  const isTaken = there?.some((name) => name.endsWith('.json') || Object.hasOwn(plain.weights, name)) ?? false
  const written = isTaken ? filesOf(stored, `-${crc32(stored.weightData).toString(16).padStart(8, '0')}`) : plain
  const { json, weights } = written
  const list = paths.join(folder, temporaryName('list'))
  await files.writeFile(list, [...Object.keys(weights), ...(await shardsOf(model))].join('\n')).catch(failing)
  try {
    for (const [name, bytes] of Object.entries(weights)) await writeFile(paths.join(folder, name), bytes, 'writeTfjs')
    // Another process may have written a model meanwhile.
    const old = await shardsOf(model)
    await writeFile(model, json, 'writeTfjs')
    await removeUnused(
      folder,
      old.filter((name) => !Object.hasOwn(weights, name)),
    )
  } finally {
    await files.rm(list, { force: true }).catch(() => {})
  }
  return written
}

/** Removes shards that no model in the folder has: another one may have the same weights. */
async function removeUnused(folder: string, names: readonly string[]): Promise<void> {
  const shards = names.filter((name) => SHARD_NAME.test(name))
  if (shards.length === 0) return
  const { files, paths } = fileSystem()
  const models = (await files.readdir(folder)).filter((name) => name.endsWith('.json'))
  const kept = new Set((await Promise.all(models.map((name) => shardsOf(paths.join(folder, name))))).flat())
  for (const name of shards) if (!kept.has(name)) await files.rm(paths.join(folder, name), { force: true })
}

/** The names of files that this library or TensorFlow.js gives. */
const SHARD_NAME = /^group\d+(?:-[0-9a-f]{8})?-shard\d+of\d+\.bin$/

/** The files of weights of a model.json, as far as their names are those of shards; none if there is no such model. */
async function shardsOf(path: string): Promise<readonly string[]> {
  const { files } = fileSystem()
  const text = await files.readFile(path, 'utf8').catch(() => '')
  let json: Json = null
  try {
    json = JSON.parse(text)
  } catch {
    // No model.
  }
  const groups = isRecord(json) ? valueAt(json, 'weightsManifest') : null
  const listed = Array.isArray(groups)
    ? groups.flatMap((group: Json) => (isRecord(group) ? valueAt(group, 'paths') : []))
    : []
  return listed.filter((name): name is string => typeof name === 'string' && SHARD_NAME.test(name))
}
