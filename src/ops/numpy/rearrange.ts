// Ops that move elements along axes, composed of those in shape.ts.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { normalizeAxis } from '../../core/shapes'
import { readIndices, sliceAlong, takeAlong } from './along'
import { custom, integer, option } from '../../core/options'
import type { AxisArgument } from '../arguments'
import { readArguments, readAxisOnly, requireInteger, requireIntegers, resolveAxes } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { add, cast, greaterEqual, less, logicalAnd, multiply, notEqual, subtract, where } from './elementwise'
import { arange, broadcastTo, concatenate, flip, reshape, swapAxes } from './shape'
import type { Tensor } from '../tensor'
import { joined } from '../trace'

/** All elements in row-major order. */
export function ravel(x: TensorLike): Tensor {
  const value = asTensor(x, 'ravel')
  return reshape(value, [value.size])
}

/**
 * Adds an axis of extent 1 at `axis` of the result, or one at each of several.
 * @example ops.expandDims([1, 2], [0, -1])   // [[[1], [2]]]
 */
export function expandDims(x: TensorLike, axis: AxisArgument<number | readonly number[]>): Tensor {
  const value = asTensor(x, 'expandDims')
  const given = readAxisOnly('expandDims', axis, null)
  const axes = given === null || typeof given === 'number' ? [requireInteger('expandDims: the axis', given)] : given
  const shape = [...value.shape]
  for (const each of resolveAxes('expandDims', axes, value.rank + axes.length)) shape.splice(each, 0, 1)
  return reshape(value, shape)
}

type RollAxis = number | readonly number[] | null

/**
 * Moves elements along axes; elements that leave at the end re-enter at the start.
 * @param shift the distance, or one distance per axis
 * @param axis one or several; if omitted, x is flattened in row-major order and reshaped back
 * @example ops.roll([1, 2, 3, 4], 1)   // [4, 1, 2, 3]
 */
export function roll(x: TensorLike, shift: number | readonly number[], axis?: AxisArgument<RollAxis>): Tensor {
  const value = asTensor(x, 'roll')
  const given = readAxisOnly('roll', axis, null)
  const shifts =
    typeof shift === 'number' ? [requireInteger('roll: shift', shift)] : requireIntegers('roll: shift', shift)
  if (given === null)
    return joined(`roll ${shifts.join()}`, [value], ([x]) =>
      reshape(
        shifts.reduce((row, by) => rollAlong(row, by, 0), ravel(x!)),
        value.shape,
      ),
    )
  const axes = (typeof given === 'number' ? [given] : given).map((each) => normalizeAxis('roll', each, value.rank))
  if (axes.length !== shifts.length && axes.length !== 1 && shifts.length !== 1) {
    throw new ArgumentError(`roll: expected one shift for each axis, received ${shifts.length} for ${axes.length} axes`)
  }
  const count = axes.length === 0 || shifts.length === 0 ? 0 : Math.max(axes.length, shifts.length)
  return joined(`roll ${shifts.join()} ${axes.join()}`, [value], ([x]) =>
    Array.from({ length: count }, (_, i) => i).reduce(
      (rolled, i) => rollAlong(rolled, shifts[i % shifts.length]!, axes[i % axes.length]!),
      x!,
    ),
  )
}

function rollAlong(x: Tensor, by: number, axis: number): Tensor {
  const extent = x.shape[axis]!
  const front = extent === 0 ? 0 : ((by % extent) + extent) % extent
  if (front === 0) return x
  return concatenate([sliceAlong(x, axis, extent - front, front), sliceAlong(x, axis, 0, extent - front)], axis)
}

export interface Rot90Options {
  /** The number of right angles. Default 1. */
  readonly k?: number
  /** The two axes. Default [0, 1]. */
  readonly axes?: readonly [number, number]
}

const rot90Table = {
  k: option(integer(), 1),
  axes: option(
    custom<readonly number[]>(
      (value, what) => requireIntegers(what, value),
      (axes) => axes,
    ),
    [0, 1],
  ),
}

/** Rotates the plane of two axes by k right angles, from the first axis towards the second. */
export function rot90(array: TensorLike, k?: number | Rot90Options, axes?: readonly [number, number]): Tensor {
  const value = asTensor(array, 'rot90')
  const { k: turns, axes: pair } = readArguments('rot90', rot90Table, k, axes)
  const [from, to] = pair.map((axis) => normalizeAxis('rot90', axis, value.rank))
  if (pair.length !== 2 || from === to)
    throw new ArgumentError(`rot90: axes must be two axes, received [${pair.join(', ')}]`)
  switch (((turns % 4) + 4) % 4) {
    case 0:
      return value
    case 1:
      return swapAxes(flip(value, to!), from!, to!)
    case 2:
      return flip(value, [from!, to!])
    default:
      return flip(swapAxes(value, from!, to!), to!)
  }
}

/**
 * Picks an element for each index along one axis: result[…, i, …] = x[…, indices[…, i, …], …]. Negative indices count
 * from the end; indices outside the axis behave as in `take`. All other axes broadcast.
 * @param axis of x; if omitted, x is flattened in row-major order
 * @throws DataError for an index outside the axis, when the indices are data
 */
export function takeAlongAxis(x: TensorLike, indices: TensorLike, axis?: AxisArgument<number | null>): Tensor {
  const value = asTensor(x, 'takeAlongAxis')
  const given = readAxisOnly('takeAlongAxis', axis, null)
  if (given === null) return takeAlongAxis(ravel(value), ravel(indices), 0)
  const at = normalizeAxis('takeAlongAxis', requireInteger('takeAlongAxis: the axis', given), value.rank)
  const extent = value.shape[at]!
  const index = readIndices('takeAlongAxis', indices, extent)
  const fits =
    index.rank === value.rank &&
    index.shape.every((extent, i) => i === at || extent === value.shape[i] || extent === 1 || value.shape[i] === 1)
  if (!fits)
    throw new ShapeError(
      `takeAlongAxis: indices ${formatShape(index.shape)} do not broadcast with ${formatShape(value.shape)} on the axes other than ${at}`,
    )
  const shape = index.shape.map((own, i) => (i === at ? own : own === 1 ? value.shape[i]! : own))
  if (extent === 0 && shape.every((own) => own > 0))
    throw new ShapeError(`takeAlongAxis: axis ${at} of ${formatShape(value.shape)} is empty`)
  return joined(`takeAlongAxis ${at}`, [value, index], ([x, given]) => {
    const whole = broadcastTo(
      x!,
      shape.map((own, i) => (i === at ? extent : own)),
    )
    const places = broadcastTo(where(less(given!, 0), add(given!, extent), given!), shape)
    if (places.size === 0) return cast(places, value.dtype)
    const isInside = logicalAnd(greaterEqual(places, 0), less(places, extent))
    return takeAlong(ravel(whole), where(isInside, flatIndices(places, whole.shape, at), OUTSIDE), 0)
  })
}

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
    const own =
      i === axis
        ? indices
        : reshape(
            arange(0, shape[i], 1, 'int32'),
            shape.map((extent, j) => (j === i ? extent : 1)),
          )
    const term = stride === 1 ? own : multiply(own, stride)
    flat = flat === null ? term : add(flat, term)
    stride *= shape[i]!
  }
  return flat!
}

export interface DiffOptions {
  /** How often to take differences. Default 1. */
  readonly n?: number
  /** Default −1. */
  readonly axis?: number
}

const diffTable = { n: option(integer({ min: 0 }), 1), axis: option(integer(), -1) }

/**
 * The n-th difference of neighbours along an axis: a[i + 1] − a[i]. For bool, whether they differ; int32 stays int32.
 * @example ops.diff([1, 4, 9])   // [3, 5]
 */
export function diff(a: TensorLike, n?: number | DiffOptions, axis?: AxisArgument): Tensor {
  const value = asTensor(a, 'diff')
  const given = readArguments('diff', diffTable, n, axis)
  const at = normalizeAxis('diff', given.axis, value.rank)
  const times = given.n
  const minus = value.dtype === 'bool' ? notEqual : subtract
  return joined(`diff ${times} ${at}`, [value], ([x]) => {
    let result = x!
    for (let i = 0; i < times && result.shape[at]! > 0; i++) {
      const left = result.shape[at]! - 1
      result = minus(sliceAlong(result, at, 1, left), sliceAlong(result, at, 0, left))
    }
    return result
  })
}
