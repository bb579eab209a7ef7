// Bounds the time of the regular expressions in configurations. It does so while a file is read and, because a configuration does not
// contain whether it comes from a file, for all configurations that are read afterwards.

import { boundedIfPossible, boundedPatterns } from '../core/bounded-pattern'
import { withFile } from '../core/file-scope'
import { makePatternsWith } from './match'

/** From now on, expressions that are passed as text take bounded time, too. */
export function boundPatterns(): void {
  makePatternsWith(boundedIfPossible)
}

/** Runs `body`, which reads an object of a file. All expressions in the file share one limit. */
export function readPatterns<Result>(body: () => Result): Result {
  // Until a file is read, no expression comes from a file. So applications that read no file do not contain this code.
  boundPatterns()
  return withFile({ makePattern: boundedPatterns() }, body)
}
