// gridSearch and randomSearch: they list the trials, decide which continue, and pick the best. fits.ts trains them.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, MyelinError, quoted } from '../core/errors'
import {
  abortSignal,
  anything,
  boolean,
  callback,
  count,
  integer,
  nullable,
  number,
  option,
  readOptions,
  text,
  type ValuesOf,
} from '../core/options'
import { isPlainFunction, type AnyFunction } from '../core/registry'
import { isUrl } from '../core/globals'
import { typed } from '../core/tree'
import type { SampleWeights } from '../data/samples/data-types'
import { isElements, type ElementsOrMaker } from '../data/samples/source'
import { isScore } from '../metrics/direction'
import type { Model } from '../models/model'
import type { TensorLike } from '../ops/convert'
import { nextSeed } from '../ops/random/seed'
import type { Tensor } from '../ops/tensor'
import type { CallbackMethods } from '../training/callbacks'
import { mode } from '../training/callbacks/monitor'
import { isValName, logOf, withoutVal } from '../training/callbacks/names'
import type { FitOptions } from '../training/options'
import { Fits, type AnyMake, type TrialRunner, type FitPlace, type Progress, type Task } from './fits'
import { SearchResult, compareTrials, trialLine, type Monitored, type Trial } from './result'
import { readColumns } from './samples'
import {
  MOST_CHOICES,
  gridChoices,
  randomChoices,
  type AnyChoice,
  type ChoiceOf,
  type GridSpace,
  type RandomSpace,
} from './space'
import { Threads, hasThreads, importMake } from './threads'

/**
 * A function that returns a new compiled model for a choice, or the URL of a module whose default export is such a
 * function: `new URL('./make.js', import.meta.url)`.
 */
export type Make<Choice, In, Out> = ((choice: Choice) => Model<In, Out> | Promise<Model<In, Out>>) | URL | string

export interface Halving {
  /** One in `factor` choices continues after each round, and trains `factor` times as long. Default 3. */
  readonly factor?: number
  /** Epochs of the first round. Default 1. */
  readonly minEpochs?: number
}

/**
 * Samples as fit takes them: a tensor-like value, or a list or record of them. The model that `make` returns decides
 * what fits.
 */
export type ColumnsLike =
  | TensorLike
  | readonly (ColumnsLike | null)[]
  | { readonly [name: string]: ColumnsLike | null }
  | string

/** The options of both searches. Options of fit have the same meaning as there. */
export interface SearchOptions<Choice = AnyChoice> extends Pick<
  FitOptions,
  'batchSize' | 'validationBatchSize' | 'validationSteps' | 'stepsPerEpoch' | 'shuffle' | 'classWeight' | 'sampleWeight'
> {
  /** The inputs, as fit takes them. */
  readonly x?: ColumnsLike | null
  /** The targets, as fit takes them. */
  readonly y?: ColumnsLike | null
  /** Instead of x and y: a function that returns the batches of a fit, such as a Dataset. */
  readonly data?: ((choice: Choice) => ElementsOrMaker<unknown>) | null
  /** The fraction of the data, taken from its end, that is used for validation. */
  readonly validationSplit?: number | null
  /** [x, y], [x, y, sampleWeight], or batches of them. */
  readonly validationData?:
    | readonly [x: ColumnsLike, y: ColumnsLike, sampleWeight?: SampleWeights]
    | ElementsOrMaker<unknown>
    | null
  /**
   * Splits x and y at random into this many folds. For each fold, a model is trained on the others and validated on it.
   * Where the targets are classes, the folds are stratified.
   */
  readonly folds?: number | null
  /** Default 1. */
  readonly epochs?: number
  /** The log whose value after the last epoch ranks the choices. Default 'valLoss'. */
  readonly monitor?: string
  /**
   * Whether the monitored log should fall or rise. 'auto' infers it from the name: accuracy rises, a loss falls; an
   * unknown name is an error. Default 'auto'.
   */
  readonly mode?: 'auto' | 'min' | 'max'
  /**
   * Determines choices, folds, initial weights and the order of rows. Default: drawn from the generator of
   * setRandomSeed.
   */
  readonly seed?: number | null
  /**
   * Successive halving: all choices train for a few epochs, and only the best continue. Default null: all train to the
   * end.
   */
  readonly halving?: Halving | null
  /** Makes the callbacks of each fit. */
  readonly callbacks?: ((choice: Choice, place: FitPlace) => readonly CallbackMethods[]) | null
  /** The number of trials that run at once, each in a worker thread of Node; needs `make` as a module. Default 1. */
  readonly workers?: number
  /** 1 prints a line for each trial. Default 0. */
  readonly verbose?: 0 | 1
  /** Aborts the search, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | null
}

export interface RandomSearchOptions<Choice = AnyChoice> extends SearchOptions<Choice> {
  /** The number of choices to try. Default 10. */
  readonly trials?: number
}

const callable = <Fn extends AnyFunction>() => nullable(callback<Fn>('a function'))

const fitTable = () => ({
  batchSize: option(nullable(count), null),
  validationSplit: option(nullable(number({ above: 0, below: 1 })), null),
  validationBatchSize: option(nullable(count), null),
  validationSteps: option(nullable(count), null),
  stepsPerEpoch: option(nullable(count), null),
  shuffle: option(nullable(boolean), null),
  classWeight: option(anything, null),
})

const searchTable = () =>
  merged(fitTable(), {
    x: option(anything, null),
    y: option(anything, null),
    sampleWeight: option(anything, null),
    data: option(callable<NonNullable<Task['local']['data']>>(), null),
    validationData: option(anything, null),
    folds: option(nullable(integer({ min: 2 })), null),
    epochs: option(count, 1),
    monitor: option(text, 'valLoss'),
    mode: option(mode, 'auto'),
    seed: option(nullable(integer()), null),
    halving: option(anything, null),
    callbacks: option(callable<NonNullable<Task['local']['callbacks']>>(), null),
    workers: option(count, 1),
    verbose: option(integer({ min: 0, max: 1 }), 0),
    signal: option(nullable(abortSignal), null),
  })
type Settings = ValuesOf<ReturnType<typeof searchTable>>

const randomTable = () => merged(searchTable(), { trials: option(integer({ min: 1, max: MOST_CHOICES }), 10) })
const halvingTable = () => ({ factor: option(integer({ min: 2 }), 3), minEpochs: option(count, 1) })

/**
 * Trains a model for every combination of a space, and returns all trials and the best.
 *
 *   const result = await gridSearch(
 *     ({ units, learningRate }) => {
 *       const model = new Sequential([new Dense({ units, activation: 'relu', inputShape: [8] }), new Dense({ units: 1 })])
 *       model.compile({ optimizer: new Adam({ learningRate }), loss: 'meanSquaredError' })
 *       return model
 *     },
 *     { units: [8, 16, 32], learningRate: [0.01, 0.001] },
 *     { x, y, folds: 5, epochs: 20, seed: 1 },
 *   )
 *   console.log(result.table())
 *   await result.best.model.predict(x)
 *
 * A trial that fails, for example because its weights diverge, is kept with its error. Every trial has different seeds,
 * so its result does not depend on the other trials.
 * @throws ArgumentError for options that exclude each other; MyelinError if all trials fail, with the first error as
 * its cause
 * scikit-learn: `GridSearchCV`.
 */
export async function gridSearch<const Space extends GridSpace, In = Tensor, Out = Tensor>(
  make: Make<ChoiceOf<Space>, In, Out>,
  space: Space,
  options: SearchOptions<ChoiceOf<Space>>,
): Promise<SearchResult<ChoiceOf<Space>, In, Out>> {
  requireArguments('gridSearch', arguments, 3)
  const settings = readOptions('gridSearch', searchTable(), options)
  const choices = gridChoices('gridSearch', space)
  return new Search('gridSearch', choices, settings, settings.seed ?? nextSeed()).run(make)
}

/**
 * Trains a model for random choices from a space, and returns all trials and the best. If only a few of the
 * hyperparameters matter, it finds better choices than a grid with as many trials.
 *
 *   await randomSearch(make, {
 *     units: { min: 8, max: 128, scale: 'log', integer: true },
 *     learningRate: { min: 1e-4, max: 1e-1, scale: 'log' },
 *     activation: ['relu', 'gelu'],
 *     dropout: (random) => (random < 0.5 ? 0 : random - 0.5),
 *   }, { x, y, validationSplit: 0.2, epochs: 27, trials: 27, halving: { factor: 3 }, seed: 1 })
 *
 * If every name has a list, no combination is drawn twice.
 * @throws the same errors as gridSearch
 * Bergstra & Bengio 2012, "Random search for hyper-parameter optimization"; for halving Jamieson & Talwalkar 2016,
 * "Non-stochastic best arm identification and hyperparameter optimization". scikit-learn: `RandomizedSearchCV`.
 */
export async function randomSearch<const Space extends RandomSpace, In = Tensor, Out = Tensor>(
  make: Make<ChoiceOf<Space>, In, Out>,
  space: Space,
  options: RandomSearchOptions<ChoiceOf<Space>>,
): Promise<SearchResult<ChoiceOf<Space>, In, Out>> {
  requireArguments('randomSearch', arguments, 3)
  const { trials, ...settings } = readOptions('randomSearch', randomTable(), options)
  const seed = settings.seed ?? nextSeed()
  return new Search('randomSearch', randomChoices('randomSearch', space, trials, seed), settings, seed).run(make)
}

/** A trial while the search runs. */
type Running = { -readonly [Key in keyof Trial]: Trial[Key] }

class Search implements Monitored {
  readonly monitor: string
  readonly rises: boolean
  private readonly trials: readonly Running[]
  private readonly rounds: readonly number[]
  private readonly signal: AbortSignal | null

  constructor(
    private readonly where: string,
    choices: readonly AnyChoice[],
    private readonly settings: Settings,
    private readonly seed: number,
  ) {
    this.monitor = settings.monitor
    this.rises = directionOf(where, settings)
    this.signal = settings.signal
    this.checkData()
    this.rounds = this.halving === null ? [settings.epochs] : roundsOf(choices.length, settings.epochs, this.halving)
    this.trials = choices.map((choice, i) => ({
      number: i,
      choice,
      score: this.worst,
      scores: [],
      spread: null,
      epochs: 0,
      seconds: 0,
      rounds: 0,
      rungs: [],
      logs: {},
      error: null,
    }))
  }

  private get halving(): ValuesOf<ReturnType<typeof halvingTable>> | null {
    const { halving, epochs } = this.settings
    if (halving === null) return null
    const read = readOptions(`${this.where}: halving`, halvingTable(), halving)
    if (read.minEpochs <= epochs) return read
    throw new ArgumentError(
      `${this.where}: halving: minEpochs must be at most ${epochs}, the epochs of the search, received ${read.minEpochs}`,
    )
  }

  private get worst(): number {
    return this.rises ? -Infinity : Infinity
  }

  private checkData(): void {
    const { where, monitor } = this
    const { x, data, folds, validationSplit, validationData } = this.settings
    if ((x === null) === (data === null))
      throw new ArgumentError(`${where}: needs either x and y, or data: a function that returns batches`)
    const validations = Object.entries({ folds, validationSplit, validationData })
      .filter(([, each]) => each !== null)
      .map(([name]) => name)
    if (validations.length > 1)
      throw new ArgumentError(`${where}: ${validations.join(' and ')} exclude each other: choose one`)
    if (folds !== null && data !== null)
      throw new ArgumentError(`${where}: folds need x and y: batches have no rows to split`)
    if (validations.length === 0 && isValName(monitor))
      throw new ArgumentError(
        `${where}: ${quoted(monitor)} needs data to validate on: validationSplit, validationData or folds`,
      )
  }

  async run<Choice, In, Out>(make: Make<Choice, In, Out>): Promise<SearchResult<Choice, In, Out>> {
    this.signal?.throwIfAborted()
    const runner = await this.runnerFor(make)
    try {
      let running = this.trials
      for (const [i, until] of this.rounds.entries()) {
        const isLast = i === this.rounds.length - 1
        running = await this.round(
          runner,
          running,
          until,
          isLast ? 1 : Math.max(1, Math.floor(running.length / this.halving!.factor)),
        )
      }
      const [best] = running
      const { choice, score, number, epochs, rounds } = best!
      const model = await runner.winner(number, choice, epochs)
      // The choices are of the space, for which `make` is.
      return typed(new SearchResult(this, this.trials, { choice, score, rung: rounds, model }))
    } finally {
      await runner.close()
    }
  }

  private async runnerFor(make: unknown): Promise<TrialRunner> {
    const { where, settings } = this
    const task = this.task()
    if (isPlainFunction<AnyMake>(make)) return new Fits(make, task)
    if (!isUrl(make) && typeof make !== 'string')
      throw new ArgumentError(
        `${where}: make must be a function, or the URL of a module whose default export is one, received ${quoted(make)}`,
      )
    const url = String(make)
    if (/^\.{1,2}\//.test(url))
      throw new ArgumentError(
        `${where}: make ${quoted(url)} is a relative path. Give a URL: new URL(${quoted(url)}, import.meta.url)`,
      )
    const imported = await importMake(url)
    if (settings.workers === 1 || !hasThreads()) return new Fits(imported, task)
    const unsendable = Object.entries({
      data: task.local.data,
      validationData: task.local.validationBatches,
      callbacks: task.local.callbacks,
    }).find(([, each]) => each !== null)
    if (unsendable !== undefined)
      throw new ArgumentError(
        `${where}: threads cannot take functions or batches, received ${unsendable[0]}. Leave it out, or set workers: 1, which runs the trials in this thread`,
      )
    return new Threads(Math.min(settings.workers, this.trials.length), this.trials.length, url, imported, task)
  }

  private task(): Task {
    const { x, y, sampleWeight, validationData, data, callbacks, folds } = this.settings
    const areBatches = isElements(validationData)
    const samples = {
      x: readColumns(x, 'x'),
      y: readColumns(y, 'y'),
      sampleWeight: readColumns(sampleWeight, 'sampleWeight'),
      validationData: areBatches || validationData === null ? null : readList(validationData),
    }
    const fit = Object.fromEntries(
      Object.keys(fitTable())
        .map((name) => [name, Reflect.get(this.settings, name)])
        .filter(([, value]) => value !== null),
    )
    const local = { data, validationBatches: areBatches ? validationData : null, callbacks, signal: this.signal }
    return { seed: this.seed, folds, samples, fit, local }
  }

  /**
   * Trains trials up to an epoch. @returns the `most` best of them, sorted by number; their models are kept, all others
   * are disposed
   */
  private async round(
    runner: TrialRunner,
    trials: readonly Running[],
    until: number,
    most: number,
  ): Promise<readonly Running[]> {
    const kept: Running[] = []
    await inParallel(trials, runner.width, async (trial) => {
      this.signal?.throwIfAborted()
      await this.advance(runner, trial, until)
      if (trial.error !== null) return
      kept.push(trial)
      kept.sort((a, b) => compareTrials(this.rises, a, b))
      for (const loser of kept.splice(most)) await runner.drop(loser.number)
    })
    if (kept.length > 0) return kept.sort((a, b) => a.number - b.number)
    const first = trials.find(({ error }) => error !== null)!.error!
    throw new MyelinError(
      `${this.where}: all ${trials.length} trials${trials.length < this.trials.length ? ' of this round' : ''} failed. The first: ${first.message}`,
      { cause: first },
    )
  }

  private async advance(runner: TrialRunner, trial: Running, until: number): Promise<void> {
    const progress = await runner.train(trial.number, trial.choice, until)
    trial.seconds += progress.seconds
    trial.rounds++
    trial.epochs = Math.round(mean(progress.epochs))
    trial.logs = meanLogs(progress.logs)
    trial.error = progress.error
    trial.scores = trial.error === null ? this.scoresIn(progress) : []
    if (trial.error === null && !trial.scores.every(Number.isFinite)) {
      trial.error = new MyelinError(
        `${this.monitor} is ${trial.scores.find((score) => !Number.isFinite(score))} after epoch ${trial.epochs}`,
      )
      trial.scores = []
      await runner.drop(trial.number)
    }
    trial.score = trial.error === null ? mean(trial.scores) : this.worst
    if (trial.error === null) trial.rungs = [...trial.rungs, { epochs: trial.epochs, score: trial.score }]
    trial.spread = this.settings.folds === null || trial.error !== null ? null : deviation(trial.scores)
    if (this.settings.verbose === 1) console.log(trialLine(trial, this.trials.length, this.monitor, this.rounds.length))
  }

  /** The monitored value of each fold after its last epoch. @throws ArgumentError if there is no such log */
  private scoresIn({ logs }: Progress): number[] {
    return logs.map((each) => {
      const score = logOf(each, this.monitor)?.at(-1)
      if (score !== undefined) return score
      throw new ArgumentError(
        `${this.where}: there is no log '${this.monitor}' to monitor. The logs are: ${Object.keys(each).join(', ')}`,
      )
    })
  }
}

/**
 * Whether the monitored value should rise. @throws ArgumentError if neither the mode nor the name decides it: a guess
 * might choose the worst
 */
function directionOf(where: string, { monitor, mode }: Settings): boolean {
  const rises = mode === 'auto' ? isScore(withoutVal(monitor)) : mode === 'max'
  if (rises !== null) return rises
  throw new ArgumentError(
    `${where}: the name ${quoted(monitor)} does not tell whether it should rise or fall. Set mode: 'max' or 'min'.`,
  )
}

/** The epochs after which trials are compared, including the last. */
function roundsOf(
  trials: number,
  epochs: number,
  { factor, minEpochs }: { readonly factor: number; readonly minEpochs: number },
): number[] {
  const rounds: number[] = []
  for (
    let [until, left] = [minEpochs, trials];
    until < epochs && left > 1;
    until *= factor, left = Math.floor(left / factor)
  )
    rounds.push(until)
  return [...rounds, epochs]
}

/** Calls `body` with each element, `width` at a time. After an error no further call is started. */
async function inParallel<T>(all: readonly T[], width: number, body: (each: T) => Promise<void>): Promise<void> {
  const left = all.values()
  let failed = false
  const lane = async (): Promise<void> => {
    for (const each of left) {
      if (failed) return
      await body(each).catch((error: unknown) => {
        failed = true
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
}

function readList(validationData: unknown): ReturnType<typeof readColumns> {
  if (!Array.isArray(validationData))
    throw new ArgumentError(
      `validationData must be [x, y], [x, y, sampleWeight], or batches such as a Dataset, received ${quoted(validationData)}`,
    )
  return validationData.map((each: unknown, i) => readColumns(each, `validationData[${i}]`))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

// √(Σ (xᵢ − x̄)² / n)
function deviation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}

/** The mean of each epoch's logs over the folds that reached this epoch. */
function meanLogs(folds: Progress['logs']): Record<string, number[]> {
  const names = Object.keys(folds[0] ?? {})
  return Object.fromEntries(
    names.map((name) => {
      const columns = folds.map((fold) => fold[name] ?? [])
      const epochs = Math.max(...columns.map(({ length }) => length))
      return [
        name,
        Array.from({ length: epochs }, (_, i) =>
          mean(columns.filter(({ length }) => length > i).map((column) => column[i]!)),
        ),
      ]
    }),
  )
}
