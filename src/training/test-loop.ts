// The loop of evaluate, and of a validation in fit.

import { DataError } from '../core/errors'
import { Pace } from '../data/samples/pace'
import { isPromise } from '../core/soon'
import type { Logs } from './callbacks/callback'
import type { Listeners } from './listeners'
import type { Prepared } from './prepared'
import type { Runner } from './runner'

/**
 * Runs test steps over all samples, or over a number of batches, and calls the callbacks of batches.
 * @param runner at the beginning of a pass
 */
export async function runTest(
  prepared: Pick<Prepared, 'compiled' | 'logs'>,
  runner: Runner,
  most: number | null,
  listeners: Listeners,
  signal: AbortSignal | null,
): Promise<Logs> {
  const pace = new Pace(signal)
  const perBatch = listeners.hear('onTestBatchBegin', 'onTestBatchEnd')
  signal?.throwIfAborted()
  let done = 0
  const last = most ?? Infinity
  while (done < last) {
    const upcoming = runner.upcoming()
    const program = isPromise(upcoming) ? await pace.wait(upcoming) : upcoming
    if (program === null) break
    if (done === 0) prepared.compiled.resetMetrics()
    const batch = done
    if (perBatch) await listeners.tell((callback) => callback.onTestBatchBegin?.(batch))
    const running = runner.run(perBatch || !runner.isElsewhere ? 1 : last - done)
    const { steps } = isPromise(running) ? await running : running
    done += steps
    if (perBatch) {
      await runner.fetch(prepared.compiled.storages)
      const { logs } = prepared
      await listeners.tell((callback) => callback.onTestBatchEnd?.(batch, logs))
      // A callback may have aborted between two turns of the event loop.
      signal?.throwIfAborted()
    }
    if (pace.isDue(steps)) await pace.yield()
  }
  if (done === 0) throw new DataError('There are no batches to evaluate')
  await runner.fetch()
  return prepared.logs
}
