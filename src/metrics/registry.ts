// Metrics by name, 'accuracy' among them, and a user's function as a metric.

import { normalizeName, unknownName } from '../core/errors'
import { Registry, camelCase, customFunction } from '../core/registry'
import type { Shape } from '../core/shapes'
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

/** What the metrics of a model are compared on. Shapes include the batch axis. */
export interface TargetShapes {
  readonly target: Shape
  readonly output: Shape
}

/** Which accuracy 'accuracy' means: one output is yes or no, class numbers are sparse, else one-hot. */
function accuracyFor({ target, output }: TargetShapes, name: string): Metric {
  const classes = output.at(-1) ?? 1
  if (classes === 1) return new BinaryAccuracy({ name })
  const sparse = target.length < output.length || target.at(-1) === 1
  return sparse ? new SparseCategoricalAccuracy({ name }) : new CategoricalAccuracy({ name })
}

/**
 * A metric from a name, an instance, a saved configuration or a function; a name may be that of a custom object in scope.
 * A name is also the key in logs.
 * @param shapes decide what 'accuracy' means
 */
export function getMetric(identifier: MetricIdentifier, shapes: TargetShapes): Metric {
  const own = customFunction<MetricFunction>(identifier)
  if (own !== null) {
    return new MeanMetricWrapper((yTrue, yPred) => own.call(...alignRanks(yTrue, yPred)), { name: own.name === '' ? 'metric' : own.name })
  }
  if (typeof identifier !== 'string') return metrics.get(identifier)
  const name = camelCase(identifier)
  if (['accuracy', 'acc'].includes(normalizeName(identifier))) return accuracyFor(shapes, name)
  if (!metrics.knows(identifier)) throw unknownName('metric', identifier, ['accuracy', ...metrics.known])
  return metrics.get({ className: identifier, config: { name } })
}
