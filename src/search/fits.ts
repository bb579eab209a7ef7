// Trains the models of trials in this thread: one model per fold, continued from epoch to epoch. search.ts decides
// which trials continue; threads.ts runs several threads.

import { ArgumentError, MyelinError, StateError, quoted } from '../core/errors'
import { clock } from '../core/globals'
import { threefry2x32 } from '../core/threefry'
import { propertyOf, put } from '../core/tree'
import { Model } from '../models/model'
import { withRandomSeed } from '../ops/random/seed'
import type { CallbackMethods, History } from '../training/callbacks'
import type { FitOptions } from '../training/options'
import { Folds, type SearchSamples } from './samples'
import type { AnyChoice } from './space'

export type AnyModel = Model<unknown, unknown>
export type AnyMake = (choice: AnyChoice) => AnyModel | Promise<AnyModel>

/** The fit that callbacks are made for. */
export interface FitPlace {
  /** The number of the trial, from 0. */
  readonly trial: number
  /** The fold that validates; null without folds, and when the best choice is trained on all data. */
  readonly fold: number | null
}

/** Options of fit that are the same for all trials. */
type CommonFitOptions = Pick<
  FitOptions,
  | 'batchSize'
  | 'validationSplit'
  | 'validationBatchSize'
  | 'validationSteps'
  | 'stepsPerEpoch'
  | 'shuffle'
  | 'classWeight'
>

/** What all trials have in common. */
export interface Task {
  readonly seed: number
  readonly folds: number | null
  readonly samples: SearchSamples
  readonly fit: CommonFitOptions
  /** Functions, batches and the signal, which only this thread can use. */
  readonly local: {
    readonly data: ((choice: AnyChoice) => unknown) | null
    /** Batches to validate on. */
    readonly validationBatches: unknown
    readonly callbacks: ((choice: AnyChoice, place: FitPlace) => readonly CallbackMethods[]) | null
    readonly signal: AbortSignal | null
  }
}

/** Logs by name, a number for each epoch. */
export type EpochLogs = Readonly<Record<string, readonly number[]>>

/** What one call of `train` did, and the logs of the trial so far. */
export interface Progress {
  /** The logs of each fold; a single entry without folds. */
  readonly logs: readonly EpochLogs[]
  /** The number of epochs trained so far, for each fold. */
  readonly epochs: readonly number[]
  /** Duration of this call, in seconds. */
  readonly seconds: number
  /** The error that ended the trial, after which its models are disposed; null if there was none. */
  readonly error: Error | null
}

/** Trains trials: in this thread (`Fits`) or in several (`Threads`). */
export interface TrialRunner {
  /** How many trials are trained at once. */
  readonly width: number
  /** Trains a trial from its current epoch up to epoch `until`. */
  train(trial: number, choice: AnyChoice, until: number): Promise<Progress>
  /** Disposes the models of a trial. */
  drop(trial: number): Promise<void>
  /** The trained model of a trial; with folds, a new model trained on all data for `epochs` epochs. */
  winner(trial: number, choice: AnyChoice, epochs: number): Promise<AnyModel>
  close(): Promise<void>
}

/** A model, which checks all data that it gets. */
interface Fitted {
  fit(x: unknown, y: unknown, options?: object): Promise<History>
}

interface Fit {
  readonly model: AnyModel
  readonly logs: Record<string, number[]>
  epochs: number
}

/** The seed of a fit; training on all data counts as one more fold. */
function seedOf({ seed }: Task, trial: number, fold: number, epoch: number): number {
  return threefry2x32(seed, 2 + epoch, trial, fold)[0]
}

/** The seed under which the model of a winner is made. */
export function winnerSeed(task: Task, trial: number): number {
  return seedOf(task, trial, task.folds ?? 0, 0)
}

/** What was thrown, as an error: programs can throw anything, such as null. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new MyelinError(`${quoted(thrown)} was thrown, which is not an Error`)
}

export class Fits implements TrialRunner {
  readonly width = 1
  private readonly kept = new Map<number, Fit[]>()
  private readonly known = new WeakSet<object>()
  private readonly folds: Folds | null

  constructor(
    private readonly make: AnyMake,
    private readonly task: Task,
  ) {
    this.folds = task.folds === null ? null : new Folds(task.samples, task.folds, task.seed)
  }

  async train(trial: number, choice: AnyChoice, until: number): Promise<Progress> {
    const started = clock()
    const fits = this.kept.get(trial) ?? []
    this.kept.set(trial, fits)
    let failure: Error | null = null
    try {
      for (let fold = 0; fold < (this.task.folds ?? 1); fold++) {
        await this.seeded(trial, fold, fits[fold]?.epochs ?? 0, async () => {
          const fit = (fits[fold] ??= await this.begin(choice))
          await this.run(fit, choice, until, { trial, fold: this.folds === null ? null : fold })
        })
      }
    } catch (error) {
      this.task.local.signal?.throwIfAborted()
      failure = asError(error)
      await this.drop(trial)
    }
    return {
      logs: fits.map(({ logs }) => logs),
      epochs: fits.map(({ epochs }) => epochs),
      seconds: (clock() - started) / 1000,
      error: failure,
    }
  }

  async drop(trial: number): Promise<void> {
    for (const { model } of this.kept.get(trial) ?? []) model.dispose()
    this.kept.delete(trial)
  }

  async winner(trial: number, choice: AnyChoice, epochs: number): Promise<AnyModel> {
    if (this.folds === null) {
      const model = this.kept.get(trial)![0]!.model
      this.kept.delete(trial)
      return model
    }
    return withRandomSeed(winnerSeed(this.task, trial), async () => {
      const fit = await this.begin(choice)
      await this.run(fit, choice, epochs, { trial, fold: null })
      return fit.model
    })
  }

  async close(): Promise<void> {
    for (const trial of this.kept.keys()) await this.drop(trial)
  }

  /** Seeds each fit separately, so that its random numbers depend neither on the thread nor on earlier fits. */
  private seeded<Result>(trial: number, fold: number, epoch: number, body: () => Promise<Result>): Promise<Result> {
    return withRandomSeed(seedOf(this.task, trial, fold, epoch), body)
  }

  private async begin(choice: AnyChoice): Promise<Fit> {
    const model: unknown = await this.make(choice)
    if (!(model instanceof Model))
      throw new ArgumentError(`make must return a compiled model, received ${quoted(model)}`)
    if (this.known.has(model))
      throw new StateError('make must return a new model each time: this one is already trained')
    this.known.add(model)
    return { model: model as AnyModel, logs: {}, epochs: 0 }
  }

  private async run(fit: Fit, choice: AnyChoice, epochs: number, place: FitPlace): Promise<void> {
    const { samples, fit: common, local } = this.task
    const { training, validation } =
      this.folds === null || place.fold === null
        ? { training: samples, validation: local.validationBatches ?? samples.validationData }
        : this.folds.at(place.fold)
    const { x, y, sampleWeight } = training
    const options = {
      ...common,
      epochs,
      initialEpoch: fit.epochs,
      verbose: 0,
      sampleWeight,
      callbacks: local.callbacks?.(choice, place) ?? [],
      ...(validation === null ? {} : { validationData: validation }),
      ...(local.signal === null ? {} : { signal: local.signal }),
    }
    const model: Fitted = fit.model
    const { history, epoch } =
      local.data === null ? await model.fit(x, y, options) : await model.fit(local.data(choice), options)
    for (const [name, values] of Object.entries(history))
      put(fit.logs, name, [...(propertyOf(fit.logs, name) ?? []), ...values])
    fit.epochs += epoch.length
  }
}
