// Metrics by name, including 'accuracy' and 'crossentropy', and custom functions as metrics.

import { normalizeName } from '../core/errors'
import { Registry, camelCase, customFunction } from '../core/registry'
import { SHORT_NAMES } from '../losses/registry'
import type { TargetShapes } from '../losses/targets'
import { targetKind } from '../losses/targets'
import { alignRanks } from '../losses/weights'
import type { MetricFunction, MetricIdentifier } from './index'
import {
  AUC,
  Accuracy,
  BinaryAccuracy,
  BinaryCrossentropy,
  BinaryIoU,
  CategoricalAccuracy,
  CategoricalCrossentropy,
  CategoricalHinge,
  ConcordanceCorrelation,
  CosineSimilarity,
  F1Score,
  FBetaScore,
  FalseNegatives,
  FalsePositives,
  Hinge,
  KLDivergence,
  LogCoshError,
  Mean,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanMetricWrapper,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  Metric,
  PearsonCorrelation,
  Poisson,
  Precision,
  R2Score,
  Recall,
  RootMeanSquaredError,
  SparseCategoricalAccuracy,
  SparseCategoricalCrossentropy,
  SparseTopKCategoricalAccuracy,
  SquaredHinge,
  Sum,
  TopKCategoricalAccuracy,
  TrueNegatives,
  TruePositives,
} from './index'

const isMetric = (value: unknown): value is Metric => value instanceof Metric

export const metrics = new Registry<Metric>(
  'metric',
  isMetric,
  () => ({
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    TopKCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    RootMeanSquaredError,
    LogCoshError,
    CosineSimilarity,
    PearsonCorrelation,
    ConcordanceCorrelation,
    R2Score,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    KLDivergence,
    Poisson,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    Mean,
    Sum,
    Precision,
    MeanMetricWrapper,
    Recall,
    AUC,
    F1Score,
    FBetaScore,
    TruePositives,
    TrueNegatives,
    FalsePositives,
    FalseNegatives,
    BinaryIoU,
  }),
  {
    aliases: { ...SHORT_NAMES, rmse: 'RootMeanSquaredError' },
    // Not available by name, because they have required options.
    unnamed: [
      'ConfusionMatrix',
      'IoU',
      'MeanIoU',
      'OneHotIoU',
      'OneHotMeanIoU',
      'PrecisionAtRecall',
      'RecallAtPrecision',
      'SensitivityAtSpecificity',
      'SpecificityAtSensitivity',
    ],
  },
)

/** The class of a short name for each kind of targets. */
const accuracies = { binary: BinaryAccuracy, sparse: SparseCategoricalAccuracy, oneHot: CategoricalAccuracy }
const crossentropies = {
  binary: BinaryCrossentropy,
  sparse: SparseCategoricalCrossentropy,
  oneHot: CategoricalCrossentropy,
}
const byTargets = new Map<string, typeof accuracies | typeof crossentropies>([
  ['accuracy', accuracies],
  ['acc', accuracies],
  ['crossentropy', crossentropies],
  ['ce', crossentropies],
])

/** Whether the shapes of targets and outputs decide which metric a name means. */
export function dependsOnShapes(identifier: MetricIdentifier): boolean {
  return typeof identifier === 'string' && byTargets.has(normalizeName(identifier))
}

/**
 * A metric from a name, an instance, a saved configuration or a function; a name may refer to a custom object in scope.
 * The name is also the key in logs.
 * @param shapes decide what 'accuracy' and 'crossentropy', or 'acc' and 'ce', mean
 */
export function getMetric(identifier: MetricIdentifier, shapes: TargetShapes): Metric {
  const own = customFunction<MetricFunction>(identifier)
  if (own !== null) {
    return new MeanMetricWrapper((yTrue, yPred) => own.call(...alignRanks(yTrue, yPred)), {
      name: own.name === '' ? 'metric' : own.name,
    })
  }
  if (typeof identifier !== 'string') return metrics.get(identifier)
  const name = camelCase(identifier)
  const kinds = byTargets.get(normalizeName(identifier))
  if (kinds !== undefined) return new kinds[targetKind(shapes)]({ name })
  if (!metrics.knows(identifier)) throw metrics.unknown(identifier, ['crossentropy'])
  return metrics.get({ className: identifier, config: { name } })
}
