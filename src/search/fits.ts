// The fits of trials in this thread: a model for each fold, its training from epoch to epoch, and its end. Which trials go on
// is decided in search.ts; several threads are led from threads.ts.

import { ArgumentError, StateError, quoted } from '../core/errors'
import { threefry2x32 } from '../core/threefry'
import { typed } from '../core/tree'
import { Model } from '../models/model'
import { withRandomSeed } from '../ops/seed'
import type { CallbackMethods } from '../training/callbacks'
import type { FitOptions } from '../training/loop'
import type { Samples } from './samples'
import { Folds } from './samples'
import type { AnyChoice } from './space'

export type AnyModel = Model<unknown, unknown>
export type AnyMake = (choice: AnyChoice) => AnyModel | Promise<AnyModel>

/** For which fit callbacks are made. */
export interface FitPlace {
  /** The number of the trial, from 0. */
  readonly trial: number
  /** The fold that is kept apart; null without folds, and where the best choice is trained on all data. */
  readonly fold: number | null
}

/** Options of fit that are the same for all trials. */
export type CommonFitOptions = Pick<
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
  readonly samples: Samples
  readonly fit: CommonFitOptions
  /** What only this thread can use. */
  readonly own: {
    readonly data: ((choice: AnyChoice) => unknown) | null
    /** Batches to validate on. */
    readonly validationBatches: unknown
    readonly callbacks: ((choice: AnyChoice, place: FitPlace) => readonly CallbackMethods[]) | null
    readonly signal: AbortSignal | null
  }
}

/** Logs by name, a number for each epoch. */
export type EpochLogs = Readonly<Record<string, readonly number[]>>

/** How far a trial has come since it was made. */
export interface Progress {
  /** The logs of each fold; of one without folds. */
  readonly logs: readonly EpochLogs[]
  /** The epochs that each ran. */
  readonly epochs: readonly number[]
  /** What this part of the training took. */
  readonly seconds: number
  /** What ended it; null where nothing did. Its models are gone. */
  readonly error: unknown
}

/** Who trains trials: this thread, or several. */
export interface Bench {
  /** How many trials are trained at once. */
  readonly width: number
  /** Trains a trial up to an epoch, from where it is. */
  train(trial: number, choice: AnyChoice, until: number): Promise<Progress>
  /** Lets go of the models of a trial. */
  drop(trial: number): Promise<void>
  /** The trained model of a trial; where there are folds, a new one that is trained on all data for so many epochs. */
  winner(trial: number, choice: AnyChoice, epochs: number): Promise<AnyModel>
  close(): Promise<void>
}

interface Fit {
  readonly model: AnyModel
  readonly logs: Record<string, number[]>
  epochs: number
}

/** The seed of a fit; the one on all data counts as a further fold. */
function seedOf({ seed }: Task, trial: number, fold: number, epoch: number): number {
  return threefry2x32(seed, 2 + epoch, trial, fold)[0]
}

/** The seed with which the model of a winner is made. */
export function winnerSeed(task: Task, trial: number): number {
  return seedOf(task, trial, task.folds ?? 0, 0)
}

export class Fits implements Bench {
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
    const started = performance.now()
    const fits = this.kept.get(trial) ?? []
    this.kept.set(trial, fits)
    let failure: unknown = null
    try {
      for (let fold = 0; fold < (this.task.folds ?? 1); fold++) {
        await this.seeded(trial, fold, fits[fold]?.epochs ?? 0, async () => {
          const fit = (fits[fold] ??= await this.begin(choice))
          await this.run(fit, choice, until, { trial, fold: this.folds === null ? null : fold })
        })
      }
    } catch (error) {
      this.task.own.signal?.throwIfAborted()
      failure = error
      await this.drop(trial)
    }
    return {
      logs: fits.map(({ logs }) => logs),
      epochs: fits.map(({ epochs }) => epochs),
      seconds: (performance.now() - started) / 1000,
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

  /** A fit draws the same numbers whichever thread it runs in, and whatever ran before. */
  private seeded<Result>(trial: number, fold: number, epoch: number, body: () => Promise<Result>): Promise<Result> {
    return withRandomSeed(seedOf(this.task, trial, fold, epoch), body)
  }

  private async begin(choice: AnyChoice): Promise<Fit> {
    const model: unknown = await this.make(choice)
    if (!(model instanceof Model)) throw new ArgumentError(`make must give a compiled model, received ${quoted(model)}`)
    if (this.known.has(model)) throw new StateError('make must give a new model each time: this one was trained before')
    this.known.add(model)
    return { model: model as AnyModel, logs: {}, epochs: 0 }
  }

  private async run(fit: Fit, choice: AnyChoice, epochs: number, place: FitPlace): Promise<void> {
    const { samples, fit: common, own } = this.task
    const { training, validation } =
      this.folds === null || place.fold === null
        ? { training: samples, validation: own.validationBatches ?? samples.validationData }
        : this.folds.at(place.fold)
    const { x, y, sampleWeight } = training
    const options = {
      ...common,
      epochs,
      initialEpoch: fit.epochs,
      verbose: 0,
      sampleWeight,
      callbacks: own.callbacks?.(choice, place) ?? [],
      ...(validation === null ? {} : { validationData: validation }),
      ...(own.signal === null ? {} : { signal: own.signal }),
    }
    const { history, epoch } =
      own.data === null
        ? await fit.model.fit(typed(x), typed(y), typed(options))
        : await fit.model.fit(typed(own.data(choice)), typed(options))
    for (const [name, values] of Object.entries(history)) (fit.logs[name] ??= []).push(...values)
    fit.epochs += epoch.length
  }
}
