// What fit tells while it runs, and who listens.

import { ArgumentError, unknownName } from '../../core/errors'
import type { Model } from '../../models/model'

/** Numbers by name: the loss and metrics, with `val…` for validation. */
export interface Logs {
  [name: string]: number
  loss: number
}

export interface FitParams {
  readonly epochs: number
  /** Batches per epoch. */
  readonly steps: number
  readonly verbose: 0 | 1 | 2
}

/** Every method is optional; plain objects serve as well as subclasses of Callback. */
export interface CallbackMethods {
  setModel?(model: Model): void
  setParams?(params: FitParams): void
  onTrainBegin?(): void | Promise<void>
  onTrainEnd?(logs: Logs | null): void | Promise<void>
  onEpochBegin?(epoch: number): void | Promise<void>
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>
  onTrainBatchBegin?(batch: number): void | Promise<void>
  /** Logs are the means since the epoch began. */
  onTrainBatchEnd?(batch: number, logs: Logs): void | Promise<void>
  onTestBegin?(): void | Promise<void>
  onTestEnd?(logs: Logs): void | Promise<void>
}

const EVENTS = [
  'onTrainBegin', 'onTrainEnd', 'onEpochBegin', 'onEpochEnd', 'onTrainBatchBegin', 'onTrainBatchEnd', 'onTestBegin', 'onTestEnd',
] as const satisfies readonly (keyof CallbackMethods)[]

/** @throws ArgumentError for what is no callback, and for a listener whose name no event has. */
export function checkCallbacks(callbacks: unknown): void {
  if (!Array.isArray(callbacks)) throw new ArgumentError(`callbacks must be an array, received ${String(callbacks)}`)
  for (const callback of callbacks) {
    if (typeof callback !== 'object' || callback === null) {
      throw new ArgumentError(`A callback must be an object with methods such as onEpochEnd, received ${String(callback)}`)
    }
    const unknown = Object.keys(callback).find((name) => /^on[_A-Z]/.test(name) && !EVENTS.some((event) => event === name))
    if (unknown !== undefined) throw unknownName('event of a callback', unknown, EVENTS)
  }
}

/** Base class that knows the model and the parameters of fit. */
export abstract class Callback implements CallbackMethods {
  private knownModel: Model | null = null
  params: FitParams | null = null

  setModel(model: Model): void {
    this.knownModel = model
  }

  setParams(params: FitParams): void {
    this.params = params
  }

  /** The model that is trained; set `model.stopTraining = true` to end after the current step. */
  get model(): Model {
    if (this.knownModel === null) throw new Error('A callback knows its model while fit runs')
    return this.knownModel
  }
}
