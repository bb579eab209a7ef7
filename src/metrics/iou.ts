// Metrics that are computed from a confusion matrix.

import { merged } from '../core/merged'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import {
  boolean,
  choice,
  configured,
  integer,
  listOf,
  nullable,
  number,
  option,
  required,
  type InOrder,
  type OptionInputs,
} from '../core/options'
import { classNameOf } from '../core/registry'
import { exactly } from '../core/tuples'
import { targetKind } from '../losses/targets'
import { EPSILON } from '../losses/values'
import { divideNoNan, expandTo, requireBeside } from '../losses/sample-weights'
import {
  add,
  cast,
  divide,
  greater,
  greaterEqual,
  less,
  logicalAnd,
  multiply,
  notEqual,
  subtract,
  where,
} from '../ops/numpy/elementwise'
import { argmax, sum } from '../ops/numpy/reduce'
import { broadcastTo, reshape, scatterAdd, take } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { BatchMetric, accumulate, type MetricOptions } from './metric'

/**
 * Counts pairs of class numbers. The matrix has a row per actual class and a column per predicted class. Numbers that
 * are not classes, such as −1 or 255 for "void", are ignored.
 */
abstract class Pairs extends BatchMetric {
  protected readonly matrix: Variable = this.addVariable('confusionMatrix', [this.classCount(), this.classCount()])

  protected abstract classCount(): number

  /**
   * Adds the weights of pairs, without those that are not classes.
   * @param ignored the number of a class whose samples are ignored
   */
  protected count(
    actual: Tensor,
    predicted: Tensor,
    sampleWeight: Tensor | undefined,
    ignored: number | null = null,
  ): void {
    const classes = this.classCount()
    if (actual.size !== predicted.size) {
      throw new ShapeError(
        `one class number is needed for each target, received ${formatShape(actual.shape)} and ${formatShape(predicted.shape)}`,
      )
    }
    const [y, p] = exactly(
      [actual, predicted].map((x) => reshape(cast(x, 'int32'), [x.size])),
      2,
    )
    const isClass = (x: Tensor): Tensor => logicalAnd(greaterEqual(x, 0), less(x, classes))
    const known = logicalAnd(isClass(y), isClass(p))
    const counts = cast(ignored === null ? known : logicalAnd(known, notEqual(y, ignored)), 'float32')
    const weights = sampleWeight === undefined ? counts : multiply(counts, eachWeight(sampleWeight, actual))
    const cells = scatterAdd(weights, where(known, add(multiply(y, classes), p), 0), classes ** 2)
    accumulate(this.matrix, reshape(cells, [classes, classes]))
  }
}

/**
 * The class numbers of the largest scores along an axis.
 * @throws ShapeError if there are more classes than in the matrix, because their samples would be lost
 */
function largest(x: Tensor, axis: number, { numClasses }: { readonly numClasses: number }): Tensor {
  const outputs = x.shape.at(axis) ?? 1
  if (outputs > numClasses)
    throw new ShapeError(`numClasses is ${numClasses}, received ${outputs} classes in ${formatShape(x.shape)}`)
  return argmax(x, axis)
}

/** One weight per element, from weights of all or of the first axes: [elements]. */
function eachWeight(sampleWeight: Tensor, x: Tensor): Tensor {
  const weights = cast(sampleWeight, 'float32')
  if (weights.size !== x.size) requireBeside('sampleWeight', x, weights)
  const expanded = weights.size === x.size ? reshape(weights, x.shape) : expandTo(weights, x.rank)
  return reshape(broadcastTo(expanded, x.shape), [x.size])
}

/** |Y ∩ Ŷ| / |Y ∪ Ŷ| of each class, averaged over the classes that occur. */
abstract class Overlap extends Pairs {
  /** The classes whose scores count; null for all. */
  protected scored(): readonly number[] | null {
    return null
  }

  protected override checkOptions(): void {
    const classes = this.classCount()
    const wrong = this.scored()?.find((id) => id >= classes)
    if (wrong !== undefined)
      throw new ArgumentError(
        `${classNameOf(this)}: targetClassIds must be class numbers 0 … ${classes - 1}, received ${wrong}`,
      )
  }

  result(): Tensor {
    const classes = this.classCount()
    const matrix = this.matrix.value
    const ids = this.scored() ?? Array.from({ length: classes }, (_, i) => i)
    const both = take(
      reshape(matrix, [classes ** 2]),
      ids.map((id) => id * (classes + 1)),
    )
    const either = subtract(add(take(sum(matrix, 0), ids), take(sum(matrix, 1), ids)), both)
    const occurs = greater(either, 1e-9)
    const scores = where(occurs, divide(both, add(either, EPSILON)), 0)
    return divide(sum(scores), add(sum(cast(occurs, 'float32')), EPSILON))
  }
}

/** The most classes. Their matrix takes 64 MB. */
const MOST_CLASSES = 4096

const classesTable = {
  /** The number of classes. */
  numClasses: required(integer({ min: 1, max: MOST_CLASSES })),
}
const classIds = listOf(integer({ min: 0 }))
const idsTable = {
  /** The classes whose scores count; the result is their mean. */
  targetClassIds: required(classIds),
}
const labelsTable = () =>
  merged(classesTable, {
    /** The number of a class whose samples are ignored, such as 255 for "void". Default null. */
    ignoreClass: option(nullable(integer()), null),
    /** The class axis, if there is one. Default the last. */
    axis: option(integer(), -1),
  })
const sparse = {
  /**
   * Whether predictions are class numbers, instead of one score per class of which the largest counts. Default true.
   */
  sparseYPred: option(boolean, true),
  /** Whether targets are class numbers, instead of one-hot rows. Default true. */
  sparseYTrue: option(boolean, true),
}

const OfLabelsBase = configured(Overlap, labelsTable)

abstract class OfLabels extends OfLabelsBase {
  protected abstract isSparse(): { readonly sparseYTrue: boolean; readonly sparseYPred: boolean }

  protected classCount(): number {
    return this.numClasses
  }

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { sparseYTrue, sparseYPred } = this.isSparse()
    const numbers = (x: Tensor, isNumbers: boolean): Tensor => (isNumbers ? x : largest(x, this.axis, this))
    this.count(numbers(yTrue, sparseYTrue), numbers(yPred, sparseYPred), sampleWeight, this.ignoreClass)
  }
}

const MeanIoUBase = configured(OfLabels, () => sparse, [
  'numClasses',
  'name',
  'dtype',
  'ignoreClass',
  'sparseYTrue',
  'sparseYPred',
  'axis',
])

/**
 * The mean of |Y ∩ Ŷ| / |Y ∪ Ŷ| over all classes that occur. Predictions are class numbers; with `sparseYPred: false`
 * they are one score per class, such as a softmax, of which the largest counts. Numbers that are not classes are
 * ignored.
 *
 * Keras: `keras.metrics.MeanIoU`. Weights need not be integers.
 * @example new metrics.MeanIoU({ numClasses: 10, sparseYPred: false })   // class numbers and a softmax
 */
export class MeanIoU extends MeanIoUBase {
  static readonly className: string = 'MeanIoU'
  protected isSparse(): MeanIoU {
    return this
  }
}
export type MeanIoUOptions = OptionInputs<ReturnType<typeof labelsTable> & typeof sparse> & MetricOptions

const IoUBase = configured(MeanIoU, () => idsTable, [
  'numClasses',
  'targetClassIds',
  'name',
  'dtype',
  'ignoreClass',
  'sparseYTrue',
  'sparseYPred',
  'axis',
])

/**
 * The mean of |Y ∩ Ŷ| / |Y ∪ Ŷ| over some classes, as in MeanIoU. Keras: `keras.metrics.IoU`.
 * @example
 * const metric = new metrics.IoU({ numClasses: 2, targetClassIds: [1] })
 * metric.apply([0, 0, 1, 1], [0, 1, 1, 1])
 * metric.result()   // 0.6667
 */
export class IoU extends IoUBase {
  static override readonly className = 'IoU'
  protected override scored(): readonly number[] {
    return this.targetClassIds
  }
}
export type IoUOptions = OptionInputs<typeof idsTable> & MeanIoUOptions

const oneHotTable = {
  /** Whether predictions are class numbers, instead of one score per class. Default false. */
  sparseYPred: option(boolean, false),
}

const OneHotMeanIoUBase = configured(OfLabels, () => oneHotTable, [
  'numClasses',
  'name',
  'dtype',
  'ignoreClass',
  'sparseYPred',
  'axis',
])

/**
 * The mean of |Y ∩ Ŷ| / |Y ∪ Ŷ| over all classes that occur, of one-hot targets. Keras: `keras.metrics.OneHotMeanIoU`.
 * @example
 * const metric = new metrics.OneHotMeanIoU({ numClasses: 2 })
 * metric.apply([[1, 0], [0, 1]], [[0.6, 0.4], [0.7, 0.3]])
 * metric.result()   // 0.25
 */
export class OneHotMeanIoU extends OneHotMeanIoUBase {
  static readonly className: string = 'OneHotMeanIoU'
  protected isSparse(): { sparseYTrue: boolean; sparseYPred: boolean } {
    return { sparseYTrue: false, sparseYPred: this.sparseYPred }
  }
}
export type OneHotMeanIoUOptions = OptionInputs<ReturnType<typeof labelsTable> & typeof oneHotTable> & MetricOptions

const OneHotIoUBase = configured(OneHotMeanIoU, () => idsTable, [
  'numClasses',
  'targetClassIds',
  'name',
  'dtype',
  'ignoreClass',
  'sparseYPred',
  'axis',
])

/**
 * The mean of |Y ∩ Ŷ| / |Y ∪ Ŷ| over some classes, of one-hot targets. Keras: `keras.metrics.OneHotIoU`.
 * @example
 * const metric = new metrics.OneHotIoU({ numClasses: 2, targetClassIds: [0] })
 * metric.apply([[1, 0], [0, 1]], [[0.6, 0.4], [0.7, 0.3]])
 * metric.result()   // 0.5
 */
export class OneHotIoU extends OneHotIoUBase {
  static override readonly className = 'OneHotIoU'
  protected override scored(): readonly number[] {
    return this.targetClassIds
  }
}
export type OneHotIoUOptions = OptionInputs<typeof idsTable> & OneHotMeanIoUOptions

const binaryTable = {
  /** The classes whose scores count: 0 for negatives, 1 for positives. Default both. */
  targetClassIds: option(classIds, [0, 1]),
  /** Predictions of at least this count as positive. Default 0.5. */
  threshold: option(number(), 0.5),
}
export type BinaryIoUOptions = OptionInputs<typeof binaryTable> & MetricOptions

const BinaryIoUBase = (configured as InOrder<['targetClassIds', 'threshold', 'name', 'dtype']>)(
  Overlap,
  () => binaryTable,
)

/**
 * The mean of |Y ∩ Ŷ| / |Y ∪ Ŷ| over negatives and positives. Keras: `keras.metrics.BinaryIoU`.
 * @example
 * const metric = new metrics.BinaryIoU({ threshold: 0.3 })
 * metric.apply([0, 1, 1], [0.1, 0.4, 0.2])
 * metric.result()   // 0.5
 */
export class BinaryIoU extends BinaryIoUBase {
  static readonly className = 'BinaryIoU'
  protected classCount(): number {
    return 2
  }
  protected override scored(): readonly number[] {
    return this.targetClassIds
  }
  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    this.count(yTrue, greaterEqual(yPred, this.threshold), sampleWeight)
  }
}

const confusionTable = () =>
  merged(classesTable, {
    /**
     * The divisor of each number: 'true' the sum of its row, 'predicted' of its column, 'all' of the matrix. Default
     * null: 1.
     */
    normalize: option(nullable(choice('true', 'predicted', 'all')), null),
  })
export type ConfusionMatrixOptions = OptionInputs<ReturnType<typeof confusionTable>> & MetricOptions

const ConfusionMatrixBase = configured(Pairs, confusionTable)

/**
 * The number of samples of class i predicted as class j: result [classes, classes], row i, column j. Whether targets
 * are binary (predictions above 0.5 are positive), class numbers or one-hot rows is inferred from the shapes, as for
 * the metric 'accuracy'. Targets that are not classes, such as −1 or 255 for "void", are ignored. Logs contain only
 * scalars and vectors, so read the matrix with `result()`.
 * @example
 * const confusion = new metrics.ConfusionMatrix({ numClasses: 3 })
 * model.compile({ loss: 'crossentropy', metrics: [confusion] })
 * await model.evaluate(x, y)
 * confusion.result().toArray()
 */
export class ConfusionMatrix extends ConfusionMatrixBase {
  static readonly className = 'ConfusionMatrix'
  protected classCount(): number {
    return this.numClasses
  }

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const kind = targetKind({ target: yTrue.shape, output: yPred.shape })
    if (kind === 'binary' && this.numClasses < 2)
      throw new ShapeError(`binary targets have two classes, received numClasses ${this.numClasses}`)
    const predicted = kind === 'binary' ? greater(yPred, 0.5) : largest(yPred, -1, this)
    this.count(kind === 'oneHot' ? largest(yTrue, -1, this) : yTrue, predicted, sampleWeight)
  }

  result(): Tensor {
    const counts = this.matrix.value
    switch (this.normalize) {
      case null:
        return counts
      case 'true':
        return divideNoNan(counts, sum(counts, 1, true))
      case 'predicted':
        return divideNoNan(counts, sum(counts, 0, true))
      case 'all':
        return divideNoNan(counts, sum(counts))
    }
  }
}
