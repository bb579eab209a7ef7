// Counts of numbers, as sums of slices by index. For ops and layers.

import { ShapeError, formatShape } from '../../core/errors'
import { sameShape } from '../../core/shapes'
import { requireShape } from '../arguments'
import { asNumbers, asTensor, type TensorLike } from '../convert'
import { add, cast, greaterEqual, less, logicalAnd, where } from '../numpy/elementwise'
import { ravel } from '../numpy/rearrange'
import { arange, expandDims, full, reshape } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { apply, joined } from '../trace'

/** Combines updates with equal indices along the first axis. The arguments are the updates, their indices as in `take`, and the extent of the result. */
export type Scattered = (updates: Tensor, indices: Tensor, size: number) => Tensor

/** Sums. Indices below 0 count from the end, and slices whose index is outside are dropped. */
export const scatterSum: Scattered = (updates, indices, size) =>
  apply('scatterAdd', [updates, indices], { axis: 0, size })[0]!

/** An index that is outside every axis. */
export const OUTSIDE = -(2 ** 31)

/** Indices in which numbers below 0 are outside the axis instead of counting from its end. */
export const nonnegative = (indices: Tensor): Tensor => where(less(indices, 0), OUTSIDE, indices)

/** How often each of the numbers 0 … length − 1 occurs in x, or in each of its rows. */
export function countsOf(x: TensorLike, length: number, weights: TensorLike | null = null): Tensor {
  const value = cast(asTensor(x, 'bincount'), 'int32')
  if (value.rank !== 1 && value.rank !== 2)
    throw new ShapeError(`bincount: expected [n] or [batch, n], received ${formatShape(value.shape)}`)
  const batch = value.rank === 1 ? 1 : value.shape[0]!
  const shape = value.rank === 1 ? [length] : [batch, length]
  requireShape('bincount', [batch, length])
  const counted = weights === null ? full(value.shape, 1, 'int32') : asNumbers(weights, 'bincount')
  if (!sameShape(counted.shape, value.shape))
    throw new ShapeError(
      `bincount: expected weights of shape ${formatShape(value.shape)}, received ${formatShape(counted.shape)}`,
    )
  if (length === 0) return full(shape, 0, counted.dtype)
  return joined(`bincount ${length}`, [value, counted], ([flat, weight]) => {
    const rows = reshape(flat!, [batch, value.size / Math.max(batch, 1)])
    if (batch === 1) return reshape(scatterSum(ravel(weight!), nonnegative(ravel(rows)), length), shape)
    const isInside = logicalAnd(greaterEqual(rows, 0), less(rows, length))
    const places = where(isInside, add(rows, expandDims(arange(0, batch * length, length, 'int32'), 1)), OUTSIDE)
    return reshape(scatterSum(ravel(weight!), ravel(places), batch * length), shape)
  })
}
