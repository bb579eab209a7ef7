// Learning rates that change with the number of updates. `call` is traced into the training step, so that a
// schedule never recompiles anything.

import { ArgumentError, formatShape, quoted } from '../core/errors'
import type { InputsOf } from '../core/options'
import {
  Configured,
  boolean,
  choice,
  configured,
  count,
  functionKind,
  integer,
  listOf,
  nullable,
  number,
  option,
  required,
  text,
} from '../core/options'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import {
  add,
  cast,
  ceil,
  cos,
  divide,
  floor,
  less,
  lessEqual,
  log,
  maximum,
  minimum,
  multiply,
  power,
  subtract,
  where,
} from '../ops/elementwise'
import { full } from '../ops/shape'
import { Tensor } from '../ops/tensor'

/** Subclass it and write `call` with ops to make a schedule of your own. */
export abstract class LearningRateSchedule extends Configured {
  /** The learning rate of the update after `step` updates; `step` is an int32 scalar. */
  abstract call(step: Tensor): Tensor
}

const initialLearningRate = required(number({ min: 0 }))
const decaySteps = required(number({ above: 0 }))
const nameOptions = {
  /** What it is called in its configuration; nothing else reads it. Default null. */
  name: option(nullable(text), null),
}

/** (1 + cos πx)/2: from 1 to 0 as x goes from 0 to 1. */
const halfCosine = (x: Tensor): Tensor => multiply(add(cos(multiply(x, Math.PI)), 1), 0.5)

const exponentialOptions = () => ({
  /** The learning rate of the first update. */
  initialLearningRate,
  /** How many updates multiply the learning rate by decayRate. */
  decaySteps,
  /** Above 1 it grows. */
  decayRate: required(number({ min: 0 })),
  /** Decays in steps instead of continuously. Default false. */
  staircase: option(boolean, false),
  ...nameOptions,
})
export type ExponentialDecayOptions = InputsOf<ReturnType<typeof exponentialOptions>>

/** step/decaySteps, in whole numbers where it is a staircase. */
function periodsAt(
  step: Tensor,
  { decaySteps, staircase }: { readonly decaySteps: number; readonly staircase: boolean },
): Tensor {
  const periods = divide(cast(step, 'float32'), decaySteps)
  return staircase ? floor(periods) : periods
}

/**
 * initialLearningRate · decayRate^(step / decaySteps)
 * @example new schedules.ExponentialDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 }).call(tensor(100))   // 0.05
 */
export class ExponentialDecay extends configured(LearningRateSchedule, exponentialOptions) {
  static readonly className = 'ExponentialDecay'

  call(step: Tensor): Tensor {
    return multiply(power(this.decayRate, periodsAt(step, this)), this.initialLearningRate)
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
  ...nameOptions,
})
export type CosineDecayOptions = InputsOf<ReturnType<typeof cosineOptions>>

/**
 * Half a cosine from the first learning rate down to alpha times it, after an optional linear warm-up.
 * @example new schedules.CosineDecay({ initialLearningRate: 0.1, decaySteps: 100 }).call(tensor(50))   // 0.05
 */
export class CosineDecay extends configured(LearningRateSchedule, cosineOptions) {
  static readonly className = 'CosineDecay'

  call(step: Tensor): Tensor {
    const { initialLearningRate, warmupTarget, warmupSteps } = this
    const at = cast(step, 'float32')
    if (warmupTarget === null) return this.decay(at, initialLearningRate)
    const warming = add(
      multiply(divide(at, Math.max(1, warmupSteps)), warmupTarget - initialLearningRate),
      initialLearningRate,
    )
    return where(less(at, warmupSteps), warming, this.decay(add(at, -warmupSteps), warmupTarget))
  }

  // start · ((1 − alpha) · ½ (1 + cos(π · step/decaySteps)) + alpha)
  private decay(step: Tensor, start: number): Tensor {
    const { decaySteps, alpha } = this
    const done = divide(minimum(step, decaySteps), decaySteps)
    return multiply(add(multiply(halfCosine(done), 1 - alpha), alpha), start)
  }
}

const piecewiseOptions = () => ({
  /** Numbers of updates, rising. */
  boundaries: required(listOf(number())),
  /** One more than boundaries: values[i] holds up to and including boundaries[i]. */
  values: required(listOf(number({ min: 0 }))),
  ...nameOptions,
})
export type PiecewiseConstantDecayOptions = InputsOf<ReturnType<typeof piecewiseOptions>>

/**
 * One value after another.
 * @example new schedules.PiecewiseConstantDecay({ boundaries: [10], values: [0.1, 0.01] }).call(tensor(11))   // 0.01
 */
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
    for (let i = boundaries.length - 1; i >= 0; i--)
      rate = where(lessEqual(cast(step, 'float32'), boundaries[i]!), values[i]!, rate)
    return rate
  }
}

const polynomialOptions = () => ({
  /** The learning rate of the first update. */
  initialLearningRate,
  /** In updates. */
  decaySteps,
  /** The last learning rate. Default 0.0001. */
  endLearningRate: option(number({ min: 0 }), 1e-4),
  /** 1 is a straight line. Default 1. */
  power: option(number({ min: 0 }), 1),
  /** Goes on, each time to the next multiple of decaySteps, instead of staying at the end. Default false. */
  cycle: option(boolean, false),
  ...nameOptions,
})
export type PolynomialDecayOptions = InputsOf<ReturnType<typeof polynomialOptions>>

/**
 * (initialLearningRate − endLearningRate) · (1 − step/decaySteps)^power + endLearningRate, with step at most decaySteps. With
 * `cycle`, decaySteps is its first multiple that is not below step.
 *
 *   new SGD({ learningRate: new PolynomialDecay({ initialLearningRate: 0.1, decaySteps: 1000, power: 2 }) })
 *
 * Keras: `keras.optimizers.schedules.PolynomialDecay`.
 */
export class PolynomialDecay extends configured(LearningRateSchedule, polynomialOptions) {
  static readonly className = 'PolynomialDecay'

  call(step: Tensor): Tensor {
    const { initialLearningRate, endLearningRate, decaySteps } = this
    const at = cast(step, 'float32')
    const end = this.cycle ? multiply(maximum(ceil(divide(at, decaySteps)), 1), decaySteps) : full([], decaySteps)
    const left = subtract(1, divide(minimum(at, end), end))
    return add(multiply(power(left, this.power), initialLearningRate - endLearningRate), endLearningRate)
  }
}

const inverseTimeOptions = () => ({
  /** The learning rate of the first update. */
  initialLearningRate,
  /** How many updates add decayRate to the divisor. */
  decaySteps,
  /** How much they add. */
  decayRate: required(number({ min: 0 })),
  /** Decays in steps instead of continuously. Default false. */
  staircase: option(boolean, false),
  ...nameOptions,
})
export type InverseTimeDecayOptions = InputsOf<ReturnType<typeof inverseTimeOptions>>

/**
 * initialLearningRate / (1 + decayRate · step/decaySteps)
 *
 *   new SGD({ learningRate: new InverseTimeDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 }) })
 *
 * Keras: `keras.optimizers.schedules.InverseTimeDecay`.
 */
export class InverseTimeDecay extends configured(LearningRateSchedule, inverseTimeOptions) {
  static readonly className = 'InverseTimeDecay'

  call(step: Tensor): Tensor {
    return divide(this.initialLearningRate, add(multiply(periodsAt(step, this), this.decayRate), 1))
  }
}

const restartsOptions = () => ({
  /** The learning rate of the first update. */
  initialLearningRate,
  /** How many updates there are before the first restart. */
  firstDecaySteps: required(number({ above: 0 })),
  /** How much longer each period is than the one before. Default 2. */
  tMul: option(number({ min: 1 }), 2),
  /** What the first learning rate of each period is as a part of the one before. Default 1. */
  mMul: option(number({ min: 0 }), 1),
  /** The least learning rate as a part of the first. Default 0. */
  alpha: option(number({ min: 0 }), 0),
  ...nameOptions,
})
export type CosineDecayRestartsOptions = InputsOf<ReturnType<typeof restartsOptions>>

/**
 * Half a cosine down, again and again: initialLearningRate · ((1 − alpha) · mMulⁱ · ½ (1 + cos πx) + alpha) in period i, of
 * which the part x is over. Period i has firstDecaySteps · tMulⁱ updates.
 *
 *   new SGD({ learningRate: new CosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 100 }) })
 *
 * Loshchilov & Hutter 2016; Keras: `keras.optimizers.schedules.CosineDecayRestarts`.
 */
export class CosineDecayRestarts extends configured(LearningRateSchedule, restartsOptions) {
  static readonly className = 'CosineDecayRestarts'

  call(step: Tensor): Tensor {
    const { initialLearningRate, mMul, alpha } = this
    const { restarts, done } = this.periodOf(divide(cast(step, 'float32'), this.firstDecaySteps))
    const cosine = multiply(halfCosine(done), power(mMul, restarts))
    return multiply(add(multiply(cosine, 1 - alpha), alpha), initialLearningRate)
  }

  /** Which period it is, and what part of it is over. @param length in first periods */
  private periodOf(length: Tensor): { restarts: Tensor; done: Tensor } {
    const { tMul } = this
    if (tMul === 1) return { restarts: floor(length), done: subtract(length, floor(length)) }
    // The periods before period i are (tMulⁱ − 1)/(tMul − 1) long together. A logarithm that float32 rounds down at a restart
    // would put it off by a step.
    const restarts = floor(add(divide(log(add(multiply(length, tMul - 1), 1)), Math.log(tMul)), 2e-6))
    const longer = power(tMul, restarts)
    const before = divide(subtract(longer, 1), tMul - 1)
    return { restarts, done: divide(subtract(length, before), longer) }
  }
}

const oneCycleOptions = () => ({
  /** The learning rate at the top. */
  maxLearningRate: required(number({ min: 0 })),
  /** How many updates there are; after them the rate stays. */
  totalSteps: required(count),
  /** The part of the updates in which the rate rises. Default 0.3. */
  warmupFraction: option(number({ above: 0, below: 1 }), 0.3),
  /** The shape of every phase. Default 'cosine'. */
  anneal: option(choice('cosine', 'linear'), 'cosine'),
  /** maxLearningRate as a multiple of the first learning rate. Default 25. */
  divFactor: option(number({ above: 0 }), 25),
  /** The first learning rate as a multiple of the last. Default 10000. */
  finalDivFactor: option(number({ above: 0 }), 1e4),
  /** Falls to the first rate as fast as it rose, then to the last one; else at once to the last. Default false. */
  threePhase: option(boolean, false),
  ...nameOptions,
})
export type OneCycleOptions = InputsOf<ReturnType<typeof oneCycleOptions>>

/**
 * Up and down once: from maxLearningRate/divFactor to maxLearningRate, then to maxLearningRate/(divFactor · finalDivFactor),
 * in half cosines or straight lines. The top is at update warmupFraction · totalSteps − 1, counted from 0.
 *
 *   new SGD({ momentum: 0.9, learningRate: new OneCycle({ maxLearningRate: 0.1, totalSteps: 1000 }) })
 *
 * Smith & Topin 2018; PyTorch: `torch.optim.lr_scheduler.OneCycleLR`, there `pct_start`, `anneal_strategy`.
 * @throws ArgumentError when there are too few steps for the phases
 */
export class OneCycle extends configured(LearningRateSchedule, oneCycleOptions) {
  static readonly className = 'OneCycle'

  protected override checkOptions(): void {
    const ends = this.phases.map(({ end }) => end)
    if (ends.every((end, i) => end > (ends[i - 1] ?? 0))) return
    throw new ArgumentError(
      `OneCycle: its phases must end one after the other, with totalSteps ${this.totalSteps} and warmupFraction ${this.warmupFraction} they end at updates ${ends.join(', ')}`,
    )
  }

  /** Where each phase ends, as a number of updates, and at which rate. */
  private get phases(): readonly { end: number; rate: number }[] {
    const { maxLearningRate, totalSteps, warmupFraction, divFactor, finalDivFactor, threePhase } = this
    const first = maxLearningRate / divFactor
    const rise = warmupFraction * totalSteps
    const back = threePhase ? [{ end: 2 * rise - 2, rate: first }] : []
    return [{ end: rise - 1, rate: maxLearningRate }, ...back, { end: totalSteps - 1, rate: first / finalDivFactor }]
  }

  call(step: Tensor): Tensor {
    const { phases } = this
    const at = minimum(cast(step, 'float32'), this.totalSteps - 1)
    const rates = phases.map(({ end, rate }, i) => {
      const { end: start, rate: from } = phases[i - 1] ?? { end: 0, rate: this.maxLearningRate / this.divFactor }
      const done = divide(subtract(at, start), end - start)
      return add(multiply(this.anneal === 'cosine' ? halfCosine(done) : subtract(1, done), from - rate), rate)
    })
    return rates.reduceRight((later, rate, i) => where(lessEqual(at, phases[i]!.end), rate, later))
  }
}

/** A learning rate from the number of updates before it, an int32 scalar, with ops: a scalar, or a number. */
export type ScheduleFunction = (step: Tensor) => TensorLike

const lambdaOptions = () => ({
  /** Traced once, so what it does besides ops is done once. Saved by its name, as functions that are losses are. */
  schedule: required(functionKind<ScheduleFunction>('that is a learning rate')),
  ...nameOptions,
})
export type LambdaScheduleOptions = InputsOf<ReturnType<typeof lambdaOptions>>

/**
 * A function of your own, written with ops; an optimizer's `learningRate` may also be the function itself.
 *
 *   const warmup = (step) => ops.minimum(ops.multiply(ops.cast(step, 'float32'), 1e-5), 1e-2)
 *   new Adam({ learningRate: warmup })
 *
 * @throws ArgumentError when it is called and gives no scalar
 */
export class LambdaSchedule extends configured(LearningRateSchedule, lambdaOptions, 'schedule') {
  static readonly className = 'LambdaSchedule'

  call(step: Tensor): Tensor {
    const given: unknown = this.schedule(step)
    const rate = typeof given === 'number' ? asTensor(given, 'LambdaSchedule') : given
    if (rate instanceof Tensor && rate.rank === 0) return rate
    throw new ArgumentError(
      `LambdaSchedule: the function must give a scalar, received ${rate instanceof Tensor ? formatShape(rate.shape) : quoted(rate)}`,
    )
  }
}
