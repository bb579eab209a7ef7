// Makes regular expressions of configurations that take bounded time: while a file is read, and whenever a configuration is read again, because
// a configuration does not contain whether it comes from a file.

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
