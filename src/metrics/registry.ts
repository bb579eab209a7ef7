// Metrics by name, 'accuracy' and 'crossentropy' among them, and a user's function as a metric.

import { normalizeName, unknownName } from '../core/errors'
import { Registry, camelCase, customFunction } from '../core/registry'
import type { TargetShapes } from '../losses/targets'
import { targetKind } from '../losses/targets'
import { alignRanks } from '../losses/weights'
import type { MetricFunction, MetricIdentifier } from './index'
import {
  AUC, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, Mean, MeanAbsoluteError,
  MeanMetricWrapper, MeanSquaredError, Metric, Precision, Recall, RootMeanSquaredError, SparseCategoricalAccuracy,
  SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
} from './index'

const isMetric = (value: unknown): value is Metric => value instanceof Metric

export const metrics = new Registry<Metric>(
  'metric',
  isMetric,
  () => ({
    BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy,
    MeanSquaredError, MeanAbsoluteError, RootMeanSquaredError, BinaryCrossentropy, CategoricalCrossentropy,
    SparseCategoricalCrossentropy, Mean, Precision, Recall, AUC,
  }),
  { mse: 'MeanSquaredError', mae: 'MeanAbsoluteError', rmse: 'RootMeanSquaredError', bce: 'BinaryCrossentropy' },
)

/** Which class a short name means for each kind of targets. */
const accuracies = { binary: BinaryAccuracy, sparse: SparseCategoricalAccuracy, oneHot: CategoricalAccuracy }
const crossentropies = { binary: BinaryCrossentropy, sparse: SparseCategoricalCrossentropy, oneHot: CategoricalCrossentropy }
const byTargets = new Map<string, typeof accuracies | typeof crossentropies>([
  ['accuracy', accuracies], ['acc', accuracies], ['crossentropy', crossentropies], ['ce', crossentropies],
])

/**
 * A metric from a name, an instance, a saved configuration or a function; a name may be that of a custom object in scope.
 * A name is also the key in logs.
 * @param shapes decide what 'accuracy' and 'crossentropy', or short 'acc' and 'ce', mean
 */
export function getMetric(identifier: MetricIdentifier, shapes: TargetShapes): Metric {
  const own = customFunction<MetricFunction>(identifier)
  if (own !== null) {
    return new MeanMetricWrapper((yTrue, yPred) => own.call(...alignRanks(yTrue, yPred)), { name: own.name === '' ? 'metric' : own.name })
  }
  if (typeof identifier !== 'string') return metrics.get(identifier)
  const name = camelCase(identifier)
  const kinds = byTargets.get(normalizeName(identifier))
  if (kinds !== undefined) return new kinds[targetKind(shapes)]({ name })
  if (!metrics.knows(identifier)) throw unknownName('metric', identifier, ['accuracy', 'crossentropy', ...metrics.known])
  return metrics.get({ className: identifier, config: { name } })
}
