// Steps along the gradient, or along its sign. Names, defaults and formulas are Keras's.

import { warnOnce } from '../../core/warnings'
import { boolean, configured, number, option, type OptionInputs, type InOrder } from '../../core/options'
import { multiply, sign, subtract } from '../../ops/numpy/elementwise'
import { apply } from '../../ops/trace'
import { Optimizer, type OptimizerOptions, type UpdateInput, type UpdateResult } from '../optimizer'
import { learningRateKind } from '../rate'
import { decayed, fraction, operandsOf, running, updated, learningRate } from './common'

const sgdOptions = () => ({
  /** A number, or a schedule. Default 0.01. */
  learningRate: option(learningRateKind, 0.01),
  /** The fraction of the previous step that is added. Default 0. */
  momentum: option(fraction, 0),
  /** Uses Nesterov's momentum. Needs a momentum above 0. Default false. */
  nesterov: option(boolean, false),
})
export type SGDOptions = OptionInputs<ReturnType<typeof sgdOptions>> & OptimizerOptions

const SGDBase = (configured as InOrder<['learningRate', 'momentum', 'nesterov', 'weightDecay']>)(Optimizer, sgdOptions)

/**
 * Gradient descent: w ← w − learningRate · g. With momentum: v ← momentum · v − learningRate · g, w ← w + v,
 * or, with nesterov, w ← w + momentum · v − learningRate · g. Default learning rate 0.01.
 * @example model.compile({ optimizer: new SGD({ learningRate: 0.1, momentum: 0.9, nesterov: true }), loss: 'mse' })
 */
export class SGD extends SGDBase {
  static readonly className = 'SGD'

  protected override checkOptions(): void {
    super.checkOptions()
    if (this.nesterov && this.momentum === 0) warnOnce('SGD: nesterov changes nothing without momentum')
  }

  protected declareSlots(): readonly string[] {
    return this.momentum === 0 ? [] : ['velocity']
  }

  protected update(input: UpdateInput): UpdateResult {
    const { momentum } = this
    const nesterov = this.nesterov && momentum > 0
    const { weightDecay } = input
    return updated(apply('sgd', operandsOf(input), { momentum, nesterov, weightDecay }))
  }
}

const lionOptions = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001. */
  learningRate,
  /** The weight of the momentum in the direction of a step. Default 0.9. */
  beta1: option(number({ above: 0, max: 1 }), 0.9),
  /** The decay rate of the momentum. Default 0.99. */
  beta2: option(fraction, 0.99),
})
export type LionOptions = OptionInputs<ReturnType<typeof lionOptions>> & OptimizerOptions

const LionBase = (configured as InOrder<['learningRate', 'beta1', 'beta2', 'weightDecay']>)(Optimizer, lionOptions)

/**
 * Steps of constant size in the direction of the momentum's sign: w ← w − learningRate · sign(β₁ m + (1−β₁) g), m ← β₂
 * m + (1−β₂) g. Its learning rate should be three to ten times smaller than Adam's.
 *
 *   model.compile({ optimizer: new Lion({ learningRate: 1e-4, weightDecay: 0.1 }), loss: 'mse' })
 *
 * Chen et al. 2023; Keras: `keras.optimizers.Lion`. Default learning rate 0.001.
 */
export class Lion extends LionBase {
  static readonly className = 'Lion'

  protected declareSlots(): readonly string[] {
    return ['mean']
  }

  protected update(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [m],
    } = input
    const { beta1, beta2 } = this
    const step = multiply(sign(running(m!, gradient, beta1)), learningRate)
    return { parameters: subtract(decayed(input), step), slots: [running(m!, gradient, beta2)] }
  }
}
