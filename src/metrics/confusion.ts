// Metrics made of true and false positives and negatives at one or many thresholds.

import { ArgumentError } from '../core/errors'
import { cast, divide, greater, log, maximum, multiply, subtract, add, where, logicalAnd } from '../ops/elementwise'
import { matmul } from '../ops/linalg'
import { sum } from '../ops/reduce'
import { broadcastTo, expandDims, full, reshape, slice } from '../ops/shape'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { Config } from '../core/registry'
import { divideNoNan } from './mean'
import type { MetricOptions } from './metric'
import { Metric, accumulate } from './metric'
import { alignRanks } from '../losses/loss'

/** Flat targets, predictions and weights of one batch. */
function flatten(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): { y: Tensor; p: Tensor; w: Tensor } {
  const [y, p] = alignRanks(cast(yTrue, 'float32'), cast(yPred, 'float32'))
  let w = sampleWeight === undefined ? full(p.shape, 1) : cast(sampleWeight, 'float32')
  while (w.rank < p.rank) w = expandDims(w, -1)
  const flat = (x: Tensor): Tensor => reshape(x, [x.size])
  return { y: flat(broadcastTo(y, p.shape)), p: flat(p), w: flat(broadcastTo(w, p.shape)) }
}

interface ThresholdOptions extends MetricOptions {
  /** A prediction above it counts as positive. Default 0.5. */
  thresholds?: number
}

abstract class ConfusionMetric extends Metric {
  readonly thresholds: number
  protected readonly truePositives: Variable
  protected readonly other: Variable

  constructor(otherName: string, { thresholds = 0.5, ...options }: ThresholdOptions) {
    super(options)
    if (!(thresholds >= 0 && thresholds <= 1)) {
      throw new ArgumentError(`${this.name}: thresholds must be in [0, 1], received ${thresholds}`)
    }
    this.thresholds = thresholds
    this.truePositives = this.addVariable('truePositives')
    this.other = this.addVariable(otherName)
  }

  /** Per element: the weight of what `other` counts. */
  protected abstract others(actual: Tensor, predicted: Tensor): Tensor

  updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { y, p, w } = flatten(yTrue, yPred, sampleWeight)
    const actual = cast(y, 'bool')
    const predicted = greater(p, this.thresholds)
    const weigh = (hits: Tensor): Tensor => sum(multiply(cast(hits, 'float32'), w))
    accumulate(this.truePositives, weigh(logicalAnd(actual, predicted)))
    accumulate(this.other, weigh(this.others(actual, predicted)))
  }

  result(): Tensor {
    return divideNoNan(this.truePositives.value, add(this.truePositives.value, this.other.value))
  }

  override getConfig(): Config {
    return { ...super.getConfig(), thresholds: this.thresholds }
  }
}

/** true positives / predicted positives: how many alarms were right. */
export class Precision extends ConfusionMetric {
  static readonly className = 'Precision'
  constructor(options: ThresholdOptions = {}) {
    super('falsePositives', { name: 'precision', ...options })
  }
  protected others(actual: Tensor, predicted: Tensor): Tensor {
    return greater(predicted, actual)
  }
}

/** true positives / actual positives: how many cases were found. */
export class Recall extends ConfusionMetric {
  static readonly className = 'Recall'
  constructor(options: ThresholdOptions = {}) {
    super('falseNegatives', { name: 'recall', ...options })
  }
  protected others(actual: Tensor, predicted: Tensor): Tensor {
    return greater(actual, predicted)
  }
}

export interface AucOptions extends MetricOptions {
  /** Points of the curve. Default 200. */
  numThresholds?: number
  /** ROC: true against false positive rate. PR: precision against recall. Default ROC. */
  curve?: 'ROC' | 'PR'
}

/**
 * The area under a curve over evenly spaced thresholds, by the trapezoidal rule (ROC) or by interpolating true
 * positives (PR, Davis & Goadrich 2006).
 */
export class AUC extends Metric {
  static readonly className = 'AUC'
  readonly numThresholds: number
  readonly curve: 'ROC' | 'PR'
  private readonly thresholds: Tensor
  private readonly truePositives: Variable
  private readonly falsePositives: Variable
  private readonly positives: Variable
  private readonly negatives: Variable

  constructor({ numThresholds = 200, curve = 'ROC', name = 'auc' }: AucOptions = {}) {
    super({ name })
    if (!Number.isInteger(numThresholds) || numThresholds < 2) {
      throw new ArgumentError(`AUC: numThresholds must be an integer ≥ 2, received ${numThresholds}`)
    }
    if (curve !== 'ROC' && curve !== 'PR') throw new ArgumentError(`AUC: curve must be 'ROC' or 'PR', received '${String(curve)}'`)
    this.numThresholds = numThresholds
    this.curve = curve
    // Just below 0 and just above 1 at the ends, so that every prediction is on the right side of them.
    const inner = (i: number): number => (i === 0 ? -1e-7 : i === numThresholds - 1 ? 1 + 1e-7 : i / (numThresholds - 1))
    this.thresholds = new Tensor(Float32Array.from({ length: numThresholds }, (_, i) => inner(i)), [numThresholds, 1], 'float32')
    this.truePositives = this.addVariable('truePositives', [numThresholds])
    this.falsePositives = this.addVariable('falsePositives', [numThresholds])
    this.positives = this.addVariable('positives')
    this.negatives = this.addVariable('negatives')
  }

  updateState(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const { y, p, w } = flatten(yTrue, yPred, sampleWeight)
    const actual = cast(cast(y, 'bool'), 'float32')
    const positive = multiply(actual, w)
    const negative = multiply(subtract(1, actual), w)
    // above [thresholds, samples]
    const above = cast(greater(reshape(p, [1, p.size]), this.thresholds), 'float32')
    accumulate(this.truePositives, matmul(above, positive))
    accumulate(this.falsePositives, matmul(above, negative))
    accumulate(this.positives, sum(positive))
    accumulate(this.negatives, sum(negative))
  }

  result(): Tensor {
    return this.curve === 'ROC' ? this.roc() : this.precisionRecall()
  }

  // Σ (x_i − x_{i+1}) (y_i + y_{i+1}) / 2, from the lowest threshold to the highest
  private roc(): Tensor {
    const recall = divideNoNan(this.truePositives.value, this.positives.value)
    const fallOut = divideNoNan(this.falsePositives.value, this.negatives.value)
    const [x0, x1] = this.neighbours(fallOut)
    const [y0, y1] = this.neighbours(recall)
    return sum(multiply(subtract(x0, x1), divide(add(y0, y1), 2)))
  }

  // Between two thresholds TP and FP change linearly: slope = ΔTP/ΔP, intercept = TP − slope·P, and
  // ∫ precision = (ΔTP·slope-weighted + slope·intercept·ln(P_i/P_{i+1})) / positives
  private precisionRecall(): Tensor {
    const tp = this.truePositives.value
    const [tp0, tp1] = this.neighbours(tp)
    const dTp = subtract(tp0, tp1)
    const p = add(tp, this.falsePositives.value)
    const [p0, p1] = this.neighbours(p)
    const slope = divideNoNan(dTp, maximum(subtract(p0, p1), 0))
    const intercept = subtract(tp1, multiply(slope, p1))
    const bothPositive = logicalAnd(greater(p0, 0), greater(p1, 0))
    const ratio = where(bothPositive, divideNoNan(p0, maximum(p1, 0)), 1)
    const increment = divideNoNan(
      multiply(slope, add(dTp, multiply(intercept, log(ratio)))),
      maximum(this.positives.value, 0),
    )
    return sum(increment)
  }

  private neighbours(x: Tensor): [Tensor, Tensor] {
    const size = this.numThresholds - 1
    return [slice(x, [0], [size]), slice(x, [1], [size])]
  }

  override getConfig(): Config {
    return { ...super.getConfig(), numThresholds: this.numThresholds, curve: this.curve }
  }
}

