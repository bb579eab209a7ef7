// The metrics that can be named in compile(). Names, defaults and formulas are Keras's.

import { ArgumentError, normalizeName } from '../errors'
import type { Shape } from '../ir/types'
import { argmax, sum } from '../ops/reduce'
import { cast, equal, greater, less, multiply, square, subtract } from '../ops/elementwise'
import { oneHot, reshape } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import * as lossFunctions from '../losses/functions'
import { alignRanks } from '../losses/loss'
import type { Config, CustomObjects, Serialized } from '../registry'
import { Registry, camelCase } from '../registry'
import { AUC, Precision, Recall } from './confusion'
import { Mean, MeanMetricWrapper, RootMean } from './mean'
import type { MetricOptions } from './metric'
import { Metric } from './metric'

export { AUC, Precision, Recall } from './confusion'
export type { AucOptions } from './confusion'
export { Mean, MeanMetricWrapper } from './mean'
export { Metric } from './metric'
export type { MetricOptions } from './metric'

/** One value per sample from targets and predictions, written with ops; its mean is the metric. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor
export type MetricIdentifier = string | Metric | MetricFunction | Serialized

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

type CrossentropyMetricOptions = MetricOptions & { fromLogits?: boolean; labelSmoothing?: number }

/** The mean binary cross-entropy. */
export class BinaryCrossentropy extends MeanMetricWrapper {
  static override readonly className = 'BinaryCrossentropy'
  constructor({ name = 'binaryCrossentropy', ...options }: CrossentropyMetricOptions = {}) {
    super((yTrue, yPred) => lossFunctions.binaryCrossentropy(yTrue, yPred, options), { name })
  }
}

/** The mean categorical cross-entropy. */
export class CategoricalCrossentropy extends MeanMetricWrapper {
  static override readonly className = 'CategoricalCrossentropy'
  constructor({ name = 'categoricalCrossentropy', ...options }: CrossentropyMetricOptions = {}) {
    super((yTrue, yPred) => lossFunctions.categoricalCrossentropy(yTrue, yPred, options), { name })
  }
}

/** The mean cross-entropy of class numbers. */
export class SparseCategoricalCrossentropy extends MeanMetricWrapper {
  static override readonly className = 'SparseCategoricalCrossentropy'
  constructor({ name = 'sparseCategoricalCrossentropy', ...options }: MetricOptions & { fromLogits?: boolean } = {}) {
    super((yTrue, yPred) => lossFunctions.sparseCategoricalCrossentropy(yTrue, yPred, options), { name })
  }
}

const isMetric = (value: unknown): value is Metric => value instanceof Metric

export const metrics = new Registry<Metric>('metric', isMetric)
  .add('BinaryAccuracy', (config) => new BinaryAccuracy(config))
  .add('CategoricalAccuracy', (config) => new CategoricalAccuracy(config))
  .add('SparseCategoricalAccuracy', (config) => new SparseCategoricalAccuracy(config))
  .add('TopKCategoricalAccuracy', (config) => new TopKCategoricalAccuracy(config))
  .add('SparseTopKCategoricalAccuracy', (config) => new SparseTopKCategoricalAccuracy(config))
  .add('MeanSquaredError', (config) => new MeanSquaredError(config), 'mse')
  .add('MeanAbsoluteError', (config) => new MeanAbsoluteError(config), 'mae')
  .add('RootMeanSquaredError', (config) => new RootMeanSquaredError(config), 'rmse')
  .add('BinaryCrossentropy', (config) => new BinaryCrossentropy(config), 'bce')
  .add('CategoricalCrossentropy', (config) => new CategoricalCrossentropy(config))
  .add('SparseCategoricalCrossentropy', (config) => new SparseCategoricalCrossentropy(config))
  .add('Mean', (config) => new Mean(config))
  .add('Precision', (config) => new Precision(config))
  .add('Recall', (config) => new Recall(config))
  .add('AUC', (config) => new AUC(config))

/** What the metrics of a model are compared on. Shapes include the batch axis. */
export interface TargetShapes {
  readonly target: Shape
  readonly output: Shape
}

/** Which accuracy 'accuracy' means: one output is yes or no, class numbers are sparse, else one-hot. */
function accuracyFor({ target, output }: TargetShapes, name: string): Metric {
  const classes = output.at(-1) ?? 1
  if (classes === 1) return new BinaryAccuracy({ name })
  const sparse = target.length < output.length || target.at(-1) === 1
  return sparse ? new SparseCategoricalAccuracy({ name }) : new CategoricalAccuracy({ name })
}

/**
 * A metric from a name, an instance, a saved configuration or a function. A name is also the key in logs.
 * @param shapes decide what 'accuracy' means
 */
export function getMetric(identifier: MetricIdentifier, shapes: TargetShapes, custom: CustomObjects = {}): Metric {
  if (typeof identifier === 'function') {
    if (isMetricClass(identifier)) {
      throw new ArgumentError(`Pass an instance of a metric, not its class: new ${identifier.name}()`)
    }
    return new MeanMetricWrapper(identifier, { name: identifier.name === '' ? 'metric' : identifier.name })
  }
  if (typeof identifier !== 'string') return metrics.get(identifier, custom)
  const name = camelCase(identifier)
  if (['accuracy', 'acc'].includes(normalizeName(identifier))) return accuracyFor(shapes, name)
  return metrics.get({ className: identifier, config: { name } }, custom)
}

function isMetricClass(identifier: MetricFunction): boolean {
  return identifier.prototype instanceof Metric
}
