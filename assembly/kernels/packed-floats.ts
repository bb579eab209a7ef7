// Packed weights as float32: products that are exact in their weights, in which a block of weights is dequantized into
// panels instead of being packed, and rows of a table. A weight is scale · q − minimum, each operation rounded, on every
// machine.

import { GEMM_KC, GEMM_NC, GEMM_SCRATCH, PACKED_GROUP, PACKED_STRIP, PackedGemm, PackedTake } from '../shared/instructions'
import { partEnd, partStart } from '../parts'
import { fillWords, storeTransposed, storeUpTo4 } from '../simd'
import { gemm_blocked_f32 } from './gemm'
import { stripBytes } from './packed'

/** The sizes from which packing lhs is faster, as in gemm-paths.ts: with wide tiles and without. */
const PACK_LHS_ROWS: i32 = 24
const PACK_LHS_COLUMNS: i32 = 384
const PACK_LHS_WIDE_ROWS: i32 = 6
const PACK_LHS_WIDE_COLUMNS: i32 = 48

/** Runs a PackedGemm, or a part of its columns. */
export function packedGemm(instruction: usize, part: i32, parts: i32): void {
  const rows = load<i32>(instruction, PackedGemm.rows)
  const outputs = load<i32>(instruction, PackedGemm.outputs)
  const inputs = load<i32>(instruction, PackedGemm.inputs)
  const bits = load<i32>(instruction, PackedGemm.bits)
  const transposed = load<i32>(instruction, PackedGemm.transposed) != 0
  const wide = load<i32>(instruction, PackedGemm.wide) != 0
  const out = load<usize>(instruction, PackedGemm.out)
  const lhs = load<usize>(instruction, PackedGemm.lhs)
  const weights = load<usize>(instruction, PackedGemm.weights)
  const scratch = load<usize>(instruction, PackedGemm.scratch) + <usize>part * GEMM_SCRATCH
  const n = transposed ? inputs : outputs, k = transposed ? outputs : inputs
  const bytes = stripBytes(inputs, bits), groupBytes: usize = bits == 4 ? 192 : 288
  const first = partStart(n, PACKED_GROUP, part, parts), last = partEnd(n, PACKED_GROUP, part, parts)
  const step = <usize>n << 2, lhsRow = <usize>k << 2
  // equal blocks of k, of whole groups
  const blocks = (k + GEMM_KC - 1) / GEMM_KC
  const kc = (((k + blocks - 1) / blocks) + PACKED_GROUP - 1) & -PACKED_GROUP
  for (let j = first; j < last; j += GEMM_NC) {
    const columns = min(GEMM_NC, last - j)
    const packLhs = wide
      ? columns >= PACK_LHS_WIDE_COLUMNS && rows >= PACK_LHS_WIDE_ROWS
      : columns >= PACK_LHS_COLUMNS && rows >= PACK_LHS_ROWS
    const to = out + (<usize>j << 2)
    for (let p = 0; p < k; p += kc) {
      const depth = min(kc, k - p)
      const strip = transposed ? p : j, group = transposed ? j : p
      // from a panel of 8 columns to the next
      const panel = <usize>((depth + PACKED_GROUP - 1) & -PACKED_GROUP) << 5
      unpackBlock(
        transposed, bits, scratch, panel, weights + <usize>(strip / PACKED_STRIP) * bytes + <usize>(group / PACKED_GROUP) * groupBytes,
        bytes, transposed ? depth : columns, transposed ? columns : depth,
      )
      gemm_blocked_f32(
        to, lhs + (<usize>p << 2), lhsRow, 4, scratch, 32, 4, panel, rows, columns, depth,
        p > 0 ? to : 0, p > 0 ? step : 0, -Infinity, scratch, n, false, packLhs, wide,
      )
    }
  }
}

/** Panels of 8 columns of weights, or of their transpose; `outputs` and `inputs` are those of the block. */
@inline
function unpackBlock(
  transposed: bool, bits: i32, target: usize, panel: usize, strip: usize, bytes: usize, outputs: i32, inputs: i32,
): void {
  for (; outputs > 0; outputs -= PACKED_STRIP) {
    if (transposed) {
      if (bits == 4) unpack_across_i4_f32(target, panel, strip, inputs)
      else unpack_across_i8_f32(target, panel, strip, inputs)
      target += 256
    } else {
      if (bits == 4) unpack_along_i4_f32(target, strip, inputs)
      else unpack_along_i8_f32(target, strip, inputs)
      target += panel
    }
    strip += bytes
  }
}

/** Four bytes of the lowest, …, highest quarter of `bytes` as float32. */
@inline
function quarter0(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes)))
}
@inline
function quarter1(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(i16x8.extend_low_i8x16_s(bytes)))
}
@inline
function quarter2(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_high_i8x16_s(bytes)))
}
@inline
function quarter3(bytes: v128): v128 {
  return f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(i16x8.extend_high_i8x16_s(bytes)))
}

/**
 * Four outputs of the groups of a strip, as quads of inputs: quad q of output o is the row r of storeQuad. `half` selects the first
 * or the last four outputs. With nibbles, the loop runs over low and high halves of the bytes.
 */
@inline
function unpackHalf(across: bool, areNibbles: bool, target: usize, panel: usize, strip: usize, inputs: i32, half: usize): void {
  const shifts = areNibbles ? 8 : 4
  let group = strip
  // across: quads 2i and 2i + 1 are the halves of a row of panel i
  let to = target + (across ? half << 7 : half << 4)
  for (; inputs > 0; inputs -= PACKED_GROUP) {
    const scales = group + (half << 4)
    const d0 = v128.load32_splat(scales), d1 = v128.load32_splat(scales, 4)
    const d2 = v128.load32_splat(scales, 8), d3 = v128.load32_splat(scales, 12)
    for (let shift = 0; shift != shifts; shift += 4) {
      let b = group + (areNibbles ? 64 : 32) + (half << 4)
      let isSecond = false
      for (const end = b + (areNibbles ? 128 : 256); b != end; b += 32) {
        const q = areNibbles ? v128.and(i16x8.shr_u(v128.load(b), shift), i8x16.splat(15)) : v128.load(b)
        let r0 = f32x4.mul(quarter0(q), d0), r1 = f32x4.mul(quarter1(q), d1)
        let r2 = f32x4.mul(quarter2(q), d2), r3 = f32x4.mul(quarter3(q), d3)
        if (areNibbles) {
          r0 = f32x4.sub(r0, v128.load32_splat(scales, 32)), r1 = f32x4.sub(r1, v128.load32_splat(scales, 36))
          r2 = f32x4.sub(r2, v128.load32_splat(scales, 40)), r3 = f32x4.sub(r3, v128.load32_splat(scales, 44))
        }
        if (across) {
          v128.store(to, r0), v128.store(to, r1, 32), v128.store(to, r2, 64), v128.store(to, r3, 96)
          to += isSecond ? panel - 16 : 16
          isSecond = !isSecond
        } else {
          storeTransposed(to, 32, r0, r1, r2, r3)
          to += 128
        }
      }
    }
    group += areNibbles ? 192 : 288
  }
}

/** A panel [inputs, 8] of the outputs of a strip. */
export function unpack_along_i8_f32(target: usize, strip: usize, inputs: i32): void {
  unpackHalf(false, false, target, 0, strip, inputs, 0)
  unpackHalf(false, false, target, 0, strip, inputs, 1)
}

export function unpack_along_i4_f32(target: usize, strip: usize, inputs: i32): void {
  unpackHalf(false, true, target, 0, strip, inputs, 0)
  unpackHalf(false, true, target, 0, strip, inputs, 1)
}

/** 8 rows, the outputs of a strip, of panels of 8 inputs. */
export function unpack_across_i8_f32(target: usize, panel: usize, strip: usize, inputs: i32): void {
  unpackHalf(true, false, target, panel, strip, inputs, 0)
  unpackHalf(true, false, target, panel, strip, inputs, 1)
}

export function unpack_across_i4_f32(target: usize, panel: usize, strip: usize, inputs: i32): void {
  unpackHalf(true, true, target, panel, strip, inputs, 0)
  unpackHalf(true, true, target, panel, strip, inputs, 1)
}

/** Runs a PackedTake, or a part of its rows. */
export function packedTake(instruction: usize, part: i32, parts: i32): void {
  const count = load<i32>(instruction, PackedTake.count)
  const outputs = load<i32>(instruction, PackedTake.outputs)
  const inputs = load<i32>(instruction, PackedTake.inputs)
  const bits = load<i32>(instruction, PackedTake.bits)
  const weights = load<usize>(instruction, PackedTake.weights)
  const indices = load<usize>(instruction, PackedTake.indices)
  const bytes = stripBytes(inputs, bits)
  const last = partEnd(count, 1, part, parts)
  for (let i = partStart(count, 1, part, parts); i < last; i++) {
    let row = load<i32>(indices + (<usize>i << 2))
    if (row < 0) row += outputs
    const out = load<usize>(instruction, PackedTake.out) + (<usize>i * <usize>inputs << 2)
    if (<u32>row >= <u32>outputs) fillWords(out, reinterpret<i32>(<f32>NaN), inputs)
    else unpack_row_f32(out, weights + <usize>(row / PACKED_STRIP) * bytes, row % PACKED_STRIP, inputs, bits)
  }
}

/** The inputs of one output of a strip. */
export function unpack_row_f32(out: usize, strip: usize, lane: i32, inputs: i32, bits: i32): void {
  const skip = <usize>lane << 2
  const areNibbles = bits == 4
  const shifts = areNibbles ? 8 : 4
  let group = strip
  for (let left = inputs; left > 0; group += areNibbles ? 192 : 288) {
    const d = v128.load32_splat(group + skip)
    const minimum = areNibbles ? v128.load32_splat(group + skip, 32) : f32x4.splat(0)
    for (let shift = 0; shift != shifts; shift += 4) {
      let b = group + (areNibbles ? 64 : 32) + skip
      for (const end = b + (areNibbles ? 128 : 256); b != end && left > 0; b += 32) {
        let q = v128.load32_zero(b)
        if (areNibbles) q = v128.and(i16x8.shr_u(q, shift), i8x16.splat(15))
        storeUpTo4(out, f32x4.sub(f32x4.mul(quarter0(q), d), minimum), left)
        out += 16
        left -= 4
      }
    }
  }
}
