// relu with the options of Keras: a slope, a maximum and a threshold.

import { nullable, number } from '../../core/options'
import { asTensor } from '../../ops/convert'
import { leakyRelu, relu6 } from '../../ops/nn/activations'
import { cast, clip, greater, multiply, relu as positive, subtract, where } from '../../ops/numpy/elementwise'
import { operand } from '../../ops/kinds'
import { arg, op, optional } from '../../ops/op'
import type { Tensor } from '../../ops/tensor'

export interface ReluOptions {
  /** The slope below the threshold. Default 0. */
  readonly negativeSlope?: number
  /** The maximum of the output; null for no maximum. Default null. */
  readonly maxValue?: number | null
  /** The input above which x itself is returned. Default 0. */
  readonly threshold?: number
}

export const relu = op(
  () => [
    arg('x', operand),
    optional('negativeSlope', number()),
    optional('maxValue', nullable(number())),
    optional('threshold', number()),
  ],
  {
    /**
     *   maxValue                       where x ≥ maxValue
     *   x                              where threshold < x < maxValue
     *   negativeSlope (x − threshold)  elsewhere
     *
     * Without options max(x, 0). Keras: `keras.activations.relu`.
     * @param negativeSlope the slope below the threshold. Default 0
     * @param maxValue the maximum of the output. Default null: no maximum
     * @param threshold the input above which x itself is returned. Default 0
     * @example activations.relu([-1, 2, 9], 0.5, 6)   // [-0.5, 2, 6]
     */
    relu(x, negativeSlope = 0, maxValue = null, threshold = 0): Tensor {
      return rectified(cast(asTensor(x, 'relu'), 'float32'), { negativeSlope, maxValue, threshold })
    },
  },
  { within: 'activations', units: 'scaled' },
)

/** relu of float32. */
export function rectified(x: Tensor, { negativeSlope, maxValue, threshold }: Required<ReluOptions>): Tensor {
  if (threshold === 0 && maxValue === null) return negativeSlope === 0 ? positive(x) : leakyRelu(x, negativeSlope)
  if (threshold === 0 && maxValue === 6 && negativeSlope === 0) return relu6(x)
  const above = threshold === 0 ? positive(x) : where(greater(x, threshold), x, 0)
  const capped = maxValue === null ? above : clip(above, 0, maxValue)
  return negativeSlope === 0 ? capped : subtract(capped, multiply(positive(subtract(threshold, x)), negativeSlope))
}
