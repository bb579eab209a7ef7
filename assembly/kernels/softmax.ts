// softmax and log-softmax over the rows of [rows, columns]. In place safe. The cross-entropies that use them are
// chains and reductions.

import { SoftmaxKind } from '../shared/opcodes'
import { partEnd, partStart } from '../parts'
import { Softmax } from '../shared/instructions'
import { pmaxLanes, storeTail, sumLanes, tailMask } from '../simd'
import { expNegative, log } from '../math'

/** The largest of `n` ≥ 1 floats in every lane; NaN is passed over. */
@inline
function rowMaximum(pointer: usize, n: i32): v128 {
  let m0 = f32x4.splat(-Infinity)
  let m1 = m0
  for (; n >= 8; n -= 8) {
    m0 = f32x4.pmax(m0, v128.load(pointer))
    m1 = f32x4.pmax(m1, v128.load(pointer, 16))
    pointer += 32
  }
  if (n >= 4) {
    m0 = f32x4.pmax(m0, v128.load(pointer))
    pointer += 16
    n -= 4
  }
  if (n > 0) m1 = f32x4.pmax(m1, v128.bitselect(v128.load(pointer), m1, tailMask(n)))
  return pmaxLanes(f32x4.pmax(m0, m1))
}

// Σ e^(x − m) in runs of 256 and runs of 16 runs, so that a long row loses nothing. The inner loops have no branch:
// see the loops of steps.ts.

// y = e^(x − m) / Σ e^(x − m),  m = max x. A row that holds NaN or +Inf, or −Inf only, becomes NaN.
export function softmax_rows_f32(out: usize, input: usize, rows: i32, columns: i32): void {
  const rowSize = <usize>columns << 2
  for (; rows > 0; rows--) {
    const m = rowMaximum(input, columns)
    const zero = f32x4.splat(0.0)
    let total = zero
    let subtotal = zero
    let n = columns
    let offset: usize = 0
    for (let run = 1; n >= 4; run++) {
      let sum = zero
      const whole = min(n, 256) & ~3
      for (const end = offset + (<usize>whole << 2); offset < end; offset += 16) {
        const e = expNegative(f32x4.sub(v128.load(input + offset), m))
        v128.store(out + offset, e)
        sum = f32x4.add(sum, e)
      }
      n -= whole
      subtotal = f32x4.add(subtotal, sum)
      if (!(run & 15)) {
        total = f32x4.add(total, subtotal)
        subtotal = zero
      }
    }
    if (n > 0) {
      const e = expNegative(f32x4.sub(v128.load(input + offset), m))
      storeTail(out + offset, e, n)
      subtotal = f32x4.add(subtotal, v128.and(e, tailMask(n)))
    }
    total = sumLanes(f32x4.add(total, subtotal))
    for (offset = 0, n = columns; n >= 4; n -= 4) {
      v128.store(out + offset, f32x4.div(v128.load(out + offset), total))
      offset += 16
    }
    if (n > 0) storeTail(out + offset, f32x4.div(v128.load(out + offset), total), n)
    out += rowSize
    input += rowSize
  }
}

// y = (x − m) − ln Σ e^(x − m)
export function logSoftmax_rows_f32(out: usize, input: usize, rows: i32, columns: i32): void {
  const rowSize = <usize>columns << 2
  for (; rows > 0; rows--) {
    const m = rowMaximum(input, columns)
    const zero = f32x4.splat(0.0)
    let total = zero
    let subtotal = zero
    let n = columns
    let offset: usize = 0
    for (let run = 1; n >= 4; run++) {
      let sum = zero
      const whole = min(n, 256) & ~3
      for (const end = offset + (<usize>whole << 2); offset < end; offset += 16) {
        sum = f32x4.add(sum, expNegative(f32x4.sub(v128.load(input + offset), m)))
      }
      n -= whole
      subtotal = f32x4.add(subtotal, sum)
      if (!(run & 15)) {
        total = f32x4.add(total, subtotal)
        subtotal = zero
      }
    }
    if (n > 0) {
      const e = expNegative(f32x4.sub(v128.load(input + offset), m))
      subtotal = f32x4.add(subtotal, v128.and(e, tailMask(n)))
    }
    const logTotal = log(sumLanes(f32x4.add(total, subtotal)))
    for (offset = 0, n = columns; n >= 4; n -= 4) {
      v128.store(out + offset, f32x4.sub(f32x4.sub(v128.load(input + offset), m), logTotal))
      offset += 16
    }
    if (n > 0) storeTail(out + offset, f32x4.sub(f32x4.sub(v128.load(input + offset), m), logTotal), n)
    out += rowSize
    input += rowSize
  }
}

/** Runs a Softmax, or a part of its rows. */
export function softmax(instruction: usize, part: i32, parts: i32): void {
  const whole = load<i32>(instruction, Softmax.rows)
  const columns = load<i32>(instruction, Softmax.columns)
  const first = partStart(whole, 1, part, parts)
  const rows = partEnd(whole, 1, part, parts) - first
  const offset = <usize>first * (<usize>columns << 2)
  const out = load<usize>(instruction, Softmax.out) + offset
  const input = load<usize>(instruction, Softmax.input) + offset
  if (load<i32>(instruction, Softmax.kind) == SoftmaxKind.Softmax) softmax_rows_f32(out, input, rows, columns)
  else logSoftmax_rows_f32(out, input, rows, columns)
}
