// Models in the storage of a page, IndexedDB and localStorage, in the layout of TensorFlow.js, so that each library finds the models of
// the other. There all weights are one piece of bytes, with one list of specs.

import { encodeUtf8 } from '../../core/text'
import { fromBase64, toBase64 } from '../../core/base64'
import { ArgumentError, FormatError, MyelinError, StateError } from '../../core/errors'
import type { Json } from '../../core/registry'
import { isRecord, parseJson, valueAt, type JsonRecord } from '../containers/json'
import type { Artifacts } from './manifest'

const [DATABASE, VERSION, MODELS, INFOS] = ['tensorflowjs', 1, 'models_store', 'model_info_store'] as const
const PREFIX = 'tensorflowjs_models'
const [INDEXED, LOCAL] = ['indexeddb://', 'localstorage://'] as const

/** A model as TensorFlow.js stores it. */
export interface StoredModel {
  /** model.json without the manifest. */
  readonly json: JsonRecord
  readonly weightSpecs: Json
  readonly weightData: Uint8Array<ArrayBuffer>
}

export function isStored(address: string): boolean {
  return address.startsWith(INDEXED) || address.startsWith(LOCAL)
}

/** @throws StateError if there is no such storage, or no such model in it; FormatError for one that is damaged */
export async function readStored(address: string, where: string): Promise<Artifacts> {
  const key = keyOf(address, where)
  const found = address.startsWith(LOCAL) ? fromLocal(key, address, where) : await fromIndexed(key, address, where)
  if (found === null) throw new StateError(`${where}: there is no model '${address}' in the storage of this page`)
  const { json, weightSpecs, weightData } = found
  if (!isRecord(valueAt(json, 'modelTopology')))
    throw new FormatError(`${address} has no modelTopology: it is not a model`)
  return { name: address, json, weights: [{ weights: weightSpecs, bytes: weightData }] }
}

/**
 * Replaces a model of the same name.
 * @throws StateError if there is no such storage, or if it is full; the former model in IndexedDB then remains
 */
export async function writeStored(address: string, model: StoredModel, where: string): Promise<void> {
  const key = keyOf(address, where)
  if (address.startsWith(LOCAL)) toLocal(key, model, where)
  else await toIndexed(key, model, where)
}

/** Whether there is a model of this name, also a damaged one. @throws StateError if there is no such storage */
export async function hasStored(address: string, where: string): Promise<boolean> {
  try {
    await readStored(address, where)
    return true
  } catch (error) {
    if (error instanceof FormatError) return true
    if (error instanceof StateError && error.message.includes('there is no model')) return false
    throw error
  }
}

function keyOf(address: string, where: string): string {
  const key = address.slice(address.indexOf('://') + 3)
  if (key === '') throw new ArgumentError(`${where}: '${address}' must end with the name of a model`)
  return key
}

const sizeOfText = (value: Json): number => encodeUtf8(JSON.stringify(value)).length

/** What TensorFlow.js lists without reading the models. */
function infoOf({ json, weightSpecs, weightData }: StoredModel): Readonly<Record<string, string | number | Date>> {
  return {
    dateSaved: new Date(),
    modelTopologyType: 'JSON',
    modelTopologyBytes: sizeOfText(valueAt(json, 'modelTopology') ?? null),
    weightSpecsBytes: sizeOfText(weightSpecs),
    weightDataBytes: weightData.length,
  }
}

interface Found {
  readonly json: JsonRecord
  readonly weightSpecs: Json
  readonly weightData: readonly Uint8Array[]
}

/** A member of a value that may be of any kind. */
function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined
}

// IndexedDB: { modelPath, modelArtifacts, modelArtifactsInfo } by modelPath.

async function fromIndexed(key: string, address: string, where: string): Promise<Found | null> {
  const found = await inDatabase('readonly', where, (storeOf) => storeOf(MODELS).get(key))
  if (found === undefined) return null
  const artifacts = memberOf(found, 'modelArtifacts')
  const data = memberOf(artifacts, 'weightData')
  const pieces: unknown[] = Array.isArray(data) ? data : [data]
  // Records of IndexedDB may be cyclic, and have values that JSON does not have.
  const others = typeof artifacts === 'object' && artifacts !== null ? artifacts : {}
  const json = parseJson(textOf({ ...others, weightData: null }, address), address)
  if (!isRecord(json) || !pieces.every((each) => each instanceof ArrayBuffer))
    throw new FormatError(`${address} is damaged: it has no modelArtifacts with weightData`)
  return {
    json,
    weightSpecs: valueAt(json, 'weightSpecs') ?? null,
    weightData: pieces.map((each) => new Uint8Array(each)),
  }
}

function textOf(value: object, address: string): string {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw new FormatError(`${address} is damaged: it is not JSON`, { cause })
  }
}

async function toIndexed(key: string, model: StoredModel, where: string): Promise<void> {
  const { json, weightSpecs, weightData } = model
  const modelArtifactsInfo = infoOf(model)
  // The buffer of the bytes alone.
  const { buffer } = weightData.slice()
  const modelArtifacts = { ...json, weightSpecs, weightData: buffer }
  await inDatabase('readwrite', where, (storeOf) => {
    storeOf(INFOS).put({ modelPath: key, modelArtifactsInfo })
    return storeOf(MODELS).put({ modelPath: key, modelArtifacts, modelArtifactsInfo })
  })
}

/** The result of a request, when its transaction is on the disk. */
async function inDatabase(
  mode: IDBTransactionMode,
  where: string,
  ask: (storeOf: (name: string) => IDBObjectStore) => IDBRequest,
): Promise<unknown> {
  const database = await openDatabase(where)
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction([MODELS, INFOS], mode)
      const request = ask((name) => transaction.objectStore(name))
      transaction.oncomplete = () => resolve(request.result)
      transaction.onabort = () => reject(transaction.error)
    })
  } catch (cause) {
    throw cause instanceof MyelinError ? cause : refusal(where, cause)
  } finally {
    database.close()
  }
}

function openDatabase(where: string): Promise<IDBDatabase> {
  if (typeof indexedDB === 'undefined') throw new StateError(`${where}: there is no IndexedDB here`)
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION)
    request.onupgradeneeded = () => {
      for (const name of [MODELS, INFOS]) request.result.createObjectStore(name, { keyPath: 'modelPath' })
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(refusal(where, request.error))
  })
}

function refusal(where: string, cause: unknown): StateError {
  return new StateError(`${where}: the storage of this page refused: ${String(cause)}`, { cause })
}

// localStorage: five texts, tensorflowjs_models/<key>/<part>.

const PARTS = ['info', 'model_topology', 'weight_specs', 'weight_data', 'model_metadata'] as const
const [INFO, TOPOLOGY, SPECS, DATA, METADATA] = PARTS

function localStore(where: string): Storage {
  if (typeof localStorage === 'undefined') throw new StateError(`${where}: there is no localStorage here`)
  return localStorage
}

function fromLocal(key: string, address: string, where: string): Found | null {
  const store = localStore(where)
  const textAt = (part: string): string | null => store.getItem(`${PREFIX}/${key}/${part}`)
  if (textAt(INFO) === null) return null
  const jsonAt = (part: string): Json => parseJson(textAt(part) ?? 'null', `${address}, ${part}`)
  const metadata = jsonAt(METADATA)
  let weightData: Uint8Array
  try {
    weightData = fromBase64(textAt(DATA) ?? '')
  } catch (cause) {
    throw new FormatError(`${address} is damaged: ${DATA} is not base64`, { cause })
  }
  const json = { ...(isRecord(metadata) ? metadata : {}), modelTopology: jsonAt(TOPOLOGY) }
  return { json, weightSpecs: jsonAt(SPECS), weightData: [weightData] }
}

function toLocal(key: string, model: StoredModel, where: string): void {
  const store = localStore(where)
  const { modelTopology = null, ...metadata } = model.json
  const texts: Readonly<Record<(typeof PARTS)[number], string>> = {
    [INFO]: JSON.stringify(infoOf(model)),
    [TOPOLOGY]: JSON.stringify(modelTopology),
    [SPECS]: JSON.stringify(model.weightSpecs),
    [DATA]: toBase64(model.weightData),
    [METADATA]: JSON.stringify(metadata),
  }
  const nameOf = (part: string): string => `${PREFIX}/${key}/${part}`
  const before = PARTS.map((part) => store.getItem(nameOf(part)))
  try {
    for (const part of PARTS) store.setItem(nameOf(part), texts[part])
  } catch (cause) {
    PARTS.forEach((part) => store.removeItem(nameOf(part)))
    PARTS.forEach((part, i) => before[i] !== null && store.setItem(nameOf(part), before[i]!))
    throw refusal(where, cause)
  }
}
