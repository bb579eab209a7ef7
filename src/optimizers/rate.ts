// A learning rate: a number in a cell, which can be changed at any time without recompiling, or a schedule.

import { ArgumentError, NonFiniteError, StateError } from '../core/errors'
import { custom, number, type Kind } from '../core/options'
import {
  classNameOf,
  customFunction,
  inKerasForm,
  isSerialized,
  noteOption,
  receivedText,
  serialize,
  type Json,
  type Serialized,
} from '../core/registry'
import { cast } from '../ops/numpy/elementwise'
import type { Tensor } from '../ops/tensor'
import { apply, currentTrace } from '../ops/trace'
import { Variable } from '../ops/variable'
import { LEARNING_RATE_LIMIT } from './limits'
import { schedules } from './schedule-registry'
import { LambdaSchedule, LearningRateSchedule, type ScheduleFunction } from './schedules'

/** A number, a schedule, a function of the step, or a saved schedule. */
export type LearningRate = number | LearningRateSchedule | ScheduleFunction | Serialized

/** A learning rate whose product with any valid gradient is finite in float32. */
const rateNumber: Kind<number> = custom(
  (value, where) => {
    const rate = number({ min: 0 }).read(value, where)
    if (rate <= LEARNING_RATE_LIMIT) return rate
    throw new ArgumentError(
      `${where} must be at most ${LEARNING_RATE_LIMIT.toExponential()}, beyond which float32 cannot hold updates, received ${rate}`,
    )
  },
  (rate) => rate,
)

/** The kinds of the option learningRate. */
export const learningRateKind: Kind<number | LearningRateSchedule, LearningRate> = custom<
  number | LearningRateSchedule,
  LearningRate
>(
  (value, where) => {
    if (typeof value === 'number') return rateNumber.read(value, where)
    const fn = typeof value === 'string' ? null : customFunction<ScheduleFunction>(value)
    if (fn !== null) {
      noteOption(fn.call, where)
      return new LambdaSchedule({ schedule: fn.call })
    }
    if (value instanceof LearningRateSchedule || isSerialized(inKerasForm(value))) return schedules.get(value, where)
    throw new ArgumentError(
      `${where} must be a number ≥ 0, a schedule or a function of the step, received ${receivedText(value)}`,
    )
  },
  (rate) => (typeof rate === 'number' ? rate : serialize(rate)),
)

function requireRate(rate: number, schedule: LearningRateSchedule): void {
  if (Math.abs(rate) <= LEARNING_RATE_LIMIT) return
  throw new NonFiniteError(
    `${classNameOf(schedule)}: the learning rate must be at most ${LEARNING_RATE_LIMIT.toExponential()}, received ${rate}`,
    1,
    'the learning rate',
  )
}

export class Rate {
  readonly schedule: LearningRateSchedule | null
  /** The rate, if there is no schedule. */
  readonly cell = new Variable([], { name: 'learningRate', trainable: false })

  constructor(value: number | LearningRateSchedule) {
    this.schedule = typeof value === 'number' ? null : value
    if (typeof value === 'number') this.cell.view[0] = value
  }

  /**
   * The rate of the update after `step` others: a float32 scalar. Numbers are checked when they are set; results of
   * schedules are guarded.
   */
  at(step: Tensor): Tensor {
    if (this.schedule === null) return this.cell.value
    const rate = cast(this.schedule.call(step), 'float32')
    if (currentTrace() === null) requireRate(rate.item(), this.schedule)
    else apply('guard', [rate], { limits: [LEARNING_RATE_LIMIT] })
    // A schedule may let the rate become denormal. Processors would be slow with its products.
    return apply('flushFactor', [rate], {})[0]!
  }

  /** @throws ArgumentError for an invalid rate, StateError if there is a schedule */
  set(value: unknown): void {
    if (this.schedule !== null) {
      throw new StateError('The learning rate follows a schedule. Compile with a number to set it.')
    }
    if (typeof value !== 'number')
      throw new ArgumentError('Pass a schedule to the constructor: new Adam({ learningRate: schedule })')
    this.cell.view[0] = rateNumber.read(value, 'learningRate')
  }

  toJson(): Json {
    return this.schedule === null ? this.cell.view[0]! : serialize(this.schedule)
  }
}
