// Checks the options of fit, evaluate and predict, and splits batches into their parts.

import { ArgumentError, ShapeError, quoted } from '../core/errors'
import { abortSignal } from '../core/options'
import { isBranch } from '../core/tree'
import type { SampleWeights } from '../data/arrays'
import type { FitOptions } from './loop'
import type { Runner } from './runner'

export function requireCount(name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value
  throw new ArgumentError(`${name} must be an integer ≥ ${least}, received ${value}`)
}

export function checkFitOptions({
  batchSize = 32,
  epochs = 1,
  initialEpoch = 0,
  validationFreq = 1,
  validationBatchSize = 32,
  stepsPerEpoch = null,
  validationSteps = null,
  verbose = 'auto',
  signal,
  shuffle = true,
  validationSplit = 0,
  validationData,
}: FitOptions): void {
  requireCount('batchSize', batchSize)
  requireCount('epochs', epochs, 0)
  requireCount('initialEpoch', initialEpoch, 0)
  if (typeof validationFreq === 'number') requireCount('validationFreq', validationFreq)
  else requireEpochs('validationFreq', validationFreq)
  requireCount('validationBatchSize', validationBatchSize)
  if (stepsPerEpoch !== null) requireCount('stepsPerEpoch', stepsPerEpoch)
  if (validationSteps !== null) requireCount('validationSteps', validationSteps)
  if (typeof shuffle !== 'boolean')
    throw new ArgumentError(`shuffle must be true or false, received ${quoted(shuffle)}`)
  if (validationSplit !== 0 && validationData !== undefined)
    throw new ArgumentError(
      'validationSplit and validationData exclude each other: the samples to validate with are one or the other',
    )
  if (validationSteps !== null && validationSplit === 0 && validationData === undefined)
    throw new ArgumentError('validationSteps needs validationData or a validationSplit')
  checkVerbose(verbose)
  checkSignal(signal)
}

/** Numbers of epochs, counted from 1. */
function requireEpochs(name: string, epochs: unknown): void {
  if (Array.isArray(epochs) && epochs.length > 0 && epochs.every((each) => Number.isInteger(each) && each >= 1)) return
  throw new ArgumentError(`${name} must be an integer ≥ 1 or a list of epochs, from 1 on, received ${quoted(epochs)}`)
}

export function checkVerbose(verbose: unknown): void {
  if (!['auto', 0, 1, 2].includes(verbose as string))
    throw new ArgumentError(`verbose must be 'auto', 0, 1 or 2, received ${quoted(verbose)}`)
}

export function checkSignal(signal: unknown): void {
  if (signal !== undefined) abortSignal.read(signal, 'signal')
}

/** Refuses options that are only for arrays, because batches bring their own. */
export function refuseForBatches(method: string, y: unknown, options: object, names: readonly string[]): void {
  if (y != null)
    throw new ArgumentError(`${method}: targets come with the batches: [x, y]. Leave out the second argument.`)
  const said = names.find((name) => Reflect.get(options, name) != null)
  if (said !== undefined) throw new ArgumentError(`${method}: ${said} is for arrays. ${FOR_BATCHES[said]}`)
}

/** The alternatives for batches. */
const FOR_BATCHES: Readonly<Record<string, string>> = {
  batchSize: 'Batches have a size of their own.',
  sampleWeight: 'Batches have it of their own: [x, y, sampleWeight].',
  validationSplit: 'Give other batches as validationData.',
}

/** @throws ArgumentError for endless data without a number of steps */
export function requireEnd(
  where: string,
  { steps }: Pick<Runner, 'steps'>,
  said: number | null | undefined,
  option: string,
): void {
  if (steps === Infinity && said == null) throw new ArgumentError(`${where}: the data are endless. Set ${option}.`)
}

const PARTS = ['x', 'y', 'sampleWeight']

/** Whether a part of a batch is a single value: then the batch is a row. */
export function isSingle(part: unknown): boolean {
  return typeof part === 'number' || typeof part === 'boolean'
}

/** The parts of a batch. @throws ShapeError for those of a row */
export function batchOf(batch: unknown): ReturnType<typeof partsOf> {
  const parts = partsOf(batch)
  const single = Object.entries(parts).find(([, part]) => isSingle(part))
  if (single !== undefined)
    throw new ShapeError(`${single[0]}: needs a batch axis, received the single value ${String(single[1])}`)
  return parts
}

/** Inputs, targets and weights of a batch: a list of up to three, a record with these names, or inputs alone. */
export function partsOf(batch: unknown): {
  readonly x: unknown
  readonly y?: unknown
  readonly sampleWeight?: SampleWeights | null
} {
  const isTexts = Array.isArray(batch) && batch.every((each) => typeof each === 'string')
  if (Array.isArray(batch) && !isTexts) {
    if (batch.length >= 1 && batch.length <= 3)
      return { x: batch[0], y: batch[1], sampleWeight: batch[2] as SampleWeights }
    throw new ArgumentError(`a batch must be [x], [x, y] or [x, y, sampleWeight], received a list of ${batch.length}`)
  }
  const isRecord = isBranch(batch) && 'x' in batch && Object.keys(batch).every((key) => PARTS.includes(key))
  return isRecord ? (batch as unknown as { x: unknown }) : { x: batch }
}
