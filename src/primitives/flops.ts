// What counts as how many floating-point operations. One convention for summaries, benches and ledgers; it says nothing
// about time. Integers count like floats.
//
//   1   + − × ÷ √, comparisons, extremes, sign, rounding, choices and logic, one for each element of the result
//   0   copies, conversions, views, gathers, random bits
//   8   a function made of a polynomial: exp, log, sin, tanh, …
//   n   a reduction: one for each element that is folded
//   2   a product of matrices: × and + for each of m·n·k

import type { TensorType } from '../core/shapes'
import { sizeOf } from '../core/shapes'

/** exp, expm1, log, log1p, sin, cos, tanh, σ, erf and its inverse. */
export const FUNCTION = 8

/** Elements of several tensors together. */
export function elementsOf(types: readonly TensorType[]): number {
  return types.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}
