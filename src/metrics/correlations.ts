// The formulas of correlations. regression.ts makes metrics of them, functions.ts functions.

import { EPSILON } from '../losses/values'
import { alignRanks, divideNoNan } from '../losses/weights'
import { add, cast, divide, multiply, sqrt, square, subtract } from '../ops/numpy/elementwise'
import { mean } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'

/** Means, variances and the covariance along an axis. */
interface Spread {
  readonly covariance: Tensor
  /** σ² of targets and predictions. */
  readonly variances: readonly [Tensor, Tensor]
  /** The difference of the means. */
  readonly shift: Tensor
}

function spreadOf(yTrue: Tensor, yPred: Tensor, axis: number): Spread {
  const over = (x: Tensor, keepDims = false): Tensor => mean(x, { axis, keepDims })
  const [y, p] = alignRanks(cast(yTrue, 'float32'), cast(yPred, 'float32'))
  const [fromMean, predicted] = [y, p].map((x) => subtract(x, over(x, true))) as [Tensor, Tensor]
  return {
    covariance: over(multiply(fromMean, predicted)),
    variances: [over(square(fromMean)), over(square(predicted))],
    shift: subtract(over(y), over(p)),
  }
}

/** σ(y, ŷ) / (σ(y)·σ(ŷ)); 0 if one of them is constant */
export function pearson(yTrue: Tensor, yPred: Tensor, axis: number): Tensor {
  const { covariance, variances } = spreadOf(yTrue, yPred, axis)
  const [a, b] = variances
  return divideNoNan(covariance, multiply(sqrt(a), sqrt(b)))
}

/** 2σ(y, ŷ) / (σ²(y) + σ²(ŷ) + (μ(y) − μ(ŷ))² + 1e-7) */
export function concordance(yTrue: Tensor, yPred: Tensor, axis: number): Tensor {
  const { covariance, variances, shift } = spreadOf(yTrue, yPred, axis)
  const [a, b] = variances
  return divide(multiply(covariance, 2), add(add(add(a, b), square(shift)), EPSILON))
}
