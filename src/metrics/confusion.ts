// Metrics computed from true and false positives and negatives at one or several thresholds. Follows
// keras/src/metrics/metrics_utils.py.

import { merged } from '../core/merged'
import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import {
  configured,
  count,
  either,
  integer,
  listOf,
  nullable,
  number,
  option,
  type OptionInputs,
  type Kind,
  type InOrder,
} from '../core/options'
import { classNameOf } from '../core/registry'
import { divideNoNan } from '../losses/sample-weights'
import {
  add,
  cast,
  equal,
  greater,
  less,
  logicalAnd,
  logicalNot,
  logicalOr,
  multiply,
  where,
} from '../ops/numpy/elementwise'
import { sum } from '../ops/numpy/reduce'
import { arange, expandDims, reshape, squeeze } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { BatchMetric, accumulate, type MetricOptions } from './metric'
import { Thresholds, batchOf, ofClass, type ScoredBatch } from './thresholds'

/** True for the k largest values along the last axis. Of equal values the first counts as the largest. */
function topKMask(x: Tensor, k: number): Tensor {
  const [each, other] = [expandDims(x, -1), expandDims(x, -2)]
  const index = arange(0, x.shape.at(-1)!, 1, 'float32')
  const before = less(expandDims(index, 0), expandDims(index, 1))
  const ahead = logicalOr(greater(other, each), logicalAnd(equal(other, each), before))
  return less(sum(cast(ahead, 'float32'), { axis: -1 }), k)
}

/** Replaces predictions that are not among the k largest: below every threshold. */
const LOWEST = -1e10

const fraction = number({ min: 0, max: 1 })
const thresholdList: Kind<number | readonly number[], number | readonly number[]> = either(
  listOf(fraction),
  fraction,
  Array.isArray,
)

const countOptions = () => ({
  /**
   * Predictions above it count as positive; several thresholds give one result each. Default null: 0.5, or no threshold
   * with topK.
   */
  thresholds: option(nullable(thresholdList), null),
})
export type CountOptions = OptionInputs<ReturnType<typeof countOptions>> & MetricOptions

/** The four entries of a confusion matrix, by the targets and predictions that they count. */
const cells = {
  truePositives: logicalAnd,
  falsePositives: (actual: Tensor, predicted: Tensor): Tensor => greater(predicted, actual),
  trueNegatives: (actual: Tensor, predicted: Tensor): Tensor => logicalNot(logicalOr(actual, predicted)),
  falseNegatives: (actual: Tensor, predicted: Tensor): Tensor => greater(actual, predicted),
}
type Entry = keyof typeof cells

const AtThresholdsBase = (configured as InOrder<['thresholds', 'name', 'dtype']>)(BatchMetric, countOptions)

/** Counts elements at each threshold. */
abstract class AtThresholds extends AtThresholdsBase {
  protected readonly points = new Thresholds(
    typeof this.thresholds === 'number' ? [this.thresholds] : (this.thresholds ?? [this.defaultThreshold()]),
  )
  protected readonly counted: readonly Variable[] = this.cells().map((cell) =>
    this.addVariable(cell, [this.points.count]),
  )

  /** The counted entries. */
  protected abstract cells(): readonly Entry[]

  protected defaultThreshold(): number {
    return 0.5
  }

  /** Selects the predictions that count. */
  protected select(batch: ScoredBatch): ScoredBatch {
    return batch
  }

  protected override checkOptions(): void {
    if (Array.isArray(this.thresholds) && this.thresholds.length === 0)
      throw new ArgumentError(`${classNameOf(this)}: thresholds must not be empty`)
  }

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { y, p, w } = this.select(batchOf(yTrue, yPred, sampleWeight))
    const flat = (x: Tensor): Tensor => reshape(x, [x.size])
    const actual = expandDims(cast(flat(y), 'bool'), 0)
    const predicted = this.points.above(flat(p))
    const weights = flat(w)
    this.cells().forEach((cell, i) => {
      accumulate(this.counted[i]!, sum(multiply(cast(cells[cell](actual, predicted), 'float32'), weights), { axis: 1 }))
    })
  }

  /** One number per threshold; a scalar for a single threshold. */
  result(): Tensor {
    const results = this.score(this.counted.map(({ value }) => value))
    return this.points.count === 1 ? squeeze(results) : results
  }

  protected score([counts]: readonly Tensor[]): Tensor {
    return counts!
  }
}

/**
 * The number of positives predicted as positive.
 * @example
 * const metric = new metrics.TruePositives()
 * metric.apply([1, 1, 0], [0.9, 0.2, 0.7])
 * metric.result()   // 1
 */
export class TruePositives extends AtThresholds {
  static readonly className = 'TruePositives'
  protected cells(): Entry[] {
    return ['truePositives']
  }
}

/**
 * The number of negatives predicted as positive.
 * @example
 * const metric = new metrics.FalsePositives()
 * metric.apply([1, 1, 0], [0.9, 0.2, 0.7])
 * metric.result()   // 1
 */
export class FalsePositives extends AtThresholds {
  static readonly className = 'FalsePositives'
  protected cells(): Entry[] {
    return ['falsePositives']
  }
}

/**
 * The number of negatives predicted as negative.
 * @example
 * const metric = new metrics.TrueNegatives({ thresholds: [0.5, 0.8] })
 * metric.apply([1, 1, 0], [0.9, 0.2, 0.7])
 * metric.result()   // [0, 1]
 */
export class TrueNegatives extends AtThresholds {
  static readonly className = 'TrueNegatives'
  protected cells(): Entry[] {
    return ['trueNegatives']
  }
}

/**
 * The number of positives predicted as negative.
 * @example
 * const metric = new metrics.FalseNegatives()
 * metric.apply([1, 1, 0], [0.9, 0.2, 0.7])
 * metric.result()   // 1
 */
export class FalseNegatives extends AtThresholds {
  static readonly className = 'FalseNegatives'
  protected cells(): Entry[] {
    return ['falseNegatives']
  }
}

const selectionOptions = () => ({
  /** Only the k largest predictions of a sample can be positive. Default null: all. */
  topK: option(nullable(count), null),
  /** Only this class counts. Default null: all. */
  classId: option(nullable(integer({ min: 0 })), null),
})
export type ThresholdOptions = OptionInputs<ReturnType<typeof selectionOptions>> & CountOptions

const RatioBase = (configured as InOrder<['thresholds', 'topK', 'classId', 'name', 'dtype']>)(AtThresholds, () =>
  merged(countOptions(), selectionOptions()),
)

/** The ratio of the first of two entries to the sum of both. */
abstract class Ratio extends RatioBase {
  protected override defaultThreshold(): number {
    return this.topK === null ? 0.5 : LOWEST
  }

  protected override select({ y, p, w }: ScoredBatch): ScoredBatch {
    if (this.topK !== null && !(this.topK <= (p.shape.at(-1) ?? 1))) {
      throw new ShapeError(
        `topK ${this.topK} needs predictions with at least as many classes, received ${formatShape(p.shape)}`,
      )
    }
    const limited = this.topK === null ? p : where(topKMask(p, this.topK), p, LOWEST)
    return ofClass({ y, p: limited, w }, this.classId)
  }

  protected override score([right, other]: readonly Tensor[]): Tensor {
    return divideNoNan(right!, add(right!, other!))
  }
}

/**
 * true positives / predicted positives: the fraction of positive predictions that are correct.
 * @example
 * const metric = new metrics.Precision()
 * metric.apply([1, 1, 0, 1], [0.9, 0.2, 0.7, 0.8])
 * metric.result()   // 0.6667
 */
export class Precision extends Ratio {
  static readonly className = 'Precision'
  protected cells(): Entry[] {
    return ['truePositives', 'falsePositives']
  }
}

/**
 * true positives / actual positives: the fraction of positives that are found.
 * @example
 * const metric = new metrics.Recall({ thresholds: 0.75 })
 * metric.apply([1, 1, 0, 1], [0.9, 0.2, 0.7, 0.8])
 * metric.result()   // 0.6667
 */
export class Recall extends Ratio {
  static readonly className = 'Recall'
  protected cells(): Entry[] {
    return ['truePositives', 'falseNegatives']
  }
}
