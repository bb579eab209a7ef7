// Regression metrics: errors, similarities, correlations, and the explained variance.

import { merged } from '../core/merged'
import { choice, configured, integer, nullable, option, text, type InOrder, type OptionInputs } from '../core/options'
import { exactly } from '../core/tuples'
import { cosineOptions } from '../losses/options'
import {
  cosineSimilarity,
  logCosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
} from '../losses/regression'
import { divideNoNan } from '../losses/sample-weights'
import { cast, equal, greater, multiply, negative, square, subtract, where } from '../ops/numpy/elementwise'
import { mean, sum } from '../ops/numpy/reduce'
import { full } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { concordance, pearson } from './correlations'
import { RootMean, meanOf, meanOfOptions, type MeanInOrder, type OptionsInOrder } from './mean'
import { BatchMetric, accumulate, metricOptions, requireRows, weightsLike, type MetricOptions } from './metric'

const MeanSquaredErrorBase = (meanOf as MeanInOrder<['name', 'dtype']>)(meanSquaredError)

/**
 * The mean of (y − ŷ)².
 * @example
 * const metric = new metrics.MeanSquaredError()
 * metric.apply([[1], [3]], [[2], [5]])
 * metric.result()   // 2.5
 */
export class MeanSquaredError extends MeanSquaredErrorBase {
  static override readonly className = 'MeanSquaredError'
}

const MeanAbsoluteErrorBase = (meanOf as MeanInOrder<['name', 'dtype']>)(meanAbsoluteError)

/**
 * The mean of |y − ŷ|.
 * @example
 * const metric = new metrics.MeanAbsoluteError()
 * metric.apply([[1], [3]], [[2], [5]])
 * metric.result()   // 1.5
 */
export class MeanAbsoluteError extends MeanAbsoluteErrorBase {
  static override readonly className = 'MeanAbsoluteError'
}

/**
 * √ of the mean of (y − ŷ)².
 * @example
 * const metric = new metrics.RootMeanSquaredError()
 * metric.apply([[1], [3]], [[2], [5]])
 * metric.result()   // 1.581
 */
export class RootMeanSquaredError extends RootMean {
  static override readonly className = 'RootMeanSquaredError'
  protected values(yTrue: Tensor, yPred: Tensor): Tensor {
    return square(subtract(yPred, cast(yTrue, 'float32')))
  }
}

const MeanAbsolutePercentageErrorBase = (meanOf as MeanInOrder<['name', 'dtype']>)(meanAbsolutePercentageError)

/**
 * The mean of 100 · |y − ŷ| / max(|y|, 1e-7), in per cent.
 * @example
 * const metric = new metrics.MeanAbsolutePercentageError()
 * metric.apply([[2], [4]], [[1], [5]])
 * metric.result()   // 37.5
 */
export class MeanAbsolutePercentageError extends MeanAbsolutePercentageErrorBase {
  static override readonly className = 'MeanAbsolutePercentageError'
}

const MeanSquaredLogarithmicErrorBase = (meanOf as MeanInOrder<['name', 'dtype']>)(meanSquaredLogarithmicError)

/**
 * The mean of (ln(1 + y) − ln(1 + ŷ))².
 * @example
 * const metric = new metrics.MeanSquaredLogarithmicError()
 * metric.apply([[1], [100]], [[2], [110]])
 * metric.result()   // 0.08666
 */
export class MeanSquaredLogarithmicError extends MeanSquaredLogarithmicErrorBase {
  static override readonly className = 'MeanSquaredLogarithmicError'
}

const LogCoshErrorBase = (meanOf as MeanInOrder<['name', 'dtype']>)((yTrue, yPred) => logCosh(yTrue, yPred), {
  name: option(text, 'logcosh'),
})

/**
 * The mean of ln cosh(ŷ − y). The key in logs is 'logcosh'.
 * @example
 * const metric = new metrics.LogCoshError()
 * metric.apply([[0], [0]], [[0.5], [4]])
 * metric.result()   // 1.714
 */
export class LogCoshError extends LogCoshErrorBase {
  static override readonly className = 'LogCoshError'
}

const CosineSimilarityBase = (meanOf as MeanInOrder<['name', 'dtype', 'axis']>)(
  (yTrue, yPred, options) => negative(cosineSimilarity(yTrue, yPred, options)),
  cosineOptions,
)

/**
 * The mean of Σ y·ŷ / (‖y‖ ‖ŷ‖): 1 for equal directions. The loss of this name has the opposite sign.
 * @example
 * const metric = new metrics.CosineSimilarity()
 * metric.apply([[3, 4]], [[6, 8]])
 * metric.result()   // 1
 */
export class CosineSimilarity extends CosineSimilarityBase {
  static override readonly className = 'CosineSimilarity'
}

const correlationOptions = () =>
  merged(metricOptions(), {
    /** The axis along which numbers are compared. Default the last: per sample. 0: per output, over the batch. */
    axis: option(integer(), -1),
  })
export type CorrelationOptions = OptionInputs<ReturnType<typeof correlationOptions>> & MetricOptions

const PearsonCorrelationBase = (meanOfOptions as OptionsInOrder<['name', 'dtype', 'axis']>)(pearson, correlationOptions)

/**
 * σ(y, ŷ) / (σ(y)·σ(ŷ)) along an axis, mean over all batches; 0 if one of them is constant. Pearson 1895.
 * @example
 * const metric = new metrics.PearsonCorrelation({ axis: 0 })
 * metric.apply([[1], [2], [3]], [[1], [3], [4]])
 * metric.result()   // 0.982
 */
export class PearsonCorrelation extends PearsonCorrelationBase {
  static override readonly className = 'PearsonCorrelation'
}

const ConcordanceCorrelationBase = (meanOfOptions as OptionsInOrder<['name', 'dtype', 'axis']>)(
  concordance,
  correlationOptions,
)

/**
 * 2σ(y, ŷ) / (σ²(y) + σ²(ŷ) + (μ(y) − μ(ŷ))² + 1e-7) along an axis, mean over all batches: unlike Pearson's
 * correlation, it is 1 only for equal numbers. Lin 1989.
 * @example
 * const metric = new metrics.ConcordanceCorrelation({ axis: 0 })
 * metric.apply([[1], [2], [3]], [[1], [3], [4]])
 * metric.result()   // 0.75
 */
export class ConcordanceCorrelation extends ConcordanceCorrelationBase {
  static override readonly className = 'ConcordanceCorrelation'
}

const r2Options = () => ({
  /**
   * How the scores of several outputs are averaged: 'uniformAverage' their mean; 'varianceWeightedAverage' their mean
   * weighted by the variance of the targets; null one score per output. Default 'uniformAverage'.
   */
  classAggregation: option(nullable(choice('uniformAverage', 'varianceWeightedAverage')), 'uniformAverage'),
  /** The number of inputs of the model, for the adjusted score; 0 for the plain one. Default 0. */
  numRegressors: option(integer({ min: 0 }), 0),
})
export type R2ScoreOptions = OptionInputs<ReturnType<typeof r2Options>> & MetricOptions

/** Σ w·y, Σ w·y², Σ w·(y − ŷ)² and Σ w of each output. */
type Sums = readonly [targets: Variable, squares: Variable, residuals: Variable, weights: Variable]

const R2ScoreBase = (configured as InOrder<['classAggregation', 'numRegressors', 'name', 'dtype']>)(
  BatchMetric,
  r2Options,
)

/**
 * 1 − Σ(y − ŷ)² / Σ(y − μ(y))² of each output, over all samples together: 1 is perfect, 0 no better than the mean; 0 if
 * all targets are equal. Adjusted: 1 − (1 − R²)(n − 1)/(n − p − 1), with n samples and p regressors; not adjusted while
 * n ≤ p + 1. Targets and predictions [batch, outputs].
 *
 * 0 while all samples have weight 0, where Keras gives NaN.
 *
 * Keras: `keras.metrics.R2Score`.
 * @example new metrics.R2Score({ classAggregation: null })   // r2Score_0, r2Score_1, … in logs
 */
export class R2Score extends R2ScoreBase {
  static readonly className = 'R2Score'
  private readonly seen = this.addVariable('numSamples')
  private sums: Sums | null = null

  protected update(yTrue: Tensor, yPred: Tensor, sampleWeight?: Tensor): void {
    const [y, p] = [cast(yTrue, 'float32'), cast(yPred, 'float32')]
    const outputs = requireRows(y, p, this.sums?.[0].shape[0])
    const add = (name: string): Variable => this.addVariable(name, [outputs])
    this.sums ??= [add('sum'), add('squaredSum'), add('residual'), add('count')]
    const w = weightsLike(y, sampleWeight)
    const over = (x: Tensor): Tensor => sum(w === null ? x : multiply(x, w), 0)
    const [targets, squares, residuals, weights] = this.sums
    accumulate(targets, over(y))
    accumulate(squares, over(square(y)))
    accumulate(residuals, over(square(subtract(y, p))))
    accumulate(weights, w === null ? full([outputs], y.shape[0]!) : sum(w, 0))
    accumulate(this.seen, full([], y.size))
  }

  result(): Tensor {
    if (this.sums === null) return full([], 0)
    const [targets, squares, residuals, weights] = exactly(
      this.sums.map(({ value }) => value),
      4,
    )
    const total = subtract(squares, multiply(targets, divideNoNan(targets, weights)))
    const scores = where(equal(total, 0), 0, subtract(1, divideNoNan(residuals, total)))
    return this.adjusted(this.aggregated(scores, total))
  }

  private aggregated(scores: Tensor, total: Tensor): Tensor {
    switch (this.classAggregation) {
      case 'uniformAverage':
        return mean(scores)
      case 'varianceWeightedAverage':
        return divideNoNan(sum(multiply(total, scores)), sum(total))
      case null:
        return scores
    }
  }

  private adjusted(score: Tensor): Tensor {
    if (this.numRegressors === 0) return score
    const n = this.seen.value
    const free = subtract(n, this.numRegressors + 1)
    return where(greater(free, 0), subtract(1, divideNoNan(multiply(subtract(1, score), subtract(n, 1)), free)), score)
  }
}
