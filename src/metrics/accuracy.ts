// How often a prediction is right.

import { boolean, configured, count, number, option } from '../core/options'
import type { InputsOf } from '../core/options'
import { alignRanks } from '../losses/weights'
import { cast, equal, greater, less, multiply } from '../ops/elementwise'
import { any, argmax, sum } from '../ops/reduce'
import { oneHotOrZeros } from '../ops/one-hot'
import { expandDims, reshape, slice } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import { MeanOfValues } from './mean'
import type { MetricOptions } from './metric'

/**
 * How often the prediction is the target, exactly. By the name 'accuracy' compile() takes the one that suits the shapes.
 * @example
 * const metric = new metrics.Accuracy()
 * metric.apply([1, 0, 2], [1, 1, 2])
 * metric.result()   // 0.6667
 */
export class Accuracy extends MeanOfValues {
  static override readonly className = 'Accuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return cast(equal(...alignRanks(yTrue, yPred)), 'float32')
  }
}

const binaryAccuracyOptions = () => ({
  /** A prediction above it counts as 1. Default 0.5. */
  threshold: option(number(), 0.5),
})
export type BinaryAccuracyOptions = InputsOf<ReturnType<typeof binaryAccuracyOptions>> & MetricOptions

/**
 * How often the prediction, 1 above `threshold` and else 0, is the target.
 * @example
 * const metric = new metrics.BinaryAccuracy({ threshold: 0.4 })
 * metric.apply([1, 0, 1], [0.5, 0.2, 0.3])
 * metric.result()   // 0.6667
 */
export class BinaryAccuracy extends configured(MeanOfValues, binaryAccuracyOptions) {
  static override readonly className = 'BinaryAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    const [y, p] = alignRanks(cast(yTrue, 'float32'), yPred)
    return cast(equal(y, cast(greater(p, this.threshold), 'float32')), 'float32')
  }
}

/**
 * How often the largest prediction is where the one-hot target is.
 * @example
 * const metric = new metrics.CategoricalAccuracy()
 * metric.apply([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
 * metric.result()   // 0.5
 */
export class CategoricalAccuracy extends MeanOfValues {
  static override readonly className = 'CategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return cast(equal(argmax(yTrue, -1), argmax(yPred, -1)), 'float32')
  }
}

function classNumbers(yTrue: Tensor, yPred: Tensor): Tensor {
  return reshape(cast(yTrue, 'int32'), yPred.shape.slice(0, -1))
}

/**
 * How often the largest prediction is that of the class numbered by the target.
 * @example
 * const metric = new metrics.SparseCategoricalAccuracy()
 * metric.apply([1, 0], [[0.2, 0.8], [0.4, 0.6]])
 * metric.result()   // 0.5
 */
export class SparseCategoricalAccuracy extends MeanOfValues {
  static override readonly className = 'SparseCategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return cast(equal(classNumbers(yTrue, yPred), argmax(yPred, -1)), 'float32')
  }
}

// The target's class is among the k largest when fewer than k are larger.
function inTopK(target: Tensor, yPred: Tensor, k: number): Tensor {
  const own = sum(multiply(target, yPred), { axis: -1, keepDims: true })
  const larger = sum(cast(greater(yPred, own), 'float32'), { axis: -1 })
  return cast(less(larger, k), 'float32')
}

const topKOptions = () => ({
  /** How many of the largest predictions are looked at. Default 5. */
  k: option(count, 5),
})
export type TopKOptions = InputsOf<ReturnType<typeof topKOptions>> & MetricOptions

/**
 * How often the one-hot target's class is among the k largest predictions.
 * @example
 * const metric = new metrics.TopKCategoricalAccuracy({ k: 2 })
 * metric.apply([[0, 0, 1]], [[0.5, 0.2, 0.3]])
 * metric.result()   // 1
 */
export class TopKCategoricalAccuracy extends configured(MeanOfValues, topKOptions) {
  static override readonly className = 'TopKCategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return inTopK(oneHotOrZeros(argmax(yTrue, -1), yPred.shape.at(-1)!), yPred, this.k)
  }
}

const sparseTopKOptions = () => ({
  ...topKOptions(),
  /** The predictions are class numbers, the best first, instead of one number for each class. Default false. */
  fromSortedIds: option(boolean, false),
})
export type SparseTopKOptions = InputsOf<ReturnType<typeof sparseTopKOptions>> & MetricOptions

/**
 * How often the class numbered by the target is among the k largest predictions.
 * @example
 * const metric = new metrics.SparseTopKCategoricalAccuracy({ k: 2 })
 * metric.apply([2, 1], [[0.5, 0.2, 0.3], [0.5, 0.2, 0.3]])
 * metric.result()   // 0.5
 */
export class SparseTopKCategoricalAccuracy extends configured(MeanOfValues, sparseTopKOptions) {
  static override readonly className = 'SparseTopKCategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    if (this.fromSortedIds) {
      const first = slice(
        yPred,
        yPred.shape.map(() => 0),
        [...yPred.shape.slice(0, -1), Math.min(this.k, yPred.shape.at(-1)!)],
      )
      return cast(any(equal(expandDims(classNumbers(yTrue, yPred), -1), first), { axis: -1 }), 'float32')
    }
    return inTopK(oneHotOrZeros(classNumbers(yTrue, yPred), yPred.shape.at(-1)!), yPred, this.k)
  }
}
