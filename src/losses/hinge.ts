// Losses with a margin: correct predictions have loss 0 if their margin is at least 1. As functions from targets and
// predictions [batch, …, n] to values [batch, …], and as classes. Keras's formulas.

import { requireArguments } from '../core/arguments'
import type { TensorLike } from '../ops/convert'
import { add, equal, logicalOr, maximum, multiply, square, subtract, where } from '../ops/numpy/elementwise'
import { all, max, sum } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import { OfDistributions, OfSigns } from './kinds'
import { lossOf, type LossInOrder } from './loss'
import { floats, meanOver } from './values'

/** max(1 − y·ŷ, 0) for y = ±1; if all targets of a batch are 0 or 1, 0 means −1. */
function margins(yTrue: TensorLike, yPred: TensorLike): Tensor {
  const [y, output] = floats(yTrue, yPred)
  const isBinary = all(logicalOr(equal(y, 0), equal(y, 1)))
  const sign = where(isBinary, subtract(multiply(y, 2), 1), y)
  return maximum(subtract(1, multiply(sign, output)), 0)
}

/**
 * max(1 − y·ŷ, 0), mean over the last axis. Targets are −1 or 1; in a batch of only 0 and 1, 0 means −1.
 * @example losses.hinge([[1, -1]], [[0.25, 3]])   // [(0.75 + 4) / 2]
 */
export function hinge(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.hinge', arguments, 2)
  return meanOver(margins(yTrue, yPred))
}

const HingeBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(OfSigns, hinge)

/**
 * max(1 − y·ŷ, 0) of targets −1 and 1, or 0 and 1.
 * @example new losses.Hinge().apply([[1], [-1]], [[0.5], [-2]])   // 0.25
 */
export class Hinge extends HingeBase {
  static readonly className = 'Hinge'
}

/**
 * max(1 − y·ŷ, 0)², mean over the last axis; targets as for hinge.
 * @example losses.squaredHinge([[1, -1]], [[0.5, -2]])   // [0.125]
 */
export function squaredHinge(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.squaredHinge', arguments, 2)
  return meanOver(square(margins(yTrue, yPred)))
}

const SquaredHingeBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(OfSigns, squaredHinge)

/**
 * max(1 − y·ŷ, 0)² of targets −1 and 1, or 0 and 1.
 * @example new losses.SquaredHinge().apply([[1], [-1]], [[0.5], [-2]])   // 0.125
 */
export class SquaredHinge extends SquaredHingeBase {
  static readonly className = 'SquaredHinge'
}

/**
 * max(largest ŷ of the other classes − ŷ of the right one + 1, 0); y are one-hot rows, the others are (1 − y)·ŷ.
 * @example losses.categoricalHinge([[0, 1, 0]], [[0.4, 0.9, 0.1]])   // [0.5]
 */
export function categoricalHinge(yTrue: TensorLike, yPred: TensorLike): Tensor {
  requireArguments('losses.categoricalHinge', arguments, 2)
  const [y, output] = floats(yTrue, yPred)
  const right = sum(multiply(y, output), { axis: -1 })
  const other = max(multiply(subtract(1, y), output), -1)
  return maximum(add(subtract(other, right), 1), 0)
}

const CategoricalHingeBase = (lossOf as LossInOrder<['reduction', 'name', 'dtype']>)(OfDistributions, categoricalHinge)

/**
 * max(1 + the largest other score − the score of the right class, 0); one-hot targets.
 * @example new losses.CategoricalHinge().apply([[0, 1, 0]], [[0.4, 0.9, 0.1]])   // 0.5
 */
export class CategoricalHinge extends CategoricalHingeBase {
  static readonly className = 'CategoricalHinge'
}
