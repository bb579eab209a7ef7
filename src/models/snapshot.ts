// The numbers of a model at one time, for files whose writer is loaded first.

import type { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import type { AtThatTime, TrainedLayer } from './weight-files'

/**
 * Copies all variables of a model now. The result runs a function, until it first waits, while they have those values again: code that reads
 * a model need not know of it.
 */
export function snapshotOf(model: TrainedLayer): AtThatTime {
  const { compiled } = model.training
  const own = [...model.weights, ...model.stateVariables, ...(compiled?.optimizer.variables ?? [])]
  const before = own.map((variable): [Variable, Tensor] => [variable, variable.value])
  return (read) => {
    const after = own.map((variable): [Variable, Tensor] => [variable, variable.value])
    const now = model.training.compiled
    restore(before)
    model.training.compiled = compiled
    try {
      return read()
    } finally {
      model.training.compiled = now
      restore(after)
    }
  }
}

function restore(values: readonly (readonly [Variable, Tensor])[]): void {
  for (const [variable, value] of values) variable.assign(value)
}
