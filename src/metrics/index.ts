// The metrics that can be named in compile(). Names, defaults and formulas are Keras's.

import { configured, count, number, option } from '../core/options'
import type { InputsOf } from '../core/options'
import type { Serialized } from '../core/registry'
import {
  binaryCrossentropy, categoricalCrossentropy, classMask, crossentropyOptions, meanAbsoluteError, meanSquaredError,
  sparseCategoricalCrossentropy, sparseCrossentropyOptions,
} from '../losses/functions'
import { alignRanks, applyMask } from '../losses/weights'
import { cast, equal, greater, less, multiply, square, subtract } from '../ops/elementwise'
import { argmax, sum } from '../ops/reduce'
import { oneHot, reshape } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import { MeanOfValues, RootMean } from './mean'
import type { Metric, MetricOptions } from './metric'

export { AUC, Precision, Recall } from './confusion'
export type { AucOptions, ThresholdOptions } from './confusion'
export { Mean, MeanMetricWrapper } from './mean'
export { Metric } from './metric'
export type { MetricOptions } from './metric'

/** One value per sample from targets and predictions, written with ops; its mean is the metric. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type MetricName =
  | 'accuracy' | 'crossentropy' | 'binaryAccuracy' | 'categoricalAccuracy' | 'sparseCategoricalAccuracy' | 'topKCategoricalAccuracy'
  | 'sparseTopKCategoricalAccuracy' | 'mse' | 'mae' | 'rmse' | 'precision' | 'recall' | 'auc'
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type MetricIdentifier = MetricName | (string & {}) | Metric | MetricFunction | Serialized

const binaryAccuracyOptions = () => ({
  /** A prediction above it counts as 1. Default 0.5. */
  threshold: option(number(), 0.5),
})
export type BinaryAccuracyOptions = InputsOf<ReturnType<typeof binaryAccuracyOptions>> & MetricOptions

/** How often the prediction, 1 above `threshold` and else 0, is the target. */
export class BinaryAccuracy extends configured(MeanOfValues, binaryAccuracyOptions) {
  static override readonly className = 'BinaryAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    const [y, p] = alignRanks(cast(yTrue, 'float32'), yPred)
    return cast(equal(y, cast(greater(p, this.threshold), 'float32')), 'float32')
  }
}

/** How often the largest prediction is where the one-hot target is. */
export class CategoricalAccuracy extends MeanOfValues {
  static override readonly className = 'CategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return cast(equal(argmax(yTrue, -1), argmax(yPred, -1)), 'float32')
  }
}

function classNumbers(yTrue: Tensor, yPred: Tensor): Tensor {
  return reshape(cast(yTrue, 'int32'), yPred.shape.slice(0, -1))
}

/** How often the largest prediction is that of the class numbered by the target. */
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

/** How often the one-hot target's class is among the k largest predictions. */
export class TopKCategoricalAccuracy extends configured(MeanOfValues, topKOptions) {
  static override readonly className = 'TopKCategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return inTopK(oneHot(argmax(yTrue, -1), yPred.shape.at(-1)!), yPred, this.k)
  }
}

/** How often the class numbered by the target is among the k largest predictions. */
export class SparseTopKCategoricalAccuracy extends configured(MeanOfValues, topKOptions) {
  static override readonly className = 'SparseTopKCategoricalAccuracy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return inTopK(oneHot(classNumbers(yTrue, yPred), yPred.shape.at(-1)!), yPred, this.k)
  }
}

/** The mean of (y − ŷ)². */
export class MeanSquaredError extends MeanOfValues {
  static override readonly className = 'MeanSquaredError'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanSquaredError(yTrue, yPred)
  }
}

/** The mean of |y − ŷ|. */
export class MeanAbsoluteError extends MeanOfValues {
  static override readonly className = 'MeanAbsoluteError'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return meanAbsoluteError(yTrue, yPred)
  }
}

/** √ of the mean of (y − ŷ)². */
export class RootMeanSquaredError extends RootMean {
  static override readonly className = 'RootMeanSquaredError'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    const [y, output] = alignRanks(cast(yTrue, 'float32'), yPred)
    return square(subtract(output, y))
  }
}

/** The mean binary cross-entropy. */
export class BinaryCrossentropy extends configured(MeanOfValues, () => crossentropyOptions) {
  static override readonly className = 'BinaryCrossentropy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return binaryCrossentropy(yTrue, yPred, this)
  }
}

/** The mean categorical cross-entropy. */
export class CategoricalCrossentropy extends configured(MeanOfValues, () => crossentropyOptions) {
  static override readonly className = 'CategoricalCrossentropy'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return categoricalCrossentropy(yTrue, yPred, this)
  }
}

/** The mean cross-entropy of class numbers. */
export class SparseCategoricalCrossentropy extends configured(MeanOfValues, () => sparseCrossentropyOptions) {
  static override readonly className = 'SparseCategoricalCrossentropy'

  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return sparseCategoricalCrossentropy(yTrue, yPred, this)
  }

  /** As in Keras, an ignored class is 0 in the mean; only where samples are weighted it leaves the mean. */
  override updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { ignoreClass, axis } = this
    const mask = ignoreClass === null || sampleWeight === undefined ? undefined : classMask(yTrue, yPred, { ignoreClass, axis })
    super.updateState(yTrue, yPred, applyMask(sampleWeight, mask, 'sum'))
  }
}
