// moveAxis for several axes, and transpose with its axes by name. Internal code calls the functions of shape.ts, which are in every bundle.

import { operand, wholeOrWholes, wholes } from '../kinds'
import { arg, op, optional } from '../op'
import { ArgumentError, quoted } from '../../core/errors'
import { nullable } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { asTensor } from '../convert'
import type { Tensor } from '../tensor'
import { transpose as permuted } from './shape'

export const transpose = op(
  () => [arg('x', operand), optional('axes', nullable(wholes()))],
  {
    /** Permutes the axes. Reverses them when `axes` is omitted. */
    transpose(x, axes = null): Tensor {
      return permuted(x, axes)
    },
  },
  { rearranges: true },
)

export const moveAxis = op(
  () => [arg('x', operand), arg('source', wholeOrWholes()), arg('destination', wholeOrWholes())],
  {
    /**
     * Moves axes to other positions; the other axes keep their order.
     * @param source an axis or several
     * @param destination the position of each in the result
     * @example ops.moveAxis([[1, 2], [3, 4]], 0, 1)   // [[1, 3], [2, 4]]
     */
    moveAxis(x, source, destination): Tensor {
      const value = asTensor(x, 'moveAxis')
      const located = (name: 'source' | 'destination', places: number | readonly number[]): number[] => {
        const axes = typeof places === 'number' ? [places] : places
        const found = axes.map((axis) => normalizeAxis('moveAxis', axis, value.rank))
        if (new Set(found).size < found.length)
          throw new ArgumentError(`moveAxis: ${name} must be different axes, received ${quoted(places)}`)
        return found
      }
      const [froms, tos] = [located('source', source), located('destination', destination)]
      if (froms.length !== tos.length)
        throw new ArgumentError(
          `moveAxis: expected a position for each axis, received ${tos.length} for ${froms.length} axes`,
        )
      const order = value.shape.map((_, i) => i).filter((i) => !froms.includes(i))
      // From the first position on, so that later insertions move none of the earlier ones.
      const places = froms.map((axis, i) => ({ axis, at: tos[i]! })).sort((a, b) => a.at - b.at)
      for (const { axis, at } of places) order.splice(at, 0, axis)
      return permuted(value, order)
    },
  },
  { rearranges: true },
)
