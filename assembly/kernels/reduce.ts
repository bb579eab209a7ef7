// Reductions over the middle axis of [outer, axis, inner], in two forms: along rows (inner = 1) and along columns.
// reduce-i32.ts has those of integers. Results never depend on the number of threads: the shape fixes the order of
// additions.
//
// Sums are kept short: a chain of at most 64 additions per accumulator, then sums of sums, so that the error grows with
// the logarithm of the length rather than with the length.

import { Reduction } from '../shared/opcodes'
import { rowPartEnd, rowPartStart } from '../parts'
import { Reduce } from '../shared/instructions'
import { store_up_to_16, store_up_to_4, swapHalves, swapNeighbours, tailMask } from '../simd'
import {
  max_columns_i32, max_rows_i32, min_columns_i32, min_rows_i32, sum_columns_i32, sum_rows_i32,
} from './reduce-i32'
import { combine, extremeRun, foldColumns, foldRows, identity, isExtreme, nan_lanes, pickExtreme } from './extremes'

/** Four partial sums of `n` ≥ 0 floats. */
@inline
function sumRun(pointer: usize, n: i32): v128 {
  let a0 = f32x4.splat(0.0)
  if (n >= 32) {
    // eight loads, but four sums: one more live vector would spill a sum to the stack
    let a1 = a0, a2 = a0, a3 = a0
    for (; n >= 32; n -= 32) {
      a0 = f32x4.add(a0, f32x4.add(v128.load(pointer), v128.load(pointer, 64)))
      a1 = f32x4.add(a1, f32x4.add(v128.load(pointer, 16), v128.load(pointer, 80)))
      a2 = f32x4.add(a2, f32x4.add(v128.load(pointer, 32), v128.load(pointer, 96)))
      a3 = f32x4.add(a3, f32x4.add(v128.load(pointer, 48), v128.load(pointer, 112)))
      pointer += 128
    }
    a0 = f32x4.add(f32x4.add(a0, a2), f32x4.add(a1, a3))
  }
  for (; n >= 4; n -= 4) {
    a0 = f32x4.add(a0, v128.load(pointer))
    pointer += 16
  }
  if (n > 0) a0 = f32x4.add(a0, v128.and(v128.load(pointer), tailMask(n)))
  return a0
}

/** Four partial sums of `n` floats: runs of 256, and sixteen sums per sum of the next level. */
@inline
function sumLong(pointer: usize, n: i32): v128 {
  const zero = f32x4.splat(0.0)
  let level1 = zero
  let level2 = zero
  let level3 = zero
  let level4 = zero
  for (let run = 1; n > 256; n -= 256, run++) {
    level1 = f32x4.add(level1, sumRun(pointer, 256))
    pointer += 1024
    if (!(run & 15)) {
      level2 = f32x4.add(level2, level1)
      level1 = zero
      if (!(run & 255)) {
        level3 = f32x4.add(level3, level2)
        level2 = zero
        if (!(run & 4095)) {
          level4 = f32x4.add(level4, level3)
          level3 = zero
        }
      }
    }
  }
  level1 = f32x4.add(level1, sumRun(pointer, n))
  return f32x4.add(f32x4.add(level4, level3), f32x4.add(level2, level1))
}

/** The four results of four vectors of partial results, one per lane, in the order of (a0 + a2) + (a1 + a3). */
@inline
function reduceLanes(reduction: Reduction, a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = combine(reduction, v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7))
  const cd = combine(reduction, v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7))
  return combine(reduction, v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7))
}

/** Columns up to which rows are taken four at a time: one chain of additions per row, of 8 and the rest. */
const SHORT_SUM = 64
/** The same for maxima and minima, whose order does not matter. */
const SHORT_EXTREME = 256

/** Four partial sums of `n` ≥ 0 floats, in the order of sumFourRows. */
@inline
function sumShortRun(pointer: usize, n: i32): v128 {
  let a = f32x4.splat(0.0)
  for (; n >= 8; n -= 8) {
    a = f32x4.add(a, f32x4.add(v128.load(pointer), v128.load(pointer, 16)))
    pointer += 32
  }
  if (n >= 4) {
    a = f32x4.add(a, v128.load(pointer))
    pointer += 16
    n -= 4
  }
  if (n > 0) a = f32x4.add(a, v128.and(v128.load(pointer), tailMask(n)))
  return a
}

/** The sums of four rows. */
@inline
function sumFourRows(r0: usize, r1: usize, r2: usize, r3: usize, axis: i32): v128 {
  let a0 = f32x4.splat(0.0), a1 = a0, a2 = a0, a3 = a0
  for (; axis >= 8; axis -= 8) {
    a0 = f32x4.add(a0, f32x4.add(v128.load(r0), v128.load(r0, 16)))
    a1 = f32x4.add(a1, f32x4.add(v128.load(r1), v128.load(r1, 16)))
    a2 = f32x4.add(a2, f32x4.add(v128.load(r2), v128.load(r2, 16)))
    a3 = f32x4.add(a3, f32x4.add(v128.load(r3), v128.load(r3, 16)))
    r0 += 32, r1 += 32, r2 += 32, r3 += 32
  }
  if (axis >= 4) {
    a0 = f32x4.add(a0, v128.load(r0))
    a1 = f32x4.add(a1, v128.load(r1))
    a2 = f32x4.add(a2, v128.load(r2))
    a3 = f32x4.add(a3, v128.load(r3))
    r0 += 16, r1 += 16, r2 += 16, r3 += 16
    axis -= 4
  }
  if (axis > 0) {
    const mask = tailMask(axis)
    a0 = f32x4.add(a0, v128.and(v128.load(r0), mask))
    a1 = f32x4.add(a1, v128.and(v128.load(r1), mask))
    a2 = f32x4.add(a2, v128.and(v128.load(r2), mask))
    a3 = f32x4.add(a3, v128.and(v128.load(r3), mask))
  }
  return reduceLanes(Reduction.Sum, a0, a1, a2, a3)
}

/** The maxima or minima of four rows. */
@inline
function extremeOfFourRows(reduction: Reduction, r0: usize, r1: usize, r2: usize, r3: usize, axis: i32): v128 {
  let a0 = identity(reduction), a1 = a0, a2 = a0, a3 = a0
  let sum = i32x4.splat(0)
  let left = axis
  for (; left >= 4; left -= 4) {
    const x0 = v128.load(r0), x1 = v128.load(r1), x2 = v128.load(r2), x3 = v128.load(r3)
    a0 = pickExtreme(reduction, a0, x0)
    a1 = pickExtreme(reduction, a1, x1)
    a2 = pickExtreme(reduction, a2, x2)
    a3 = pickExtreme(reduction, a3, x3)
    sum = f32x4.add(sum, f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)))
    r0 += 16, r1 += 16, r2 += 16, r3 += 16
  }
  if (left > 0) {
    const mask = tailMask(left)
    const x0 = v128.bitselect(v128.load(r0), a0, mask)
    const x1 = v128.bitselect(v128.load(r1), a1, mask)
    const x2 = v128.bitselect(v128.load(r2), a2, mask)
    const x3 = v128.bitselect(v128.load(r3), a3, mask)
    a0 = pickExtreme(reduction, a0, x0)
    a1 = pickExtreme(reduction, a1, x1)
    a2 = pickExtreme(reduction, a2, x2)
    a3 = pickExtreme(reduction, a3, x3)
    sum = f32x4.add(sum, f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)))
  }
  if (v128.any_true(f32x4.ne(sum, sum))) {
    const n = axis >> 2
    const back = <usize>n << 4
    a0 = v128.or(a0, nan_lanes(r0 - back, 16, n, left))
    a1 = v128.or(a1, nan_lanes(r1 - back, 16, n, left))
    a2 = v128.or(a2, nan_lanes(r2 - back, 16, n, left))
    a3 = v128.or(a3, nan_lanes(r3 - back, 16, n, left))
  }
  return reduceLanes(reduction, a0, a1, a2, a3)
}

@inline
function reduceRows(reduction: Reduction, out: usize, input: usize, rows: i32, axis: i32): void {
  const extreme = isExtreme(reduction)
  const rowSize = <usize>axis << 2
  if (axis <= (extreme ? SHORT_EXTREME : SHORT_SUM)) {
    // the lanes of four rows are reduced together, not row by row
    for (; rows >= 4; rows -= 4) {
      const r1 = input + rowSize
      const r2 = r1 + rowSize
      const r3 = r2 + rowSize
      const y = extreme
        ? extremeOfFourRows(reduction, input, r1, r2, r3, axis)
        : sumFourRows(input, r1, r2, r3, axis)
      v128.store(out, y)
      out += 16
      input = r3 + rowSize
    }
  }
  for (; rows > 0; rows--) {
    let partial: v128
    if (extreme) partial = extremeRun(reduction, input, axis)
    else if (axis <= SHORT_SUM) partial = sumShortRun(input, axis)
    else if (axis <= 256) partial = sumRun(input, axis)
    else partial = sumLong(input, axis)
    const pairs = combine(reduction, partial, swapHalves(partial))
    v128.store32_lane(out, combine(reduction, pairs, swapNeighbours(pairs)), 0)
    out += 4
    input += rowSize
  }
}

/** The sums of up to 16 columns of [axis, inner]; reads 16 floats of each row whatever `width` is. */
@inline
function sumColumns16(out: usize, input: usize, axis: i32, rowSize: usize, width: i32): void {
  let y0 = f32x4.splat(0.0), y1 = y0, y2 = y0, y3 = y0
  let z0 = y0, z1 = y0, z2 = y0, z3 = y0
  let blocks = 0
  for (let left = axis; left > 0; ) {
    let a0 = v128.load(input)
    let a1 = v128.load(input, 16)
    let a2 = v128.load(input, 32)
    let a3 = v128.load(input, 48)
    input += rowSize
    const block = min(left, 64)
    for (let i = block - 1; i > 0; i--) {
      a0 = f32x4.add(a0, v128.load(input))
      a1 = f32x4.add(a1, v128.load(input, 16))
      a2 = f32x4.add(a2, v128.load(input, 32))
      a3 = f32x4.add(a3, v128.load(input, 48))
      input += rowSize
    }
    left -= block
    y0 = f32x4.add(y0, a0)
    y1 = f32x4.add(y1, a1)
    y2 = f32x4.add(y2, a2)
    y3 = f32x4.add(y3, a3)
    if (!(++blocks & 63)) {
      z0 = f32x4.add(z0, y0)
      z1 = f32x4.add(z1, y1)
      z2 = f32x4.add(z2, y2)
      z3 = f32x4.add(z3, y3)
      y0 = y1 = y2 = y3 = f32x4.splat(0.0)
    }
  }
  y0 = f32x4.add(z0, y0)
  y1 = f32x4.add(z1, y1)
  y2 = f32x4.add(z2, y2)
  y3 = f32x4.add(z3, y3)
  store_up_to_16(out, y0, y1, y2, y3, width)
}

/** The sums of up to 4 columns of [axis, inner], four rows at a time. */
@inline
function sumColumns4(out: usize, input: usize, axis: i32, rowSize: usize, width: i32): void {
  const zero = f32x4.splat(0.0)
  let y = zero
  let z = zero
  let blocks = 0
  let left = axis
  while (left >= 4) {
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero
    const block = min(left >> 2, 64)
    for (let i = block; i > 0; i--) {
      a0 = f32x4.add(a0, v128.load(input))
      a1 = f32x4.add(a1, v128.load(input + rowSize))
      input += rowSize << 1
      a2 = f32x4.add(a2, v128.load(input))
      a3 = f32x4.add(a3, v128.load(input + rowSize))
      input += rowSize << 1
    }
    left -= block << 2
    y = f32x4.add(y, f32x4.add(f32x4.add(a0, a2), f32x4.add(a1, a3)))
    if (!(++blocks & 63)) {
      z = f32x4.add(z, y)
      y = zero
    }
  }
  for (; left > 0; left--) {
    y = f32x4.add(y, v128.load(input))
    input += rowSize
  }
  y = f32x4.add(z, y)
  store_up_to_4(out, y, width)
}

/** A separate function, because it is called often enough to be optimised within the first large sum. */
export function fold_sum_f32(
  target: usize, input: usize, rows: i32, rowSize: usize, columns: i32, isFirst: bool,
): void {
  foldRows(Reduction.Sum, target, input, rows, rowSize, columns, isFirst)
}

/** Bytes of [axis, inner] from which on columns are processed side by side. */
const STREAMED: usize = 256 << 10
/** Columns of a strip: its sums stay in the second-level cache. Whole rows are best, since memory is prefetched. */
const STRIP = 8192

/**
 * Sums columns `column` to `end` of [axis, inner], side by side and row by row, as far as that works; returns the
 * column where it stops. Taking one group of 16 columns after another would read scattered cache lines of an uncached
 * matrix. Both ways give the same bits. Sums of blocks, and of blocks of blocks, are kept in columns of out that are
 * not done yet, so that a strip is at most a half or a third of the remaining columns.
 */
@inline
function streamColumns(out: usize, input: usize, axis: i32, inner: i32, column: i32, end: i32): i32 {
  const rowSize = <usize>inner << 2
  if (axis < 8 || <usize>axis * rowSize < STREAMED) return column
  const levels = axis <= 64 ? 1 : axis <= 4096 ? 2 : 3
  const narrowest = levels == 1 ? 32 : 128
  while ((end - column) / levels >= narrowest) {
    const width = min(STRIP, (end - column) / levels & ~15)
    const bytes = <usize>width << 2
    const target = out + (<usize>column << 2)
    let from = input + (<usize>column << 2)
    if (levels == 1) fold_sum_f32(target, from, axis, rowSize, width, true)
    else {
      const blockSums = target + bytes
      const sums = levels == 2 ? target : blockSums + bytes
      let blocks = 0
      for (let left = axis; left > 0; left -= 64) {
        fold_sum_f32(blockSums, from, min(left, 64), rowSize, width, true)
        fold_sum_f32(sums, blockSums, 1, 0, width, !(blocks & 63))
        from += rowSize << 6
        if (!(++blocks & 63) && levels == 3) fold_sum_f32(target, sums, 1, 0, width, blocks == 64)
      }
      if (levels == 3 && blocks & 63) fold_sum_f32(target, sums, 1, 0, width, false)
    }
    column += width
  }
  return column
}

// A part of the columns: from column `first` of the first of `outer` rows of out to column `end` of the last one. Both
// are multiples of 16, or inner, so that every column falls into the same group of columns as in the whole.

export function sum_columns_f32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  const rowSize = <usize>inner << 2
  for (; outer > 0; outer--) {
    const last = outer == 1 ? end : inner
    for (let column = streamColumns(out, input, axis, inner, first, last); column < last; ) {
      const width = min(last - column, 16)
      const offset = <usize>column << 2
      if (width <= 4) sumColumns4(out + offset, input + offset, axis, rowSize, width)
      else sumColumns16(out + offset, input + offset, axis, rowSize, width)
      column += width
    }
    first = 0
    out += rowSize
    input += <usize>axis * rowSize
  }
}

export function sum_rows_f32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.Sum, out, input, rows, axis)
}

export function max_rows_f32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.Max, out, input, rows, axis)
}

export function min_rows_f32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.Min, out, input, rows, axis)
}

export function max_columns_f32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  foldColumns(Reduction.Max, out, input, outer, axis, inner, first, end)
}

export function min_columns_f32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  foldColumns(Reduction.Min, out, input, outer, axis, inner, first, end)
}

/** out [count] /= n */
function divideBy(out: usize, count: i32, n: i32): void {
  const divisor = f32x4.splat(<f32>n)
  for (; count > 0; count -= 4) {
    store_up_to_4(out, f32x4.div(v128.load(out), divisor), count)
    out += 16
  }
}

/**
 * Runs a Reduce, or a part of its results. An empty axis gives 0, NaN, −Inf, Inf for Sum, Mean, Max, Min; the planner
 * makes a Fill of integers over an empty axis.
 */
export function reduce(instruction: usize, part: i32, parts: i32): void {
  let out = load<usize>(instruction, Reduce.out)
  let input = load<usize>(instruction, Reduce.input)
  let outer = load<i32>(instruction, Reduce.outer)
  const axis = load<i32>(instruction, Reduce.axis)
  const inner = load<i32>(instruction, Reduce.inner)
  const reduction: Reduction = load<i32>(instruction, Reduce.reduction)
  let first = 0, end = inner, count = outer * inner
  if (parts > 1) {
    const begin = rowPartStart(outer, inner, 16, part, parts)
    const stop = rowPartEnd(outer, inner, 16, part, parts)
    count = stop - begin
    if (count == 0) return
    const row = begin / inner
    first = begin - row * inner
    outer = (stop - 1) / inner - row + 1
    end = stop - (row + outer - 1) * inner
    out += <usize>row * (<usize>inner << 2)
    input += <usize>(row * axis) * (<usize>inner << 2)
  }
  if (inner == 1) {
    switch (reduction) {
      case Reduction.Sum:
      case Reduction.Mean: sum_rows_f32(out, input, outer, axis); break
      case Reduction.Max: return max_rows_f32(out, input, outer, axis)
      case Reduction.Min: return min_rows_f32(out, input, outer, axis)
      case Reduction.SumI32: return sum_rows_i32(out, input, outer, axis)
      case Reduction.MaxI32: return max_rows_i32(out, input, outer, axis)
      case Reduction.MinI32: return min_rows_i32(out, input, outer, axis)
    }
  } else {
    switch (reduction) {
      case Reduction.Sum:
      case Reduction.Mean: sum_columns_f32(out, input, outer, axis, inner, first, end); break
      case Reduction.Max: return max_columns_f32(out, input, outer, axis, inner, first, end)
      case Reduction.Min: return min_columns_f32(out, input, outer, axis, inner, first, end)
      case Reduction.SumI32: return sum_columns_i32(out, input, outer, axis, inner, first, end)
      case Reduction.MaxI32: return max_columns_i32(out, input, outer, axis, inner, first, end)
      case Reduction.MinI32: return min_columns_i32(out, input, outer, axis, inner, first, end)
    }
  }
  if (reduction == Reduction.Mean) divideBy(out + (<usize>first << 2), count, axis)
}
