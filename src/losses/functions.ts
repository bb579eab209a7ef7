// Losses as functions: targets and predictions [batch, …, n] → values [batch, …]. Keras's formulas. Beside each function
// that has options stands their table; the classes in index.ts and the metrics have the same.

import type { InputsOf, ValuesOf } from '../core/options'
import { boolean, functionOptions, integer, nullable, number, option } from '../core/options'
import { broadcastShapes, normalizeAxis } from '../core/shapes'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { abs, add, cast, clip, divide, lessEqual, log, multiply, negative, notEqual, softplus, square, subtract, where } from '../ops/elementwise'
import { mean, sum } from '../ops/reduce'
import { broadcastTo, expandDims, moveAxis, oneHot, reshape } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import { apply, operandOf } from '../ops/trace'
import { alignRanks } from './weights'

/** Keeps logarithms of probabilities finite. */
const EPSILON = 1e-7

function floats(yTrue: TensorLike, yPred: TensorLike): [Tensor, Tensor] {
  return alignRanks(cast(asTensor(yTrue, 'yTrue'), 'float32'), cast(asTensor(yPred, 'yPred'), 'float32'))
}

function overLast(x: Tensor): Tensor {
  return x.rank === 0 ? x : mean(x, { axis: -1 })
}

/** The options of the cross-entropies with targets in [0, 1]. */
export const crossentropyOptions = {
  /** The predictions are logits, not probabilities. Default false. */
  fromLogits: option(boolean, false),
  /** How far targets are moved towards the uniform distribution. Default 0. */
  labelSmoothing: option(number({ min: 0, below: 1 }), 0),
  /** The axis of the classes; of the binary one, the axis over which the mean is taken. Default the last. */
  axis: option(integer(), -1),
}
export type CrossentropyOptions = InputsOf<typeof crossentropyOptions>

/** The options of the cross-entropy with class numbers as targets. */
export const sparseCrossentropyOptions = {
  /** The predictions are logits, not probabilities. Default false. */
  fromLogits: option(boolean, false),
  /** The number of a class whose samples do not count, such as −1 or 255 for "void". Default null. */
  ignoreClass: option(nullable(integer()), null),
  /** The axis of the classes. Default the last. */
  axis: option(integer(), -1),
}
export type SparseCrossentropyOptions = InputsOf<typeof sparseCrossentropyOptions>

export const huberOptions = {
  /** Where the loss goes over from squared to linear. Default 1. */
  delta: option(number({ above: 0 }), 1),
}
export type HuberOptions = InputsOf<typeof huberOptions>

/** What a function takes: the options as users write them, or an object that has their values. */
type Given<Table> = InputsOf<Table> | ValuesOf<Table>

/**
 * −(y ln p + (1−y) ln(1−p)), mean over the last axis. With logits x: softplus(x) − x·y, which is also used
 * for probabilities that come straight from a sigmoid.
 */
export function binaryCrossentropy(yTrue: TensorLike, yPred: TensorLike, options: Given<typeof crossentropyOptions> = {}): Tensor {
  const { fromLogits, labelSmoothing, axis } = functionOptions('binaryCrossentropy', crossentropyOptions, options)
  const [target, output] = floats(yTrue, yPred)
  const y = labelSmoothing === 0 ? target : add(multiply(target, 1 - labelSmoothing), 0.5 * labelSmoothing)
  const over = (x: Tensor): Tensor => (x.rank === 0 ? x : mean(x, { axis }))
  const logits = fromLogits ? output : operandOf(output, 'sigmoid')
  if (logits !== null) return over(subtract(softplus(logits), multiply(logits, y)))
  const p = clip(output, EPSILON, 1 - EPSILON)
  const value = add(multiply(y, log(p)), multiply(subtract(1, y), log(subtract(1, p))))
  return over(negative(value))
}

/**
 * The classes on the last axis: logits, given as such or found behind probabilities that come straight from a softmax; or
 * ln p, from probabilities that are clipped and normalised.
 * @param counts which samples count; the others may be anything, also no distribution
 */
function classScores(output: Tensor, axis: number, fromLogits: boolean, counts: Tensor | null = null): { logits: Tensor } | { logProbabilities: Tensor } {
  const isLast = normalizeAxis('crossentropy', axis, output.rank) === output.rank - 1
  const toLast = (x: Tensor): Tensor => (isLast ? x : moveAxis(x, axis, -1))
  const logits = fromLogits ? output : isLast ? operandOf(output, 'softmax') : null
  if (logits !== null) return { logits: toLast(logits) }
  const valid = counts === null ? output : where(expandDims(counts, axis), output, 1)
  const p = divide(valid, sum(valid, { axis, keepDims: true }))
  return { logProbabilities: toLast(log(clip(p, EPSILON, 1 - EPSILON))) }
}

/** −Σ y ln p over the axis of the classes, y a distribution over them. */
export function categoricalCrossentropy(yTrue: TensorLike, yPred: TensorLike, options: Given<typeof crossentropyOptions> = {}): Tensor {
  const { fromLogits, labelSmoothing, axis } = functionOptions('categoricalCrossentropy', crossentropyOptions, options)
  const target = cast(asTensor(yTrue, 'yTrue'), 'float32')
  const output = cast(asTensor(yPred, 'yPred'), 'float32')
  const classes = target.shape.at(-1)!
  const smooth = labelSmoothing === 0 ? target : add(multiply(target, 1 - labelSmoothing), labelSmoothing / classes)
  const scores = classScores(output, axis, fromLogits)
  const y = axis === -1 ? smooth : moveAxis(smooth, axis, -1)
  if ('logProbabilities' in scores) return negative(sum(multiply(y, scores.logProbabilities), { axis: -1 }))
  const shape = broadcastShapes('categoricalCrossentropy', [scores.logits.shape, y.shape])
  return apply('crossEntropy', [broadcastTo(scores.logits, shape), broadcastTo(y, shape)], {})[0]!
}

/** Which samples count: those whose class is not `ignoreClass`. Of the shape of the values. */
export function classMask(yTrue: Tensor, yPred: Tensor, { ignoreClass, axis }: { ignoreClass: number; axis: number }): Tensor {
  return notEqual(classNumbers(yTrue, yPred, axis), ignoreClass)
}

// One number for each output: yTrue may have an axis of 1 where the classes are.
function classNumbers(yTrue: Tensor, yPred: Tensor, axis: number): Tensor {
  const at = normalizeAxis('sparseCategoricalCrossentropy', axis, yPred.rank)
  return reshape(cast(yTrue, 'int32'), yPred.shape.filter((_, i) => i !== at))
}

/**
 * −ln p[y], y the number of the class; 0 for the class that is ignored. yTrue [batch] or [batch, 1], yPred
 * [batch, classes].
 */
export function sparseCategoricalCrossentropy(yTrue: TensorLike, yPred: TensorLike, options: Given<typeof sparseCrossentropyOptions> = {}): Tensor {
  const { fromLogits, ignoreClass, axis } = functionOptions('sparseCategoricalCrossentropy', sparseCrossentropyOptions, options)
  const output = cast(asTensor(yPred, 'yPred'), 'float32')
  const labels = classNumbers(asTensor(yTrue, 'yTrue'), output, axis)
  const counts = ignoreClass === null ? null : notEqual(labels, ignoreClass)
  // There is no class −1: its loss is 0, and so is its gradient.
  const index = counts === null ? labels : cast(where(counts, labels, -1), 'int32')
  const scores = classScores(output, axis, fromLogits, counts)
  if ('logits' in scores) return apply('classCrossEntropy', [scores.logits, index], {})[0]!
  return negative(sum(multiply(oneHot(index, output.shape.at(axis)!), scores.logProbabilities), { axis: -1 }))
}

/** (y − ŷ)², mean over the last axis. */
export function meanSquaredError(yTrue: TensorLike, yPred: TensorLike): Tensor {
  const [y, output] = floats(yTrue, yPred)
  return overLast(square(subtract(output, y)))
}

/** |y − ŷ|, mean over the last axis. */
export function meanAbsoluteError(yTrue: TensorLike, yPred: TensorLike): Tensor {
  const [y, output] = floats(yTrue, yPred)
  return overLast(abs(subtract(output, y)))
}

/** e = y − ŷ: ½e² where |e| ≤ delta, else delta·|e| − ½delta²; mean over the last axis. Huber 1964. */
export function huber(yTrue: TensorLike, yPred: TensorLike, options: Given<typeof huberOptions> = {}): Tensor {
  const { delta } = functionOptions('huber', huberOptions, options)
  const [y, output] = floats(yTrue, yPred)
  const error = subtract(output, y)
  const size = abs(error)
  const linear = subtract(multiply(size, delta), 0.5 * delta * delta)
  return overLast(where(lessEqual(size, delta), multiply(square(error), 0.5), linear))
}
