// Reads the values of tokenizer.json with typed errors that name the file and the part.

import { FormatError, quoted } from '../../core/errors'
import { isRecord, valueAt, type JsonRecord } from '../../files/containers/json'
import type { Json } from '../../core/registry'

export function recordField(record: JsonRecord, key: string, where: string): JsonRecord {
  const value = valueAt(record, key)
  if (isRecord(value)) return value
  throw new FormatError(`${where}: '${key}' must be an object, received ${quoted(value)}`)
}

export function textField(record: JsonRecord, key: string, where: string, fallback?: string): string {
  const value = valueAt(record, key) ?? fallback
  if (typeof value === 'string') return value
  throw new FormatError(`${where}: '${key}' must be a string, received ${quoted(value)}`)
}

/** A whole number that is not negative. */
export function countField(record: JsonRecord, key: string, where: string, fallback?: number): number {
  const value = valueAt(record, key) ?? fallback
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new FormatError(`${where}: '${key}' must be a whole number of at least 0, received ${quoted(value)}`)
}

export function flagField(record: JsonRecord, key: string, where: string, fallback: boolean): boolean {
  const value = valueAt(record, key) ?? fallback
  if (typeof value === 'boolean') return value
  throw new FormatError(`${where}: '${key}' must be true or false, received ${quoted(value)}`)
}

/** What makes a part of a tokenizer from its record. */
export type PartTable<Part> = Readonly<Record<string, (record: JsonRecord, where: string) => Part>>

/**
 * Makes a part of a tokenizer by the kind that its record names.
 * @param what names the part in errors, such as 'normalizer'
 * @throws FormatError for a kind that the table lacks
 */
export function partOf<Part>(value: Json | undefined, what: string, where: string, table: PartTable<Part>): Part {
  if (!isRecord(value)) throw new FormatError(`${where}: the ${what} must be an object, received ${quoted(value)}`)
  const kind = textField(value, 'type', `${where}, ${what}`)
  if (!Object.hasOwn(table, kind)) {
    throw new FormatError(
      `${where}: the ${what} '${kind}' is not supported. Supported are ${Object.keys(table).join(', ')}`,
    )
  }
  return table[kind]!(value, `${where}, ${what} '${kind}'`)
}
