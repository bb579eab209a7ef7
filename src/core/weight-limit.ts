// Limits on weights while a model is read from a file: no weight may be larger than the file's content, and all
// variables together not much larger, so that a damaged file is detected before it fills the memory.

import { FormatError, formatShape } from './errors'
import type { Shape } from './shapes'
import { sizeOf } from './shapes'

let largest = Infinity
let left = Infinity

/**
 * While `body` runs, no layer may create a weight with more than `elements` elements, and all variables together may
 * have at most `total`.
 */
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

/** @param what the weight's name for errors */
export function requireWithinLimit(what: string, shape: Shape): void {
  if (sizeOf(shape) <= largest) return
  throw new FormatError(`The file is damaged: ${what} ${formatShape(shape)} would be larger than the file's content`)
}

/** Counts a variable before it is created. @param what its name for errors */
export function requireRoom(what: string, shape: Shape): void {
  left -= sizeOf(shape)
  if (left >= 0) return
  throw new FormatError(
    `The file is damaged: with ${what} ${formatShape(shape)} its variables would be far larger than its content`,
  )
}
