// Numbers as small integers with scales, and int4 as two per byte. Computes arrays; the layers are in quantized-layers.ts and
// packed-layers.ts.

import { LARGEST, roundToEven } from '../engine/primitives/quantized'

/** int8 or int4. */
export type Bits = 4 | 8

/** Integers with their scales: x ≈ integer · scale. */
export interface Integers {
  readonly integers: Int8Array
  readonly scales: Float32Array
}

/** Which elements of a matrix [rows, columns] share a scale: groups of neighbours along one axis. */
export interface Groups {
  readonly rows: number
  readonly columns: number
  /** 0: down a column, so that no two columns share a scale. 1: along a row. */
  readonly axis: 0 | 1
  /** The number of elements of a group; the last one of a row or column may be smaller. */
  readonly size: number
}

/** Each column has one scale. */
export const columnsOf = (count: number, columns: number): Groups => {
  const rows = count / columns
  return { rows, columns, axis: 0, size: rows }
}

/** The shape of the scales. */
export function scalesShape({ rows, columns, axis, size }: Groups): readonly [number, number] {
  return axis === 0 ? [Math.ceil(rows / size), columns] : [rows, Math.ceil(columns / size)]
}

/** The index of the scale of each element. */
function scaleIndex(groups: Groups): (at: number) => number {
  const { columns, axis, size } = groups
  const [, width] = scalesShape(groups)
  return axis === 0
    ? (at) => Math.floor(Math.floor(at / columns) / size) * width + (at % columns)
    : (at) => Math.floor(at / columns) * width + Math.floor((at % columns) / size)
}

/** The largest integer of a number of bits; the smallest is its negative. */
const largestOf = (bits: Bits): number => (bits === 8 ? LARGEST : 7)

/** Quantizes numbers, with scale = max |x| / largest in each group. */
export function toIntegers(numbers: ArrayLike<number>, groups: Groups, bits: Bits): Integers {
  const scales = largestIn(numbers, groups)
  const largest = largestOf(bits)
  for (let at = 0; at < scales.length; at++) scales[at] = scales[at]! / largest
  return withScales(numbers, groups, bits, scales)
}

/** The largest |x| of each group. */
function largestIn(numbers: ArrayLike<number>, groups: Groups): Float32Array {
  const [rows, columns] = scalesShape(groups)
  const scaleOf = scaleIndex(groups)
  const most = new Float32Array(rows * columns)
  for (let i = 0; i < numbers.length; i++) {
    const at = scaleOf(i)
    most[at] = Math.max(most[at]!, Math.abs(numbers[i]!))
  }
  return most
}

function withScales(numbers: ArrayLike<number>, groups: Groups, bits: Bits, scales: Float32Array): Integers {
  const largest = largestOf(bits)
  const scaleOf = scaleIndex(groups)
  const integers = Int8Array.from(numbers, (x, i) => {
    const scale = scales[scaleOf(i)]!
    return scale === 0 ? 0 : Math.max(-largest, Math.min(largest, roundToEven(x / scale)))
  })
  return { integers, scales }
}

/** Parts of max |x| that a group may represent; larger numbers are clipped. */
const PARTS = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7]

/**
 * Rounds numbers to such that `toStored` represents exactly. For each group, it takes the scale of the least squared error
 * among scales that clip the largest numbers. Representable numbers do not change.
 */
export function nearest(numbers: ArrayLike<number>, groups: Groups, bits: Bits): Float32Array {
  const most = largestIn(numbers, groups)
  const scaleOf = scaleIndex(groups)
  const best = new Float32Array(most.length)
  const least = new Float64Array(most.length).fill(Infinity)
  for (const part of PARTS) {
    const scales = most.map((each) => shortScale((part * each) / largestOf(bits)))
    const made = fromIntegers(withScales(numbers, groups, bits, scales), groups)
    const errors = new Float64Array(most.length)
    made.forEach((x, i) => (errors[scaleOf(i)]! += (x - numbers[i]!) ** 2))
    errors.forEach((error, at) => {
      if (error >= least[at]!) return
      least[at] = error
      best[at] = scales[at]!
    })
  }
  return fromIntegers(withScales(numbers, groups, bits, best), groups)
}

/** The integers and scales of numbers from `nearest`. */
export function toStored(numbers: ArrayLike<number>, groups: Groups, bits: Bits): Integers {
  const scales = largestIn(numbers, groups).map((most) => shortScale(most / largestOf(bits)))
  return withScales(numbers, groups, bits, scales)
}

/** The numbers integer · scale. */
export function fromIntegers({ integers, scales }: Integers, groups: Groups): Float32Array {
  const scaleOf = scaleIndex(groups)
  return Float32Array.from(integers, (q, i) => q * scales[scaleOf(i)]!)
}

const words = new Uint32Array(1)
const floats = new Float32Array(words.buffer)

/**
 * Rounds to 17 significant bits. An integer of 8 bits times such a scale is exact in float32, so that quantizing the products
 * again gives the same integers and scales.
 */
function shortScale(scale: number): number {
  floats[0] = scale
  // The mantissa has 24 bits, one of them implied. A carry into the exponent is the next power of two.
  words[0] = (words[0]! + 0x40) & ~0x7f
  return floats[0]
}

/** int4, two per byte: element 2i in the low half of byte i. */
export function pairs(integers: Int8Array): Int8Array {
  return Int8Array.from(
    { length: Math.ceil(integers.length / 2) },
    (_, i) => (integers[2 * i]! & 15) | ((integers[2 * i + 1] ?? 0) << 4),
  )
}

/** The inverse of `pairs`. */
export function unpaired(bytes: ArrayLike<number>, count: number): Int8Array {
  // Shifts extend the sign.
  return Int8Array.from({ length: count }, (_, i) => {
    const byte = bytes[i >> 1]!
    return i % 2 === 0 ? (byte << 28) >> 28 : (byte << 24) >> 28
  })
}
