// The curves of a training run, read from what fit returns.

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
export function curvesOf(where: string, given: HistoryLike): Map<string, { xs: number[]; values: number[] }> {
  if (typeof given !== 'object' || given === null)
    throw new ArgumentError(`${where}: needs the result of fit, received ${quoted(given)}`)
  const lists: Readonly<Record<string, unknown>> =
    'history' in given && typeof given.history === 'object' && !isList(given.history) ? given.history : given
  const epochs = 'epoch' in given && lists !== given && isList(given.epoch) ? Array.from(given.epoch) : null
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

const isList = (value: unknown): value is ArrayLike<number> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)

/** `valLoss` and `val_loss` → `loss`; null for all other names. */
export function validatedBy(name: string): string | null {
  const [, rest] = /^val_(.+)$/.exec(name) ?? /^val([A-Z].*)$/.exec(name) ?? []
  return rest === undefined ? null : rest[0]!.toLowerCase() + rest.slice(1)
}
