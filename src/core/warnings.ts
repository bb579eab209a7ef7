// Warnings for users: each text once in a program.

const shown = new Set<string>()

/** Prints a warning, unless it was printed before. */
export function warnOnce(text: string): void {
  if (shown.has(text)) return
  shown.add(text)
  console.warn(text)
}

/** Warnings that were printed are printed again. For tests. @internal */
export function forgetWarnings(): void {
  shown.clear()
}
