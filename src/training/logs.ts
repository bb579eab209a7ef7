// The logs of a step: the loss, the metrics, and the scalars that a custom step returned.

import { put } from '../core/tree'
import type { Program } from '../engine/runtime/program'
import type { StepKind } from './batch'
import type { Logs } from './callbacks/callback'
import type { Compiled } from './compiled'
import type { Steps } from './steps'

const NONE: ReadonlySet<string> = new Set()

/**
 * The results of the loss and all metrics, by name, and the scalars that the last step of this kind returned. A step that
 * returns some reports the metrics in properties of the model itself.
 */
export function readLogs(kind: StepKind, steps: Steps, compiled: Compiled): Logs {
  const { names } = compiled
  const logs: Record<string, number> = {}
  const values = names.length === 0 ? [] : compiled.resultsNow()
  const returned = compiled.stepLogs(kind)
  const unlogged = returned.size > 0 ? compiled.ownNames : NONE
  if (values === null) readResults(steps.results(compiled), names, unlogged, logs)
  else for (let i = 0; i < names.length; i++) if (!unlogged.has(names[i]!)) put(logs, names[i]!, values[i]!)
  for (const [name, variable] of returned) put(logs, name, variable.view[0]!)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only a model without a loss has logs without `loss`
  return logs as Logs
}

/**
 * A vector gives a log for each element: `precision_0`, `precision_1` for thresholds; `f1Score_0`, `f1Score_1` for
 * classes.
 */
function readResults(
  program: Program,
  names: readonly string[],
  unlogged: ReadonlySet<string>,
  logs: Record<string, number>,
): void {
  program.run()
  names.forEach((name, i) => {
    if (unlogged.has(name)) return
    const result = program.output(i)
    if (result.length === 1) put(logs, name, result[0]!)
    else result.forEach((value, each) => (logs[`${name}_${each}`] = value))
  })
}
