// moveAxis for several axes, and transpose with its axes by name. Other code calls the functions of shape.ts, which bundles have
// anyway.

import { ArgumentError, quoted } from '../../core/errors'
import { custom, option } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import type { Named } from '../arguments'
import { readArguments, requireInteger, requireIntegers } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import type { Tensor } from '../tensor'
import { transpose as permuted } from './shape'

/** A list of axes, or null; `transpose` checks them. */
const axesOrNull = /* @__PURE__ */ custom<readonly number[] | null>(
  (value, what) => (value === null ? null : requireIntegers(what, value)),
  (axes) => axes,
)

/** Permutes the axes. Reverses them when `axes` is omitted. */
export function transpose(x: TensorLike, axes?: Named<'axes', readonly number[] | null>): Tensor {
  return permuted(x, readArguments('transpose', { axes: option(axesOrNull, null) }, axes).axes)
}

/**
 * Moves axes to other positions; the other axes keep their order.
 * @param source an axis or several
 * @param destination the position of each in the result
 * @example ops.moveAxis([[1, 2], [3, 4]], 0, 1)   // [[1, 3], [2, 4]]
 */
export function moveAxis(
  x: TensorLike,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  const value = asTensor(x, 'moveAxis')
  const read = (what: string, given: number | readonly number[]): number[] => {
    const axes = typeof given === 'number' ? [requireInteger(what, given)] : requireIntegers(what, given)
    const found = axes.map((axis) => normalizeAxis('moveAxis', axis, value.rank))
    if (new Set(found).size < found.length)
      throw new ArgumentError(`${what} must be different axes, received ${quoted(given)}`)
    return found
  }
  const [froms, tos] = [read('moveAxis: from', source), read('moveAxis: to', destination)]
  if (froms.length !== tos.length)
    throw new ArgumentError(
      `moveAxis: expected a position for each axis, received ${tos.length} for ${froms.length} axes`,
    )
  const order = value.shape.map((_, i) => i).filter((i) => !froms.includes(i))
  // From the first position on, so that later insertions move none of the earlier ones.
  const places = froms.map((axis, i) => ({ axis, at: tos[i]! })).sort((a, b) => a.at - b.at)
  for (const { axis, at } of places) order.splice(at, 0, axis)
  return permuted(value, order)
}
