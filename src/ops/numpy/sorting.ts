// Ops that sort elements or return sorted indices, as in NumPy: NaN comes last, and sorts are stable.

import { axis, operand, whole } from '../kinds'
import { arg, op, optional } from '../op'
import { commonType } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, nullable } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { ArgSort, SearchSorted, SortedValues } from '../../engine/primitives/sorting'
import { asTensor, type TensorLike } from '../convert'
import { cast, equal, logicalNot, minimum } from './elementwise'
import { needAlgebra } from '../families'
import { pickAlong, ravel } from './rearrange'
import { full, take } from './shape'
import type { Tensor } from '../tensor'
import { apply } from '../trace'

/** The parameters of an op that sorts along an axis. */
const sorted = () => [arg('x', operand), optional('axis', nullable(axis))] as const

/** The operand and the axis to sort along. */
function alongOne(name: string, x: TensorLike, axis: number | null): [Tensor, number] {
  const value = asTensor(x, name)
  return axis === null ? [ravel(value), 0] : [value, normalizeAxis(name, axis, value.rank)]
}

/** The indices that sort an axis, ascending or descending, as int32; the first `count` of them. */
function sortedIndices(x: Tensor, axis: number, descending: boolean, count: number | null = null): Tensor {
  needAlgebra()
  return apply('routine', [x], { routine: new ArgSort(axis, descending, count) })[0]!
}

export const sort = op(sorted, {
  /**
   * Sorts the elements along an axis, ascending; NaN last.
   * @param axis default −1; null for all elements in row-major order
   */
  sort(x, axis = -1): Tensor {
    const [value, at] = alongOne('sort', x, axis)
    needAlgebra()
    return apply('routine', [value], { routine: new SortedValues(at) })[0]!
  },
})

export const argsort = op(sorted, {
  /**
   * The indices that sort an axis in ascending order, as int32: x[argsort(x)] is sorted. Equal elements keep their order.
   * @param axis default −1; null for all elements in row-major order
   */
  argsort(x, axis = -1): Tensor {
    const [value, at] = alongOne('argsort', x, axis)
    return sortedIndices(value, at, false)
  },
})

export const argpartition = op(() => [arg('x', operand), arg('kth', whole()), optional('axis', nullable(axis))], {
  /**
   * The indices that partition an axis, as int32: the element at `kth` is that of the sorted axis, smaller elements come before it and larger
   * ones after it. The result is that of `argsort`, so both parts are sorted, too.
   * @param kth negative positions count from the end
   * @param axis default −1; null for all elements in row-major order
   */
  argpartition(x, kth, axis = -1): Tensor {
    const [value, at] = alongOne('argpartition', x, axis)
    normalizeAxis('argpartition: kth', kth, value.shape[at]!)
    return sortedIndices(value, at, false)
  },
})

export const topK = op(() => [arg('x', operand), arg('k', whole(0)), optional('sorted', boolean)], {
  /**
   * The k largest elements of the last axis and their indices, largest first. Of equal elements the first comes first. NaN
   * counts as the largest.
   * @returns [values […, k], indices int32 […, k]]
   * @throws ShapeError when the axis has fewer than k elements
   */
  topK(x, k, _sorted = true): [values: Tensor, indices: Tensor] {
    const [value, at] = alongOne('topK', x, -1)
    if (k > value.shape[at]!)
      throw new ShapeError(`topK: the last axis of ${formatShape(value.shape)} has fewer than ${k} elements`)
    const indices = sortedIndices(value, at, true, k)
    return [pickAlong(value, indices, at), indices]
  },
})

export const searchsorted = op(
  () => [arg('sortedSequence', operand), arg('values', operand), optional('side', choice('left', 'right'))],
  {
    /**
     * The positions at which values would be inserted into a sorted vector to keep it sorted, as int32.
     * @param sortedSequence [n], ascending
     * @param side `left`: before equal elements; `right`: after them. Default left.
     */
    searchsorted(sortedSequence, values, side = 'left'): Tensor {
      const [row, value] = [asTensor(sortedSequence, 'searchsorted'), asTensor(values, 'searchsorted')]
      if (row.rank !== 1)
        throw new ShapeError(`searchsorted: the sorted sequence must be a vector, received ${formatShape(row.shape)}`)
      const dtype = commonType([row.dtype, value.dtype])
      needAlgebra()
      return apply('routine', [cast(row, dtype), cast(value, dtype)], {
        routine: new SearchSorted(side === 'right'),
      })[0]!
    },
  },
)

export const digitize = op(() => [arg('x', operand), arg('bins', operand)], {
  /** The bin of each element as int32: the number of ascending `bins` that are ≤ x. */
  digitize(x, bins): Tensor {
    return searchsorted(bins, x, 'right')
  },
})

export const isin = op(
  () => [arg('x1', operand), arg('x2', operand), optional('assumeUnique', boolean), optional('invert', boolean)],
  {
    /**
     * Whether each element occurs in x2, as bool. NaN never does.
     * @param _assumeUnique whether neither operand has duplicates; does not affect the result. Default false.
     * @param invert returns whether the element does not occur. Default false.
     */
    isin(x1, x2, _assumeUnique = false, invert = false): Tensor {
      const [value, others] = [asTensor(x1, 'isin'), ravel(asTensor(x2, 'isin'))]
      if (others.size === 0) return full(value.shape, Number(invert), 'bool')
      const dtype = commonType([value.dtype, others.dtype])
      const [needle, row] = [cast(value, dtype), sort(cast(others, dtype))]
      const found = equal(take(row, minimum(searchsorted(row, needle), others.size - 1), 0), needle)
      return invert ? logicalNot(found) : found
    },
  },
)
