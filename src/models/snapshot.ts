// A copy of the variables of a model, for files whose writer must be imported before it can run.

import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { begin } from '../optimizers/parameters'
import type { Compiled } from '../training/compiled'
import type { TrainedLayer } from './file-loader'

/** Runs a function on a model as it was. */
type AtThatTime = <Result>(read: () => Result) => Result

type Values = readonly (readonly [Variable, Tensor])[]

/**
 * Copies all variables of a model now. The result calls a function while the variables have the copied values, until the function awaits for
 * the first time, so code that reads a model needs no changes. No training step runs meanwhile, because steps are synchronous.
 */
export function snapshotOf(model: TrainedLayer): AtThatTime {
  const { compiled } = model.training
  const before = valuesOf(model, compiled)
  const built = new Set(compiled?.optimizer.builtFor)
  return (read) => {
    const now = model.training.compiled
    const after = valuesOf(model, compiled)
    restore(before)
    beginSlots(compiled, built)
    model.training.compiled = compiled
    try {
      return read()
    } finally {
      model.training.compiled = now
      restore(after)
    }
  }
}

function valuesOf(model: TrainedLayer, compiled: Compiled | null): Values {
  const all = [...model.weights, ...model.stateVariables, ...(compiled?.optimizer.variables ?? [])]
  return all.map((variable) => [variable, variable.value])
}

function restore(values: Values): void {
  for (const [variable, value] of values) variable.assign(value)
}

/** Slots that were made later get their initial values. @param built the weights that had slots before */
function beginSlots(compiled: Compiled | null, built: ReadonlySet<Variable>): void {
  if (compiled === null) return
  const { optimizer } = compiled
  for (const weight of optimizer.builtFor) {
    if (built.has(weight)) continue
    const slots = optimizer.slotsOf(weight)
    for (const slot of optimizer.declaredSlots(weight)) begin(slots.get(slot.name)!, slot, weight)
  }
}
