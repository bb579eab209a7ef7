// The element types of ONNX: their numbers, how files store them, and what computes with them here. int64 elements are
// doubles in JavaScript, exact up to 2⁵³; kernels compute with float32 and int32.

import type { DType } from '../../core/dtypes'
import { keysOf } from '../../core/keys'

export type ElementType =
  | 'float32'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'string'
  | 'bool'
  | 'float16'
  | 'float64'
  | 'uint32'
  | 'uint64'
  | 'bfloat16'

/** Elements on the JavaScript heap. */
export type HostArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

type ArrayType = new (length: number) => HostArray

interface TypeRow {
  /** The number in files. */
  readonly code: number
  /** Bytes of an element in `raw_data`. */
  readonly bytes: number
  /** The elements on the heap. An assignment to an element rounds or wraps as the type does. */
  readonly array: ArrayType
  /** The dtype of the kernels that compute with it. */
  readonly dtype: DType
  /** The list of TensorProto that has numbers one by one. */
  readonly list: 'floats' | 'integers' | 'longs' | 'doubles' | 'unsigned'
  readonly isFloat: boolean
  /** The least and the largest integer. */
  readonly range: readonly [number, number]
}

const whole = (
  code: number,
  bits: number,
  isSigned: boolean,
  array: ArrayType,
  list: TypeRow['list'] = 'integers',
): TypeRow => ({
  code,
  bytes: bits / 8,
  array,
  dtype: 'int32',
  list,
  isFloat: false,
  range: isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1],
})

const real = (code: number, bits: number, array: ArrayType, list: TypeRow['list']): TypeRow => ({
  code,
  bytes: bits / 8,
  array,
  dtype: 'float32',
  list,
  isFloat: true,
  range: [-Infinity, Infinity],
})

export const types: Readonly<Record<ElementType, TypeRow>> = {
  float32: real(1, 32, Float32Array, 'floats'),
  uint8: whole(2, 8, false, Uint8Array),
  int8: whole(3, 8, true, Int8Array),
  uint16: whole(4, 16, false, Uint16Array),
  int16: whole(5, 16, true, Int16Array),
  int32: whole(6, 32, true, Int32Array),
  int64: whole(7, 64, true, Float64Array, 'longs'),
  // Elements are numbers of the vocabulary of the file, which strings.ts reads.
  string: whole(8, 32, true, Int32Array),
  bool: { ...whole(9, 8, false, Uint8Array), dtype: 'bool', range: [0, 1] },
  float16: real(10, 16, Float32Array, 'integers'),
  float64: real(11, 64, Float64Array, 'doubles'),
  uint32: whole(12, 32, false, Uint32Array, 'unsigned'),
  uint64: whole(13, 64, false, Float64Array, 'unsigned'),
  bfloat16: real(16, 16, Float32Array, 'integers'),
}

const byCode = /* @__PURE__ */ new Map(keysOf(types).map((name) => [types[name].code, name]))

/** The names of types that are not read. */
const OTHERS: Readonly<Record<number, string>> = {
  0: 'undefined',
  14: 'complex64',
  15: 'complex128',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
  24: 'float8e8m0',
}

/** The type with a number; null if it is not read. */
export function elementType(code: number): ElementType | null {
  return byCode.get(code) ?? null
}

/** The name of any type, for errors. */
export function typeName(code: number): string {
  return elementType(code) ?? OTHERS[code] ?? String(code)
}
