// The value of `evaluate` that a limit on the loss of quality refers to.

import { ArgumentError, quoted } from '../core/errors'
import { shouldRise } from '../training/callbacks/monitor'
import { logOf } from '../training/callbacks/names'

/** Names of values that should fall. */
const FALLS = /loss|error|entropy|^(?:mse|mae|rmse|mape|msle)$/i

export interface Monitor {
  /** The function that needs it, in errors. */
  readonly where: string
  /** The name of a log; null for the first metric with a known direction, or the loss. */
  readonly monitor: string | null
  readonly mode: 'auto' | 'min' | 'max'
}

export interface Monitored {
  readonly name: string
  readonly value: number
  /** Negated if the value should rise, so that smaller is better. */
  readonly cost: number
}

/** @throws ArgumentError for a name that is not a log, or that does not tell whether it should rise or fall */
export function monitored(logs: Readonly<Record<string, number>>, { where, monitor, mode }: Monitor): Monitored {
  const names = Object.keys(logs)
  // The direction of a user's function is unknown: its name does not tell.
  const isKnown = (name: string): boolean => mode !== 'auto' || shouldRise(name, 'auto') || FALLS.test(name)
  const name = monitor ?? names.find((each) => !/loss$/i.test(each) && isKnown(each)) ?? 'loss'
  const value = logOf(logs, name)
  if (value === undefined)
    throw new ArgumentError(`${where}: there is no log ${quoted(name)} to monitor. The logs are: ${names.join(', ')}`)
  if (!isKnown(name))
    throw new ArgumentError(
      `${where}: the name ${quoted(name)} does not tell whether it should rise or fall. Give mode: 'max' or 'min'.`,
    )
  return { name, value, cost: shouldRise(name, mode) ? -value : value }
}
