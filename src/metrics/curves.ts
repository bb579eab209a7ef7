// Metrics of the curve of true and false positives over thresholds from 0 to 1: the area under it, and single points.
// Follows keras/src/metrics/metrics_utils.py.

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
  tableSize,
  type OptionInputs,
  type InOrder,
} from '../core/options'
import { classNameOf } from '../core/registry'
import { divideNoNan } from '../losses/sample-weights'
import {
  add,
  cast,
  divide,
  equal,
  greater,
  greaterEqual,
  log,
  logicalAnd,
  maximum,
  minimum,
  multiply,
  sigmoid,
  subtract,
  where,
} from '../ops/numpy/elementwise'
import { matmul } from '../ops/linalg/linalg'
import { max, mean, sum } from '../ops/numpy/reduce'
import { full, reshape, slice } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { BatchMetric, accumulate, metricOptions, type MetricOptions } from './metric'
import { Thresholds, batchOf, ofClass, type ScoredBatch } from './thresholds'

const fraction = number({ min: 0, max: 1 })

const aucOptions = () =>
  merged(
    {
      /** The number of points of the curve. Default 200. */
      numThresholds: option(tableSize(2), 200),
      /**
       * ROC: true against false positive rate. PR: precision against recall. PRGAIN: gain in precision against gain in recall
       * (Flach & Kull 2015). Default ROC.
       */
      curve: option(choice('ROC', 'PR', 'PRGAIN'), 'ROC'),
      /**
       * The height of the curve between two points: 'interpolation' their mean (for PR, true positives are interpolated:
       * Davis & Goadrich 2006), 'minoring' the smaller, 'majoring' the larger. Default 'interpolation'.
       */
      summationMethod: option(choice('interpolation', 'minoring', 'majoring'), 'interpolation'),
    },
    metricOptions(),
    {
      /** The thresholds between 0 and 1, instead of numThresholds evenly spaced ones. Default null. */
      thresholds: option(nullable(listOf(fraction)), null),
      /** Whether there is one curve per label (last axis), with the mean of their areas as the result. Default false. */
      multiLabel: option(boolean, false),
      /** The number of labels, with multiLabel; default: inferred from the first batch. */
      numLabels: option(nullable(tableSize()), null),
      /** A weight per label: for its area, or without multiLabel for its predictions. Default null: equal weights. */
      labelWeights: option(nullable(listOf(number({ min: 0 }))), null),
      /** The predictions are logits, not probabilities. Default false. */
      fromLogits: option(boolean, false),
    },
  )
export type AucOptions = OptionInputs<ReturnType<typeof aucOptions>> & MetricOptions

/** Counts at each threshold, [thresholds], and totals, []. With labels [thresholds, labels] and [labels]. */
type Counts = readonly [truePositives: Variable, falsePositives: Variable, positives: Variable, negatives: Variable]

abstract class Curve extends BatchMetric {
  protected readonly points: Thresholds = this.makePoints()

  protected abstract makePoints(): Thresholds

  protected makeCounts(labels: readonly number[] = []): Counts {
    const add = (name: string, ...shape: number[]): Variable => this.addVariable(name, [...shape, ...labels])
    const { count } = this.points
    return [add('truePositives', count), add('falsePositives', count), add('positives'), add('negatives')]
  }

  /** Adds the weights of positives and negatives: all together, or for [batch, labels] per label. */
  protected count(
    [truePositives, falsePositives, positives, negatives]: Counts,
    { y, p, w }: ScoredBatch,
    perLabel = false,
  ): void {
    const actual = cast(cast(y, 'bool'), 'float32')
    const positive = multiply(actual, w)
    const negative = multiply(subtract(1, actual), w)
    const above = cast(this.points.above(perLabel ? p : reshape(p, [p.size])), 'float32')
    const atThresholds = (x: Tensor): Tensor =>
      perLabel ? sum(multiply(above, x), { axis: 1 }) : matmul(above, reshape(x, [x.size]))
    const inAll = (x: Tensor): Tensor => sum(x, perLabel ? 0 : null)
    accumulate(truePositives, atThresholds(positive))
    accumulate(falsePositives, atThresholds(negative))
    accumulate(positives, inAll(positive))
    accumulate(negatives, inAll(negative))
  }
}

const AUCBase = (
  configured as InOrder<
    [
      'numThresholds',
      'curve',
      'summationMethod',
      'name',
      'dtype',
      'thresholds',
      'multiLabel',
      'numLabels',
      'labelWeights',
      'fromLogits',
    ]
  >
)(Curve, aucOptions)

/**
 * The area under a curve, from the counts at its thresholds. With evenly spaced thresholds, the default, predictions
 * outside of [0, 1] count as 0 or 1.
 * @example
 * const metric = new metrics.AUC()
 * metric.apply([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
 * metric.result()   // 0.75
 */
export class AUC extends AUCBase {
  static readonly className = 'AUC'
  private counts: Counts | null =
    this.multiLabel && this.numLabels === null ? null : this.makeCounts(this.multiLabel ? [this.numLabels!] : [])

  protected makePoints(): Thresholds {
    return new Thresholds(withEnds(this), true)
  }

  protected override checkOptions(): void {
    if (this.numLabels !== null && !this.multiLabel)
      throw new ArgumentError(`${classNameOf(this)}: numLabels needs multiLabel`)
  }

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { y, p, w } = batchOf(yTrue, this.fromLogits ? sigmoid(yPred) : yPred, sampleWeight)
    if (this.multiLabel && p.rank !== 2)
      throw new ShapeError(`multiLabel needs predictions [batch, labels], received ${formatShape(p.shape)}`)
    if (this.labelWeights !== null && this.labelWeights.length !== p.shape.at(-1)) {
      throw new ShapeError(
        `${this.labelWeights.length} labelWeights need the same number of labels, received predictions ${formatShape(p.shape)}`,
      )
    }
    this.counts ??= this.makeCounts([p.shape[1]!])
    const weights = this.multiLabel || this.labelWeights === null ? w : multiply(w, this.labelWeights)
    this.count(this.counts, { y, p, w: weights }, this.multiLabel)
  }

  result(): Tensor {
    if (this.counts === null) return full([], 0)
    const terms =
      this.curve === 'PR' && this.summationMethod === 'interpolation'
        ? interpolatedPrecision(this.counts)
        : this.rectangles(this.counts)
    const areas = sum(terms, { axis: 0 })
    if (!this.multiLabel) return areas
    if (this.labelWeights === null) return mean(areas)
    const weights = new Tensor(Float32Array.from(this.labelWeights), [this.labelWeights.length], 'float32')
    return divideNoNan(sum(multiply(areas, weights)), sum(weights))
  }

  // (x_i − x_{i+1}) · height, from the lowest threshold to the highest
  private rectangles(counts: Counts): Tensor {
    const { x, y } = curvePoints(this.curve, counts)
    const [x0, x1] = neighbours(x)
    const [y0, y1] = neighbours(y)
    switch (this.summationMethod) {
      case 'interpolation':
        return multiply(subtract(x0, x1), divide(add(y0, y1), 2))
      case 'minoring':
        return multiply(subtract(x0, x1), minimum(y0, y1))
      case 'majoring':
        return multiply(subtract(x0, x1), maximum(y0, y1))
    }
  }
}

/** The points of a curve at all thresholds. */
function curvePoints(
  curve: AUC['curve'],
  [truePositives, falsePositives, positives, negatives]: Counts,
): { x: Tensor; y: Tensor } {
  const [tp, fp] = [truePositives.value, falsePositives.value]
  const recall = divideNoNan(tp, positives.value)
  switch (curve) {
    case 'ROC':
      return { x: divideNoNan(fp, negatives.value), y: recall }
    case 'PR':
      return { x: recall, y: divideNoNan(tp, add(tp, fp)) }
    case 'PRGAIN': {
      // gain = 1 − P/N · (others / true positives); without true positives 0 in recall and 1 in precision
      const ratio = divideNoNan(positives.value, negatives.value)
      const gain = (others: Tensor): Tensor => subtract(1, multiply(ratio, divideNoNan(others, tp)))
      const none = equal(tp, 0)
      return {
        x: maximum(where(none, 0, gain(subtract(positives.value, tp))), 0),
        y: where(none, 1, gain(fp)),
      }
    }
  }
}

// Between two thresholds TP and FP change linearly: slope = ΔTP/ΔP, intercept = TP − slope·P, and
// ∫ precision = (ΔTP·slope-weighted + slope·intercept·ln(P_i/P_{i+1})) / positives
function interpolatedPrecision([truePositives, falsePositives, positives]: Counts): Tensor {
  const tp = truePositives.value
  const [tp0, tp1] = neighbours(tp)
  const dTp = subtract(tp0, tp1)
  const [p0, p1] = neighbours(add(tp, falsePositives.value))
  const slope = divideNoNan(dTp, maximum(subtract(p0, p1), 0))
  const intercept = subtract(tp1, multiply(slope, p1))
  const bothPositive = logicalAnd(greater(p0, 0), greater(p1, 0))
  const ratio = where(bothPositive, divideNoNan(p0, maximum(p1, 0)), 1)
  return divideNoNan(multiply(slope, add(dTp, multiply(intercept, log(ratio)))), maximum(positives.value, 0))
}

/** The values at all thresholds but the last, and the values at all but the first. */
function neighbours(x: Tensor): [Tensor, Tensor] {
  const [first = 0, ...rest] = x.shape
  const from = (start: number): Tensor => slice(x, [start, ...rest.map(() => 0)], [first - 1, ...rest])
  return [from(0), from(1)]
}

/** Thresholds with two ends just outside of [0, 1], so that every prediction lies between them. */
function withEnds({
  thresholds,
  numThresholds,
}: {
  thresholds: readonly number[] | null
  numThresholds: number
}): number[] {
  const even = Array.from({ length: numThresholds - 2 }, (_, i) => (i + 1) / (numThresholds - 1))
  return [-1e-7, ...(thresholds === null ? even : [...thresholds].sort((a, b) => a - b)), 1 + 1e-7]
}

const pointOptions = () => ({
  /** The number of thresholds, evenly spaced from 0 to 1; a single one is 0.5. Default 200. */
  numThresholds: option(tableSize(), 200),
  /** Only this class counts. Default null: all. */
  classId: option(nullable(integer({ min: 0 })), null),
})
type PointOptions = OptionInputs<ReturnType<typeof pointOptions>> & MetricOptions

/** Rates at each threshold, [thresholds]. */
interface Rates {
  /** The fraction of positives predicted as positive; also called sensitivity. */
  readonly recall: Tensor
  /** The fraction of negatives predicted as negative. */
  readonly specificity: Tensor
  /** The fraction of positive predictions that are correct. */
  readonly precision: Tensor
}

const PointOfCurveBase = configured(Curve, pointOptions)

/** Which rate is as large as possible, and which other rate has a lower bound. */
interface PointCriterion {
  readonly bounded: Tensor
  readonly least: number
  readonly maximized: Tensor
}

/** The largest value of one rate among the thresholds where another rate is high enough; 0 if there are none. */
abstract class PointOfCurve extends PointOfCurveBase {
  private readonly counts = this.makeCounts()

  protected abstract best(rates: Rates): PointCriterion

  protected makePoints(): Thresholds {
    const last = this.numThresholds - 1
    return new Thresholds(last === 0 ? [0.5] : Array.from({ length: last + 1 }, (_, i) => i / last), false, 2)
  }

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    this.count(this.counts, ofClass(batchOf(yTrue, yPred, sampleWeight), this.classId))
  }

  result(): Tensor {
    const [truePositives, falsePositives, positives, negatives] = this.counts
    const [tp, fp] = [truePositives.value, falsePositives.value]
    const { bounded, least, maximized } = this.best({
      recall: divideNoNan(tp, positives.value),
      specificity: divideNoNan(subtract(negatives.value, fp), negatives.value),
      precision: divideNoNan(tp, add(tp, fp)),
    })
    return max(where(greaterEqual(bounded, least), maximized, 0))
  }
}

const specificityOption = () => ({
  /** The smallest specificity: the fraction of negatives predicted as negative. */
  specificity: required(fraction),
})
export type SensitivityAtSpecificityOptions = OptionInputs<ReturnType<typeof specificityOption>> & PointOptions

const SensitivityAtSpecificityBase = (
  configured as InOrder<['specificity', 'numThresholds', 'classId', 'name', 'dtype']>
)(PointOfCurve, specificityOption)

/**
 * The largest sensitivity (recall) among thresholds with at least this specificity.
 * @example new metrics.SensitivityAtSpecificity({ specificity: 0.95 })
 */
export class SensitivityAtSpecificity extends SensitivityAtSpecificityBase {
  static readonly className = 'SensitivityAtSpecificity'
  protected best({ recall, specificity }: Rates) {
    return { bounded: specificity, least: this.specificity, maximized: recall }
  }
}

const sensitivityOption = () => ({
  /** The smallest sensitivity: the fraction of positives predicted as positive. */
  sensitivity: required(fraction),
})
export type SpecificityAtSensitivityOptions = OptionInputs<ReturnType<typeof sensitivityOption>> & PointOptions

const SpecificityAtSensitivityBase = (
  configured as InOrder<['sensitivity', 'numThresholds', 'classId', 'name', 'dtype']>
)(PointOfCurve, sensitivityOption)

/**
 * The largest specificity among thresholds with at least this sensitivity (recall).
 * @example
 * const metric = new metrics.SpecificityAtSensitivity({ sensitivity: 0.5 })
 * metric.apply([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
 * metric.result()   // 1
 */
export class SpecificityAtSensitivity extends SpecificityAtSensitivityBase {
  static readonly className = 'SpecificityAtSensitivity'
  protected best({ recall, specificity }: Rates) {
    return { bounded: recall, least: this.sensitivity, maximized: specificity }
  }
}

const recallOption = () => ({
  /** The smallest recall: the fraction of positives predicted as positive. */
  recall: required(fraction),
})
export type PrecisionAtRecallOptions = OptionInputs<ReturnType<typeof recallOption>> & PointOptions

const PrecisionAtRecallBase = (configured as InOrder<['recall', 'numThresholds', 'classId', 'name', 'dtype']>)(
  PointOfCurve,
  recallOption,
)

/**
 * The largest precision among thresholds with at least this recall.
 * @example
 * const metric = new metrics.PrecisionAtRecall({ recall: 0.8 })
 * metric.apply([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
 * metric.result()   // 0.6667
 */
export class PrecisionAtRecall extends PrecisionAtRecallBase {
  static readonly className = 'PrecisionAtRecall'
  protected best({ recall, precision }: Rates) {
    return { bounded: recall, least: this.recall, maximized: precision }
  }
}

const precisionOption = () => ({
  /** The smallest precision: the fraction of positive predictions that are correct. */
  precision: required(fraction),
})
export type RecallAtPrecisionOptions = OptionInputs<ReturnType<typeof precisionOption>> & PointOptions

const RecallAtPrecisionBase = (configured as InOrder<['precision', 'numThresholds', 'classId', 'name', 'dtype']>)(
  PointOfCurve,
  precisionOption,
)

/**
 * The largest recall among thresholds with at least this precision.
 * @example
 * const metric = new metrics.RecallAtPrecision({ precision: 0.6 })
 * metric.apply([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9])
 * metric.result()   // 1
 */
export class RecallAtPrecision extends RecallAtPrecisionBase {
  static readonly className = 'RecallAtPrecision'
  protected best({ recall, precision }: Rates) {
    return { bounded: precision, least: this.precision, maximized: recall }
  }
}
