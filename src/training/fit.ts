// fit: reads its arguments, prepares model and data, and runs the training loop.

import { ArgumentError } from '../core/errors'
import { weighClasses } from '../data/samples/class-weights'
import { releaseAll } from '../data/samples/pace'
import { parseBatches, parseSamples } from '../data/samples/parse'
import { VALIDATION_NAMES, splitValidation, type Data } from '../data/samples/samples'
import { isElements } from '../data/samples/source'
import type { History } from './callbacks/history'
import { readCall, type ParsedCall, type CallArguments } from './call'
import { runTraining, type Training } from './loop'
import { FIT, type FitSettings } from './options'
import { Prepared, warnIfNothingToTrain } from './prepared'
import type { Runner } from './runner'
import { requireEnd, runnerOver } from './runners'
import type { TrainingState } from './state'

export async function fit(state: TrainingState, args: CallArguments): Promise<History> {
  const prepared = new Prepared(state, 'train', 'fit')
  state.lock.requireIdle('fit')
  const call = readCall(FIT, prepared, args)
  return state.lock.run(() => prepare(state, prepared, call), runTraining)
}

/** Builds model and optimizer for the data, and makes the runners. */
async function prepare(
  state: TrainingState,
  prepared: Prepared,
  { data, options }: ParsedCall<FitSettings>,
): Promise<Training> {
  const { batchSize, validationBatchSize, validationData, classWeight, signal } = options
  const share = validationData === null ? options.validationSplit : 0
  const [trained, rest] = data.kind === 'samples' && share > 0 ? splitValidation(data, share) : [data]
  const runner = await runnerOver(prepared, trained, {
    where: 'fit',
    batchSize,
    shuffles: options.shuffle,
    pass: state.shuffleState.epoch,
    // Class weights apply only to training.
    weigh: classWeight === null ? null : (samples) => weighClasses(samples, classWeight, prepared.outputNames),
    signal,
  })
  let validation: Runner | null = null
  try {
    requireEnd('fit', runner, options.stepsPerEpoch, 'stepsPerEpoch')
    const testing = new Prepared(state, 'test', 'fit')
    const validated = rest ?? parseValidation(testing, validationData)
    if (validated !== null) {
      const where = 'fit: validationData'
      validation = await runnerOver(testing, validated, { where, batchSize: validationBatchSize ?? batchSize, signal })
      requireEnd(where, validation, options.validationSteps, 'validationSteps')
    }
    state.buildOptimizer(prepared.compiled)
    warnIfNothingToTrain(state.model, 'fit')
    const { lock, shuffleState } = state
    return { prepared, runner, testing, validation, options, lock, shuffleState }
  } catch (error) {
    await releaseAll(signal, [() => runner.release(), () => validation?.release()])
    throw error
  }
}

function parseValidation(testing: Prepared, data: unknown): Data | null {
  if (data === null) return null
  if (isElements(data)) return parseBatches(data, 'fit: validationData')
  if (!Array.isArray(data))
    throw new ArgumentError('fit: validationData must be [x, y], [x, y, sampleWeight], or batches such as a Dataset')
  const [x, y, sampleWeight] = data
  return parseSamples(testing, { x, y, sampleWeight }, VALIDATION_NAMES)
}
