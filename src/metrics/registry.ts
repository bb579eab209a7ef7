// Metrics by name, 'accuracy' among them, and a user's function as a metric.

import { ArgumentError, normalizeName, unknownName } from '../core/errors'
import type { Shape } from '../core/shapes'
import type { CustomObjects } from '../core/registry'
import { Registry, camelCase } from '../core/registry'
import { alignRanks } from '../losses/loss'
import type { MetricFunction, MetricIdentifier } from './index'
import {
  AUC, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy, Mean, MeanAbsoluteError,
  MeanMetricWrapper, MeanSquaredError, Metric, Precision, Recall, RootMeanSquaredError, SparseCategoricalAccuracy,
  SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
} from './index'

const isMetric = (value: unknown): value is Metric => value instanceof Metric

export const metrics = new Registry<Metric>('metric', isMetric, () => ({ BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, TopKCategoricalAccuracy, SparseTopKCategoricalAccuracy, MeanSquaredError, MeanAbsoluteError, RootMeanSquaredError, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy, Mean, Precision, Recall, AUC }), { mse: 'MeanSquaredError', mae: 'MeanAbsoluteError', rmse: 'RootMeanSquaredError', bce: 'BinaryCrossentropy' })

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
 * A metric from a name, an instance, a saved configuration or a function. A name is also the key in logs.
 * @param shapes decide what 'accuracy' means
 */
export function getMetric(identifier: MetricIdentifier, shapes: TargetShapes, custom: CustomObjects = {}): Metric {
  if (typeof identifier === 'function') {
    if (isMetricClass(identifier)) {
      throw new ArgumentError(`Pass an instance of a metric, not its class: new ${identifier.name}()`)
    }
    return new MeanMetricWrapper((yTrue, yPred) => identifier(...alignRanks(yTrue, yPred)), { name: identifier.name === '' ? 'metric' : identifier.name })
  }
  if (typeof identifier !== 'string') return metrics.get(identifier)
  const name = camelCase(identifier)
  if (['accuracy', 'acc'].includes(normalizeName(identifier))) return accuracyFor(shapes, name)
  if (!metrics.knows(identifier) && !(identifier in custom)) throw unknownName('metric', identifier, ['accuracy', ...metrics.known])
  return metrics.get({ className: identifier, config: { name } })
}

function isMetricClass(identifier: MetricFunction): boolean {
  return identifier.prototype instanceof Metric
}
