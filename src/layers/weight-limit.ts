// How large weights may be while a model is read from a file: no larger than what the file holds, so that a damaged one
// does not fill the memory before it is found out.

import { FormatError, formatShape } from '../core/errors'
import type { Shape } from '../core/shapes'
import { sizeOf } from '../core/shapes'

let largest = Infinity

/** While `body` runs, layers make no weights of more elements. */
export function limitWeights<Result>(elements: number, body: () => Result): Result {
  const outer = largest
  largest = elements
  try {
    return body()
  } finally {
    largest = outer
  }
}

/** @param what names the weight */
export function requireWithinLimit(what: string, shape: Shape): void {
  if (sizeOf(shape) <= largest) return
  throw new FormatError(
    `The file is damaged: ${what} ${formatShape(shape)} would be larger than anything that the file holds`,
  )
}
