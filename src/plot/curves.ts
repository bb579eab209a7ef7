// Reads the curves of a training run from the history that fit returns.

import { ArgumentError, DataError, quoted } from '../core/errors'

/** What `fit` returns; its `history`; or a list of numbers by name. */
export type HistoryLike =
  | Readonly<Record<string, ArrayLike<number>>>
  | {
      /** A list for each name, with a number for each epoch. */
      readonly history: Readonly<Record<string, ArrayLike<number>>>
      /** The numbers of the epochs, from 0. Default: from the first on. */
      readonly epoch?: readonly number[]
    }

/** The curves of a run by name, with the numbers of their epochs from 1. */
export function curvesOf(where: string, history: HistoryLike): Map<string, { xs: number[]; values: number[] }> {
  if (typeof history !== 'object' || history === null)
    throw new ArgumentError(`${where}: needs the result of fit, received ${quoted(history)}`)
  const lists: Readonly<Record<string, unknown>> =
    'history' in history && typeof history.history === 'object' && !isList(history.history) ? history.history : history
  const epochs = 'epoch' in history && lists !== history && isList(history.epoch) ? Array.from(history.epoch) : null
  const found = Object.entries(lists).map(([name, list]) => {
    if (!isList(list)) throw new ArgumentError(`${where}: ${name} must be a list of numbers, received ${quoted(list)}`)
    return [name, Array.from(list, Number)] as const
  })
  const length = epochs?.length ?? Math.max(0, ...found.map(([, values]) => values.length))
  if (!found.some(([, values]) => values.length > 0))
    throw new DataError(`${where}: the history is empty. Did fit run for at least one epoch?`)
  // A validation that runs every few epochs has fewer numbers.
  const epochOf = (i: number, n: number): number => {
    const at = Math.ceil(((i + 1) * Math.max(length, n)) / n) - 1
    return (epochs?.[at] ?? at) + 1
  }
  return new Map(
    found
      .filter(([, values]) => values.length > 0)
      .map(([name, values]) => [name, { xs: values.map((_, i) => epochOf(i, values.length)), values }]),
  )
}

/** Whether a value is an array or a typed array. */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
}

/** `valLoss` and `val_loss` → `loss`; null for all other names. */
export function validatedBy(name: string): string | null {
  const [, rest] = /^val_(.+)$/.exec(name) ?? /^val([A-Z].*)$/.exec(name) ?? []
  return rest === undefined ? null : rest[0]!.toLowerCase() + rest.slice(1)
}
