// Finds a key that occurs twice in one object; JSON.parse silently keeps the last value.

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** The first key that occurs twice in an object of a valid JSON text; null if there is none. */
export function repeatedKey(json: string): string | null {
  /** The keys of every open object; null for an array. */
  const open: (Set<string> | null)[] = []
  /** The last string, without its quotation marks. */
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
        const key = last.includes('\\') ? String(JSON.parse(`"${last}"`)) : last
        if (keys.has(key)) return key
        keys.add(key)
      }
    }
  }
  return null
}
