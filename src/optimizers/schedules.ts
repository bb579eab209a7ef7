// Learning rates that depend on the number of updates. `call` is traced into the training step, so a schedule never
// recompiles anything.

import { merged } from '../core/merged'
import { ArgumentError } from '../core/errors'
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
  type OptionInputs,
  type InOrder,
} from '../core/options'
import { asTensor, type TensorLike } from '../ops/convert'
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
} from '../ops/numpy/elementwise'
import { full } from '../ops/numpy/shape'
import { Tensor, shapeOrValue } from '../ops/tensor'

/** For a custom schedule, subclass it and write `call` with ops. */
export abstract class LearningRateSchedule extends Configured {
  /** The learning rate of the update after `step` updates; `step` is an int32 scalar. */
  abstract call(step: Tensor): Tensor
}

const initialLearningRate = required(number({ min: 0 }))
const decaySteps = required(number({ above: 0 }))
const nameOptions = {
  /** The name in the configuration. It has no other use. Default null. */
  name: option(nullable(text), null),
}

/** (1 + cos πx)/2: from 1 to 0 as x goes from 0 to 1. */
const halfCosine = (x: Tensor): Tensor => multiply(add(cos(multiply(x, Math.PI)), 1), 0.5)

const periodicOptions = () =>
  merged(
    {
      /** The learning rate of the first update. */
      initialLearningRate,
      /** The number of updates of a period, in which the rate changes once by decayRate. */
      decaySteps,
      /** The factor of the rate after each period; in InverseTimeDecay what each period adds to the divisor. */
      decayRate: required(number({ min: 0 })),
      /** Decays in steps instead of continuously. Default false. */
      staircase: option(boolean, false),
    },
    nameOptions,
  )
export type ExponentialDecayOptions = OptionInputs<ReturnType<typeof periodicOptions>>

/** step/decaySteps, rounded down if staircase is set. */
function periodsAt(
  step: Tensor,
  { decaySteps, staircase }: { readonly decaySteps: number; readonly staircase: boolean },
): Tensor {
  const periods = divide(cast(step, 'float32'), decaySteps)
  return staircase ? floor(periods) : periods
}

const ExponentialDecayBase = (
  configured as InOrder<['initialLearningRate', 'decaySteps', 'decayRate', 'staircase', 'name']>
)(LearningRateSchedule, periodicOptions)

/**
 * initialLearningRate · decayRate^(step / decaySteps)
 * @example new schedules.ExponentialDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 }).call(tensor(100))   // 0.05
 */
export class ExponentialDecay extends ExponentialDecayBase {
  static readonly className = 'ExponentialDecay'

  call(step: Tensor): Tensor {
    return multiply(power(this.decayRate, periodsAt(step, this)), this.initialLearningRate)
  }
}

const cosineOptions = () =>
  merged(
    {
      /** The learning rate of the first update. */
      initialLearningRate,
      /** The number of updates of the decay, after the warm-up. */
      decaySteps,
      /** The final learning rate as a fraction of the initial one (or of warmupTarget). Default 0. */
      alpha: option(number({ min: 0 }), 0),
    },
    nameOptions,
    {
      /** The target of a linear warm-up from initialLearningRate. Default null: no warm-up. */
      warmupTarget: option(nullable(number({ min: 0 })), null),
      /** The number of updates of the warm-up. Default 0. */
      warmupSteps: option(integer({ min: 0 }), 0),
    },
  )
export type CosineDecayOptions = OptionInputs<ReturnType<typeof cosineOptions>>

const CosineDecayBase = (
  configured as InOrder<['initialLearningRate', 'decaySteps', 'alpha', 'name', 'warmupTarget', 'warmupSteps']>
)(LearningRateSchedule, cosineOptions)

/**
 * Half a cosine from the initial learning rate down to alpha times it, after an optional linear warm-up.
 * @example new schedules.CosineDecay({ initialLearningRate: 0.1, decaySteps: 100 }).call(tensor(50))   // 0.05
 */
export class CosineDecay extends CosineDecayBase {
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

const piecewiseOptions = () =>
  merged(
    {
      /** Numbers of updates, ascending. */
      boundaries: required(listOf(number())),
      /** One more than boundaries: values[i] holds up to and including boundaries[i]. */
      values: required(listOf(number({ min: 0 }))),
    },
    nameOptions,
  )
export type PiecewiseConstantDecayOptions = OptionInputs<ReturnType<typeof piecewiseOptions>>

const PiecewiseConstantDecayBase = (configured as InOrder<['boundaries', 'values', 'name']>)(
  LearningRateSchedule,
  piecewiseOptions,
)

/**
 * A constant rate per interval.
 * @example new schedules.PiecewiseConstantDecay({ boundaries: [10], values: [0.1, 0.01] }).call(tensor(11))   // 0.01
 */
export class PiecewiseConstantDecay extends PiecewiseConstantDecayBase {
  static readonly className = 'PiecewiseConstantDecay'

  protected override checkOptions(): void {
    const { boundaries, values } = this
    if (values.length !== boundaries.length + 1) {
      throw new ArgumentError(
        `PiecewiseConstantDecay: needs one more value than boundaries, received ${values.length} and ${boundaries.length}`,
      )
    }
    if (boundaries.some((boundary, i) => i > 0 && boundary <= boundaries[i - 1]!)) {
      throw new ArgumentError(
        `PiecewiseConstantDecay: boundaries must be ascending, received [${boundaries.join(', ')}]`,
      )
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

const polynomialOptions = () =>
  merged(
    {
      /** The learning rate of the first update. */
      initialLearningRate,
      /** The number of updates of the decay. */
      decaySteps,
      /** The last learning rate. Default 0.0001. */
      endLearningRate: option(number({ min: 0 }), 1e-4),
      /** The exponent; 1 is linear. Default 1. */
      power: option(number({ min: 0 }), 1),
      /** Whether to restart the decay at each multiple of decaySteps instead of staying at the end. Default false. */
      cycle: option(boolean, false),
    },
    nameOptions,
  )
export type PolynomialDecayOptions = OptionInputs<ReturnType<typeof polynomialOptions>>

const PolynomialDecayBase = (
  configured as InOrder<['initialLearningRate', 'decaySteps', 'endLearningRate', 'power', 'cycle', 'name']>
)(LearningRateSchedule, polynomialOptions)

/**
 * (initialLearningRate − endLearningRate) · (1 − step/decaySteps)^power + endLearningRate, with step at most
 * decaySteps. With `cycle`, decaySteps is replaced by its first multiple ≥ step.
 *
 *   new SGD({ learningRate: new PolynomialDecay({ initialLearningRate: 0.1, decaySteps: 1000, power: 2 }) })
 *
 * Keras: `keras.optimizers.schedules.PolynomialDecay`.
 */
export class PolynomialDecay extends PolynomialDecayBase {
  static readonly className = 'PolynomialDecay'

  call(step: Tensor): Tensor {
    const { initialLearningRate, endLearningRate, decaySteps } = this
    const at = cast(step, 'float32')
    const end = this.cycle ? multiply(maximum(ceil(divide(at, decaySteps)), 1), decaySteps) : full([], decaySteps)
    const left = subtract(1, divide(minimum(at, end), end))
    return add(multiply(power(left, this.power), initialLearningRate - endLearningRate), endLearningRate)
  }
}

export type InverseTimeDecayOptions = ExponentialDecayOptions

const InverseTimeDecayBase = (
  configured as InOrder<['initialLearningRate', 'decaySteps', 'decayRate', 'staircase', 'name']>
)(LearningRateSchedule, periodicOptions)

/**
 * initialLearningRate / (1 + decayRate · step/decaySteps)
 *
 *   new SGD({ learningRate: new InverseTimeDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 }) })
 *
 * Keras: `keras.optimizers.schedules.InverseTimeDecay`.
 */
export class InverseTimeDecay extends InverseTimeDecayBase {
  static readonly className = 'InverseTimeDecay'

  call(step: Tensor): Tensor {
    return divide(this.initialLearningRate, add(multiply(periodsAt(step, this), this.decayRate), 1))
  }
}

const restartsOptions = () =>
  merged(
    {
      /** The learning rate of the first update. */
      initialLearningRate,
      /** The number of updates before the first restart. */
      firstDecaySteps: required(number({ above: 0 })),
      /** The length of each period relative to the previous one. Default 2. */
      tMul: option(number({ min: 1 }), 2),
      /** The initial rate of each period relative to the previous one. Default 1. */
      mMul: option(number({ min: 0 }), 1),
      /** The smallest learning rate as a fraction of the initial one. Default 0. */
      alpha: option(number({ min: 0 }), 0),
    },
    nameOptions,
  )
export type CosineDecayRestartsOptions = OptionInputs<ReturnType<typeof restartsOptions>>

const CosineDecayRestartsBase = (
  configured as InOrder<['initialLearningRate', 'firstDecaySteps', 'tMul', 'mMul', 'alpha', 'name']>
)(LearningRateSchedule, restartsOptions)

/**
 * Repeated half cosines: initialLearningRate · ((1 − alpha) · mMulⁱ · ½ (1 + cos πx) + alpha) in period i, at fraction
 * x of the period. Period i has firstDecaySteps · tMulⁱ updates.
 *
 *   new SGD({ learningRate: new CosineDecayRestarts({ initialLearningRate: 0.1, firstDecaySteps: 100 }) })
 *
 * Loshchilov & Hutter 2016; Keras: `keras.optimizers.schedules.CosineDecayRestarts`.
 */
export class CosineDecayRestarts extends CosineDecayRestartsBase {
  static readonly className = 'CosineDecayRestarts'

  call(step: Tensor): Tensor {
    const { initialLearningRate, mMul, alpha } = this
    const { restarts, done } = this.periodOf(divide(cast(step, 'float32'), this.firstDecaySteps))
    const cosine = multiply(halfCosine(done), power(mMul, restarts))
    return multiply(add(multiply(cosine, 1 - alpha), alpha), initialLearningRate)
  }

  /**
   * The number of restarts so far, and the elapsed fraction of the period. @param length in units of the first period
   */
  private periodOf(length: Tensor): { restarts: Tensor; done: Tensor } {
    const { tMul } = this
    if (tMul === 1) return { restarts: floor(length), done: subtract(length, floor(length)) }
    // The periods before period i have the total length (tMulⁱ − 1)/(tMul − 1). The small addend avoids an error of one
    // step where float32 rounds the logarithm down at a restart.
    const restarts = floor(add(divide(log(add(multiply(length, tMul - 1), 1)), Math.log(tMul)), 2e-6))
    const longer = power(tMul, restarts)
    const before = divide(subtract(longer, 1), tMul - 1)
    return { restarts, done: divide(subtract(length, before), longer) }
  }
}

const oneCycleOptions = () =>
  merged(
    {
      /** The largest learning rate. */
      maxLearningRate: required(number({ min: 0 })),
      /** The total number of updates; afterwards the rate is constant. */
      totalSteps: required(count),
      /** The fraction of updates in which the rate rises. Default 0.3. */
      warmupFraction: option(number({ above: 0, below: 1 }), 0.3),
      /** The shape of every phase. Default 'cosine'. */
      anneal: option(choice('cosine', 'linear'), 'cosine'),
      /** maxLearningRate / the initial learning rate. Default 25. */
      divFactor: option(number({ above: 0 }), 25),
      /** The initial / the final learning rate. Default 10000. */
      finalDivFactor: option(number({ above: 0 }), 1e4),
      /**
       * Whether the rate falls to the initial rate as fast as it rose, and then to the final one; else directly to the
       * final one. Default false.
       */
      threePhase: option(boolean, false),
    },
    nameOptions,
  )
export type OneCycleOptions = OptionInputs<ReturnType<typeof oneCycleOptions>>

const OneCycleBase = configured(LearningRateSchedule, oneCycleOptions)

/**
 * One cycle up and down: from maxLearningRate/divFactor to maxLearningRate, then to maxLearningRate/(divFactor ·
 * finalDivFactor), in half cosines or straight lines. The maximum is at update warmupFraction · totalSteps − 1, counted
 * from 0.
 *
 *   new SGD({ momentum: 0.9, learningRate: new OneCycle({ maxLearningRate: 0.1, totalSteps: 1000 }) })
 *
 * Smith & Topin 2018; PyTorch: `torch.optim.lr_scheduler.OneCycleLR`, there `pct_start`, `anneal_strategy`.
 * @throws ArgumentError if there are too few updates for the phases
 */
export class OneCycle extends OneCycleBase {
  static readonly className = 'OneCycle'

  protected override checkOptions(): void {
    const ends = this.phases.map(({ end }) => end)
    if (ends.every((end, i) => end > (ends[i - 1] ?? 0))) return
    throw new ArgumentError(
      `OneCycle: the phases must have increasing ends; with totalSteps ${this.totalSteps} and warmupFraction ${this.warmupFraction} they end at updates ${ends.join(', ')}`,
    )
  }

  /** The end of each phase, as a number of updates, and the rate there. */
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

/**
 * The learning rate as a function, with ops, of the number of earlier updates, an int32 scalar: returns a scalar or a
 * number.
 */
export type ScheduleFunction = (step: Tensor) => TensorLike

const lambdaOptions = () =>
  merged(
    {
      /** The function. It is traced once, so side effects happen once. It is saved by name, as loss functions are. */
      schedule: required(functionKind<ScheduleFunction>('that is a learning rate')),
    },
    nameOptions,
  )
export type LambdaScheduleOptions = OptionInputs<ReturnType<typeof lambdaOptions>>

const LambdaScheduleBase = (configured as InOrder<['schedule']>)(LearningRateSchedule, lambdaOptions)

/**
 * A custom function, written with ops. The function itself can also be passed as an optimizer's `learningRate`.
 *
 *   const warmup = (step) => ops.minimum(ops.multiply(ops.cast(step, 'float32'), 1e-5), 1e-2)
 *   new Adam({ learningRate: warmup })
 *
 * @throws ArgumentError if the function does not return a scalar
 */
export class LambdaSchedule extends LambdaScheduleBase {
  static readonly className = 'LambdaSchedule'

  call(step: Tensor): Tensor {
    const result: unknown = this.schedule(step)
    const rate = typeof result === 'number' ? asTensor(result, 'LambdaSchedule') : result
    if (rate instanceof Tensor && rate.rank === 0) return rate
    throw new ArgumentError(`LambdaSchedule: the function must return a scalar, received ${shapeOrValue(rate)}`)
  }
}
