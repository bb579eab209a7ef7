// JSON as Python reads and writes it: with NaN, Infinity and -Infinity, which JSON does not have, and with whole numbers that are floats.
// Python computes otherwise with 2.0 than with 2, so ops need to know which of them a file has: see `isFloat`.

import type { Json } from '../../core/registry'
import { parseJson } from '../containers/json'

/** What a string begins with that stands for a number. No string of a file does so by chance. */
const MARK = '\u0000'
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b|-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)/g

/** The keys of lists and records at which a file has a whole number as a float. */
const floats = new WeakMap<object, Set<string>>()

/** Whether a parsed list or record has a float at a key: true for 2.0 and 2.5, false for 2. */
export function isFloat(container: object, key: string | number): boolean {
  const value: unknown = Reflect.get(container, key)
  return typeof value === 'number' && (!Number.isInteger(value) || floats.get(container)?.has(String(key)) === true)
}

/** The value of a text. @throws FormatError as `parseJson` */
export function parsePythonJson(text: string, what: string): Json {
  let hasMarks = false
  const plain = text.replace(TOKENS, (token) => {
    if (token.startsWith('"')) return token
    if (token.endsWith('Infinity')) return token.replace('Infinity', '1e999')
    if (token !== 'NaN' && !Number.isInteger(Number(token))) return token
    hasMarks = true
    return JSON.stringify(MARK + token)
  })
  const value = parseJson(plain, what)
  return hasMarks ? withoutMarks(value) : value
}

const isMark = (text: string): boolean =>
  text.startsWith(MARK) && /^(?:NaN|-?\d[\d.eE+-]*)$/.test(text.slice(MARK.length))

/** The value with numbers in place of marks, of which the whole ones are noted as floats. */
function withoutMarks(value: Json): Json {
  if (typeof value === 'string') return isMark(value) ? Number(value.slice(MARK.length)) : value
  if (typeof value !== 'object' || value === null) return value
  const whole = new Set<string>()
  const read = (each: Json, key: string): Json => {
    const made = withoutMarks(each)
    if (typeof each === 'string' && Number.isInteger(made)) whole.add(key)
    return made
  }
  const made: Json = Array.isArray(value)
    ? value.map((each: Json, i) => read(each, String(i)))
    : Object.fromEntries(Object.entries(value).map(([key, each]) => [key, read(each as Json, key)]))
  if (whole.size > 0) floats.set(made as object, whole)
  return made
}

/** A number that `pythonJson` writes as a float of Python: 2.0 for 2, and -0.0. */
export function pythonFloat(value: number): Json {
  if (!Number.isInteger(value)) return value
  const digits = Object.is(value, -0) ? '-0' : String(value)
  return `${MARK}${digits}${digits.includes('e') ? '' : '.0'}`
}

/** The text of a value. */
export function pythonJson(value: Json): string {
  return JSON.stringify(value, (_key, each: Json) =>
    typeof each === 'number' && !Number.isFinite(each) ? MARK + String(each) : each,
  ).replace(/"\\u0000(NaN|-?Infinity|-?\d[\d.e+]*)"/g, '$1')
}
