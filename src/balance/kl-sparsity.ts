// KLSparsity: a penalty on units whose mean activity differs from a target.

import { configured, number, option, type OptionInputs } from '../core/options'
import { add, clip, divide, log, multiply, subtract } from '../ops/numpy/elementwise'
import { mean, sum } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import { Regularizer } from '../parts/regularizers'

const klSparsityOptions = () => ({
  /** The target mean output of each unit, ρ in 0 … 1. Default 0.05. */
  target: option(number({ above: 0, below: 1 }), 0.05),
  /** β ≥ 0. Default 3. */
  strength: option(number({ min: 0 }), 3),
})
export type KLSparsityOptions = OptionInputs<ReturnType<typeof klSparsityOptions>>

/** Means are clipped to this distance from 0 and 1, where the logarithms are infinite. */
const EDGE = 1e-6

const KLSparsityBase = configured(Regularizer, klSparsityOptions)

/**
 * A penalty on activations in 0 … 1, such as those of sigmoid. With ρ̂ the mean output of each unit over all axes but
 * the last:
 *
 *     β · Σ over units of ρ ln(ρ / ρ̂) + (1 − ρ) ln((1 − ρ) / (1 − ρ̂))
 *
 * ```ts
 * import { KLSparsity } from 'myelin/balance'
 * new Dense({ units: 100, activation: 'sigmoid', activityRegularizer: new KLSparsity({ target: 0.05, strength: 3 }) })
 * ```
 *
 * The value does not depend on the batch size: it is multiplied by it here, to undo the division of activity penalties
 * in the layer.
 *
 * Measured use: rarely active, readable units at little or no loss of accuracy. With 784→100→10 on digits, strength 0.01
 * reduces the mean output from 0.50 to 0.19 and raises accuracy from 91.9 to 92.5 %; 0.1 reduces it to 0.09, with 91.4 %
 * (`node examples/brain-rules`). The published value of 3 is for an error summed over all outputs; for a mean it is too
 * strong: 44.8 %.
 *
 * Ng, Sparse autoencoder, 2011.
 */
export class KLSparsity extends KLSparsityBase {
  static readonly className = 'KLSparsity'

  call(x: Tensor): Tensor {
    const { target, strength } = this
    const rho = clip(
      mean(
        x,
        x.shape.slice(0, -1).map((_, axis) => axis),
      ),
      EDGE,
      1 - EDGE,
    )
    const active = multiply(log(divide(target, rho)), target)
    const quiet = multiply(log(divide(1 - target, subtract(1, rho))), 1 - target)
    return multiply(sum(add(active, quiet)), strength * (x.shape[0] ?? 1))
  }
}
