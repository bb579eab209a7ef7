// Results for short words, which occur again and again.

const LONGEST_KEPT = 64
const MOST_KEPT = 2 ** 16

/** A function of words that remembers its results for short ones. */
export function withCache<Result>(compute: (word: string) => Result): (word: string) => Result {
  const known = new Map<string, Result>()
  return (word) => {
    const found = known.get(word)
    if (found !== undefined) return found
    const result = compute(word)
    if (word.length > LONGEST_KEPT) return result
    if (known.size === MOST_KEPT) known.clear()
    known.set(word, result)
    return result
  }
}

/** Applies a function to each word of a text, with the spaces before it, and remembers its results. */
export function byWords(change: (word: string) => string): (text: string) => string {
  const changed = withCache(change)
  return (text) => {
    let result = ''
    for (const word of text.match(/ *[^ ]+| +/g) ?? []) result += changed(word)
    return result
  }
}
