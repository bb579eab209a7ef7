// economize: tries what makes a model cheaper, measures each on this machine, and keeps what pays. The report is in
// economize-report.ts, timing in timing.ts.

import { requireArguments } from '../core/arguments'
import { DataError, MyelinError } from '../core/errors'
import {
  abortSignal,
  anything,
  choice,
  count,
  integer,
  nullable,
  number,
  option,
  readOptions,
  required,
  text,
} from '../core/options'
import { counted } from '../core/table'
import type { Tree } from '../core/tree'
import type { TargetsOf } from '../data/samples/data-types'
import { copyableGraph } from '../models/known-graph'
import { gatherFor, type RowsFor } from '../tables/model-rows'
import type { Model } from '../models/model'
import type { Tensor } from '../ops/tensor'
import { permutation } from '../ops/random/permutation'
import { nextSeed } from '../ops/random/seed'
import type { Logs } from '../training/callbacks'
import { takeGathered, type GatheredRows } from '../training/gathered'
import type { CheckingModel } from '../training/checking-model'
import { EconomizeReport, type EconomizeFigures, type EconomizeRow } from './economize-report'
import { lowRank } from './low-rank'
import { monitored, type Monitor, type Monitored } from './monitored'
import { pruned } from './prune-units'
import { quantize } from './quantize'
import { gainsOf, rowsForTiming, speedup, timedInTurn, whyNoGain, type Timing } from './timing'

const share = number({ above: 0, max: 0.5 })
const economizeOptions = () => ({
  x: required(anything),
  y: option(anything, null),
  maxLoss: required(number({ min: 0 })),
  monitor: option(nullable(text), null),
  mode: option(choice('auto', 'min', 'max'), 'auto'),
  batchSize: option(count, 32),
  minGain: option(number({ min: 0, max: 1 }), 0.05),
  validationSplit: option(share, 0.25),
  testSplit: option(share, 0.25),
  seconds: option(number({ above: 0 }), 0.3),
  seed: option(nullable(integer()), null),
  signal: option(nullable(abortSignal), null),
})

/** Options of `economize`. */
export interface EconomizeOptions<In, Out> {
  /** Inputs, or batches of them with their targets, as for `evaluate`. Batches are read once, and all rows are kept in memory. */
  readonly x: RowsFor<In, Out>
  /** The targets, unless they are in the batches. Default null. */
  readonly y?: TargetsOf<Out> | null
  /** By how much the monitored value may get worse, for example accuracy by 0.01. */
  readonly maxLoss: number
  /** One of the values that `evaluate` returns. Default null: the first metric, or 'loss' without metrics. */
  readonly monitor?: string | null
  /** Whether it should rise or fall; 'auto' infers it from the name. Default 'auto'. */
  readonly mode?: 'auto' | 'min' | 'max'
  /** The number of rows of the predictions that are timed. Default 32. */
  readonly batchSize?: number
  /** The share by which a step must make predictions faster, or the file smaller. Default 0.05. */
  readonly minGain?: number
  /** The share of the rows on which steps are judged. Default 0.25. */
  readonly validationSplit?: number
  /** The share of the rows that only the figures of the report come from. Default 0.25. */
  readonly testSplit?: number
  /** The seconds for which a model is timed. Default 0.3. */
  readonly seconds?: number
  /** The seed of the split. Default null: derived from `setRandomSeed`. */
  readonly seed?: number | null
  /** Aborts between two predictions; the promise then rejects with the signal's reason. Default null. */
  readonly signal?: AbortSignal | null
}

/** A model and how it came about. */
export interface Economized<Kind> {
  /** The cheaper model; the original one if nothing pays. */
  readonly model: Kind
  readonly report: EconomizeReport
}

/** One way to make a model cheaper. */
interface Step<Kind> {
  readonly name: string
  /** Ways to do it, the strongest first; the first one that pays is kept. */
  readonly tries: readonly ((model: Kind) => Kind | Promise<Kind>)[]
}

/** A model with its figures. */
interface Candidate<Kind> {
  readonly model: Kind
  /** The model from which a step made it; null for the user's. */
  readonly from: Candidate<Kind> | null
  readonly timing: Timing
  readonly bytes: number
  readonly quality: Monitored
}

/** The result of a step. */
interface Attempt<Kind> extends Omit<EconomizeRow, 'kept'> {
  /** null if the step does not pay. */
  readonly made: Candidate<Kind> | null
}

/**
 * Makes a model cheaper: removes dead units, then the least important ones, factorizes Dense layers, and quantizes to int8. Each
 * step is tried alone and on top of those that were kept, and measured on this machine: the time and the joules of a prediction,
 * the bytes of the file, and the monitored value on rows kept apart. A step is kept if three conditions hold. It makes predictions
 * faster by `minGain`, for the whole 95 % interval of the ratio of the medians, or the file smaller by `minGain`. It makes neither
 * worse. The monitored value stays within `maxLoss` of that of `model`. The report contains why the other steps were refused.
 *
 *   const { model: small, report } = await economize(model, { x, y, maxLoss: 0.005 })
 *   report.print()
 *
 * The rows are divided at random, by `seed`: on most, steps choose units and ranks; on `validationSplit` of them, steps are
 * judged; `testSplit` of them only give the figures before and after. Give rows that the model was not trained on, and many: of
 * 500 judging rows, one is an accuracy of 0.002. A step alone that is as good as several together replaces them. `model`
 * is not changed.
 *
 * @throws ArgumentError unless `model` is a Sequential or functional model; StateError for a model that is not built or not
 * compiled; ArgumentError for endless batches, and for weights of samples; DataError for too few rows
 */
export async function economize<In, Out, Kind extends Model<In, Out>>(
  model: Kind & Model<In, Out>,
  options: EconomizeOptions<In, Out>,
): Promise<Economized<Kind>> {
  requireArguments('economize', arguments, 2)
  const settings = readEconomize(options)
  copyableGraph('economize', model)
  model.training.requireCompiled('economize')
  const { x, y, signal } = settings
  const rows = await gatherFor(model, x, y, { where: 'economize', needsTargets: true, signal })
  return new Economy<Kind>(settings, rows).run(model)
}

/** Tries the steps for one model. */
class Economy<Kind extends Model> {
  /** For choosing units and ranks, for judging steps, and for the figures of the report. */
  private readonly parts: { readonly search: GatheredRows; readonly judge: GatheredRows; readonly test: GatheredRows }
  /** The rows of the predictions that are timed. */
  private readonly rows: Tree<Tensor>
  private readonly monitor: Monitor
  private readonly attempts: Attempt<Kind>[] = []

  constructor(
    private readonly settings: ReturnType<typeof readEconomize>,
    all: GatheredRows,
  ) {
    const { validationSplit, testSplit, batchSize, monitor, mode, seed } = settings
    const { size } = all
    const order = permutation(size, seed ?? nextSeed())
    const rowsOf = (share: number): number => Math.max(1, Math.round(share * size))
    const [judged, tested] = [rowsOf(validationSplit), rowsOf(testSplit)]
    const part = (from: number, to: number): GatheredRows => takeGathered(all, order.slice(from, to))
    this.parts = {
      test: part(0, tested),
      judge: part(tested, tested + judged),
      search: part(tested + judged, size),
    }
    const { search, judge, test } = this.parts
    if (search.size === 0 || judge.size === 0)
      throw new DataError(
        `economize: ${counted(size, 'row')} ${size === 1 ? 'leaves' : 'leave'} ${search.size} for choosing units, ${judge.size} for judging steps and ${test.size} for the report. Give more rows, or a smaller validationSplit or testSplit.`,
      )
    this.rows = rowsForTiming(this.parts.judge, batchSize)
    this.monitor = { where: 'economize', monitor, mode }
  }

  async run(model: Kind): Promise<Economized<Kind>> {
    const first = await this.measuredAlone({ model, from: null })
    let best = first
    for (const step of this.steps()) {
      const alone = await this.attempt(step, first, first)
      const made = best === first ? alone : await this.attempt(step, first, best)
      if (made !== null) best = made
    }
    for (const { made } of this.attempts) if (made !== null && (await this.isAsGood(first, best, made))) best = made
    const report = await this.reportOn(first, best)
    for (const { made } of this.attempts) if (made !== null && made !== best) made.model.dispose()
    return { model: best.model, report }
  }

  /** The report on all attempts, with figures from rows that chose nothing. */
  private async reportOn(first: Candidate<Kind>, best: Candidate<Kind>): Promise<EconomizeReport> {
    const kept = new Set<Candidate<Kind>>()
    for (let each: Candidate<Kind> | null = best; each !== null; each = each.from) kept.add(each)
    const rows = this.attempts.map(({ made, ...row }) => ({ ...row, kept: made !== null && kept.has(made) }))
    const [before, after] = await this.measured(best === first ? [best] : [first, best], this.parts.test)
    const { maxLoss, batchSize } = this.settings
    return new EconomizeReport({
      model: first.model.name,
      monitor: first.quality.name,
      maxLoss,
      batchSize,
      joules: first.timing.how,
      judges: this.parts.judge.size,
      tests: this.parts.test.size,
      rows,
      before: figuresOf(before!),
      after: figuresOf(after ?? before!),
      speed: after === undefined ? null : speedup(before!.timing, after.timing),
    })
  }

  /** Whether steps that were kept one after the other do not pay compared with one step alone. */
  private async isAsGood(first: Candidate<Kind>, best: Candidate<Kind>, other: Candidate<Kind>): Promise<boolean> {
    if (best.from === first || best === first || other.from !== first) return false
    const [base, candidate] = await this.measuredInTurn(other, best)
    return this.whyNot(first, base, candidate) !== null
  }

  private steps(): readonly Step<Kind>[] {
    const { x, y } = this.parts.search
    const { maxLoss, monitor, mode, signal } = this.settings
    const limits = { mode, ...(monitor === null ? {} : { monitor }), ...(signal === null ? {} : { signal }) }
    return [
      { name: 'dead units', tries: [(model) => pruned(model, { dead: true, x })] },
      {
        name: 'fewer units',
        tries: [1, 0.5].map(
          (part) => (model) => pruned(model, { ...limits, x, y, maxLoss: part * maxLoss, ranking: 'global' }),
        ),
      },
      { name: 'low rank', tries: [0.8, 0.9, 0.97].map((energy) => (model) => lowRank(model, { energy })) },
      { name: 'int8', tries: [(model) => quantize(model)] },
    ]
  }

  /** The first try of a step that pays on top of a model; null if none does. */
  private async attempt(
    { name, tries }: Step<Kind>,
    first: Candidate<Kind>,
    on: Candidate<Kind>,
  ): Promise<Candidate<Kind> | null> {
    const row = { step: name, how: on === first ? ('alone' as const) : ('together' as const) }
    let last: Attempt<Kind> | null = null
    for (const make of tries) {
      const model = await this.made(() => make(on.model))
      if (typeof model === 'string') {
        last ??= { ...row, why: model, gains: [], base: null, figures: null, speed: null, interval: null, made: null }
        break
      }
      const [base, candidate] = await this.measuredInTurn(on, { model, from: on })
      const why = this.whyNot(first, base, candidate)
      const speed = speedup(base.timing, candidate.timing)
      last = {
        ...row,
        why,
        gains: why === null ? gainsOf(speed, candidate.bytes / base.bytes, this.settings.minGain) : [],
        base: figuresOf(base),
        figures: figuresOf(candidate),
        speed: speed.median,
        interval: [speed.low, speed.high],
        made: why === null ? candidate : null,
      }
      if (why === null) break
      model.dispose()
    }
    this.attempts.push(last!)
    return last!.made
  }

  /** The model of a step, or why there is none. */
  private async made(make: () => Kind | Promise<Kind>): Promise<Kind | string> {
    try {
      return await make()
    } catch (error) {
      if (!(error instanceof MyelinError)) throw error
      return error.message.replace(/^\w+: /, '')
    }
  }

  /** Why a step does not pay; null if it does. */
  private whyNot(first: Candidate<Kind>, base: Candidate<Kind>, candidate: Candidate<Kind>): string | null {
    const { minGain, maxLoss } = this.settings
    const lost = candidate.quality.cost - first.quality.cost
    // 5e-7 allows for rounding.
    if (lost > maxLoss + 5e-7)
      return `${first.quality.name} gets worse by ${lost.toPrecision(2)} on rows kept apart; maxLoss is ${maxLoss}`
    return whyNoGain(speedup(base.timing, candidate.timing), candidate.bytes / base.bytes, minGain)
  }

  private async measuredAlone(model: Unmeasured<Kind>): Promise<Candidate<Kind>> {
    const [candidate] = await this.measured([model])
    return candidate!
  }

  private async measuredInTurn(
    one: Unmeasured<Kind>,
    other: Unmeasured<Kind>,
  ): Promise<readonly [Candidate<Kind>, Candidate<Kind>]> {
    const [first, second] = await this.measured([one, other])
    return [first!, second!]
  }

  /** Models with their figures, timed in turn. */
  private async measured(
    models: readonly Unmeasured<Kind>[],
    { x, y } = this.parts.judge,
  ): Promise<readonly Candidate<Kind>[]> {
    const { seconds, signal } = this.settings
    const runs = models.map(({ model }) => predictionOf(model, this.rows))
    const timings = await timedInTurn(runs, seconds, signal)
    const candidates: Candidate<Kind>[] = []
    for (const [i, { model, from }] of models.entries()) {
      const logs = await evaluated(model, x, y)
      const { length } = await model.save(undefined, { includeOptimizer: false })
      candidates.push({ model, from, timing: timings[i]!, bytes: length, quality: monitored(logs, this.monitor) })
    }
    return candidates
  }
}

type Unmeasured<Kind> = Pick<Candidate<Kind>, 'model' | 'from'>

function predictionOf(model: CheckingModel, rows: Tree<Tensor>): () => unknown {
  return () => model.predictOnBatch(rows)
}

function evaluated(model: CheckingModel, x: unknown, y: unknown): Promise<Logs> {
  return model.evaluate(x, y)
}

const readEconomize = (options: object) => readOptions('economize', economizeOptions(), options)

function figuresOf({ timing, bytes, quality }: Candidate<unknown>): EconomizeFigures {
  return {
    seconds: timing.seconds,
    joules: timing.joules,
    bytes,
    value: quality.value,
  }
}
