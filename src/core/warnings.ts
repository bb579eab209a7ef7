// Prints warnings for users. Characters that act on a terminal are escaped, because names may come from files.

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

/** Forgets which warnings were printed. For tests. @internal */
export function forgetWarnings(): void {
  shown.clear()
}
