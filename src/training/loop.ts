// The loops of fit and evaluate: epochs, batches, validation, callbacks, and giving the event loop its turns.

import { ArgumentError, NonFiniteError } from '../core/errors'
import { permute } from '../core/permute'
import type { ClassWeight, DataOf, Dataset, SampleWeights, TargetsOf } from '../data/arrays'
import { RowSource, makeResident, orderKey, tensorsOf } from '../data/arrays'
import type { Tensor } from '../ops/tensor'
import type { Program } from '../runtime/program'
import type { ResidentRows } from '../runtime/rows'
import type { Runtime } from '../runtime/runtime'
import { withRuntime } from '../runtime/runtime'
import { StepLoop } from '../runtime/step-loop'
import type { CallbackMethods, FitParams, Logs } from './callbacks'
import { Callback, History, TerminateOnNaN } from './callbacks'
import { ProgressBar } from './callbacks/progress'
import type { Compiled } from './compiled'
import { GRADIENT_LIMIT } from '../optimizers/limits'
import { Pace } from './pace'
import type { Probe } from './probes'
import { ProbeSchedule, probesKey } from './probes'
import type { RunLock } from './run-lock'
import type { TrainedModel } from './step'
import type { StepKind } from './batch'
import type { BatchTypes, Steps } from './steps'

/** Validation samples: [x, y] or [x, y, sampleWeight]. */
export type ValidationData<In = Tensor, Out = Tensor> =
  | readonly [DataOf<In>, TargetsOf<Out>]
  | readonly [DataOf<In>, TargetsOf<Out>, SampleWeights]

export interface FitOptions<In = Tensor, Out = Tensor> {
  /** Samples per step. Default 32. */
  batchSize?: number
  /** The number of the epoch at which training ends. Default 1. */
  epochs?: number
  /** 0 silent, 1 a progress bar, 2 a line per epoch. Default 1. */
  verbose?: 0 | 1 | 2
  callbacks?: readonly CallbackMethods[]
  /** The last part of the data, as a fraction, kept apart for validation. */
  validationSplit?: number
  validationData?: ValidationData<In, Out>
  /** Every how many epochs to validate. Default 1. */
  validationFreq?: number
  validationBatchSize?: number
  /** Draw the samples of each epoch in a new order. Default true. */
  shuffle?: boolean
  classWeight?: ClassWeight
  /** One weight per sample, or for each step of a sequence; for each output where there are several. */
  sampleWeight?: SampleWeights | null
  /** The epoch to start at, for resuming. Default 0. */
  initialEpoch?: number
  /** Ends training after the current step; fit then rejects with the signal's reason. */
  signal?: AbortSignal
}

/** The names of FitOptions. */
export const FIT_OPTIONS: readonly (keyof FitOptions)[] = [
  'batchSize', 'epochs', 'verbose', 'callbacks', 'validationSplit', 'validationData', 'validationFreq',
  'validationBatchSize', 'shuffle', 'classWeight', 'sampleWeight', 'initialEpoch', 'signal',
]

export interface EvaluateOptions {
  /** Samples per step. Default 32. */
  batchSize?: number
  sampleWeight?: SampleWeights | null
  /** 0 silent, 1 and 2 a line with the result. Default 0. */
  verbose?: 0 | 1 | 2
  signal?: AbortSignal
}

/** Runs one kind of step over the rows of a data set. */
export class BatchRunner {
  private readonly sources: readonly RowSource[]
  /** By the number of rows and the probes. */
  private readonly programs = new Map<number | string, Program>()
  private readonly types: (count: number) => BatchTypes
  private readonly loops = new Map<Program, StepLoop | null>()
  private resident: ResidentRows | null = null
  private isShuffled = false
  /** Where the rows are not resident. */
  private order: Int32Array | null = null

  constructor(
    private readonly dataset: Dataset,
    private readonly steps: Steps,
    private readonly make: (types: BatchTypes, probes: readonly Probe[]) => Program,
  ) {
    this.sources = tensorsOf(dataset).map((tensor) => new RowSource(tensor))
    this.types = (count) => typesOf(dataset, count)
  }

  /** The program for a number of rows, compiled the first time. */
  program(count: number, probes: readonly Probe[] = []): Program {
    // Steps without probes are many, and each asks.
    const key = probes.length === 0 ? count : `${count}${probesKey(probes)}`
    let program = this.programs.get(key)
    if (program === undefined) {
      program = this.make(this.types(count), probes)
      this.steps.hold(program)
      this.programs.set(key, program)
    }
    return program
  }

  /** Copies the data set to linear memory if that makes drawing rows faster; until release(). */
  settle(runtime: Runtime): void {
    try {
      this.resident = makeResident(runtime, this.dataset)
    } catch (error) {
      // No memory for a copy: then JavaScript draws the rows.
      if (!(error instanceof ArgumentError)) throw error
    }
  }

  release(): void {
    for (const loop of this.loops.values()) loop?.dispose()
    this.loops.clear()
    this.resident?.dispose()
    this.resident = null
    for (const program of this.programs.values()) this.steps.release(program)
    this.programs.clear()
  }

  /** Draws the order of rows for the runs to come. Before the first call they are taken as they are. */
  shuffle(seed: number, epoch: number): void {
    const { resident, dataset: { size } } = this
    const key = orderKey(seed, epoch)
    this.isShuffled = true
    if (resident !== null) return resident.shuffle(key)
    this.order ??= new Int32Array(size)
    permute(this.order, size, key)
  }

  private load(program: Program, start: number, count: number): void {
    const { order, resident, sources } = this
    if (resident !== null && this.isShuffled) resident.load(program, start, count)
    else for (let i = 0; i < sources.length; i++) sources[i]!.fill(program.parameter(i), order, start, count)
  }

  /** One step over count rows, from place `start` in the order. false when a value was not finite; then nothing was updated. */
  run(start: number, count: number, program = this.program(count)): boolean {
    this.load(program, start, count)
    return program.run()
  }

  /**
   * Up to `most` steps over count rows each, from place `start` in the order: all of them in one call of the engine where
   * the rows lie in linear memory and one thread works.
   * @returns how many ran, and whether all their values were finite; where not, the last of them updated nothing
   */
  runSome(start: number, count: number, most: number, probes: readonly Probe[]): { readonly steps: number; readonly finite: boolean } {
    const program = this.program(count, probes)
    const loop = this.loop(program, count)
    if (loop === null) return { steps: 1, finite: this.run(start, count, program) }
    const done = loop.run(start, most)
    return { steps: Math.min(done + 1, most), finite: done === most }
  }

  /** null where each step is a call of its own. */
  private loop(program: Program, count: number): StepLoop | null {
    const known = this.loops.get(program)
    if (known !== undefined) return known
    const { resident } = this
    const loops = resident !== null && this.isShuffled && program.instructionWords() !== null
    const loop = loops ? new StepLoop(resident, program, count) : null
    this.loops.set(program, loop)
    return loop
  }

  /** What was not finite in a step that failed, by running it again. */
  diagnose(start: number, count: number): string {
    const program = this.program(count)
    this.load(program, start, count)
    return whatFailed(program)
  }
}

/** What ended the last run of a program early, by running it again on the same parameters. */
export function whatFailed(program: Program): string {
  return program.findNonFinite() ?? `a gradient above ${GRADIENT_LIMIT.toExponential(1)}, whose square float32 cannot hold`
}

/** The types of a batch of `count` rows. */
export function typesOf({ x, inputs, y, targets, weights }: Dataset, count: number): BatchTypes {
  const rows = ({ dtype, shape }: Tensor) => ({ dtype, shape: [count, ...shape.slice(1)] })
  return {
    x,
    inputs: inputs.map(rows),
    y,
    targets: targets.map((target) => target && rows(target)),
    weights: weights.map((weight) => weight && rows(weight)),
  }
}

/** The results of the loss and all metrics, by name, and what the last step of this kind returned. */
export function readLogs(kind: StepKind, steps: Steps, compiled: Compiled): Logs {
  const { names } = compiled
  const logs: Record<string, number> = {}
  const values = names.length === 0 ? [] : compiled.resultsNow()
  if (values !== null) for (let i = 0; i < names.length; i++) logs[names[i]!] = values[i]!
  else readResults(steps.results(compiled), names, logs)
  for (const [name, variable] of compiled.stepLogs(kind)) logs[name] = variable.view[0]!
  return logs as Logs
}

/** A metric with several thresholds gives several numbers: `precision_0`, `precision_1`. */
function readResults(program: Program, names: readonly string[], logs: Record<string, number>): void {
  program.run()
  names.forEach((name, i) => {
    const result = program.output(i)
    if (result.length === 1) logs[name] = result[0]!
    else result.forEach((value, each) => (logs[`${name}_${each}`] = value))
  })
}

export function requireCount(name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value
  throw new ArgumentError(`${name} must be an integer ≥ ${least}, received ${value}`)
}

/** Runs test steps over a whole data set. */
export async function evaluateDataset(
  steps: Steps,
  compiled: Compiled,
  dataset: Dataset,
  batchSize: number,
  signal?: AbortSignal,
): Promise<Logs> {
  const runner = new BatchRunner(dataset, steps, (types) => steps.test(compiled, types))
  const pace = new Pace(signal)
  signal?.throwIfAborted()
  try {
    runner.program(Math.min(batchSize, dataset.size))
    compiled.resetMetrics()
    for (let start = 0; start < dataset.size; start += batchSize) {
      runner.run(start, Math.min(batchSize, dataset.size - start))
      if (pace.isDue()) await pace.yield()
    }
    return readLogs('test', steps, compiled)
  } finally {
    runner.release()
  }
}

export interface Training {
  readonly model: TrainedModel
  /** Of this run. */
  readonly lock: RunLock
  readonly steps: Steps
  readonly compiled: Compiled
  readonly dataset: Dataset
  readonly validation: Dataset | null
  readonly options: FitOptions
  /** The seed of this epoch's order; asked once per epoch. */
  nextShuffle(): { seed: number; epoch: number }
}

/** The training loop. */
export async function runTraining(training: Training): Promise<History> {
  const { epochs = 1, initialEpoch = 0 } = training.options
  const history = new History()
  const loop = new TrainingLoop(training, history)
  try {
    await loop.begin()
    for (let epoch = initialEpoch; epoch < epochs; epoch++) {
      if (epoch > initialEpoch && !loop.goesOn) break
      await loop.runEpoch(epoch)
      if (training.model.stopTraining) break
    }
    await loop.end()
    history.footprint = (training.options.callbacks ?? []).find(({ footprint }) => footprint != null)?.footprint ?? null
  } finally {
    loop.release()
  }
  return history
}

/** Callbacks whose fit is running, and of which model. */
const inUse = new WeakMap<CallbackMethods, TrainedModel>()

/** @throws ArgumentError for a Callback that a running fit has, or that is given twice: it knows one model at a time */
function requireFree(callbacks: readonly CallbackMethods[]): void {
  for (const [i, callback] of callbacks.entries()) {
    if (!(callback instanceof Callback)) continue
    const { name } = callback.constructor
    if (callbacks.indexOf(callback) < i) throw new ArgumentError(`callbacks: the same ${name} is there twice`)
    const user = inUse.get(callback)
    if (user !== undefined) throw new ArgumentError(`callbacks: this ${name} is in use by the fit of ${user}, which is running. Make one for each fit.`)
  }
}

type Event = (callback: CallbackMethods) => void | Promise<void>

class TrainingLoop {
  private readonly callbacks: readonly CallbackMethods[]
  private readonly progress: ProgressBar | null
  private readonly perBatch: boolean
  /** Those who say how many steps may run. */
  private readonly limiting: readonly CallbackMethods[]
  private readonly runner: BatchRunner
  private probes = new ProbeSchedule([])
  private readonly batchSize: number
  private readonly pace: Pace
  private readonly shuffles: boolean
  private step = 0
  /** Whether the running epoch took all its batches. */
  private completed = false
  private lastLogs: Logs | null = null

  constructor(
    private readonly training: Training,
    private readonly history: History,
  ) {
    const { model, steps, compiled, dataset, options } = training
    const { batchSize = 32, epochs = 1, verbose = 1, shuffle = true, callbacks = [], signal } = options
    this.batchSize = batchSize
    this.shuffles = shuffle
    this.progress = verbose === 0 ? null : new ProgressBar()
    this.callbacks = [...(this.progress === null ? [] : [this.progress]), ...callbacks, history]
    requireFree(callbacks)
    this.perBatch = callbacks.some((each) => each.onTrainBatchBegin !== undefined || each.onTrainBatchEnd !== undefined)
    this.limiting = callbacks.filter(({ stepsAhead }) => stepsAhead !== undefined)
    this.runner = new BatchRunner(dataset, steps, (types, probes) => steps.train(compiled, types, probes))
    this.pace = new Pace(signal)
    const params: FitParams = { epochs, steps: Math.ceil(dataset.size / batchSize), verbose }
    for (const callback of this.callbacks) {
      callback.setModel?.(model)
      callback.setParams?.(params)
    }
  }

  /**
   * Tells all listeners, one after the other; meanwhile they may use the model. Most answer at once, and then there is
   * nothing to wait for.
   */
  private tell(event: Event, first = 0): Promise<void> | undefined {
    const { lock } = this.training
    // They may take any time.
    this.pace.lookNext()
    for (let i = first; i < this.callbacks.length; i++) {
      const answer = lock.listen(() => event(this.callbacks[i]!))
      if (answer !== undefined) return answer.then(() => this.tell(event, i + 1))
    }
    return undefined
  }

  async begin(): Promise<void> {
    const { model, compiled } = this.training
    model.stopTraining = false
    for (const callback of this.callbacks) inUse.set(callback, model)
    // Checking the data was a task; tracing is the next one, and the first step, in code that is not optimised yet,
    // another.
    await this.pace.yield()
    if (this.shuffles) this.runner.settle(compiled.runtime)
    // What probes keep is made where the weights are.
    this.probes = withRuntime(compiled.runtime, () => new ProbeSchedule(this.callbacks.flatMap(({ probes = [] }) => probes)))
    // Traced before anything is told or reset, so that an error in a layer or loss leaves no trace.
    this.runner.program(Math.min(this.batchSize, this.training.dataset.size), this.probes.at(0).probes)
    compiled.resetMetrics()
    await this.pace.yield()
    await this.tell((callback) => callback.onTrainBegin?.())
  }

  release(): void {
    for (const callback of this.callbacks) inUse.delete(callback)
    this.runner.release()
  }

  /** Whether those who limit the steps allow another epoch. */
  get goesOn(): boolean {
    const { batchSize, limiting, runner, training: { dataset } } = this
    return limiting.length === 0 || this.stepsAhead(runner.program(Math.min(batchSize, dataset.size))) >= 1
  }

  async end(): Promise<void> {
    this.training.compiled.optimizer.finalize()
    await this.tell((callback) => callback.onTrainEnd?.(this.lastLogs))
    for (const { health } of this.training.options.callbacks ?? []) if (health !== undefined) this.history.health.push(...health)
  }

  async runEpoch(epoch: number): Promise<void> {
    const { steps, compiled } = this.training
    await this.tell((callback) => callback.onEpochBegin?.(epoch))
    compiled.resetMetrics()
    const { seed, epoch: draw } = this.training.nextShuffle()
    if (this.shuffles) this.runner.shuffle(seed, draw)
    await this.runBatches()
    const logs = readLogs('train', steps, compiled)
    if (this.completed) await this.validate(epoch, logs)
    this.lastLogs = logs
    await this.tell((callback) => callback.onEpochEnd?.(epoch, logs))
    this.training.options.signal?.throwIfAborted()
  }

  private async runBatches(): Promise<void> {
    const { model, dataset, options } = this.training
    const { batchSize, runner } = this
    this.completed = false
    const { size } = dataset
    let batch = 0
    for (let start = 0; start < size; start = batch * batchSize) {
      if (this.perBatch) await this.tell((callback) => callback.onTrainBatchBegin?.(batch))
      const count = Math.min(batchSize, size - start)
      const { probes, length } = this.probes.at(this.step)
      const allowed = this.limiting.length === 0 ? Infinity : this.stepsAhead(runner.program(count, probes))
      if (allowed < 1) return
      const most = this.perBatch || count < batchSize ? 1 : Math.min(length, allowed, this.pace.ahead, Math.floor((size - start) / batchSize))
      const { steps, finite } = runner.runSome(start, count, most, probes)
      this.step += steps
      batch += steps
      if (!finite) return this.failNonFinite(runner.diagnose((batch - 1) * batchSize, count))
      for (const probe of probes) probe.afterStep?.(this.step - 1)
      if (this.perBatch) await this.tellBatch(batch - 1)
      // A callback may have aborted between two turns of the event loop.
      options.signal?.throwIfAborted()
      if (this.pace.isDue(steps)) await this.pace.yield()
      const { now } = this.pace
      if (this.progress?.due(now) === true) this.progress.paint(batch, readLogs('train', this.training.steps, this.training.compiled), now)
      if (model.stopTraining && batch * batchSize < size) return
    }
    this.completed = true
  }

  /** How many steps may run; 0 ends training. */
  private stepsAhead({ graph }: Program): number {
    const next = { graph, done: this.step }
    const answers = this.limiting.map((callback) => callback.stepsAhead!(next))
    for (const answer of answers as readonly unknown[]) {
      if (typeof answer !== 'number' || !(answer >= 0)) throw new ArgumentError(`stepsAhead of a callback must give a number ≥ 0, received ${String(answer)}`)
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
    const quiet = this.callbacks.filter((callback) => callback instanceof TerminateOnNaN)
    if (quiet.length === 0) throw new NonFiniteError(message, this.step, instruction)
    for (const callback of quiet) callback.onNonFinite(message)
  }

  private async validate(epoch: number, logs: Logs): Promise<void> {
    const { steps, compiled, validation, options } = this.training
    const { validationFreq = 1, validationBatchSize = this.batchSize, signal } = options
    if (validation === null || (epoch + 1) % validationFreq !== 0) return
    await this.tell((callback) => callback.onTestBegin?.())
    const results = await evaluateDataset(steps, compiled, validation, validationBatchSize, signal)
    await this.tell((callback) => callback.onTestEnd?.(results))
    for (const [name, value] of Object.entries(results)) logs[`val${name.charAt(0).toUpperCase()}${name.slice(1)}`] = value
  }
}
