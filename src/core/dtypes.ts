// Defines the element types, the dtypes: bytes per element, array type, and name in files.

/**
 * bool is stored as int32, 0 or 1. int8 is for the weights of quantized layers; no op computes with it. string is for
 * inputs that layers convert to numbers; it has no elements in memory.
 */
export type DType = 'float32' | 'int32' | 'bool' | 'int8' | 'string'

/** The arrays that back tensors. Float64Array is used only in the interpreter's high-precision mode. */
export type NumericArray = Float32Array | Int32Array | Int8Array | Float64Array

/** The arrays that hold a tensor's elements in memory. */
export type TensorData = Float32Array | Int32Array | Int8Array

/** The constructor of such an array. */
interface TensorArray {
  new (length: number): TensorData
  new (numbers: ArrayLike<number>): TensorData
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TensorData
  from(numbers: ArrayLike<number>): TensorData
}

export interface DTypeInfo {
  /** Bytes of one element. */
  readonly bytes: number
  /** The array type that holds the elements. */
  readonly array: TensorArray
  /** The name in the safetensors format. */
  readonly code: 'F32' | 'I32' | 'I8'
  /** Operands of several dtypes are converted to the dtype with the highest rank. */
  readonly rank: number
}

export const dtypes: { readonly [Name in DType]: DTypeInfo } = {
  string: { bytes: 4, array: Int32Array, code: 'I32', rank: -2 },
  int8: { bytes: 1, array: Int8Array, code: 'I8', rank: -1 },
  bool: { bytes: 4, array: Int32Array, code: 'I32', rank: 0 },
  int32: { bytes: 4, array: Int32Array, code: 'I32', rank: 1 },
  float32: { bytes: 4, array: Float32Array, code: 'F32', rank: 2 },
}

/** Bytes of one word of linear memory: except for int8 weights, kernels read and write nothing smaller. */
export const BYTES_PER_ELEMENT = 4

/** The dtype to which operands of several dtypes are converted. */
export function commonType(all: readonly DType[]): DType {
  return all.reduce((highest, dtype) => (dtypes[dtype].rank > dtypes[highest].rank ? dtype : highest))
}

/** A copy of numbers as elements of a dtype: int32 truncates towards zero and wraps, bool is x ≠ 0. */
export function storeData(dtype: DType, numbers: ArrayLike<number>): TensorData {
  // The constructor copies a typed array at once, `from` element by element.
  return dtype === 'bool' ? Int32Array.from(numbers, (x) => Number(x !== 0)) : new dtypes[dtype].array(numbers)
}

/** Zeros in the array type of a dtype. */
export function allocateData(dtype: DType, length: number): TensorData {
  return new dtypes[dtype].array(length)
}

/** A view of linear memory. */
export function viewData(dtype: DType, buffer: ArrayBufferLike, byteOffset: number, length: number): TensorData {
  return new dtypes[dtype].array(buffer, byteOffset, length)
}

/**
 * The number of elements that methods of the engine check before the loop of this file takes over. The methods take six times as long as
 * the compiled loop, but the engine runs a loop slowly until it has compiled it: the loop's first check of 6,000 elements takes nine times as
 * long. The count is of the whole program, because the engine compiles the loop once for all data.
 */
let elementsUntilLoop = 2 ** 17

/** Whether a number, rounded to float32, is a 32-bit integer. */
export function isInt32(x: number): boolean {
  return Number.isInteger(x) && Math.abs(x) <= 2 ** 31
}

/** Whether an element is NaN or ±Inf. */
export function hasNonFinite(data: NumericArray): boolean {
  if (elementsUntilLoop > 0) {
    elementsUntilLoop -= data.length
    return data.includes(NaN) || data.includes(Infinity) || data.includes(-Infinity)
  }
  // x · 0 is 0 for finite x and otherwise NaN: one pass without branches.
  // Four sums, so that no addition waits for the previous one.
  const none = 0
  const whole = data.length & ~3
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let i = 0; i < whole; i += 4) {
    a += data[i]! * none
    b += data[i + 1]! * none
    c += data[i + 2]! * none
    d += data[i + 3]! * none
  }
  for (let i = whole; i < data.length; i++) a += data[i]! * none
  return a + b + c + d !== 0
}
