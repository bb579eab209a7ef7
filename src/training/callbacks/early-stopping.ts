// EarlyStopping: ends training when a log has stopped improving.

import { merged } from '../../core/merged'
import { boolean, configured, integer, nullable, number, option, type OptionInputs } from '../../core/options'
import type { Tensor } from '../../ops/tensor'
import { Callback, type CallbackState, type Logs } from './callback'
import { Monitor, monitorOptions, verbosity } from './monitor'

const earlyStoppingOptions = () =>
  merged(monitorOptions(), {
    /** The smallest change that counts as an improvement. Default 0. */
    minDelta: option(number(), 0),
    /** The number of epochs without improvement after which training ends. Default 0. */
    patience: option(integer({ min: 0 }), 0),
    /** The value that the log must also be better than, for an improvement to count. Default null: none. */
    baseline: option(nullable(number()), null),
    /** Whether to restore the weights of the best epoch at the end. Default false. */
    restoreBestWeights: option(boolean, false),
    /** The first epoch that is compared. Default 0. */
    startFromEpoch: option(integer({ min: 0 }), 0),
    /** 1 prints when training ended. Default 0. */
    verbose: option(verbosity, 0),
  })
export type EarlyStoppingOptions = OptionInputs<ReturnType<typeof earlyStoppingOptions>>

const EarlyStoppingBase = configured(Callback, earlyStoppingOptions, [
  'monitor',
  'minDelta',
  'patience',
  'verbose',
  'mode',
  'baseline',
  'restoreBestWeights',
  'startFromEpoch',
])

/**
 * Ends training when the monitored log has stopped improving.
 * @example await model.fit(x, y, { epochs: 100, validationSplit: 0.2, callbacks: [new EarlyStopping({ patience: 5,
 * restoreBestWeights: true })] })
 */
export class EarlyStopping extends EarlyStoppingBase {
  static readonly className = 'EarlyStopping'
  private readonly watched = new Monitor('EarlyStopping', this)
  private best: number | null = null
  private wait = 0
  private bestWeights: readonly Tensor[] | null = null
  /** The epoch after which training ended; 0 if it did not. */
  stoppedEpoch = 0
  bestEpoch = 0

  override onTrainBegin(): void {
    this.wait = 0
    this.stoppedEpoch = 0
    this.bestEpoch = 0
    this.best = null
    this.bestWeights = null
    this.watched.begin()
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    const { watched, baseline, patience, restoreBestWeights, startFromEpoch } = this
    const value = watched.valueIn(logs)
    if (value === undefined || epoch < startFromEpoch) return
    if (restoreBestWeights && this.bestWeights === null) this.keep(epoch)
    this.wait++
    if (watched.improves(value, this.best)) {
      this.best = value
      this.bestEpoch = epoch
      if (restoreBestWeights) this.keep(epoch)
      if (baseline === null || watched.improves(value, baseline)) this.wait = 0
      return
    }
    if (this.wait >= patience && epoch > 0) {
      this.stoppedEpoch = epoch
      this.model.stopTraining = true
    }
  }

  private keep(epoch: number): void {
    this.bestWeights = this.model.getWeights()
    this.bestEpoch = epoch
  }

  override getState(): CallbackState {
    const { best, wait, bestWeights, bestEpoch, stoppedEpoch } = this
    return { best, wait, bestWeights, bestEpoch, stoppedEpoch }
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state)
  }

  override onTrainEnd(): void {
    if (this.stoppedEpoch > 0 && this.verbose > 0) console.log(`Epoch ${this.stoppedEpoch + 1}: early stopping`)
    if (!this.restoreBestWeights || this.bestWeights === null) return
    this.model.setWeights(this.bestWeights)
  }
}
