// gelu with the default of Keras's activations.

import { boolean } from '../../core/options'
import { operand } from '../../ops/kinds'
import { gelu as geluOp } from '../../ops/nn/activations'
import { arg, op, optional } from '../../ops/op'
import type { Tensor } from '../../ops/tensor'

export const gelu = op(
  () => [arg('x', operand), optional('approximate', boolean)],
  {
    /**
     * x · Φ(x), Φ the normal distribution function. Keras: `keras.activations.gelu`.
     * @param approximate uses ½x (1 + tanh(√(2/π) (x + 0.044715 x³))). Default false
     */
    gelu(x, approximate = false): Tensor {
      return geluOp(x, approximate)
    },
  },
  { within: 'activations' },
)
