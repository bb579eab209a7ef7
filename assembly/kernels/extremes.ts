// Shared by reductions and arg-reductions: combining two partial results, the extremes of a run, and sums and extremes of
// rows. Reads no instructions: see reduce.ts, reduce-i32.ts and arg-reduce.ts.

import { Reduction } from '../shared/opcodes'
import { storeUpTo16, tailMask } from '../simd'

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

/** Whether a reduction keeps NaN, apart from arithmetic. */
@inline
export function isExtreme(reduction: Reduction): bool {
  return reduction == Reduction.Max || reduction == Reduction.Min
}

/** One instruction on x86, where f32x4.max is seven, but ignores a NaN in `b`. */
@inline
export function pickExtreme(reduction: Reduction, a: v128, b: v128): v128 {
  return reduction == Reduction.Max ? f32x4.pmax(a, b) : f32x4.pmin(a, b)
}

/** All ones where x or y is NaN. */
@inline
export function unordered(x: v128, y: v128): v128 {
  return v128.or(f32x4.ne(x, x), f32x4.ne(y, y))
}

/** Four partial maxima or minima of `n` ≥ 0 floats; NaN is tracked separately. */
@inline
export function extremeRun(reduction: Reduction, pointer: usize, n: i32): v128 {
  let a0 = identity(reduction), a1 = a0, a2 = a0, a3 = a0
  let nan = i32x4.splat(0)
  for (; n >= 16; n -= 16) {
    const x0 = v128.load(pointer)
    const x1 = v128.load(pointer, 16)
    const x2 = v128.load(pointer, 32)
    const x3 = v128.load(pointer, 48)
    a0 = pickExtreme(reduction, a0, x0)
    a1 = pickExtreme(reduction, a1, x1)
    a2 = pickExtreme(reduction, a2, x2)
    a3 = pickExtreme(reduction, a3, x3)
    nan = v128.or(nan, v128.or(unordered(x0, x1), unordered(x2, x3)))
    pointer += 64
  }
  for (; n >= 4; n -= 4) {
    const x = v128.load(pointer)
    a0 = pickExtreme(reduction, a0, x)
    nan = v128.or(nan, f32x4.ne(x, x))
    pointer += 16
  }
  if (n > 0) {
    const x = v128.bitselect(v128.load(pointer), a0, tailMask(n))
    a1 = pickExtreme(reduction, a1, x)
    nan = v128.or(nan, f32x4.ne(x, x))
  }
  const y = pickExtreme(reduction, pickExtreme(reduction, a0, a1), pickExtreme(reduction, a2, a3))
  return v128.or(y, nan)
}

/** One more row in an accumulator: for an extreme, without its NaN. */
@inline
function accumulate(reduction: Reduction, a: v128, x: v128): v128 {
  return isExtreme(reduction) ? pickExtreme(reduction, a, x) : combine(reduction, a, x)
}

/**
 * target [columns] = reduction(rows of input), or with target unless it is the first. Eight rows at a time, each of which is
 * prefetched: a target is loaded and stored once for all of them. A few columns take all rows at once. Reads 16 floats where fewer
 * are left. Without rows, a first target is that of an empty axis.
 */
@inline
export function foldRows(
  reduction: Reduction, target: usize, input: usize, rows: i32, rowSize: usize, columns: i32, isFirst: bool,
): void {
  const height = columns > 16 ? 8 : rows
  do {
    let t = target, from = input
    for (let width = columns; width > 0; width -= 16) {
      let row = from
      let a0 = identity(reduction), a1 = a0, a2 = a0, a3 = a0
      if (!isFirst) a0 = v128.load(t), a1 = v128.load(t, 16), a2 = v128.load(t, 32), a3 = v128.load(t, 48)
      // a NaN in the target, the first operand, is kept
      let nan0 = i32x4.splat(0), nan1 = nan0, nan2 = nan0, nan3 = nan0
      for (let left = min(rows, height); left > 0; left--) {
        const x0 = v128.load(row), x1 = v128.load(row, 16), x2 = v128.load(row, 32), x3 = v128.load(row, 48)
        a0 = accumulate(reduction, a0, x0)
        a1 = accumulate(reduction, a1, x1)
        a2 = accumulate(reduction, a2, x2)
        a3 = accumulate(reduction, a3, x3)
        if (isExtreme(reduction)) {
          nan0 = v128.or(nan0, f32x4.ne(x0, x0))
          nan1 = v128.or(nan1, f32x4.ne(x1, x1))
          nan2 = v128.or(nan2, f32x4.ne(x2, x2))
          nan3 = v128.or(nan3, f32x4.ne(x3, x3))
        }
        row += rowSize
      }
      if (isExtreme(reduction)) a0 = v128.or(a0, nan0), a1 = v128.or(a1, nan1), a2 = v128.or(a2, nan2), a3 = v128.or(a3, nan3)
      storeUpTo16(t, a0, a1, a2, a3, width)
      t += 64, from += 64
    }
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
