// The optimizers that can be named in compile(). Names, defaults and formulas are Keras's. Each rule is one
// fused instruction over all weights.

import { ArgumentError, checkOptions } from '../core/errors'
import { apply } from '../ops/trace'
import type { Config } from '../core/registry'
import type { OptimizerOptions, UpdateInput, UpdateResult } from './optimizer'
import { OPTIMIZER_OPTIONS, Optimizer } from './optimizer'

export { Optimizer } from './optimizer'
export type { LearningRate, OptimizerOptions, UpdateInput, UpdateResult } from './optimizer'
export { CosineDecay, ExponentialDecay, LearningRateSchedule, PiecewiseConstantDecay } from './schedules'
export type { CosineDecayOptions, ExponentialDecayOptions, PiecewiseConstantDecayOptions } from './schedules'

function requireFraction(name: string, option: string, value: number): number {
  if (value >= 0 && value < 1) return value
  throw new ArgumentError(`${name}: ${option} must be in [0, 1), received ${value}`)
}

export interface SGDOptions extends OptimizerOptions {
  momentum?: number
  nesterov?: boolean
}

/**
 * Gradient descent: w ← w − learningRate · g. With momentum: v ← momentum · v − learningRate · g, w ← w + v,
 * or, with nesterov, w ← w + momentum · v − learningRate · g. Default learning rate 0.01.
 */
export class SGD extends Optimizer {
  static readonly className = 'SGD'
  readonly momentum: number
  readonly nesterov: boolean

  constructor(options: SGDOptions = {}) {
    checkOptions('SGD', options, ['momentum', 'nesterov', ...OPTIMIZER_OPTIONS])
    const { learningRate = 0.01, momentum = 0, nesterov = false } = options
    super(learningRate, options)
    this.momentum = requireFraction('SGD', 'momentum', momentum)
    this.nesterov = nesterov
  }

  protected slotNames(): readonly string[] {
    return this.momentum === 0 ? [] : ['velocity']
  }

  protected update({ parameters, gradient, learningRate, slots, weightDecay }: UpdateInput): UpdateResult {
    const { momentum, nesterov } = this
    const [updated, ...rest] = apply('sgd', [parameters, gradient, learningRate, ...slots], { momentum, nesterov, weightDecay })
    return { parameters: updated!, slots: rest }
  }

  override getConfig(): Config {
    return { ...super.getConfig(), momentum: this.momentum, nesterov: this.nesterov }
  }
}

export interface RMSpropOptions extends OptimizerOptions {
  rho?: number
  momentum?: number
  epsilon?: number
  centered?: boolean
}

/**
 * Divides the gradient by a running root mean square: s ← ρ s + (1−ρ) g², w ← w − learningRate · g/√(s + ε).
 * Hinton 2012. Default learning rate 0.001.
 */
export class RMSprop extends Optimizer {
  static readonly className = 'RMSprop'
  readonly rho: number
  readonly momentum: number
  readonly epsilon: number
  readonly centered: boolean

  constructor(options: RMSpropOptions = {}) {
    checkOptions('RMSprop', options, ['rho', 'momentum', 'epsilon', 'centered', ...OPTIMIZER_OPTIONS])
    const { learningRate = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false } = options
    super(learningRate, options)
    this.rho = requireFraction('RMSprop', 'rho', rho)
    this.momentum = requireFraction('RMSprop', 'momentum', momentum)
    this.epsilon = epsilon
    this.centered = centered
  }

  protected slotNames(): readonly string[] {
    return ['square', ...(this.centered ? ['average'] : []), ...(this.momentum > 0 ? ['velocity'] : [])]
  }

  protected update({ parameters, gradient, learningRate, slots, weightDecay }: UpdateInput): UpdateResult {
    const { rho, momentum, epsilon, centered } = this
    const attributes = { rho, momentum, epsilon, centered, weightDecay }
    const [updated, ...rest] = apply('rmsprop', [parameters, gradient, learningRate, ...slots], attributes)
    return { parameters: updated!, slots: rest }
  }

  override getConfig(): Config {
    const { rho, momentum, epsilon, centered } = this
    return { ...super.getConfig(), rho, momentum, epsilon, centered }
  }
}

export interface AdamOptions extends OptimizerOptions {
  beta1?: number
  beta2?: number
  epsilon?: number
}

const ADAM_OPTIONS: readonly (keyof AdamOptions)[] = ['beta1', 'beta2', 'epsilon', ...OPTIMIZER_OPTIONS]

/**
 * Running means of the gradient and of its square, corrected for their start at 0:
 * m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g², w ← w − learningRate · √(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε).
 * Kingma & Ba 2014. Default learning rate 0.001.
 */
export class Adam extends Optimizer {
  static readonly className: string = 'Adam'
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number

  constructor(options: AdamOptions = {}) {
    checkOptions('Adam', options, ADAM_OPTIONS)
    const { learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = options
    super(learningRate, options)
    this.beta1 = requireFraction('Adam', 'beta1', beta1)
    this.beta2 = requireFraction('Adam', 'beta2', beta2)
    this.epsilon = epsilon
  }

  protected slotNames(): readonly string[] {
    return ['mean', 'variance']
  }

  protected update({ parameters, gradient, learningRate, iterations, slots, weightDecay }: UpdateInput): UpdateResult {
    const { beta1, beta2, epsilon } = this
    const inputs = [parameters, gradient, learningRate, ...slots, iterations]
    const [updated, ...rest] = apply('adam', inputs, { beta1, beta2, epsilon, weightDecay })
    return { parameters: updated!, slots: rest }
  }

  override getConfig(): Config {
    const { beta1, beta2, epsilon } = this
    return { ...super.getConfig(), beta1, beta2, epsilon }
  }
}

/** Adam with weight decay apart from the gradient. Loshchilov & Hutter 2017. Default weightDecay 0.004. */
export class AdamW extends Adam {
  static override readonly className = 'AdamW'
  constructor(options: AdamOptions = {}) {
    checkOptions('AdamW', options, ADAM_OPTIONS)
    super({ weightDecay: 0.004, ...options })
  }
}
