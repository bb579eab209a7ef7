// History: the logs of every epoch, and the reports of callbacks.

import { propertyOf, put } from '../../core/tree'
import { Callback, type CallbackMethods, type CallbackState, type Logs, type Reports } from './callback'

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
  /**
   * The reports of callbacks about the run, by name, such as `health` of UnitHealth (`myelin/balance`) and `footprint` of
   * EmissionsTracker (`myelin/thrift`). Lists of several callbacks are joined; of other reports, the first counts.
   */
  override readonly reports: Reports = {}

  /** Without the model, so that a history can be stored. */
  toJSON() {
    const { epoch, history, reports } = this
    return { epoch, history, ...(Object.keys(reports).length === 0 ? {} : { reports }) }
  }

  /** Takes over the reports of callbacks, when the run has ended. @internal */
  collect(callbacks: readonly CallbackMethods[]): void {
    const found: Record<string, unknown> = {}
    for (const { reports = {} } of callbacks) {
      for (const [name, report] of Object.entries<unknown>(reports)) {
        const before = propertyOf(found, name)
        put(found, name, Array.isArray(before) && Array.isArray(report) ? [...before, ...report] : (before ?? report))
      }
    }
    for (const [name, report] of Object.entries(found)) put(this.reports as Record<string, unknown>, name, report)
  }

  override onEpochEnd(epoch: number, logs: Logs): void {
    this.epoch.push(epoch)
    for (const [name, value] of Object.entries(logs)) {
      const values = propertyOf(this.history, name)
      if (values === undefined) put(this.history, name, [value])
      else values.push(value)
    }
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
    for (const [name, values] of Object.entries(history)) put(this.history, name, values)
  }
}
