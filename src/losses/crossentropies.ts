// Losses between distributions, as functions from targets and predictions [batch, …, classes] to values [batch, …], and as
// classes. Keras's formulas.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ShapeError, quoted } from '../core/errors'
import { boolean, either, listOf, number, option, type OptionInputs, type ValuesOf } from '../core/options'
import { broadcastShapes, normalizeAxis, type Shape } from '../core/shapes'
import { exactly } from '../core/tuples'
import { logSoftmax } from '../ops/nn/activations'
import { asTensor, type TensorLike } from '../ops/convert'
import {
  add,
  cast,
  clip,
  divide,
  exp,
  log,
  multiply,
  negative,
  notEqual,
  power,
  sigmoid,
  softplus,
  subtract,
  where,
} from '../ops/numpy/elementwise'
import { sum } from '../ops/numpy/reduce'
import { oneHotOrZeros } from '../ops/nn/one-hot'
import { broadcastTo, expandDims, moveAxis } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'
import { apply, operandOf } from '../ops/trace'
import { OfClassNumbers, OfDistributions, OfFractions } from './kinds'
import { lossOf, type Counted, type LossInOrder } from './loss'
import { crossentropyOptions, sparseCrossentropyOptions } from './options'
import { EPSILON, classMask, classNumbers, floats, meanOver, optionsOf } from './values'
import { bothMasks } from './sample-weights'

export type CrossentropyOptions = OptionInputs<typeof crossentropyOptions>

export type SparseCrossentropyOptions = OptionInputs<typeof sparseCrossentropyOptions>

/**
 * −(y ln p + (1−y) ln(1−p)), mean over the last axis. With logits x: softplus(x) − x·y, which is also used for
 * probabilities that are the direct result of a sigmoid.
 * @example losses.binaryCrossentropy([[1, 0]], [[0.9, 0.2]])   // [0.1643]
 */
export function binaryCrossentropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: OptionInputs<typeof crossentropyOptions> = {},
): Tensor {
  const { fromLogits, labelSmoothing, axis } = optionsOf('binaryCrossentropy', arguments, crossentropyOptions, options)
  const [target, output] = floats(yTrue, yPred)
  return meanOver(binaryEntropies(smoothed(target, labelSmoothing, 2), output, fromLogits), axis)
}

const BinaryCrossentropyBase = (
  lossOf as LossInOrder<['fromLogits', 'labelSmoothing', 'axis', 'reduction', 'name', 'dtype']>
)(OfFractions, binaryCrossentropy, crossentropyOptions)

/**
 * Cross-entropy of binary targets: −(y ln p + (1−y) ln(1−p)).
 * @example new losses.BinaryCrossentropy().apply([1, 0], [0.9, 0.2])   // 0.1643
 */
export class BinaryCrossentropy extends BinaryCrossentropyBase {
  static readonly className = 'BinaryCrossentropy'
}

/** y·(1 − s) + s / n: targets smoothed towards 1/n. */
function smoothed(y: Tensor, smoothing: number, n: number): Tensor {
  return smoothing === 0 ? y : add(multiply(y, 1 - smoothing), smoothing / n)
}

/** −(y ln p + (1−y) ln(1−p)), element by element. */
function binaryEntropies(y: Tensor, output: Tensor, fromLogits: boolean): Tensor {
  const logits = fromLogits ? output : operandOf(output, 'sigmoid')
  if (logits !== null) return subtract(softplus(logits), multiply(logits, y))
  const p = clip(output, EPSILON, 1 - EPSILON)
  return negative(mixed(y, log(p), log(subtract(1, p))))
}

/** y·a + (1 − y)·b */
function mixed(y: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  return add(multiply(y, a), multiply(subtract(1, y), b))
}

const focusing = {
  /**
   * The exponent of (1 − p)^gamma, which reduces the weight of confident correct predictions. 0 disables it. Default 2.
   */
  gamma: option(number({ min: 0 }), 2),
}

/** The options of the binary focal cross-entropy. */
const binaryFocalOptions = merged(
  {
    /** Whether the classes 1 and 0 are weighted by alpha and 1 − alpha. Default false. */
    applyClassBalancing: option(boolean, false),
    /** The weight of class 1; that of class 0 is 1 − alpha. Default 0.25. */
    alpha: option(number({ min: 0, max: 1 }), 0.25),
  },
  focusing,
  crossentropyOptions,
)
export type BinaryFocalOptions = OptionInputs<typeof binaryFocalOptions>

/**
 * (1 − pₜ)^gamma · −(y ln p + (1−y) ln(1−p)), pₜ = y·p + (1−y)(1−p), mean over the last axis; with class balancing,
 * times alpha for class 1 and 1 − alpha for class 0. Lin et al. 2017.
 * @example losses.binaryFocalCrossentropy([[1, 0]], [[0.9, 0.2]], { gamma: 2 })   // [0.00499]
 */
export function binaryFocalCrossentropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: OptionInputs<typeof binaryFocalOptions> = {},
): Tensor {
  const settings = optionsOf('binaryFocalCrossentropy', arguments, binaryFocalOptions, options)
  const { applyClassBalancing, alpha, gamma, fromLogits, labelSmoothing, axis } = settings
  const [target, output] = floats(yTrue, yPred)
  const y = smoothed(target, labelSmoothing, 2)
  const p = fromLogits ? sigmoid(output) : output
  const focused = multiply(
    power(subtract(1, mixed(y, p, subtract(1, p))), gamma),
    binaryEntropies(y, output, fromLogits),
  )
  return meanOver(applyClassBalancing ? multiply(mixed(y, alpha, 1 - alpha), focused) : focused, axis)
}

const BinaryFocalCrossentropyBase = (
  lossOf as LossInOrder<
    ['applyClassBalancing', 'alpha', 'gamma', 'fromLogits', 'labelSmoothing', 'axis', 'reduction', 'name', 'dtype']
  >
)(OfFractions, binaryFocalCrossentropy, binaryFocalOptions)

/**
 * Binary cross-entropy that gives less weight to confident correct predictions: (1 − pₜ)^gamma times that of
 * BinaryCrossentropy. For imbalanced targets. Lin et al. 2017.
 * @example new losses.BinaryFocalCrossentropy({ gamma: 2 }).apply([1, 0], [0.9, 0.2])   // 0.00499
 */
export class BinaryFocalCrossentropy extends BinaryFocalCrossentropyBase {
  static readonly className = 'BinaryFocalCrossentropy'
}

/**
 * The class scores on the last axis. They are logits if the output has them or is a softmax of them; otherwise ln p of the probabilities,
 * clipped and normalised.
 * @param counts which samples count; the others need not be distributions
 */
function classScores(
  output: Tensor,
  axis: number,
  fromLogits: boolean,
  counts: Tensor | null = null,
): { logits: Tensor } | { logProbabilities: Tensor } {
  const isLast = normalizeAxis('crossentropy', axis, output.rank) === output.rank - 1
  const toLast = (x: Tensor): Tensor => (isLast ? x : moveAxis(x, axis, -1))
  const ofSoftmax = isLast ? operandOf(output, 'softmax') : null
  const logits = fromLogits ? output : ofSoftmax
  if (logits !== null) return { logits: toLast(logits) }
  const valid = counts === null ? output : where(expandDims(counts, axis), output, 1)
  const p = divide(valid, sum(valid, { axis, keepDims: true }))
  return { logProbabilities: toLast(log(clip(p, EPSILON, 1 - EPSILON))) }
}

/** The scores of the classes, and the targets in the same layout. */
function categorical(
  yTrue: TensorLike,
  yPred: TensorLike,
  { fromLogits, labelSmoothing, axis }: ValuesOf<typeof crossentropyOptions>,
) {
  const target = cast(asTensor(yTrue, 'yTrue'), 'float32')
  const scores = classScores(cast(asTensor(yPred, 'yPred'), 'float32'), axis, fromLogits)
  const y = smoothed(target, labelSmoothing, target.shape.at(-1)!)
  return { scores, y: axis === -1 ? y : moveAxis(y, axis, -1) }
}

/**
 * −Σ y ln p over the class axis, for a distribution y.
 * @example losses.categoricalCrossentropy([[0, 1, 0]], [[0.1, 0.7, 0.2]])   // [0.3567]
 */
export function categoricalCrossentropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: OptionInputs<typeof crossentropyOptions> = {},
): Tensor {
  const { scores, y } = categorical(
    yTrue,
    yPred,
    optionsOf('categoricalCrossentropy', arguments, crossentropyOptions, options),
  )
  if ('logProbabilities' in scores) return negative(sum(multiply(y, scores.logProbabilities), { axis: -1 }))
  const shape = broadcastShapes('categoricalCrossentropy', [scores.logits.shape, y.shape])
  return apply('crossEntropy', [broadcastTo(scores.logits, shape), broadcastTo(y, shape)], {})[0]!
}

const CategoricalCrossentropyBase = (
  lossOf as LossInOrder<['fromLogits', 'labelSmoothing', 'axis', 'reduction', 'name', 'dtype']>
)(OfDistributions, categoricalCrossentropy, crossentropyOptions)

/**
 * Cross-entropy of distributions over classes (one-hot rows): −Σ y ln p.
 * @example new losses.CategoricalCrossentropy().apply([[0, 1, 0]], [[0.1, 0.7, 0.2]])   // 0.3567
 */
export class CategoricalCrossentropy extends CategoricalCrossentropyBase {
  static readonly className = 'CategoricalCrossentropy'

  /** @internal */
  override get relatesClasses(): boolean {
    return this.axis === -1 && this.call === CategoricalCrossentropy.prototype.call
  }
}

/** The options of the categorical focal cross-entropy. */
const categoricalFocalOptions = merged(
  {
    /** One weight for all classes, or a list with one per class. Default 0.25. */
    alpha: option(either(listOf(number({ min: 0 })), number({ min: 0 }), Array.isArray), 0.25),
  },
  focusing,
  crossentropyOptions,
)
export type CategoricalFocalOptions = OptionInputs<typeof categoricalFocalOptions>

/**
 * −Σ alpha · (1 − p)^gamma · y ln p over the class axis. Lin et al. 2017.
 * @example losses.categoricalFocalCrossentropy([[0, 1, 0]], [[0.1, 0.7, 0.2]], { alpha: 0.5 })   // [0.01605]
 */
export function categoricalFocalCrossentropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: OptionInputs<typeof categoricalFocalOptions> = {},
): Tensor {
  const settings = optionsOf('categoricalFocalCrossentropy', arguments, categoricalFocalOptions, options)
  const { scores, y } = categorical(yTrue, yPred, settings)
  const { alpha, gamma } = settings
  const classes = y.shape.at(-1)!
  if (typeof alpha !== 'number' && alpha.length !== 1 && alpha.length !== classes) {
    throw new ShapeError(
      `categoricalFocalCrossentropy: alpha must have a weight for each of ${classes} classes, received ${quoted(alpha)}`,
    )
  }
  const logP = 'logits' in scores ? logSoftmax(scores.logits) : scores.logProbabilities
  const weight = multiply(power(subtract(1, exp(logP)), gamma), alpha)
  return negative(sum(multiply(weight, multiply(y, logP)), { axis: -1 }))
}

const CategoricalFocalCrossentropyBase = (
  lossOf as LossInOrder<['alpha', 'gamma', 'fromLogits', 'labelSmoothing', 'axis', 'reduction', 'name', 'dtype']>
)(OfDistributions, categoricalFocalCrossentropy, categoricalFocalOptions)

/**
 * Cross-entropy of distributions that gives less weight to confident correct predictions: −Σ alpha·(1 − p)^gamma·y ln
 * p. Lin et al. 2017.
 * @example new losses.CategoricalFocalCrossentropy({ alpha: [0.2, 0.5, 0.3] }).apply([[0, 1, 0]], [[0.1, 0.7, 0.2]])   // 0.01605
 */
export class CategoricalFocalCrossentropy extends CategoricalFocalCrossentropyBase {
  static readonly className = 'CategoricalFocalCrossentropy'

  /** @internal */
  override get relatesClasses(): boolean {
    return this.axis === -1 && this.call === CategoricalFocalCrossentropy.prototype.call
  }
}

/**
 * −ln p[y] for the class number y; 0 for the ignored class. yTrue [batch] or [batch, 1], yPred [batch, classes].
 * @example losses.sparseCategoricalCrossentropy([1], [[0, 2, 1]], { fromLogits: true })   // [0.4076]
 */
export function sparseCategoricalCrossentropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: OptionInputs<typeof sparseCrossentropyOptions> = {},
): Tensor {
  const { fromLogits, ignoreClass, axis } = optionsOf(
    'sparseCategoricalCrossentropy',
    arguments,
    sparseCrossentropyOptions,
    options,
  )
  const output = cast(asTensor(yPred, 'yPred'), 'float32')
  const labels = classNumbers(asTensor(yTrue, 'yTrue'), output, axis)
  const counts = ignoreClass === null ? null : notEqual(labels, ignoreClass)
  // Ignored samples get the class −1. It does not exist, so their loss and gradient are 0.
  const index = counts === null ? labels : cast(where(counts, labels, -1), 'int32')
  const scores = classScores(output, axis, fromLogits, counts)
  if ('logits' in scores) return apply('classCrossEntropy', [scores.logits, index], {})[0]!
  return negative(sum(multiply(oneHotOrZeros(index, output.shape.at(axis)!), scores.logProbabilities), { axis: -1 }))
}

const SparseCategoricalCrossentropyBase = lossOf(
  OfClassNumbers,
  sparseCategoricalCrossentropy,
  sparseCrossentropyOptions,
  ['fromLogits', 'ignoreClass', 'reduction'],
)

/**
 * Cross-entropy of class numbers: −ln p[y].
 * @example new losses.SparseCategoricalCrossentropy({ fromLogits: true }).apply([1], [[0, 2, 1]])   // 0.4076
 */
export class SparseCategoricalCrossentropy extends SparseCategoricalCrossentropyBase {
  static readonly className = 'SparseCategoricalCrossentropy'

  /** @internal */
  override get relatesClasses(): boolean {
    return this.axis === -1 && this.call === SparseCategoricalCrossentropy.prototype.call
  }

  protected override counted(yTrue: Tensor, yPred: Tensor, mask: Tensor | undefined): Counted {
    const { ignoreClass, axis } = this
    return {
      values: this.call(yTrue, yPred),
      mask: bothMasks(mask, ignoreClass === null ? undefined : classMask(yTrue, yPred, { ignoreClass, axis })),
    }
  }

  protected override classAxis(outputShape: Shape): number {
    return normalizeAxis(this.name, this.axis, outputShape.length)
  }

  protected override ignored(): number | null {
    return this.ignoreClass
  }
}

/** The options of the generalized cross-entropy. */
const generalizedOptions = {
  /**
   * For small q the loss is close to the cross-entropy; for q near 1, to the mean absolute error, which is robust to wrong labels.
   * Default 0.5.
   */
  q: option(number({ above: 0, below: 1 }), 0.5),
}
export type GeneralizedCrossEntropyOptions = OptionInputs<typeof generalizedOptions>

/**
 * (1 − p[y]^q) / q for the class number y and probabilities p. Zhang & Sabuncu 2018.
 * @example losses.categoricalGeneralizedCrossEntropy([1], [[0.1, 0.7, 0.2]])   // [0.3267]
 */
export function categoricalGeneralizedCrossEntropy(
  yTrue: TensorLike,
  yPred: TensorLike,
  options: OptionInputs<typeof generalizedOptions> = {},
): Tensor {
  const { q } = optionsOf('categoricalGeneralizedCrossEntropy', arguments, generalizedOptions, options)
  const p = cast(asTensor(yPred, 'yPred'), 'float32')
  const index = classNumbers(asTensor(yTrue, 'yTrue'), p, -1)
  const probability = sum(multiply(oneHotOrZeros(index, p.shape.at(-1)!), p), { axis: -1 })
  return divide(subtract(1, power(probability, q)), q)
}

const CategoricalGeneralizedCrossEntropyBase = (lossOf as LossInOrder<['q', 'reduction', 'name', 'dtype']>)(
  OfClassNumbers,
  categoricalGeneralizedCrossEntropy,
  generalizedOptions,
)

/**
 * (1 − p[y]^q) / q of class numbers: between the cross-entropy and the mean absolute error, so that it is robust to
 * wrong labels. Predictions are probabilities. Zhang & Sabuncu 2018.
 * @example new losses.CategoricalGeneralizedCrossEntropy({ q: 0.5 }).apply([1], [[0.1, 0.7, 0.2]])   // 0.3267
 */
export class CategoricalGeneralizedCrossEntropy extends CategoricalGeneralizedCrossEntropyBase {
  static readonly className = 'CategoricalGeneralizedCrossEntropy'
}

/**
 * Σ y ln(y / ŷ) over the last axis, both clipped to [1e-7, 1]: the extra nats needed to encode y with a code for ŷ.
 * Kullback & Leibler 1951.
 * @example losses.klDivergence([[0.5, 0.5]], [[0.9, 0.1]])   // [0.5108]
 */
export function klDivergence(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.klDivergence', arguments, 2)
  const [y, output] = exactly(
    floats(yTrue, yPred).map((x) => clip(x, EPSILON, 1)),
    2,
  )
  return sum(multiply(y, log(divide(y, output))), { axis: -1 })
}

const KLDivergenceBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(OfFractions, klDivergence)

/**
 * Σ y ln(y / ŷ): the divergence of the distribution ŷ from y.
 * @example new losses.KLDivergence().apply([[0.5, 0.5]], [[0.9, 0.1]])   // 0.5108
 */
export class KLDivergence extends KLDivergenceBase {
  static readonly className = 'KLDivergence'
}
