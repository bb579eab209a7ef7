// The answers of a model in a plane as pixels.

import { SERIES, channelsOf } from './drawing/colours'
import { rangeOf, type Range } from './drawing/scales'

/** The shares of the colours in each point of a plane, [points, colours]. */
export interface Shares {
  readonly shares: ArrayLike<number>
  readonly colours: number
  /** The numbers of the first and the second colour; null for probabilities. */
  readonly range: Range | null
}

/**
 * Several units are shares of classes. One unit is the probability of class 1 if all numbers lie in 0 … 1; otherwise its range is
 * scaled to 0 … 1.
 */
export function sharesOf(answers: ArrayLike<number>, units: number): Shares {
  if (units > 1) return { shares: answers, colours: units, range: null }
  const numbers = Array.from(answers)
  const range = numbers.every((each) => each >= 0 && each <= 1) ? null : rangeOf(numbers, 0)
  const { low, high } = range ?? { low: 0, high: 1 }
  const shares = numbers.flatMap((each) => {
    const share = (each - low) / (high - low)
    return [1 - share, share]
  })
  return { shares, colours: 2, range }
}

/** A pixel for each point: the colours of the classes, mixed by their shares. */
export function surface({ shares, colours }: Shares, points: number): Uint8ClampedArray {
  const palette = SERIES.map(([light]) => channelsOf(light))
  const rgb = new Uint8ClampedArray(3 * points)
  for (let at = 0; at < points; at++) {
    const mixture = Array.from({ length: colours }, (_, i) => Math.max(0, shares[at * colours + i]!))
    const sum = mixture.reduce((total, each) => total + each, 0) || 1
    for (let c = 0; c < 3; c++)
      rgb[3 * at + c] = mixture.reduce((mix, share, i) => mix + (share / sum) * palette[i % palette.length]![c]!, 0)
  }
  return rgb
}
