// History: the logs of every epoch, and the results of callbacks.

import type { CallbackState, Logs } from './callback'
import { Callback } from './callback'
import type { Footprint } from './footprint'
import type { HealthRecord } from './health'

/**
 * Records the logs of every epoch. fit returns it.
 * @example const { history } = await model.fit(x, y, { epochs: 3 }) // history.loss: [0.7, 0.5, 0.4]
 */
export class History extends Callback {
  static readonly className = 'History'
  /** One list per name: `history.loss`, `history.valLoss` … */
  readonly history: Record<string, number[]> = {}
  /** The numbers of the epochs that ran, from 0. */
  readonly epoch: number[] = []
  /** The statistics of units for each epoch, if a callback computed them: see UnitHealth of `myelin/balance`. */
  override readonly health: HealthRecord[] = []
  /**
   * The resources of training, if a callback measured them; otherwise null. See `EmissionsTracker` of `myelin/thrift`.
   */
  override footprint: Footprint | null = null

  /** Without the model, so that a history can be stored. */
  toJSON() {
    const { epoch, history, health, footprint } = this
    return {
      epoch,
      history,
      ...(health.length === 0 ? {} : { health }),
      ...(footprint === null ? {} : { footprint: footprint.toJSON() }),
    }
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch)
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value)
  }

  override getState(): CallbackState {
    const { epoch, history } = this
    return { epoch, history }
  }

  override setState({
    epoch,
    history,
  }: {
    readonly epoch: readonly number[]
    readonly history: Readonly<Record<string, number[]>>
  }): void {
    this.epoch.splice(0, Infinity, ...epoch)
    Object.assign(this.history, history)
  }
}
