// The losses: classes, and functions of the same formulas. Names, defaults and formulas are Keras's.

import type { Serialized } from '../core/registry'
import type { Tensor } from '../ops/tensor'
import type { Loss } from './loss'

export { circle } from './circle'
export type { CircleOptions } from './circle'
export {
  BinaryCrossentropy,
  BinaryFocalCrossentropy,
  CTC,
  CategoricalCrossentropy,
  CategoricalFocalCrossentropy,
  CategoricalGeneralizedCrossEntropy,
  CategoricalHinge,
  Circle,
  CosineSimilarity,
  Dice,
  Hinge,
  Huber,
  KLDivergence,
  LogCosh,
  MeanAbsoluteError,
  MeanAbsolutePercentageError,
  MeanSquaredError,
  MeanSquaredLogarithmicError,
  Poisson,
  SparseCategoricalCrossentropy,
  SquaredHinge,
  Tversky,
} from './classes'
export {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalGeneralizedCrossEntropy,
  klDivergence,
  sparseCategoricalCrossentropy,
} from './crossentropies'
export type {
  BinaryFocalOptions,
  CategoricalFocalOptions,
  CrossentropyOptions,
  GeneralizedCrossEntropyOptions,
  SparseCrossentropyOptions,
} from './crossentropies'
export { ctc } from './ctc'
export { categoricalHinge, hinge, squaredHinge } from './hinge'
export { Loss } from './loss'
export type { LossOptions } from './loss'
export {
  cosineSimilarity,
  huber,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
} from './regression'
export type { CosineSimilarityOptions, HuberOptions } from './regression'
export { dice, tversky } from './segmentation'
export type { DiceOptions, TverskyOptions } from './segmentation'
export { applyMask } from './weights'
export type { Reduction } from './weights'

/** Per-sample values from targets and predictions, written with ops. */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type LossName =
  | 'binaryCrossentropy'
  | 'bce'
  | 'binaryFocalCrossentropy'
  | 'categoricalCrossentropy'
  | 'categoricalFocalCrossentropy'
  | 'sparseCategoricalCrossentropy'
  | 'categoricalGeneralizedCrossEntropy'
  | 'crossentropy'
  | 'ce'
  | 'klDivergence'
  | 'kld'
  | 'meanSquaredError'
  | 'mse'
  | 'meanAbsoluteError'
  | 'mae'
  | 'meanAbsolutePercentageError'
  | 'mape'
  | 'meanSquaredLogarithmicError'
  | 'msle'
  | 'huber'
  | 'logCosh'
  | 'cosineSimilarity'
  | 'poisson'
  | 'hinge'
  | 'squaredHinge'
  | 'categoricalHinge'
  | 'dice'
  | 'tversky'
  | 'circle'
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type LossIdentifier = LossName | (string & {}) | Loss | LossFunction | Serialized
