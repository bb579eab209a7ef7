// The callbacks that come with the library. Names and defaults are Keras's.

import { knownName, unknownName } from '../../core/errors'
import type { InputsOf } from '../../core/options'
import { boolean, configured, integer, nullable, number, option } from '../../core/options'
import type { Tensor } from '../../ops/tensor'
import type { CallbackMethods, Logs } from './callback'
import { Callback, METHODS } from './callback'
import type { HealthRecord } from './health'
import { logName, mode, shouldRise } from './monitor'
import type { Footprint } from './footprint'

export { Callback } from './callback'
export type { HealthRecord, LayerHealth } from './health'
export type { CallbackMethods, FitParams, Logs, NextStep, TrainedModel } from './callback'
export type { Figure, Footprint } from './footprint'

/** Records the logs of every epoch. What fit returns. */
export class History extends Callback {
  /** One list per name: `history.loss`, `history.valLoss` … */
  readonly history: Record<string, number[]> = {}
  /** The numbers of the epochs that were run, from 0. */
  readonly epoch: number[] = []
  /** How the units did, epoch by epoch, where a callback looked: see UnitHealth of `myelin/balance`. */
  readonly health: HealthRecord[] = []
  /** What training took, where a callback found out; null elsewhere. See `EmissionsTracker` of `myelin/thrift`. */
  footprint: Footprint | null = null

  /** Without the model, so that a history can be stored. */
  toJSON() {
    const { epoch, history, health, footprint } = this
    return { epoch, history, ...(health.length === 0 ? {} : { health }), ...(footprint === null ? {} : { footprint: footprint.toJSON() }) }
  }

  onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch)
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value)
  }
}

const earlyStoppingOptions = () => ({
  /** The log to watch. Default 'valLoss'. */
  monitor: option(logName, 'valLoss'),
  /** The least change that counts as an improvement. Default 0. */
  minDelta: option(number(), 0),
  /** Epochs without improvement after which training ends. Default 0. */
  patience: option(integer({ min: 0 }), 0),
  /** 'auto': names of scores, such as accuracy, AUC, F1 or IoU, should rise, others fall. Default 'auto'. */
  mode: option(mode, 'auto'),
  /** A value that must be passed for training to go on. Default null: none. */
  baseline: option(nullable(number()), null),
  /** Puts back the weights of the best epoch at the end. Default false. */
  restoreBestWeights: option(boolean, false),
  /** Epochs before which nothing is compared. Default 0. */
  startFromEpoch: option(integer({ min: 0 }), 0),
  /** 1 says when training was ended. Default 0. */
  verbose: option(integer({ min: 0, max: 1 }), 0),
})
export type EarlyStoppingOptions = InputsOf<ReturnType<typeof earlyStoppingOptions>>

/** Ends training when a monitored number has stopped to improve. */
export class EarlyStopping extends configured(Callback, earlyStoppingOptions) {
  private readonly rises = shouldRise(this.monitor, this.mode)
  private best = NaN
  private wait = 0
  private bestWeights: Tensor[] | null = null
  private warned = false
  /** The epoch after which training ended; 0 when it did not. */
  stoppedEpoch = 0
  bestEpoch = 0

  onTrainBegin(): void {
    this.wait = 0
    this.stoppedEpoch = 0
    this.bestEpoch = 0
    this.best = this.rises ? -Infinity : Infinity
    this.bestWeights = null
    this.warned = false
  }

  private improves(value: number, reference: number): boolean {
    const delta = Math.abs(this.minDelta)
    return this.rises ? value - delta > reference : value + delta < reference
  }

  onEpochEnd(epoch: number, logs: Logs): void {
    const { monitor, baseline, patience, restoreBestWeights, startFromEpoch } = this
    const value = logs[monitor]
    if (value === undefined) return this.warn(monitor, logs)
    if (epoch < startFromEpoch) return
    if (restoreBestWeights && this.bestWeights === null) this.keep(epoch)
    this.wait++
    if (this.improves(value, this.best)) {
      this.best = value
      this.bestEpoch = epoch
      if (restoreBestWeights) this.keep(epoch)
      if (baseline === null || this.improves(value, baseline)) this.wait = 0
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

  private warn(monitor: string, logs: Logs): void {
    if (this.warned) return
    this.warned = true
    console.warn(`EarlyStopping: there is no '${monitor}' to monitor. There are: ${Object.keys(logs).join(', ')}`)
  }

  onTrainEnd(): void {
    if (this.stoppedEpoch > 0 && this.verbose > 0) console.log(`Epoch ${this.stoppedEpoch + 1}: early stopping`)
    if (!this.restoreBestWeights || this.bestWeights === null) return
    this.model.setWeights(this.bestWeights)
  }
}

/**
 * Calls functions of the user's own.
 * @throws ArgumentError for a function whose name no event has
 */
export class LambdaCallback extends Callback {
  constructor(methods: CallbackMethods) {
    super()
    for (const [key, listener] of Object.entries(methods)) {
      const event = knownName(key, METHODS)
      if (event === undefined) throw unknownName('event of LambdaCallback', key, METHODS)
      Object.defineProperty(this, event, { value: listener, enumerable: true, configurable: true, writable: true })
    }
  }
}

/**
 * Ends training quietly at the first step that is not finite, with the weights as they were before it.
 * Without this callback fit throws a NonFiniteError there.
 */
export class TerminateOnNaN extends Callback {
  /** Called by fit with the description of the failure. @internal */
  onNonFinite(message: string): void {
    console.warn(`TerminateOnNaN: ${message}`)
    this.model.stopTraining = true
  }
}
