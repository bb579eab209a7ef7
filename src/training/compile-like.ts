// One model compiled as another was.

import type { CustomObjects } from '../core/registry'
import { isSerialized } from '../core/registry'
import { isBranch, typed } from '../core/tree'
import { madeAgain } from '../layers/remade'
import { Metric } from '../metrics'
import type { Trainer } from './trainer'

/**
 * Compiles a model as another one was. Losses are the same ones; the optimizer and metrics are others of their kind, and begin anew. Does
 * nothing where the other is not compiled.
 */
export function compileLike(trainer: Trainer, other: Trainer): void {
  const compiled = other.compiledState
  if (compiled === null) return
  const { optimizer, options, objects } = compiled
  const again = {
    ...options,
    optimizer: madeAgain(optimizer, {}, objects),
    metrics: metricsAgain(options.metrics, objects),
    weightedMetrics: metricsAgain(options.weightedMetrics, objects),
  }
  trainer.compile(typed(again), objects)
}

/** Metrics keep sums, so each model has its own. */
function metricsAgain(identifier: unknown, objects: CustomObjects): unknown {
  if (identifier instanceof Metric) return madeAgain(identifier, {}, objects)
  if (!isBranch(identifier) || isSerialized(identifier)) return identifier
  if (Array.isArray(identifier)) return identifier.map((each) => metricsAgain(each, objects))
  return Object.fromEntries(Object.entries(identifier).map(([key, each]) => [key, metricsAgain(each, objects)]))
}
