// Checks the JSON of a file before its values are made. JSON.parse refuses NaN and Infinity, which Python may write. The depth is
// bounded here, because all code that reads the values is recursive, and so is the number of lists and records, which take much memory.

import { FormatError, quoted } from '../../core/errors'
import type { Json } from '../../core/registry'

export type JsonRecord = { readonly [key: string]: Json }

/** The depth of nested lists and records that a configuration may have: models in models have some twenty per level. */
const DEEPEST = 400
/** The lists and records that a configuration may have: 30 MB. */
const MOST_BRANCHES = 2 ** 19

export function isRecord(value: Json | undefined): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is a list, of elements that are not known. */
export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** Whether all elements of a list are numbers. */
export function isNumbers(list: readonly unknown[]): list is readonly number[] {
  return list.every((each) => typeof each === 'number')
}

/** The elements of a list; none of other values. */
export function itemsOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

/** The elements of a list that may be missing. @param where names it in errors. @throws FormatError for another value */
export function listAt(value: Json | undefined, where: string): readonly Json[] {
  if (value === undefined || value === null || Array.isArray(value)) return itemsOf(value)
  throw new FormatError(`${where} must be a list, received ${quoted(value)}`)
}

/** The value that `JSON.stringify` writes for a value of a program; null for undefined and for a function. */
export function jsonValue(value: unknown): Json {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  const text = JSON.stringify(value)
  return text === undefined ? null : parsed(text)
}

/** JSON.parse makes nothing but JSON. */
function parsed(text: string): Json {
  const value: Json = JSON.parse(text)
  return value
}

/** The record of a key; an empty one if there is none. */
export function recordAt(value: JsonRecord, key: string): JsonRecord {
  return recordOf(valueAt(value, key))
}

/** A record; an empty one for other values. */
export function recordOf(value: Json | undefined): JsonRecord {
  return isRecord(value) ? value : {}
}

/** A number or a string as text; '' for others, whose `toString` a file may replace. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** A value by its key. Not `value[key]`: every object has 'constructor' and similar members. */
export function valueAt(value: JsonRecord, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

/**
 * The value of a text.
 * @param what names the text in errors
 * @throws FormatError for text that is not JSON, is nested too deeply, or has too many lists and records
 */
export function parseJson(text: string, what: string): Json {
  requireBounded(text, what)
  try {
    return parsed(text)
  } catch (cause) {
    throw new FormatError(`${what} is not JSON`, { cause })
  }
}

/** Before the text is parsed, because brackets alone can take thirty times the memory of their text. */
function requireBounded(text: string, what: string): void {
  let [depth, branches] = [0, 0]
  for (let i = 0; i < text.length; i++) {
    const unit = text[i]!
    if (unit === '"') while (++i < text.length && text[i] !== '"') i += Number(text[i] === '\\')
    else if (unit === ']' || unit === '}') depth--
    else if (unit === '[' || unit === '{') {
      branches++
      if (++depth > DEEPEST) throw new FormatError(`${what} has more than ${DEEPEST} levels of lists and records`)
      if (branches > MOST_BRANCHES) throw new FormatError(`${what} has more than ${MOST_BRANCHES} lists and records`)
    }
  }
}
