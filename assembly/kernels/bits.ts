// Shifts and exclusive disjunctions of integers, element by element.

import { partEnd, partStart } from '../parts'
import { Bits } from '../shared/instructions'
import { BitFold } from '../shared/opcodes'
import { storeUpTo4, swapHalves } from '../simd'

// WebAssembly shifts all lanes by one count, so shifts by a count for each lane are products with powers of 2. The loops have
// only constants of four equal lanes, which the build keeps in registers.

/** a · 2ᵇ, where byte k of 2ᵇ is the power b − 8k in the table `powers`, and 0 if the table has none. */
@inline
function shiftLeft(a: v128, b: v128, powers: v128): v128 {
  const inEachByte = i32x4.mul(i32x4.min_u(b, i32x4.splat(32)), i32x4.splat(0x01010101))
  return i32x4.mul(a, i8x16.swizzle(powers, i8x16.sub(inEachByte, i32x4.splat(0x18100800))))
}

/** Doubles whose words are both this one. An integer that is added to them is added to their lower word. */
const WHOLE = 0x43380000

/** ⌊a · 2⁻ᵇ⌋ of the lower two lanes, in the lower words of doubles. `factor`: the upper words of 2⁻ᵇ. */
@inline
function floorProduct(a: v128, factor: v128): v128 {
  return f64x2.add(f64x2.floor(f64x2.mul(f64x2.convert_low_i32x4_s(a), factor)), i32x4.splat(WHOLE))
}

/** ⌊a · 2⁻ᵇ⌋, exact in float64: 2⁻ᵇ has the exponent 1023 − b. */
@inline
function shiftRight(a: v128, b: v128): v128 {
  const zero = i32x4.splat(0)
  const exponents = i32x4.shl(i32x4.min_u(b, i32x4.splat(31)), 20)
  const factors = i32x4.sub(i32x4.splat(0x3ff00000), exponents)
  const low = floorProduct(a, v128.shuffle<i32>(zero, factors, 0, 4, 1, 5))
  const high = floorProduct(swapHalves(a), v128.shuffle<i32>(zero, factors, 2, 6, 3, 7))
  return i32x4.sub(v128.shuffle<i32>(low, high, 0, 2, 4, 6), i32x4.splat(WHOLE))
}

/** Whether |a| ≤ 2²² for all eight integers, about. */
@inline
function areSmall(a0: v128, a1: v128): bool {
  const offset = i32x4.splat(1 << 22)
  const beyond = v128.or(i32x4.add(a0, offset), i32x4.add(a1, offset))
  return !v128.any_true(v128.and(beyond, i32x4.splat(-(1 << 23))))
}

/** A float32 whose bits are this. A small integer that is added to it is added to them. */
const WHOLE_F32 = 0x4b400000

/** shiftRight for small a, exact in float32: 2⁻ᵇ has the exponent 127 − b. */
@inline
function shiftSmallRight(a: v128, b: v128): v128 {
  const factors = i32x4.sub(i32x4.splat(0x3f800000), i32x4.shl(i32x4.min_u(b, i32x4.splat(31)), 23))
  const whole = f32x4.floor(f32x4.mul(f32x4.convert_i32x4_s(a), factors))
  return i32x4.sub(f32x4.add(whole, i32x4.splat(WHOLE_F32)), i32x4.splat(WHOLE_F32))
}

@inline
function foldLanes(how: BitFold, a: v128, b: v128, powers: v128): v128 {
  return how == BitFold.Xor ? v128.xor(a, b) : shiftLeft(a, b, powers)
}

@inline
function foldAll(how: BitFold, out: usize, a: usize, b: usize, n: i32, powers: v128): void {
  for (; n >= 8; n -= 8) {
    const y0 = foldLanes(how, v128.load(a), v128.load(b), powers)
    const y1 = foldLanes(how, v128.load(a, 16), v128.load(b, 16), powers)
    v128.store(out, y0)
    v128.store(out, y1, 16)
    out += 32, a += 32, b += 32
  }
  for (; n > 0; n -= 4) {
    storeUpTo4(out, foldLanes(how, v128.load(a), v128.load(b), powers), n)
    out += 16, a += 16, b += 16
  }
}

export function xor_bits(out: usize, a: usize, b: usize, n: i32): void {
  foldAll(BitFold.Xor, out, a, b, n, i32x4.splat(0))
}

export function shift_left_i32(out: usize, a: usize, b: usize, n: i32, powers: usize): void {
  foldAll(BitFold.ShiftLeft, out, a, b, n, v128.load64_zero(powers))
}

/** The number of integers that `shiftRight` processes after a large one, before it looks for large ones again. */
const LARGE = 128

/** Small integers need half of the instructions. */
export function shift_right_i32(out: usize, a: usize, b: usize, n: i32): void {
  while (n >= 8) {
    for (; n >= 8; n -= 8) {
      const a0 = v128.load(a), a1 = v128.load(a, 16)
      if (!areSmall(a0, a1)) break
      const y0 = shiftSmallRight(a0, v128.load(b))
      const y1 = shiftSmallRight(a1, v128.load(b, 16))
      v128.store(out, y0)
      v128.store(out, y1, 16)
      out += 32, a += 32, b += 32
    }
    for (const rest = max(n - LARGE, 7); n > rest; n -= 8) {
      const y0 = shiftRight(v128.load(a), v128.load(b))
      const y1 = shiftRight(v128.load(a, 16), v128.load(b, 16))
      v128.store(out, y0)
      v128.store(out, y1, 16)
      out += 32, a += 32, b += 32
    }
  }
  for (; n > 0; n -= 4) {
    storeUpTo4(out, shiftRight(v128.load(a), v128.load(b)), n)
    out += 16, a += 16, b += 16
  }
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
  else if (how == BitFold.ShiftLeft) shift_left_i32(out, a, b, n, instruction + Bits.size)
  else shift_right_i32(out, a, b, n)
}
