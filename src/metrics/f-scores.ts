// F-scores: a single number from precision and recall.

import { choice, configured, nullable, number, option, type InOrder, type OptionInputs } from '../core/options'
import { exactly } from '../core/tuples'
import { EPSILON } from '../losses/values'
import { abs, add, cast, divide, greater, greaterEqual, logicalAnd, multiply } from '../ops/numpy/elementwise'
import { max, mean, sum } from '../ops/numpy/reduce'
import { full } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { BatchMetric, accumulate, requireRows, weightsLike, type MetricOptions } from './metric'

const scoreOptions = () => ({
  /**
   * How the scores of the classes are averaged: 'micro' counts over all classes first, 'macro' takes the mean,
   * 'weighted' the mean weighted by the frequency of each class; null returns one score per class. Default null.
   */
  average: option(nullable(choice('micro', 'macro', 'weighted')), null),
  /** Predictions above it count as positive. Default null: only the largest of each row. */
  threshold: option(nullable(number({ above: 0, max: 1 })), null),
})
export type F1ScoreOptions = OptionInputs<ReturnType<typeof scoreOptions>> & MetricOptions

/** True positives, predictions and occurrences of each class. [classes], or [] if all are counted together. */
type Counts = readonly Variable[]

const F1ScoreBase = (configured as InOrder<['average', 'threshold', 'name', 'dtype']>)(BatchMetric, scoreOptions)

/**
 * 2 · precision · recall / (precision + recall) of each class. Targets are one-hot or multi-label rows, [batch,
 * classes].
 *
 * Keras: `keras.metrics.F1Score`.
 * @example new metrics.F1Score({ average: 'macro' })
 */
export class F1Score extends F1ScoreBase {
  static readonly className: string = 'F1Score'
  private counts: Counts | null = this.average === 'micro' ? this.makeCounts([]) : null

  /** β² */
  protected get recallWeight(): number {
    return 1
  }

  private makeCounts(shape: readonly number[]): Counts {
    return ['truePositives', 'predictedPositives', 'actualPositives'].map((name) => this.addVariable(name, shape))
  }

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const classes = requireRows(yTrue, yPred, this.counts?.[0]!.shape[0])
    const counts = (this.counts ??= this.makeCounts([classes]))
    const isPositive =
      this.threshold === null
        ? logicalAnd(greaterEqual(yPred, max(yPred, -1, true)), greater(abs(yPred), 1e-9))
        : greater(yPred, this.threshold)
    const predicted = cast(isPositive, 'float32')
    const actual = cast(yTrue, 'float32')
    const w = weightsLike(yPred, sampleWeight)
    const over = (x: Tensor): Tensor => sum(w === null ? x : multiply(x, w), this.average === 'micro' ? null : 0)
    for (const [i, each] of [multiply(predicted, actual), predicted, actual].entries())
      accumulate(counts[i]!, over(each))
  }

  result(): Tensor {
    if (this.counts === null) return full([], 0)
    const [right, predicted, actual] = exactly(
      this.counts.map(({ value }) => value),
      3,
    )
    const precision = divide(right, add(predicted, EPSILON))
    const recall = divide(right, add(actual, EPSILON))
    const weight = this.recallWeight
    const product = multiply(multiply(precision, recall), 1 + weight)
    const scores = divide(product, add(add(multiply(precision, weight), recall), EPSILON))
    if (this.average === null) return scores
    return this.average === 'weighted' ? divide(sum(multiply(scores, actual)), add(sum(actual), EPSILON)) : mean(scores)
  }
}

const betaOptions = () => ({
  /** The weight of recall relative to precision. Default 1. */
  beta: option(number({ above: 0 }), 1),
})
export type FBetaScoreOptions = OptionInputs<ReturnType<typeof betaOptions>> & F1ScoreOptions

const FBetaScoreBase = configured(F1Score, betaOptions, ['average', 'beta', 'threshold'])

/**
 * (1 + β²) · precision · recall / (β² · precision + recall) of each class.
 *
 * Keras: `keras.metrics.FBetaScore`.
 * @example
 * const metric = new metrics.FBetaScore({ beta: 2 })
 * metric.apply([[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
 * metric.result()   // [0.8333, 0.5556]
 */
export class FBetaScore extends FBetaScoreBase {
  static override readonly className = 'FBetaScore'
  protected override get recallWeight(): number {
    return this.beta ** 2
  }
}
