// A learning rate: a number in a cell, which may be set at any time and recompiles nothing, or a schedule, also as a function.

import { ArgumentError, StateError } from '../core/errors'
import type { Kind } from '../core/options'
import { custom, either, number } from '../core/options'
import type { Json, Serialized } from '../core/registry'
import { customFunction, serialize } from '../core/registry'
import { cast } from '../ops/elementwise'
import type { Tensor } from '../ops/tensor'
import { Variable } from '../ops/variable'
import { LEARNING_RATE_LIMIT } from './limits'
import { schedules } from './schedule-registry'
import type { LearningRateSchedule, ScheduleFunction } from './schedules'
import { LambdaSchedule } from './schedules'

/** A number, a schedule, a function of the step, or a saved schedule. */
export type LearningRate = number | LearningRateSchedule | ScheduleFunction | Serialized

/** A learning rate that float32 can multiply a gradient by. */
const rateNumber: Kind<number> = custom(
  (value, where) => {
    const rate = number({ min: 0 }).read(value, where)
    if (rate <= LEARNING_RATE_LIMIT) return rate
    throw new ArgumentError(`${where} must be at most ${LEARNING_RATE_LIMIT.toExponential()}, beyond which float32 cannot hold updates, received ${rate}`)
  },
  (rate) => rate,
)

/** What the option learningRate may be. */
export const learningRateKind: Kind<number | LearningRateSchedule, LearningRate> = either(
  rateNumber,
  custom<LearningRateSchedule, LearningRateSchedule | ScheduleFunction | Serialized>(
    (value) => (customFunction(value) === null ? schedules.get(value) : new LambdaSchedule({ schedule: value as ScheduleFunction })),
    (schedule) => serialize(schedule),
  ),
  (value) => typeof value !== 'object' && typeof value !== 'function',
)

export class Rate {
  readonly schedule: LearningRateSchedule | null
  /** The rate while there is no schedule. */
  readonly cell = new Variable([], { name: 'learningRate', trainable: false })

  constructor(given: number | LearningRateSchedule) {
    this.schedule = typeof given === 'number' ? null : given
    if (typeof given === 'number') this.cell.view[0] = given
  }

  /** The rate of the update after `step` others: a float32 scalar. */
  at(step: Tensor): Tensor {
    return this.schedule === null ? this.cell.value : cast(this.schedule.call(step), 'float32')
  }

  /** @throws ArgumentError for what is no rate, StateError when a schedule sets it */
  set(value: unknown): void {
    if (this.schedule !== null) {
      throw new StateError('The learning rate follows a schedule and cannot be set. Compile with a number to set it.')
    }
    if (typeof value !== 'number') throw new ArgumentError('A schedule is given when the optimizer is made: new Adam({ learningRate: schedule })')
    this.cell.view[0] = rateNumber.read(value, 'learningRate')
  }

  toJson(): Json {
    return this.schedule === null ? this.cell.view[0]! : serialize(this.schedule)
  }
}
