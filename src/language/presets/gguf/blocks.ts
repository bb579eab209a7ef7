// The numbers of GGUF files. Quantized ones share scales in blocks of 32 or 256; d and m are float16.
//
//   Q8_0   d · 32 × int8                                              d q
//   Q4_0   d · 32 × 4 bits                                            d (q − 8)
//   Q4_1   d · m · 32 × 4 bits                                        d q + m
//   Q5_0   d · 32 high bits · 32 × 4 low bits                         d (q − 16)
//   Q5_1   d · m · 32 high bits · 32 × 4 low bits                     d q + m
//   Q4_K   d · m · 8 × (scale, least) of 6 bits · 256 × 4 bits        d scale q − m least
//   Q5_K   the same, with 256 high bits before the low bits           d scale q − m least
//   Q6_K   256 × 4 low bits · 256 × 2 high bits · 16 × int8 · d       d scale (q − 32)
//
// Each product is rounded to float32, as in Python's gguf, so that the numbers are the same.

import { halfValues } from '../../../core/half'
import { BF16, F16, F32, F64, type GroupedIntegers, type NumberKind } from '../../../files/containers/numbers'

/** Reads a block at a byte into numbers at an index. */
type ReadBlock = (bytes: Uint8Array, at: number, to: Float32Array, index: number) => void

/** Reads the integers of a block at a byte. @param block its index */
type ReadIntegers = (bytes: Uint8Array, at: number, to: GroupedIntegers, block: number) => void

/** The forms of a kind, by their bits. */
interface IntegerBlocks {
  readonly 4?: ReadIntegers
  readonly 8?: ReadIntegers
}

const GROUP = 32

function blocks(
  name: string,
  numbers: number,
  size: number,
  readBlock: ReadBlock,
  integers: IntegerBlocks = {},
): NumberKind {
  return {
    name,
    numbers,
    bytes: size,
    asIntegers: {
      ...(integers[4] === undefined ? {} : { 4: integersOf(numbers, size, 4, integers[4]) }),
      ...(integers[8] === undefined ? {} : { 8: integersOf(numbers, size, 8, integers[8]) }),
    },
    read(bytes) {
      const count = bytes.length / size
      const to = new Float32Array(count * numbers)
      for (let i = 0; i < count; i++) readBlock(bytes, i * size, to, i * numbers)
      return to
    },
  }
}

function integersOf(numbers: number, size: number, bits: 4 | 8, read: ReadIntegers) {
  return (bytes: Uint8Array): GroupedIntegers => {
    const count = bytes.length / size
    const groups = (count * numbers) / GROUP
    const to: GroupedIntegers = {
      integers: new Int8Array(count * numbers),
      scales: new Float32Array(groups),
      minima: bits === 4 ? new Float32Array(groups) : null,
    }
    for (let i = 0; i < count; i++) read(bytes, i * size, to, i)
    return to
  }
}

const half = (bytes: Uint8Array, at: number): number => halfValues()[bytes[at]! | (bytes[at + 1]! << 8)]!
const signed = (byte: number): number => (byte << 24) >> 24

const q8: ReadBlock = (bytes, at, to, index) => {
  const d = half(bytes, at)
  for (let i = 0; i < 32; i++) to[index + i] = d * signed(bytes[at + 2 + i]!)
}

const q8Integers: ReadIntegers = (bytes, at, { integers, scales }, block) => {
  scales[block] = half(bytes, at)
  for (let i = 0; i < 32; i++) integers[block * 32 + i] = bytes[at + 2 + i]!
}

/** Of 4 bits, d (q − 8) is d q − 8 d, and d q + m is d q − (−m); 8 d is exact. Of 8 bits, q − 8 is the integer. */
function smallIntegers(hasLeast: boolean): ReadIntegers {
  return (bytes, at, { integers, scales, minima }, block) => {
    const d = half(bytes, at)
    const shift = minima === null ? 8 : 0
    scales[block] = d
    if (minima !== null) minima[block] = hasLeast ? -half(bytes, at + 2) : 8 * d
    const low = at + (hasLeast ? 4 : 2)
    for (let i = 0; i < 16; i++) {
      const byte = bytes[low + i]!
      integers[block * 32 + i] = (byte & 15) - shift
      integers[block * 32 + 16 + i] = (byte >> 4) - shift
    }
  }
}

/** Numbers of 4 bits: the lower halves of bytes are the first 16, the upper ones the others. With high bits, they have a fifth. */
function small(hasLeast: boolean, hasHighBits: boolean): ReadBlock {
  const low = 2 + (hasLeast ? 2 : 0) + (hasHighBits ? 4 : 0)
  const middle = hasHighBits ? 16 : 8
  return (bytes, at, to, index) => {
    const d = half(bytes, at)
    // −0 leaves every number as it is, also the sign of zeros.
    const least = hasLeast ? half(bytes, at + 2) : -0
    const shift = hasLeast ? 0 : middle
    for (let i = 0; i < 32; i++) {
      const byte = bytes[at + low + (i & 15)]!
      const high = hasHighBits ? (bytes[at + low - 4 + (i >> 3)]! >> (i & 7)) & 1 : 0
      const q = (i < 16 ? byte & 15 : byte >> 4) | (high << 4)
      to[index + i] = Math.fround(d * (q - shift)) + least
    }
  }
}

/** The scale and least value of a group of 32, from 12 bytes: 6 bits each, of which the last four groups have two in other bytes. */
function scaleOf(bytes: Uint8Array, at: number, group: number): readonly [scale: number, least: number] {
  const [first, second] = [bytes[at + (group & 3)]!, bytes[at + 4 + (group & 3)]!]
  if (group < 4) return [first & 63, second & 63]
  const low = bytes[at + 8 + (group & 3)]!
  return [(low & 15) | ((first >> 2) & 48), (low >> 4) | ((second >> 2) & 48)]
}

/** The products of scales are rounded to float32, as in `large`. */
const q4kIntegers: ReadIntegers = (bytes, at, { integers, scales, minima }, block) => {
  const [d, m] = [half(bytes, at), half(bytes, at + 2)]
  for (let group = 0; group < 8; group++) {
    const [scale, least] = scaleOf(bytes, at + 4, group)
    scales[block * 8 + group] = d * scale
    minima![block * 8 + group] = m * least
    const [from, shift] = [at + 16 + (group >> 1) * 32, (group & 1) * 4]
    for (let i = 0; i < 32; i++) integers[block * 256 + group * 32 + i] = (bytes[from + i]! >> shift) & 15
  }
}

function large(hasHighBits: boolean): ReadBlock {
  const low = hasHighBits ? 48 : 16
  return (bytes, at, to, index) => {
    const [d, m] = [half(bytes, at), half(bytes, at + 2)]
    for (let group = 0; group < 8; group++) {
      const [scale, least] = scaleOf(bytes, at + 4, group)
      const [step, floor] = [Math.fround(d * scale), Math.fround(m * least)]
      const [from, shift] = [at + low + (group >> 1) * 32, (group & 1) * 4]
      for (let i = 0; i < 32; i++) {
        const high = hasHighBits ? (bytes[at + 16 + i]! >> group) & 1 : 0
        to[index + group * 32 + i] = Math.fround(step * (((bytes[from + i]! >> shift) & 15) | (high << 4))) - floor
      }
    }
  }
}

/** Of each half, 64 bytes have the low bits of two numbers each, and 32 bytes the high bits of four; groups of 16 share a scale. */
const q6k: ReadBlock = (bytes, at, to, index) => {
  const d = half(bytes, at + 208)
  for (let group = 0; group < 16; group++) {
    const step = Math.fround(d * signed(bytes[at + 192 + group]!))
    const [part, quarter, first] = [group >> 3, (group >> 1) & 3, (group & 1) * 16]
    const low = at + part * 64 + (quarter & 1) * 32 + first
    const high = at + 128 + part * 32 + first
    for (let i = 0; i < 16; i++) {
      const q = ((bytes[low + i]! >> ((quarter >> 1) * 4)) & 15) | (((bytes[high + i]! >> (quarter * 2)) & 3) << 4)
      to[index + group * 16 + i] = step * (q - 32)
    }
  }
}

/** The kinds of numbers by their types in files. */
export const GGML_KINDS: Readonly<Record<number, NumberKind>> = {
  0: F32,
  1: F16,
  2: /* @__PURE__ */ blocks('Q4_0', 32, 18, /* @__PURE__ */ small(false, false), {
    4: /* @__PURE__ */ smallIntegers(false),
    8: /* @__PURE__ */ smallIntegers(false),
  }),
  3: /* @__PURE__ */ blocks('Q4_1', 32, 20, /* @__PURE__ */ small(true, false), {
    4: /* @__PURE__ */ smallIntegers(true),
  }),
  6: /* @__PURE__ */ blocks('Q5_0', 32, 22, /* @__PURE__ */ small(false, true)),
  7: /* @__PURE__ */ blocks('Q5_1', 32, 24, /* @__PURE__ */ small(true, true)),
  8: /* @__PURE__ */ blocks('Q8_0', 32, 34, q8, { 8: q8Integers }),
  12: /* @__PURE__ */ blocks('Q4_K', 256, 144, /* @__PURE__ */ large(false), { 4: q4kIntegers }),
  13: /* @__PURE__ */ blocks('Q5_K', 256, 176, /* @__PURE__ */ large(true)),
  14: /* @__PURE__ */ blocks('Q6_K', 256, 210, q6k),
  28: F64,
  30: BF16,
}

/** The names of other types, for errors. */
export const GGML_NAMES: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
}
