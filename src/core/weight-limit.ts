// How large weights may be while a model is read from a file: no larger than what the file holds, and all variables together not
// much larger, so that a damaged file does not fill the memory before it is found out.

import { FormatError, formatShape } from './errors'
import type { Shape } from './shapes'
import { sizeOf } from './shapes'

let largest = Infinity
let left = Infinity

/** While `body` runs, layers make no weights of more elements, and all variables together have no more than `total`. */
export function limitWeights<Result>(elements: number, total: number, body: () => Result): Result {
  const outer = [largest, left] as const
  largest = elements
  left = total
  try {
    return body()
  } finally {
    ;[largest, left] = outer
  }
}

/** @param what names the weight */
export function requireWithinLimit(what: string, shape: Shape): void {
  if (sizeOf(shape) <= largest) return
  throw new FormatError(
    `The file is damaged: ${what} ${formatShape(shape)} would be larger than anything that the file holds`,
  )
}

/** Counts a variable before it is made. @param what names it */
export function requireRoom(what: string, shape: Shape): void {
  left -= sizeOf(shape)
  if (left >= 0) return
  throw new FormatError(`The file is damaged: with ${what} ${formatShape(shape)} it would make far more than it holds`)
}
