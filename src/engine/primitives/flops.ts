// The number of floating-point operations of each kind. One convention for summaries, benches and ledgers; it does not
// estimate time. Integers count like floats.
//
//   1   + − × ÷ √, comparisons, extremes, sign, rounding, choices and logic, per element of the result
//   0   copies, conversions, views, gathers, random bits, flushes of what has vanished
//   8   a function computed by a polynomial: exp, log, sin, tanh, …
//   n   a reduction: one per reduced element
//   2   a matrix product: × and + for each of m·n·k

import { sizeOf, type TensorType } from '../../core/shapes'

/** exp, expm1, log, log1p, sin, cos, tanh, σ, erf and its inverse. */
export const FUNCTION = 8

/** The total number of elements of several tensors. */
export function elementsOf(types: readonly TensorType[]): number {
  return types.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
}

export interface Cost {
  /** Floating-point operations, by the convention above. */
  readonly flops: number
  /** Bytes that are read and written. */
  readonly bytes: number
}
