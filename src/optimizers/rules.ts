// The update rules. Names, defaults and formulas are Keras's. Each is one fused instruction over all weights that lie side
// by side.

import type { InputsOf } from '../core/options'
import { boolean, configured, nullable, number, option } from '../core/options'
import { add, cast, divide, maximum, multiply, power, sqrt, square, subtract } from '../ops/elementwise'
import { apply } from '../ops/trace'
import type { OptimizerOptions, UpdateInput, UpdateResult } from './optimizer'
import { Optimizer } from './optimizer'
import { learningRateKind } from './rate'

/** A part that is kept of a running mean or of the last step. */
const fraction = number({ min: 0, below: 1 })
/** What keeps a denominator from being 0. */
const epsilon = option(number({ min: 0 }), 1e-7)

const sgdOptions = () => ({
  /** A number, or a schedule. Default 0.01. */
  learningRate: option(learningRateKind, 0.01),
  /** The part of the last step that is kept. Default 0. */
  momentum: option(fraction, 0),
  /** Looks ahead along the momentum. Default false. */
  nesterov: option(boolean, false),
})
export type SGDOptions = InputsOf<ReturnType<typeof sgdOptions>> & OptimizerOptions

/**
 * Gradient descent: w ← w − learningRate · g. With momentum: v ← momentum · v − learningRate · g, w ← w + v,
 * or, with nesterov, w ← w + momentum · v − learningRate · g. Default learning rate 0.01.
 */
export class SGD extends configured(Optimizer, sgdOptions) {
  static readonly className = 'SGD'

  protected slotNames(): readonly string[] {
    return this.momentum === 0 ? [] : ['velocity']
  }

  protected update({ parameters, gradient, learningRate, slots, weightDecay }: UpdateInput): UpdateResult {
    const { momentum, nesterov } = this
    const [updated, ...rest] = apply('sgd', [parameters, gradient, learningRate, ...slots], { momentum, nesterov, weightDecay })
    return { parameters: updated!, slots: rest }
  }
}

const rmspropOptions = () => ({
  /** A number, or a schedule. Default 0.001. */
  learningRate: option(learningRateKind, 0.001),
  /** The part of the mean square that is kept. Default 0.9. */
  rho: option(fraction, 0.9),
  /** The part of the last step that is kept. Default 0. */
  momentum: option(fraction, 0),
  /** Default 1e-7. */
  epsilon,
  /** Divides by the standard deviation of the gradient instead of its root mean square. Default false. */
  centered: option(boolean, false),
})
export type RMSpropOptions = InputsOf<ReturnType<typeof rmspropOptions>> & OptimizerOptions

/**
 * Divides the gradient by a running root mean square: s ← ρ s + (1−ρ) g², w ← w − learningRate · g/√(s + ε).
 * Hinton 2012. Default learning rate 0.001.
 */
export class RMSprop extends configured(Optimizer, rmspropOptions) {
  static readonly className = 'RMSprop'

  protected slotNames(): readonly string[] {
    return ['square', ...(this.centered ? ['averageGradient'] : []), ...(this.momentum > 0 ? ['velocity'] : [])]
  }

  protected update({ parameters, gradient, learningRate, slots, weightDecay }: UpdateInput): UpdateResult {
    const { rho, momentum, epsilon, centered } = this
    const attributes = { rho, momentum, epsilon, centered, weightDecay }
    const [updated, ...rest] = apply('rmsprop', [parameters, gradient, learningRate, ...slots], attributes)
    return { parameters: updated!, slots: rest }
  }
}

const adamOptions = () => ({
  /** A number, or a schedule. Default 0.001. */
  learningRate: option(learningRateKind, 0.001),
  /** The part of the mean gradient that is kept. Default 0.9. */
  beta1: option(fraction, 0.9),
  /** The part of the mean square that is kept. Default 0.999. */
  beta2: option(fraction, 0.999),
  /** Default 1e-7. */
  epsilon,
  /** Divides by the largest mean square so far (Reddi et al. 2018). Default false. */
  amsgrad: option(boolean, false),
})
export type AdamOptions = InputsOf<ReturnType<typeof adamOptions>> & OptimizerOptions

/**
 * Running means of the gradient and of its square, corrected for their start at 0:
 * m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g², w ← w − learningRate · √(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε).
 * Kingma & Ba 2014. Default learning rate 0.001.
 */
export class Adam extends configured(Optimizer, adamOptions) {
  static readonly className: string = 'Adam'

  protected slotNames(): readonly string[] {
    return this.amsgrad ? ['mean', 'variance', 'largestVariance'] : ['mean', 'variance']
  }

  protected update(input: UpdateInput): UpdateResult {
    if (this.amsgrad) return this.updateByLargest(input)
    const { parameters, gradient, learningRate, iterations, slots, weightDecay } = input
    const { beta1, beta2, epsilon } = this
    const inputs = [parameters, gradient, learningRate, ...slots, iterations]
    const [updated, ...rest] = apply('adam', inputs, { beta1, beta2, epsilon, weightDecay })
    return { parameters: updated!, slots: rest }
  }

  // The same with v̂ ← max(v̂, v) in the denominator.
  private updateByLargest({ parameters, gradient, learningRate, iterations, slots: [m, v, largest], weightDecay }: UpdateInput): UpdateResult {
    const { beta1, beta2, epsilon } = this
    const step = add(cast(iterations, 'float32'), 1)
    const alpha = divide(multiply(learningRate, sqrt(subtract(1, power(beta2, step)))), subtract(1, power(beta1, step)))
    const mean = add(m!, multiply(subtract(gradient, m!), 1 - beta1))
    const variance = add(v!, multiply(subtract(square(gradient), v!), 1 - beta2))
    const most = maximum(largest!, variance)
    const decayed = weightDecay === 0 ? parameters : multiply(parameters, subtract(1, multiply(learningRate, weightDecay)))
    return { parameters: subtract(decayed, divide(multiply(mean, alpha), add(sqrt(most), epsilon))), slots: [mean, variance, most] }
  }
}

const adamWOptions = () => ({
  /** p ← p − learningRate · weightDecay · p before each update. Default 0.004. */
  weightDecay: option(nullable(number({ min: 0 })), 0.004),
})

/** Adam with weight decay apart from the gradient. Loshchilov & Hutter 2017. Default weightDecay 0.004. */
export class AdamW extends configured(Adam, adamWOptions) {
  static override readonly className = 'AdamW'
}

/** The rules by the name that each is saved under. */
export const rules = () => ({ SGD, RMSprop, Adam, AdamW })
