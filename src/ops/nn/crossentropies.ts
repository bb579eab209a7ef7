// Cross-entropies as ops: those of losses, without reduction of the samples, label smoothing or ignored classes.

import { ShapeError, formatShape } from '../../core/errors'
import { boolean } from '../../core/options'
import { normalizeAxis, sameShape } from '../../core/shapes'
import { asTensor, type TensorLike } from '../convert'
import { axis, operand } from '../kinds'
import { add, cast, clip, divide, log, multiply, negative, softplus, subtract } from '../numpy/elementwise'
import { sum } from '../numpy/reduce'
import { moveAxis, reshape } from '../numpy/shape'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'
import { logSoftmax } from './activations'
import { oneHotOrZeros } from './one-hot'

/** Keeps logarithms finite: `backend.epsilon()` of Keras. */
const EPSILON = 1e-7

export interface BinaryCrossentropyOptions {
  /** Whether `output` contains logits instead of probabilities. Default false. */
  readonly fromLogits?: boolean
}

export interface CrossentropyOptions extends BinaryCrossentropyOptions {
  /** The axis of the classes. Default −1. */
  readonly axis?: number
}

const binaryParameters = () =>
  [arg('target', operand), arg('output', operand), optional('fromLogits', boolean)] as const

const classParameters = () => [...binaryParameters(), optional('axis', axis)] as const

function operands(where: string, target: TensorLike, output: TensorLike): [Tensor, Tensor] {
  const [y, p] = [cast(asTensor(target, where), 'float32'), cast(asTensor(output, where), 'float32')]
  if (sameShape(y.shape, p.shape)) return [y, p]
  throw new ShapeError(
    `${where}: target and output must have the same shape, received ${formatShape(y.shape)} and ${formatShape(p.shape)}`,
  )
}

export const binaryCrossentropy = op(binaryParameters, {
  /**
   * −(y ln p + (1 − y) ln(1 − p)), element by element, with p clipped to [1e-7, 1 − 1e-7]; of logits −(y ln σ(x) + (1 − y) ln
   * σ(−x)). Keras: `keras.ops.binary_crossentropy`.
   * @param target y between 0 and 1
   * @param output probabilities p or logits x, in the shape of `target`
   * @param fromLogits whether `output` contains logits. Default false
   * @throws ShapeError for operands of different shapes
   * @example ops.binaryCrossentropy([1, 0], [0.9, 0.2])   // [0.1054, 0.2231]
   */
  binaryCrossentropy(target, output, fromLogits = false): Tensor {
    const [y, x] = operands('binaryCrossentropy', target, output)
    const rest = subtract(1, y)
    if (fromLogits) return add(multiply(y, softplus(negative(x))), multiply(rest, softplus(x)))
    const p = clip(x, EPSILON, 1 - EPSILON)
    return negative(add(multiply(y, log(p)), multiply(rest, log(subtract(1, p)))))
  },
})

/** ln p along the axis of the classes. */
function logProbabilities(output: Tensor, fromLogits: boolean, axis: number): Tensor {
  if (fromLogits) return logSoftmax(output, axis)
  return log(clip(divide(output, sum(output, axis, true)), EPSILON, 1 - EPSILON))
}

/** @throws ShapeError for a scalar */
function classAxis(where: string, output: Tensor, axis: number): number {
  if (output.rank === 0) throw new ShapeError(`${where}: output must have an axis of classes, received a scalar`)
  return normalizeAxis(where, axis, output.rank)
}

export const categoricalCrossentropy = op(classParameters, {
  /**
   * −Σ y ln p over the classes. Probabilities are divided by their sum and clipped to [1e-7, 1 − 1e-7]. Keras:
   * `keras.ops.categorical_crossentropy`.
   * @param target y, distributions such as one-hot rows
   * @param output probabilities or logits, in the shape of `target`
   * @param fromLogits whether `output` contains logits. Default false
   * @param axis the axis of the classes. Default −1
   * @returns the shape without the axis of the classes
   * @throws ShapeError for operands of different shapes
   * @example ops.categoricalCrossentropy([[0, 1, 0]], [[0.1, 0.7, 0.2]])   // [0.3567]
   */
  categoricalCrossentropy(target, output, fromLogits = false, axis = -1): Tensor {
    const where = 'categoricalCrossentropy'
    const [y, x] = operands(where, target, output)
    const at = classAxis(where, x, axis)
    return negative(sum(multiply(y, logProbabilities(x, fromLogits, at)), at))
  },
})

export const sparseCategoricalCrossentropy = op(classParameters, {
  /**
   * −ln p[y] for class numbers y; 0 for a number that is not a class. Probabilities are divided by their sum and clipped to [1e-7,
   * 1 − 1e-7]. Keras: `keras.ops.sparse_categorical_crossentropy`.
   * @param target class numbers in the shape of `output` without the axis of the classes, or with a last axis of 1
   * @param output probabilities or logits
   * @param fromLogits whether `output` contains logits. Default false
   * @param axis the axis of the classes. Default −1
   * @returns the shape without the axis of the classes
   * @throws ShapeError for targets of another shape
   * @example ops.sparseCategoricalCrossentropy([1], [[0.1, 0.7, 0.2]])   // [0.3567]
   */
  sparseCategoricalCrossentropy(target, output, fromLogits = false, axis = -1): Tensor {
    const where = 'sparseCategoricalCrossentropy'
    const [y, x] = [cast(asTensor(target, where), 'int32'), cast(asTensor(output, where), 'float32')]
    const at = classAxis(where, x, axis)
    const shape = x.shape.filter((_, i) => i !== at)
    const labels = y.rank === x.rank && y.shape.at(-1) === 1 ? y.shape.slice(0, -1) : y.shape
    if (!sameShape(labels, shape))
      throw new ShapeError(
        `${where}: target must be class numbers ${formatShape(shape)} for the output ${formatShape(x.shape)}, received ${formatShape(y.shape)}`,
      )
    const wanted = moveAxis(oneHotOrZeros(reshape(y, shape), x.shape[at]!), -1, at)
    return negative(sum(multiply(wanted, logProbabilities(x, fromLogits, at)), at))
  },
})
