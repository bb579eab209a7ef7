// A model from the bytes that save wrote, or from JSON. Every field of a file is checked before it is used. Saving is in save.ts.

import { encodeUtf8 } from '../core/text'
import { requireArguments } from '../core/arguments'
import { ArgumentError, FormatError, restate } from '../core/errors'
import { readOptions } from '../core/options'
import type { Config, CustomObjects, Json, Serialized } from '../core/registry'
import { PASS_YOUR_OWN, classesIn, construct, customObject, defaultObjectScope, isSerialized } from '../core/registry'
import { LossScaleOptimizer } from '../optimizers/loss-scale'
import { SPARE_ELEMENTS, limitWeights } from '../core/weight-limit'
import type { Tree } from '../core/tree'
import { isBranch, typed } from '../core/tree'
import { sizeOf } from '../core/shapes'
import type { Container } from '../formats/safetensors'
import { decodeContainer, kindOfFile } from '../formats/safetensors'
import { FORMAT, VERSION, isFormer, restoreNumbered } from '../formats/weights'
import * as initializers from '../initializers'
import { initializers as namedInitializers } from '../initializers/registry'
import { inFormerOrder } from '../layers/weights'
import { layersByName } from '../layers/registry'
import { TensorSpec } from '../layers/spec'
import * as losses from '../losses'
import { losses as namedLosses } from '../losses/registry'
import * as metrics from '../metrics'
import { metrics as namedMetrics } from '../metrics/registry'
import type { LoadOptions } from './load-options'
import { jsonTable } from './load-options'
import { Model } from './model'
import { customObjectScope } from './scope'
import { Sequential } from './sequential'
import { TableModel } from './table-model'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { CompileOptions } from '../training/compiled'
import { savedVariables } from './save'

interface Description {
  readonly className: string
  readonly config: Config
  readonly compile: Config | null
  /** The positions of the weights for which the optimizer has slots. */
  readonly optimizerFor: readonly number[]
  /** The positions of weights whose own `trainable` is false. */
  readonly frozen: readonly number[]
  readonly shuffle: { readonly seed: number; readonly epoch: number }
  /** The specs for which a model that is not a graph was built. */
  readonly build: Tree<TensorSpec> | null
}

function readDescription({ metadata }: Container): Description {
  const text = metadata['description']
  if (metadata['format'] !== FORMAT || text === undefined) {
    throw new FormatError(
      'This file has weights, but no model. Create the model, then load the weights into it: model.loadWeights(path)',
    )
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new FormatError('The file is damaged: its description is not JSON')
  }
  if (!isConfig(parsed) || !isSerialized(parsed['model']))
    throw new FormatError('The file is damaged: its description is incomplete')
  // Files before version 3 have the version in their description.
  const version = metadata['version'] ?? String(parsed['version'])
  if (version !== String(VERSION) && version !== String(VERSION - 1)) {
    throw new FormatError(
      `The file has format version ${version}; this library reads versions ${VERSION - 1} and ${VERSION}`,
    )
  }
  const { className, config } = parsed['model']
  return {
    className,
    config,
    compile: isConfig(parsed['compile']) ? parsed['compile'] : null,
    optimizerFor: numbers(parsed['optimizerFor']),
    frozen: numbers(parsed['frozen']),
    build: readSpecs(parsed['build']),
    shuffle: readShuffle(parsed['shuffle']),
  }
}

function readShuffle(value: Json | undefined): { seed: number; epoch: number } {
  const { seed, epoch } = isConfig(value) ? value : { seed: 0, epoch: 0 }
  if (Number.isSafeInteger(seed) && isCount(epoch)) return { seed: Number(seed), epoch }
  throw new FormatError('The file is damaged: the order of the samples is incomplete')
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/** Specs as save() writes them: { shape, dtype }, lists of them, and { fields }. */
function readSpecs(value: Json | undefined): Tree<TensorSpec> | null {
  if (!isBranch(value)) return null
  if (Array.isArray(value)) return value.map((each: Json) => readSpecs(each) ?? new TensorSpec([]))
  const { shape, dtype, fields } = value as Config
  if (isBranch(fields))
    return Object.fromEntries(
      Object.entries(fields).map(([key, each]) => [key, readSpecs(each as Json) ?? new TensorSpec([])]),
    )
  const isKnown = dtype === 'float32' || dtype === 'int32' || dtype === 'bool'
  const isShape = Array.isArray(shape) && shape.every((extent: Json) => extent === null || isCount(extent))
  if (!isShape || !isKnown) throw new FormatError('The file is damaged: the specs of the model are incomplete')
  return new TensorSpec([...shape], dtype)
}

function numbers(value: Json | undefined): number[] {
  return Array.isArray(value) ? value.map(Number) : []
}

function isConfig(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The classes of a module that users cannot choose by name, but files name. */
function unnamedIn(module: object, named: object): CustomObjects {
  return Object.fromEntries(Object.entries(classesIn(module)).filter(([name]) => !Object.hasOwn(named, name)))
}

/** The classes of the library that files name. */
export function libraryClasses(): CustomObjects {
  return {
    ...layersByName(),
    Model,
    Sequential,
    TableModel,
    Functional: Model,
    ...unnamedIn(initializers, namedInitializers.all),
  }
}

/** Runs `body` with the classes that files name: those of the library, overridden by the user's. */
function withClasses<Result>(custom: CustomObjects, body: () => Result): Result {
  return defaultObjectScope(libraryClasses(), () => customObjectScope(custom, body))
}

function makeModel({ className, config }: Serialized, custom: CustomObjects): Model<unknown, unknown> {
  return withClasses(custom, () => {
    const made = construct(customObject(className), config)
    if (made instanceof Model) return made
    if (made === undefined) throw new ArgumentError(`Unknown model class '${className}'.`)
    throw new FormatError(`Cannot load a model of class '${className}'`)
  })
}

type Identifier = string | Serialized | ((...inputs: never[]) => unknown)

/** Replaces the names of the user's functions by the functions, in a tree of names and saved objects. */
function identifiers(value: Json | undefined): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') {
    const own = customObject(value)
    return isFunction(own) ? own : value
  }
  if (isSerialized(value)) return value satisfies Identifier
  if (Array.isArray(value)) return value.map((each: Json) => identifiers(each))
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, identifiers(each)]))
  throw new FormatError('The file is damaged: the options of compile are incomplete')
}

/** Compiles a model with saved options. @param customObjects the user's classes and functions */
export function compileSaved(model: Model<unknown, unknown>, saved: Config, customObjects: CustomObjects): void {
  const custom = {
    LossScaleOptimizer,
    ...unnamedIn(losses, namedLosses.all),
    ...unnamedIn(metrics, namedMetrics.all),
    ...customObjects,
  }
  if (saved['loss'] === undefined) throw new FormatError('The file is damaged: the options of compile have no loss')
  const options = customObjectScope(custom, () => ({
    optimizer: optimizerOf(saved['optimizer']),
    loss: identifiers(saved['loss']),
    lossWeights: saved['lossWeights'] ?? null,
    metrics: identifiers(saved['metrics']),
    weightedMetrics: identifiers(saved['weightedMetrics']),
  }))
  model.compile(options as CompileOptions, custom)
}

// Creates slots for the weights that were trained before saving; other weights may be trainable now.
function restoreSlots(
  { optimizer }: Model<unknown, unknown>,
  numberedWeights: readonly Variable[],
  positions: readonly number[],
): void {
  if (positions.length === 0) return
  const weights = positions.map((position) => {
    const weight = numberedWeights[position]
    if (weight === undefined)
      throw new FormatError(`The file is damaged: the optimizer trains weight ${position}, which does not exist`)
    return weight
  })
  optimizer.build(weights)
}

function optimizerOf(value: Json | undefined): { className: string; config: Config } {
  if (isSerialized(value)) return value
  throw new FormatError('The file is damaged: it has no optimizer')
}

function isFunction(value: unknown): value is (...inputs: never[]) => unknown {
  return typeof value === 'function'
}

/** A model from the bytes that save wrote. */
export function modelFromBytes(bytes: Uint8Array, options: LoadOptions = {}): Model<unknown, unknown> {
  return withAdvice(() => readModel(bytes, options))
}

const OF_PARTS =
  'Classes of myelin/balance, myelin/explain, myelin/onnx and myelin/thrift are passed there, too: { L2Init }, or quantizedLayers for all layers of myelin/thrift.'

/** Adds advice to the error for an unknown class: where to pass it. */
function withAdvice<Result>(body: () => Result): Result {
  try {
    return body()
  } catch (error) {
    const { message } = error as Error
    if (
      error instanceof ArgumentError &&
      message.startsWith('Unknown') &&
      (message.endsWith(PASS_YOUR_OWN) || !message.includes('customObjects'))
    ) {
      restate(error, [message.replace(` ${PASS_YOUR_OWN}`, ''), PASS_YOUR_OWN, OF_PARTS].join(' '))
    }
    throw error
  }
}

function readModel(
  bytes: Uint8Array,
  { customObjects = {}, compile = true }: LoadOptions = {},
): Model<unknown, unknown> {
  const container = decodeContainer(bytes)
  const description = readDescription(container)
  const largest = Math.max(0, ...Array.from(container.tensors.values(), ({ shape }) => sizeOf(shape)))
  const isOld = isFormer(container.metadata)
  const model = limitWeights(largest, SPARE_ELEMENTS + 2 * bytes.length, () => {
    const made = makeModel(description, customObjects)
    if (description.build !== null) made.ensureBuilt(description.build)
    const weights = inFormerOrder(isOld, () => made.weights)
    const frozen = new Set(description.frozen)
    weights.forEach((weight, i) => {
      if (weight.trainable === frozen.has(i)) weight.trainable = !frozen.has(i)
    })
    if (compile && description.compile !== null) {
      compileSaved(made, description.compile, customObjects)
      restoreSlots(made, weights, description.optimizerFor)
    }
    return made
  })
  restoreNumbered(
    inFormerOrder(isOld, () => savedVariables(model, { includeOptimizer: compile })),
    container.tensors,
  )
  Object.assign(model.training.shuffleState, description.shuffle)
  return model
}

/**
 * A model with new weights from the result of toJSON (or of JSON.stringify for a model).
 * @throws FormatError if the JSON is not a model; ArgumentError for unknown classes
 */
export function modelFromJSON<In = Tensor, Out = Tensor>(
  json: string | Serialized,
  options: Pick<LoadOptions, 'customObjects'> = {},
): Model<In, Out> {
  requireArguments('modelFromJSON', arguments, 2)
  readOptions('modelFromJSON', jsonTable, options)
  const { customObjects = {} } = options
  const parsed: unknown = typeof json === 'string' ? parseJson(json) : json
  if (!isSerialized(parsed)) {
    const kind = kindOfFile(encodeUtf8(JSON.stringify(parsed) ?? ''))
    throw new FormatError(`This is not a model: it ${kind === null ? 'has no className and config' : `is ${kind}`}`)
  }
  return withAdvice(() => typed(makeModel(parsed, customObjects)))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new FormatError('This is not a model: it is not JSON')
  }
}
