// Bytes from numbers, texts and arrays.

import { encodeUtf8, wellFormed } from '../../../core/text'
import { concatBytes } from '../../../core/bytes'
import { ArgumentError, formatShape, quoted } from '../../../core/errors'
import { sizeOf } from '../../../core/shapes'
import { elements } from './elements'
import type { Hdf5Array } from './types'

/** A little-endian number. */
export function uint(value: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** i))
}

/** The address of what is nowhere. */
export const UNDEFINED = /* @__PURE__ */ new Uint8Array(8).fill(0xff)

/** Followed by zeros, up to a multiple of a number of bytes. */
export function padded(bytes: Uint8Array, multiple: number): Uint8Array {
  return concatBytes([bytes], Math.ceil(bytes.length / multiple) * multiple)
}

/** @throws ArgumentError for text that a file cannot store */
export function utf8(text: string): Uint8Array {
  if (text.includes('\0') || wellFormed(text) !== text)
    throw new ArgumentError(`HDF5 cannot store ${quoted(text)}: it contains U+0000 or half of a surrogate pair`)
  return encodeUtf8(text)
}

/** The form of strings of one length. */
export interface FixedText {
  readonly size: number
  readonly isAscii: boolean
}

/** The encoded strings of an array. A scalar has no fixed form: its bytes are in a heap. */
export interface EncodedText {
  readonly texts: readonly Uint8Array[]
  readonly fixed: FixedText | null
}

export function encodeTexts({ shape, values }: Hdf5Array, path: string): EncodedText {
  const texts = Array.from<unknown, Uint8Array>(values, (value) => {
    if (typeof value !== 'string') throw new ArgumentError(`${path}: expected strings, received ${quoted(value)}`)
    return utf8(value)
  })
  if (shape.length === 0) return { texts, fixed: null }
  const size = texts.reduce((most, { length }) => Math.max(most, length), 1)
  return { texts, fixed: { size, isAscii: texts.every((text) => text.every((byte) => byte < 0x80)) } }
}

/** The bytes of numbers: a view if they are the same. */
export function encodeNumbers({ type, values }: Hdf5Array, path: string): Uint8Array {
  if (type === 'string') throw new ArgumentError(`${path}: expected numbers`)
  const { array, size, isNative, set } = elements[type]
  if (!(values instanceof array)) throw new ArgumentError(`${path}: values of ${type} must be a ${array.name}`)
  if (isNative) return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  if (type === 'int64' || type === 'uint64') {
    const wrong = values.find((value) => !Number.isSafeInteger(value) || (type === 'uint64' && value < 0))
    if (wrong !== undefined) throw new ArgumentError(`${path}: ${wrong} is not an integer of ${type}`)
  }
  const bytes = new Uint8Array(values.length * size)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < values.length; i++) set(view, i * size, values[i]!)
  return bytes
}

/** @throws ArgumentError if the number of values does not fit the shape */
export function requireCount({ shape, values }: Hdf5Array, path: string): void {
  if (values.length !== sizeOf(shape))
    throw new ArgumentError(`${path}: ${values.length} values for the shape ${formatShape(shape)}`)
}
