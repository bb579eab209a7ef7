// Shifts and exclusive disjunctions of integers, element by element.

import { partEnd, partStart } from '../parts'
import { Bits } from '../shared/instructions'
import { BitFold } from '../shared/opcodes'

@inline
function fold(how: BitFold, a: i32, b: i32): i32 {
  if (how == BitFold.Xor) return a ^ b
  if (how == BitFold.ShiftLeft) return <u32>b < 32 ? a << b : 0
  return a >> <i32>min<u32>(b, 31)
}

/** 2ᵇ of each lane, of which byte k is the power b − 8k of 2 in a table; 0 for b = 32. 0 ≤ b ≤ 32. */
@inline
function powersOfTwo(b: v128): v128 {
  const exponents = i8x16.sub(
    v128.shuffle<u8>(b, b, 0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8, 12, 12, 12, 12),
    i8x16(0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24, 0, 8, 16, 24),
  )
  return i8x16.swizzle(i8x16(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0), exponents)
}

// WebAssembly shifts all lanes by one count, so shifts by a count for each lane are products with powers of 2.
@inline
function foldLanes(how: BitFold, a: v128, b: v128): v128 {
  if (how == BitFold.Xor) return v128.xor(a, b)
  if (how == BitFold.ShiftLeft) return i32x4.mul(a, powersOfTwo(i32x4.min_u(b, i32x4.splat(32))))
  // ⌊a / 2ᵇ⌋ = ⌊a · 2^(31 − b) / 2³¹⌋, of which the low half is taken. 2³¹ has the wrong sign, and so has its result.
  const count = i32x4.min_u(b, i32x4.splat(31))
  const factor = powersOfTwo(i32x4.sub(i32x4.splat(31), count))
  const low = i64x2.shr_u(i64x2.extmul_low_i32x4_s(a, factor), 31)
  const high = i64x2.shr_u(i64x2.extmul_high_i32x4_s(a, factor), 31)
  const isZero = i32x4.eq(count, i32x4.splat(0))
  return i32x4.sub(v128.xor(v128.shuffle<i32>(low, high, 0, 2, 4, 6), isZero), isZero)
}

@inline
function foldAll(how: BitFold, out: usize, a: usize, b: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(out, foldLanes(how, v128.load(a), v128.load(b)))
    out += 16, a += 16, b += 16
  }
  for (; n > 0; n--) {
    store<i32>(out, fold(how, load<i32>(a), load<i32>(b)))
    out += 4, a += 4, b += 4
  }
}

export function xor_bits(out: usize, a: usize, b: usize, n: i32): void {
  foldAll(BitFold.Xor, out, a, b, n)
}

export function shift_left_i32(out: usize, a: usize, b: usize, n: i32): void {
  foldAll(BitFold.ShiftLeft, out, a, b, n)
}

export function shift_right_i32(out: usize, a: usize, b: usize, n: i32): void {
  foldAll(BitFold.ShiftRight, out, a, b, n)
}

/** Runs a Bits, or a part of its elements. */
export function bits(instruction: usize, part: i32, parts: i32): void {
  const count = load<i32>(instruction, Bits.count)
  const first = partStart(count, 16, part, parts)
  const n = partEnd(count, 16, part, parts) - first
  const offset = <usize>first << 2
  const out = load<usize>(instruction, Bits.out) + offset
  const a = load<usize>(instruction, Bits.a) + offset
  const b = load<usize>(instruction, Bits.b) + offset
  const how: BitFold = load<i32>(instruction, Bits.fold)
  if (how == BitFold.Xor) xor_bits(out, a, b, n)
  else if (how == BitFold.ShiftLeft) shift_left_i32(out, a, b, n)
  else shift_right_i32(out, a, b, n)
}
