// The peak signal-to-noise ratio of two signals.

import { ShapeError, formatShape } from '../../core/errors'
import { sameShape } from '../../core/shapes'
import { asTensor } from '../convert'
import { anyNumber, operand } from '../kinds'
import { cast, log, multiply, square, subtract } from '../numpy/elementwise'
import { mean } from '../numpy/reduce'
import { arg, op } from '../op'
import type { Tensor } from '../tensor'

export const psnr = op(() => [arg('x1', operand), arg('x2', operand), arg('maxVal', anyNumber)], {
  /**
   * 20 log₁₀(maxVal) − 10 log₁₀(mean (x1 − x2)²), in decibels: higher is better, and equal signals give Infinity. Keras:
   * `keras.ops.psnr`.
   * @param x2 in the shape of x1
   * @param maxVal the largest possible value of the signals
   * @returns a scalar
   * @throws ShapeError for operands of different shapes
   * @example ops.psnr([0, 1], [0, 0.9], 1)   // 23.01
   */
  psnr(x1, x2, maxVal): Tensor {
    const [left, right] = [cast(asTensor(x1, 'psnr'), 'float32'), cast(asTensor(x2, 'psnr'), 'float32')]
    if (!sameShape(left.shape, right.shape))
      throw new ShapeError(
        `psnr: both signals must have the same shape, received ${formatShape(left.shape)} and ${formatShape(right.shape)}`,
      )
    const noise = multiply(log(mean(square(subtract(left, right)))), 10 / Math.LN10)
    return subtract(20 * Math.log10(maxVal), noise)
  },
})
