// Groups of weights whose learning rate or weight decay differs from that of the optimizer.

import {
  Configured,
  configured,
  custom,
  nullable,
  number,
  option,
  required,
  type OptionInputs,
  type Kind,
} from '../core/options'
import type { Config } from '../core/registry'
import { Rate, learningRateKind } from './rate'
import type { LearningRateSchedule } from './schedules'
import { matchKind } from './match'

const groupOptions = () => ({
  /** The weights: by a part of their name, a regular expression, a function, weights or layers. */
  match: required(matchKind),
  /** The learning rate. Default null: that of the optimizer. */
  learningRate: option(nullable(learningRateKind), null),
  /** The weight decay. Default null: that of the optimizer. */
  weightDecay: option(nullable(number({ min: 0 })), null),
})
export type ParameterGroupOptions = OptionInputs<ReturnType<typeof groupOptions>>

const ParameterGroupBase = configured(Configured, groupOptions)

/** Some weights of an optimizer, and the options that differ for them. */
export class ParameterGroup extends ParameterGroupBase {
  static readonly className = 'ParameterGroup'
  /** null for the optimizer's rate. The option sets it before the fields of the class are initialised. @internal */
  declare rate: Rate | null | undefined

  /** The learning rate of the group; null if it is the optimizer's. */
  override get learningRate(): number | LearningRateSchedule | null {
    return this.rate == null ? null : (this.rate.schedule ?? this.rate.cell.view[0]!)
  }

  override set learningRate(value: number | LearningRateSchedule | null) {
    if (this.rate == null) this.rate = value === null ? null : new Rate(value)
    else this.rate.set(value)
  }

  override getConfig(): Config {
    return { ...super.getConfig(), learningRate: this.rate?.toJson() ?? null }
  }
}

export const groupKind: Kind<ParameterGroup, ParameterGroup | ParameterGroupOptions> = custom(
  (value) => (value instanceof ParameterGroup ? value : Reflect.construct(ParameterGroup, [value])),
  (group) => group.getConfig(),
)
