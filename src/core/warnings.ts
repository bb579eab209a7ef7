// Warnings for users, which print nothing that acts on a terminal: names may be of files.

import { printable } from './errors'

/** Prints a warning. */
export function warn(text: string): void {
  console.warn(printable(text, true))
}

const shown = new Set<string>()

/** Prints a warning, unless it was printed before. */
export function warnOnce(text: string): void {
  if (shown.has(text)) return
  shown.add(text)
  warn(text)
}

/** Warnings that were printed are printed again. For tests. @internal */
export function forgetWarnings(): void {
  shown.clear()
}
