// Learning rates that change with the number of updates. `call` is traced into the training step, so that a
// schedule never recompiles anything.

import { ArgumentError } from '../core/errors'
import type { InputsOf } from '../core/options'
import { Configured, boolean, configured, integer, listOf, nullable, number, option, required, text } from '../core/options'
import { Registry } from '../core/registry'
import { add, cast, cos, divide, floor, less, lessEqual, minimum, multiply, power, where } from '../ops/elementwise'
import { full } from '../ops/shape'
import type { Tensor } from '../ops/tensor'

/** Subclass it and write `call` with ops to make a schedule of your own. */
export abstract class LearningRateSchedule extends Configured {
  /** The learning rate of the update after `step` updates; `step` is an int32 scalar. */
  abstract call(step: Tensor): Tensor
}

const initialLearningRate = required(number({ min: 0 }))
const decaySteps = required(number({ above: 0 }))
const name = option(nullable(text), null)

const exponentialOptions = () => ({
  /** The learning rate of the first update. */
  initialLearningRate,
  /** How many updates multiply the learning rate by decayRate. */
  decaySteps,
  /** Above 1 it grows. */
  decayRate: required(number({ min: 0 })),
  /** Decays in steps instead of continuously. Default false. */
  staircase: option(boolean, false),
  name,
})
export type ExponentialDecayOptions = InputsOf<ReturnType<typeof exponentialOptions>>

/** initialLearningRate · decayRate^(step / decaySteps) */
export class ExponentialDecay extends configured(LearningRateSchedule, exponentialOptions) {
  static readonly className = 'ExponentialDecay'

  call(step: Tensor): Tensor {
    const periods = divide(cast(step, 'float32'), this.decaySteps)
    return multiply(power(this.decayRate, this.staircase ? floor(periods) : periods), this.initialLearningRate)
  }
}

const cosineOptions = () => ({
  /** The learning rate of the first update. */
  initialLearningRate,
  /** In updates, after the warm-up. */
  decaySteps,
  /** The last learning rate as a part of the first (or of warmupTarget). Default 0. */
  alpha: option(number({ min: 0 }), 0),
  /** Where a linear warm-up from initialLearningRate leads. Default null: no warm-up. */
  warmupTarget: option(nullable(number({ min: 0 })), null),
  /** In updates. Default 0. */
  warmupSteps: option(integer({ min: 0 }), 0),
  name,
})
export type CosineDecayOptions = InputsOf<ReturnType<typeof cosineOptions>>

/** Half a cosine from the first learning rate down to alpha times it, after an optional linear warm-up. */
export class CosineDecay extends configured(LearningRateSchedule, cosineOptions) {
  static readonly className = 'CosineDecay'

  call(step: Tensor): Tensor {
    const { initialLearningRate, warmupTarget, warmupSteps } = this
    const at = cast(step, 'float32')
    if (warmupTarget === null) return this.decay(at, initialLearningRate)
    const warming = add(multiply(divide(at, Math.max(1, warmupSteps)), warmupTarget - initialLearningRate), initialLearningRate)
    return where(less(at, warmupSteps), warming, this.decay(add(at, -warmupSteps), warmupTarget))
  }

  // start · ((1 − alpha) · ½ (1 + cos(π · step/decaySteps)) + alpha)
  private decay(step: Tensor, start: number): Tensor {
    const { decaySteps, alpha } = this
    const done = divide(minimum(step, decaySteps), decaySteps)
    const cosine = multiply(add(cos(multiply(done, Math.PI)), 1), 0.5)
    return multiply(add(multiply(cosine, 1 - alpha), alpha), start)
  }
}

const piecewiseOptions = () => ({
  /** Numbers of updates, rising. */
  boundaries: required(listOf(number())),
  /** One more than boundaries: values[i] holds up to and including boundaries[i]. */
  values: required(listOf(number({ min: 0 }))),
  name,
})
export type PiecewiseConstantDecayOptions = InputsOf<ReturnType<typeof piecewiseOptions>>

/** One value after another. */
export class PiecewiseConstantDecay extends configured(LearningRateSchedule, piecewiseOptions) {
  static readonly className = 'PiecewiseConstantDecay'

  protected override checkOptions(): void {
    const { boundaries, values } = this
    if (values.length !== boundaries.length + 1) {
      throw new ArgumentError(
        `PiecewiseConstantDecay: needs one more value than boundaries, received ${values.length} and ${boundaries.length}`,
      )
    }
    if (boundaries.some((boundary, i) => i > 0 && boundary <= boundaries[i - 1]!)) {
      throw new ArgumentError(`PiecewiseConstantDecay: boundaries must rise, received [${boundaries.join(', ')}]`)
    }
  }

  call(step: Tensor): Tensor {
    const { boundaries, values } = this
    let rate = full([], values.at(-1)!)
    for (let i = boundaries.length - 1; i >= 0; i--) rate = where(lessEqual(cast(step, 'float32'), boundaries[i]!), values[i]!, rate)
    return rate
  }
}

const isSchedule = (value: unknown): value is LearningRateSchedule => value instanceof LearningRateSchedule

export const schedules = new Registry<LearningRateSchedule>(
  'learning-rate schedule',
  isSchedule,
  () => ({ ExponentialDecay, CosineDecay, PiecewiseConstantDecay }),
)
