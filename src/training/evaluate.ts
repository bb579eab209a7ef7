// evaluate: reads its arguments, prepares model and data, and runs test steps.

import type { TensorData } from '../core/dtypes'
import { releaseAll } from '../data/samples/pace'
import type { Variable } from '../ops/variable'
import type { Logs } from './callbacks/callback'
import { formatLogs } from './callbacks/progress'
import { readCall, type CallArguments } from './call'
import type { Compiled } from './compiled'
import { Listeners } from './listeners'
import { EVALUATE } from './options'
import { Prepared } from './prepared'
import type { Runner } from './runner'
import { requireEnd, runnerOver } from './runners'
import type { TrainingState } from './state'
import { runTest } from './test-loop'

export async function evaluate(state: TrainingState, args: CallArguments): Promise<Logs> {
  const prepared = new Prepared(state, 'test', 'evaluate')
  const { lock, model } = state
  lock.requireIdle('evaluate')
  const { data, options } = readCall(EVALUATE, prepared, args)
  const { batchSize, steps, verbose, callbacks, signal } = options
  // A callback of a running fit already holds the lock.
  const isNested = lock.isBusy
  const prepare = (): Promise<Runner> => runnerOver(prepared, data, { where: 'evaluate', batchSize, signal })
  const run = async (runner: Runner): Promise<Logs> => {
    try {
      requireEnd('evaluate', runner, steps, 'steps')
      const listeners = new Listeners(callbacks, model, isNested ? undefined : (event) => lock.listen(event))
      return await listeners.during({ epochs: 1, steps: steps ?? runner.steps, verbose }, async () => {
        await listeners.tell((callback) => callback.onTestBegin?.())
        const results = await runTest(prepared, runner, steps, listeners, signal)
        await listeners.tell((callback) => callback.onTestEnd?.(results))
        return results
      })
    } finally {
      await releaseAll(signal, [() => runner.release()])
    }
  }
  const logs = isNested
    ? await lock.runNested(() => keepingMetrics(prepared.compiled, async () => run(await prepare())))
    : await lock.run(prepare, run)
  if (verbose !== 0) console.log(`evaluate${formatLogs(logs)}`)
  return logs
}

/** Runs an evaluation during a training run, and restores the metrics afterwards. */
async function keepingMetrics<Result>(compiled: Compiled, body: () => Promise<Result>): Promise<Result> {
  const kept = compiled.variables.map((variable) => [variable, variable.view.slice()] as const)
  try {
    return await body()
  } finally {
    const known = new Map<Variable, TensorData>(kept)
    for (const variable of compiled.variables) {
      const content = known.get(variable)
      if (content === undefined) variable.view.fill(0)
      else variable.view.set(content)
    }
  }
}
