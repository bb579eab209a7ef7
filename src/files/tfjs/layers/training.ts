// The options of compile in a file of TensorFlow.js: `trainingConfig: { optimizer_config, loss, metrics }`. Losses and metrics are names
// there; one name for several outputs applies to each.

import {
  classNameOf,
  isSerialized,
  snakeCase,
  type Config,
  type Configurable,
  type Json,
  type Registry,
} from '../../../core/registry'
import { isBranch } from '../../../core/tree'
import { isRecord, itemsOf, recordAt, recordOf, valueAt, type JsonRecord } from '../../containers/json'
import { isObject } from '../../keras/keras-object'
import { losses } from '../../../losses/registry'
import { metrics as metricsByName } from '../../../metrics/registry'
import type { Compiled } from '../../../training/compiled'
import { knownOptimizer, writtenOptimizer } from './optimizers'

/** Names in TensorFlow.js that are not those of the class here in snake case. */
const LOSSES: Readonly<Record<string, string>> = {
  LogCosh: 'logcosh',
  KLDivergence: 'kullback_leibler_divergence',
  CosineSimilarity: 'cosine_proximity',
}

/** The losses that TensorFlow.js has, by their classes here. */
const LOSS_CLASSES =
  'MeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError SquaredHinge Hinge CategoricalHinge LogCosh CategoricalCrossentropy SparseCategoricalCrossentropy BinaryCrossentropy KLDivergence Poisson CosineSimilarity'.split(
    ' ',
  )

/** The metrics that TensorFlow.js has, by their classes here. */
const METRICS: Readonly<Record<string, string>> = {
  BinaryAccuracy: 'binary_accuracy',
  CategoricalAccuracy: 'categorical_accuracy',
  CategoricalCrossentropy: 'categorical_crossentropy',
  SparseCategoricalCrossentropy: 'sparse_categorical_crossentropy',
  Precision: 'precision',
  MeanSquaredError: 'mse',
  MeanAbsoluteError: 'mae',
  MeanAbsolutePercentageError: 'mape',
}
/** Names for which the targets decide in both libraries. */
const BY_TARGETS = ['accuracy', 'acc', 'crossentropy', 'ce']

/** The class of a loss by its name in a file; other names are unchanged. */
function knownLoss(name: string): string {
  return Object.entries(LOSSES).find(([, theirs]) => theirs === name)?.[0] ?? name
}

/** The options of compile in Keras's form; null if there are none. */
export function savedCompile(json: JsonRecord, outputCount: number): JsonRecord | null {
  // The converter leaves those of Keras within the topology.
  const training = valueAt(json, 'trainingConfig') ?? valueAt(recordAt(json, 'modelTopology'), 'training_config')
  if (!isRecord(training)) return null
  const optimizer = valueAt(training, 'optimizer_config')
  if (!isObject(optimizer)) return null
  const each = (value: Json | undefined): Json =>
    outputCount > 1 ? Array(outputCount).fill(value ?? null) : (value ?? null)
  const loss = namesIn(valueAt(training, 'loss') ?? null, knownLoss)
  const metrics = valueAt(training, 'metrics') ?? null
  const isFlat = Array.isArray(metrics) && metrics.length > 0 && metrics.every((metric: Json) => !Array.isArray(metric))
  return {
    ...training,
    optimizer: knownOptimizer(optimizer.class_name, recordAt(optimizer, 'config')),
    loss: typeof loss === 'string' || isObject(loss) ? each(loss) : loss,
    metrics: isFlat ? each(metrics) : metrics,
  }
}

/** Names in a tree, but not those of its keys. */
function namesIn(value: Json, change: (name: string) => string): Json {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((each: Json) => namesIn(each, change))
  if (!isRecord(value) || isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, namesIn(each, change)]))
}

/**
 * The options of compile in the form of TensorFlow.js.
 * @param outputNames the names of the outputs there
 * @param refuse notes what it does not have
 */
export function trainingConfig(
  compiled: Compiled,
  outputNames: readonly string[],
  refuse: (why: string) => void,
): JsonRecord {
  const { loss = null, lossWeights = null, metrics = null, weightedMetrics = null } = recordOf(compiled.serialize())
  if (lossWeights !== null) refuse('there are no weights of losses')
  if (namesOf(weightedMetrics).length > 0) refuse('there are no weighted metrics')
  return {
    optimizer_config: writtenOptimizer(compiled.optimizer, refuse),
    loss: lossNames(loss, outputNames, refuse),
    metrics: metricNames(metrics, outputNames, refuse),
  }
}

/** The values of a list or a record. */
const partsOf = (value: Json): readonly Json[] => (isRecord(value) ? Object.values(value) : itemsOf(value))

/** The values of a tree of names and objects. */
function namesOf(value: Json): Json[] {
  if (value === null) return []
  if (isSerialized(value) || !isBranch(value)) return [value]
  return partsOf(value).flatMap(namesOf)
}

function lossNames(loss: Json, outputNames: readonly string[], refuse: (why: string) => void): Json {
  const names = namesOf(loss).map((each) => {
    const found = plainClass(losses, each)
    if (found === null || !LOSS_CLASSES.includes(found)) refuse(`there is no loss ${JSON.stringify(each)}`)
    return found === null ? '' : (LOSSES[found] ?? snakeCase(found))
  })
  if (typeof loss === 'string' || isSerialized(loss)) return names[0]!
  if (names.length !== outputNames.length) refuse('each output needs a loss')
  return names.length === 1 ? names[0]! : names
}

/** The class of a loss or a metric that has no options besides its name; null for others. */
function plainClass(registry: Registry<Configurable>, identifier: Json): string | null {
  if (typeof identifier === 'string' && !registry.knows(identifier)) return null
  const found = registry.get(identifier)
  const className = classNameOf(found)
  const options = ({ name: _name, ...others }: Config): string => JSON.stringify(others)
  if (!registry.knows(className)) return null
  return options(found.getConfig()) === options(registry.get(className).getConfig()) ? className : null
}

/** A list for a model with one output, otherwise a record with at most one metric for each. */
function metricNames(metrics: Json, outputNames: readonly string[], refuse: (why: string) => void): Json {
  const nameOf = (metric: Json): string => {
    if (typeof metric === 'string' && BY_TARGETS.includes(metric)) return metric
    const name = METRICS[plainClass(metricsByName, metric) ?? '']
    if (name === undefined) refuse(`there is no metric ${JSON.stringify(metric)}`)
    return name ?? ''
  }
  if (outputNames.length === 1) return namesOf(metrics).map(nameOf)
  const perOutput = partsOf(metrics).map(namesOf)
  if (perOutput.every((list) => list.length === 0)) return []
  if (perOutput.length !== outputNames.length || perOutput.some((list) => list.length > 1))
    refuse('each of several outputs can have one metric')
  return Object.fromEntries(
    outputNames.flatMap((name, i) => (perOutput[i] ?? []).slice(0, 1).map((metric) => [name, nameOf(metric)])),
  )
}
