// Learning rates that change between epochs: by a function of the epoch, or when a log has stopped improving.

import { merged } from '../../core/merged'
import { ArgumentError, quoted, restating } from '../../core/errors'
import { callback, configured, integer, number, option, required, type OptionInputs } from '../../core/options'
import type { Optimizer } from '../../optimizers'
import { Callback, type CallbackState, type Logs, type TrainedModel } from './callback'
import { Monitor, monitorOptions, verbosity } from './monitor'

/** The optimizers of a model that have a rate, with the name of the rate in logs. */
function ratedOf({ optimizer: { members } }: TrainedModel): { readonly optimizer: Optimizer; readonly log: string }[] {
  return members.map((optimizer) => ({
    optimizer,
    log: members.length === 1 ? 'learningRate' : `learningRate_${optimizer.name}`,
  }))
}

/** The learning rates of a model as logs: `learningRate`, or `learningRate_adam` and others. */
export function ratesOf(model: TrainedModel): Readonly<Record<string, number>> {
  return Object.fromEntries(ratedOf(model).map(({ optimizer, log }) => [log, optimizer.learningRate]))
}

type Schedule = (epoch: number, learningRate: number) => number

const schedulerOptions = () => ({
  /** (epoch from 0 on, current rate) → the rate of this epoch. */
  schedule: required(callback<Schedule>('a function (epoch, learningRate) => learningRate', ({ name }) => name)),
  /** 1 prints the rate in every epoch. Default 0. */
  verbose: option(verbosity, 0),
})
export type LearningRateSchedulerOptions = OptionInputs<ReturnType<typeof schedulerOptions>>

const LearningRateSchedulerBase = configured(Callback, schedulerOptions, ['schedule', 'verbose'])

/**
 * Sets the learning rate when an epoch begins, to a function of the epoch and the current rate.
 *
 *   new LearningRateScheduler((epoch, rate) => (epoch < 10 ? rate : rate * Math.exp(-0.1)))
 *
 * The rate is in the history as `learningRate`; in a MultiOptimizer, each optimizer has its own log, such as
 * `learningRate_adam`.
 *
 * Keras: `keras.callbacks.LearningRateScheduler`.
 * @throws ArgumentError, in an epoch, for an invalid rate; StateError if the optimizer follows a schedule
 */
export class LearningRateScheduler extends LearningRateSchedulerBase {
  static readonly className = 'LearningRateScheduler'

  override onEpochBegin(epoch: number): void {
    for (const { optimizer, log } of ratedOf(this.model)) {
      const rate: unknown = this.schedule(epoch, optimizer.learningRate)
      if (typeof rate !== 'number')
        throw new ArgumentError(
          `LearningRateScheduler: schedule must return a number, received ${quoted(rate)} in epoch ${epoch}`,
        )
      restating(
        (message) => `LearningRateScheduler: in epoch ${epoch}: ${message}`,
        () => void (optimizer.learningRate = rate),
      )
      if (this.verbose > 0) console.log(`Epoch ${epoch + 1}: LearningRateScheduler sets ${log} to ${rate}`)
    }
  }

  override onEpochEnd(_epoch: number, logs: Logs): void {
    Object.assign(logs, ratesOf(this.model))
  }
}

const plateauOptions = () =>
  merged(monitorOptions(), {
    /** The factor of each reduction, in [0, 1). Default 0.1. */
    factor: option(number({ min: 0, below: 1 }), 0.1),
    /** The number of epochs without improvement after which the rate is reduced. Default 10. */
    patience: option(integer({ min: 0 }), 10),
    /** The smallest change that counts as an improvement. Default 1e-4. */
    minDelta: option(number(), 1e-4),
    /** The number of epochs after a reduction that are not counted. Default 0. */
    cooldown: option(integer({ min: 0 }), 0),
    /** The minimum rate. Default 0. */
    minLr: option(number({ min: 0 }), 0),
    /** 1 prints each reduction. Default 0. */
    verbose: option(verbosity, 0),
  })
export type ReduceLROnPlateauOptions = OptionInputs<ReturnType<typeof plateauOptions>>

const ReduceLROnPlateauBase = configured(Callback, plateauOptions, [
  'monitor',
  'factor',
  'patience',
  'verbose',
  'mode',
  'minDelta',
  'cooldown',
  'minLr',
])

/**
 * Reduces the learning rate when a log has not improved for `patience` epochs:
 *
 *     rate ← max(rate · factor, minLr)
 *
 *   new ReduceLROnPlateau({ monitor: 'valLoss', factor: 0.2, patience: 5, minLr: 1e-4 })
 *
 * The rate is in the history as `learningRate`.
 *
 * Keras: `keras.callbacks.ReduceLROnPlateau`.
 * @throws StateError, at a reduction, if the optimizer follows a schedule
 */
export class ReduceLROnPlateau extends ReduceLROnPlateauBase {
  static readonly className = 'ReduceLROnPlateau'
  private readonly watched = new Monitor('ReduceLROnPlateau', this)
  private best: number | null = null
  private wait = 0
  /** The number of epochs left that are not counted. */
  private resting = 0

  override onTrainBegin(): void {
    this.best = null
    this.wait = 0
    this.resting = 0
    this.watched.begin()
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    Object.assign(logs, ratesOf(this.model))
    const value = this.watched.valueIn(logs)
    if (value === undefined) return
    if (this.resting > 0) {
      this.resting--
      this.wait = 0
    }
    if (this.watched.improves(value, this.best)) {
      this.best = value
      this.wait = 0
    } else if (this.resting === 0 && ++this.wait >= this.patience && this.reduce(epoch)) {
      this.resting = this.cooldown
      this.wait = 0
    }
  }

  /** false if all rates are at their minimum. */
  private reduce(epoch: number): boolean {
    const { factor, minLr, verbose } = this
    const high = ratedOf(this.model).filter(({ optimizer: { learningRate } }) => learningRate > Math.fround(minLr))
    for (const { optimizer, log } of high) {
      optimizer.learningRate = Math.max(optimizer.learningRate * factor, minLr)
      if (verbose > 0) console.log(`Epoch ${epoch + 1}: ReduceLROnPlateau reduces ${log} to ${optimizer.learningRate}`)
    }
    return high.length > 0
  }

  override getState(): CallbackState {
    const { best, wait, resting } = this
    return { best, wait, resting }
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state)
  }
}
