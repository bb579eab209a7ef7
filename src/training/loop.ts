// The loop of fit: epochs, steps, validation, and yielding to the event loop. What it asks of callbacks is in fit-callbacks.ts, the
// order of passes over the data in passes.ts.

import { DataError, NonFiniteError } from '../core/errors'
import { Pace, releaseAll } from '../data/samples/pace'
import { isPromise, type Soon } from '../core/soon'
import type { CellStorage } from '../engine/ir/graph'
import { withRuntime } from '../engine/runtime/current'
import type { Ran } from '../engine/runtime/accelerator'
import type { Program } from '../engine/runtime/program'
import type { CallbackMethods, Logs, NextTest, Run, RunPosition } from './callbacks/callback'
import { History } from './callbacks/history'
import { valName } from './callbacks/names'
import { FitCallbacks } from './fit-callbacks'
import type { FitSettings } from './options'
import { Passes, type ShuffleState } from './passes'
import type { Prepared } from './prepared'
import { ProbeSchedule } from './probes'
import type { RunLock } from './run-lock'
import { isWhole, stateAfter, type Runner } from './runner'
import { runTest } from './test-loop'

export interface Training {
  readonly prepared: Prepared
  readonly runner: Runner
  readonly testing: Prepared
  readonly validation: Runner | null
  readonly options: FitSettings
  /** The lock of this run. */
  readonly lock: RunLock
  readonly shuffleState: ShuffleState
}

/** The training loop. */
export async function runTraining(training: Training): Promise<History> {
  const {
    runner,
    validation,
    options: { signal, callbacks },
  } = training
  const history = new History()
  training.prepared.model.history = history
  try {
    await runLoop(new TrainingLoop(training, [...callbacks, history]), training)
    history.collect(callbacks)
  } finally {
    await releaseAll(signal, [() => runner.release(), () => validation?.release()])
  }
  return history
}

async function runLoop(loop: TrainingLoop, { prepared: { model }, options: { epochs } }: Training): Promise<void> {
  const { heard, at } = loop
  try {
    await loop.begin()
    const { epoch: first } = at
    for (let epoch = first; epoch < epochs && !at.isOver && !heard.isInterrupted; epoch++) {
      if (epoch > first && !(await loop.goesOn())) break
      await loop.runEpoch(epoch)
      if (model.stopTraining) break
    }
    await loop.end()
  } finally {
    heard.release()
    // Also after an abort, when nothing waits for `release`.
    await loop.training.runner.fetch()
  }
}

/** Where a run is. */
interface Progress {
  epoch: number
  /** Steps of this epoch. */
  batch: number
  /** Steps since fit began. */
  step: number
  /** The logs of the last epoch. */
  logs: Logs | null
  /** Whether the resumed run was already stopped. */
  isOver: boolean
  /** Whether a step of the epoch was not finite: then its loss is NaN, not the mean of the earlier steps. */
  failed: boolean
}

class TrainingLoop implements Run {
  readonly at: Progress
  readonly heard: FitCallbacks
  private readonly pace: Pace
  private readonly passes: Passes
  private probes = new ProbeSchedule([])

  constructor(
    readonly training: Training,
    readonly callbacks: readonly CallbackMethods[],
  ) {
    const { prepared, lock, runner, shuffleState, options } = training
    const { initialEpoch, stepsPerEpoch, signal } = options
    this.at = { epoch: initialEpoch, batch: 0, step: 0, logs: null, isOver: false, failed: false }
    this.pace = new Pace(signal)
    this.passes = new Passes(runner, shuffleState, this.pace, stepsPerEpoch)
    const steps = stepsPerEpoch ?? runner.steps
    this.heard = new FitCallbacks(callbacks, prepared.model, lock, this.pace, options, steps)
  }

  get isInterrupted(): boolean {
    return this.heard.isInterrupted
  }

  get place(): RunPosition {
    const { epoch, batch, step, logs } = this.at
    return { epoch, batch, step, stopped: this.training.prepared.model.stopTraining, logs }
  }

  set place({ epoch, batch, step, stopped, logs }: RunPosition) {
    Object.assign(this.at, { epoch, batch, step, logs, isOver: stopped && batch === 0 })
    this.passes.resumeAt(batch)
    this.training.prepared.model.stopTraining = stopped
  }

  async begin(): Promise<void> {
    const { heard, pace, training } = this
    const { model, compiled } = training.prepared
    model.stopTraining = false
    heard.listeners.hold()
    // Yields between three long tasks: checking the data, tracing, and the first step, whose code is not optimised yet.
    await pace.yield()
    // Variables of probes are created in the runtime of the weights.
    this.probes = withRuntime(
      compiled.runtime,
      () => new ProbeSchedule(this.callbacks.flatMap(({ probes = [] }) => probes)),
    )
    // Tracing comes before callbacks and resets, so that an error in a layer or loss changes nothing.
    await training.runner.upcoming(this.probes.at(0).probes)
    training.runner.settle(compiled.runtime)
    compiled.resetMetrics()
    await pace.yield()
    await heard.tell((callback) => callback.onTrainBegin?.())
    await heard.takeUp(this)
    // Only now, because an interruption ends what has begun.
    pace.restart(heard.signal)
  }

  /** Whether the callbacks that limit steps allow another epoch. */
  async goesOn(): Promise<boolean> {
    if (!this.heard.limitsSteps) return true
    await this.passes.begin()
    const program = await this.passes.upcoming()
    return program === null || this.stepsAhead(program) >= 1
  }

  async end(): Promise<void> {
    const { model, compiled } = this.training.prepared
    compiled.optimizer.finalize()
    if (!this.at.failed && !isWhole(model)) this.failNonFinite('the update of the weights')
    await this.heard.tell((callback) => callback.onTrainEnd?.(this.at.logs))
  }

  async runEpoch(epoch: number): Promise<void> {
    const { at, heard, passes, training } = this
    at.epoch = epoch
    // An epoch that resumes in the middle keeps its metrics, and does not call onEpochBegin of callbacks again.
    if (at.batch > 0) heard.progress?.onEpochBegin(epoch)
    else {
      await heard.tell((callback) => callback.onEpochBegin?.(epoch))
      training.prepared.compiled.resetMetrics()
    }
    let logs: Logs | null = null
    try {
      await passes.beginEpoch()
      const validates = await this.runBatches()
      logs = this.logs
      if (validates) await this.validate(epoch, logs)
    } catch (error) {
      if (!heard.isInterrupted || error !== heard.signal?.reason) throw error
      await this.fetch()
      // The run may be resumed here. A validation has changed the metrics: then at an earlier step.
      if (logs === null && at.batch > 0) await heard.keep(this)
      logs ??= this.logs
    }
    // A callback may have ended training before the first step: then there are no results.
    if (at.batch === 0) return
    at.logs = logs
    heard.progress?.took(at.batch)
    await heard.tell((callback) => callback.onEpochEnd?.(epoch, logs))
    at.epoch++
    at.batch = 0
    if (heard.isInterrupted) return
    await heard.keep(this)
    training.options.signal?.throwIfAborted()
  }

  /** The results of the steps since the epoch began. */
  private get logs(): Logs {
    const { logs } = this.training.prepared
    return this.at.failed ? { ...logs, loss: NaN } : logs
  }

  /**
   * Runs the steps of an epoch.
   * @returns whether the epoch ends with validation: also if `stopTraining` ended it, but not if `stepsAhead` did
   */
  private async runBatches(): Promise<boolean> {
    const { at, heard, pace, passes, training } = this
    const { model } = training.prepared
    at.failed = false
    let hasEnded = false
    let finite = true
    while (finite && at.batch < passes.mostSteps) {
      const { batch } = at
      const { probes, length } = this.probes.at(at.step)
      const upcoming = passes.upcoming(probes)
      const program = isPromise(upcoming) ? await upcoming : upcoming
      hasEnded = program === null
      // stopTraining is checked after `upcoming`, which finds out whether the last batch was the end of the data.
      if (program === null || (model.stopTraining && batch > 0)) break
      if (heard.perBatch) await heard.tell((callback) => callback.onTrainBatchBegin?.(batch))
      const allowed = heard.limitsSteps ? this.stepsAhead(program) : Infinity
      if (allowed < 1) {
        await this.fetch()
        return false
      }
      const untilKept = heard.stepsUntilKept(at.step)
      const { runner } = training
      // After an abort, one step runs before the run ends.
      const ahead = runner.isElsewhere && heard.signal?.aborted !== true ? Infinity : pace.ahead
      const most = heard.perBatch ? 1 : Math.min(length, allowed, ahead, untilKept, passes.mostSteps - batch)
      const running = runner.run(most, probes)
      const ran = isPromise(running) ? await running : running
      finite = this.took(ran)
      if (finite && probes.length > 0) finite = await this.fetch()
      if (!finite) break
      for (const probe of probes) probe.afterStep?.(at.step - 1)
      if (heard.perBatch && (finite = await this.fetch(heard.readsWeights ? undefined : this.logged))) {
        const { logs } = training.prepared
        await heard.tell((callback) => callback.onTrainBatchEnd?.(batch, logs))
      }
      if (heard.keepsAt(at.step) && (finite = await this.fetch())) await heard.keep(this, at.step)
      // A callback may have aborted between two turns of the event loop.
      heard.signal?.throwIfAborted()
      if (pace.isDue(ran.steps)) await pace.yield()
      if (heard.progress?.due(pace.now) === true && (finite = await this.fetch(this.logged)))
        heard.progress.paint(at.batch, training.prepared.logs, pace.now)
    }
    finite = (await this.fetch()) && finite
    if (!finite) this.failNonFinite(training.runner.diagnose())
    if (at.batch === 0) throw new DataError('fit: the data have no batches')
    if (hasEnded) passes.warnOfEnd(at.batch)
    return true
  }

  /** Counts steps. @returns whether they were finite */
  private took({ steps, finite }: Ran): boolean {
    this.at.step += steps
    this.at.batch += steps
    return finite
  }

  /**
   * Waits for steps on another device, and copies what they changed to linear memory.
   * @param storages only these
   * @returns whether all steps were finite
   */
  private fetch(storages?: Iterable<CellStorage>): Soon<boolean> {
    const ran = this.training.runner.fetch(storages)
    return isPromise(ran) ? ran.then((each) => this.took(each)) : true
  }

  /** The memory of the metrics. */
  private get logged(): Iterable<CellStorage> {
    return this.training.prepared.compiled.storages
  }

  /** The number of steps that may run; 0 ends training. */
  private stepsAhead({ graph }: Program): number {
    const allowed = this.heard.stepsAhead({ graph, done: this.at.step })
    if (allowed < 1) this.training.prepared.model.stopTraining = true
    return allowed
  }

  /** @throws NonFiniteError unless a callback takes care of it */
  private failNonFinite(instruction: string): void {
    const { step } = this.at
    const message = `Training produced a value that is not finite at step ${step}: ${instruction}. ${stateAfter(this.training.prepared.model)} Common causes: a learning rate that is too high, inputs that are not scaled, a logarithm or division at 0.`
    const error = new NonFiniteError(message, step, instruction)
    this.at.failed = true
    if (!this.heard.reportNonFinite(error)) throw error
  }

  private async validate(epoch: number, logs: Logs): Promise<void> {
    const { heard, training } = this
    const { testing, validation, options } = training
    const { validationFreq, validationSteps } = options
    const isDue =
      typeof validationFreq === 'number' ? (epoch + 1) % validationFreq === 0 : validationFreq.includes(epoch + 1)
    if (validation === null || !isDue) return
    await validation.begin(null)
    if (!(await heard.allowTest(() => this.nextTest(validation)))) {
      training.prepared.model.stopTraining = true
      return
    }
    await heard.tell((callback) => callback.onTestBegin?.())
    const results = await runTest(testing, validation, validationSteps, heard.listeners, heard.signal)
    await heard.tell((callback) => callback.onTestEnd?.(results))
    for (const [name, value] of Object.entries(results)) logs[valName(name)] = value
  }

  /** The validation that is about to run; null without a batch, which the validation reports. */
  private async nextTest(validation: Runner): Promise<NextTest | null> {
    const upcoming = validation.upcoming()
    const program = isPromise(upcoming) ? await this.pace.wait(upcoming) : upcoming
    if (program === null) return null
    const most = this.training.options.validationSteps ?? Infinity
    const steps = Math.min(most, validation.steps ?? Infinity)
    const isKnown = most < Infinity || validation.steps !== null
    return { graph: program.graph, steps: isKnown ? steps : null, done: this.at.step }
  }
}
