// The expressions of configurations take bounded time: while a file is read, and whenever a configuration is read again, because it does not
// state whether it comes from a file.

import { boundedIfPossible, boundedPatterns } from '../core/bounded-pattern'
import { withFile } from '../core/file-scope'
import { makePatternsWith } from './match'

/** From now on, expressions given as text take bounded time, too. */
export function boundPatterns(): void {
  makePatternsWith(boundedIfPossible)
}

/** Runs `body`, which reads an object of a file. Its expressions have one limit together. */
export function readPatterns<Result>(body: () => Result): Result {
  // Before, no expression of a file was there. Applications that read no file do without this code.
  boundPatterns()
  return withFile({ makePattern: boundedPatterns() }, body)
}
