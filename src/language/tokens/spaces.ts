// Whitespace at the end of a text, in linear time: a RegExp with `$` tries each run of whitespace.

import { WHITESPACE } from './characters'

/** The index where whitespace at the end of a text begins. */
export function endSpaceOf(text: string): number {
  let end = text.length
  while (end > 0 && text[end - 1]!.replace(WHITESPACE, '') === '') end--
  return end
}

/** A text without whitespace at its end. */
export function trimEndOf(text: string): string {
  return text.slice(0, endSpaceOf(text))
}
