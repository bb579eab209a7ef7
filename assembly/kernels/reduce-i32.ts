// Reductions and arg-reductions of integers (and of bool as 0 and 1) over the middle axis of [outer, axis, inner].
// Integers wrap and have no NaN, so that any order gives the same bits and one plain form serves every length. Reads no
// instructions: reduce.ts and arg-reduce.ts call it.

import { Reduction } from '../shared/opcodes'
import { store_up_to_4, swapHalves, swapNeighbours, tailMask } from '../simd'
import { combine, foldColumns, identity } from './extremes'

/** The reduction of `n` ≥ 0 integers, in every lane. */
@inline
function reduceRun(reduction: Reduction, pointer: usize, n: i32): v128 {
  let a0 = identity(reduction), a1 = a0, a2 = a0, a3 = a0
  for (; n >= 16; n -= 16) {
    a0 = combine(reduction, a0, v128.load(pointer))
    a1 = combine(reduction, a1, v128.load(pointer, 16))
    a2 = combine(reduction, a2, v128.load(pointer, 32))
    a3 = combine(reduction, a3, v128.load(pointer, 48))
    pointer += 64
  }
  for (; n >= 4; n -= 4) {
    a0 = combine(reduction, a0, v128.load(pointer))
    pointer += 16
  }
  if (n > 0) a1 = combine(reduction, a1, v128.bitselect(v128.load(pointer), identity(reduction), tailMask(n)))
  const y = combine(reduction, combine(reduction, a0, a1), combine(reduction, a2, a3))
  const pairs = combine(reduction, y, swapHalves(y))
  return combine(reduction, pairs, swapNeighbours(pairs))
}

@inline
function reduceRows(reduction: Reduction, out: usize, input: usize, rows: i32, axis: i32): void {
  for (; rows > 0; rows--) {
    v128.store32_lane(out, reduceRun(reduction, input, axis), 0)
    out += 4
    input += <usize>axis << 2
  }
}

@inline
function argRows(smallest: bool, out: usize, input: usize, rows: i32, axis: i32): void {
  for (; rows > 0; rows--) {
    // first the value, then its first index; the row contains the value, so the search stops inside the row
    const best = smallest ? reduceRun(Reduction.MinI32, input, axis) : reduceRun(Reduction.MaxI32, input, axis)
    let pointer = input
    let index = 0
    let found = 0
    while (!(found = i32x4.bitmask(i32x4.eq(v128.load(pointer), best)))) {
      index += 4
      pointer += 16
    }
    store<i32>(out, index + ctz(found))
    out += 4
    input += <usize>axis << 2
  }
}

@inline
function argColumns(
  smallest: bool, out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  // the smallest is the largest of ~x, which decreases as x increases
  const flip = i32x4.splat(smallest ? -1 : 0)
  const rowSize = <usize>inner << 2
  for (; outer > 0; outer--) {
    const last = outer == 1 ? end : inner
    for (let column = first; column < last; column += 4) {
      let pointer = input + (<usize>column << 2)
      let best = v128.xor(v128.load(pointer), flip)
      let bestIndex = i32x4.splat(0)
      for (let i = 1; i < axis; i++) {
        pointer += rowSize
        const x = v128.xor(v128.load(pointer), flip)
        const wins = i32x4.gt_s(x, best)
        best = i32x4.max_s(x, best)
        bestIndex = v128.bitselect(i32x4.splat(i), bestIndex, wins)
      }
      store_up_to_4(out + (<usize>column << 2), bestIndex, last - column)
    }
    first = 0
    out += rowSize
    input += <usize>axis * rowSize
  }
}

export function sum_rows_i32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.SumI32, out, input, rows, axis)
}

export function max_rows_i32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.MaxI32, out, input, rows, axis)
}

export function min_rows_i32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.MinI32, out, input, rows, axis)
}

export function sum_columns_i32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  foldColumns(Reduction.SumI32, out, input, outer, axis, inner, first, end)
}

export function max_columns_i32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  foldColumns(Reduction.MaxI32, out, input, outer, axis, inner, first, end)
}

export function min_columns_i32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  foldColumns(Reduction.MinI32, out, input, outer, axis, inner, first, end)
}

/** The first index of the largest along `axis` ≥ 1. */
export function argMax_i32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  if (inner == 1) argRows(false, out, input, outer, axis)
  else argColumns(false, out, input, outer, axis, inner, first, end)
}

/** The first index of the smallest along `axis` ≥ 1. */
export function argMin_i32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  if (inner == 1) argRows(true, out, input, outer, axis)
  else argColumns(true, out, input, outer, axis, inner, first, end)
}
