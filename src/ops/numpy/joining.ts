// Ops that join and split tensors along fixed axes, named as in NumPy: horizontal, vertical, depth.

import { axis, operand, operands, whole, wholeOrWholes } from '../kinds'
import { arg, op, optional, unaryOp } from '../op'
import { ShapeError, formatShape } from '../../core/errors'
import { nullable } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { asTensor, type TensorLike } from '../convert'
import type { Tensor } from '../tensor'
import { ravel } from './rearrange'
import { MOST_PARTS, concatenate, flip, listOfTensors, reshape, split } from './shape'

export const append = op(() => [arg('x1', operand), arg('x2', operand), optional('axis', nullable(axis))], {
  /**
   * Joins x1 and x2 along an axis. Mixed dtypes are converted to the highest: bool < int32 < float32.
   * @param axis of both; if omitted, both are flattened in row-major order
   * @example ops.append([1, 2], [[3], [4]])   // [1, 2, 3, 4]
   */
  append(x1, x2, axis = null): Tensor {
    const values = [asTensor(x1, 'append'), asTensor(x2, 'append')]
    return axis === null
      ? concatenate(
          values.map((each) => ravel(each)),
          0,
        )
      : concatenate(values, axis)
  },
})

const several = () => [arg('xs', operands)] as const

export const hstack = op(
  several,
  {
    /**
     * Joins tensors along axis 1, and vectors along axis 0. Scalars count as vectors of one element.
     * @example ops.hstack([[1, 2], [3]])   // [1, 2, 3]
     */
    hstack(xs): Tensor {
      const values = listOfTensors('hstack', xs).map((x) => (x.rank === 0 ? ravel(x) : x))
      return concatenate(values, values[0]!.rank === 1 ? 0 : 1)
    },
  },
  { rearranges: true },
)

export const vstack = op(
  several,
  {
    /**
     * Joins tensors along axis 0. A vector [n] counts as a row [1, n], a scalar as [1, 1].
     * @example ops.vstack([[1, 2], [3, 4]])   // [[1, 2], [3, 4]]
     */
    vstack(xs): Tensor {
      const values = listOfTensors('vstack', xs)
      return concatenate(
        values.map((x) => (x.rank < 2 ? reshape(x, [1, x.size]) : x)),
        0,
      )
    },
  },
  { rearranges: true },
)

export const dstack = op(several, {
  /**
   * Joins tensors along axis 2. A matrix [m, n] counts as [m, n, 1], a vector [n] as [1, n, 1], a scalar as [1, 1, 1].
   * @example ops.dstack([[1, 2], [3, 4]])   // [[[1, 3], [2, 4]]]
   */
  dstack(xs): Tensor {
    const values = listOfTensors('dstack', xs)
    return concatenate(
      values.map((x) => {
        if (x.rank > 2) return x
        return reshape(x, x.rank === 2 ? [...x.shape, 1] : [1, x.size, 1])
      }),
      2,
    )
  },
})

export const arraySplit = op(() => [arg('x', operand), arg('indicesOrSections', whole(1)), optional('axis', axis)], {
  /**
   * Splits an axis into `indicesOrSections` parts, whose extents differ by one at most; the first parts are the larger ones.
   * @example ops.arraySplit([1, 2, 3], 2)   // [1, 2] and [3]
   */
  arraySplit(x, indicesOrSections, axis = 0): Tensor[] {
    const value = asTensor(x, 'arraySplit')
    const at = normalizeAxis('arraySplit', axis, value.rank)
    if (indicesOrSections > MOST_PARTS)
      throw new ShapeError(`arraySplit: expected at most ${MOST_PARTS} parts, received ${indicesOrSections}`)
    const [least, larger] = [Math.floor(value.shape[at]! / indicesOrSections), value.shape[at]! % indicesOrSections]
    const cuts = Array.from({ length: indicesOrSections - 1 }, (_, i) => (i + 1) * least + Math.min(i + 1, larger))
    return split(value, cuts, at)
  },
})

/** The parameters of an op that splits a fixed axis. */
const parts = () => [arg('x', operand), arg('indicesOrSections', wholeOrWholes(1, 0))] as const

/** @param axis the axis of a tensor of sufficient rank @param least the smallest rank */
function splitAt(
  where: string,
  x: TensorLike,
  sections: number | readonly number[],
  least: number,
  axis: (rank: number) => number,
): Tensor[] {
  const value = asTensor(x, where)
  if (value.rank < least)
    throw new ShapeError(`${where}: expected at least ${least} axes, received the shape ${formatShape(value.shape)}`)
  return split(value, sections, axis(value.rank))
}

export const hsplit = op(parts, {
  /**
   * Splits axis 1, and of a vector axis 0, as `split` does.
   * @example ops.hsplit([1, 2, 3, 4], 2)   // [1, 2] and [3, 4]
   */
  hsplit(x, indicesOrSections): Tensor[] {
    return splitAt('hsplit', x, indicesOrSections, 1, (rank) => Math.min(1, rank - 1))
  },
})

export const vsplit = op(parts, {
  /**
   * Splits axis 0, as `split` does.
   * @example ops.vsplit([[1, 2], [3, 4]], 2)   // [[1, 2]] and [[3, 4]]
   */
  vsplit(x, indicesOrSections): Tensor[] {
    return splitAt('vsplit', x, indicesOrSections, 1, () => 0)
  },
})

export const dsplit = op(parts, {
  /**
   * Splits axis 2, as `split` does.
   * @example ops.dsplit([[[1, 2]]], 2)   // [[[1]]] and [[[2]]]
   */
  dsplit(x, indicesOrSections): Tensor[] {
    return splitAt('dsplit', x, indicesOrSections, 3, () => 2)
  },
})

/**
 * Reverses the order of columns: axis 1.
 * @example ops.fliplr([[1, 2], [3, 4]])   // [[2, 1], [4, 3]]
 */
export const fliplr = unaryOp('fliplr', (x) => flip(asTensor(x, 'fliplr'), 1))

/**
 * Reverses the order of rows: axis 0.
 * @example ops.flipud([[1, 2], [3, 4]])   // [[3, 4], [1, 2]]
 */
export const flipud = unaryOp('flipud', (x) => flip(asTensor(x, 'flipud'), 0))
