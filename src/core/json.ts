// What JSON.parse does not tell: a key that stands twice in one object, of which it keeps the last.

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The first key that an object in a valid JSON text has twice; null where there is none. */
export function repeatedKey(json: string): string | null {
  /** The keys of every object that is open; null for an array. */
  const open: (Set<string> | null)[] = []
  /** The last text, without its quotation marks. */
  let last = ''
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case '"': {
        const begin = i + 1
        while (json.charCodeAt(++i) !== QUOTE) if (json.charCodeAt(i) === BACKSLASH) i++
        last = json.slice(begin, i)
        break
      }
      case '{':
        open.push(new Set())
        break
      case '[':
        open.push(null)
        break
      case '}':
      case ']':
        open.pop()
        break
      case ':': {
        const keys = open.at(-1)!
        const key = last.includes('\\') ? (JSON.parse(`"${last}"`) as string) : last
        if (keys.has(key)) return key
        keys.add(key)
      }
    }
  }
  return null
}
