// Distances between vectors, and ranks of predictions.

import { operand, whole } from '../kinds'
import { arg, op } from '../op'
import { ShapeError, formatShape } from '../../core/errors'
import { asTensor } from '../convert'
import { readIndices } from '../numpy/along'
import { add, cast, isnan, less, lessEqual, sqrt, square, subtract, where } from '../numpy/elementwise'
import { takeAlongAxis } from '../numpy/rearrange'
import { sum } from '../numpy/reduce'
import { expandDims } from '../numpy/shape'
import type { Tensor } from '../tensor'

export const cdist = op(() => [arg('x', operand), arg('y', operand)], {
  /**
   * The distances √Σ (x − y)² of each vector of x from each of y, in float32. The gradient at the distance 0 is NaN.
   * @param x [… m,d] @param y [… n,d]; leading axes broadcast
   * @returns [… m,n]
   * @throws ShapeError for vectors of different lengths
   * @example ops.cdist([[0, 0]], [[3, 4], [0, 1]])   // [[5, 1]]
   */
  cdist(x, y): Tensor {
    const [left, right] = [cast(asTensor(x, 'cdist'), 'float32'), cast(asTensor(y, 'cdist'), 'float32')]
    if (left.rank < 2 || right.rank < 2 || left.shape.at(-1) !== right.shape.at(-1))
      throw new ShapeError(
        `cdist: expected vectors of one length [… m,d] and [… n,d], received ${formatShape(left.shape)} and ${formatShape(right.shape)}`,
      )
    return sqrt(sum(square(subtract(expandDims(left, -2), expandDims(right, -3))), -1))
  },
})

export const inTopK = op(() => [arg('targets', operand), arg('predictions', operand), arg('k', whole())], {
  /**
   * Whether fewer than k predictions are larger than that of the target, as bool. A prediction of NaN for the target counts as −∞.
   * @param targets […], the classes @param predictions [… classes]
   * @throws DataError for a class outside the predictions, when the targets are data; ShapeError for targets that do not fit
   * @example ops.inTopK([1], [[0.2, 0.5, 0.3]], 1)   // [true]
   */
  inTopK(targets, predictions, k): Tensor {
    const [target, scores] = [asTensor(targets, 'inTopK'), cast(asTensor(predictions, 'inTopK'), 'float32')]
    const classes = scores.shape.at(-1) ?? 0
    const fits =
      scores.rank === target.rank + 1 &&
      target.shape.every((extent, i) => extent === scores.shape[i] || extent === 1 || scores.shape[i] === 1) &&
      (classes > 0 || target.size === 0)
    if (!fits)
      throw new ShapeError(
        `inTopK: expected targets […] and predictions [… classes], received ${formatShape(target.shape)} and ${formatShape(scores.shape)}`,
      )
    const score = takeAlongAxis(scores, expandDims(readIndices('inTopK', target, classes), -1), -1)
    const rank = add(sum(less(where(isnan(score), -Infinity, score), scores), -1), 1)
    return lessEqual(rank, k)
  },
})
