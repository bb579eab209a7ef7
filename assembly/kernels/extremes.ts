// Shared by reductions and arg-reductions: combining two partial results, the extremes of a run, and sums and extremes of
// rows. Reads no instructions: see reduce.ts, reduce-i32.ts and arg-reduce.ts.

import { Reduction } from '../shared/opcodes'
import { storeRow16, store_up_to_4, tailMask } from '../simd'

/** Max and Min give NaN if either side is NaN. */
@inline
export function combine(reduction: Reduction, a: v128, b: v128): v128 {
  if (reduction == Reduction.Max) return f32x4.max(a, b)
  if (reduction == Reduction.Min) return f32x4.min(a, b)
  if (reduction == Reduction.MaxI32) return i32x4.max_s(a, b)
  if (reduction == Reduction.MinI32) return i32x4.min_s(a, b)
  return reduction == Reduction.SumI32 ? i32x4.add(a, b) : f32x4.add(a, b)
}

/** The result for an empty axis: combining it changes nothing. */
@inline
export function identity(reduction: Reduction): v128 {
  if (reduction == Reduction.Max) return f32x4.splat(-Infinity)
  if (reduction == Reduction.Min) return f32x4.splat(Infinity)
  if (reduction == Reduction.MaxI32) return i32x4.splat(i32.MIN_VALUE)
  if (reduction == Reduction.MinI32) return i32x4.splat(i32.MAX_VALUE)
  return f32x4.splat(0.0)
}

/** Whether a reduction is an extreme of floats, which must keep NaN. */
@inline
export function isExtreme(reduction: Reduction): bool {
  return reduction == Reduction.Max || reduction == Reduction.Min
}

/** One instruction on x86, where f32x4.max is seven, but ignores a NaN in `b`. */
@inline
export function pickExtreme(reduction: Reduction, a: v128, b: v128): v128 {
  return reduction == Reduction.Max ? f32x4.pmax(a, b) : f32x4.pmin(a, b)
}

/** All ones in the lanes that are NaN in one of `n` vectors, `step` bytes apart, or among the `tail` < 4 lanes of the next. */
export function nan_lanes(pointer: usize, step: usize, n: i32, tail: i32): v128 {
  let nan = i32x4.splat(0)
  for (; n > 0; n--) {
    const x = v128.load(pointer)
    nan = v128.or(nan, f32x4.ne(x, x))
    pointer += step
  }
  if (tail > 0) {
    const x = v128.and(v128.load(pointer), tailMask(tail))
    nan = v128.or(nan, f32x4.ne(x, x))
  }
  return nan
}

// Extremes are computed without NaN, and beside them the sum of all elements, which is one instruction per vector where the search
// for NaN is two. If the sum is no number, NaN or infinities of both signs are among the elements: nan_lanes decides.

/** Four partial maxima or minima of `n` ≥ 0 floats. */
@inline
export function extremeRun(reduction: Reduction, pointer: usize, n: i32): v128 {
  const start = pointer, count = n
  let a0 = identity(reduction), a1 = a0, a2 = a0, a3 = a0
  let sum = i32x4.splat(0)
  for (; n >= 16; n -= 16) {
    const x0 = v128.load(pointer), x1 = v128.load(pointer, 16), x2 = v128.load(pointer, 32), x3 = v128.load(pointer, 48)
    a0 = pickExtreme(reduction, a0, x0)
    a1 = pickExtreme(reduction, a1, x1)
    a2 = pickExtreme(reduction, a2, x2)
    a3 = pickExtreme(reduction, a3, x3)
    sum = f32x4.add(sum, f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)))
    pointer += 64
  }
  for (; n >= 4; n -= 4) {
    const x = v128.load(pointer)
    a0 = pickExtreme(reduction, a0, x)
    sum = f32x4.add(sum, x)
    pointer += 16
  }
  if (n > 0) {
    const x = v128.bitselect(v128.load(pointer), a0, tailMask(n))
    a1 = pickExtreme(reduction, a1, x)
    sum = f32x4.add(sum, x)
  }
  let y = pickExtreme(reduction, pickExtreme(reduction, a0, a1), pickExtreme(reduction, a2, a3))
  if (v128.any_true(f32x4.ne(sum, sum))) y = v128.or(y, nan_lanes(start, 16, count >> 2, n))
  return y
}

/** One more row in an accumulator: for an extreme, without its NaN. */
@inline
function accumulate(reduction: Reduction, a: v128, x: v128): v128 {
  return isExtreme(reduction) ? pickExtreme(reduction, a, x) : combine(reduction, a, x)
}

/** foldRows for one block of rows of fewer than 16 columns. */
@inline
function foldFewColumns(
  reduction: Reduction, target: usize, input: usize, rows: i32, rowSize: usize, columns: i32, isFirst: bool,
): void {
  for (; columns > 0; columns -= 4) {
    let row = input
    let a = isFirst ? identity(reduction) : v128.load(target)
    let sum = i32x4.splat(0)
    let left = rows
    for (; left >= 4; left -= 4) {
      const x0 = v128.load(row), x1 = v128.load(row + rowSize)
      row += rowSize << 1
      const x2 = v128.load(row), x3 = v128.load(row + rowSize)
      row += rowSize << 1
      a = accumulate(reduction, a, accumulate(reduction, accumulate(reduction, x0, x1), accumulate(reduction, x2, x3)))
      if (isExtreme(reduction)) sum = f32x4.add(sum, f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)))
    }
    for (; left > 0; left--) {
      const x = v128.load(row)
      a = accumulate(reduction, a, x)
      if (isExtreme(reduction)) sum = f32x4.add(sum, x)
      row += rowSize
    }
    if (isExtreme(reduction) && v128.any_true(f32x4.ne(sum, sum))) a = v128.or(a, nan_lanes(input, rowSize, rows, 0))
    store_up_to_4(target, a, columns)
    target += 16, input += 16
  }
}

/**
 * target [columns] = reduction(rows of input), or with target unless it is the first. Eight rows at a time, each of which is
 * prefetched, or as many as have 8 kB: a target is loaded and stored once for all of them. Fewer than 16 columns are taken as vectors
 * of four rows. Without rows, a first target gets the result of an empty axis. Sums of floats need a multiple of 16 columns.
 */
@inline
export function foldRows(
  reduction: Reduction, target: usize, input: usize, rows: i32, rowSize: usize, columns: i32, isFirst: bool,
): void {
  const height = max(8, 512 / max(columns, 1) << 2)
  do {
    const block = min(rows, height)
    let t = target, from = input
    let width = columns
    for (; width >= 16; width -= 16) {
      let row = from
      let a0 = identity(reduction), a1 = a0, a2 = a0, a3 = a0
      // a NaN in the target, the first operand, is kept
      if (!isFirst) a0 = v128.load(t), a1 = v128.load(t, 16), a2 = v128.load(t, 32), a3 = v128.load(t, 48)
      let sum = i32x4.splat(0)
      for (let left = block; left > 0; left--) {
        const x0 = v128.load(row), x1 = v128.load(row, 16), x2 = v128.load(row, 32), x3 = v128.load(row, 48)
        a0 = accumulate(reduction, a0, x0)
        a1 = accumulate(reduction, a1, x1)
        a2 = accumulate(reduction, a2, x2)
        a3 = accumulate(reduction, a3, x3)
        if (isExtreme(reduction)) sum = f32x4.add(sum, f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3)))
        row += rowSize
      }
      if (isExtreme(reduction) && v128.any_true(f32x4.ne(sum, sum))) {
        a0 = v128.or(a0, nan_lanes(from, rowSize, block, 0))
        a1 = v128.or(a1, nan_lanes(from + 16, rowSize, block, 0))
        a2 = v128.or(a2, nan_lanes(from + 32, rowSize, block, 0))
        a3 = v128.or(a3, nan_lanes(from + 48, rowSize, block, 0))
      }
      storeRow16(t, a0, a1, a2, a3)
      t += 64, from += 64
    }
    if (reduction != Reduction.Sum) foldFewColumns(reduction, t, from, block, rowSize, width, isFirst)
    input += rowSize * <usize>height
    isFirst = false
    rows -= height
  } while (rows > 0)
}

/**
 * A reduction whose order does not matter, over the columns of [outer, axis, inner]: from column `first` of the first of
 * `outer` rows of out to column `end` of the last one.
 */
@inline
export function foldColumns(
  reduction: Reduction, out: usize, input: usize, outer: i32, axis: i32, inner: i32, first: i32, end: i32,
): void {
  const rowSize = <usize>inner << 2
  for (; outer > 0; outer--) {
    const offset = <usize>first << 2
    foldRows(reduction, out + offset, input + offset, axis, rowSize, (outer == 1 ? end : inner) - first, true)
    first = 0
    out += rowSize
    input += <usize>axis * rowSize
  }
}
