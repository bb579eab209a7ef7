// Shared by reductions and arg-reductions: combining two partial results, and the extremes of a run. Reads no
// instructions: see reduce.ts and arg-reduce.ts.

import { Reduction } from '../shared/opcodes'
import { tailMask } from '../simd'

/** Max and Min give NaN if either side is NaN. */
@inline
export function combine(reduction: Reduction, a: v128, b: v128): v128 {
  if (reduction == Reduction.Max) return f32x4.max(a, b)
  if (reduction == Reduction.Min) return f32x4.min(a, b)
  return f32x4.add(a, b)
}

/** The result for an empty axis. */
@inline
export function identity(reduction: Reduction): v128 {
  if (reduction == Reduction.Max) return f32x4.splat(-Infinity)
  if (reduction == Reduction.Min) return f32x4.splat(Infinity)
  return f32x4.splat(0.0)
}

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
