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

@inline
function foldAll(how: BitFold, out: usize, a: usize, b: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    if (how == BitFold.Xor) {
      v128.store(out, v128.xor(v128.load(a), v128.load(b)))
    } else {
      const x0 = fold(how, load<i32>(a), load<i32>(b))
      const x1 = fold(how, load<i32>(a, 4), load<i32>(b, 4))
      const x2 = fold(how, load<i32>(a, 8), load<i32>(b, 8))
      const x3 = fold(how, load<i32>(a, 12), load<i32>(b, 12))
      store<i32>(out, x0)
      store<i32>(out, x1, 4)
      store<i32>(out, x2, 8)
      store<i32>(out, x3, 12)
    }
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
