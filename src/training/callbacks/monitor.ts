// What callbacks that watch a log have in common: its name, whether it should rise, what improves it, and what is said where
// it is missing.

import type { ValuesOf } from '../../core/options'
import { choice, integer, option, text } from '../../core/options'
import { isScore } from '../../metrics/direction'
import type { Logs } from './callback'
import { logOf } from './names'

/** Whether a log should rise or fall; 'auto': what its name says. */
export const mode = choice('auto', 'min', 'max')

/** What is said on the console: 1 tells, 0 is silent. */
export const verbosity = integer({ min: 0, max: 1 })

/** The options of all that watch a log. */
export const monitorOptions = () => ({
  /** The log to watch, in either spelling: 'valLoss', 'val_loss'. Default 'valLoss'. */
  monitor: option(text, 'valLoss'),
  /** 'auto': names of scores, such as accuracy, AUC, F1 or IoU, should rise, others fall. Default 'auto'. */
  mode: option(mode, 'auto'),
})
type Watching = ValuesOf<ReturnType<typeof monitorOptions>> & { readonly minDelta?: number }

/** 'auto': names of scores, such as accuracy, AUC, F1 or IoU, should rise, others fall. */
export function shouldRise(monitor: string, how: 'auto' | 'min' | 'max'): boolean {
  return how === 'max' || (how === 'auto' && isScore(monitor) === true)
}

/** A log that is watched. */
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

  /** Training begins: a missing log is told once more. */
  begin(): void {
    this.warned = false
  }

  /** The log among those of an epoch. undefined where it is missing, which is told once. */
  valueIn(logs: Logs): number | undefined {
    const {
      owner,
      options: { monitor },
    } = this
    const value = logOf(logs, monitor)
    if (value === undefined && !this.warned) {
      this.warned = true
      console.warn(`${owner}: there is no '${monitor}' to monitor. There are: ${Object.keys(logs).join(', ')}`)
    }
    return value
  }

  /** Whether a value is better than a reference by more than minDelta. All numbers are better than none. */
  improves(value: number, reference: number | null): boolean {
    if (reference === null) return !Number.isNaN(value)
    const delta = Math.abs(this.options.minDelta ?? 0)
    return this.rises ? value - delta > reference : value + delta < reference
  }
}
