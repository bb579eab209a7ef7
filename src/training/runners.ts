// Makes the runner for parsed data. Only this file distinguishes samples in arrays from batches.

import { ArgumentError, DataError, restating } from '../core/errors'
import { batchParts, withAdvice } from '../data/samples/batch'
import { releaseAll, Pace } from '../data/samples/pace'
import { parseSamples, type DataForm } from '../data/samples/parse'
import type { Data, Samples } from '../data/samples/samples'
import { END } from '../data/samples/source'
import { deviceOf } from '../engine/runtime/accelerator'
import { ArrayRunner } from './array-runner'
import type { Prepared } from './prepared'
import type { Runner } from './runner'
import { StreamRunner } from './stream-runner'

export interface RunnerOptions {
  /** Names the data in errors. */
  readonly where: string
  /** Samples per step, for samples in arrays. */
  readonly batchSize: number
  /** Whether each pass over samples in arrays has another order. Default false. */
  readonly shuffles?: boolean
  /** The number of the first pass over batches. Default 0. */
  readonly pass?: number
  /** Changes samples before they are checked. */
  readonly weigh?: ((samples: Samples) => Samples) | null
  readonly signal: AbortSignal | null
}

/** Checks the data, builds the model for them, and makes their runner. Of batches, only the first is checked here. */
export async function runnerOver(prepared: Prepared, data: Data, options: RunnerOptions): Promise<Runner> {
  const { weigh, batchSize, shuffles = false } = options
  const accept = (samples: Samples): Samples => prepared.accept(weigh?.(samples) ?? samples)
  const device = deviceOf(prepared.compiled, prepared.kind === 'train')
  if (data.kind === 'samples') return new ArrayRunner(prepared, accept(data), batchSize, shuffles, device)
  const { where, pass = 0, signal } = options
  const parse = (batch: unknown, index: number): Samples =>
    readBatch(prepared, batch, `${where}, batch ${index}`, accept)
  const runner = new StreamRunner(prepared, data.source, parse, device)
  try {
    await runner.begin({ seed: 0, epoch: pass })
    if ((await new Pace(signal).wait(Promise.resolve(runner.peek()))) === END)
      throw new DataError(`${where}: the data have no batches`)
    return runner
  } catch (error) {
    await releaseAll(signal, [() => runner.release()])
    throw error
  }
}

/** The samples of a batch. @param place of the batch, for errors */
export function readBatch(
  form: DataForm,
  batch: unknown,
  place: string,
  accept: (samples: Samples) => Samples,
): Samples {
  return restating(
    (message) => `${place}: ${withAdvice(message, batch, form.inputs)}`,
    () => accept(parseSamples(form, batchParts(batch))),
  )
}

/** @throws ArgumentError for endless data without a number of steps */
export function requireEnd(
  where: string,
  { steps }: Pick<Runner, 'steps'>,
  limit: number | null,
  option: string,
): void {
  if (steps === Infinity && limit === null) throw new ArgumentError(`${where}: the data are endless. Set ${option}.`)
}
