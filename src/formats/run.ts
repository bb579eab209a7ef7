// A run of fit as bytes, by which another process takes it up where it was and comes to the same weights, bit for bit: weights,
// optimizer, state of layers and of what is random, the order of the rows, metrics within an epoch, the history, what callbacks
// keep. When it is kept, and where: training/callbacks/backup-and-restore.ts.

import type { DType } from '../core/dtypes'
import { ArgumentError, FormatError, restating } from '../core/errors'
import type { Config, Json } from '../core/registry'
import { classNameOf } from '../core/registry'
import { inFormerOrder } from '../layers/layer-parts'
import { restoreSeedState, seedState } from '../ops/seed'
import { Tensor } from '../ops/tensor'
import { Optimizer } from '../optimizers/optimizer'
import type { CallbackMethods, CallbackState, Place, Run } from '../training/callbacks/callback'
import type { Position } from '../training/position'
import type { Container, NamedTensor } from './safetensors'
import { decodeContainer, encodeContainer } from './safetensors'
import type { SavedVariable } from './save'
import { numbered } from './save'
import { positionOf, restoreNumbered } from './weights'

const FORMAT = 'myelin-run'
/** Runs of version 1 number layers and weights in another order: see inFormerOrder. */
const VERSION = 2

/** A run as it was read. */
export interface KeptRun {
  /** The how many-th time it was kept. */
  readonly number: number
  readonly description: { readonly [key: string]: CallbackState }
  readonly container: Container
}

/** Everything that a step or an epoch changes, under the keys it is kept by. */
function variablesOf({ model, compiled }: Run): SavedVariable[] {
  // A step of one's own may use optimizers in properties of the model.
  const own = model.allLayers.flatMap((layer) => Object.values(layer)).filter((value) => value instanceof Optimizer)
  const optimizers = [...new Set([compiled.optimizer, ...own])]
  return [
    ...numbered('weights', model.weights),
    ...numbered('state', model.stateVariables),
    ...numbered(
      'passing',
      model.allLayers.flatMap(({ passingState }) => passingState),
    ),
    ...numbered(
      'optimizer',
      optimizers.flatMap(({ variables }) => variables),
    ),
  ]
}

/** What metrics gathered since the epoch began, and what the last step returned. */
function metricsOf({ compiled }: Run): SavedVariable[] {
  const kept = compiled.all.flatMap(({ variables }, i) =>
    variables.map((variable, j) => ({ key: `metrics/${compiled.names[i]}/${j}`, variable })),
  )
  return [...kept, ...Array.from(compiled.stepLogs('train'), ([name, variable]) => ({ key: `logs/${name}`, variable }))]
}

/** Others may come and go. */
function withState(callbacks: readonly CallbackMethods[]) {
  return callbacks.filter(
    (callback): callback is CallbackMethods & Required<Pick<CallbackMethods, 'getState'>> =>
      callback.getState !== undefined,
  )
}

/** Keys of tensors of callbacks, which no variable has. */
const CALLBACKS = 'callbacks/'

/** The bytes of a run between two steps. @param number the how many-th time it is kept */
export function encodeRun(run: Run, number: number): Uint8Array {
  const { model, callbacks, shuffleState, place, runner } = run
  const within = place.batch > 0
  const tensors: NamedTensor[] = [...variablesOf(run), ...(within ? metricsOf(run) : [])].map(({ key, variable }) => ({
    name: key,
    shape: variable.shape,
    data: variable.view,
  }))
  const description = {
    number,
    place: { ...place },
    setting: runner.setting,
    position: runner.position,
    shuffle: { ...shuffleState },
    seed: { ...seedState() },
    timesDrawn: [...model.timesDrawn],
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

/** @throws FormatError for bytes that are no run, or not all of one */
export function decodeRun(bytes: Uint8Array): KeptRun {
  const container = decodeContainer(bytes)
  const {
    metadata: { format, version, description: json },
    tensors,
  } = container
  if (format !== FORMAT || json === undefined) throw new FormatError('This is no run of fit that was kept')
  if (version !== String(VERSION) && version !== String(VERSION - 1))
    throw new FormatError(
      `The run was kept in version ${version}; this library reads versions ${VERSION - 1} and ${VERSION}`,
    )
  const description = fromJson(JSON.parse(json) as Json, tensors) as KeptRun['description']
  return { number: Number(description['number']), description, container }
}

interface Description {
  readonly place: Place
  readonly setting: Config
  readonly position: Position
  readonly shuffle: { readonly seed: number; readonly epoch: number }
  readonly seed: { readonly seed: number; readonly drawn: number }
  readonly timesDrawn: readonly number[]
  readonly callbacks: readonly { readonly name: string; readonly state: CallbackState }[]
}

/**
 * Puts a run where another one was.
 * @throws FormatError where it was another model, other callbacks or, within an epoch, other data; nothing is changed then
 */
export async function restoreRun(run: Run, { description, container: { metadata, tensors } }: KeptRun): Promise<void> {
  const { place, setting, position, shuffle, seed, timesDrawn, callbacks } = description as unknown as Description
  const within = place.batch > 0
  const taking = withState(run.callbacks)
  requireSame(
    'callbacks',
    callbacks.map(({ name }) => name),
    taking.map(classNameOf),
  )
  if (within)
    for (const [name, value] of Object.entries(setting)) requireSame(name, value, run.runner.setting[name] ?? null)
  const isOld = metadata['version'] !== String(VERSION)
  const variables = inFormerOrder(isOld, () => variablesOf(run))
  const known = new Set(variables.map(({ key }) => positionOf(key)))
  const extra = [...tensors.keys()].find(
    (key) => /^(weights|state|passing|optimizer)\//.test(key) && !known.has(positionOf(key)),
  )
  if (extra !== undefined) throw new FormatError(`The run was kept with '${extra}', which this one lacks`)
  restating(
    (message) => `The run that was kept is another one. ${message}`,
    () => restoreNumbered(variables, tensors),
  )
  if (within)
    for (const { key, variable } of metricsOf(run))
      variable.view.set(tensors.get(key)?.data ?? new Float32Array(variable.size))
  Object.assign(run.shuffleState, shuffle)
  restoreSeedState(seed)
  inFormerOrder(isOld, () => (run.model.timesDrawn = timesDrawn))
  await run.runner.seek(position)
  callbacks.forEach(({ state }, i) => void (state !== null && taking[i]!.setState?.(state)))
  run.place = place
}

function requireSame(what: string, kept: Json, given: Json): void {
  if (JSON.stringify(kept) === JSON.stringify(given)) return
  throw new FormatError(`The run was kept with ${what} ${JSON.stringify(kept)}, this one has ${JSON.stringify(given)}`)
}

/** Numbers that JSON does not know, and tensors, stand as records with one of these keys. */
const NUMBER = '$number'
const TENSOR = '$tensor'

/** @param put keeps a tensor and gives its name */
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
    `getState of a callback must give plain data and tensors, received ${typeof value === 'object' ? classNameOf(value) : typeof value}`,
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
