// A learning rate: a number in a cell, which may be set at any time and recompiles nothing, or a schedule, also as a function.

import { ArgumentError, NonFiniteError, StateError } from '../core/errors'
import type { Kind } from '../core/options'
import { custom, number } from '../core/options'
import type { Json, Serialized } from '../core/registry'
import { classNameOf, customFunction, isSerialized, noteOption, receivedText, serialize } from '../core/registry'
import { cast } from '../ops/elementwise'
import type { Tensor } from '../ops/tensor'
import { apply, currentTrace } from '../ops/trace'
import { Variable } from '../ops/variable'
import { LEARNING_RATE_LIMIT } from './limits'
import { schedules } from './schedule-registry'
import type { ScheduleFunction } from './schedules'
import { LambdaSchedule, LearningRateSchedule } from './schedules'

/** A number, a schedule, a function of the step, or a saved schedule. */
export type LearningRate = number | LearningRateSchedule | ScheduleFunction | Serialized

/** A learning rate that float32 can multiply a gradient by. */
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

/** What the option learningRate may be. */
export const learningRateKind: Kind<number | LearningRateSchedule, LearningRate> = custom<
  number | LearningRateSchedule,
  LearningRate
>(
  (value, where) => {
    if (typeof value === 'number') return rateNumber.read(value, where)
    const own = typeof value === 'string' ? null : customFunction<ScheduleFunction>(value)
    if (own !== null) {
      noteOption(own.call, where)
      return new LambdaSchedule({ schedule: own.call })
    }
    if (value instanceof LearningRateSchedule || isSerialized(value)) return schedules.get(value, where)
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
  /** The rate while there is no schedule. */
  readonly cell = new Variable([], { name: 'learningRate', trainable: false })

  constructor(given: number | LearningRateSchedule) {
    this.schedule = typeof given === 'number' ? null : given
    if (typeof given === 'number') this.cell.view[0] = given
  }

  /** The rate of the update after `step` others: a float32 scalar. A number was checked when it was set; what a schedule gives is guarded. */
  at(step: Tensor): Tensor {
    if (this.schedule === null) return this.cell.value
    const rate = cast(this.schedule.call(step), 'float32')
    if (currentTrace() === null) requireRate(rate.item(), this.schedule)
    else apply('guard', [rate], { limits: [LEARNING_RATE_LIMIT] })
    return rate
  }

  /** @throws ArgumentError for what is no rate, StateError when a schedule sets it */
  set(value: unknown): void {
    if (this.schedule !== null) {
      throw new StateError('The learning rate follows a schedule and cannot be set. Compile with a number to set it.')
    }
    if (typeof value !== 'number')
      throw new ArgumentError('A schedule is given when the optimizer is made: new Adam({ learningRate: schedule })')
    this.cell.view[0] = rateNumber.read(value, 'learningRate')
  }

  toJson(): Json {
    return this.schedule === null ? this.cell.view[0]! : serialize(this.schedule)
  }
}
