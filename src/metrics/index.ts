// The metrics that can be named in compile(). Names, defaults and formulas are Keras's.

import { argmax, sum } from '../ops/reduce'
import { cast, equal, greater, less, multiply, square, subtract } from '../ops/elementwise'
import { oneHot, reshape } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import type { CrossentropyOptions } from '../losses/functions'
import * as lossFunctions from '../losses/functions'
import { alignRanks } from '../losses/loss'
import type { Config, Serialized } from '../core/registry'
import { MeanMetricWrapper, RootMean } from './mean'
import type { Metric, MetricOptions } from './metric'

export { AUC, Precision, Recall } from './confusion'
export type { AucOptions } from './confusion'
export { Mean, MeanMetricWrapper } from './mean'
export { Metric } from './metric'
export type { MetricOptions } from './metric'

/** One value per sample from targets and predictions, written with ops; its mean is the metric. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type MetricName =
  | 'accuracy' | 'binaryAccuracy' | 'categoricalAccuracy' | 'sparseCategoricalAccuracy' | 'topKCategoricalAccuracy'
  | 'sparseTopKCategoricalAccuracy' | 'mse' | 'mae' | 'rmse' | 'precision' | 'recall' | 'auc'
/** A known name (any spelling), an instance, a function, or a saved configuration. */
export type MetricIdentifier = MetricName | (string & {}) | Metric | MetricFunction | Serialized

/** How often round(p) agrees with y, for p above or below `threshold`. */
export class BinaryAccuracy extends MeanMetricWrapper {
  static override readonly className = 'BinaryAccuracy'
  readonly threshold: number
  constructor({ threshold = 0.5, name = 'binaryAccuracy' }: MetricOptions & { threshold?: number } = {}) {
    super((yTrue, yPred) => {
      const [y, p] = alignRanks(cast(yTrue, 'float32'), yPred)
      return cast(equal(y, cast(greater(p, threshold), 'float32')), 'float32')
    }, { name })
    this.threshold = threshold
  }
  override getConfig(): Config {
    return { ...super.getConfig(), threshold: this.threshold }
  }
}

/** How often the largest prediction is where the one-hot target is. */
export class CategoricalAccuracy extends MeanMetricWrapper {
  static override readonly className = 'CategoricalAccuracy'
  constructor({ name = 'categoricalAccuracy' }: MetricOptions = {}) {
    super((yTrue, yPred) => cast(equal(argmax(yTrue, -1), argmax(yPred, -1)), 'float32'), { name })
  }
}

function classNumbers(yTrue: Tensor, yPred: Tensor): Tensor {
  return reshape(cast(yTrue, 'int32'), yPred.shape.slice(0, -1))
}

/** How often the largest prediction is that of the class numbered by the target. */
export class SparseCategoricalAccuracy extends MeanMetricWrapper {
  static override readonly className = 'SparseCategoricalAccuracy'
  constructor({ name = 'sparseCategoricalAccuracy' }: MetricOptions = {}) {
    super((yTrue, yPred) => cast(equal(classNumbers(yTrue, yPred), argmax(yPred, -1)), 'float32'), { name })
  }
}

// The target's class is among the k largest when fewer than k are larger.
function inTopK(target: Tensor, yPred: Tensor, k: number): Tensor {
  const own = sum(multiply(target, yPred), { axis: -1, keepDims: true })
  const larger = sum(cast(greater(yPred, own), 'float32'), { axis: -1 })
  return cast(less(larger, k), 'float32')
}

/** How often the one-hot target's class is among the k largest predictions. */
export class TopKCategoricalAccuracy extends MeanMetricWrapper {
  static override readonly className = 'TopKCategoricalAccuracy'
  readonly k: number
  constructor({ k = 5, name = 'topKCategoricalAccuracy' }: MetricOptions & { k?: number } = {}) {
    super((yTrue, yPred) => inTopK(oneHot(argmax(yTrue, -1), yPred.shape.at(-1)!), yPred, k), { name })
    this.k = k
  }
  override getConfig(): Config {
    return { ...super.getConfig(), k: this.k }
  }
}

/** How often the class numbered by the target is among the k largest predictions. */
export class SparseTopKCategoricalAccuracy extends MeanMetricWrapper {
  static override readonly className = 'SparseTopKCategoricalAccuracy'
  readonly k: number
  constructor({ k = 5, name = 'sparseTopKCategoricalAccuracy' }: MetricOptions & { k?: number } = {}) {
    super((yTrue, yPred) => inTopK(oneHot(classNumbers(yTrue, yPred), yPred.shape.at(-1)!), yPred, k), { name })
    this.k = k
  }
  override getConfig(): Config {
    return { ...super.getConfig(), k: this.k }
  }
}

/** The mean of (y − ŷ)². */
export class MeanSquaredError extends MeanMetricWrapper {
  static override readonly className = 'MeanSquaredError'
  constructor({ name = 'meanSquaredError' }: MetricOptions = {}) {
    super(lossFunctions.meanSquaredError, { name })
  }
}

/** The mean of |y − ŷ|. */
export class MeanAbsoluteError extends MeanMetricWrapper {
  static override readonly className = 'MeanAbsoluteError'
  constructor({ name = 'meanAbsoluteError' }: MetricOptions = {}) {
    super(lossFunctions.meanAbsoluteError, { name })
  }
}

/** √ of the mean of (y − ŷ)². */
export class RootMeanSquaredError extends RootMean {
  static override readonly className = 'RootMeanSquaredError'
  constructor({ name = 'rootMeanSquaredError' }: MetricOptions = {}) {
    super((yTrue, yPred) => {
      const [y, output] = alignRanks(cast(yTrue, 'float32'), yPred)
      return square(subtract(output, y))
    }, { name })
  }
}

type CrossentropyMetricOptions = MetricOptions & CrossentropyOptions

/** The mean binary cross-entropy. */
export class BinaryCrossentropy extends MeanMetricWrapper {
  static override readonly className = 'BinaryCrossentropy'
  private readonly options: CrossentropyOptions
  constructor({ name = 'binaryCrossentropy', ...options }: CrossentropyMetricOptions = {}) {
    super((yTrue, yPred) => lossFunctions.binaryCrossentropy(yTrue, yPred, options), { name })
    this.options = options
  }
  override getConfig(): Config {
    return { ...super.getConfig(), ...this.options }
  }
}

/** The mean categorical cross-entropy. */
export class CategoricalCrossentropy extends MeanMetricWrapper {
  static override readonly className = 'CategoricalCrossentropy'
  private readonly options: CrossentropyOptions
  constructor({ name = 'categoricalCrossentropy', ...options }: CrossentropyMetricOptions = {}) {
    super((yTrue, yPred) => lossFunctions.categoricalCrossentropy(yTrue, yPred, options), { name })
    this.options = options
  }
  override getConfig(): Config {
    return { ...super.getConfig(), ...this.options }
  }
}

/** The mean cross-entropy of class numbers. */
export class SparseCategoricalCrossentropy extends MeanMetricWrapper {
  static override readonly className = 'SparseCategoricalCrossentropy'
  private readonly options: CrossentropyOptions
  constructor({ name = 'sparseCategoricalCrossentropy', ...options }: MetricOptions & { fromLogits?: boolean } = {}) {
    super((yTrue, yPred) => lossFunctions.sparseCategoricalCrossentropy(yTrue, yPred, options), { name })
    this.options = options
  }
  override getConfig(): Config {
    return { ...super.getConfig(), ...this.options }
  }
}
