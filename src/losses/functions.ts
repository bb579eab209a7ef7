// Losses as functions: targets and predictions [batch, …, n] → values [batch, …]. Keras's formulas.

import { broadcastShapes } from '../core/shapes'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { abs, add, cast, clip, divide, lessEqual, log, multiply, negative, softplus, square, subtract, where } from '../ops/elementwise'
import { mean, sum } from '../ops/reduce'
import { broadcastTo, oneHot, reshape } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import { apply, operandOf } from '../ops/trace'
import { alignRanks } from './loss'

/** Keeps logarithms of probabilities finite. */
const EPSILON = 1e-7

export interface CrossentropyOptions {
  /** The predictions are logits, not probabilities. Default false. */
  fromLogits?: boolean
  /** How far targets are moved towards the uniform distribution. Default 0. */
  labelSmoothing?: number
}

function floats(yTrue: TensorLike, yPred: TensorLike): [Tensor, Tensor] {
  return alignRanks(cast(asTensor(yTrue, 'yTrue'), 'float32'), cast(asTensor(yPred, 'yPred'), 'float32'))
}

function overLast(x: Tensor): Tensor {
  return x.rank === 0 ? x : mean(x, { axis: -1 })
}

/**
 * −(y ln p + (1−y) ln(1−p)), mean over the last axis. With logits x: softplus(x) − x·y, which is also used
 * for probabilities that come straight from a sigmoid.
 */
export function binaryCrossentropy(yTrue: TensorLike, yPred: TensorLike, { fromLogits = false, labelSmoothing = 0 }: CrossentropyOptions = {}): Tensor {
  const [target, output] = floats(yTrue, yPred)
  const y = labelSmoothing === 0 ? target : add(multiply(target, 1 - labelSmoothing), 0.5 * labelSmoothing)
  const logits = fromLogits ? output : operandOf(output, 'sigmoid')
  if (logits !== null) return overLast(subtract(softplus(logits), multiply(logits, y)))
  const p = clip(output, EPSILON, 1 - EPSILON)
  const value = add(multiply(y, log(p)), multiply(subtract(1, y), log(subtract(1, p))))
  return overLast(negative(value))
}

/** The logits behind probabilities that come straight from a softmax, or null. */
function logitsOf(output: Tensor, fromLogits: boolean): Tensor | null {
  return fromLogits ? output : operandOf(output, 'softmax')
}

/** ln p of the last axis, from probabilities that are clipped and normalised. */
function logProbabilities(output: Tensor): Tensor {
  const p = divide(output, sum(output, { axis: -1, keepDims: true }))
  return log(clip(p, EPSILON, 1 - EPSILON))
}

/** −Σ y ln p over the last axis, y a distribution over the classes. */
export function categoricalCrossentropy(yTrue: TensorLike, yPred: TensorLike, { fromLogits = false, labelSmoothing = 0 }: CrossentropyOptions = {}): Tensor {
  const target = cast(asTensor(yTrue, 'yTrue'), 'float32')
  const output = cast(asTensor(yPred, 'yPred'), 'float32')
  const classes = output.shape.at(-1)!
  const y = labelSmoothing === 0 ? target : add(multiply(target, 1 - labelSmoothing), labelSmoothing / classes)
  const logits = logitsOf(output, fromLogits)
  if (logits === null) return negative(sum(multiply(y, logProbabilities(output)), { axis: -1 }))
  const [x, t] = [logits, y].map((each) => broadcastTo(each, broadcastShapes('categoricalCrossentropy', [logits.shape, y.shape])))
  return apply('crossEntropy', [x!, t!], {})[0]!
}

/** −ln p[y], y the number of the class. yTrue [batch] or [batch, 1], yPred [batch, classes]. */
export function sparseCategoricalCrossentropy(yTrue: TensorLike, yPred: TensorLike, { fromLogits = false }: { fromLogits?: boolean } = {}): Tensor {
  const output = cast(asTensor(yPred, 'yPred'), 'float32')
  const classes = output.shape.at(-1)!
  const index = reshape(cast(asTensor(yTrue, 'yTrue'), 'int32'), output.shape.slice(0, -1))
  const logits = logitsOf(output, fromLogits)
  if (logits !== null) return apply('classCrossEntropy', [logits, index], {})[0]!
  return negative(sum(multiply(oneHot(index, classes), logProbabilities(output)), { axis: -1 }))
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
export function huber(yTrue: TensorLike, yPred: TensorLike, { delta = 1 }: { delta?: number } = {}): Tensor {
  const [y, output] = floats(yTrue, yPred)
  const error = subtract(output, y)
  const size = abs(error)
  const linear = subtract(multiply(size, delta), 0.5 * delta * delta)
  return overLast(where(lessEqual(size, delta), multiply(square(error), 0.5), linear))
}

