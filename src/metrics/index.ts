// The metrics. Names, defaults and formulas are Keras's.

export { PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity } from './curves'
export type {
  PrecisionAtRecallOptions,
  RecallAtPrecisionOptions,
  SensitivityAtSpecificityOptions,
  SpecificityAtSensitivityOptions,
} from './curves'
export * from './functions'
export { ConfusionMatrix, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU } from './iou'
export type { ConfusionMatrixOptions, IoUOptions, MeanIoUOptions, OneHotIoUOptions, OneHotMeanIoUOptions } from './iou'
export { Metric } from './metric'
export type { MetricOptions, MetricVariableOptions } from './metric'
export * from './named'
export type { MetricFunction, MetricIdentifier, MetricName } from './names'
export {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  hinge,
  huber,
  klDivergence,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
  sparseCategoricalCrossentropy,
  squaredHinge,
} from '../losses'
