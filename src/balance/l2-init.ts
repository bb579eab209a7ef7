// L2Init: a penalty on the distance of weights from their initial values.

import { ArgumentError } from '../core/errors'
import { configured, number, option, type OptionInputs } from '../core/options'
import { multiply, square, subtract } from '../ops/numpy/elementwise'
import { sum } from '../ops/numpy/reduce'
import type { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import { Regularizer } from '../parts/regularizers'

const l2InitOptions = () => ({
  /** λ ≥ 0. Default 1e-3. */
  strength: option(number({ min: 0 }), 1e-3),
})
export type L2InitOptions = OptionInputs<ReturnType<typeof l2InitOptions>>

const L2InitBase = configured(Regularizer, l2InitOptions, ['strength'])

/**
 * λ · Σ (θ − θ₀)², where θ₀ are the initial weights, from when the layer was built. They are saved and loaded with the
 * model.
 *
 * ```ts
 * import { L2Init } from 'myelin/balance'
 * const regularizer = new L2Init(1e-3)
 * new Dense({ units: 100, activation: 'relu', kernelRegularizer: regularizer, biasRegularizer: regularizer })
 * const again = await loadModel(bytes, { customObjects: { L2Init } })
 * ```
 *
 * Weights that a task does not need drift back to their initial values, from which they can learn the next task as well
 * as the first. One L2Init may serve any number of weights.
 *
 * Kumar, Marklund & Van Roy, Maintaining plasticity in continual learning via regenerative regularization, 2023.
 * @throws ArgumentError if used as an activity regularizer
 */
export class L2Init extends L2InitBase {
  static readonly className = 'L2Init'

  override keep(weight: Variable): readonly Variable[] {
    return [new Variable(weight.value, { name: `${weight.name}/initial`, trainable: false })]
  }

  call(x: Tensor, kept: readonly Variable[] = []): Tensor {
    const [initial] = kept
    if (initial === undefined)
      throw new ArgumentError('L2Init is a penalty on weights: use it as kernelRegularizer or biasRegularizer')
    return multiply(sum(square(subtract(x, initial.value))), this.strength)
  }
}
