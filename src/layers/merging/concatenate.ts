// Concatenate: inputs side by side along an axis.

import { longerTrail } from '../masks'
import { commonType } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { configured, integer, option } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { flatten, type Tree } from '../../core/tree'
import { logicalOr } from '../../ops/numpy/elementwise'
import { any } from '../../ops/numpy/reduce'
import { broadcastTo, concatenate, full, reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { BatchShape, TensorSpec } from '../spec'
import { sameIndices } from '../indices'
import { Merge } from './merge'
import type { LayerTraits } from '../traits'
import { buildSpecOf } from '../weight-lists'

const ConcatenateBase = configured(
  Merge,
  () => ({
    /** The axis to join along; negative ones count from the end. Default −1. */
    axis: option(integer(), -1),
  }),
  ['axis'],
)

/**
 * Joins a list of tensors along an axis; all other extents must be equal.
 *
 *   new Concatenate().apply([a, b])      a [batch, 3], b [batch, 5] → [batch, 8]
 *
 * Keras: `keras.layers.Concatenate`.
 */
export class Concatenate extends ConcatenateBase {
  static readonly className = 'Concatenate'
  /** @internal */
  static override readonly traits: LayerTraits<Concatenate> = {
    unitFlow(layer) {
      const { shape } = flatten<TensorSpec>(buildSpecOf(layer) ?? [])[0]!
      return normalizeAxis(String(layer), layer.axis, shape.length) === shape.length - 1
        ? { kind: 'concatenates' }
        : { kind: 'joins', scales: true }
    },
    outputDtype: (_layer, inputs) => commonType(inputs),
    // The ops of Keras from an input to the mask: ones_like, concatenate and any for an input without a mask. For one with a
    // mask: expand_dims, logical_or, concatenate and any from its mask, and zeros_like in place of expand_dims from the input.
    maskTrail(_layer, inputs, masks) {
      if (masks.every((mask) => mask === null)) return null
      return longerTrail(
        inputs.flatMap((x, i) => {
          const mask = masks[i] ?? null
          return mask === null
            ? [[new Map([[x, 3]]), 0] as const]
            : [[mask, 4] as const, [new Map([[x, 4]]), 0] as const]
        }),
      )
    },
  }

  // The ranks are equal, and masks do not change what is joined.
  protected override mergeAligned(inputs: readonly Tensor[]): Tensor {
    return this.merge(inputs)
  }

  protected merge(inputs: readonly Tensor[]): Tensor {
    return sameIndices(concatenate(inputs, this.axis), ...inputs)
  }

  override computeOutputShape(inputShapes: readonly BatchShape[]): BatchShape {
    const shapes = this.requireList(inputShapes)
    const first = shapes[0]!
    const axis = normalizeAxis(String(this), this.axis, first.length)
    const fits = (a: number | null, b: number | null, i: number): boolean =>
      i === axis || a === b || a === null || b === null
    return shapes.reduce((all, shape) => {
      if (shape.length !== first.length || !all.every((extent, i) => fits(extent, shape[i]!, i))) {
        const received = shapes.map(formatShape).join(' and ')
        throw new ShapeError(
          `${this}: the shapes of the inputs must be equal except along axis ${this.axis}, received ${received}`,
        )
      }
      return all.map((extent, i) => {
        const other = shape[i]!
        if (i !== axis) return extent ?? other
        return extent === null || other === null ? null : extent + other
      })
    })
  }

  /** The concatenated masks, where an input without a mask counts fully; along the last axis, their disjunction. */
  override computeMask(inputs: readonly Tensor[], mask: Tree<Tensor | null>): Tensor | null {
    const masks = this.masksOf(inputs, mask)
    if (masks.every((each) => each === null)) return null
    const rows = inputs.map((x, i) => rowMask(x, masks[i] ?? null))
    const axis = normalizeAxis(String(this), this.axis, inputs[0]!.rank)
    return axis === inputs[0]!.rank - 1 ? rows.reduce((a, b) => logicalOr(a, b)) : concatenate(rows, axis)
  }
}

/** Which of the vectors along the last axis count: x [batch, …, n] → [batch, …]. */
function rowMask({ shape, rank }: Tensor, mask: Tensor | null): Tensor {
  const rows = shape.slice(0, -1)
  if (mask === null) return full(rows, 1, 'bool')
  if (mask.rank === rank) return any(mask, -1)
  return broadcastTo(reshape(mask, [...mask.shape, ...new Array<number>(rank - 1 - mask.rank).fill(1)]), rows)
}
