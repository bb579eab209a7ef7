// The formulas of correlations. regression.ts makes metrics of them, functions.ts functions.

import { exactly } from '../core/tuples'
import { EPSILON } from '../losses/values'
import { alignRanks, divideNoNan } from '../losses/sample-weights'
import { add, cast, divide, multiply, sqrt, square, subtract } from '../ops/numpy/elementwise'
import { mean } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'

/** σ(y, ŷ), σ²(y), σ²(ŷ) and μ(y) − μ(ŷ) along an axis. */
type Spread = readonly [covariance: Tensor, targets: Tensor, predictions: Tensor, shift: Tensor]

function spreadOf(yTrue: Tensor, yPred: Tensor, axis: number): Spread {
  const over = (x: Tensor, keepDims = false): Tensor => mean(x, { axis, keepDims })
  const [y, p] = alignRanks(cast(yTrue, 'float32'), cast(yPred, 'float32'))
  const [fromMean, predicted] = exactly(
    [y, p].map((x) => subtract(x, over(x, true))),
    2,
  )
  return [
    over(multiply(fromMean, predicted)),
    over(square(fromMean)),
    over(square(predicted)),
    subtract(over(y), over(p)),
  ]
}

interface AxisOfCorrelation {
  readonly axis: number
}

/** σ(y, ŷ) / (σ(y)·σ(ŷ)); 0 if one of them is constant */
export function pearson(yTrue: Tensor, yPred: Tensor, { axis }: AxisOfCorrelation): Tensor {
  const [covariance, a, b] = spreadOf(yTrue, yPred, axis)
  return divideNoNan(covariance, multiply(sqrt(a), sqrt(b)))
}

/** 2σ(y, ŷ) / (σ²(y) + σ²(ŷ) + (μ(y) − μ(ŷ))² + 1e-7) */
export function concordance(yTrue: Tensor, yPred: Tensor, { axis }: AxisOfCorrelation): Tensor {
  const [covariance, a, b, shift] = spreadOf(yTrue, yPred, axis)
  return divide(multiply(covariance, 2), add(add(add(a, b), square(shift)), EPSILON))
}
