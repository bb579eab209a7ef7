// Slices whose starts are known only at run time.

import { operand, wholes, type ArgumentKind } from '../kinds'
import { arg, op } from '../op'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { requireInteger, requireIntegers } from '../arguments'
import { asTensor, toTensor } from '../convert'
import { sliceUpdate as fixedUpdate } from '../math/segments'
import { add, cast, greaterEqual, less, logicalAnd, maximum, minimum, subtract, where } from '../numpy/elementwise'
import { arange, reshape, slice as fixedSlice, take } from '../numpy/shape'
import { Tensor } from '../tensor'
import { Variable, type TensorLike } from '../variable'

/** The first element of a block along each axis: integers, int32 scalars, or one int32 tensor with an element per axis. */
export type Starts = TensorLike | readonly (number | Tensor)[]

/** Starts, which the op converts. */
const starts: ArgumentKind<Starts> = { holds: 'operand', read: (value: Starts) => value }

/** Whether starts are plain numbers. */
function areFixed(starts: Starts): starts is readonly number[] {
  return Array.isArray(starts) && !starts.some((start: unknown) => start instanceof Tensor || start instanceof Variable)
}

/**
 * Each start, moved so that the block of `sizes` lies inside the tensor. Negative starts count from the end. Starts that are known become
 * numbers, the others int32 scalars.
 */
function startsWithin(
  where_: string,
  starts: Starts,
  { shape }: Tensor,
  sizes: readonly number[],
): readonly (number | Tensor)[] {
  const list = Array.isArray(starts)
    ? starts.map((start: unknown) => elementOf(where_, toTensor(start, where_)))
    : elementsOf(where_, toTensor(starts, where_))
  if (list.length !== shape.length || sizes.length !== shape.length)
    throw new ShapeError(
      `${where_}: needs a start and a size for each axis of ${formatShape(shape)}, received ${list.length} starts and ${sizes.length} sizes`,
    )
  return list.map((start, i) => {
    const extent = shape[i]!
    if (sizes[i]! > extent)
      throw new ShapeError(`${where_}: ${sizes[i]} elements do not fit into axis ${i} of ${formatShape(shape)}`)
    const last = extent - sizes[i]!
    if (typeof start === 'number') return Math.min(Math.max(start < 0 ? start + extent : start, 0), last)
    return minimum(maximum(where(less(start, 0), add(start, extent), start), 0), last)
  })
}

/** @throws ArgumentError for bools, and for numbers that are not integers */
function elementOf(where_: string, start: Tensor): number | Tensor {
  const isKnown = Tensor.symbolOf(start) === null && start.dtype !== 'bool'
  if (start.rank === 0 && isKnown) return requireInteger(`${where_}: each start`, start.item())
  if (start.rank === 0 && start.dtype === 'int32') return start
  throw new ArgumentError(
    `${where_}: each start must be an int32 scalar, received ${start.dtype} ${formatShape(start.shape)}`,
  )
}

function elementsOf(where_: string, starts: Tensor): (number | Tensor)[] {
  if (starts.rank !== 1)
    throw new ShapeError(`${where_}: starts must be a vector, received shape ${formatShape(starts.shape)}`)
  const isKnown = Tensor.symbolOf(starts) === null
  return Array.from({ length: starts.size }, (_, i) =>
    elementOf(
      where_,
      isKnown ? new Tensor(starts.data.slice(i, i + 1), [], starts.dtype) : reshape(fixedSlice(starts, [i], [1]), []),
    ),
  )
}

export const slice = op(
  () => [arg('inputs', operand), arg('startIndices', starts), arg('shape', wholes(-1))],
  {
    /**
     * A block of `inputs`. A size of −1 takes all elements after the start; it needs starts that are numbers. With starts that are
     * tensors, a block that would reach beyond the end is moved back, as in XLA.
     * @param startIndices integers, int32 scalars, or an int32 vector; differentiable only with respect to `inputs`
     * @throws ShapeError for a block outside `inputs`
     * @example ops.slice(tensor([1, 2, 3, 4]), [1], [2]) // [2, 3]
     */
    slice(inputs, startIndices, shape): Tensor {
      if (areFixed(startIndices)) return fixedSlice(inputs, startIndices, shape)
      const value = asTensor(inputs, 'slice')
      const counts = requireIntegers('slice: shape', shape, 0)
      const first = startsWithin('slice', startIndices, value, counts)
      if (areFixed(first)) return fixedSlice(value, first, counts)
      return first.reduce<Tensor>(
        (rest, start, i) =>
          counts[i] === value.shape[i] ? rest : take(rest, add(arange(0, counts[i]!, 1, 'int32'), start), i),
        value,
      )
    },
  },
  { rearranges: true },
)

export const sliceUpdate = op(() => [arg('inputs', operand), arg('startIndices', starts), arg('updates', operand)], {
  /**
   * `inputs` with a block of other values from `startIndices` on. A block that would reach beyond the end is moved back, as in
   * XLA.
   * @param startIndices integers, int32 scalars, or an int32 vector
   * @throws ShapeError for a block larger than `inputs`
   * @example ops.sliceUpdate(ops.zeros([4]), [1], [5, 6]) // [0, 5, 6, 0]
   */
  sliceUpdate(inputs, startIndices, updates): Tensor {
    if (areFixed(startIndices)) return fixedUpdate(inputs, startIndices, updates)
    const value = asTensor(inputs, 'sliceUpdate')
    const block = cast(asTensor(updates, 'sliceUpdate'), value.dtype)
    const first = startsWithin('sliceUpdate', startIndices, value, block.shape)
    if (areFixed(first)) return fixedUpdate(value, first, block)
    if (block.size === 0) return value
    let spread = block
    let inside: Tensor | null = null
    first.forEach((start, i) => {
      const count = block.shape[i]!
      // The place in the block of each element along this axis.
      const place = subtract(arange(0, value.shape[i]!, 1, 'int32'), start)
      spread = take(spread, minimum(maximum(place, 0), count - 1), i)
      const isIn = reshape(
        logicalAnd(greaterEqual(place, 0), less(place, count)),
        value.shape.map((extent, j) => (j === i ? extent : 1)),
      )
      inside = inside === null ? isIn : logicalAnd(inside, isIn)
    })
    return inside === null ? block : where(inside, spread, value)
  },
})
