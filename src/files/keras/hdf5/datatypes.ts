// The types of elements, as a file describes them: readDatatype and encodeDatatype.

import { concatBytes } from '../../../core/bytes'
import { quoted } from '../../../core/errors'
import { isKeyOf, keysOf } from '../../../core/keys'
import type { Cursor, FileBytes } from './bytes'
import { padded, uint, utf8, type FixedText } from './encode'
import type { Hdf5Type } from './types'

export interface Datatype {
  readonly type: Hdf5Type
  /** The bytes of one element. */
  readonly size: number
  readonly isBigEndian: boolean
  /** Where a string ends: at its first zero, before the last zeros or spaces, or in a heap. */
  readonly text: 'terminated' | 'zeros' | 'spaces' | 'variable' | null
  /** Whether it is bytes without a meaning, so that an attribute of the dataset must give the type. */
  readonly isOpaque: boolean
}

const INTEGER = 0
const FLOAT = 1
const STRING = 3
const OPAQUE = 5
const ENUMERATION = 8
const VARIABLE = 9

const SIGNED = 8
/** Strings end before their last zeros. */
const ZEROS = 1
const UTF8 = 1
/** The mantissa begins with a 1 that is not stored. */
const IMPLIED_ONE = 0x20

/** Classes of types without a reader here. */
const refused: Readonly<Record<number, string>> = {
  2: 'times',
  4: 'bit fields',
  6: 'compound types',
  7: 'references',
  10: 'arrays as elements',
  11: 'complex numbers',
}

/** Bytes; offset and bits of the exponent; offset and bits of the mantissa; position of the sign; bias. */
type Float = readonly [number, number, number, number, number, number, number]

const floats = {
  float16: [2, 10, 5, 0, 10, 15, 15],
  bfloat16: [2, 7, 8, 0, 7, 15, 127],
  float32: [4, 23, 8, 0, 23, 31, 127],
  float64: [8, 52, 11, 0, 52, 63, 1023],
} as const satisfies { readonly [type in Hdf5Type]?: Float }

/** Bytes; whether there is a sign. */
type Integer = readonly [number, boolean]

const integers = {
  int8: [1, true],
  int16: [2, true],
  int32: [4, true],
  int64: [8, true],
  uint8: [1, false],
  uint16: [2, false],
  uint32: [4, false],
  uint64: [8, false],
} as const satisfies { readonly [type in Hdf5Type]?: Integer }

/** class 4 bits, version 4 bits; bits 3; size 4; properties of the class */
export function readDatatype(file: FileBytes, data: Cursor): Datatype {
  const head = data.uint(1)
  const version = head >> 4
  if (version < 1 || version > 5) throw file.fail(`version ${version} of a type is not supported`)
  const bits = data.uint(3)
  const size = data.uint(4)
  const isBigEndian = (bits & 1) === 1
  const plain = { size, isBigEndian, text: null, isOpaque: false }
  const kind = head & 15
  if (kind === INTEGER) return { ...plain, type: readInteger(file, data, bits, size) }
  if (kind === FLOAT) return { ...plain, type: readFloat(file, data, bits, size) }
  if (kind === STRING && size > 0) {
    const text = (['terminated', 'zeros', 'spaces'] as const)[bits & 15]
    if (text !== undefined) return { type: 'string', size, isBigEndian: false, text, isOpaque: false }
  }
  if (kind === OPAQUE) {
    if (size !== 2) throw file.fail(`opaque elements of ${size} bytes are not supported`)
    return { type: 'bfloat16', size, isBigEndian: false, text: null, isOpaque: true }
  }
  if (kind === ENUMERATION) return readBool(file, data, bits & 0xffff, version)
  if (kind === VARIABLE) {
    if ((bits & 15) !== 1) throw file.fail('lists of variable length are not supported')
    if (size === 16) return { type: 'string', size, isBigEndian: false, text: 'variable', isOpaque: false }
  }
  if (Object.hasOwn(refused, kind)) throw file.fail(`${refused[kind]} are not supported`)
  throw file.fail(`the file is damaged: a type of class ${kind} and ${size} bytes`)
}

/** The type with these properties. */
function typeWith<Type extends string>(
  file: FileBytes,
  table: Readonly<Record<Type, readonly unknown[]>>,
  properties: readonly unknown[],
  what: string,
): Type {
  const type = keysOf(table).find((each) => table[each].every((property, i) => property === properties[i]))
  if (type === undefined) throw file.fail(`${what} of the form ${quoted(properties)} are not supported`)
  return type
}

/** offset 2, bits 2 */
function readInteger(file: FileBytes, data: Cursor, bits: number, size: number): Hdf5Type {
  if (data.uint(2) !== 0 || data.uint(2) !== size * 8) throw file.fail('integers with unused bits are not supported')
  return typeWith(file, integers, [size, (bits & SIGNED) !== 0], 'integers')
}

/** offset 2, bits 2, offset and bits of the exponent 2, of the mantissa 2, bias 4 */
function readFloat(file: FileBytes, data: Cursor, bits: number, size: number): Hdf5Type {
  if (bits & 0x40) throw file.fail('floats in the byte order of the VAX are not supported')
  data.take(4)
  const fields = [data.uint(1), data.uint(1), data.uint(1), data.uint(1)]
  return typeWith(file, floats, [size, ...fields, (bits >> 8) & 0xff, data.uint(4)], 'floats')
}

/** h5py stores bool as an enumeration of int8: FALSE 0, TRUE 1. */
function readBool(file: FileBytes, data: Cursor, count: number, version: number): Datatype {
  const base = readDatatype(file, data)
  const wrong = (): Error => file.fail('enumerations other than bool (FALSE = 0, TRUE = 1, of int8) are not supported')
  if (count !== 2 || base.type !== 'int8') throw wrong()
  const names = [0, 1].map(() => {
    const start = data.rest
    const name = data.terminatedName()
    // Padded to a multiple of 8 bytes.
    if (version < 3) data.take((8 - ((start - data.rest) % 8)) % 8)
    return name
  })
  const values = [data.uint(1), data.uint(1)]
  if (values[names.indexOf('FALSE')] !== 0 || values[names.indexOf('TRUE')] !== 1) throw wrong()
  return { ...base, type: 'bool' }
}

/** What the values of an array are in a file. */
export function encodeDatatype(type: Hdf5Type, text: FixedText | null): Uint8Array {
  if (type === 'bfloat16') return head(OPAQUE, 0, 2)
  if (type === 'bool') {
    const names = ['FALSE', 'TRUE'].map((name) => padded(utf8(name), 8))
    return concatBytes([head(ENUMERATION, 2, 1), encodeDatatype('int8', null), ...names, Uint8Array.of(0, 1)])
  }
  if (type === 'string') {
    if (text === null) return concatBytes([head(VARIABLE, 1 | (UTF8 << 8), 16), encodeDatatype('uint8', null)])
    return head(STRING, ZEROS | ((text.isAscii ? 0 : UTF8) << 4), text.size)
  }
  if (isKeyOf(integers, type)) {
    const [size, isSigned] = integers[type]
    return concatBytes([head(INTEGER, isSigned ? SIGNED : 0, size), uint(0, 2), uint(size * 8, 2)])
  }
  const [size, exponentAt, exponent, mantissaAt, mantissa, sign, bias] = floats[type]
  const fields = Uint8Array.of(exponentAt, exponent, mantissaAt, mantissa)
  return concatBytes([
    head(FLOAT, IMPLIED_ONE | (sign << 8), size),
    uint(0, 2),
    uint(size * 8, 2),
    fields,
    uint(bias, 4),
  ])
}

function head(kind: number, bits: number, size: number): Uint8Array {
  return concatBytes([uint(kind | (1 << 4), 1), uint(bits, 3), uint(size, 4)])
}
