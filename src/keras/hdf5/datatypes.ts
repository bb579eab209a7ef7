// The types of elements, as a file describes them.

import { quoted } from '../../core/errors'
import type { Cursor, FileBytes } from './bytes'
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

/** Classes of types without a reader here. */
const refused: Readonly<Record<number, string>> = {
  2: 'times',
  4: 'bit fields',
  6: 'compound types',
  7: 'references',
  10: 'arrays as elements',
  11: 'complex numbers',
}

/** Floats by the bytes; offset and bits of the exponent, of the mantissa; position of the sign; bias. */
const floats: Readonly<Record<string, Hdf5Type>> = {
  '2: 10 5, 0 10, 15, 15': 'float16',
  '2: 7 8, 0 7, 15, 127': 'bfloat16',
  '4: 23 8, 0 23, 31, 127': 'float32',
  '8: 52 11, 0 52, 63, 1023': 'float64',
}

/** Integers by whether they are signed, and the bytes. */
const integers: Readonly<Record<string, Hdf5Type>> = {
  'signed 1': 'int8',
  'signed 2': 'int16',
  'signed 4': 'int32',
  'signed 8': 'int64',
  'unsigned 1': 'uint8',
  'unsigned 2': 'uint16',
  'unsigned 4': 'uint32',
  'unsigned 8': 'uint64',
}

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
  if (kind === 0) return { ...plain, type: known(file, integers, integerKey(data, bits, size), 'integers') }
  if (kind === 1) return { ...plain, type: known(file, floats, floatKey(file, data, bits, size), 'floats') }
  if (kind === 3 && size > 0) {
    const text = (['terminated', 'zeros', 'spaces'] as const)[bits & 15]
    if (text !== undefined) return { type: 'string', size, isBigEndian: false, text, isOpaque: false }
  }
  if (kind === 5) {
    if (size !== 2) throw file.fail(`opaque elements of ${size} bytes are not supported`)
    return { type: 'bfloat16', size, isBigEndian: false, text: null, isOpaque: true }
  }
  if (kind === 8) return readBool(file, data, bits & 0xffff, version)
  if (kind === 9) {
    if ((bits & 15) !== 1) throw file.fail('lists of variable length are not supported')
    if (size === 16) return { type: 'string', size, isBigEndian: false, text: 'variable', isOpaque: false }
  }
  if (Object.hasOwn(refused, kind)) throw file.fail(`${refused[kind]} are not supported`)
  throw file.fail(`the file is damaged: a type of class ${kind} and ${size} bytes`)
}

function known(file: FileBytes, table: Readonly<Record<string, Hdf5Type>>, key: string, what: string): Hdf5Type {
  const type = Object.hasOwn(table, key) ? table[key] : undefined
  if (type === undefined) throw file.fail(`${what} of the form ${quoted(key)} are not supported`)
  return type
}

function integerKey(data: Cursor, bits: number, size: number): string {
  const offset = data.uint(2)
  const precision = data.uint(2)
  const sign = bits & 8 ? 'signed' : 'unsigned'
  return offset === 0 && precision === size * 8 ? `${sign} ${size}` : `${sign} ${size}: ${precision} bits at ${offset}`
}

function floatKey(file: FileBytes, data: Cursor, bits: number, size: number): string {
  if (bits & 0x40) throw file.fail('floats in the byte order of the VAX are not supported')
  data.take(4)
  const [exponentAt, exponent, mantissaAt, mantissa] = [data.uint(1), data.uint(1), data.uint(1), data.uint(1)]
  return `${size}: ${exponentAt} ${exponent}, ${mantissaAt} ${mantissa}, ${(bits >> 8) & 0xff}, ${data.uint(4)}`
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
