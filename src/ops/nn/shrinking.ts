// Activations that are constant, linear or quadratic in pieces, and sparsemax, whose result has exact zeros.

import { normalizeAxis } from '../../core/shapes'
import { asTensor, scalar, type TensorLike } from '../convert'
import { anyNumber, axis, operand } from '../kinds'
import {
  abs,
  add,
  cast,
  clip,
  divide,
  greater,
  greaterEqual,
  less,
  lessEqual,
  maximum,
  multiply,
  square,
  stopGradient,
  subtract,
  tanh,
  where,
} from '../numpy/elementwise'
import { max, sum } from '../numpy/reduce'
import { arg, op, optional, unaryOp } from '../op'
import type { Tensor } from '../tensor'

const float = (x: TensorLike, where: string): Tensor => cast(asTensor(x, where), 'float32')

export const hardShrink = op(() => [arg('x', operand), optional('threshold', anyNumber)], {
  /**
   * |x| > threshold ? x : 0
   * @param threshold default 0.5
   */
  hardShrink(x, threshold = 0.5): Tensor {
    const value = float(x, 'hardShrink')
    return where(greater(abs(value), threshold), value, 0)
  },
})

export const softShrink = op(() => [arg('x', operand), optional('threshold', anyNumber)], {
  /**
   * x moved towards 0 by the threshold, and 0 within it.
   * @param threshold default 0.5
   */
  softShrink(x, threshold = 0.5): Tensor {
    const value = float(x, 'softShrink')
    const below = where(less(value, -threshold), add(value, threshold), 0)
    return where(greater(value, threshold), subtract(value, threshold), below)
  },
})

/** x − tanh x */
export const tanhShrink = unaryOp('tanhShrink', (x) => {
  const value = float(x, 'tanhShrink')
  return subtract(value, tanh(value))
})

/** x between −1 and 1, −1 below, and 1 above; int32 stays int32. */
export const hardTanh = unaryOp('hardTanh', (x) => {
  const value = asTensor(x, 'hardTanh')
  return where(greater(value, 1), 1, where(less(value, -1), -1, value))
})

export const threshold = op(() => [arg('x', operand), arg('threshold', anyNumber), arg('defaultValue', scalar)], {
  /**
   * x > threshold ? x : defaultValue; int32 stays int32 with a default value that is a whole number or an int32 scalar.
   * @param defaultValue the result where x ≤ threshold
   */
  threshold(x, threshold, defaultValue): Tensor {
    const value = asTensor(x, 'threshold')
    return where(greater(value, threshold), value, defaultValue)
  },
})

/** 0 for x ≤ −1, x for x ≥ 1, and (x + 1)² / 4 between. */
export const sparsePlus = unaryOp('sparsePlus', (x) => {
  const value = float(x, 'sparsePlus')
  const middle = divide(square(add(value, 1)), 4)
  return where(lessEqual(value, -1), 0, where(greaterEqual(value, 1), value, middle))
})

/** min(max((x + 1) / 2, 0), 1), the derivative of sparsePlus. */
export const sparseSigmoid = unaryOp('sparseSigmoid', (x) =>
  multiply(clip(add(float(x, 'sparseSigmoid'), 1), 0, 2), 0.5),
)

export const sparsemax = op(
  () => [arg('x', operand), optional('axis', axis)],
  {
    /**
     * max(x − τ, 0) with τ such that the results along an axis sum to 1: the distribution nearest to x. Martins & Astudillo
     * 2016.
     *
     * τ is the root of Σ max(x − τ, 0) − 1, found with Newton's method: each step replaces τ by (Σ_S x − 1) / |S|, S all x > τ. It
     * needs no sort and ends after finitely many steps, because the function is convex and linear in pieces. Each step divides
     * the product of the function and its slope by 4 or more, so log₂ n + 12 steps are enough for float32.
     * @param axis default −1
     */
    sparsemax(x, axis = -1): Tensor {
      const value = float(x, 'sparsemax')
      const at = normalizeAxis('sparsemax', axis, value.rank)
      const n = value.shape[at]!
      // The result does not change if a number is added to all x, but the rounding errors do.
      const row = n === 0 ? value : subtract(value, stopGradient(max(value, at, true)))
      let tau: Tensor | number = -1
      for (let i = 0; i < Math.min(n, Math.log2(n) + 12); i++) {
        const support = greater(row, tau)
        tau = divide(subtract(sum(where(support, row, 0), at, true), 1), sum(cast(support, 'float32'), at, true))
      }
      return maximum(subtract(row, tau), 0)
    },
  },
  { units: 'mixed' },
)
