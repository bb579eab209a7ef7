// The options of compile by output: from a value for all outputs, a list, or a record by their names.

import { ArgumentError } from '../core/errors'
import { isSavedObject } from '../core/registry'
import { isBranch } from '../core/tree'
import { perOutput } from '../data/samples/per-output'
import type { LossIdentifier } from '../losses'
import type { MetricIdentifier } from '../metrics'

type Options = Readonly<Record<'loss' | 'lossWeights' | 'metrics' | 'weightedMetrics', unknown>>

/** One entry for each output, from a value for all, for each, or by name. */
function entries(what: string, given: unknown, names: readonly string[]): readonly unknown[] {
  return isBranch(given) && !isSavedObject(given) ? perOutput(`compile: ${what}`, given, names) : names.map(() => given)
}

/** The loss of each output; null for an output without one. */
export function lossEntries({ loss }: Options, names: readonly string[]): readonly (LossIdentifier | null)[] {
  return entries('loss', loss, names).map((each, i) => {
    if (!isBranch(each) || isSavedObject(each)) return (each ?? null) as LossIdentifier | null
    throw new ArgumentError(
      `compile: the output '${names[i]}' has one loss, received several. For their sum, give a function.`,
    )
  })
}

/** Metrics of each output. A model with one output takes a plain list; with several, one entry for each. */
export function metricEntries(
  options: Options,
  what: 'metrics' | 'weightedMetrics',
  names: readonly string[],
): readonly (readonly MetricIdentifier[])[] {
  const given = options[what]
  const isList = Array.isArray(given)
  const all =
    isList && (names.length === 1 || given.length === 0) ? names.map(() => given) : entries(what, given, names)
  return all.map((each) =>
    ([each].flat(2) as (MetricIdentifier | null | undefined)[]).filter((metric) => metric != null),
  )
}

/**
 * What compile says of each output.
 * @throws ArgumentError for unknown names of outputs, for lists of another length, and for several losses of an output
 */
export function compileEntries(options: Options, names: readonly string[]) {
  return {
    losses: lossEntries(options, names),
    weights: entries('lossWeights', options.lossWeights, names).map((weight) => requireWeight(weight ?? 1)),
    metrics: metricEntries(options, 'metrics', names),
    weightedMetrics: metricEntries(options, 'weightedMetrics', names),
  }
}

function requireWeight(weight: unknown): number {
  if (typeof weight === 'number' && Number.isFinite(weight)) return weight
  throw new ArgumentError(`compile: lossWeights must be finite numbers, received ${String(weight)}`)
}
