// Losses with a margin: right predictions cost nothing as soon as they are sure by 1. Targets and predictions [batch, …, n] →
// values [batch, …]. Keras's formulas.

import type { TensorLike } from '../ops/convert'
import { add, equal, logicalOr, maximum, multiply, square, subtract, where } from '../ops/elementwise'
import { all, max, sum } from '../ops/reduce'
import type { Tensor } from '../ops/tensor'
import { floats, meanOver } from './values'

/** max(1 − y·ŷ, 0), y −1 or 1; where all targets of a batch are 0 or 1, 0 stands for −1. */
function margins(yTrue: TensorLike, yPred: TensorLike): Tensor {
  const [y, output] = floats(yTrue, yPred)
  const isBinary = all(logicalOr(equal(y, 0), equal(y, 1)))
  const sign = where(isBinary, subtract(multiply(y, 2), 1), y)
  return maximum(subtract(1, multiply(sign, output)), 0)
}

/**
 * max(1 − y·ŷ, 0), mean over the last axis. Targets are −1 or 1; in a batch of 0 and 1 alone, 0 stands for −1.
 * @example losses.hinge([[1, -1]], [[0.25, 3]])   // [(0.75 + 4) / 2]
 */
export function hinge(yTrue: TensorLike, yPred: TensorLike): Tensor {
  return meanOver(margins(yTrue, yPred))
}

/**
 * max(1 − y·ŷ, 0)², mean over the last axis; targets as of hinge.
 * @example losses.squaredHinge([[1, -1]], [[0.5, -2]])   // [0.125]
 */
export function squaredHinge(yTrue: TensorLike, yPred: TensorLike): Tensor {
  return meanOver(square(margins(yTrue, yPred)))
}

/**
 * max(largest ŷ of the other classes − ŷ of the right one + 1, 0); y one-hot rows, the others count as (1 − y)·ŷ.
 * @example losses.categoricalHinge([[0, 1, 0]], [[0.4, 0.9, 0.1]])   // [0.5]
 */
export function categoricalHinge(yTrue: TensorLike, yPred: TensorLike): Tensor {
  const [y, output] = floats(yTrue, yPred)
  const right = sum(multiply(y, output), { axis: -1 })
  const other = max(multiply(subtract(1, y), output), { axis: -1 })
  return maximum(add(subtract(other, right), 1), 0)
}
