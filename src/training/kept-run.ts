// Saves a run of fit as bytes, from which another process resumes with the same results, bit for bit: weights, optimizer,
// states of layers and random generators, the order of the rows, metrics within an epoch, the history, and the
// callbacks' states. callbacks/backup-and-restore.ts decides when and where a run is saved.

import { dtypes } from '../core/dtypes'
import { ArgumentError, FormatError, internalError, restating } from '../core/errors'
import { isKeyOf } from '../core/keys'
import { classNameOf, type Json } from '../core/registry'
import { isRecord } from '../core/tree'
import { foreignKind } from '../files/containers/format-list'
import { decodeContainer, encodeContainer, type Container, type NamedTensor } from '../files/containers/safetensors'
import { numbered, positionOf, restoreNumbered, type SavedVariable } from '../layers/saved-weights'
import { inFormerOrder, setTimesDrawn, timesDrawn } from '../layers/weight-lists'
import { restoreSeedState, seedState } from '../ops/random/seed'
import { Tensor } from '../ops/tensor'
import { Optimizer } from '../optimizers/optimizer'
import type { CallbackMethods, CallbackState, RunPosition, Run } from './callbacks/callback'
import type { Position } from './position'
import { traitsOf } from '../layers/traits'

const FORMAT = 'myelin-run'
/** Version 1 numbers layers and weights in another order: see inFormerOrder. */
const VERSION = 2

/** A decoded run. */
export interface KeptRun {
  /** How many times the run was saved, this time included. */
  readonly number: number
  readonly description: Description
  readonly container: Container
}

/** All variables that a step or an epoch changes, under their keys in the file. */
function variablesOf({ model, compiled }: Run['training']['prepared']): SavedVariable[] {
  // A custom trainStep may use optimizers in properties of the model.
  const inModel = model.allLayers.flatMap((layer) => Object.values(layer)).filter((value) => value instanceof Optimizer)
  const optimizers = [...new Set([compiled.optimizer, ...inModel])]
  return [
    ...numbered('weights', model.weights),
    ...numbered('state', model.stateVariables),
    ...numbered(
      'passing',
      model.allLayers.flatMap((layer) => traitsOf(layer).passingState?.(layer) ?? []),
    ),
    ...numbered(
      'optimizer',
      optimizers.flatMap(({ variables }) => variables),
    ),
  ]
}

/** The state of metrics since the epoch began, and the logs of the last step. */
function metricsOf({ compiled }: Run['training']['prepared']): SavedVariable[] {
  const kept = compiled.all.flatMap(({ variables }, i) =>
    variables.map((variable, j) => ({ key: `metrics/${compiled.names[i]}/${j}`, variable })),
  )
  return [...kept, ...Array.from(compiled.stepLogs('train'), ([name, variable]) => ({ key: `logs/${name}`, variable }))]
}

/** The callbacks with state. Those without state may differ in the resumed run. */
function withState(callbacks: readonly CallbackMethods[]) {
  return callbacks.filter(
    (callback): callback is CallbackMethods & Required<Pick<CallbackMethods, 'getState'>> =>
      callback.getState !== undefined,
  )
}

/** The prefix of the keys of callbacks' tensors; no variable's key has it. */
const CALLBACKS = 'callbacks/'

/** The bytes of a run between two steps. @param number how many times the run was saved, this time included */
export function encodeRun(run: Run, number: number): Uint8Array {
  const { training, callbacks, place } = run
  const { prepared, shuffleState, runner } = training
  const { model } = prepared
  const within = place.batch > 0
  const tensors: NamedTensor[] = [...variablesOf(prepared), ...(within ? metricsOf(prepared) : [])].map(
    ({ key, variable }) => ({
      name: key,
      shape: variable.shape,
      data: variable.view,
    }),
  )
  const description = {
    number,
    place: { ...place },
    setting: runner.setting,
    position: runner.position,
    shuffle: { ...shuffleState },
    seed: { ...seedState() },
    timesDrawn: timesDrawn(model),
    callbacks: withState(callbacks).map((callback) => ({ name: classNameOf(callback), state: callback.getState() })),
  }
  const json = JSON.stringify(
    toJson(description, (tensor) => {
      const name = `${CALLBACKS}${tensors.length}`
      tensors.push({ name, shape: tensor.shape, data: tensor.data })
      return name
    }),
  )
  return encodeContainer(tensors, { format: FORMAT, version: String(VERSION), description: json })
}

/** @throws FormatError for bytes that are not a run, or not a complete one */
export function decodeRun(bytes: Uint8Array): KeptRun {
  const container = decodeContainer(bytes, { kindOf: foreignKind })
  const {
    metadata: { format, version, description: json },
    tensors,
  } = container
  if (format !== FORMAT || json === undefined) throw new FormatError('This is not a saved run of fit')
  if (version !== String(VERSION) && version !== String(VERSION - 1))
    throw new FormatError(
      `The run was saved in version ${version}; this library reads versions ${VERSION - 1} and ${VERSION}`,
    )
  const description = fromJson(JSON.parse(json), tensors)
  if (!isDescription(description)) throw damaged('its description is incomplete')
  return { number: description.number, description, container }
}

function damaged(how: string): FormatError {
  return new FormatError(`The saved run is damaged: ${how}`)
}

interface Description {
  readonly number: number
  readonly place: RunPosition
  readonly setting: Readonly<Record<string, Json>>
  readonly position: Position
  readonly shuffle: { readonly seed: number; readonly epoch: number }
  readonly seed: { readonly seed: number; readonly drawn: number }
  readonly timesDrawn: readonly number[]
  readonly callbacks: readonly { readonly name: string; readonly state: CallbackState }[]
}

function isDescription(value: unknown): value is Description {
  if (!isRecord(value)) return false
  const { number, place, setting, position, shuffle, seed, timesDrawn, callbacks } = value
  return (
    typeof number === 'number' &&
    isPlace(place) &&
    isRecord(setting) &&
    isPosition(position) &&
    hasNumbers(shuffle, 'seed', 'epoch') &&
    hasNumbers(seed, 'seed', 'drawn') &&
    Array.isArray(timesDrawn) &&
    Array.isArray(callbacks) &&
    callbacks.every((each) => isRecord(each) && typeof each['name'] === 'string')
  )
}

function isPlace(value: unknown): value is RunPosition {
  if (!hasNumbers(value, 'epoch', 'batch', 'step')) return false
  const { stopped, logs } = value
  return typeof stopped === 'boolean' && (logs === null || isRecord(logs))
}

function isPosition(value: unknown): value is Position {
  return hasNumbers(value, 'taken') && (value['draw'] === null || hasNumbers(value['draw'], 'seed', 'epoch'))
}

function hasNumbers(value: unknown, ...names: readonly string[]): value is Readonly<Record<string, unknown>> {
  return isRecord(value) && names.every((name) => typeof value[name] === 'number')
}

/**
 * Restores a run to the state of a saved one.
 * @throws FormatError for another model, other callbacks or, within an epoch, other data; nothing changes then
 */
export async function restoreRun(run: Run, { description, container: { metadata, tensors } }: KeptRun): Promise<void> {
  const { place, setting, position, shuffle, seed, timesDrawn: drawn, callbacks } = description
  const { prepared, runner, shuffleState } = run.training
  const within = place.batch > 0
  const taking = withState(run.callbacks)
  requireSame(
    'callbacks',
    callbacks.map(({ name }) => name),
    taking.map(classNameOf),
  )
  if (within)
    for (const [name, value] of Object.entries(setting)) requireSame(name, value, runner.setting[name] ?? null)
  const isOld = metadata['version'] !== String(VERSION)
  const variables = inFormerOrder(isOld, () => variablesOf(prepared))
  const known = new Set(variables.map(({ key }) => positionOf(key)))
  const extra = [...tensors.keys()].find(
    (key) => /^(weights|state|passing|optimizer)\//.test(key) && !known.has(positionOf(key)),
  )
  if (extra !== undefined) throw new FormatError(`The run was saved with '${extra}', which does not exist in this run`)
  restating(
    (message) => `The saved run is a different one. ${message}`,
    () => restoreNumbered(variables, tensors),
  )
  if (within)
    for (const { key, variable } of metricsOf(prepared))
      variable.view.set(tensors.get(key)?.data ?? new Float32Array(variable.size))
  Object.assign(shuffleState, shuffle)
  restoreSeedState(seed)
  inFormerOrder(isOld, () => setTimesDrawn(prepared.model, drawn))
  await runner.seek(position)
  callbacks.forEach(({ state }, i) => void (state !== null && taking[i]!.setState?.(state)))
  run.place = place
}

function requireSame(what: string, kept: Json, current: Json): void {
  if (JSON.stringify(kept) === JSON.stringify(current)) return
  throw new FormatError(
    `The run was saved with ${what} ${JSON.stringify(kept)}, this run has ${JSON.stringify(current)}`,
  )
}

/** Numbers that JSON cannot represent, and tensors, are stored as records with one of these keys. */
const NUMBER = '$number'
const TENSOR = '$tensor'

/** @param put stores a tensor and returns its name */
function toJson(value: unknown, put: (tensor: Tensor) => string): Json {
  if (value instanceof Tensor) return { [TENSOR]: put(value), dtype: value.dtype }
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { [NUMBER]: Object.is(value, -0) ? '-0' : String(value) }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map((each: unknown) => toJson(each, put))
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each, put)]))
  throw new ArgumentError(
    `getState of a callback must return plain data and tensors, received ${typeof value === 'object' ? classNameOf(value) : typeof value}`,
  )
}

/** Reads what `toJson` wrote. */
function fromJson(json: unknown, tensors: Container['tensors']): CallbackState {
  if (json === null || typeof json === 'boolean' || typeof json === 'number' || typeof json === 'string') return json
  if (Array.isArray(json)) return json.map((each: unknown) => fromJson(each, tensors))
  if (!isRecord(json)) throw internalError('JSON has only records, lists and simple values')
  if (typeof json[NUMBER] === 'string') return Number(json[NUMBER])
  const name = json[TENSOR]
  if (typeof name !== 'string')
    return Object.fromEntries(Object.entries(json).map(([key, each]) => [key, fromJson(each, tensors)]))
  const [tensor, dtype] = [tensors.get(name), String(json['dtype'])]
  if (tensor === undefined || !isKeyOf(dtypes, dtype)) throw damaged(`it has no tensor ${name} of dtype ${dtype}`)
  // A copy: the data may be a view of the whole file.
  return new Tensor(tensor.data.slice(), tensor.shape, dtype)
}
