// gridSearch and randomSearch: which trials there are, who goes on, and which one is best. How a trial is trained is in fits.ts.

import { ArgumentError, MyelinError, quoted } from '../core/errors'
import { boolean, count, custom, integer, nullable, number, option, readOptions, text } from '../core/options'
import type { ValuesOf } from '../core/options'
import { typed } from '../core/tree'
import type { SampleWeights } from '../data/arrays'
import type { ElementsOrMaker } from '../data/source'
import { isElements } from '../data/source'
import { isScore } from '../metrics/direction'
import type { Model } from '../models/model'
import type { TensorLike } from '../ops/convert'
import { nextSeed } from '../ops/seed'
import type { Tensor } from '../ops/tensor'
import type { CallbackMethods } from '../training/callbacks'
import { mode } from '../training/callbacks/monitor'
import { isValName, logOf, withoutVal } from '../training/callbacks/names'
import type { FitOptions } from '../training/loop'
import type { AnyMake, Bench, FitPlace, Progress, Task } from './fits'
import { Fits } from './fits'
import type { Monitored, Trial } from './result'
import { SearchResult, compareTrials, trialLine } from './result'
import { readColumns } from './samples'
import type { AnyChoice, ChoiceOf, GridSpace, RandomSpace } from './space'
import { gridChoices, randomChoices } from './space'
import { Threads, hasThreads, importMake } from './threads'

/**
 * What makes a compiled model of a choice, a new one each time; or a module whose default export does, as a URL:
 * `new URL('./make.js', import.meta.url)`.
 */
export type Make<Choice, In, Out> = ((choice: Choice) => Model<In, Out> | Promise<Model<In, Out>>) | URL | string

export interface Halving {
  /** One in so many choices goes on after each round, and trains so many times as long. Default 3. */
  readonly factor?: number
  /** Epochs of the first round. Default 1. */
  readonly minEpochs?: number
}

/** Samples as a model takes them: what can become a tensor, a list or a record of it. What `make` gives decides which fit. */
export type ColumnsLike =
  | TensorLike
  | readonly (ColumnsLike | null)[]
  | { readonly [name: string]: ColumnsLike | null }
  | string

/** What both searches may be told. Options of fit mean what they mean there. */
export interface SearchOptions<Choice = AnyChoice> extends Pick<
  FitOptions,
  'batchSize' | 'validationBatchSize' | 'validationSteps' | 'stepsPerEpoch' | 'shuffle' | 'classWeight' | 'sampleWeight'
> {
  /** The inputs, as fit takes them. */
  readonly x?: ColumnsLike | null
  /** The targets, as fit takes them. */
  readonly y?: ColumnsLike | null
  /** Instead of x and y: batches, such as a Dataset, for each fit. */
  readonly data?: ((choice: Choice) => ElementsOrMaker<unknown>) | null
  /** The last part of the data, as a fraction, kept apart for validation. */
  readonly validationSplit?: number | null
  /** [x, y], [x, y, sampleWeight], or batches of them. */
  readonly validationData?:
    | readonly [x: ColumnsLike, y: ColumnsLike, sampleWeight?: SampleWeights]
    | ElementsOrMaker<unknown>
    | null
  /**
   * Splits x and y into so many parts at random, and validates on each a model that was trained on the others. Targets that are
   * classes have the same shares in all parts.
   */
  readonly folds?: number | null
  /** Default 1. */
  readonly epochs?: number
  /** The log by whose value after the last epoch choices are compared. Default 'valLoss'. */
  readonly monitor?: string
  /** 'auto': names of scores, such as accuracy, should rise, those of errors fall; a name that says neither is refused. Default 'auto'. */
  readonly mode?: 'auto' | 'min' | 'max'
  /** Fixes choices, folds, weights and orders; from setRandomSeed's when left out. */
  readonly seed?: number | null
  /** Successive halving: all choices train for a few epochs, and only the best of them go on. Default null: all train to the end. */
  readonly halving?: Halving | null
  /** Makes the callbacks of each fit. */
  readonly callbacks?: ((choice: Choice, place: FitPlace) => readonly CallbackMethods[]) | null
  /** How many trials run at once, each in a worker thread of Node, where `make` is a module. Default 1. */
  readonly workers?: number
  /** 1 says a line for each trial. Default 0. */
  readonly verbose?: 0 | 1
  /** Ends the search, which rejects with the signal's reason. */
  readonly signal?: AbortSignal | null
}

export interface RandomSearchOptions<Choice = AnyChoice> extends SearchOptions<Choice> {
  /** How many choices are tried. Default 10. */
  readonly trials?: number
}

/** What is looked at elsewhere. */
const anything = custom<unknown>(
  (value) => value,
  () => null,
)
const callable = nullable(
  custom<(...inputs: never[]) => unknown>(
    (value, where) => {
      if (typeof value === 'function') return value as (...inputs: never[]) => unknown
      throw new ArgumentError(`${where} must be a function, received ${quoted(value)}`)
    },
    () => null,
  ),
)

const fitTable = () => ({
  batchSize: option(nullable(count), null),
  validationSplit: option(nullable(number({ above: 0, below: 1 })), null),
  validationBatchSize: option(nullable(count), null),
  validationSteps: option(nullable(count), null),
  stepsPerEpoch: option(nullable(count), null),
  shuffle: option(nullable(boolean), null),
  classWeight: option(anything, null),
})

const searchTable = () => ({
  ...fitTable(),
  x: option(anything, null),
  y: option(anything, null),
  sampleWeight: option(anything, null),
  data: option(callable, null),
  validationData: option(anything, null),
  folds: option(nullable(integer({ min: 2 })), null),
  epochs: option(count, 1),
  monitor: option(text, 'valLoss'),
  mode: option(mode, 'auto'),
  seed: option(nullable(integer()), null),
  halving: option(anything, null),
  callbacks: option(callable, null),
  workers: option(count, 1),
  verbose: option(integer({ min: 0, max: 1 }), 0),
  signal: option(anything, null),
})
type Settings = ValuesOf<ReturnType<typeof searchTable>>

const randomTable = () => ({ ...searchTable(), trials: option(count, 10) })
const halvingTable = () => ({ factor: option(integer({ min: 2 }), 3), minEpochs: option(count, 1) })

/**
 * Trains a model for every combination of a space, and finds the best.
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
 * A trial that fails, such as one whose weights grow without limit, is kept with its error. Every trial has seeds of its own: it
 * comes out the same whatever else is tried.
 * @throws ArgumentError for options that do not go together; MyelinError where all trials fail, with the first error as its cause
 * scikit-learn: `GridSearchCV`.
 */
export async function gridSearch<const Space extends GridSpace, In = Tensor, Out = Tensor>(
  make: Make<ChoiceOf<Space>, In, Out>,
  space: Space,
  options: SearchOptions<ChoiceOf<Space>>,
): Promise<SearchResult<ChoiceOf<Space>, In, Out>> {
  const settings = readOptions('gridSearch', searchTable(), options)
  return typed(
    await new Search('gridSearch', gridChoices('gridSearch', space), settings, settings.seed ?? nextSeed()).run(
      make as AnyMake | URL | string,
    ),
  )
}

/**
 * Trains a model for choices that are drawn at random from a space, and finds the best. Where few of the numbers matter, it comes
 * further than a grid of as many trials.
 *
 *   await randomSearch(make, {
 *     units: { min: 8, max: 128, scale: 'log', integer: true },
 *     learningRate: { min: 1e-4, max: 1e-1, scale: 'log' },
 *     activation: ['relu', 'gelu'],
 *     dropout: (random) => (random < 0.5 ? 0 : random - 0.5),
 *   }, { x, y, validationSplit: 0.2, epochs: 27, trials: 27, halving: { factor: 3 }, seed: 1 })
 *
 * Where all names have lists, no combination comes twice.
 * @throws as gridSearch
 * Bergstra & Bengio 2012, "Random search for hyper-parameter optimization"; for halving Jamieson & Talwalkar 2016,
 * "Non-stochastic best arm identification and hyperparameter optimization". scikit-learn: `RandomizedSearchCV`.
 */
export async function randomSearch<const Space extends RandomSpace, In = Tensor, Out = Tensor>(
  make: Make<ChoiceOf<Space>, In, Out>,
  space: Space,
  options: RandomSearchOptions<ChoiceOf<Space>>,
): Promise<SearchResult<ChoiceOf<Space>, In, Out>> {
  const { trials, ...settings } = readOptions('randomSearch', randomTable(), options)
  const seed = settings.seed ?? nextSeed()
  return typed(
    await new Search('randomSearch', randomChoices('randomSearch', space, trials, seed), settings, seed).run(
      make as AnyMake | URL | string,
    ),
  )
}

/** A trial while its search runs. */
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
    this.signal = signalOf(where, settings.signal)
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
      `${this.where}: halving: minEpochs must be at most epochs, ${epochs}, received ${read.minEpochs}`,
    )
  }

  private get worst(): number {
    return this.rises ? -Infinity : Infinity
  }

  private checkData(): void {
    const { where, monitor } = this
    const { x, data, folds, validationSplit, validationData } = this.settings
    if ((x === null) === (data === null))
      throw new ArgumentError(`${where}: needs either x and y, or data: a function that gives batches`)
    const said = Object.entries({ folds, validationSplit, validationData })
      .filter(([, each]) => each !== null)
      .map(([name]) => name)
    if (said.length > 1) throw new ArgumentError(`${where}: ${said.join(' and ')} do not go together: choose one`)
    if (folds !== null && data !== null)
      throw new ArgumentError(`${where}: folds need x and y: batches have no rows to split`)
    if (said.length === 0 && isValName(monitor))
      throw new ArgumentError(
        `${where}: ${quoted(monitor)} needs data to validate on: validationSplit, validationData or folds`,
      )
  }

  async run(make: AnyMake | URL | string): Promise<SearchResult<AnyChoice, unknown, unknown>> {
    this.signal?.throwIfAborted()
    const bench = await this.benchFor(make)
    try {
      let running = this.trials
      for (const [i, until] of this.rounds.entries()) {
        const isLast = i === this.rounds.length - 1
        running = await this.round(
          bench,
          running,
          until,
          isLast ? 1 : Math.max(1, Math.floor(running.length / this.halving!.factor)),
        )
      }
      const [best] = running
      const { choice, score, number, epochs } = best!
      const model = await bench.winner(number, choice, epochs)
      return new SearchResult(this, this.trials, { choice, score, model })
    } finally {
      await bench.close()
    }
  }

  private async benchFor(make: unknown): Promise<Bench> {
    const { where, settings } = this
    const task = this.task()
    if (typeof make === 'function') return new Fits(make as AnyMake, task)
    if (!(make instanceof URL) && typeof make !== 'string')
      throw new ArgumentError(
        `${where}: make must be a function, or the URL of a module whose default export is one, received ${quoted(make)}`,
      )
    const url = String(make)
    if (/^\.{1,2}\//.test(url))
      throw new ArgumentError(
        `${where}: make ${quoted(url)} does not say where it is relative to. Give a URL: new URL(${quoted(url)}, import.meta.url)`,
      )
    const imported = await importMake(url)
    if (settings.workers === 1 || !hasThreads()) return new Fits(imported, task)
    const said = Object.entries({
      data: task.own.data,
      validationData: task.own.validationBatches,
      callbacks: task.own.callbacks,
    }).find(([, each]) => each !== null)
    if (said !== undefined)
      throw new ArgumentError(
        `${where}: workers cannot be given functions or batches, such as ${said[0]}. Leave it out, or let the trials run one after the other: workers: 1`,
      )
    return new Threads(Math.min(settings.workers, this.trials.length), url, imported, task)
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
    const own = {
      data: data as Task['own']['data'],
      validationBatches: areBatches ? validationData : null,
      callbacks: callbacks as Task['own']['callbacks'],
      signal: this.signal,
    }
    return { seed: this.seed, folds, samples, fit, own }
  }

  /** Trains trials up to an epoch. @returns the best of them, at most `most`, whose models are kept; in the order of their numbers where they go on */
  private async round(
    bench: Bench,
    trials: readonly Running[],
    until: number,
    most: number,
  ): Promise<readonly Running[]> {
    const kept: Running[] = []
    await inParallel(trials, bench.width, async (trial) => {
      this.signal?.throwIfAborted()
      await this.advance(bench, trial, until)
      if (trial.error !== null) return
      kept.push(trial)
      kept.sort((a, b) => compareTrials(this.rises, a, b))
      for (const loser of kept.splice(most)) await bench.drop(loser.number)
    })
    if (kept.length > 0) return kept.sort((a, b) => a.number - b.number)
    const first = trials.find(({ error }) => error !== null)!.error!
    throw new MyelinError(
      `${this.where}: all ${trials.length} trials failed${trials.length < this.trials.length ? ' that went on' : ''}. The first: ${first.message}`,
      { cause: first },
    )
  }

  private async advance(bench: Bench, trial: Running, until: number): Promise<void> {
    const progress = await bench.train(trial.number, trial.choice, until)
    trial.seconds += progress.seconds
    trial.rounds++
    trial.epochs = Math.round(mean(progress.epochs))
    trial.logs = meanLogs(progress.logs)
    trial.error =
      progress.error === null
        ? null
        : progress.error instanceof Error
          ? progress.error
          : new Error(String(progress.error))
    trial.scores = trial.error === null ? this.scoresIn(progress) : []
    if (trial.error === null && !trial.scores.every(Number.isFinite)) {
      trial.error = new MyelinError(
        `${this.monitor} is ${trial.scores.find((score) => !Number.isFinite(score))} after epoch ${trial.epochs}`,
      )
      trial.scores = []
      await bench.drop(trial.number)
    }
    trial.score = trial.error === null ? mean(trial.scores) : this.worst
    trial.spread = this.settings.folds === null || trial.error !== null ? null : deviation(trial.scores)
    if (this.settings.verbose === 1) console.log(trialLine(trial, this.trials.length, this.monitor))
  }

  /** The monitored number of each fold after its last epoch. @throws ArgumentError where there is no such log */
  private scoresIn({ logs }: Progress): number[] {
    return logs.map((each) => {
      const score = logOf(each, this.monitor)?.at(-1)
      if (score !== undefined) return score
      throw new ArgumentError(
        `${this.where}: there is no '${this.monitor}' to monitor. There are: ${Object.keys(each).join(', ')}`,
      )
    })
  }
}

/** Whether the monitored number should rise. @throws ArgumentError where neither the mode nor its name tells: a guess might choose the worst */
function directionOf(where: string, { monitor, mode }: Settings): boolean {
  const rises = mode === 'auto' ? isScore(withoutVal(monitor)) : mode === 'max'
  if (rises !== null) return rises
  throw new ArgumentError(
    `${where}: the name ${quoted(monitor)} does not say whether it should rise or fall. Say so with mode: 'max' or 'min'.`,
  )
}

/** The epochs after which trials are compared, up to the last. */
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

/** Calls `body` with each, so many at a time. After an error no further one is begun. */
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

function signalOf(where: string, signal: unknown): AbortSignal | null {
  if (signal === null || signal === undefined) return null
  if (signal instanceof AbortSignal) return signal
  throw new ArgumentError(`${where}: signal must be an AbortSignal, received ${quoted(signal)}`)
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
}

// √(Σ (xᵢ − x̄)² / n)
function deviation(values: readonly number[]): number {
  const middle = mean(values)
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)))
}

/** The mean over the folds of each epoch's logs, over those that came so far. */
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
