// A model from the bytes that save wrote, or from JSON, with the classes of the library. saved-model.ts reads the bytes.

import { encodeUtf8 } from '../../core/text'
import { ArgumentError, FormatError, knownName, restate } from '../../core/errors'
import {
  PASS_YOUR_OWN,
  classesIn,
  customObject,
  defaultObjectScope,
  isSerialized,
  type Config,
  type CustomObjects,
  type Json,
  type Serialized,
} from '../../core/registry'
import { readPatterns } from '../../optimizers/file-patterns'
import { LossScaleOptimizer } from '../../optimizers/loss-scale'
import { MultiOptimizer } from '../../optimizers/multi'
import { foreignKind } from '../containers/format-list'
import * as initializers from '../../parts/initializers'
import { initializers as namedInitializers } from '../../parts/initializers/registry'
import { layersByName } from '../../layers/registry'
import * as losses from '../../losses'
import { losses as namedLosses } from '../../losses/registry'
import * as metrics from '../../metrics'
import { metrics as namedMetrics } from '../../metrics/registry'
import type { LoadModelOptions, LoadSettings } from '../../models/load-options'
import { MOST_METRICS, metricsIn, type CompileOptions } from '../../training/compiled'
import type { Model } from '../../models/model'
import { classesOf, modelClasses } from './known-classes'
import { withOnlyClasses } from '../../models/reader'
import { customObjectScope } from '../../models/scope'
import { TableModel } from '../../tables/table-model'
import { makeModel, readModel } from './saved-model'

/** The classes of a module that users cannot choose by name, but files name. */
function unnamedIn(module: object, named: object): CustomObjects {
  return Object.fromEntries(Object.entries(classesIn(module)).filter(([name]) => !Object.hasOwn(named, name)))
}

/** The classes of the library that files name. */
export function libraryClasses(): CustomObjects {
  return {
    ...layersByName(),
    ...modelClasses,
    TableModel,
    ...unnamedIn(initializers, namedInitializers.all),
  }
}

/** What `modelFromBytes` takes. */
export type ModelSettings = LoadSettings & Pick<LoadModelOptions, 'layers'>

/** Runs `body` with the classes that files name: those of the library, or only those of the option `layers`, and the user's. */
function withClasses<Result>({ customObjects = {}, layers = null }: ModelSettings, body: () => Result): Result {
  const withCustom = (): Result => customObjectScope(customObjects, body)
  return layers === null
    ? defaultObjectScope(libraryClasses(), withCustom)
    : withOnlyClasses(classesOf(layers), withCustom)
}

type Identifier = string | Serialized | ((...inputs: never[]) => unknown)

/** The function of a loss that has no metric of its name; undefined for other names. */
function lossAsMetric(name: string): unknown {
  const isKnown = namedMetrics.knows(name) || namedLosses.classOf(name) === undefined
  return isKnown ? undefined : Object.entries<unknown>(losses).find(([each]) => each === name)?.[1]
}

/**
 * Replaces the names of functions by the functions, in a tree of names and saved objects.
 * @throws FormatError for the function of a loss that has no name: a function of the user may have the same name
 */
function identifiers(value: Json | undefined, named: (name: string) => unknown = customObject): unknown {
  if (value === undefined || value === null) return null
  if (typeof value === 'string') {
    const found = named(value)
    if (isFunction(found)) return found
    if (knownName(value, Object.keys(unnamedIn(losses, namedLosses.all))) !== undefined)
      throw new FormatError(
        `The file names the function '${value}', which may be losses.${value} or your own. Pass it: customObjects: { ${value}: losses.${value} }`,
      )
    return value
  }
  if (isSerialized(value)) return value satisfies Identifier
  if (Array.isArray(value)) return value.map((each: Json) => identifiers(each, named))
  if (typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, identifiers(each, named)]))
  throw new FormatError('The file is damaged: the options of compile are incomplete')
}

/** The same for metrics, which may be functions of losses. */
function metricIdentifiers(value: Json | undefined): unknown {
  return identifiers(value, (name) => customObject(name) ?? lossAsMetric(name))
}

/** Compiles a model with saved options. @param customObjects the user's classes and functions */
export function compileSaved(model: Model, saved: Config, customObjects: CustomObjects): void {
  const custom = {
    LossScaleOptimizer,
    MultiOptimizer,
    ...unnamedIn(losses, namedLosses.all),
    ...unnamedIn(metrics, namedMetrics.all),
    ...customObjects,
  }
  if (saved['loss'] === undefined) throw new FormatError('The file is damaged: the options of compile have no loss')
  const count = metricsIn(saved)
  if (count > MOST_METRICS)
    throw new FormatError(`The file has ${count} metrics, more than ${MOST_METRICS}. Load it with compile: false`)
  const options = customObjectScope(custom, () => ({
    optimizer: optimizerOf(saved['optimizer']),
    loss: identifiers(saved['loss']),
    lossWeights: saved['lossWeights'] ?? null,
    metrics: metricIdentifiers(saved['metrics']),
    weightedMetrics: metricIdentifiers(saved['weightedMetrics']),
  }))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- compile checks each option itself, as it does for users
  readPatterns(() => model.compile(options as CompileOptions, custom))
}

function optimizerOf(value: Json | undefined): { className: string; config: Config } {
  if (isSerialized(value)) return value
  throw new FormatError('The file is damaged: it has no optimizer')
}

function isFunction(value: unknown): value is (...inputs: never[]) => unknown {
  return typeof value === 'function'
}

/** A model from the bytes that save wrote. */
export function modelFromBytes(bytes: Uint8Array, options: ModelSettings = {}): Model {
  const { customObjects = {}, compile = true } = options
  return withAdvice(() =>
    readModel(bytes, {
      within: (body) => withClasses(options, body),
      kindOf: foreignKind,
      compile: compile ? (model, saved) => compileSaved(model, saved, customObjects) : null,
    }),
  )
}

const OF_PARTS =
  'Classes of myelin/balance, myelin/explain, myelin/onnx and myelin/thrift are passed there, too: { L2Init }, or quantizedLayers for all layers of myelin/thrift and languageLayers for those of myelin/language.'

/** Errors for a class or a function that nobody knows. */
const ofUnknown = new WeakSet<object>()

/** Whether an error is that for a class of which a file has the name alone. */
export function isOfUnknownClass(error: unknown): boolean {
  return typeof error === 'object' && error !== null && ofUnknown.has(error)
}

/** Whether a message is about an unknown name, and does not yet mention the classes of the parts. */
function lacksAdvice(message: string): boolean {
  return message.startsWith('Unknown') && (message.endsWith(PASS_YOUR_OWN) || !message.includes('customObjects'))
}

/** Adds advice to the error for an unknown class: where to pass it. */
function withAdvice<Result>(body: () => Result): Result {
  try {
    return body()
  } catch (error) {
    if (error instanceof ArgumentError && lacksAdvice(error.message)) {
      ofUnknown.add(error)
      restate(error, [error.message.replace(` ${PASS_YOUR_OWN}`, ''), PASS_YOUR_OWN, OF_PARTS].join(' '))
    }
    throw error
  }
}

/**
 * A model with new weights from what toJSON returned.
 * @throws FormatError if the value is not a model; ArgumentError for unknown classes
 */
export function modelFromSaved(saved: unknown, customObjects: CustomObjects = {}): Model {
  if (!isSerialized(saved)) {
    const kind = foreignKind(encodeUtf8(textOf(saved)))
    throw new FormatError(`This is not a model: it ${kind === null ? 'has no className and config' : `is ${kind}`}`)
  }
  return withAdvice(() => makeModel(saved, (body) => withClasses({ customObjects }, body)))
}

/** The JSON of a value; an empty text for a value that contains itself. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
