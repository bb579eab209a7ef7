// sparkline: numbers as a line of characters.

import { requireArguments } from '../core/arguments'
import { ArgumentError, quoted } from '../core/errors'
import { count, option, readOptions } from '../core/options'
import { barsOf } from '../engine/runtime/terminal'

/** The mean of each of at most `most` groups of neighbours; NaN where a group has no number. */
function averaged(values: readonly number[], most: number): number[] {
  if (values.length <= most) return [...values]
  return Array.from({ length: most }, (_, i) => {
    const from = Math.floor((i * values.length) / most)
    const group = values.slice(from, Math.floor(((i + 1) * values.length) / most)).filter(Number.isFinite)
    return group.length === 0 ? NaN : group.reduce((sum, each) => sum + each / group.length, 0)
  })
}

export interface SparklineOptions {
  /** The most characters; more numbers are averaged. Default 40. */
  readonly width?: number
}

/**
 * Numbers as a line of bars, from the lowest to the highest: `█▆▄▃▂▁`. A missing number is a blank, and numbers that are all
 * equal are bars of half the height.
 *
 *   sparkline(history.history.loss)
 */
export function sparkline(values: ArrayLike<number>, options: SparklineOptions = {}): string {
  requireArguments('sparkline', arguments, 2)
  const { width } = readOptions('sparkline', { width: option(count, 40) }, options)
  if (typeof values !== 'object' || values === null || typeof values.length !== 'number')
    throw new ArgumentError(`sparkline: needs a list of numbers, received ${quoted(values)}`)
  return barsOf(averaged(Array.from(values, Number), width))
}
