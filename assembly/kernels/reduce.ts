// Reductions over the middle axis of [outer, axis, inner], in two forms: along rows (inner = 1) and along columns.
// reduce-i32.ts has those of integers. Results never depend on the number of threads: the shape fixes the order of
// additions.
//
// Sums are kept short: a chain of at most 64 additions per accumulator, then sums of sums, so that the error grows with
// the logarithm of the length rather than with the length.

import { Reduction } from '../shared/opcodes'
import { partEnd, partStart, rowPartEnd, rowPartStart } from '../parts'
import { Reduce } from '../shared/instructions'
import { fillWords, storeTail, swapHalves, swapNeighbours, tailMask } from '../simd'
import {
  max_columns_i32, max_rows_i32, min_columns_i32, min_rows_i32, sum_columns_i32, sum_rows_i32,
} from './reduce-i32'
import { combine, extremeRun, identity, isExtreme, pickExtreme, unordered } from './extremes'

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
  let nan0 = i32x4.splat(0), nan1 = nan0, nan2 = nan0, nan3 = nan0
  for (; axis >= 4; axis -= 4) {
    const x0 = v128.load(r0)
    a0 = pickExtreme(reduction, a0, x0)
    nan0 = v128.or(nan0, f32x4.ne(x0, x0))
    const x1 = v128.load(r1)
    a1 = pickExtreme(reduction, a1, x1)
    nan1 = v128.or(nan1, f32x4.ne(x1, x1))
    const x2 = v128.load(r2)
    a2 = pickExtreme(reduction, a2, x2)
    nan2 = v128.or(nan2, f32x4.ne(x2, x2))
    const x3 = v128.load(r3)
    a3 = pickExtreme(reduction, a3, x3)
    nan3 = v128.or(nan3, f32x4.ne(x3, x3))
    r0 += 16, r1 += 16, r2 += 16, r3 += 16
  }
  if (axis > 0) {
    const mask = tailMask(axis)
    const x0 = v128.bitselect(v128.load(r0), a0, mask)
    const x1 = v128.bitselect(v128.load(r1), a1, mask)
    const x2 = v128.bitselect(v128.load(r2), a2, mask)
    const x3 = v128.bitselect(v128.load(r3), a3, mask)
    a0 = pickExtreme(reduction, a0, x0)
    a1 = pickExtreme(reduction, a1, x1)
    a2 = pickExtreme(reduction, a2, x2)
    a3 = pickExtreme(reduction, a3, x3)
    nan0 = v128.or(nan0, f32x4.ne(x0, x0))
    nan1 = v128.or(nan1, f32x4.ne(x1, x1))
    nan2 = v128.or(nan2, f32x4.ne(x2, x2))
    nan3 = v128.or(nan3, f32x4.ne(x3, x3))
  }
  return reduceLanes(reduction, v128.or(a0, nan0), v128.or(a1, nan1), v128.or(a2, nan2), v128.or(a3, nan3))
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
      let y = extreme
        ? extremeOfFourRows(reduction, input, r1, r2, r3, axis)
        : sumFourRows(input, r1, r2, r3, axis)
      if (reduction == Reduction.Mean) y = f32x4.div(y, f32x4.splat(<f32>axis))
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
    let y = f32x4.extract_lane(combine(reduction, pairs, swapNeighbours(pairs)), 0)
    if (reduction == Reduction.Mean) y /= <f32>axis
    store<f32>(out, y)
    out += 4
    input += rowSize
  }
}

/** Up to 16 columns of [axis, inner]; reads 16 floats of each row whatever `width` is. */
@inline
function reduceColumns16(reduction: Reduction, out: usize, input: usize, axis: i32, rowSize: usize, width: i32): void {
  let y0 = identity(reduction), y1 = y0, y2 = y0, y3 = y0
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
      a0 = combine(reduction, a0, v128.load(input))
      a1 = combine(reduction, a1, v128.load(input, 16))
      a2 = combine(reduction, a2, v128.load(input, 32))
      a3 = combine(reduction, a3, v128.load(input, 48))
      input += rowSize
    }
    left -= block
    y0 = combine(reduction, y0, a0)
    y1 = combine(reduction, y1, a1)
    y2 = combine(reduction, y2, a2)
    y3 = combine(reduction, y3, a3)
    if (!(++blocks & 63)) {
      z0 = combine(reduction, z0, y0)
      z1 = combine(reduction, z1, y1)
      z2 = combine(reduction, z2, y2)
      z3 = combine(reduction, z3, y3)
      y0 = y1 = y2 = y3 = identity(reduction)
    }
  }
  y0 = combine(reduction, z0, y0)
  y1 = combine(reduction, z1, y1)
  y2 = combine(reduction, z2, y2)
  y3 = combine(reduction, z3, y3)
  if (reduction == Reduction.Mean) {
    const n = f32x4.splat(<f32>axis)
    y0 = f32x4.div(y0, n)
    y1 = f32x4.div(y1, n)
    y2 = f32x4.div(y2, n)
    y3 = f32x4.div(y3, n)
  }
  storeUpTo16(out, y0, y1, y2, y3, width)
}

/** Stores the first `n` of 16 floats, 1 ≤ n. */
@inline
function storeUpTo16(out: usize, y0: v128, y1: v128, y2: v128, y3: v128, n: i32): void {
  if (n >= 16) {
    v128.store(out, y0)
    v128.store(out, y1, 16)
    v128.store(out, y2, 32)
    v128.store(out, y3, 48)
    return
  }
  for (; n > 0; n -= 4) {
    if (n >= 4) v128.store(out, y0)
    else storeTail(out, y0, n)
    out += 16
    y0 = y1
    y1 = y2
    y2 = y3
  }
}

/** reduceColumns16 for maxima and minima. */
@inline
function extremeColumns16(reduction: Reduction, out: usize, input: usize, axis: i32, rowSize: usize, width: i32): void {
  let a0 = identity(reduction), a1 = a0, a2 = a0, a3 = a0
  let nan0 = i32x4.splat(0), nan1 = nan0, nan2 = nan0, nan3 = nan0
  for (let left = axis; left > 0; left--) {
    const x0 = v128.load(input)
    const x1 = v128.load(input, 16)
    const x2 = v128.load(input, 32)
    const x3 = v128.load(input, 48)
    a0 = pickExtreme(reduction, a0, x0)
    a1 = pickExtreme(reduction, a1, x1)
    a2 = pickExtreme(reduction, a2, x2)
    a3 = pickExtreme(reduction, a3, x3)
    nan0 = v128.or(nan0, f32x4.ne(x0, x0))
    nan1 = v128.or(nan1, f32x4.ne(x1, x1))
    nan2 = v128.or(nan2, f32x4.ne(x2, x2))
    nan3 = v128.or(nan3, f32x4.ne(x3, x3))
    input += rowSize
  }
  storeUpTo16(out, v128.or(a0, nan0), v128.or(a1, nan1), v128.or(a2, nan2), v128.or(a3, nan3), width)
}

/** Up to 4 columns of [axis, inner], four rows at a time. */
@inline
function reduceColumns4(reduction: Reduction, out: usize, input: usize, axis: i32, rowSize: usize, width: i32): void {
  const none = identity(reduction)
  let y = none
  let z = none
  let blocks = 0
  let left = axis
  while (left >= 4) {
    let a0 = none, a1 = none, a2 = none, a3 = none
    const block = min(left >> 2, 64)
    for (let i = block; i > 0; i--) {
      a0 = combine(reduction, a0, v128.load(input))
      a1 = combine(reduction, a1, v128.load(input + rowSize))
      input += rowSize << 1
      a2 = combine(reduction, a2, v128.load(input))
      a3 = combine(reduction, a3, v128.load(input + rowSize))
      input += rowSize << 1
    }
    left -= block << 2
    y = combine(reduction, y, combine(reduction, combine(reduction, a0, a2), combine(reduction, a1, a3)))
    if (!(++blocks & 63)) {
      z = combine(reduction, z, y)
      y = none
    }
  }
  for (; left > 0; left--) {
    y = combine(reduction, y, v128.load(input))
    input += rowSize
  }
  y = combine(reduction, z, y)
  if (reduction == Reduction.Mean) y = f32x4.div(y, f32x4.splat(<f32>axis))
  if (width >= 4) v128.store(out, y)
  else storeTail(out, y, width)
}

/** target [bytes / 4] = reduction(target, rows of input). Four rows at a time: each is a stream that is prefetched. */
@inline
function foldRows(reduction: Reduction, target: usize, input: usize, rows: i32, rowSize: usize, bytes: usize): void {
  for (; rows & 3; rows--) {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(target + i, combine(reduction, v128.load(target + i), v128.load(input + i)))
    }
    input += rowSize
  }
  for (; rows > 0; rows -= 4) {
    let r0 = input
    let r1 = r0 + rowSize
    let r2 = r1 + rowSize
    let r3 = r2 + rowSize
    let t = target
    for (const end = r0 + bytes; r0 != end; r0 += 16, r1 += 16, r2 += 16, r3 += 16, t += 16) {
      const x0 = v128.load(r0)
      const x1 = v128.load(r1)
      const x2 = v128.load(r2)
      const x3 = v128.load(r3)
      let y = v128.load(t)
      if (isExtreme(reduction)) {
        // a NaN in y, the first operand, is kept
        y = pickExtreme(reduction, pickExtreme(reduction, y, x0), pickExtreme(reduction, x1, x2))
        y = v128.or(pickExtreme(reduction, y, x3), v128.or(unordered(x0, x1), unordered(x2, x3)))
      } else {
        y = combine(reduction, combine(reduction, y, x0), x1)
        y = combine(reduction, combine(reduction, y, x2), x3)
      }
      v128.store(t, y)
    }
    input += rowSize << 2
  }
}

// Separate functions, because they are called often enough to be optimised within the first large reduction.

export function fold_sum_f32(target: usize, input: usize, rows: i32, rowSize: usize, bytes: usize): void {
  foldRows(Reduction.Sum, target, input, rows, rowSize, bytes)
}

export function fold_max_f32(target: usize, input: usize, rows: i32, rowSize: usize, bytes: usize): void {
  foldRows(Reduction.Max, target, input, rows, rowSize, bytes)
}

export function fold_min_f32(target: usize, input: usize, rows: i32, rowSize: usize, bytes: usize): void {
  foldRows(Reduction.Min, target, input, rows, rowSize, bytes)
}

/** Bytes of [axis, inner] from which on columns are processed side by side. */
const STREAMED: usize = 256 << 10
/** Columns of a strip: its sums stay in the second-level cache. Whole rows are best, since memory is prefetched. */
const STRIP = 8192

/**
 * Reduces columns `column` to `end` of [axis, inner], side by side and row by row, as far as that works; returns the
 * column where it stops. Taking one group of 16 columns after another would read scattered cache lines of an uncached
 * matrix. Both ways give the same bits. Sums of blocks, and of blocks of blocks, are kept in columns of out that are
 * not done yet, so that a strip is at most a half or a third of the remaining columns.
 */
@inline
function streamColumns(reduction: Reduction, out: usize, input: usize, axis: i32, inner: i32, column: i32, end: i32): i32 {
  const rowSize = <usize>inner << 2
  if (axis < 8 || <usize>axis * rowSize < STREAMED) return column
  const levels = isExtreme(reduction) || axis <= 64 ? 1 : axis <= 4096 ? 2 : 3
  const narrowest = levels == 1 ? 32 : 128
  while ((end - column) / levels >= narrowest) {
    const width = min(STRIP, (end - column) / levels & ~15)
    const bytes = <usize>width << 2
    const target = out + (<usize>column << 2)
    let from = input + (<usize>column << 2)
    fillWords(target, identity(reduction), width)
    if (reduction == Reduction.Max) fold_max_f32(target, from, axis, rowSize, bytes)
    else if (reduction == Reduction.Min) fold_min_f32(target, from, axis, rowSize, bytes)
    else if (levels == 1) fold_sum_f32(target, from, axis, rowSize, bytes)
    else {
      const blockSums = target + bytes
      const sums = levels == 2 ? target : blockSums + bytes
      let blocks = 0
      if (levels == 3) fillWords(sums, f32x4.splat(0), width)
      for (let left = axis; left > 0; left -= 64) {
        fillWords(blockSums, f32x4.splat(0), width)
        fold_sum_f32(blockSums, from, min(left, 64), rowSize, bytes)
        fold_sum_f32(sums, blockSums, 1, 0, bytes)
        from += rowSize << 6
        if (levels == 3 && !(++blocks & 63)) {
          fold_sum_f32(target, sums, 1, 0, bytes)
          fillWords(sums, f32x4.splat(0), width)
        }
      }
      if (levels == 3) fold_sum_f32(target, sums, 1, 0, bytes)
    }
    if (reduction == Reduction.Mean) {
      const n = f32x4.splat(<f32>axis)
      for (let i: usize = 0; i < bytes; i += 16) v128.store(target + i, f32x4.div(v128.load(target + i), n))
    }
    column += width
  }
  return column
}

// A part of the columns: from column `first` of the first of `outer` rows of out to column `end` of the last one. Both
// are multiples of 16, or inner, so that every column falls into the same group of columns as in the whole.

@inline
function reduceColumns(
  reduction: Reduction, out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  const rowSize = <usize>inner << 2
  for (; outer > 0; outer--) {
    const last = outer == 1 ? end : inner
    for (let column = streamColumns(reduction, out, input, axis, inner, first, last); column < last; ) {
      const width = min(last - column, 16)
      const offset = <usize>column << 2
      const to = out + offset
      const from = input + offset
      if (width <= 4) reduceColumns4(reduction, to, from, axis, rowSize, width)
      else if (isExtreme(reduction)) extremeColumns16(reduction, to, from, axis, rowSize, width)
      else reduceColumns16(reduction, to, from, axis, rowSize, width)
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

export function mean_rows_f32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.Mean, out, input, rows, axis)
}

export function max_rows_f32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.Max, out, input, rows, axis)
}

export function min_rows_f32(out: usize, input: usize, rows: i32, axis: i32): void {
  reduceRows(Reduction.Min, out, input, rows, axis)
}

export function sum_columns_f32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  reduceColumns(Reduction.Sum, out, input, outer, axis, inner, first, end)
}

export function mean_columns_f32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  reduceColumns(Reduction.Mean, out, input, outer, axis, inner, first, end)
}

export function max_columns_f32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  reduceColumns(Reduction.Max, out, input, outer, axis, inner, first, end)
}

export function min_columns_f32(
  out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  reduceColumns(Reduction.Min, out, input, outer, axis, inner, first, end)
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
  if (inner == 1) {
    const row = partStart(outer, 1, part, parts)
    outer = partEnd(outer, 1, part, parts) - row
    out += <usize>row << 2
    input += <usize>(row * axis) << 2
    switch (reduction) {
      case Reduction.Sum: return sum_rows_f32(out, input, outer, axis)
      case Reduction.Mean: return mean_rows_f32(out, input, outer, axis)
      case Reduction.Max: return max_rows_f32(out, input, outer, axis)
      case Reduction.Min: return min_rows_f32(out, input, outer, axis)
      case Reduction.SumI32: return sum_rows_i32(out, input, outer, axis)
      case Reduction.MaxI32: return max_rows_i32(out, input, outer, axis)
      case Reduction.MinI32: return min_rows_i32(out, input, outer, axis)
    }
    return
  }
  let first = 0
  let end = inner
  if (parts > 1) {
    const begin = rowPartStart(outer, inner, 16, part, parts)
    const stop = rowPartEnd(outer, inner, 16, part, parts)
    if (begin == stop) return
    const row = begin / inner
    first = begin - row * inner
    outer = (stop - 1) / inner - row + 1
    end = stop - (row + outer - 1) * inner
    out += <usize>row * (<usize>inner << 2)
    input += <usize>(row * axis) * (<usize>inner << 2)
  }
  switch (reduction) {
    case Reduction.Sum: return sum_columns_f32(out, input, outer, axis, inner, first, end)
    case Reduction.Mean: return mean_columns_f32(out, input, outer, axis, inner, first, end)
    case Reduction.Max: return max_columns_f32(out, input, outer, axis, inner, first, end)
    case Reduction.Min: return min_columns_f32(out, input, outer, axis, inner, first, end)
    case Reduction.SumI32: return sum_columns_i32(out, input, outer, axis, inner, first, end)
    case Reduction.MaxI32: return max_columns_i32(out, input, outer, axis, inner, first, end)
    case Reduction.MinI32: return min_columns_i32(out, input, outer, axis, inner, first, end)
  }
}
