// Converts float16 and bfloat16, as 16 bits, to numbers and back.

import { once } from './once'

/** sign 1 bit, exponent 5, mantissa 10 */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? mantissa : mantissa + 1024) * 2 ** (Math.max(exponent, 1) - 25)
}

const HALVES = 2 ** 16

/** The numbers of all float16 values, by their bits. */
export const halfValues = /* @__PURE__ */ once(() =>
  Float32Array.from({ length: HALVES }, (_, bits) => fromFloat16(bits)),
)

/** The numbers of many float16 values: of more than there are by a table, which takes a fifth of the time. */
export function float16Numbers(bits: Uint16Array): Float32Array {
  const numbers = new Float32Array(bits.length)
  if (bits.length < HALVES) for (let i = 0; i < bits.length; i++) numbers[i] = fromFloat16(bits[i]!)
  else {
    const values = halfValues()
    for (let i = 0; i < bits.length; i++) numbers[i] = values[bits[i]!]!
  }
  return numbers
}

/** Rounds to the nearest, ties to even. */
export function toFloat16(value: number): number {
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
export function fromBfloat16(bits: number): number {
  word[0] = bits << 16
  return float[0]!
}

/** The numbers of many bfloat16 values. */
export function bfloat16Numbers(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length)
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16
  return new Float32Array(words.buffer)
}

/** Rounds to the nearest, ties to even. */
export function toBfloat16(value: number): number {
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
