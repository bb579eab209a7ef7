// Metrics by name: short names, and the types that editors complete.

import type { NamesOf, Serialized } from '../core/registry'
import { SHORT_NAMES as OF_LOSSES } from '../losses/names'
import type { Tensor } from '../ops/tensor'
import type { Metric } from './metric'
import type * as named from './named'

/** Keras's short names. */
export const SHORT_NAMES = {
  ...OF_LOSSES,
  rmse: 'RootMeanSquaredError',
} as const satisfies Readonly<Record<string, keyof typeof named>>

/** One value per sample from targets and predictions, written with ops; its mean is the metric. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type MetricName =
  | NamesOf<typeof named, 'MeanMetricWrapper'>
  | keyof typeof SHORT_NAMES
  | 'acc'
  | 'crossentropy'
  | 'ce'
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type MetricIdentifier = MetricName | (string & {}) | Metric | MetricFunction | Serialized
