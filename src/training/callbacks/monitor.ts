// Shared by callbacks that monitor a log: its name, its direction, what counts as an improvement, and the warning if it is
// missing.

import { warn } from '../../core/warnings'
import { choice, integer, option, text, type ValuesOf } from '../../core/options'
import { isScore } from '../../metrics/direction'
import type { Logs } from './callback'
import { logOf } from './names'

/** Whether the log should rise or fall; 'auto' decides by its name. */
export const mode = choice('auto', 'min', 'max')

/** Console output: 1 prints, 0 is silent. */
export const verbosity = integer({ min: 0, max: 1 })

/** The options of all callbacks that monitor a log. */
const monitorRows = () => ({
  /** The log to monitor, in either spelling: 'valLoss', 'val_loss'. Default 'valLoss'. */
  monitor: option(text, 'valLoss'),
  /** 'auto': names of scores, such as accuracy, AUC, F1 or IoU, should rise, others fall. Default 'auto'. */
  mode: option(mode, 'auto'),
})
type MonitorRows = ReturnType<typeof monitorRows>
export type MonitorTable = { [Name in keyof MonitorRows]: MonitorRows[Name] }
export const monitorOptions: () => MonitorTable = monitorRows
type Watching = ValuesOf<ReturnType<typeof monitorOptions>> & { readonly minDelta?: number }

/** 'auto': names of scores, such as accuracy, AUC, F1 or IoU, should rise, others fall. */
export function shouldRise(monitor: string, how: 'auto' | 'min' | 'max'): boolean {
  return how === 'max' || (how === 'auto' && isScore(monitor) === true)
}

/** A log that is monitored. */
export class Monitor {
  readonly rises: boolean
  private warned = false

  /** @param owner the name of the callback, in warnings */
  constructor(
    private readonly owner: string,
    private readonly options: Watching,
  ) {
    this.rises = shouldRise(options.monitor, options.mode)
  }

  /** Training begins: a missing log causes a new warning. */
  begin(): void {
    this.warned = false
  }

  /** The value of the log in an epoch; undefined if it is missing, with one warning. */
  valueIn(logs: Logs): number | undefined {
    const {
      owner,
      options: { monitor },
    } = this
    const value = logOf(logs, monitor)
    if (value === undefined && !this.warned) {
      this.warned = true
      warn(`${owner}: there is no '${monitor}' to monitor. There are: ${Object.keys(logs).join(', ')}`)
    }
    return value
  }

  /** Whether a value is better than a reference by more than minDelta. Any number is better than null. */
  improves(value: number, reference: number | null): boolean {
    if (reference === null) return !Number.isNaN(value)
    const delta = Math.abs(this.options.minDelta ?? 0)
    return this.rises ? value - delta > reference : value + delta < reference
  }
}
