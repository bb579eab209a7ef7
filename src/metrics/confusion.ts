// Metrics made of true and false positives and negatives at one or many thresholds. Follows
// keras/src/metrics/metrics_utils.py.

import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { InputsOf, Kind } from '../core/options'
import { boolean, choice, configured, count, either, integer, listOf, nullable, number, option } from '../core/options'
import { alignRanks, divideNoNan, expandTo } from '../losses/weights'
import { add, cast, ceil, clip, divide, equal, greater, less, log, logicalAnd, logicalOr, maximum, minimum, multiply, sigmoid, subtract, where } from '../ops/elementwise'
import { matmul } from '../ops/linalg'
import { mean, sum } from '../ops/reduce'
import { arange, broadcastTo, expandDims, full, reshape, slice, squeeze } from '../ops/shape'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { MetricOptions } from './metric'
import { Metric, accumulate } from './metric'

/** Targets, predictions and weights of one batch, all of the predictions' shape. */
interface Batch {
  readonly y: Tensor
  readonly p: Tensor
  readonly w: Tensor
}

function batchOf(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | undefined): Batch {
  const [y, p] = alignRanks(cast(yTrue, 'float32'), cast(yPred, 'float32'))
  if (sampleWeight === undefined) return { y: broadcastTo(y, p.shape), p, w: full(p.shape, 1) }
  const [, w] = alignRanks(p, cast(sampleWeight, 'float32'))
  return { y: broadcastTo(y, p.shape), p, w: broadcastTo(expandTo(w, p.rank), p.shape) }
}

/**
 * Which predictions are above which thresholds: p [n] → bool [thresholds, n].
 *
 * Evenly spaced thresholds, i/(m − 1), are compared as Keras does: predictions are cut to [0, 1] and counted in buckets.
 */
class Thresholds {
  private readonly isEven: boolean
  private readonly points: Tensor

  /** @param hasEnds the first is just below 0 and the last just above 1, so that every prediction is between them */
  constructor(
    readonly values: readonly number[],
    private readonly hasEnds = false,
  ) {
    const last = values.length - 1
    this.isEven = last >= (hasEnds ? 1 : 2) && values.every((value, i) => Math.abs(value - i / last) <= 2e-7 + (1e-5 * i) / last)
    this.points = new Tensor(Float32Array.from(values), [values.length, 1], 'float32')
  }

  get count(): number {
    return this.values.length
  }

  above(p: Tensor): Tensor {
    const row = expandDims(p, 0)
    const points = reshape(this.points, [this.count, ...p.shape.map(() => 1)])
    if (!this.isEven) return greater(row, points)
    // Above threshold i: ⌈p · (m − 1)⌉ > i
    const bucket = ceil(multiply(clip(row, 0, 1), this.count - 1))
    const index = reshape(arange(0, this.count), points.shape)
    return greater(this.hasEnds ? maximum(bucket, 1) : bucket, index)
  }
}

/** Where x is one of the k largest of the last axis; the first of equal ones. */
function topKMask(x: Tensor, k: number): Tensor {
  const [own, other] = [expandDims(x, -1), expandDims(x, -2)]
  const index = arange(0, x.shape.at(-1)!)
  const before = less(expandDims(index, 0), expandDims(index, 1))
  const ahead = logicalOr(greater(other, own), logicalAnd(equal(other, own), before))
  return less(sum(cast(ahead, 'float32'), { axis: -1 }), k)
}

/** What a prediction that is not among the k largest counts as: less than every threshold. */
const LOWEST = -1e10

const fraction = number({ min: 0, max: 1 })
const thresholdList: Kind<number | readonly number[], number | readonly number[]> = either(listOf(fraction), fraction, Array.isArray)

const thresholdOptions = () => ({
  /** A prediction above it counts as positive; several give one result for each. Default null: 0.5, or with topK none. */
  thresholds: option(nullable(thresholdList), null),
  /** Only the k largest predictions of a sample can be positive. Default null: all. */
  topK: option(nullable(count), null),
  /** Only this class counts. Default null: all. */
  classId: option(nullable(integer({ min: 0 })), null),
})
export type ThresholdOptions = InputsOf<ReturnType<typeof thresholdOptions>> & MetricOptions

abstract class ConfusionMetric extends configured(Metric, thresholdOptions) {
  private readonly points = new Thresholds(
    typeof this.thresholds === 'number' ? [this.thresholds] : (this.thresholds ?? [this.topK === null ? 0.5 : LOWEST]),
  )
  private readonly truePositives: Variable = this.addVariable('truePositives', [this.points.count])
  private readonly others: Variable = this.addVariable(this.otherName(), [this.points.count])

  protected override checkOptions(): void {
    if (Array.isArray(this.thresholds) && this.thresholds.length === 0) throw new ArgumentError(`${this.name}: thresholds must not be empty`)
  }

  /** What the true positives are compared with. */
  protected abstract otherName(): string

  /** Which elements these are. */
  protected abstract isOther(actual: Tensor, predicted: Tensor): Tensor

  updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { y, p, w } = this.select(batchOf(yTrue, yPred, sampleWeight))
    const flat = (x: Tensor): Tensor => reshape(x, [x.size])
    const actual = expandDims(cast(flat(y), 'bool'), 0)
    const predicted = this.points.above(flat(p))
    const weights = flat(w)
    const weigh = (hits: Tensor): Tensor => sum(multiply(cast(hits, 'float32'), weights), { axis: 1 })
    accumulate(this.truePositives, weigh(logicalAnd(actual, predicted)))
    accumulate(this.others, weigh(this.isOther(actual, predicted)))
  }

  private select({ y, p, w }: Batch): Batch {
    const { topK, classId } = this
    const limited = topK === null ? p : where(topKMask(p, topK), p, LOWEST)
    if (classId === null) return { y, p: limited, w }
    if (p.rank < 2 || classId >= p.shape.at(-1)!) {
      throw new ShapeError(`classId ${classId} needs predictions [batch, more than ${classId} classes], received ${formatShape(p.shape)}`)
    }
    const only = (x: Tensor): Tensor => slice(x, x.shape.map((_, i) => (i === x.rank - 1 ? classId : 0)), [...x.shape.slice(0, -1), 1])
    return { y: only(y), p: only(limited), w: only(w) }
  }

  result(): Tensor {
    const results = divideNoNan(this.truePositives.value, add(this.truePositives.value, this.others.value))
    return this.points.count === 1 ? squeeze(results) : results
  }
}

/** true positives / predicted positives: how many alarms were right. */
export class Precision extends ConfusionMetric {
  static readonly className = 'Precision'
  protected otherName(): string {
    return 'falsePositives'
  }
  protected isOther(actual: Tensor, predicted: Tensor): Tensor {
    return greater(predicted, actual)
  }
}

/** true positives / actual positives: how many cases were found. */
export class Recall extends ConfusionMetric {
  static readonly className = 'Recall'
  protected otherName(): string {
    return 'falseNegatives'
  }
  protected isOther(actual: Tensor, predicted: Tensor): Tensor {
    return greater(actual, predicted)
  }
}

const aucOptions = () => ({
  /** Points of the curve. Default 200. */
  numThresholds: option(integer({ min: 2 }), 200),
  /**
   * ROC: true against false positive rate. PR: precision against recall. PRGAIN: gain in precision against gain in recall
   * (Flach & Kull 2015). Default ROC.
   */
  curve: option(choice('ROC', 'PR', 'PRGAIN'), 'ROC'),
  /**
   * The height of the curve between two points: 'interpolation' their mean (of PR, true positives are interpolated:
   * Davis & Goadrich 2006), 'minoring' the smaller, 'majoring' the larger. Default 'interpolation'.
   */
  summationMethod: option(choice('interpolation', 'minoring', 'majoring'), 'interpolation'),
  /** The points of the curve between 0 and 1, instead of numThresholds evenly spaced ones. Default null. */
  thresholds: option(nullable(listOf(fraction)), null),
  /** Whether each label, the last axis, has a curve of its own, and the result is the mean of their areas. Default false. */
  multiLabel: option(boolean, false),
  /** The number of labels, with multiLabel; found in the first batch when it is left out. */
  numLabels: option(nullable(count), null),
  /** A weight for each label: of its area, or without multiLabel of its predictions. Default null: all alike. */
  labelWeights: option(nullable(listOf(number({ min: 0 }))), null),
  /** The predictions are logits, not probabilities. Default false. */
  fromLogits: option(boolean, false),
})
export type AucOptions = InputsOf<ReturnType<typeof aucOptions>> & MetricOptions

interface Counts {
  readonly truePositives: Variable
  readonly falsePositives: Variable
  readonly positives: Variable
  readonly negatives: Variable
}

/**
 * The area under a curve, from the counts at its thresholds. Between evenly spaced thresholds, the default, predictions
 * outside of [0, 1] count as 0 or 1.
 */
export class AUC extends configured(Metric, aucOptions) {
  static readonly className = 'AUC'
  private readonly points = new Thresholds(withEnds(this), true)
  // [thresholds] and [], or with labels [thresholds, labels] and [labels]
  private counts: Counts | null = this.multiLabel && this.numLabels === null ? null : this.makeCounts(this.multiLabel ? [this.numLabels!] : [])

  protected override checkOptions(): void {
    if (this.numLabels !== null && !this.multiLabel) throw new ArgumentError(`${this.name}: numLabels goes with multiLabel only`)
  }

  private makeCounts(labels: readonly number[]): Counts {
    const { count } = this.points
    return {
      truePositives: this.addVariable('truePositives', [count, ...labels]),
      falsePositives: this.addVariable('falsePositives', [count, ...labels]),
      positives: this.addVariable('positives', labels),
      negatives: this.addVariable('negatives', labels),
    }
  }

  updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { y, p, w } = batchOf(yTrue, this.fromLogits ? sigmoid(yPred) : yPred, sampleWeight)
    if (this.multiLabel && p.rank !== 2) throw new ShapeError(`multiLabel needs predictions [batch, labels], received ${formatShape(p.shape)}`)
    if (this.labelWeights !== null && this.labelWeights.length !== p.shape.at(-1)) {
      throw new ShapeError(`${this.labelWeights.length} labelWeights need as many labels, received predictions ${formatShape(p.shape)}`)
    }
    this.counts ??= this.makeCounts([p.shape[1]!])
    const actual = cast(cast(y, 'bool'), 'float32')
    const weights = this.multiLabel || this.labelWeights === null ? w : multiply(w, this.labelWeights)
    const positive = multiply(actual, weights)
    const negative = multiply(subtract(1, actual), weights)
    const { truePositives, falsePositives, positives, negatives } = this.counts
    if (this.multiLabel) {
      const above = cast(this.points.above(p), 'float32')
      accumulate(truePositives, sum(multiply(above, positive), { axis: 1 }))
      accumulate(falsePositives, sum(multiply(above, negative), { axis: 1 }))
      accumulate(positives, sum(positive, { axis: 0 }))
      accumulate(negatives, sum(negative, { axis: 0 }))
      return
    }
    const above = cast(this.points.above(reshape(p, [p.size])), 'float32')
    accumulate(truePositives, matmul(above, reshape(positive, [p.size])))
    accumulate(falsePositives, matmul(above, reshape(negative, [p.size])))
    accumulate(positives, sum(positive))
    accumulate(negatives, sum(negative))
  }

  result(): Tensor {
    if (this.counts === null) return full([], 0)
    const terms = this.curve === 'PR' && this.summationMethod === 'interpolation' ? this.interpolatedPrecision(this.counts) : this.rectangles(this.counts)
    const areas = sum(terms, { axis: 0 })
    if (!this.multiLabel) return areas
    if (this.labelWeights === null) return mean(areas)
    const weights = new Tensor(Float32Array.from(this.labelWeights), [this.labelWeights.length], 'float32')
    return divideNoNan(sum(multiply(areas, weights)), sum(weights))
  }

  // (x_i − x_{i+1}) · height, from the lowest threshold to the highest
  private rectangles(counts: Counts): Tensor {
    const { x, y } = this.curvePoints(counts)
    const [x0, x1] = this.neighbours(x)
    const [y0, y1] = this.neighbours(y)
    switch (this.summationMethod) {
      case 'interpolation':
        return multiply(subtract(x0, x1), divide(add(y0, y1), 2))
      case 'minoring':
        return multiply(subtract(x0, x1), minimum(y0, y1))
      case 'majoring':
        return multiply(subtract(x0, x1), maximum(y0, y1))
    }
  }

  private curvePoints({ truePositives, falsePositives, positives, negatives }: Counts): { x: Tensor; y: Tensor } {
    const [tp, fp] = [truePositives.value, falsePositives.value]
    const recall = divideNoNan(tp, positives.value)
    switch (this.curve) {
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
  private interpolatedPrecision({ truePositives, falsePositives, positives }: Counts): Tensor {
    const tp = truePositives.value
    const [tp0, tp1] = this.neighbours(tp)
    const dTp = subtract(tp0, tp1)
    const [p0, p1] = this.neighbours(add(tp, falsePositives.value))
    const slope = divideNoNan(dTp, maximum(subtract(p0, p1), 0))
    const intercept = subtract(tp1, multiply(slope, p1))
    const bothPositive = logicalAnd(greater(p0, 0), greater(p1, 0))
    const ratio = where(bothPositive, divideNoNan(p0, maximum(p1, 0)), 1)
    return divideNoNan(multiply(slope, add(dTp, multiply(intercept, log(ratio)))), maximum(positives.value, 0))
  }

  private neighbours(x: Tensor): [Tensor, Tensor] {
    const [first = 0, ...rest] = x.shape
    const from = (start: number): Tensor => slice(x, [start, ...rest.map(() => 0)], [first - 1, ...rest])
    return [from(0), from(1)]
  }
}

/** Thresholds between two ends just outside of [0, 1], so that every prediction is on the right side of them. */
function withEnds({ thresholds, numThresholds }: { thresholds: readonly number[] | null; numThresholds: number }): number[] {
  const even = Array.from({ length: numThresholds - 2 }, (_, i) => (i + 1) / (numThresholds - 1))
  return [-1e-7, ...(thresholds === null ? even : [...thresholds].sort((a, b) => a - b)), 1 + 1e-7]
}
