// Converts the attributes of the nodes in a GraphDef (JSON) to those of ONNX, which operators read. JSON omits values that are 0,
// false or empty.
//
//   { i: '3' }  { f: 0.5 }  { b: true }  { s: base64 }  { type: 'DT_FLOAT' }  { shape: { dim: [{ size: '-1' }] } }  { list: { i: [] } }

import { encodeUtf8 } from '../../../core/text'
import { fromBase64 } from '../../../core/base64'
import { FormatError, quoted } from '../../../core/errors'
import type { Json } from '../../../core/registry'
import { isNumbers, isRecord, itemsOf, valueAt, type JsonRecord } from '../../containers/json'
import type { AttributeProto, Dimension } from '../../onnx/proto'
import { types, type ElementType } from '../../onnx/types'

/** TensorFlow.js computes with 32 bits for all dtypes of a file. */
const DTYPES: Readonly<Record<string, ElementType>> = {
  DT_FLOAT: 'float32',
  DT_HALF: 'float32',
  DT_BFLOAT16: 'float32',
  DT_DOUBLE: 'float32',
  DT_INT32: 'int32',
  DT_INT64: 'int32',
  DT_INT16: 'int32',
  DT_INT8: 'int32',
  DT_UINT16: 'int32',
  DT_UINT8: 'int32',
  DT_BOOL: 'bool',
  DT_STRING: 'string',
}

/** The numbers of dtypes, which some files have in place of names. */
const NUMBERS = [
  '',
  'DT_FLOAT',
  'DT_DOUBLE',
  'DT_INT32',
  'DT_UINT8',
  'DT_INT16',
  'DT_INT8',
  'DT_STRING',
  'DT_COMPLEX64',
]
const MORE_NUMBERS: Readonly<Record<number, string>> = {
  9: 'DT_INT64',
  10: 'DT_BOOL',
  14: 'DT_BFLOAT16',
  19: 'DT_HALF',
}

/** The number of an ONNX type that is not read. */
const COMPLEX = 14

/** The number of the ONNX type for a dtype: 0 if it is missing or unknown. */
export function typeCode(dtype: Json | undefined): number {
  const name = typeof dtype === 'number' ? (NUMBERS[dtype] ?? MORE_NUMBERS[dtype]) : dtype
  if (name === 'DT_COMPLEX64' || name === 'DT_COMPLEX128') return COMPLEX
  return typeof name === 'string' && Object.hasOwn(DTYPES, name) ? types[DTYPES[name]!].code : 0
}

/** An attribute of ONNX with a value. */
export function attributeOf(
  name: string,
  value: number | string | readonly number[] | readonly Uint8Array[],
): AttributeProto {
  const list = typeof value === 'object' ? value : []
  const [numbers, strings] = isNumbers(list) ? [Float64Array.from(list), []] : [new Float64Array(0), list]
  const number = typeof value === 'number' ? value : 0
  return {
    name,
    float: number,
    integer: number,
    string: typeof value === 'string' ? encodeUtf8(value) : null,
    tensor: null,
    graph: null,
    floats: numbers,
    integers: numbers,
    strings,
    type: 0,
    reference: '',
  }
}

/** Attributes that no operator reads. Some of them are long. */
const UNUSED = new Set(['value', '_output_shapes', '_class', '_xla_inferred_shapes'])

/** @param where names the node in errors */
export function attributesOf(attributes: JsonRecord, where: string): AttributeProto[] {
  return Object.entries(attributes).flatMap(([name, value]) => {
    if (UNUSED.has(name)) return []
    if (isRecord(value)) return attributeFrom(name, value, `${where}: the attribute ${name}`) ?? []
    throw new FormatError(`${where}: the attribute ${name} must be a record, received ${quoted(value)}`)
  })
}

/** The attributes that operators may read. */
export function keptAttributes(attributes: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !UNUSED.has(name)))
}

function attributeFrom(name: string, value: JsonRecord, where: string): AttributeProto | null {
  const [key = ''] = Object.keys(value)
  const found = valueAt(value, key)
  switch (key) {
    case '':
      return attributeOf(name, 0)
    case 'i':
    case 'f':
      return attributeOf(name, numberFrom(found, where))
    case 'b':
      return attributeOf(name, Number(found === true))
    case 's':
      return { ...attributeOf(name, 0), string: bytesFrom(found, where) }
    case 'type':
      return attributeOf(name, typeCode(found))
    case 'shape':
      return attributeOf(name, dimensionsOf(found, where)?.map((each) => each.value ?? -1) ?? [])
    case 'list':
      return isRecord(found) ? attributeOf(name, listFrom(found, where)) : null
    default:
      // Functions and tensors: no operator here has such attributes.
      return null
  }
}

function listFrom(list: JsonRecord, where: string): readonly number[] | readonly Uint8Array[] {
  const [key = '', items] = Object.entries(list).find(([, each]) => Array.isArray(each) && each.length > 0) ?? []
  const all = itemsOf(items)
  if (key === 'i' || key === 'f') return all.map((each) => numberFrom(each, where))
  if (key === 's') return all.map((each) => bytesFrom(each, where))
  return key === 'type' ? all.map(typeCode) : []
}

/** int64 is text in JSON, as are NaN and infinity. */
function numberFrom(value: Json | undefined, where: string): number {
  const number = typeof value === 'string' ? Number(value) : value
  if (typeof number === 'number' && (value === 'NaN' || !Number.isNaN(number))) return number
  throw new FormatError(`${where} must be a number, received ${quoted(value)}`)
}

/** Bytes are base64, or a list of numbers. */
function bytesFrom(value: Json | undefined, where: string): Uint8Array {
  if (Array.isArray(value)) return Uint8Array.from(value, Number)
  try {
    return fromBase64(String(value ?? ''))
  } catch {
    throw new FormatError(`${where} must be base64, received ${quoted(value)}`)
  }
}

/** The extents of a shape, with null for an open one. Returns null if the rank is unknown. */
export function dimensionsOf(shape: Json | undefined, where: string): Dimension[] | null {
  if (!isRecord(shape) || valueAt(shape, 'unknownRank') === true) return null
  const dims = valueAt(shape, 'dim') ?? []
  if (!Array.isArray(dims)) throw new FormatError(`${where}: the shape ${quoted(shape)} is not a list of extents`)
  return dims.map((each: Json) => {
    const size = numberFrom(isRecord(each) ? (valueAt(each, 'size') ?? 0) : each, `${where}: an extent`)
    if (!Number.isSafeInteger(size)) throw new FormatError(`${where}: an extent must be an integer, received ${size}`)
    return { value: size < 0 ? null : size, name: '' }
  })
}
