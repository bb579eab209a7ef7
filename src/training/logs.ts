// The logs of a step: the loss, the metrics, and the scalars that a custom step returned.

import { put } from '../core/tree'
import type { Program } from '../runtime/program'
import type { StepKind } from './batch'
import type { Logs } from './callbacks/callback'
import type { Compiled } from './compiled'
import type { Steps } from './steps'

/** The results of the loss and all metrics, by name, and the scalars that the last step of this kind returned. */
export function readLogs(kind: StepKind, steps: Steps, compiled: Compiled): Logs {
  const { names } = compiled
  const logs: Record<string, number> = {}
  const values = names.length === 0 ? [] : compiled.resultsNow()
  if (values !== null) for (let i = 0; i < names.length; i++) put(logs, names[i]!, values[i]!)
  else readResults(steps.results(compiled), names, logs)
  for (const [name, variable] of compiled.stepLogs(kind)) put(logs, name, variable.view[0]!)
  return logs as Logs
}

/**
 * A vector gives a log for each element: `precision_0`, `precision_1` for thresholds; `f1Score_0`, `f1Score_1` for
 * classes.
 */
function readResults(program: Program, names: readonly string[], logs: Record<string, number>): void {
  program.run()
  names.forEach((name, i) => {
    const result = program.output(i)
    if (result.length === 1) put(logs, name, result[0]!)
    else result.forEach((value, each) => (logs[`${name}_${each}`] = value))
  })
}
