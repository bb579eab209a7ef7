// Learning rates that change with the number of updates. `call` is traced into the training step, so that a
// schedule never recompiles anything.

import { ArgumentError } from '../core/errors'
import { add, cast, cos, divide, floor, less, lessEqual, minimum, multiply, power, where } from '../ops/elementwise'
import { full } from '../ops/shape'
import type { Tensor } from '../ops/tensor'
import type { Config, CustomObjects, Serialized } from '../core/registry'
import { Registry } from '../core/registry'

/** Subclass it and write `call` with ops to make a schedule of your own. */
export abstract class LearningRateSchedule {
  /** The learning rate of the update after `step` updates; `step` is an int32 scalar. */
  abstract call(step: Tensor): Tensor
  abstract getConfig(): Config
}

function requirePositive(name: string, option: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value
  throw new ArgumentError(`${name}: ${option} must be a finite number > 0, received ${value}`)
}

export interface ExponentialDecayOptions {
  initialLearningRate: number
  /** In updates. */
  decaySteps: number
  decayRate: number
  /** Decays in steps instead of continuously. Default false. */
  staircase?: boolean
}

/** initialLearningRate · decayRate^(step / decaySteps) */
export class ExponentialDecay extends LearningRateSchedule {
  static readonly className = 'ExponentialDecay'
  private readonly options: Required<ExponentialDecayOptions>

  constructor(options: ExponentialDecayOptions) {
    super()
    requirePositive('ExponentialDecay', 'decaySteps', options.decaySteps)
    this.options = { staircase: false, ...options }
  }

  call(step: Tensor): Tensor {
    const { initialLearningRate, decaySteps, decayRate, staircase } = this.options
    const periods = divide(cast(step, 'float32'), decaySteps)
    return multiply(power(decayRate, staircase ? floor(periods) : periods), initialLearningRate)
  }

  getConfig(): Config {
    return { ...this.options }
  }
}

export interface CosineDecayOptions {
  initialLearningRate: number
  /** In updates, after the warm-up. */
  decaySteps: number
  /** The last learning rate as a part of the first (or of warmupTarget). Default 0. */
  alpha?: number
  /** Where a linear warm-up from initialLearningRate leads. */
  warmupTarget?: number | null
  /** In updates. Default 0. */
  warmupSteps?: number
}

/** Half a cosine from the first learning rate down to alpha times it, after an optional linear warm-up. */
export class CosineDecay extends LearningRateSchedule {
  static readonly className = 'CosineDecay'
  private readonly options: Required<CosineDecayOptions>

  constructor(options: CosineDecayOptions) {
    super()
    requirePositive('CosineDecay', 'decaySteps', options.decaySteps)
    this.options = { alpha: 0, warmupTarget: null, warmupSteps: 0, ...options }
  }

  call(step: Tensor): Tensor {
    const { initialLearningRate, warmupTarget, warmupSteps } = this.options
    const at = cast(step, 'float32')
    if (warmupTarget === null) return this.decay(at, initialLearningRate)
    const warming = add(multiply(divide(at, Math.max(1, warmupSteps)), warmupTarget - initialLearningRate), initialLearningRate)
    return where(less(at, warmupSteps), warming, this.decay(add(at, -warmupSteps), warmupTarget))
  }

  // start · ((1 − alpha) · ½ (1 + cos(π · step/decaySteps)) + alpha)
  private decay(step: Tensor, start: number): Tensor {
    const { decaySteps, alpha } = this.options
    const done = divide(minimum(step, decaySteps), decaySteps)
    const cosine = multiply(add(cos(multiply(done, Math.PI)), 1), 0.5)
    return multiply(add(multiply(cosine, 1 - alpha), alpha), start)
  }

  getConfig(): Config {
    return { ...this.options }
  }
}

export interface PiecewiseConstantDecayOptions {
  /** Numbers of updates, rising. */
  boundaries: readonly number[]
  /** One more than boundaries: values[i] holds up to and including boundaries[i]. */
  values: readonly number[]
}

/** One value after another. */
export class PiecewiseConstantDecay extends LearningRateSchedule {
  static readonly className = 'PiecewiseConstantDecay'

  constructor(private readonly options: PiecewiseConstantDecayOptions) {
    super()
    const { boundaries, values } = options
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
    const { boundaries, values } = this.options
    let rate = full([], values.at(-1)!)
    for (let i = boundaries.length - 1; i >= 0; i--) rate = where(lessEqual(cast(step, 'float32'), boundaries[i]!), values[i]!, rate)
    return rate
  }

  getConfig(): Config {
    return { boundaries: [...this.options.boundaries], values: [...this.options.values] }
  }
}

const isSchedule = (value: unknown): value is LearningRateSchedule => value instanceof LearningRateSchedule

const schedules = new Registry<LearningRateSchedule>('learning-rate schedule', isSchedule, () => ({ ExponentialDecay, CosineDecay, PiecewiseConstantDecay }))

export function getSchedule(saved: Serialized, custom: CustomObjects): LearningRateSchedule {
  return schedules.get(saved)
}
