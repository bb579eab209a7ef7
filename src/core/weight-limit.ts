// Limits on weights while a model is read from a file: no weight may be larger than the file's content, and all
// variables together not much larger, so that a damaged file is detected before it fills the memory. Initializers do not run
// for weights that the file fills.

import { FormatError, formatShape } from './errors'
import { fileScope, withFile } from './file-scope'
import { sizeOf, type Shape } from './shapes'

/** The number of elements that variables outside the file may have together, such as those of metrics: 64 MB. */
export const SPARE_ELEMENTS = 2 ** 24

/**
 * While `body` runs, no layer may create a weight with more than `elements` elements, and all variables together may
 * have at most `total`.
 */
export function limitWeights<Result>(elements: number, total: number, body: () => Result): Result {
  return withFile({ limit: { largest: elements, left: total } }, body)
}

/** Checks a weight before it is created. @param what its name for errors */
export function requireWithinLimit(what: string, shape: Shape): void {
  if (sizeOf(shape) <= (fileScope().limit?.largest ?? Infinity)) return
  throw new FormatError(
    `The file is damaged: ${what} ${formatShape(shape)} would be larger than the content of the file`,
  )
}

/** Counts a variable before it is created. @param what its name for errors */
export function requireRoom(what: string, shape: Shape): void {
  const limit = fileScope().limit
  if (limit === undefined || (limit.left -= sizeOf(shape)) >= 0) return
  throw new FormatError(
    `The file is damaged: with ${what} ${formatShape(shape)} the variables would be far larger than the file`,
  )
}
