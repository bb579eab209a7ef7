// The metrics. Names, defaults and formulas are Keras's.

import type { Serialized } from '../core/registry'
import type { Tensor } from '../ops/tensor'
import type { Metric } from './metric'

export {
  Accuracy,
  BinaryAccuracy,
  CategoricalAccuracy,
  SparseCategoricalAccuracy,
  SparseTopKCategoricalAccuracy,
  TopKCategoricalAccuracy,
} from './accuracy'
export type { BinaryAccuracyOptions, SparseTopKOptions, TopKOptions } from './accuracy'
export { FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives } from './confusion'
export type { CountOptions, ThresholdOptions } from './confusion'
export { AUC, PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity } from './curves'
export type {
  AucOptions,
  PrecisionAtRecallOptions,
  RecallAtPrecisionOptions,
  SensitivityAtSpecificityOptions,
  SpecificityAtSensitivityOptions,
} from './curves'
export {
  BinaryCrossentropy,
  CategoricalCrossentropy,
  CategoricalHinge,
  Hinge,
  KLDivergence,
  Poisson,
  SparseCategoricalCrossentropy,
  SquaredHinge,
} from './entropies'
export { F1Score, FBetaScore } from './f-scores'
export type { F1ScoreOptions, FBetaScoreOptions } from './f-scores'
export { BinaryIoU, ConfusionMatrix, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU } from './iou'
export type {
  BinaryIoUOptions,
  ConfusionMatrixOptions,
  IoUOptions,
  MeanIoUOptions,
  OneHotIoUOptions,
  OneHotMeanIoUOptions,
} from './iou'
export { Mean, MeanMetricWrapper, Sum } from './mean'
export { Metric } from './metric'
export type { MetricOptions } from './metric'
export {
  ConcordanceCorrelation,
  CosineSimilarity,
  LogCoshError,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  PearsonCorrelation,
  R2Score,
  RootMeanSquaredError,
} from './regression'
export type { CorrelationOptions, R2ScoreOptions } from './regression'

/** One value per sample from targets and predictions, written with ops; its mean is the metric. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type MetricName =
  | 'accuracy'
  | 'acc'
  | 'crossentropy'
  | 'ce'
  | 'binaryAccuracy'
  | 'categoricalAccuracy'
  | 'sparseCategoricalAccuracy'
  | 'topKCategoricalAccuracy'
  | 'sparseTopKCategoricalAccuracy'
  | 'binaryCrossentropy'
  | 'bce'
  | 'categoricalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'klDivergence'
  | 'kld'
  | 'poisson'
  | 'hinge'
  | 'squaredHinge'
  | 'categoricalHinge'
  | 'meanSquaredError'
  | 'mse'
  | 'meanAbsoluteError'
  | 'mae'
  | 'rootMeanSquaredError'
  | 'rmse'
  | 'meanAbsolutePercentageError'
  | 'mape'
  | 'meanSquaredLogarithmicError'
  | 'msle'
  | 'logCoshError'
  | 'cosineSimilarity'
  | 'pearsonCorrelation'
  | 'concordanceCorrelation'
  | 'r2Score'
  | 'precision'
  | 'recall'
  | 'auc'
  | 'f1Score'
  | 'fbetaScore'
  | 'truePositives'
  | 'trueNegatives'
  | 'falsePositives'
  | 'falseNegatives'
  | 'binaryIoU'
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type MetricIdentifier = MetricName | (string & {}) | Metric | MetricFunction | Serialized
