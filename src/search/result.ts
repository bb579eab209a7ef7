// The result of a search: every trial with its score, and the best of them.

import { ArgumentError, quoted } from '../core/errors'
import { counted, tableLines } from '../core/table'
import type { Model } from '../models/model'
import { formatLog } from '../training/callbacks/progress'
import type { EpochLogs } from './fits'

/** A choice and its outcome. */
export interface Trial<Choice = Readonly<Record<string, unknown>>> {
  /** Its number in the order of the search, from 0. */
  readonly number: number
  readonly choice: Choice
  /**
   * The monitored value after the last epoch, the mean over the folds. A failed trial has ∞, or −∞ where higher is
   * better.
   */
  readonly score: number
  /** The score of each fold: one number without folds, empty for a failed trial. */
  readonly scores: readonly number[]
  /** √(Σ (scoreᵢ − score)² / folds); null without folds. */
  readonly spread: number | null
  /** The number of epochs trained, averaged over the folds. */
  readonly epochs: number
  readonly seconds: number
  /** The number of rounds of successive halving it took part in, at least 1: its rung. Trials are compared within a rung. */
  readonly rounds: number
  /** The score after each of its rounds, and the epochs trained until then. The last is `score`. */
  readonly rungs: readonly { readonly epochs: number; readonly score: number }[]
  /** The value of each log after each epoch, by name; means over the folds. */
  readonly logs: EpochLogs
  /** The error of a failed trial, else null. */
  readonly error: Error | null
}

/**
 * The best choice, with a trained model: with halving, the best of the highest rung. Scores of lower rungs are of fewer epochs and not
 * compared with it, as a score may get worse with more epochs.
 */
export interface Best<Choice, In, Out> {
  readonly choice: Choice
  readonly score: number
  /** The number of rounds after which it is the best: the highest rung. 1 without halving. */
  readonly rung: number
  /** The model of the trial; with folds, a new model trained on all data for as many epochs as the trial. */
  readonly model: Model<In, Out>
}

/** The log by which trials are compared. */
export interface Monitored {
  readonly monitor: string
  /** Whether higher is better. */
  readonly rises: boolean
}

/**
 * Below 0 if `a` is better: it did not fail, took part in more rounds, has the better score, or has the lower number.
 */
export function compareTrials(rises: boolean, a: Trial<unknown>, b: Trial<unknown>): number {
  const byError = Number(a.error !== null) - Number(b.error !== null)
  if (byError !== 0) return byError
  // ∞ − ∞ is NaN, so equal scores are tested first.
  const isBetter = a.score < b.score !== rises
  const byScore = a.score === b.score ? 0 : 1 - 2 * Number(isBetter)
  return b.rounds - a.rounds || byScore || a.number - b.number
}

/** What `gridSearch` and `randomSearch` return: all trials, and the best with its model. */
export class SearchResult<Choice, In, Out> implements Monitored {
  readonly monitor: string
  readonly rises: boolean

  /** @internal */
  constructor(
    { monitor, rises }: Monitored,
    /** Sorted by number. */
    readonly trials: readonly Trial<Choice>[],
    readonly best: Best<Choice, In, Out>,
  ) {
    this.monitor = monitor
    this.rises = rises
  }

  /**
   * The trials as a table, the best first. With halving, the trials of the highest rung are first, and each round has a column with its
   * scores: scores of one column are of the same number of epochs. @param most rows; default all
   */
  table(most = Infinity): string {
    if (!(most >= 1)) throw new ArgumentError(`table: the number of rows must be at least 1, received ${quoted(most)}`)
    const sorted = [...this.trials].sort((a, b) => compareTrials(this.rises, a, b)).slice(0, most)
    const names = Object.keys(Object(sorted[0]!.choice))
    const valuesOf = ({ choice }: Trial<Choice>): unknown[] => Object.values<unknown>(Object(choice))
    const height = Math.max(...this.trials.map(({ rounds }) => rounds))
    // A column for each rung.
    const rungs = Array.from({ length: height }, (_, i) => i)
    const scores = rungs.map((i) => {
      const epochs = this.trials.find(({ rungs }) => rungs[i] !== undefined)?.rungs[i]?.epochs
      return height === 1 ? this.monitor : `${this.monitor} after ${counted(epochs ?? 0, 'epoch')}`
    })
    const rows = sorted.map((trial) => [
      String(trial.number + 1),
      ...valuesOf(trial).map(valueText),
      ...(height === 1 ? [] : [`${trial.rounds} of ${height}`]),
      ...rungs.map((i) => rungText(trial, i)),
      String(trial.epochs),
      trial.seconds.toFixed(1),
    ])
    const areNumbers = [
      true,
      ...names.map((_, i) => sorted.every((trial) => typeof valuesOf(trial)[i] === 'number')),
      ...(height === 1 ? [] : [false]),
      ...rungs.map(() => false),
      true,
      true,
    ]
    return tableLines(
      ['trial', ...names, ...(height === 1 ? [] : ['rung']), ...scores, 'epochs', 'seconds'],
      rows,
      (column) => areNumbers[column]!,
    ).join('\n')
  }

  /** The result without models. The score of a failed trial is null. */
  toJSON() {
    const { monitor, rises, best } = this
    const trials = this.trials.map(({ error, ...trial }) => ({
      ...trial,
      score: error === null ? trial.score : null,
      error: error === null ? null : `${error.name}: ${error.message}`,
    }))
    return { monitor, rises, best: { choice: best.choice, score: best.score, rung: best.rung }, trials }
  }
}

/** The score after round `i`; '' if the trial had no such round. The spread is that of the last. */
function rungText(trial: Trial<unknown>, i: number): string {
  if (i === trial.rounds - 1) return scoreText(trial)
  const rung = trial.rungs[i]
  return rung === undefined ? '' : formatLog(rung.score)
}

/** `0.1234`, `0.1234 ± 0.0100` */
function scoreText({ score, spread, error }: Trial<unknown>): string {
  if (error !== null) return `failed: ${error.name}`
  return spread === null ? formatLog(score) : `${formatLog(score)} ± ${formatLog(spread)}`
}

function valueText(value: unknown): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(4)))
  return typeof value === 'string' ? value : quoted(value)
}

/** `trial 3/12: valLoss 0.1234, rung 2 of 3, units 8, 5 epochs, 1.2 s` */
export function trialLine(trial: Trial, count: number, monitor: string, rungs: number): string {
  const { number, choice, epochs, seconds, error, rounds } = trial
  const chosen = Object.entries(choice).map(([name, value]) => `${name} ${valueText(value)}`)
  const outcome = error === null ? `${monitor} ${scoreText(trial)}` : `failed: ${error.message}`
  const rung = rungs > 1 ? [`rung ${rounds} of ${rungs}`] : []
  return `trial ${number + 1}/${count}: ${[outcome, ...rung, ...chosen, counted(epochs, 'epoch'), `${seconds.toFixed(1)} s`].join(', ')}`
}
