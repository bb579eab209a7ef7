// Numbers of files as float32.

import { bfloat16Numbers, float16Numbers } from '../../core/half'

/** Numbers as integers, in groups of 32 with a scale: q · scale − minimum. */
export interface GroupedIntegers {
  /** Within −128 … 127 with 8 bits, 0 … 15 with 4. */
  readonly integers: Int8Array
  readonly scales: Float32Array
  /** null with 8 bits. */
  readonly minima: Float32Array | null
}

export interface NumberKind {
  /** Its name in files. */
  readonly name: string
  /** The numbers of a block, which is the smallest part that can be read: 1 unless numbers share a scale. */
  readonly numbers: number
  /** The bytes of a block. */
  readonly bytes: number
  /** All numbers of some blocks. */
  read(bytes: Uint8Array): Float32Array
  /** Reads the same numbers as integers of 8 or of 4 bits, of kinds that have them. */
  readonly asIntegers?: { readonly [Bits in 4 | 8]?: (bytes: Uint8Array) => GroupedIntegers } | undefined
}

function kind(name: string, bytes: number, read: NumberKind['read']): NumberKind {
  return { name, numbers: 1, bytes, read }
}

/** The bytes at the beginning of a buffer of their own, so that arrays of larger numbers can view them. */
function bufferOf(bytes: Uint8Array): ArrayBufferLike {
  const isWhole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
  return isWhole ? bytes.buffer : new Uint8Array(bytes).buffer
}

export const F32 = /* @__PURE__ */ kind('F32', 4, (bytes) => new Float32Array(bufferOf(bytes)))
export const F16 = /* @__PURE__ */ kind('F16', 2, (bytes) => float16Numbers(new Uint16Array(bufferOf(bytes))))
export const BF16 = /* @__PURE__ */ kind('BF16', 2, (bytes) => bfloat16Numbers(new Uint16Array(bufferOf(bytes))))
export const F64 = /* @__PURE__ */ kind('F64', 8, (bytes) => Float32Array.from(new Float64Array(bufferOf(bytes))))

/** The kinds of numbers in safetensors files that weights may have. */
export const NUMBERS: Readonly<Record<string, NumberKind>> = { F32, F16, BF16, F64 }
