// Numbers of files as float32.

import { fromFloat16 } from '../../core/half'
import { once } from '../../core/once'

export interface NumberKind {
  /** The bytes of a number. */
  readonly bytes: number
  /** All numbers of some bytes. */
  read(bytes: Uint8Array): Float32Array
}

/** The bytes at the beginning of a buffer of their own, so that arrays of larger numbers can view them. */
function aligned(bytes: Uint8Array, size: number): ArrayBufferLike {
  const isAligned = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
  return isAligned && bytes.byteLength % size === 0 ? bytes.buffer : new Uint8Array(bytes).buffer
}

/** The values of all float16 numbers. */
const halves = /* @__PURE__ */ once(() => Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromFloat16(bits)))

function float16(bytes: Uint8Array): Float32Array {
  const table = halves()
  const from = new Uint16Array(aligned(bytes, 2))
  const to = new Float32Array(from.length)
  for (let i = 0; i < to.length; i++) to[i] = table[from[i]!]!
  return to
}

/** A bfloat16 is the upper half of a float32. */
function bfloat16(bytes: Uint8Array): Float32Array {
  const from = new Uint16Array(aligned(bytes, 2))
  const to = new Uint32Array(from.length)
  for (let i = 0; i < to.length; i++) to[i] = from[i]! << 16
  return new Float32Array(to.buffer)
}

/** The kinds of numbers in safetensors files that weights may have. */
export const NUMBERS: Readonly<Record<string, NumberKind>> = {
  F32: { bytes: 4, read: (bytes) => new Float32Array(aligned(bytes, 4)) },
  F16: { bytes: 2, read: float16 },
  BF16: { bytes: 2, read: bfloat16 },
  F64: { bytes: 8, read: (bytes) => Float32Array.from(new Float64Array(aligned(bytes, 8))) },
}
