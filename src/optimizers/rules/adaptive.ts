// Rules with a step size per element, from the squares of its gradients. Names, defaults and formulas are Keras's.

import { boolean, configured, number, option, type OptionInputs, type InOrder } from '../../core/options'
import {
  add,
  clip,
  divide,
  greater,
  maximum,
  multiply,
  sqrt,
  square,
  subtract,
  where,
} from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { apply } from '../../ops/trace'
import { Optimizer, type OptimizerOptions, type UpdateInput, type UpdateResult } from '../optimizer'
import type { Slot } from '../parameters'
import { decayed, epsilon, fraction, learningRate, notNegative, operandsOf, root, running, updated } from './common'

const rmspropOptions = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001. */
  learningRate,
  /** The decay rate of the mean square. Default 0.9. */
  rho: option(fraction, 0.9),
  /** The fraction of the previous step that is added. Default 0. */
  momentum: option(fraction, 0),
  /** Default 1e-7. */
  epsilon,
  /** Divides by the standard deviation of the gradient instead of its root mean square. Default false. */
  centered: option(boolean, false),
})
export type RMSpropOptions = OptionInputs<ReturnType<typeof rmspropOptions>> & OptimizerOptions

const RMSpropBase = (configured as InOrder<['learningRate', 'rho', 'momentum', 'epsilon', 'centered', 'weightDecay']>)(
  Optimizer,
  rmspropOptions,
)

/**
 * Divides the gradient by a running root mean square: s ← ρ s + (1−ρ) g², w ← w − learningRate · g/√(s + ε).
 * Hinton 2012. Default learning rate 0.001.
 * @example model.compile({ optimizer: new RMSprop({ learningRate: 0.01, centered: true }), loss: 'mse' })
 */
export class RMSprop extends RMSpropBase {
  static readonly className = 'RMSprop'

  protected declareSlots(): readonly string[] {
    return ['square', ...(this.centered ? ['averageGradient'] : []), ...(this.momentum > 0 ? ['velocity'] : [])]
  }

  protected update(input: UpdateInput): UpdateResult {
    const { rho, momentum, epsilon, centered } = this
    const { weightDecay } = input
    return updated(apply('rmsprop', operandsOf(input), { rho, momentum, epsilon, centered, weightDecay }))
  }
}

const initialAccumulatorValue = option(notNegative, 0.1)

const adagradOptions = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001. */
  learningRate,
  /** The initial sum of squares. Default 0.1. */
  initialAccumulatorValue,
  /** Default 1e-7. */
  epsilon,
})
export type AdagradOptions = OptionInputs<ReturnType<typeof adagradOptions>> & OptimizerOptions

const AdagradBase = (configured as InOrder<['learningRate', 'initialAccumulatorValue', 'epsilon', 'weightDecay']>)(
  Optimizer,
  adagradOptions,
)

/**
 * Divides the gradient by the root of the sum of all its squares: s ← s + g², w ← w − learningRate · g/√(s + ε).
 * Elements with rare gradients take larger steps.
 *
 *   model.compile({ optimizer: new Adagrad({ learningRate: 0.1 }), loss: 'mse' })
 *
 * Duchi et al. 2011; Keras: `keras.optimizers.Adagrad`. Default learning rate 0.001.
 */
export class Adagrad extends AdagradBase {
  static readonly className = 'Adagrad'

  protected declareSlots(): readonly Slot[] {
    return [{ name: 'accumulator', start: this.initialAccumulatorValue }]
  }

  protected update(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [sum],
    } = input
    const total = add(sum!, square(gradient))
    const step = divide(multiply(gradient, learningRate), sqrt(add(total, this.epsilon)))
    return { parameters: subtract(decayed(input), step), slots: [total] }
  }
}

const adadeltaOptions = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001. */
  learningRate,
  /** The decay rate of the mean squares. Default 0.95. */
  rho: option(fraction, 0.95),
  /** Default 1e-7. */
  epsilon,
})
export type AdadeltaOptions = OptionInputs<ReturnType<typeof adadeltaOptions>> & OptimizerOptions

const AdadeltaBase = (configured as InOrder<['learningRate', 'rho', 'epsilon', 'weightDecay']>)(
  Optimizer,
  adadeltaOptions,
)

/**
 * Steps scaled by the size of earlier steps, so that they have the unit of the weights:
 * s ← ρ s + (1−ρ) g², Δ = −√((d + ε)/(s + ε)) · g, d ← ρ d + (1−ρ) Δ², w ← w + learningRate · Δ.
 *
 *   model.compile({ optimizer: new Adadelta({ learningRate: 1 }), loss: 'mse' })
 *
 * Zeiler 2012; Keras: `keras.optimizers.Adadelta`. Default learning rate 0.001; the paper's is 1.
 */
export class Adadelta extends AdadeltaBase {
  static readonly className = 'Adadelta'

  protected declareSlots(): readonly string[] {
    return ['accumulatedGradient', 'accumulatedDelta']
  }

  protected update(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [s, d],
    } = input
    const { rho, epsilon } = this
    const squares = running(s!, square(gradient), rho)
    const rootMean = (mean: Tensor): Tensor => sqrt(add(mean, epsilon))
    const [ofGradients, ofSteps] = [rootMean(squares), rootMean(d!)]
    const step = multiply(divide(ofSteps, ofGradients), gradient)
    return {
      parameters: subtract(decayed(input), multiply(step, learningRate)),
      slots: [squares, running(d!, square(step), rho)],
    }
  }
}

const ftrlOptions = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001. */
  learningRate,
  /** The exponent of the sum of squares in the step size, at most 0. Default −0.5. */
  learningRatePower: option(number({ max: 0 }), -0.5),
  /** The initial sum of squares. Default 0.1. */
  initialAccumulatorValue,
  /** λ₁, which sets weights to 0. Default 0. */
  l1RegularizationStrength: option(notNegative, 0),
  /** λ₂. Default 0. */
  l2RegularizationStrength: option(notNegative, 0),
  /** An L2 penalty on the weights, as part of the gradient. Default 0. */
  l2ShrinkageRegularizationStrength: option(notNegative, 0),
  /** The paper's β. Default 0. */
  beta: option(notNegative, 0),
})
export type FtrlOptions = OptionInputs<ReturnType<typeof ftrlOptions>> & OptimizerOptions

/** A lower bound of denominators. */
const TINY = 1e-30

const FtrlBase = (
  configured as InOrder<
    [
      'learningRate',
      'learningRatePower',
      'initialAccumulatorValue',
      'l1RegularizationStrength',
      'l2RegularizationStrength',
      'l2ShrinkageRegularizationStrength',
      'beta',
      'weightDecay',
    ]
  >
)(Optimizer, ftrlOptions)

/**
 * Follow the regularized leader, for sparse linear models. With p = −learningRatePower, η the learning rate and n′ = n + g²:
 * z ← z + g + 2 · shrinkage · w − (n′ᵖ − nᵖ)/η · w, w ← (clip(z, −λ₁, λ₁) − z) / (n′ᵖ/η + 2 λ₂ + β/η), n ← n′.
 * With learning rate 0 nothing changes. A weight without any gradient so far is 0, even if the sums of squares start at
 * 0.
 *
 *   model.compile({ optimizer: new Ftrl({ learningRate: 0.1, l1RegularizationStrength: 0.01 }), loss: 'binaryCrossentropy' })
 *
 * McMahan et al. 2013; Keras: `keras.optimizers.Ftrl`. Default learning rate 0.001.
 */
export class Ftrl extends FtrlBase {
  static readonly className = 'Ftrl'

  protected declareSlots(): readonly (string | Slot)[] {
    return [{ name: 'accumulator', start: this.initialAccumulatorValue }, 'linear']
  }

  // The difference of two powers, divided by a small rate, exceeds float32 for valid gradients.
  protected override readonly isGuarded = true

  protected update(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [n, z],
    } = input
    const {
      l1RegularizationStrength: l1,
      l2RegularizationStrength: l2,
      l2ShrinkageRegularizationStrength: shrinkage,
      beta,
    } = this
    const exponent = -this.learningRatePower
    const old = decayed(input)
    const total = add(n!, square(gradient))
    const size = root(total, exponent)
    const pull = shrinkage === 0 ? gradient : add(gradient, multiply(old, 2 * shrinkage))
    const linear = add(z!, subtract(pull, multiply(divide(subtract(size, root(n!, exponent)), learningRate), old)))
    const stiffness = add(divide(add(size, beta), learningRate), 2 * l2)
    const divisor = this.initialAccumulatorValue > 0 ? stiffness : maximum(stiffness, TINY)
    const updated = divide(subtract(clip(linear, -l1, l1), linear), divisor)
    const moves = greater(learningRate, 0)
    const choose = (after: Tensor, before: Tensor): Tensor => where(moves, after, before)
    return { parameters: choose(updated, old), slots: [choose(total, n!), choose(linear, z!)] }
  }
}
