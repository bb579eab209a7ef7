// Checks the JSON of a file before its values are used. JSON.parse refuses NaN and Infinity, which Python may write. The depth is
// bounded here, because all code that reads the values is recursive.

import { FormatError } from '../core/errors'
import type { Json } from '../core/registry'

export type JsonRecord = { readonly [key: string]: Json }

/** The depth of nested lists and records that a configuration may have: models in models have some twenty per level. */
const DEEPEST = 400

export function isRecord(value: Json | undefined): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The record of a key; an empty one if there is none. */
export function recordAt(value: JsonRecord, key: string): JsonRecord {
  const found = own(value, key)
  return isRecord(found) ? found : {}
}

/** A number or a string as text; '' for others, whose `toString` a file may replace. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** A value by its key. Not `value[key]`: every object has 'constructor' and similar members. */
export function own(value: JsonRecord, key: string): Json | undefined {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

/**
 * The value of a text.
 * @param what names the text in errors
 * @throws FormatError for text that is not JSON, or nested too deeply
 */
export function parseJson(text: string, what: string): Json {
  let parsed: Json
  try {
    parsed = JSON.parse(text) as Json
  } catch (cause) {
    throw new FormatError(`${what} is not JSON`, { cause })
  }
  let level: Json[] = [parsed]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) throw new FormatError(`${what} has more than ${DEEPEST} levels of lists and records`)
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values<Json>(each) : []))
  }
  return parsed
}
