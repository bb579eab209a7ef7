// Gradients in float64, compared with central differences of the loss.

import { expect } from 'vitest'
import { generator } from './data'

/** Up to this many elements, each is moved alone. More are moved together, along this many random directions. */
const FEW = 8

/** The largest absolute value in arrays, 0 if they are empty. */
export function largestIn(arrays: readonly ArrayLike<number>[]): number {
  return Math.max(...arrays.map((each) => Array.from(each).reduce((a, x) => Math.max(a, Math.abs(x)), 0)))
}

/**
 * Expects the derivatives of a loss along several directions to be those of its gradient. Every component of a random
 * direction is in ±[½, 1½), so that a wrong element of the gradient shows in each.
 * @param arrays what the loss reads, and this function moves
 * @param gradient for each array
 * @param tolerance of a derivative
 */
export function expectDerivatives(
  lossNow: () => number,
  arrays: readonly Float64Array[],
  gradient: readonly ArrayLike<number>[],
  tolerance: number,
  where: string,
): void {
  const random = generator(29)
  for (const [i, array] of arrays.entries()) {
    const start = array.slice()
    const step = 1e-5 * start.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1)
    for (let k = 0; k < Math.min(array.length, FEW); k++) {
      const direction = start.map((_, at) => {
        if (array.length <= FEW) return Number(at === k)
        return (0.5 + random()) * (random() < 0.5 ? -1 : 1)
      })
      const lossAt = (h: number): number => {
        direction.forEach((slope, at) => (array[at] = start[at]! + h * slope))
        return lossNow()
      }
      const received = direction.reduce((sum, slope, at) => sum + slope * gradient[i]![at]!, 0)
      const expected = (lossAt(step) - lossAt(-step)) / (2 * step)
      const isNear = Math.abs(received - expected) <= tolerance
      if (!isNear) expect(received, `${where}: gradient of ${i} along direction ${k}`).toBe(expected)
    }
    array.set(start)
  }
}
