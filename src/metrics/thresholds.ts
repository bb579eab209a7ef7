// Predictions at one or many thresholds. Follows keras/src/metrics/metrics_utils.py.

import { ShapeError, formatShape } from '../core/errors'
import { cast, ceil, clip, greater, maximum, multiply } from '../ops/numpy/elementwise'
import { arange, expandDims, full, reshape, slice } from '../ops/numpy/shape'
import { Tensor } from '../ops/tensor'
import { requireAlike, weightsLike } from './metric'

/** Targets, predictions and weights of one batch, all in the shape of the predictions. */
export interface ScoredBatch {
  readonly y: Tensor
  readonly p: Tensor
  readonly w: Tensor
}

/** @throws ShapeError for targets of another shape than the predictions */
export function batchOf(yTrue: Tensor, yPred: Tensor, sampleWeight: Tensor | undefined): ScoredBatch {
  const [y, p] = [cast(yTrue, 'float32'), cast(yPred, 'float32')]
  requireAlike(y, p)
  return { y, p, w: weightsLike(p, sampleWeight) ?? full(p.shape, 1) }
}

/**
 * Which predictions are above which thresholds: p [n] → bool [thresholds, n].
 *
 * Evenly spaced thresholds, i/(m − 1), are compared as in Keras: predictions are clipped to [0, 1] and counted in
 * buckets.
 */
export class Thresholds {
  private readonly isEven: boolean
  private readonly points: Tensor

  /**
   * @param hasEnds the first threshold is just below 0 and the last just above 1, so that every prediction is between
   * them
   * @param fewest the number of evenly spaced thresholds from which they are compared by buckets
   */
  constructor(
    readonly values: readonly number[],
    private readonly hasEnds = false,
    fewest = hasEnds ? 2 : 3,
  ) {
    const last = values.length - 1
    this.isEven =
      values.length >= fewest && values.every((value, i) => Math.abs(value - i / last) <= 2e-7 + (1e-5 * i) / last)
    this.points = new Tensor(Float32Array.from(values), [values.length, 1], 'float32')
  }

  get count(): number {
    return this.values.length
  }

  above(p: Tensor): Tensor {
    const row = expandDims(p, 0)
    const points = reshape(this.points, [this.count, ...p.shape.map(() => 1)])
    if (!this.isEven) return greater(row, points)
    // Above threshold i: ⌈p · (m − 1)⌉ > i
    const bucket = ceil(multiply(clip(row, 0, 1), this.count - 1))
    const index = reshape(arange(0, this.count, 1, 'float32'), points.shape)
    return greater(this.hasEnds ? maximum(bucket, 1) : bucket, index)
  }
}

/** The predictions of one class; of all classes if `classId` is null. */
export function ofClass({ y, p, w }: ScoredBatch, classId: number | null): ScoredBatch {
  if (classId === null) return { y, p, w }
  if (p.rank < 2 || classId >= p.shape.at(-1)!) {
    throw new ShapeError(
      `classId ${classId} needs predictions [batch, more than ${classId} classes], received ${formatShape(p.shape)}`,
    )
  }
  const only = (x: Tensor): Tensor =>
    slice(
      x,
      x.shape.map((_, i) => (i === x.rank - 1 ? classId : 0)),
      [...x.shape.slice(0, -1), 1],
    )
  return { y: only(y), p: only(p), w: only(w) }
}
