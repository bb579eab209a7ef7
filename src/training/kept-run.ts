// Saves a run of fit as bytes, from which another process resumes with the same results, bit for bit: weights, optimizer,
// states of layers and random generators, the order of the rows, metrics within an epoch, the history, and the
// callbacks' states. callbacks/backup-and-restore.ts decides when and where a run is saved.

import type { DType } from '../core/dtypes'
import { ArgumentError, FormatError, restating } from '../core/errors'
import { classNameOf, type Config, type Json } from '../core/registry'
import { foreignKind } from '../files/containers/foreign'
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
  readonly description: { readonly [key: string]: CallbackState }
  readonly container: Container
}

/** All variables that a step or an epoch changes, under their keys in the file. */
function variablesOf({ model, compiled }: Run['training']['prepared']): SavedVariable[] {
  // A custom trainStep may use optimizers in properties of the model.
  const own = model.allLayers.flatMap((layer) => Object.values(layer)).filter((value) => value instanceof Optimizer)
  const optimizers = [...new Set([compiled.optimizer, ...own])]
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
  const description = fromJson(JSON.parse(json) as Json, tensors) as KeptRun['description']
  return { number: Number(description['number']), description, container }
}

interface Description {
  readonly place: RunPosition
  readonly setting: Config
  readonly position: Position
  readonly shuffle: { readonly seed: number; readonly epoch: number }
  readonly seed: { readonly seed: number; readonly drawn: number }
  readonly timesDrawn: readonly number[]
  readonly callbacks: readonly { readonly name: string; readonly state: CallbackState }[]
}

/**
 * Restores a run to the state of a saved one.
 * @throws FormatError for another model, other callbacks or, within an epoch, other data; nothing changes then
 */
export async function restoreRun(run: Run, { description, container: { metadata, tensors } }: KeptRun): Promise<void> {
  const {
    place,
    setting,
    position,
    shuffle,
    seed,
    timesDrawn: drawn,
    callbacks,
  } = description as unknown as Description
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

function requireSame(what: string, kept: Json, given: Json): void {
  if (JSON.stringify(kept) === JSON.stringify(given)) return
  throw new FormatError(`The run was saved with ${what} ${JSON.stringify(kept)}, this run has ${JSON.stringify(given)}`)
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
  if (typeof value === 'object' && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toJson(each, put)]))
  }
  throw new ArgumentError(
    `getState of a callback must return plain data and tensors, received ${typeof value === 'object' ? classNameOf(value) : typeof value}`,
  )
}

function fromJson(json: Json, tensors: Container['tensors']): CallbackState {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map((each: Json) => fromJson(each, tensors))
  const record = json as Config
  if (typeof record[NUMBER] === 'string') return Number(record[NUMBER])
  const name = record[TENSOR]
  if (typeof name !== 'string')
    return Object.fromEntries(Object.entries(record).map(([key, each]) => [key, fromJson(each, tensors)]))
  const { data, shape } = tensors.get(name)!
  // A copy: the data may be a view of the whole file.
  return new Tensor(data.slice(), shape, record['dtype'] as DType)
}
