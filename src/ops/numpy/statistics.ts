// Correlations and integrals of samples.

import { axis, operand, operandOrNull } from '../kinds'
import { arg, op, optional, unaryOp } from '../op'
import { ShapeError, formatShape } from '../../core/errors'
import { choice } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { matmul } from '../linalg/linalg'
import { conv } from '../nn/convolution'
import { sliceAlong } from './along'
import { asTensor, type TensorLike } from '../convert'
import { add, cast, clip, divide, multiply, sqrt, subtract } from './elementwise'
import { diagonal } from './diagonals'
import { pad } from './pad'
import { diff } from './rearrange'
import { mean, sum } from './reduce'
import { expandDims, flip, moveAxis, reshape, transpose } from './shape'
import type { Tensor } from '../tensor'

/**
 * The correlation coefficients of the rows of x [variables, samples], in float32: [variables, variables]; a scalar for one row
 * or a vector. NaN for a constant row.
 * @throws ShapeError for more than two axes
 */
export const corrcoef = unaryOp('corrcoef', (x) => {
  const value = cast(asTensor(x, 'corrcoef'), 'float32')
  if (value.rank > 2)
    throw new ShapeError(`corrcoef: expected [variables, samples], received ${formatShape(value.shape)}`)
  const rows = value.rank === 2 ? value : reshape(value, [1, value.size])
  const centered = subtract(rows, mean(rows, 1, true))
  const products = matmul(centered, transpose(centered))
  const lengths = sqrt(diagonal(products))
  const result = clip(divide(divide(products, expandDims(lengths, 1)), lengths), -1, 1)
  return rows.shape[0] === 1 ? reshape(result, []) : result
})

/** Which sums `correlate` returns. */
export type CorrelateMode = 'valid' | 'same' | 'full'

export const correlate = op(
  () => [arg('x1', operand), arg('x2', operand), optional('mode', choice('valid', 'same', 'full'))],
  {
    /**
     * The cross-correlation of two vectors, in float32: c[k] = Σ x1[n + k] · x2[n].
     * @param x1 [m] @param x2 [n]
     * @param mode `full`: all m + n − 1 sums with at least one product; `same`: max(m, n) of them, in the middle; `valid`: those in
     *   which the shorter vector is inside the longer one. Default valid.
     * @throws ShapeError for operands that are not vectors, or that are empty
     * @example ops.correlate([1, 2, 3], [0, 1])   // [2, 3]
     */
    correlate(x1, x2, mode = 'valid'): Tensor {
      const [left, right] = [cast(asTensor(x1, 'correlate'), 'float32'), cast(asTensor(x2, 'correlate'), 'float32')]
      if (left.rank !== 1 || right.rank !== 1 || left.size === 0 || right.size === 0)
        throw new ShapeError(
          `correlate: expected vectors with elements, received ${formatShape(left.shape)} and ${formatShape(right.shape)}`,
        )
      // Exchanging the operands reverses the result.
      return left.size < right.size ? flip(slid(right, left, mode)) : slid(left, right, mode)
    },
  },
)

/** Slides the shorter vector b over a and its neighbouring zeros. */
function slid(a: Tensor, b: Tensor, mode: CorrelateMode): Tensor {
  const beyond = b.size - 1
  const before = { valid: 0, same: Math.ceil(beyond / 2), full: beyond }[mode]
  const after = { valid: 0, same: Math.floor(beyond / 2), full: beyond }[mode]
  const long = pad(a, [[before, after]])
  const sums = conv(reshape(long, [1, long.size, 1]), reshape(b, [b.size, 1, 1]))
  return reshape(sums, [sums.size])
}

export const trapezoid = op(
  () => [arg('y', operand), optional('x', operandOrNull), optional('dx', operand), optional('axis', axis)],
  {
    /**
     * The integral along an axis by the trapezoidal rule, in float32: Σ (x[i + 1] − x[i]) · (y[i + 1] + y[i]) / 2.
     * @param x the places of the samples: a vector, or one place for each sample. Default null: they are dx apart.
     * @param dx the distances between samples if x is null. Default 1.
     * @param axis default −1
     * @throws ShapeError for an axis without elements
     * @example ops.trapezoid([1, 2, 3])   // 4
     */
    trapezoid(y, x = null, dx = 1, axis = -1): Tensor {
      const value = cast(asTensor(y, 'trapezoid'), 'float32')
      const at = normalizeAxis('trapezoid', axis, value.rank)
      const samples = moveAxis(value, at, -1)
      const [last, count] = [value.rank - 1, value.shape[at]!]
      if (count === 0) throw new ShapeError(`trapezoid: axis ${at} of ${formatShape(value.shape)} is empty`)
      const heights = add(sliceAlong(samples, last, 1, count - 1), sliceAlong(samples, last, 0, count - 1))
      const distances = x === null ? asTensor(dx, 'trapezoid') : distancesOf(x, at)
      return multiply(sum(multiply(heights, distances), -1), 0.5)
    },
  },
)

/** The distances of neighbouring places, along the last axis. */
function distancesOf(x: TensorLike, axis: number): Tensor {
  const places = cast(asTensor(x, 'trapezoid: x'), 'float32')
  return places.rank === 1 ? diff(places) : moveAxis(diff(places, 1, axis), axis, -1)
}
