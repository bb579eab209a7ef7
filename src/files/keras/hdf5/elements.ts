// The numbers of each type as bytes: one row per type, for reading and for writing.

import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../../core/half'
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
