// Losses of regression, as functions from targets and predictions [batch, …, n] to values [batch, …], and as classes.
// Keras's formulas.

import { requireArguments } from '../core/arguments'
import { number, option, type OptionInputs } from '../core/options'
import { normalizeAxis } from '../core/shapes'
import { exactly } from '../core/tuples'
import type { TensorLike } from '../ops/convert'
import {
  abs,
  add,
  divide,
  lessEqual,
  log,
  maximum,
  multiply,
  negative,
  softplus,
  square,
  subtract,
  where,
} from '../ops/numpy/elementwise'
import { normalize } from '../ops/nn/normalization'
import { sum } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import { OfAmounts, OfClippedAmounts, OfNumbers } from './kinds'
import { lossOf, type LossInOrder } from './loss'
import { cosineOptions } from './options'
import { EPSILON, floats, meanOver, optionsOf } from './values'

/**
 * (y − ŷ)², mean over the last axis.
 * @example losses.meanSquaredError([[1, 3]], [[2, 5]])   // [2.5]
 */
export function meanSquaredError(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.meanSquaredError', arguments, 2)
  return meanOver(square(errors(yTrue, yPred)))
}

const MeanSquaredErrorBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(OfNumbers, meanSquaredError)

/**
 * (y − ŷ)²
 * @example new losses.MeanSquaredError().apply([[1], [3]], [[2], [5]])   // 2.5
 */
export class MeanSquaredError extends MeanSquaredErrorBase {
  static readonly className = 'MeanSquaredError'
}

/**
 * |y − ŷ|, mean over the last axis.
 * @example losses.meanAbsoluteError([[1, 3]], [[2, 5]])   // [1.5]
 */
export function meanAbsoluteError(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.meanAbsoluteError', arguments, 2)
  return meanOver(abs(errors(yTrue, yPred)))
}

const MeanAbsoluteErrorBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(OfNumbers, meanAbsoluteError)

/**
 * |y − ŷ|
 * @example new losses.MeanAbsoluteError().apply([[1], [3]], [[2], [5]])   // 1.5
 */
export class MeanAbsoluteError extends MeanAbsoluteErrorBase {
  static readonly className = 'MeanAbsoluteError'
}

// ŷ − y
function errors(yTrue: TensorLike, yPred: TensorLike): Tensor {
  const [y, output] = floats(yTrue, yPred)
  return subtract(output, y)
}

/**
 * 100 · |y − ŷ| / max(|y|, 1e-7), in per cent; mean over the last axis. Targets of 0 make it very large.
 * @example losses.meanAbsolutePercentageError([[2, 4]], [[1, 5]])   // [37.5]
 */
export function meanAbsolutePercentageError(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.meanAbsolutePercentageError', arguments, 2)
  const [y, output] = floats(yTrue, yPred)
  return multiply(meanOver(abs(divide(subtract(y, output), maximum(abs(y), EPSILON)))), 100)
}

const MeanAbsolutePercentageErrorBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(
  OfNumbers,
  meanAbsolutePercentageError,
)

/**
 * 100 · |y − ŷ| / |y|, in per cent. Not for targets that may be 0.
 * @example new losses.MeanAbsolutePercentageError().apply([[2], [4]], [[1], [5]])   // 37.5
 */
export class MeanAbsolutePercentageError extends MeanAbsolutePercentageErrorBase {
  static readonly className = 'MeanAbsolutePercentageError'
}

/**
 * (ln(1 + y) − ln(1 + ŷ))², both at least 1e-7; mean over the last axis.
 * @example losses.meanSquaredLogarithmicError([[1, 100]], [[2, 110]])   // [0.08666]
 */
export function meanSquaredLogarithmicError(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.meanSquaredLogarithmicError', arguments, 2)
  const [target, prediction] = exactly(
    floats(yTrue, yPred).map((x) => log(add(maximum(x, EPSILON), 1))),
    2,
  )
  return meanOver(square(subtract(prediction, target)))
}

const MeanSquaredLogarithmicErrorBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(
  OfClippedAmounts,
  meanSquaredLogarithmicError,
)

/**
 * (ln(1 + y) − ln(1 + ŷ))², both at least 1e-7: relative errors, for numbers ≥ 0 of very different magnitudes. Targets below 0 warn.
 * @example new losses.MeanSquaredLogarithmicError().apply([[1], [100]], [[2], [110]])   // 0.08666
 */
export class MeanSquaredLogarithmicError extends MeanSquaredLogarithmicErrorBase {
  static readonly className = 'MeanSquaredLogarithmicError'
}

const huberOptions = {
  /** The error at which the loss changes from quadratic to linear. Default 1. */
  delta: option(number({ above: 0 }), 1),
}
export type HuberOptions = OptionInputs<typeof huberOptions>

/**
 * e = y − ŷ: ½e² where |e| ≤ delta, else delta·|e| − ½delta²; mean over the last axis. Huber 1964.
 * @example losses.huber([[0, 0]], [[0.5, 4]], { delta: 1 })   // [1.813]
 */
export function huber(yTrue: TensorLike, yPred: TensorLike, options: OptionInputs<typeof huberOptions> = {}): Tensor {
  const { delta } = optionsOf('huber', arguments, huberOptions, options)
  const error = errors(yTrue, yPred)
  const size = abs(error)
  const linear = subtract(multiply(size, delta), 0.5 * delta * delta)
  return meanOver(where(lessEqual(size, delta), multiply(square(error), 0.5), linear))
}

const HuberBase = (lossOf as LossInOrder<['delta', 'reduction', 'name', 'dtype']>)(OfNumbers, huber, huberOptions)

/**
 * Quadratic for errors up to delta, linear beyond: less sensitive to outliers.
 * @example new losses.Huber({ delta: 1 }).apply([[0], [0]], [[0.5], [4]])   // 1.813
 */
export class Huber extends HuberBase {
  static readonly className = 'Huber'
}

/**
 * ln cosh(ŷ − y), mean over the last axis: ½e² for small errors e, |e| − ln 2 for large ones.
 * @example losses.logCosh([[0, 0]], [[0.5, 4]])   // [1.714]
 */
export function logCosh(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.logCosh', arguments, 2)
  const error = errors(yTrue, yPred)
  // ln cosh e = e + ln(1 + e^(−2e)) − ln 2
  return meanOver(subtract(add(error, softplus(multiply(error, -2))), Math.LN2))
}

const LogCoshBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(OfNumbers, logCosh)

/**
 * ln cosh(ŷ − y): a smooth version of Huber.
 * @example new losses.LogCosh().apply([[0], [0]], [[0.5], [4]])   // 1.714
 */
export class LogCosh extends LogCoshBase {
  static readonly className = 'LogCosh'
}

export type CosineSimilarityOptions = OptionInputs<typeof cosineOptions>

/**
 * −Σ y·ŷ / (‖y‖ ‖ŷ‖) along an axis: −1 for equal directions, 0 for orthogonal vectors and for zeros.
 * @example losses.cosineSimilarity([[3, 4]], [[6, 8]])   // [-1]
 */
export function cosineSimilarity(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: OptionInputs<typeof cosineOptions> = {},
): Tensor {
  const { axis } = optionsOf('cosineSimilarity', arguments, cosineOptions, options)
  const [target, prediction] = floats(yTrue, yPred)
  const along = normalizeAxis('cosineSimilarity', axis, prediction.rank)
  const [y, output] = exactly(
    [target, prediction].map((x) => normalize(x, { axis: along })),
    2,
  )
  return negative(sum(multiply(y, output), { axis: along }))
}

const CosineSimilarityBase = (lossOf as LossInOrder<['axis', 'reduction', 'name', 'dtype']>)(
  OfNumbers,
  cosineSimilarity,
  cosineOptions,
)

/**
 * −Σ y·ŷ / (‖y‖ ‖ŷ‖): −1 for equal directions, 1 for opposite ones.
 * @example new losses.CosineSimilarity().apply([[3, 4]], [[6, 8]])   // -1
 */
export class CosineSimilarity extends CosineSimilarityBase {
  static readonly className = 'CosineSimilarity'
}

/**
 * ŷ − y ln(ŷ + 1e-7), mean over the last axis: −ln p of Poisson counts y with mean ŷ, without the constant ln y!.
 * @example losses.poisson([[2, 0]], [[1.5, 0.5]])   // [0.5945]
 */
export function poisson(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.poisson', arguments, 2)
  const [y, output] = floats(yTrue, yPred)
  return meanOver(subtract(output, multiply(y, log(add(output, EPSILON)))))
}

const PoissonBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(OfAmounts, poisson)

/**
 * ŷ − y ln ŷ: for counts y with expected value ŷ > 0.
 * @example new losses.Poisson().apply([[2], [0]], [[1.5], [0.5]])   // 0.5945
 */
export class Poisson extends PoissonBase {
  static readonly className = 'Poisson'
}
