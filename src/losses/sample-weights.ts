// Broadcasts sample weights and masks to values, and computes weighted means, for losses and metrics. Follows
// keras/src/losses/loss.py.

import { requireArguments } from '../core/arguments'
import { ShapeError, formatShape } from '../core/errors'
import { cast, divide, equal, logicalAnd, multiply, where } from '../ops/numpy/elementwise'
import { mean, sum } from '../ops/numpy/reduce'
import { expandDims, full, squeeze } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'

/**
 * sumOverBatchSize, mean: the mean of all values. meanWithSampleWeight: their sum, divided by the sum of the weights.
 * sum: their sum. none: the values themselves.
 */
export type Reduction = 'sumOverBatchSize' | 'mean' | 'meanWithSampleWeight' | 'sum' | 'none'

/**
 * Makes two ranks equal if they differ only by a last axis of extent 1: targets [batch] match predictions [batch, 1].
 *
 * Keras: `squeeze_or_expand_to_same_rank`.
 */
export function alignRanks(a: Tensor, b: Tensor): [Tensor, Tensor] {
  if (a.rank === b.rank + 1 && a.shape.at(-1) === 1) return b.rank === 1 ? [a, expandDims(b, -1)] : [squeeze(a, -1), b]
  if (b.rank === a.rank + 1 && b.shape.at(-1) === 1) return a.rank === 1 ? [expandDims(a, -1), b] : [a, squeeze(b, -1)]
  return [a, b]
}

/**
 * Reshapes weights of the first axes for broadcasting: values [batch, a, b], weights [batch] → weights [batch, 1, 1].
 */
export function expandTo(weights: Tensor, rank: number): Tensor {
  let expanded = weights
  while (expanded.rank < rank) expanded = expandDims(expanded, -1)
  return expanded
}

/** The conjunction of two masks; a missing mask is all true. */
export function bothMasks(a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined {
  return a === undefined || b === undefined ? (a ?? b) : logicalAnd(a, b)
}

/** a / b, and 0 where b is 0. */
export function divideNoNan(a: Tensor, b: Tensor): Tensor {
  const empty = equal(b, 0)
  return where(empty, 0, divide(a, where(empty, 1, b)))
}

/**
 * Sample weights with 0 for masked elements. If a mean follows, the others are scaled by total / valid, so that the
 * mean is over valid elements. undefined without weights and mask.
 *
 * Keras: `apply_mask`.
 * @param mask bool, true for elements that count; in the shape of the values, or of their first axes
 */
export function applyMask(
  sampleWeight: Tensor | undefined,
  mask: Tensor | undefined,
  reduction: Reduction,
): Tensor | undefined {
  requireArguments('losses.applyMask', arguments, 3)
  if (mask === undefined) return sampleWeight
  const held = cast(cast(mask, 'bool'), 'float32')
  const isMean = reduction === 'mean' || reduction === 'sumOverBatchSize'
  // total / valid, and 0 if no element is valid
  const float = isMean ? multiply(held, divideNoNan(full([], held.size), sum(held))) : held
  if (sampleWeight === undefined) return float
  const [masked, weights] = alignRanks(float, cast(sampleWeight, 'float32'))
  const rank = Math.max(masked.rank, weights.rank)
  return multiply(expandTo(weights, rank), expandTo(masked, rank))
}

/**
 * @param what names the weights, or the mask, in errors
 * @throws ShapeError if they do not fit the values
 */
export function requireBeside(what: string, { shape: values }: Tensor, { shape }: Tensor): void {
  const weighted = shape.length === values.length + 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape
  // The shape of the first axes, as in expandTo; a single number for all samples has no axes.
  const fits =
    values.length === 0 ||
    (weighted.length <= values.length && weighted.every((extent, i) => extent === 1 || extent === values[i]))
  if (fits) return
  throw new ShapeError(
    `${what} must have shape ${formatShape(values)}${values.length > 1 ? ', or that of its first axes' : ''}, received ${formatShape(shape)}`,
  )
}

/** Values times their weights, and the weights in the same layout. */
function weigh(values: Tensor, weights: Tensor): { values: Tensor; weights: Tensor } {
  const [aligned, scales] = alignRanks(values, cast(weights, 'float32'))
  return { values: multiply(aligned, expandTo(scales, aligned.rank)), weights: scales }
}

/**
 * The reduction of the values, each times its weight, without masked values.
 *
 * Keras: `reduce_weighted_values`.
 */
export function reduceWeighted(
  values: Tensor,
  sampleWeight: Tensor | undefined,
  mask: Tensor | undefined,
  reduction: Reduction,
): Tensor {
  if (sampleWeight !== undefined) requireBeside('sampleWeight', values, sampleWeight)
  if (mask !== undefined) requireBeside('mask', values, mask)
  const all = applyMask(sampleWeight, mask, reduction)
  const weighted = all === undefined ? null : weigh(values, all)
  const result = weighted?.values ?? values
  if (reduction === 'none' || result.rank === 0) return result
  if (reduction === 'sum') return sum(result)
  if (reduction === 'meanWithSampleWeight' && weighted !== null) return divideNoNan(sum(result), sum(weighted.weights))
  return mean(result)
}
