// The options of compile by output: from a value for all outputs, a list, or a record by their names.

import { ArgumentError } from '../core/errors'
import { isSavedObject } from '../core/registry'
import { isBranch } from '../core/tree'
import { perOutput } from '../data/samples/per-output'

type Options = Readonly<Record<'loss' | 'lossWeights' | 'metrics' | 'weightedMetrics', unknown>>

/** One entry for each output, from a value for all, for each, or by name. */
function entries(what: string, option: unknown, names: readonly string[]): readonly unknown[] {
  return isBranch(option) && !isSavedObject(option)
    ? perOutput(`compile: ${what}`, option, names)
    : names.map(() => option)
}

/** The identifier of each output's loss; null for an output without one. */
export function lossEntries({ loss }: Options, names: readonly string[]): readonly unknown[] {
  return entries('loss', loss, names).map((each, i) => {
    if (!isBranch(each) || isSavedObject(each)) return each ?? null
    throw new ArgumentError(
      `compile: the output '${names[i]}' has one loss, received several. For their sum, pass a function.`,
    )
  })
}

/** The identifiers of each output's metrics. A model with one output takes a plain list; with several, one entry for each. */
export function metricEntries(
  options: Options,
  what: 'metrics' | 'weightedMetrics',
  names: readonly string[],
): readonly (readonly unknown[])[] {
  const option = options[what]
  const isForEach = Array.isArray(option) && (names.length === 1 || option.length === 0)
  const all = isForEach ? names.map(() => option) : entries(what, option, names)
  return all.map((each) => [each].flat(2).filter((metric) => metric != null))
}

/**
 * The losses, weights and metrics of each output.
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
