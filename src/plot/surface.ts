// The answers of a model in a plane as pixels.

import { SERIES, channelsOf } from './colours'
import { rangeOf } from './scales'

/** The shares of the colours in each point of the plane: [points, colours]. */
function sharesOf(answers: ArrayLike<number>, units: number): { shares: ArrayLike<number>; colours: number } {
  if (units > 1) return { shares: answers, colours: units }
  // One unit: a probability of class 1, or any number, from its lowest to its highest.
  const numbers = Array.from(answers)
  const isProbability = numbers.every((each) => each >= 0 && each <= 1)
  const { low, high } = isProbability ? { low: 0, high: 1 } : rangeOf(numbers, 0)
  const shares = numbers.flatMap((each) => {
    const share = (each - low) / (high - low)
    return [1 - share, share]
  })
  return { shares, colours: 2 }
}

/** A pixel for each answer: the colours of the classes, mixed by their shares. */
export function surface(answers: ArrayLike<number>, units: number, points: number): Uint8ClampedArray {
  const { shares, colours } = sharesOf(answers, units)
  const palette = SERIES.map(([light]) => channelsOf(light))
  const rgb = new Uint8ClampedArray(3 * points)
  for (let at = 0; at < points; at++) {
    const own = Array.from({ length: colours }, (_, i) => Math.max(0, shares[at * colours + i]!))
    const sum = own.reduce((total, each) => total + each, 0) || 1
    for (let c = 0; c < 3; c++)
      rgb[3 * at + c] = own.reduce((mix, share, i) => mix + (share / sum) * palette[i % palette.length]![c]!, 0)
  }
  return rgb
}
