// Adam and its variants: running means of the gradient and of its magnitude, bias-corrected. Names, defaults and
// formulas are Keras's.

import { merged, replaced } from '../../core/merged'
import { boolean, configured, integer, option, type OptionInputs, type InOrder } from '../../core/options'
import {
  abs,
  add,
  divide,
  maximum,
  minimum,
  multiply,
  power,
  sqrt,
  square,
  subtract,
} from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { Optimizer, type OptimizerOptions, type UpdateInput, type UpdateResult } from '../optimizer'
import type { Slot } from '../parameters'
import { learningRateKind } from '../rate'
import {
  adamUpdate,
  decayOption,
  decayed,
  filled,
  momentOptions,
  notNegative,
  running,
  updateNumber,
  learningRate,
} from './common'

const adamOptions = () =>
  merged(momentOptions(), {
    /** Divides by the largest mean square so far (Reddi et al. 2018). Default false. */
    amsgrad: option(boolean, false),
  })
export type AdamOptions = OptionInputs<ReturnType<typeof adamOptions>> & OptimizerOptions

const AdamBase = (configured as InOrder<['learningRate', 'beta1', 'beta2', 'epsilon', 'amsgrad', 'weightDecay']>)(
  Optimizer,
  adamOptions,
)

/**
 * Running means of the gradient and of its square, bias-corrected:
 * m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g², w ← w − learningRate · √(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε).
 * Kingma & Ba 2014. Default learning rate 0.001.
 * @example model.compile({ optimizer: new Adam({ learningRate: 0.002, amsgrad: true }), loss: 'mse' })
 */
export class Adam extends AdamBase {
  static readonly className: string = 'Adam'

  protected declareSlots(): readonly string[] {
    return this.amsgrad ? ['mean', 'variance', 'largestVariance'] : ['mean', 'variance']
  }

  protected update(input: UpdateInput): UpdateResult {
    return this.amsgrad ? this.updateByLargest(input) : adamUpdate(input, this)
  }

  // AMSGrad: the denominator contains v̂ ← max(v̂, v) instead of v.
  private updateByLargest(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [m, v, largest],
    } = input
    const { beta1, beta2, epsilon } = this
    const t = updateNumber(input)
    const alpha = divide(multiply(learningRate, sqrt(filled(beta2, t))), filled(beta1, t))
    const mean = running(m!, gradient, beta1)
    const variance = running(v!, square(gradient), beta2)
    const most = maximum(largest!, variance)
    return {
      parameters: subtract(decayed(input), divide(multiply(mean, alpha), add(sqrt(most), epsilon))),
      slots: [mean, variance, most],
    }
  }
}

const adamWOptions = () => ({
  /** A number, a schedule, or a function of the step. Default 0.001. */
  learningRate,
  /** p ← p − learningRate · weightDecay · p before each update. Default 0.004. */
  weightDecay: decayOption(0.004),
})

const AdamWBase = (configured as InOrder<['learningRate', 'weightDecay']>)(Adam, adamWOptions)

/**
 * Adam with decoupled weight decay. Loshchilov & Hutter 2017. Default weightDecay 0.004.
 * @example model.compile({ optimizer: new AdamW({ weightDecay: 0.01, noWeightDecay: ['bias'] }), loss: 'mse' })
 */
export class AdamW extends AdamWBase {
  static override readonly className = 'AdamW'
}

export type AdamaxOptions = OptionInputs<ReturnType<typeof momentOptions>> & OptimizerOptions

const AdamaxBase = (configured as InOrder<['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay']>)(
  Optimizer,
  momentOptions,
)

/**
 * Adam with the largest gradient instead of the mean square:
 * m ← β₁ m + (1−β₁) g, u ← max(β₂ u, |g|), w ← w − learningRate/(1−β₁ᵗ) · m/(u + ε).
 *
 *   model.compile({ optimizer: new Adamax({ learningRate: 0.002 }), loss: 'mse' })
 *
 * Kingma & Ba 2014, section 7.1; Keras: `keras.optimizers.Adamax`. Default learning rate 0.001.
 */
export class Adamax extends AdamaxBase {
  static readonly className = 'Adamax'

  protected declareSlots(): readonly string[] {
    return ['mean', 'norm']
  }

  protected update(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [m, u],
    } = input
    const { beta1, beta2, epsilon } = this
    const mean = running(m!, gradient, beta1)
    // max(β₂ u, |g|), written as a chain in which every step reads one before it, so that it becomes one instruction.
    const size = abs(gradient)
    const norm = maximum(multiply(maximum(u!, size), beta2), size)
    const alpha = divide(learningRate, filled(beta1, updateNumber(input)))
    return {
      parameters: subtract(decayed(input), divide(multiply(mean, alpha), add(norm, epsilon))),
      slots: [mean, norm],
    }
  }
}

export type NadamOptions = AdamaxOptions

const NadamBase = (configured as InOrder<['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay']>)(
  Optimizer,
  momentOptions,
)

/**
 * Adam with Nesterov's momentum, whose strength increases with the updates: uₜ = β₁ (1 − ½ · 0.96ᵗ), Uₜ = u₁ · … · uₜ,
 * m ← β₁ m + (1−β₁) g, v ← β₂ v + (1−β₂) g², m̂ = uₜ₊₁ m/(1 − Uₜ₊₁) + (1−uₜ) g/(1 − Uₜ),
 * w ← w − learningRate · m̂/(√(v/(1−β₂ᵗ)) + ε).
 *
 *   model.compile({ optimizer: new Nadam({ learningRate: 0.002 }), loss: 'mse' })
 *
 * Dozat 2015; Keras: `keras.optimizers.Nadam`. Default learning rate 0.001.
 */
export class Nadam extends NadamBase {
  static readonly className = 'Nadam'

  protected declareSlots(): readonly string[] {
    return ['mean', 'variance']
  }

  protected override declareScalars(): Readonly<Record<string, number>> {
    return { momentumProduct: 1 }
  }

  protected override advance([product]: readonly Tensor[], iterations: Tensor): readonly Tensor[] {
    return [multiply(product!, this.momentumAt(updateNumber({ iterations })))]
  }

  /** uₜ */
  private momentumAt(t: Tensor): Tensor {
    return multiply(subtract(1, multiply(power(0.96, t), 0.5)), this.beta1)
  }

  protected update(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [m, v],
      scalars: [product],
    } = input
    const { beta1, beta2, epsilon } = this
    const t = updateNumber(input)
    const next = this.momentumAt(add(t, 1))
    const ofMean = divide(multiply(learningRate, next), subtract(1, multiply(product!, next)))
    const ofGradient = divide(multiply(learningRate, subtract(1, this.momentumAt(t))), subtract(1, product!))
    const mean = running(m!, gradient, beta1)
    const variance = running(v!, square(gradient), beta2)
    const step = add(multiply(mean, ofMean), multiply(gradient, ofGradient))
    const size = add(sqrt(divide(variance, filled(beta2, t))), epsilon)
    return { parameters: subtract(decayed(input), divide(step, size)), slots: [mean, variance] }
  }
}

const scheduleFreeOptions = () =>
  replaced(momentOptions(), {
    /** A number, a schedule, or a function of the step. Default 0.0025. */
    learningRate: option(learningRateKind, 0.0025),
    /** Default 1e-8. */
    epsilon: option(notNegative, 1e-8),
    /** The number of updates of a linear warm-up to the learning rate. Default 0. */
    warmupSteps: option(integer({ min: 0 }), 0),
  })
export type ScheduleFreeAdamWOptions = OptionInputs<ReturnType<typeof scheduleFreeOptions>> & OptimizerOptions

const ScheduleFreeAdamWBase = (
  configured as InOrder<['learningRate', 'beta1', 'beta2', 'epsilon', 'warmupSteps', 'weightDecay']>
)(Optimizer, scheduleFreeOptions)

/**
 * Adam without a schedule, by averaging its iterates: v ← β₂ v + (1−β₂) g², s = learningRate · min(t/warmupSteps, 1) ·
 * g/(√(v/(1−β₂ᵗ)) + ε), z ← z − s, x ← (1 − 1/t) x + z/t, w ← (1−β₁) z + β₁ x. The weights are w, between the iterate z
 * and its average x. x is not stored: expressed by w and z, the last update is w ← (1 − 1/t) w + z/t − (1−β₁)(1 − 1/t)
 * s.
 *
 *   model.compile({ optimizer: new ScheduleFreeAdamW({ warmupSteps: 100 }), loss: 'mse' })
 *
 * Defazio et al. 2024; Keras: `keras.optimizers.ScheduleFreeAdamW`, which has no weight decay by default either. Default
 * learning rate 0.0025.
 */
export class ScheduleFreeAdamW extends ScheduleFreeAdamWBase {
  static readonly className = 'ScheduleFreeAdamW'

  protected declareSlots(): readonly (string | Slot)[] {
    return [{ name: 'momentum', start: 'weight' }, 'velocity']
  }

  protected update(input: UpdateInput): UpdateResult {
    const {
      gradient,
      learningRate,
      slots: [z, v],
    } = input
    const { beta1, beta2, epsilon, warmupSteps } = this
    const t = updateNumber(input)
    const rate = warmupSteps === 0 ? learningRate : multiply(learningRate, minimum(divide(t, warmupSteps), 1))
    const velocity = running(v!, square(gradient), beta2)
    const step = divide(multiply(gradient, rate), add(sqrt(divide(velocity, filled(beta2, t))), epsilon))
    const momentum = subtract(z!, step)
    const share = divide(1, t)
    const weights = decayed(input)
    const passed = add(weights, multiply(subtract(momentum, weights), share))
    return {
      parameters: subtract(passed, multiply(step, multiply(subtract(1, share), 1 - beta1))),
      slots: [momentum, velocity],
    }
  }
}
