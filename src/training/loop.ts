// The loops of fit and evaluate: epochs, batches, validation, callbacks, and yielding to the event loop.

import { ArgumentError, DataError, NonFiniteError } from '../core/errors'
import type { ClassWeights, DataOf, SampleWeights, TargetsOf } from '../data/arrays'
import type { ElementsOrMaker, Soon } from '../data/source'
import { isPromise } from '../data/source'
import type { Tensor } from '../ops/tensor'
import type { Program } from '../runtime/program'
import { withRuntime } from '../runtime/current'
import type { CallbackMethods, Callbacks, Logs, Place, Run, RunKeeper } from './callbacks/callback'
import { History } from './callbacks/history'
import { valName } from './callbacks/names'
import { ProgressBar } from './callbacks/progress'
import type { Compiled } from './compiled'
import { Listeners } from './listeners'
import { Pace, letGo } from '../data/pace'
import { ProbeSchedule } from './probes'
import type { RunLock } from './run-lock'
import type { Runner } from './runner'
import type { TrainedModel } from './step'
import type { StepKind } from './batch'
import type { Steps } from './steps'

/** A batch as data sets and generators return it: only inputs, or with targets and weights, in a list or a record. */
export type BatchData<In = Tensor, Out = Tensor> =
  | DataOf<In>
  | readonly [x: DataOf<In>, y?: TargetsOf<Out> | null, sampleWeight?: SampleWeights | null]
  | { readonly x: DataOf<In>; readonly y?: TargetsOf<Out> | null; readonly sampleWeight?: SampleWeights | null }

/** A sequence of batches: a Dataset, an (async) iterable, a stream, or a function that creates one for every pass. */
export type Batches<In = Tensor, Out = Tensor> = ElementsOrMaker<BatchData<In, Out>>

/** Validation samples: [x, y] or [x, y, sampleWeight], or batches of them. */
export type ValidationData<In = Tensor, Out = Tensor> =
  | readonly [DataOf<In>, TargetsOf<Out>]
  | readonly [DataOf<In>, TargetsOf<Out>, SampleWeights]
  | Batches<In, Out>

/** 0 silent, 1 a progress bar, 2 a line per epoch; 'auto' is 1. */
export type Verbosity = 'auto' | 0 | 1 | 2

export interface FitOptions<In = Tensor, Out = Tensor> {
  /** Samples per step. Default 32. A sequence of batches has its own sizes. */
  batchSize?: number
  /** The number of the epoch at which training ends; 0 trains none. Default 1. */
  epochs?: number
  /** 0 silent, 1 a progress bar, 2 a line per epoch. Default 'auto': 1. */
  verbose?: Verbosity
  /**
   * Steps of an epoch. The next epoch continues where this one stopped; if the data end, so does the epoch. Default
   * null: until the data end. Required for endless data.
   */
  stepsPerEpoch?: number | null
  /** Callbacks whose methods are called between steps and epochs. Default none. */
  callbacks?: Callbacks
  /** The share of the data, taken from their end, that is used for validation. Excludes validationData. */
  validationSplit?: number
  /** Data to validate on: [x, y], [x, y, sampleWeight], or batches of them. */
  validationData?: ValidationData<In, Out>
  /**
   * The number of epochs between validations; or a list of the epochs after which to validate, counted from 1. Default
   * 1.
   */
  validationFreq?: number | readonly number[]
  /** Samples per step of validation. Default: batchSize. */
  validationBatchSize?: number
  /** The number of validation batches to use, from the first on. Default null: all. */
  validationSteps?: number | null
  /** Whether to draw the samples of each epoch in a new order. Default true. */
  shuffle?: boolean
  /**
   * Class number → weight ≥ 0, for targets with one class per sample; with several outputs, one such record for each,
   * by name or position. With `sampleWeight`, the two weights are multiplied; Keras refuses both together.
   */
  classWeight?: ClassWeights | null
  /** One weight per sample, or per step of a sequence; with several outputs, for all or for each. */
  sampleWeight?: SampleWeights | null
  /** The epoch to start at, for resuming. Default 0. */
  initialEpoch?: number
  /** Ends training after the current step, or while a batch is awaited; fit then rejects with the signal's reason. */
  signal?: AbortSignal
}

/** The names of FitOptions. */
export const FIT_OPTIONS: readonly (keyof FitOptions)[] = [
  'batchSize',
  'epochs',
  'verbose',
  'stepsPerEpoch',
  'callbacks',
  'validationSplit',
  'validationData',
  'validationFreq',
  'validationBatchSize',
  'validationSteps',
  'shuffle',
  'classWeight',
  'sampleWeight',
  'initialEpoch',
  'signal',
]

export interface EvaluateOptions extends Pick<FitOptions, 'sampleWeight'> {
  /** Samples per step. Default 32. */
  batchSize?: number
  /** The number of batches to use. Default null: all. */
  steps?: number | null
  /** 0 silent, otherwise a line with the result. Default 0. */
  verbose?: Verbosity
  /** Callbacks whose test methods are called. Default none. */
  callbacks?: Callbacks
  /** Ends it after the current step, or while a batch is awaited; evaluate then rejects with the signal's reason. */
  signal?: AbortSignal
}

/** The names of EvaluateOptions. */
export const EVALUATE_OPTIONS: readonly (keyof EvaluateOptions)[] = [
  'batchSize',
  'steps',
  'sampleWeight',
  'verbose',
  'callbacks',
  'signal',
]

/** The results of the loss and all metrics, by name, and the scalars that the last step of this kind returned. */
export function readLogs(kind: StepKind, steps: Steps, compiled: Compiled): Logs {
  const { names } = compiled
  const logs: Record<string, number> = {}
  const values = names.length === 0 ? [] : compiled.resultsNow()
  if (values !== null) for (let i = 0; i < names.length; i++) logs[names[i]!] = values[i]!
  else readResults(steps.results(compiled), names, logs)
  for (const [name, variable] of compiled.stepLogs(kind)) logs[name] = variable.view[0]!
  return logs as Logs
}

/**
 * A vector gives a log for each element: `precision_0`, `precision_1` for thresholds; `f1Score_0`, `f1Score_1` for
 * classes.
 */
function readResults(program: Program, names: readonly string[], logs: Record<string, number>): void {
  program.run()
  names.forEach((name, i) => {
    const result = program.output(i)
    if (result.length === 1) logs[name] = result[0]!
    else result.forEach((value, each) => (logs[`${name}_${each}`] = value))
  })
}

/**
 * Runs test steps over all samples, or over a number of batches. The runner is at its beginning. Callbacks are told of
 * the batches.
 */
export async function evaluateBatches(
  steps: Steps,
  compiled: Compiled,
  runner: Runner,
  most: number | null,
  listeners: Listeners,
  signal?: AbortSignal,
): Promise<Logs> {
  const pace = new Pace(signal)
  const perBatch = listeners.hear('onTestBatchBegin', 'onTestBatchEnd')
  signal?.throwIfAborted()
  let done = 0
  for (; done < (most ?? Infinity); done++) {
    const upcoming = runner.upcoming()
    const program = isPromise(upcoming) ? await pace.wait(upcoming) : upcoming
    if (program === null) break
    if (done === 0) compiled.resetMetrics()
    const batch = done
    if (perBatch) await listeners.tell((callback) => callback.onTestBatchBegin?.(batch))
    runner.run(1)
    if (perBatch) {
      const logs = readLogs('test', steps, compiled)
      await listeners.tell((callback) => callback.onTestBatchEnd?.(batch, logs))
    }
    if (pace.isDue()) await pace.yield()
  }
  if (done === 0) throw new DataError('There are no batches to evaluate')
  return readLogs('test', steps, compiled)
}

export interface Training {
  readonly model: TrainedModel
  /** The lock of this run. */
  readonly lock: RunLock
  readonly steps: Steps
  readonly compiled: Compiled
  readonly runner: Runner
  readonly validation: Runner | null
  readonly options: FitOptions & { readonly callbacks: readonly CallbackMethods[] }
  /** The seed of the order of rows, and the number of passes drawn from it. */
  readonly shuffleState: { seed: number; epoch: number }
}

/** The training loop. */
export async function runTraining(training: Training): Promise<History> {
  const {
    runner,
    validation,
    options: { signal },
  } = training
  const history = new History()
  try {
    await runLoop(new TrainingLoop(training, history), training, history)
  } finally {
    await letGo(signal, [() => runner.release(), () => validation?.release()])
  }
  return history
}

async function runLoop(
  loop: TrainingLoop,
  { model, options: { epochs = 1, callbacks } }: Training,
  history: History,
): Promise<void> {
  try {
    await loop.begin()
    const { epoch: first } = loop.place
    for (let epoch = first; epoch < epochs && !loop.isOver; epoch++) {
      if (epoch > first && !(await loop.goesOn())) break
      await loop.runEpoch(epoch)
      if (model.stopTraining) break
    }
    await loop.end()
    history.footprint = callbacks.find(({ footprint }) => footprint != null)?.footprint ?? null
  } finally {
    loop.release()
  }
}

class TrainingLoop implements Run {
  /** All callbacks except the progress bar. */
  readonly callbacks: readonly CallbackMethods[]
  private readonly listeners: Listeners
  private readonly keepers: readonly RunKeeper[]
  private readonly progress: ProgressBar | null
  private readonly perBatch: boolean
  /** The callbacks that limit the number of steps. */
  private readonly limiting: readonly CallbackMethods[]
  readonly runner: Runner
  private probes = new ProbeSchedule([])
  private readonly pace: Pace
  /** The number of steps of an epoch, if it is given. */
  private readonly mostSteps: number
  private step = 0
  private epoch: number
  /** Steps of this epoch. */
  private batch = 0
  /** Whether the run resumed where it had been stopped. */
  isOver = false
  /**
   * Whether the current epoch ends with validation: also if a callback stopped it, but not if no further step is
   * allowed.
   */
  private validates = false
  /** Whether a step of the epoch was not finite: then its loss is NaN, not the mean of the earlier steps. */
  private failed = false
  private lastLogs: Logs | null = null
  private warned = false
  /** Whether the pass of the next epoch has begun. */
  private isBegun = false

  constructor(
    private readonly training: Training,
    private readonly history: History,
  ) {
    const { model, lock, runner, options } = training
    const { epochs = 1, initialEpoch = 0, stepsPerEpoch, callbacks, signal } = options
    const verbose = levelOf(options.verbose ?? 'auto')
    this.runner = runner
    this.epoch = initialEpoch
    this.mostSteps = stepsPerEpoch ?? Infinity
    this.progress = verbose === 0 ? null : new ProgressBar()
    this.callbacks = [...callbacks, history]
    this.listeners = new Listeners(
      [...(this.progress === null ? [] : [this.progress]), ...this.callbacks],
      model,
      (event) => lock.listen(event),
    )
    this.keepers = callbacks.flatMap(({ keeper }) => keeper ?? [])
    this.perBatch = callbacks.some((each) => each.onTrainBatchBegin !== undefined || each.onTrainBatchEnd !== undefined)
    this.limiting = callbacks.filter(({ stepsAhead }) => stepsAhead !== undefined)
    this.pace = new Pace(signal)
    this.listeners.introduce({ epochs, steps: stepsPerEpoch ?? runner.steps, verbose })
  }

  get model(): TrainedModel {
    return this.training.model
  }

  get compiled(): Compiled {
    return this.training.compiled
  }

  get shuffleState(): Training['shuffleState'] {
    return this.training.shuffleState
  }

  get place(): Place {
    const {
      epoch,
      batch,
      step,
      lastLogs,
      model: { stopTraining },
    } = this
    return { epoch, batch, step, stopped: stopTraining, logs: lastLogs }
  }

  set place({ epoch, batch, step, stopped, logs }: Place) {
    // An epoch that resumes in the middle continues the pass that had begun.
    Object.assign(this, { epoch, batch, step, lastLogs: logs, isOver: stopped && batch === 0, isBegun: batch > 0 })
    this.model.stopTraining = stopped
  }

  private async keep(keepers = this.keepers): Promise<void> {
    for (const keeper of keepers) await this.training.lock.listen(() => keeper.keep(this))
    // The callbacks may have taken any time.
    this.pace.lookNext()
  }

  private tell(event: Parameters<Listeners['tell']>[0]): Promise<void> | undefined {
    // The callbacks may take any time.
    this.pace.lookNext()
    return this.listeners.tell(event)
  }

  async begin(): Promise<void> {
    const { model, compiled } = this.training
    model.stopTraining = false
    this.listeners.hold()
    // Checking the data was one task; tracing is another, and so is the first step, in code that is not optimised yet.
    await this.pace.yield()
    this.runner.settle(compiled.runtime)
    // Variables of probes are created in the runtime of the weights.
    this.probes = withRuntime(
      compiled.runtime,
      () => new ProbeSchedule(this.callbacks.flatMap(({ probes = [] }) => probes)),
    )
    // Traced before callbacks are called or anything is reset, so that an error in a layer or loss changes nothing.
    await this.runner.upcoming(this.probes.at(0).probes)
    compiled.resetMetrics()
    await this.pace.yield()
    await this.tell((callback) => callback.onTrainBegin?.())
    for (const keeper of this.keepers) await this.training.lock.listen(() => keeper.takeUp(this))
  }

  /** Releases the callbacks. */
  release(): void {
    this.listeners.release()
  }

  /** The program of the next step, or null; awaits the batch unless the run is aborted. */
  private upcoming(probes?: Parameters<Runner['upcoming']>[0]): Soon<Program | null> {
    const upcoming = this.runner.upcoming(probes)
    return isPromise(upcoming) ? this.pace.wait(upcoming) : upcoming
  }

  /** Begins a pass over the data, unless an epoch of a given number of steps continues the last one. */
  private async beginPass(): Promise<void> {
    const { runner, shuffleState } = this
    // Whether there is another batch may only be known after awaiting it.
    const isUnderWay =
      this.isBegun || (this.mostSteps < Infinity && runner.isWithin && (await this.upcoming()) !== null)
    this.isBegun = true
    if (!isUnderWay) await runner.begin({ seed: shuffleState.seed, epoch: shuffleState.epoch++ })
  }

  /** Whether the callbacks that limit steps allow another epoch. */
  async goesOn(): Promise<boolean> {
    if (this.limiting.length === 0) return true
    await this.beginPass()
    const program = await this.upcoming()
    return program === null || this.stepsAhead(program) >= 1
  }

  async end(): Promise<void> {
    this.training.compiled.optimizer.finalize()
    await this.tell((callback) => callback.onTrainEnd?.(this.lastLogs))
    for (const { health } of this.training.options.callbacks)
      if (health !== undefined) this.history.health.push(...health)
  }

  async runEpoch(epoch: number): Promise<void> {
    const { steps, compiled } = this.training
    this.epoch = epoch
    // An epoch that resumes in the middle has begun already, and its metrics are kept.
    if (this.batch > 0) this.progress?.onEpochBegin(epoch)
    else {
      await this.tell((callback) => callback.onEpochBegin?.(epoch))
      compiled.resetMetrics()
    }
    await this.beginPass()
    this.isBegun = false
    await this.runBatches()
    const logs = this.failed ? { ...readLogs('train', steps, compiled), loss: NaN } : readLogs('train', steps, compiled)
    if (this.validates) await this.validate(epoch, logs)
    this.lastLogs = logs
    await this.tell((callback) => callback.onEpochEnd?.(epoch, logs))
    this.epoch++
    this.batch = 0
    await this.keep()
    this.training.options.signal?.throwIfAborted()
  }

  private async runBatches(): Promise<void> {
    const { model, options } = this.training
    const { runner, mostSteps } = this
    this.validates = false
    this.failed = false
    let hasEnded = false
    while (this.batch < mostSteps) {
      const { batch } = this
      const { probes, length } = this.probes.at(this.step)
      const upcoming = this.upcoming(probes)
      const program = isPromise(upcoming) ? await upcoming : upcoming
      hasEnded = program === null
      // Checked only now, because training may end with the last batch.
      if (program === null || (model.stopTraining && batch > 0)) break
      if (this.perBatch) await this.tell((callback) => callback.onTrainBatchBegin?.(batch))
      const allowed = this.limiting.length === 0 ? Infinity : this.stepsAhead(program)
      if (allowed < 1) return
      const most = this.perBatch ? 1 : Math.min(length, allowed, this.pace.ahead, this.untilKept, mostSteps - batch)
      const { steps, finite } = runner.run(most, probes)
      this.step += steps
      this.batch += steps
      if (!finite) {
        this.failNonFinite(runner.diagnose())
        break
      }
      for (const probe of probes) probe.afterStep?.(this.step - 1)
      if (this.perBatch) await this.tellBatch(this.batch - 1)
      const keepers = this.keepers.filter(({ every }) => every !== null && this.step % every === 0)
      if (keepers.length > 0) await this.keep(keepers)
      // A callback may have aborted between two turns of the event loop.
      options.signal?.throwIfAborted()
      if (this.pace.isDue(steps)) await this.pace.yield()
      const { now } = this.pace
      if (this.progress?.due(now) === true)
        this.progress.paint(this.batch, readLogs('train', this.training.steps, this.training.compiled), now)
    }
    if (this.batch === 0) throw new DataError('fit: the data have no batches')
    if (hasEnded && mostSteps < Infinity) this.warnOfEnd(this.batch)
    this.progress?.took(this.batch)
    this.validates = true
  }

  /** The number of steps before the run is saved next. */
  private get untilKept(): number {
    return this.keepers.reduce(
      (least, { every }) => (every === null ? least : Math.min(least, every - (this.step % every))),
      Infinity,
    )
  }

  private warnOfEnd(batch: number): void {
    if (this.warned) return
    this.warned = true
    console.warn(
      `fit: the data ended after ${batch} of stepsPerEpoch ${this.mostSteps} steps. Use repeat() for data that begin again.`,
    )
  }

  /** The number of steps that may run; 0 ends training. */
  private stepsAhead({ graph }: Program): number {
    const next = { graph, done: this.step }
    const answers = this.limiting.map((callback) => callback.stepsAhead!(next))
    for (const answer of answers as readonly unknown[]) {
      if (typeof answer !== 'number' || !(answer >= 0))
        throw new ArgumentError(`stepsAhead of a callback must give a number ≥ 0, received ${String(answer)}`)
    }
    const allowed = Math.min(...answers)
    if (allowed < 1) this.training.model.stopTraining = true
    return Math.floor(allowed)
  }

  private async tellBatch(batch: number): Promise<void> {
    const logs = readLogs('train', this.training.steps, this.training.compiled)
    await this.tell((callback) => callback.onTrainBatchEnd?.(batch, logs))
  }

  private failNonFinite(instruction: string): void {
    const message = `Training met a value that is not finite at step ${this.step}: ${instruction}. The weights are those before this step. Common causes: a learning rate that is too high, inputs that are not scaled, a logarithm or division at 0.`
    const quiet = this.callbacks.filter(({ onNonFinite }) => onNonFinite !== undefined)
    if (quiet.length === 0) throw new NonFiniteError(message, this.step, instruction)
    this.failed = true
    for (const callback of quiet) callback.onNonFinite!(message)
  }

  private async validate(epoch: number, logs: Logs): Promise<void> {
    const { steps, compiled, validation, options } = this.training
    const { validationFreq = 1, validationSteps = null, signal } = options
    const isDue =
      typeof validationFreq === 'number' ? (epoch + 1) % validationFreq === 0 : validationFreq.includes(epoch + 1)
    if (validation === null || !isDue) return
    await this.tell((callback) => callback.onTestBegin?.())
    await validation.begin(null)
    const results = await evaluateBatches(steps, compiled, validation, validationSteps, this.listeners, signal)
    await this.tell((callback) => callback.onTestEnd?.(results))
    for (const [name, value] of Object.entries(results)) logs[valName(name)] = value
  }
}

/** The level of output: 'auto' is a progress bar. */
export function levelOf(verbose: Verbosity): 0 | 1 | 2 {
  return verbose === 'auto' ? 1 : verbose
}
