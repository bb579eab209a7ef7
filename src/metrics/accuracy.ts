// Accuracies: the fraction of correct predictions.

import { merged } from '../core/merged'
import { boolean, configured, count, number, option, type InOrder, type OptionInputs } from '../core/options'
import type { Tensor } from '../ops/tensor'
import { binaryMatches, classNumbers, largest, matches, sparseTopMatches, topMatches } from './matches'
import { MeanOfValues, meanOfOptions, type OptionsInOrder } from './mean'
import { metricOptions, type MetricOptions } from './metric'

/**
 * The fraction of predictions that equal the target. For the name 'accuracy', compile() selects the class that fits the
 * shapes.
 * @example
 * const metric = new metrics.Accuracy()
 * metric.apply([1, 0, 2], [1, 1, 2])
 * metric.result()   // 0.6667
 */
export class Accuracy extends MeanOfValues {
  static override readonly className = 'Accuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return matches(yTrue, yPred)
  }
}

const binaryAccuracyOptions = () =>
  merged(metricOptions(), {
    /** Predictions above it count as 1. Default 0.5. */
    threshold: option(number(), 0.5),
  })
export type BinaryAccuracyOptions = OptionInputs<ReturnType<typeof binaryAccuracyOptions>> & MetricOptions

const BinaryAccuracyBase = (meanOfOptions as OptionsInOrder<['name', 'dtype', 'threshold']>)(
  binaryMatches,
  binaryAccuracyOptions,
)

/**
 * The fraction of predictions, 1 above `threshold` and else 0, that equal the target.
 * @example
 * const metric = new metrics.BinaryAccuracy({ threshold: 0.4 })
 * metric.apply([1, 0, 1], [0.5, 0.2, 0.3])
 * metric.result()   // 0.6667
 */
export class BinaryAccuracy extends BinaryAccuracyBase {
  static override readonly className = 'BinaryAccuracy'
}

/**
 * The fraction of samples whose largest prediction is at the class of the one-hot target.
 * @example
 * const metric = new metrics.CategoricalAccuracy()
 * metric.apply([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
 * metric.result()   // 0.5
 */
export class CategoricalAccuracy extends MeanOfValues {
  static override readonly className = 'CategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return matches(largest(yTrue), largest(yPred))
  }
}

/**
 * The fraction of samples whose largest prediction is at the class number of the target.
 * @example
 * const metric = new metrics.SparseCategoricalAccuracy()
 * metric.apply([1, 0], [[0.2, 0.8], [0.4, 0.6]])
 * metric.result()   // 0.5
 */
export class SparseCategoricalAccuracy extends MeanOfValues {
  static override readonly className = 'SparseCategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return matches(classNumbers(yTrue, yPred), largest(yPred))
  }
}

const topKOptions = () => ({
  /** The number of largest predictions that count. Default 5. */
  k: option(count, 5),
})
export type TopKOptions = OptionInputs<ReturnType<typeof topKOptions>> & MetricOptions

const TopKCategoricalAccuracyBase = (configured as InOrder<['k', 'name', 'dtype']>)(MeanOfValues, topKOptions)

/**
 * The fraction of samples whose one-hot target is among the k largest predictions.
 * @example
 * const metric = new metrics.TopKCategoricalAccuracy({ k: 2 })
 * metric.apply([[0, 0, 1]], [[0.5, 0.2, 0.3]])
 * metric.result()   // 1
 */
export class TopKCategoricalAccuracy extends TopKCategoricalAccuracyBase {
  static override readonly className = 'TopKCategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return topMatches(largest(yTrue), yPred, this.k)
  }
}

const sparseTopKOptions = () =>
  merged(topKOptions(), metricOptions(), {
    /** Whether predictions are class numbers, the best first, instead of one score per class. Default false. */
    fromSortedIds: option(boolean, false),
  })
export type SparseTopKOptions = OptionInputs<ReturnType<typeof sparseTopKOptions>> & MetricOptions

const SparseTopKCategoricalAccuracyBase = (meanOfOptions as OptionsInOrder<['k', 'name', 'dtype', 'fromSortedIds']>)(
  sparseTopMatches,
  sparseTopKOptions,
)

/**
 * The fraction of samples whose class number is among the k largest predictions.
 * @example
 * const metric = new metrics.SparseTopKCategoricalAccuracy({ k: 2 })
 * metric.apply([2, 1], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]])
 * metric.result()   // 0.5
 */
export class SparseTopKCategoricalAccuracy extends SparseTopKCategoricalAccuracyBase {
  static override readonly className = 'SparseTopKCategoricalAccuracy'
}
