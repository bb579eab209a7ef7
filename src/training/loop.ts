// The loop of fit: epochs, steps, validation, callbacks, and yielding to the event loop.

import { warn } from '../core/warnings'
import { ArgumentError, DataError, NonFiniteError } from '../core/errors'
import { Pace, releaseAll } from '../data/samples/pace'
import { isPromise, type Soon } from '../data/samples/source'
import { withRuntime } from '../engine/runtime/current'
import type { Program } from '../engine/runtime/program'
import {
  listensTo,
  type CallbackMethods,
  type Interruption,
  type Logs,
  type RunPosition,
  type Run,
  type RunKeeper,
} from './callbacks/callback'
import { History } from './callbacks/history'
import { valName } from './callbacks/names'
import { progress, type ProgressBar } from './callbacks/progress'
import type { Compiled } from './compiled'
import { Listeners } from './listeners'
import type { FitSettings } from './options'
import type { Prepared } from './prepared'
import { ProbeSchedule } from './probes'
import type { RunLock } from './run-lock'
import { isWhole, stateAfter, type Runner } from './runner'
import type { TrainedModel } from './step'
import { runTest } from './test-loop'

export interface Training {
  readonly prepared: Prepared
  readonly runner: Runner
  readonly testing: Prepared
  readonly validation: Runner | null
  readonly options: FitSettings
  /** The lock of this run. */
  readonly lock: RunLock
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
  training.prepared.model.history = history
  try {
    await runLoop(new TrainingLoop(training, history), training)
  } finally {
    await releaseAll(signal, [() => runner.release(), () => validation?.release()])
  }
  return history
}

async function runLoop(loop: TrainingLoop, { prepared: { model }, options: { epochs } }: Training): Promise<void> {
  try {
    await loop.begin()
    const { epoch: first } = loop.place
    for (let epoch = first; epoch < epochs && !loop.isOver && !loop.isInterrupted; epoch++) {
      if (epoch > first && !(await loop.goesOn())) break
      await loop.runEpoch(epoch)
      if (model.stopTraining) break
    }
    await loop.end()
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
  private pace: Pace
  private readonly interruptions: readonly Interruption[]
  /** Ends the run: the user's signal, or one of those of callbacks. */
  private readonly signal: AbortSignal | null
  /** The number of steps of an epoch, if it is given. */
  private readonly mostSteps: number
  private step = 0
  private epoch: number
  /** Steps of this epoch. */
  private batch = 0
  /** Whether the resumed run was already stopped. */
  isOver = false
  /**
   * Whether the current epoch ends with validation: also if `stopTraining` ended it, but not if `stepsAhead` did.
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
    const {
      prepared: { model },
      lock,
      runner,
      options: { epochs, initialEpoch, stepsPerEpoch, callbacks, signal, verbose },
    } = training
    this.runner = runner
    this.epoch = initialEpoch
    this.mostSteps = stepsPerEpoch ?? Infinity
    this.progress = verbose === 0 ? null : progress.make()
    this.callbacks = [...callbacks, history]
    this.listeners = new Listeners(
      [...(this.progress === null ? [] : [this.progress]), ...this.callbacks],
      model,
      (event) => lock.listen(event),
    )
    this.keepers = callbacks.flatMap(({ keeper }) => keeper ?? [])
    this.perBatch = callbacks.some((each) => listensTo(each, 'onTrainBatchBegin', 'onTrainBatchEnd'))
    this.limiting = callbacks.filter(({ stepsAhead }) => stepsAhead !== undefined)
    this.pace = new Pace(signal)
    this.listeners.introduce({ epochs, steps: stepsPerEpoch ?? runner.steps, verbose })
    this.interruptions = callbacks.flatMap(({ interruption }) => interruption ?? [])
    this.signal = this.interruptions.reduce((all, each) => each.begin(all), signal)
  }

  get isInterrupted(): boolean {
    return this.interruptions.some(({ isOn }) => isOn)
  }

  get model(): TrainedModel {
    return this.training.prepared.model
  }

  get compiled(): Compiled {
    return this.training.prepared.compiled
  }

  get shuffleState(): Training['shuffleState'] {
    return this.training.shuffleState
  }

  get place(): RunPosition {
    const {
      epoch,
      batch,
      step,
      lastLogs,
      model: { stopTraining },
    } = this
    return { epoch, batch, step, stopped: stopTraining, logs: lastLogs }
  }

  set place({ epoch, batch, step, stopped, logs }: RunPosition) {
    // An epoch that resumes in the middle continues its pass.
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
    const { model, compiled } = this
    model.stopTraining = false
    this.listeners.hold()
    // Yields between three long tasks: checking the data, tracing, and the first step, whose code is not optimised yet.
    await this.pace.yield()
    this.runner.settle(compiled.runtime)
    // Variables of probes are created in the runtime of the weights.
    this.probes = withRuntime(
      compiled.runtime,
      () => new ProbeSchedule(this.callbacks.flatMap(({ probes = [] }) => probes)),
    )
    // Tracing comes before callbacks and resets, so that an error in a layer or loss changes nothing.
    await this.runner.upcoming(this.probes.at(0).probes)
    compiled.resetMetrics()
    await this.pace.yield()
    await this.tell((callback) => callback.onTrainBegin?.())
    for (const keeper of this.keepers) await this.training.lock.listen(() => keeper.takeUp(this))
    // Only now, because an interruption ends what has begun.
    this.pace = new Pace(this.signal)
  }

  /** Releases the callbacks. */
  release(): void {
    this.listeners.release()
    for (const each of this.interruptions) each.end()
  }

  /** The program of the next step, or null at the end of the pass. Stops waiting for a batch if the run is aborted. */
  private upcoming(probes?: Parameters<Runner['upcoming']>[0]): Soon<Program | null> {
    const upcoming = this.runner.upcoming(probes)
    return isPromise(upcoming) ? this.pace.wait(upcoming) : upcoming
  }

  /** Begins a pass over the data, unless the epoch continues the last pass, as with `stepsPerEpoch`. */
  private async beginPass(): Promise<void> {
    const { runner, shuffleState } = this
    // For a stream, only reading shows whether there is another batch.
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
    this.compiled.optimizer.finalize()
    if (!this.failed && !isWhole(this.model)) this.failNonFinite('the update of the weights')
    await this.tell((callback) => callback.onTrainEnd?.(this.lastLogs))
    this.history.collect(this.training.options.callbacks)
  }

  async runEpoch(epoch: number): Promise<void> {
    const { compiled } = this
    this.epoch = epoch
    // An epoch that resumes in the middle keeps its metrics, and does not call onEpochBegin of callbacks again.
    if (this.batch > 0) this.progress?.onEpochBegin(epoch)
    else {
      await this.tell((callback) => callback.onEpochBegin?.(epoch))
      compiled.resetMetrics()
    }
    let logs: Logs | null = null
    try {
      await this.beginPass()
      this.isBegun = false
      await this.runBatches()
      logs = this.logs
      if (this.validates) await this.validate(epoch, logs)
    } catch (error) {
      if (!this.isInterrupted || error !== this.signal?.reason) throw error
      // The run may be resumed here. A validation has changed the metrics: then at an earlier step.
      if (logs === null && this.batch > 0) await this.keep()
      logs ??= this.logs
    }
    // A callback may have ended training before the first step: then there are no results.
    if (this.batch === 0) return
    this.lastLogs = logs
    this.progress?.took(this.batch)
    await this.tell((callback) => callback.onEpochEnd?.(epoch, logs))
    this.epoch++
    this.batch = 0
    if (this.isInterrupted) return
    await this.keep()
    this.training.options.signal?.throwIfAborted()
  }

  /** The results of the steps since the epoch began. */
  private get logs(): Logs {
    const { logs } = this.training.prepared
    return this.failed ? { ...logs, loss: NaN } : logs
  }

  private async runBatches(): Promise<void> {
    const { model, runner, mostSteps, signal } = this
    this.validates = false
    this.failed = false
    let hasEnded = false
    while (this.batch < mostSteps) {
      const { batch } = this
      const { probes, length } = this.probes.at(this.step)
      const upcoming = this.upcoming(probes)
      const program = isPromise(upcoming) ? await upcoming : upcoming
      hasEnded = program === null
      // stopTraining is checked after `upcoming`, which finds out whether the last batch was the end of the data.
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
      signal?.throwIfAborted()
      if (this.pace.isDue(steps)) await this.pace.yield()
      const { now } = this.pace
      if (this.progress?.due(now) === true) this.progress.paint(this.batch, this.training.prepared.logs, now)
    }
    if (this.batch === 0) throw new DataError('fit: the data have no batches')
    if (hasEnded && mostSteps < Infinity) this.warnOfEnd(this.batch)
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
    warn(
      `fit: the data ended after ${batch} steps, before the ${this.mostSteps} of stepsPerEpoch. Use repeat() to read them again.`,
    )
  }

  /** The number of steps that may run; 0 ends training. */
  private stepsAhead({ graph }: Program): number {
    const next = { graph, done: this.step }
    const answers = this.limiting.map((callback) => callback.stepsAhead!(next))
    for (const answer of answers as readonly unknown[]) {
      if (typeof answer !== 'number' || !(answer >= 0))
        throw new ArgumentError(`stepsAhead of a callback must return a number ≥ 0, received ${String(answer)}`)
    }
    const allowed = Math.min(...answers)
    if (allowed < 1) this.training.prepared.model.stopTraining = true
    return Math.floor(allowed)
  }

  private async tellBatch(batch: number): Promise<void> {
    const logs = this.training.prepared.logs
    await this.tell((callback) => callback.onTrainBatchEnd?.(batch, logs))
  }

  private failNonFinite(instruction: string): void {
    const message = `Training produced a value that is not finite at step ${this.step}: ${instruction}. ${stateAfter(this.model)} Common causes: a learning rate that is too high, inputs that are not scaled, a logarithm or division at 0.`
    const quiet = this.callbacks.filter(({ onNonFinite }) => onNonFinite !== undefined)
    const error = new NonFiniteError(message, this.step, instruction)
    if (quiet.length === 0) throw error
    this.failed = true
    for (const callback of quiet) callback.onNonFinite!(error)
  }

  /** Whether all callbacks allow a pass of validation. */
  private async allowsTest(validation: Runner): Promise<boolean> {
    const asked = this.callbacks.filter((callback) => callback.allowsTest !== undefined)
    if (asked.length === 0) return true
    const upcoming = validation.upcoming()
    const program = isPromise(upcoming) ? await this.pace.wait(upcoming) : upcoming
    // Without a batch, the validation reports that there is none.
    if (program === null) return true
    const most = this.training.options.validationSteps
    const steps =
      most === null || validation.steps === null ? (most ?? validation.steps) : Math.min(most, validation.steps)
    const next = { graph: program.graph, steps, done: this.step }
    return asked.every((callback) => callback.allowsTest!(next))
  }

  private async validate(epoch: number, logs: Logs): Promise<void> {
    const {
      testing,
      validation,
      options: { validationFreq, validationSteps },
    } = this.training
    const isDue =
      typeof validationFreq === 'number' ? (epoch + 1) % validationFreq === 0 : validationFreq.includes(epoch + 1)
    if (validation === null || !isDue) return
    await validation.begin(null)
    if (!(await this.allowsTest(validation))) {
      this.model.stopTraining = true
      return
    }
    await this.tell((callback) => callback.onTestBegin?.())
    const results = await runTest(testing, validation, validationSteps, this.listeners, this.signal)
    await this.tell((callback) => callback.onTestEnd?.(results))
    for (const [name, value] of Object.entries(results)) logs[valName(name)] = value
  }
}
