// The numbers of each type as bytes: one row per type, for reading and for writing.

import type { Hdf5Numbers, Hdf5Type } from './types'

export type NumberType = Exclude<Hdf5Type, 'string'>

interface Numbers {
  readonly BYTES_PER_ELEMENT: number
  new (count: number): Hdf5Numbers
  new (buffer: ArrayBufferLike, at: number, count: number): Hdf5Numbers
}

interface Elements {
  /** Bytes in a file. */
  readonly size: number
  /** The array of the values. */
  readonly array: Numbers
  /** Whether that array has the bytes of a little-endian file. */
  readonly isNative: boolean
  get(view: DataView, at: number, isLittle: boolean): number
  /** Writes little-endian bytes. */
  set(view: DataView, at: number, value: number): void
}

type Native = 'Float32' | 'Float64' | 'Int8' | 'Uint8' | 'Int16' | 'Uint16' | 'Int32' | 'Uint32'

function native(name: Native, array: Numbers): Elements {
  return {
    size: array.BYTES_PER_ELEMENT,
    array,
    isNative: true,
    get: (view, at, isLittle) => view[`get${name}`](at, isLittle),
    set: (view, at, value) => view[`set${name}`](at, value, true),
  }
}

function other(size: number, array: Numbers, get: Elements['get'], set: Elements['set']): Elements {
  return { size, array, isNative: false, get, set }
}

const half = (decode: (bits: number) => number, encode: (value: number) => number): Elements =>
  other(
    2,
    Float32Array,
    (view, at, isLittle) => decode(view.getUint16(at, isLittle)),
    (view, at, value) => view.setUint16(at, encode(value), true),
  )

export const elements: Readonly<Record<NumberType, Elements>> = {
  float16: half(fromFloat16, toFloat16),
  bfloat16: half(fromBfloat16, toBfloat16),
  float32: native('Float32', Float32Array),
  float64: native('Float64', Float64Array),
  int8: native('Int8', Int8Array),
  uint8: native('Uint8', Uint8Array),
  int16: native('Int16', Int16Array),
  uint16: native('Uint16', Uint16Array),
  int32: native('Int32', Int32Array),
  uint32: native('Uint32', Uint32Array),
  int64: other(
    8,
    Float64Array,
    (view, at, isLittle) => Number(view.getBigInt64(at, isLittle)),
    (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  ),
  uint64: other(
    8,
    Float64Array,
    (view, at, isLittle) => Number(view.getBigUint64(at, isLittle)),
    (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  ),
  bool: other(
    1,
    Uint8Array,
    (view, at) => Math.min(view.getUint8(at), 1),
    (view, at, value) => view.setUint8(at, Math.min(value, 1)),
  ),
}

/** sign 1 bit, exponent 5, mantissa 10 */
function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? mantissa : mantissa + 1024) * 2 ** (Math.max(exponent, 1) - 25)
}

/** Rounds to the nearest, ties to even. */
function toFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = bitsOf(value) & 0x80000000 ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= 65_520) return sign | 0x7c00
  // Below 2⁻¹⁴ the steps are those of the smallest exponent.
  const exponent = Math.max(((bitsOf(size) >> 23) & 255) - 127, -14)
  const steps = size / 2 ** (exponent - 10)
  const isTie = steps % 1 === 0.5
  return sign | (((exponent + 14) << 10) + (isTie ? 2 * Math.round(steps / 2) : Math.round(steps)))
}

/** The upper half of a float32. */
function fromBfloat16(bits: number): number {
  word[0] = bits << 16
  return float[0]!
}

/** Rounds to the nearest, ties to even. */
function toBfloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0
  const bits = bitsOf(value)
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}

const word = /* @__PURE__ */ new Uint32Array(1)
const float = /* @__PURE__ */ new Float32Array(word.buffer)

function bitsOf(value: number): number {
  float[0] = value
  return word[0]!
}
