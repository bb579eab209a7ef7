// Compiles a model with the settings of another one.

import { StateError } from '../core/errors'
import { Configured, optionsOf } from '../core/options'
import { classNameOf, isSavedObject, type CustomObjects } from '../core/registry'
import { isBranch, typed } from '../core/tree'
import { madeAgain } from '../layers/remade'
import { Metric } from '../metrics'
import { MultiOptimizer, Optimizer } from '../optimizers'
import type { TrainingState } from './state'

/**
 * Compiles a model with the settings of another one. It uses the same losses, and new optimizers and metrics of the
 * same configurations. Does nothing if the other is not compiled.
 */
export function compileLike(state: TrainingState, other: TrainingState): void {
  const { compiled } = other
  if (compiled === null) return
  const { optimizer, options, objects } = compiled
  const again = {
    ...options,
    optimizer: madeAgain(optimizer, {}, { ...objects, ...namedBy(optimizer) }),
    metrics: metricsAgain(options.metrics, objects),
    weightedMetrics: metricsAgain(options.weightedMetrics, objects),
  }
  state.compile(typed(again), objects)
}

/** The user's classes that an optimizer's configuration names: schedules and optimizers. */
function namedBy(optimizer: Optimizer): CustomObjects {
  const objects: Record<string, unknown> = {}
  const keep = (name: string, value: unknown): void => {
    if (Object.hasOwn(objects, name) && objects[name] !== value)
      throw new StateError(
        `${optimizer.name}: two classes are called '${name}'. Give them different names, by which a copy of the optimizer can be made.`,
      )
    objects[name] = value
  }
  const note = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(note)
    else if (value instanceof Configured) {
      keep(classNameOf(value), value.constructor)
      if (value instanceof Optimizer) Object.entries(namedBy(value)).forEach(([name, each]) => keep(name, each))
      else note(valuesOf(value))
    }
  }
  note([optimizer.schedule, valuesOf(optimizer)])
  if (optimizer instanceof MultiOptimizer)
    note(optimizer.optimizers.flatMap(({ optimizer: member, match }) => [member, match]))
  return objects
}

/** The values of an object's options. */
function valuesOf(object: Configured): unknown[] {
  return Object.keys(optionsOf(object.constructor)).map((name) => Reflect.get(object, name) as unknown)
}

/** Metrics keep sums, so each model needs its own. */
function metricsAgain(identifier: unknown, objects: CustomObjects): unknown {
  if (identifier instanceof Metric) return madeAgain(identifier, {}, objects)
  if (!isBranch(identifier) || isSavedObject(identifier)) return identifier
  if (Array.isArray(identifier)) return identifier.map((each) => metricsAgain(each, objects))
  return Object.fromEntries(Object.entries(identifier).map(([key, each]) => [key, metricsAgain(each, objects)]))
}
