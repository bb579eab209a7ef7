// Ops that move elements along axes, composed of those in shape.ts.

import { axes, axis, operand, whole, wholeOrWholes, wholes } from '../kinds'
import { arg, op, optional, unaryOp } from '../op'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { normalizeAxis } from '../../core/shapes'
import { readIndices, sliceAlong, takeAlong } from './along'
import { nullable } from '../../core/options'
import { resolveAxes } from '../arguments'
import { asTensor } from '../convert'
import { add, cast, greaterEqual, less, logicalAnd, multiply, notEqual, subtract, where } from './elementwise'
import { arange, broadcastTo, concatenate, flip, reshape, swapAxes } from './shape'
import type { Tensor } from '../tensor'
import { joined } from '../trace'

/** All elements in row-major order. */
export const ravel = unaryOp(
  'ravel',
  (x) => {
    const value = asTensor(x, 'ravel')
    return reshape(value, [value.size])
  },
  { rearranges: true },
)

export const expandDims = op(
  () => [arg('x', operand), arg('axis', wholeOrWholes())],
  {
    /**
     * Adds an axis of extent 1 at `axis` of the result, or one at each of several.
     * @example ops.expandDims([1, 2], [0, -1])   // [[[1], [2]]]
     */
    expandDims(x, axis): Tensor {
      const value = asTensor(x, 'expandDims')
      const axes = typeof axis === 'number' ? [axis] : axis
      const shape = [...value.shape]
      for (const each of resolveAxes('expandDims', axes, value.rank + axes.length)) shape.splice(each, 0, 1)
      return reshape(value, shape)
    },
  },
  { rearranges: true },
)

export const roll = op(
  () => [arg('x', operand), arg('shift', wholeOrWholes()), optional('axis', axes)],
  {
    /**
     * Moves elements along axes; elements that leave at the end re-enter at the start.
     * @param shift the distance, or one distance per axis
     * @param axis one or several; if omitted, x is flattened in row-major order and reshaped back
     * @example ops.roll([1, 2, 3, 4], 1)   // [4, 1, 2, 3]
     */
    roll(x, shift, axis = null): Tensor {
      const value = asTensor(x, 'roll')
      const shifts = typeof shift === 'number' ? [shift] : shift
      if (axis === null)
        return joined(`roll ${shifts.join()}`, [value], ([x]) =>
          reshape(
            shifts.reduce((row, by) => rollAlong(row, by, 0), ravel(x!)),
            value.shape,
          ),
        )
      const axes = (typeof axis === 'number' ? [axis] : axis).map((each) => normalizeAxis('roll', each, value.rank))
      if (axes.length !== shifts.length && axes.length !== 1 && shifts.length !== 1) {
        throw new ArgumentError(
          `roll: expected one shift for each axis, received ${shifts.length} for ${axes.length} axes`,
        )
      }
      const count = axes.length === 0 || shifts.length === 0 ? 0 : Math.max(axes.length, shifts.length)
      return joined(`roll ${shifts.join()} ${axes.join()}`, [value], ([x]) =>
        Array.from({ length: count }, (_, i) => i).reduce(
          (rolled, i) => rollAlong(rolled, shifts[i % shifts.length]!, axes[i % axes.length]!),
          x!,
        ),
      )
    },
  },
  { rearranges: true },
)

function rollAlong(x: Tensor, by: number, axis: number): Tensor {
  const extent = x.shape[axis]!
  const front = extent === 0 ? 0 : ((by % extent) + extent) % extent
  if (front === 0) return x
  return concatenate([sliceAlong(x, axis, extent - front, front), sliceAlong(x, axis, 0, extent - front)], axis)
}

export const rot90 = op(() => [arg('array', operand), optional('k', whole()), optional('axes', wholes())], {
  /** Rotates the plane of two axes by k right angles, from the first axis towards the second. */
  rot90(array, k = 1, axes = [0, 1]): Tensor {
    const value = asTensor(array, 'rot90')
    const [from, to] = axes.map((axis) => normalizeAxis('rot90', axis, value.rank))
    if (axes.length !== 2 || from === to)
      throw new ArgumentError(`rot90: axes must be two axes, received [${axes.join(', ')}]`)
    switch (((k % 4) + 4) % 4) {
      case 0:
        return value
      case 1:
        return swapAxes(flip(value, to!), from!, to!)
      case 2:
        return flip(value, [from!, to!])
      default:
        return flip(swapAxes(value, from!, to!), to!)
    }
  },
})

export const takeAlongAxis = op(() => [arg('x', operand), arg('indices', operand), optional('axis', nullable(axis))], {
  /**
   * Picks an element for each index along one axis: result[…, i, …] = x[…, indices[…, i, …], …]. Negative indices count
   * from the end; indices outside the axis behave as in `take`. All other axes broadcast.
   * @param axis of x; if omitted, x is flattened in row-major order
   * @throws DataError for an index outside the axis, when the indices are data
   */
  takeAlongAxis(x, indices, axis = null): Tensor {
    const value = asTensor(x, 'takeAlongAxis')
    if (axis === null) return takeAlongAxis(ravel(value), ravel(indices), 0)
    const at = normalizeAxis('takeAlongAxis', axis, value.rank)
    const extent = value.shape[at]!
    const index = readIndices('takeAlongAxis', indices, extent)
    const fits =
      index.rank === value.rank &&
      index.shape.every((extent, i) => i === at || extent === value.shape[i] || extent === 1 || value.shape[i] === 1)
    if (!fits)
      throw new ShapeError(
        `takeAlongAxis: indices ${formatShape(index.shape)} do not broadcast with ${formatShape(value.shape)} on the axes other than ${at}`,
      )
    const shape = index.shape.map((count, i) => (i !== at && count === 1 ? value.shape[i]! : count))
    if (extent === 0 && shape.every((count) => count > 0))
      throw new ShapeError(`takeAlongAxis: axis ${at} of ${formatShape(value.shape)} is empty`)
    return joined(`takeAlongAxis ${at}`, [value, index], ([x, positions]) => {
      const whole = broadcastTo(
        x!,
        shape.map((count, i) => (i === at ? extent : count)),
      )
      const places = broadcastTo(where(less(positions!, 0), add(positions!, extent), positions!), shape)
      if (places.size === 0) return cast(places, value.dtype)
      const isInside = logicalAnd(greaterEqual(places, 0), less(places, extent))
      return takeAlong(ravel(whole), where(isInside, flatIndices(places, whole.shape, at), OUTSIDE), 0)
    })
  },
})

/** An index outside every axis. */
const OUTSIDE = -(2 ** 31)

/** result[…, i, …] = x[…, indices[…, i, …], …] for int32 indices inside the axis. Shapes differ only along the axis. */
export function pickAlong(x: Tensor, indices: Tensor, axis: number): Tensor {
  if (indices.size === 0) return cast(indices, x.dtype)
  if (x.rank === 1) return takeAlong(x, indices, 0)
  return joined(`pickAlong ${axis}`, [x, indices], ([value, index]) =>
    reshape(takeAlong(ravel(value!), flatIndices(index!, x.shape, axis), 0), indices.shape),
  )
}

/** The positions, in row-major order, of the elements that `indices` select along an axis of `shape`. */
function flatIndices(indices: Tensor, shape: readonly number[], axis: number): Tensor {
  let stride = 1
  let flat: Tensor | null = null
  for (let i = shape.length - 1; i >= 0; i--) {
    const positions =
      i === axis
        ? indices
        : reshape(
            arange(0, shape[i], 1, 'int32'),
            shape.map((extent, j) => (j === i ? extent : 1)),
          )
    const term = stride === 1 ? positions : multiply(positions, stride)
    flat = flat === null ? term : add(flat, term)
    stride *= shape[i]!
  }
  return flat!
}

export const diff = op(() => [arg('a', operand), optional('n', whole(0)), optional('axis', axis)], {
  /**
   * The n-th difference of neighbours along an axis: a[i + 1] − a[i]. For bool, whether they differ; int32 stays int32.
   * @example ops.diff([1, 4, 9])   // [3, 5]
   */
  diff(a, n = 1, axis = -1): Tensor {
    const value = asTensor(a, 'diff')
    const at = normalizeAxis('diff', axis, value.rank)
    const minus = value.dtype === 'bool' ? notEqual : subtract
    return joined(`diff ${n} ${at}`, [value], ([x]) => {
      let result = x!
      for (let i = 0; i < n && result.shape[at]! > 0; i++) {
        const left = result.shape[at]! - 1
        result = minus(sliceAlong(result, at, 1, left), sliceAlong(result, at, 0, left))
      }
      return result
    })
  },
})
