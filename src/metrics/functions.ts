// Accuracies and correlations as functions: one value for each prediction, whose mean is the metric. The formulas are in
// matches.ts and correlations.ts.

import { requireArguments } from '../core/arguments'
import { boolean, count, number, option } from '../core/options'
import { readArguments, readOneAxis, type AxisArgument } from '../ops/arguments'
import { asTensor, type TensorLike } from '../ops/convert'
import { reshape } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import { concordance, pearson } from './correlations'
import { binaryMatches, classNumbers, largest, matches, sparseTopMatches, topMatches } from './matches'

const read = (yTrue: TensorLike, yPred: TensorLike): [Tensor, Tensor] => [
  asTensor(yTrue, 'yTrue'),
  asTensor(yPred, 'yPred'),
]

export interface BinaryAccuracyFunctionOptions {
  /** Predictions above it count as 1. Default 0.5. */
  readonly threshold?: number
}

export interface TopKFunctionOptions {
  /** The number of classes that count. Default 5. */
  readonly k?: number
}

/**
 * 1 where the prediction, 1 above `threshold` and else 0, equals the target, and 0 elsewhere: [batch, …] → [batch, …].
 *
 * Keras: `keras.metrics.binary_accuracy`.
 * @param threshold default 0.5
 * @example metrics.binaryAccuracy([1, 0, 1], [0.5, 0.2, 0.3], 0.4)   // [1, 1, 0]
 */
export function binaryAccuracy(
  yTrue: TensorLike,
  yPred: TensorLike,
  threshold?: number | BinaryAccuracyFunctionOptions,
): Tensor {
  requireArguments('metrics.binaryAccuracy', arguments, 3)
  const table = { threshold: option(number(), 0.5) }
  return binaryMatches(...read(yTrue, yPred), readArguments('binaryAccuracy', table, threshold))
}

/**
 * 1 where the largest prediction is at the class of the one-hot target: [batch, …, classes] → [batch, …].
 *
 * Keras: `keras.metrics.categorical_accuracy`.
 * @example metrics.categoricalAccuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])   // [1, 0]
 */
export function categoricalAccuracy(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('metrics.categoricalAccuracy', arguments, 2)
  const [y, p] = read(yTrue, yPred)
  return matches(largest(y), largest(p))
}

/**
 * 1 where the largest prediction is at the class number of the target: yTrue [batch, …] or [batch, …, 1], yPred
 * [batch, …, classes] → [batch, …].
 *
 * Keras: `keras.metrics.sparse_categorical_accuracy`.
 * @example metrics.sparseCategoricalAccuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]])   // [1, 0]
 */
export function sparseCategoricalAccuracy(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('metrics.sparseCategoricalAccuracy', arguments, 2)
  const [y, p] = read(yTrue, yPred)
  return matches(classNumbers(y, p), largest(p))
}

/**
 * 1 where the class of the one-hot target is among the k largest predictions: [batch, …, classes] → [batch, …].
 *
 * Keras: `keras.metrics.top_k_categorical_accuracy`.
 * @param k default 5
 * @example metrics.topKCategoricalAccuracy([[0, 0, 1]], [[0.5, 0.2, 0.3]], 2)   // [1]
 */
export function topKCategoricalAccuracy(
  yTrue: TensorLike,
  yPred: TensorLike,
  k?: number | TopKFunctionOptions,
): Tensor {
  requireArguments('metrics.topKCategoricalAccuracy', arguments, 3)
  const [y, p] = read(yTrue, yPred)
  return topMatches(largest(y), p, readArguments('topKCategoricalAccuracy', { k: option(count, 5) }, k).k)
}

export interface SparseTopKFunctionOptions {
  /** The number of largest predictions that count. Default 5. */
  readonly k?: number
  /** Whether predictions are class numbers, the best first, instead of one score per class. Default false. */
  readonly fromSortedIds?: boolean
}

/**
 * 1 where the class number of the target is among the k largest predictions: yTrue [batch, …], yPred
 * [batch, …, classes] → the shape of yTrue.
 *
 * Keras: `keras.metrics.sparse_top_k_categorical_accuracy`.
 * @param k default 5; or an object with the options
 * @param fromSortedIds whether predictions are class numbers, the best first. Default false
 * @example metrics.sparseTopKCategoricalAccuracy([2, 1], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]], 2)   // [1, 0]
 */
export function sparseTopKCategoricalAccuracy(
  yTrue: TensorLike,
  yPred: TensorLike,
  k?: number | SparseTopKFunctionOptions,
  fromSortedIds?: boolean,
): Tensor {
  requireArguments('metrics.sparseTopKCategoricalAccuracy', arguments, 4)
  const table = { k: option(count, 5), fromSortedIds: option(boolean, false) }
  const settings = readArguments('sparseTopKCategoricalAccuracy', table, k, fromSortedIds)
  const [y, p] = read(yTrue, yPred)
  return reshape(sparseTopMatches(y, p, settings), y.shape)
}

/**
 * σ(y, ŷ) / (σ(y)·σ(ŷ)) along an axis; 0 if one of them is constant. Pearson 1895.
 *
 * Keras: `keras.metrics.pearson_correlation`.
 * @param axis the axis along which numbers are compared. Default −1
 * @example metrics.pearsonCorrelation([[1, 2, 3]], [[1, 3, 4]])   // [0.982]
 */
export function pearsonCorrelation(yTrue: TensorLike, yPred: TensorLike, axis?: AxisArgument): Tensor {
  requireArguments('metrics.pearsonCorrelation', arguments, 3)
  return pearson(...read(yTrue, yPred), { axis: readOneAxis('pearsonCorrelation', axis, -1) })
}

/**
 * 2σ(y, ŷ) / (σ²(y) + σ²(ŷ) + (μ(y) − μ(ŷ))² + 1e-7) along an axis: unlike Pearson's correlation, it is 1 only for equal
 * numbers. Lin 1989.
 *
 * Keras: `keras.metrics.concordance_correlation`.
 * @param axis the axis along which numbers are compared. Default −1
 * @example metrics.concordanceCorrelation([[1, 2, 3]], [[1, 3, 4]])   // [0.75]
 */
export function concordanceCorrelation(yTrue: TensorLike, yPred: TensorLike, axis?: AxisArgument): Tensor {
  requireArguments('metrics.concordanceCorrelation', arguments, 3)
  return concordance(...read(yTrue, yPred), { axis: readOneAxis('concordanceCorrelation', axis, -1) })
}
