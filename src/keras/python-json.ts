// JSON as Python reads and writes it: with NaN, Infinity and -Infinity, which JSON does not have.

import type { Json } from '../core/registry'
import { parseJson } from '../formats/json'

/** A string in the place of NaN that no file has by chance. */
const NAN = '\u0000NaN'
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g

/** The value of a text. @throws FormatError as `parseJson` */
export function parsePythonJson(text: string, what: string): Json {
  let hasNaN = false
  const plain = text.replace(TOKENS, (token) => {
    if (token.startsWith('"')) return token
    if (token !== 'NaN') return token.replace('Infinity', '1e999')
    hasNaN = true
    return JSON.stringify(NAN)
  })
  const value = parseJson(plain, what)
  return hasNaN ? withNaN(value) : value
}

function withNaN(value: Json): Json {
  if (value === NAN) return Number.NaN
  if (Array.isArray(value)) return value.map((each: Json) => withNaN(each))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withNaN(each as Json)]))
}

/** The text of a value. */
export function pythonJson(value: Json): string {
  return JSON.stringify(value, (_key, each: Json) =>
    typeof each === 'number' && !Number.isFinite(each) ? `\u0000${each}` : each,
  ).replace(/"\\u0000(NaN|-?Infinity)"/g, '$1')
}
