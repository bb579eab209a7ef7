// Trainer: compile, fit, evaluate and predict of one model. Checks what it is given, keeps the programs, and sees to it that
// one run goes on at a time. The loops are in loop.ts, what a step is in step.ts.

import type { DType, TensorData } from '../core/dtypes'
import { allocateData, dtypes } from '../core/dtypes'
import { ArgumentError, DataError, NonFiniteError, ShapeError, StateError, checkOptions, formatShape, quoted, restate, restating } from '../core/errors'
import type { CustomObjects } from '../core/registry'
import type { Shape, TensorType } from '../core/shapes'
import { sameShape } from '../core/shapes'
import type { Tree } from '../core/tree'
import { flatten, isBranch, structureOf, unflatten } from '../core/tree'
import type { Graph } from '../ir/graph'
import type { ClassWeights, Dataset, Layout, Readers, SampleWeights } from '../data/arrays'
import { isNamedData, RowSource, VALIDATION_NAMES, prepareDataset, prepareInputs, requireNumbers, splitValidation, tensorsOf, weighClasses } from '../data/arrays'
import type { ElementsOrMaker } from '../data/source'
import { END, isElements, isPromise, sourceOf } from '../data/source'
import { CallContext, withFrame } from '../layers/context'
import { TensorSpec } from '../layers/spec'
import type { Metric } from '../metrics/metric'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import { nextSeed } from '../ops/seed'
import type { StringReader } from '../ops/strings'
import { StringTensor, hearingReaders } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import { trace } from '../ops/trace'
import type { Variable } from '../ops/variable'
import { structure } from '../ops/variable'
import type { Program } from '../runtime/program'
import { withRuntime } from '../runtime/runtime'
import type { History, Logs } from './callbacks'
import type { CallbackMethods } from './callbacks/callback'
import { checkCallbacks } from './callbacks/callback'
import { formatLogs } from './callbacks/progress'
import type { CompileOptions } from './compiled'
import { Compiled } from './compiled'
import type { EvaluateOptions, FitOptions } from './loop'
import { FIT_OPTIONS, evaluateBatches, levelOf, readLogs, requireCount, runTraining } from './loop'
import { Listeners } from './listeners'
import { Pace, letGo } from './pace'
import type { MakeProgram, Runner } from './runner'
import { ArrayRunner, StreamRunner, load, typesOf, whatFailed } from './runner'
import { RunLock } from './run-lock'
import type { TrainedModel } from './step'
import { metricsWithin } from './step'
import type { Prediction } from './steps'
import { Steps } from './steps'

export interface PredictOptions {
  /** Samples per step. Default 32. */
  batchSize?: number
  /** How many batches are looked at. Default null: all. */
  steps?: number | null
  callbacks?: readonly CallbackMethods[]
  signal?: AbortSignal
}

export interface TrainOnBatchOptions {
  sampleWeight?: SampleWeights | null
  classWeight?: ClassWeights | null
}

interface LastPrediction {
  readonly shape: Shape
  readonly dtype: DType
  readonly program: Program
  readonly source: Steps
  /** Whether a layer looks at the data. */
  readonly isChecked: boolean
}

interface Layouts {
  readonly x: Layout
  readonly y: Layout
}

const UNKNOWN: Layout = { structure: null, names: [] }

function layoutsOf({ graph, buildSpec, takesOneInput, inputDtype }: TrainedModel): Layouts {
  if (graph === null) {
    const input = buildSpec ?? (takesOneInput ? new TensorSpec([null, null], inputDtype) : null)
    // What a class of one's own gives is known when it is called.
    return { x: { structure: input, names: [] }, y: UNKNOWN }
  }
  return {
    x: { structure: graph.inputSpecs as Tree<TensorSpec>, names: graph.inputNames },
    y: { structure: graph.outputSpecs as Tree<TensorSpec>, names: namesOfOutputs(graph.outputSpecs, graph.outputNames) },
  }
}

/** A step on one batch that was taken before: what has to be done to take it again. */
interface LastStep {
  readonly dataset: Dataset
  readonly program: Program
  readonly source: Steps
  readonly version: number
  readonly compiled: Compiled
  /** Of the runtime: another one where the weights were moved since. */
  readonly epoch: number
}

function sameTypes(a: readonly (Tensor | null)[], b: readonly (Tensor | null)[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i]!, b[i]!]
    if (left === right) continue
    if (left === null || right === null || left.dtype !== right.dtype || !sameShape(left.shape, right.shape)) return false
  }
  return true
}

export class Trainer {
  private compiled: Compiled | null = null
  private steps: Steps
  private stepsFor: readonly Variable[] | null = null
  private checkedVersion = -1
  private constants = structure.constants
  private readonly lock: RunLock
  /** The seed of the order of rows, and how many epochs were drawn from it. */
  readonly shuffleState = { seed: nextSeed(), epoch: 0 }
  private lastPrediction: LastPrediction | null = null

  constructor(private readonly model: TrainedModel) {
    this.steps = new Steps(model)
    this.lock = new RunLock(model)
  }

  /** What compile chose; null before. */
  get compiledState(): Compiled | null {
    return this.compiled
  }

  get metrics(): readonly Metric[] {
    return this.compiled?.all ?? metricsWithin(this.model)
  }

  compile(options: CompileOptions, customObjects: CustomObjects = {}): void {
    this.lock.requireIdle('compile')
    const { model } = this
    this.compiled = this.inOwnRuntime(
      () => new Compiled(options, () => this.layouts.y.names, () => metricsWithin(model), !model.hasOwnStep, customObjects),
    )
    this.resetPrograms()
  }

  /** What belongs to the model is made where its weights are, whatever configure() chose since. */
  private inOwnRuntime<Result>(body: () => Result): Result {
    const [weight] = this.model.weights
    return weight === undefined ? body() : withRuntime(weight.runtime, body)
  }

  /** Forgets the programs, because the layers changed. */
  resetPrograms(): void {
    this.steps.dispose()
    this.steps = new Steps(this.model)
    this.lastPrediction = null
    this.checkedVersion = -1
  }

  requireCompiled(method: string): Compiled {
    if (this.compiled !== null) return this.compiled
    throw new StateError(`${this.model}: call compile() before ${method}, for example model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })`)
  }

  private knownLayouts: { readonly of: object | null; readonly layouts: Layouts } | null = null

  /** How data is to be given. */
  private get layouts(): Layouts {
    const { graph, buildSpec } = this.model
    const of = graph ?? (buildSpec as object | null)
    // Before the model is built, a layer may still be put in front.
    if (of === null || this.knownLayouts?.of !== of) this.knownLayouts = { of, layouts: layoutsOf(this.model) }
    return this.knownLayouts.layouts
  }

  /**
   * Finds out what a class of one's own gives, from its first inputs.
   * @returns the same data; as tensors where it had to make some
   */
  private learnOutputs(x: unknown): unknown {
    const { model, layouts } = this
    if (model.graph !== null || model.hasOwnStep || layouts.y.structure !== null) return x
    const { x: form, inputs } = prepareInputs(layouts.x, x, 'x')
    this.prepare(form, inputs, true)
    const outputs = this.steps.outputSpecs(form, inputs)
    this.knownLayouts = { of: model.buildSpec, layouts: { x: this.layouts.x, y: { structure: outputs, names: namesOfOutputs(outputs, []) } } }
    return unflatten(form, inputs)
  }

  /** Builds for a batch of inputs, and checks that it fits. */
  private prepare(x: Tree<unknown>, inputs: readonly TensorType[], training = false): void {
    const { model } = this
    // A step of one's own decides itself what it calls with the data.
    if (!model.built && !(training && model.hasOwnStep)) model.ensureBuilt(unflatten(x, inputs.map(({ shape, dtype }) => new TensorSpec([null, ...shape.slice(1)], dtype))))
    model.checkInput(inputs)
    // A fit that is running goes on with its own programs.
    if ((this.lock.isBusy && !this.isPreparing) || this.checkedVersion === structure.version) return
    // A weight that was frozen or added since makes other programs.
    const weights = model.trainableWeights
    const known = this.stepsFor
    const isStale = this.constants !== structure.constants
    this.constants = structure.constants
    if (isStale || known === null || weights.length !== known.length || weights.some((weight, i) => weight !== known[i])) {
      if (known !== null || this.steps.programs.size > 0) this.resetPrograms()
      // Where a step of one's own makes the first weights, they are known after it.
      this.stepsFor = weights.length > 0 || model.built ? weights : null
    }
    this.checkedVersion = structure.version
  }

  /** Makes optimizer slots for the weights that are trained now, which moves the weights. */
  private buildOptimizer(compiled: Compiled): void {
    if (this.model.hasOwnStep) return
    const weights = this.stepsFor ?? this.model.trainableWeights
    if (compiled.optimizer.isBuiltFor(weights)) return
    this.resetPrograms()
    compiled.optimizer.build(weights, this.model.weights)
  }

  private expected: readonly Shape[] = []

  /**
   * Finds out what the targets must be like, and checks them.
   * @returns the same data with numbers in the place of strings, on which the extents of outputs may depend
   */
  private prepareTargets(compiled: Compiled, dataset: Dataset): Dataset {
    const read = this.read(dataset)
    if (this.model.hasOwnStep) return read
    this.expected = flatten(this.steps.outputSpecs(read.x, read.inputs, read.readers)).map(({ shape }) => shape.map((extent) => extent ?? 1))
    this.checkTargets(compiled, dataset)
    return read
  }

  private checkTargets(compiled: Compiled, { targets, weights, names }: Dataset): void {
    const { expected } = this
    if (this.model.hasOwnStep) return
    const losses = compiled.lossesFor(expected, targets.map((target) => target?.shape ?? null))
    this.checkWeights(weights, names.sampleWeight)
    for (let i = 0; i < losses.length; i++) {
      const loss = losses[i]!
      if (loss === null) continue
      const target = targets[i] ?? null
      const name = (): string => this.placeOf(names.y, i)
      if (target === null) throw new ArgumentError(`${name()}: targets are missing`)
      try {
        loss.checkTargets(target, expected[i]!)
      } catch (error) {
        if (error instanceof Error) restate(error, `${name()}: ${error.message}`)
        throw error
      }
    }
  }

  /** What belongs to an output, as errors name it: `y` of a model with one output, else `y.price`. */
  private placeOf(where: string, i: number): string {
    return this.expected.length === 1 ? where : `${where}.${this.layouts.y.names[i] ?? i}`
  }

  /** A weight is for a sample, or for a step of it: for what the last axis of an output says. */
  private checkWeights(weights: readonly (Tensor | null)[], where: string): void {
    weights.forEach((weight, i) => {
      const output = this.expected[i]
      if (weight === null || weight.rank === 1 || output === undefined) return
      const steps = output.slice(1, -1)
      if (weight.rank <= steps.length + 1 && weight.shape.slice(1).every((extent, axis) => extent === steps[axis])) return
      const [rows] = weight.shape
      const each = steps.length === 0 ? '' : ` or ${formatShape([rows!, ...steps])}`
      throw new ShapeError(`${this.placeOf(where, i)} must have shape [${rows}]${each}, received ${formatShape(weight.shape)}`)
    })
  }

  /** Whether there must be targets: the built-in step has a loss for them. */
  private needsTargets(compiled: Compiled): boolean {
    return !this.model.hasOwnStep && compiled.options.loss !== null
  }

  /** The names of the outputs, where the model is known. */
  private get outputNames(): readonly string[] {
    return this.layouts.y.names
  }

  private datasetOf(compiled: Compiled, x: unknown, y: unknown, sampleWeight: SampleWeights | null | undefined): Dataset {
    const data = this.learnOutputs(x)
    const dataset = prepareDataset(this.layouts, data, y, sampleWeight, this.needsTargets(compiled))
    this.prepare(dataset.x, dataset.inputs, true)
    return dataset
  }

  /** Data and what compile chose for them, checked as fit does. @internal */
  datasetFor(method: string, x: unknown, y: unknown): { readonly compiled: Compiled; readonly dataset: Dataset } {
    const compiled = this.requireCompiled(method)
    const dataset = this.datasetOf(compiled, x, y, null)
    this.model.checkData(dataset.inputs)
    return { compiled, dataset: this.prepareTargets(compiled, dataset) }
  }

  async fit(x: unknown, y: unknown, options: FitOptions): Promise<History> {
    const compiled = this.requireCompiled('fit')
    this.lock.requireIdle('fit')
    checkOptions('fit', options, FIT_OPTIONS)
    checkFitOptions(options)
    options.signal?.throwIfAborted()
    const isStream = isElements(x)
    if (isStream) refuseForBatches('fit', y, options, ['batchSize', 'sampleWeight', 'validationSplit'])
    return this.lock.run(async () => {
      const runners = await this.preparing(() => this.fitRunners(compiled, x, y, options))
      const { model, steps, lock, shuffleState } = this
      return runTraining({ model, lock, steps, compiled, ...runners, options, shuffleState })
    })
  }

  /** What a fit reads, which is checked; model and optimizer are ready for it. */
  private async fitRunners(compiled: Compiled, x: unknown, y: unknown, options: FitOptions): Promise<{ readonly runner: Runner; readonly validation: Runner | null }> {
    const { validationSplit = 0, validationData, batchSize = 32, validationBatchSize = batchSize } = options
    const train: MakeProgram = (types, probes) => this.steps.train(compiled, types, probes)
    const test: MakeProgram = (types) => this.steps.test(compiled, types)
    let rest: Dataset | null = null
    let runner: Runner
    if (isElements(x)) runner = await this.runnerOver('fit', compiled, x, train, options.signal, { pass: this.shuffleState.epoch, classWeight: options.classWeight })
    else {
      const data = this.learnOutputs(x)
      let dataset = prepareDataset(this.layouts, data, y, options.sampleWeight, this.needsTargets(compiled))
      if (validationData === undefined && validationSplit !== 0) [dataset, rest] = splitValidation(dataset, validationSplit)
      // Only training weighs classes.
      dataset = weighClasses(dataset, options.classWeight, this.outputNames)
      runner = new ArrayRunner(this.readyFor(compiled, dataset), batchSize, options.shuffle ?? true, () => this.steps, train)
    }
    let validation: Runner | null = null
    try {
      requireEnd('fit', runner, options.stepsPerEpoch, 'stepsPerEpoch')
      if (rest !== null) validation = this.validationOver(compiled, rest, validationBatchSize, test)
      else if (isElements(validationData)) validation = await this.runnerOver('fit: validationData', compiled, validationData, test, options.signal)
      else if (validationData !== undefined) validation = this.validationOver(compiled, this.validationSet(compiled, validationData), validationBatchSize, test)
      if (validation !== null) requireEnd('fit: validationData', validation, options.validationSteps, 'validationSteps')
      this.buildOptimizer(compiled)
      return { runner, validation }
    } catch (error) {
      await letGo(options.signal, [() => runner.release(), () => validation?.release()])
      throw error
    }
  }

  private isPreparing = false

  /** While data are read, the model may still be made ready for them. */
  private async preparing<Result>(body: () => Promise<Result>): Promise<Result> {
    this.isPreparing = true
    try {
      return await body()
    } finally {
      this.isPreparing = false
    }
  }

  /** The data set is checked, and model and targets are ready for it. */
  private readyFor(compiled: Compiled, dataset: Dataset): Dataset {
    this.prepare(dataset.x, dataset.inputs, true)
    this.model.checkData(dataset.inputs)
    return this.prepareTargets(compiled, dataset)
  }

  private validationSet(compiled: Compiled, data: unknown): Dataset {
    if (!Array.isArray(data)) throw new ArgumentError('fit: validationData must be [x, y], [x, y, sampleWeight], or batches such as a Dataset')
    const [x, y, weight] = data as readonly unknown[]
    return prepareDataset(this.layouts, x, y, weight as SampleWeights | undefined, this.needsTargets(compiled), VALIDATION_NAMES)
  }

  private validationOver(compiled: Compiled, dataset: Dataset, batchSize: number, make: MakeProgram): Runner {
    this.model.checkInput(dataset.inputs)
    this.model.checkData(dataset.inputs)
    return new ArrayRunner(this.prepareTargets(compiled, dataset), batchSize, false, () => this.steps, make)
  }

  /** Steps over batches that come one after the other. The first is read, and the model is ready for it. */
  private async runnerOver(
    where: string, compiled: Compiled, batches: unknown, make: MakeProgram, signal: AbortSignal | undefined,
    { pass = 0, classWeight }: { readonly pass?: number; readonly classWeight?: ClassWeights | null | undefined } = {},
  ): Promise<Runner> {
    const source = sourceOf(batches as ElementsOrMaker<unknown>, where)
    const prepare = (batch: unknown, index: number): Dataset => restating(
      (message) => `${where}, batch ${index}: ${message}${this.hintFor(batch)}`,
      () => {
        const { x, y, sampleWeight } = partsOf(batch)
        const data = this.learnOutputs(x)
        const dataset = weighClasses(prepareDataset(this.layouts, data, y, sampleWeight, this.needsTargets(compiled)), classWeight, this.outputNames)
        if (!this.lock.isBusy || this.isPreparing) return this.readyFor(compiled, dataset)
        this.model.checkInput(dataset.inputs)
        this.model.checkData(dataset.inputs)
        return this.prepareTargets(compiled, dataset)
      },
    )
    const runner = new StreamRunner(source, prepare, () => this.steps, make)
    try {
      await runner.begin({ seed: 0, epoch: pass })
      if ((await new Pace(signal).wait(Promise.resolve(runner.peek()))) === END) throw new DataError(`${where}: the data have no batches`)
      return runner
    } catch (error) {
      await letGo(signal, [() => runner.release()])
      throw error
    }
  }

  /** What is probably wrong with a batch that does not fit: it is a row. */
  private hintFor(batch: unknown): string {
    const { structure: specs } = this.layouts.x
    const { x } = partsOf(batch)
    if (!(specs instanceof TensorSpec) || isBranch(x)) return ''
    const rank = x instanceof Tensor ? x.rank : ArrayBuffer.isView(x) ? 1 : 0
    return rank === specs.shape.length - 1 ? ' Is it a row? Then make batches of the data set: .batch(32).' : ''
  }

  async evaluate(x: unknown, y: unknown, options: EvaluateOptions): Promise<Logs> {
    checkOptions('evaluate', options, ['batchSize', 'steps', 'sampleWeight', 'verbose', 'callbacks', 'signal'])
    const { batchSize = 32, steps: most = null, verbose = 0, callbacks = [], signal } = options
    checkVerbose(verbose)
    checkCallbacks(callbacks)
    const compiled = this.requireCompiled('evaluate')
    this.lock.requireIdle('evaluate')
    requireCount('batchSize', batchSize)
    if (most !== null) requireCount('steps', most)
    if (isElements(x)) refuseForBatches('evaluate', y, options, ['batchSize', 'sampleWeight'])
    const { lock, model } = this
    // A callback of a running fit has its turn already.
    const isNested = lock.isBusy
    const make = () => this.evaluationRunner(compiled, x, y, options)
    const run = async (): Promise<Logs> => {
      const runner = await (isNested ? make() : this.preparing(make))
      try {
        requireEnd('evaluate', runner, most, 'steps')
        const listeners = new Listeners(callbacks, model, isNested ? undefined : (event) => lock.listen(event))
        return await listeners.during({ epochs: 1, steps: most ?? runner.steps, verbose: levelOf(verbose) }, async () => {
          await listeners.tell((callback) => callback.onTestBegin?.())
          const results = await evaluateBatches(this.steps, compiled, runner, most, listeners, signal)
          await listeners.tell((callback) => callback.onTestEnd?.(results))
          return results
        })
      } finally {
        await letGo(signal, [() => runner.release()])
      }
    }
    const logs = isNested ? await lock.runNested(() => keepingMetrics(compiled, run)) : await lock.run(run)
    if (verbose !== 0) console.log(`evaluate${formatLogs(logs)}`)
    return logs
  }

  /** What an evaluate reads, which is checked. */
  private async evaluationRunner(compiled: Compiled, x: unknown, y: unknown, { batchSize = 32, sampleWeight, signal }: EvaluateOptions): Promise<Runner> {
    const make: MakeProgram = (types) => this.steps.test(compiled, types)
    if (isElements(x)) return this.runnerOver('evaluate', compiled, x, make, signal)
    const dataset = this.datasetOf(compiled, x, y, sampleWeight)
    this.model.checkData(dataset.inputs)
    return new ArrayRunner(this.prepareTargets(compiled, dataset), batchSize, false, () => this.steps, make)
  }

  /** Inputs as rows, checked; builds the model for them. */
  readInputs(x: unknown): ReturnType<typeof prepareInputs> & { readonly readers?: Readers } {
    const read = prepareInputs(this.layouts.x, x, 'x')
    this.prepare(read.x, read.inputs)
    this.model.checkData(read.inputs)
    return this.read(read)
  }

  private knownReaders: { readonly version: number; readonly form: string; readonly readers: Readers } | null = null

  /** What the layers that read strings make of them stands for the strings from here on. */
  private read<Data extends { readonly x: Tree<unknown>; readonly inputs: readonly Tensor[] }>(data: Data): Data & { readonly readers?: Readers } {
    if (!hasStrings(data.inputs)) return data
    const readers = this.readersOf(data.x, data.inputs)
    const inputs = data.inputs.flatMap((input, i) => {
      const own = readers[i]
      return own == null ? [input] : own.readers.map((reader) => reader.readStrings(input as StringTensor))
    })
    return { ...data, inputs, readers }
  }

  /** Who reads which input, from a look at the model with rows of no content. */
  private readersOf(x: Tree<unknown>, inputs: readonly Tensor[]): Readers {
    const form = `${structureOf(x)} ${inputs.map(({ dtype, shape }) => `${dtype}[${shape.slice(1).join()}]`).join(' ')}`
    const { knownReaders: known, model } = this
    if (known?.version === structure.version && known.form === form) return known.readers
    const found = new Map<Tensor, StringReader[]>()
    const hear = (strings: Tensor, reader: StringReader): void => {
      const own = found.get(strings) ?? []
      if (!own.includes(reader)) own.push(reader)
      found.set(strings, own)
    }
    let readers: Readers = []
    const types = inputs.map(({ dtype, shape }) => ({ dtype, shape: [2, ...shape.slice(1)] }))
    trace(types, (symbols) => {
      hearingReaders(hear, () => withFrame(null, new CallContext(false), () => model.predictStep(unflatten<Tensor>(x, symbols) as never)))
      readers = symbols.map((symbol) => (symbol.dtype === 'string' ? { readers: found.get(symbol) ?? [], row: symbol.shape.slice(1) } : null))
      return []
    })
    this.knownReaders = { version: structure.version, form, readers }
    return readers
  }

  /** Inputs and targets as rows, checked as evaluate checks them; builds the model for them. */
  readDataset(method: string, x: unknown, y: unknown): Dataset {
    const compiled = this.requireCompiled(method)
    const dataset = this.datasetOf(compiled, x, y, null)
    this.model.checkData(dataset.inputs)
    return this.prepareTargets(compiled, dataset)
  }

  async predict(x: unknown, options: PredictOptions): Promise<Tree<Tensor>> {
    checkOptions('predict', options, ['batchSize', 'steps', 'callbacks', 'signal'])
    const { batchSize = 32, steps = null, callbacks = [], signal } = options
    requireCount('batchSize', batchSize)
    if (steps !== null) requireCount('steps', steps)
    checkCallbacks(callbacks)
    if (callbacks.length > 0) return this.predictTelling(x, options)
    if (isElements(x)) return this.predictBatches(x, options)
    const again = signal === undefined && steps === null ? this.predictAgain(x, batchSize) : null
    if (again === null || again.shape[0] !== this.lastPrediction!.shape[0]) return this.predictRows(x, options)
    const pace = new Pace(signal)
    if (pace.isDue()) await pace.yield()
    return again
  }

  /** predict, with callbacks that are told of it. */
  private async predictTelling(x: unknown, options: PredictOptions): Promise<Tree<Tensor>> {
    const { batchSize = 32, steps = null, callbacks = [] } = options
    const listeners = new Listeners(callbacks, this.model)
    const known = isElements(x) ? sourceOf(x, 'predict').size : Math.ceil(this.readInputs(x).size / batchSize)
    return listeners.during({ epochs: 1, steps: steps ?? known, verbose: 0 }, async () => {
      await listeners.tell((callback) => callback.onPredictBegin?.())
      const outputs = await (isElements(x) ? this.predictBatches(x, options, listeners) : this.predictRows(x, options, listeners))
      await listeners.tell((callback) => callback.onPredictEnd?.())
      return outputs
    })
  }

  /** The outputs for the rows of arrays. */
  private async predictRows(x: unknown, { batchSize = 32, steps = null, signal }: PredictOptions, listeners: Listeners | null = null): Promise<Tree<Tensor>> {
    const pace = new Pace(signal)
    const perBatch = listeners?.hear('onPredictBatchBegin', 'onPredictBatchEnd') === true
    const { x: form, inputs, size, readers } = this.readInputs(x)
    const sources = inputs.map((input) => new RowSource(input))
    signal?.throwIfAborted()
    const most = Math.min(size, batchSize * (steps ?? Infinity))
    const found = new PredictedRows(this.model, most)
    for (let start = 0; start < most; start += batchSize) {
      const count = Math.min(batchSize, size - start)
      const batch = start / batchSize
      if (perBatch) await listeners.tell((callback) => callback.onPredictBatchBegin?.(batch))
      const types = inputs.map(({ dtype, shape }) => ({ dtype, shape: [count, ...shape.slice(1)] }))
      const prediction = this.steps.predict(form, types, readers)
      const { program } = prediction
      if (readers === undefined) this.remember(form, types, prediction)
      sources.forEach((source, i) => source.fill(program.parameter(i), null, start, count))
      program.run()
      found.take(prediction, count)
      if (perBatch) await listeners.tell((callback) => callback.onPredictBatchEnd?.(batch, { outputs: found.last(count) }))
      if (pace.isDue()) await pace.yield()
    }
    return found.outputs
  }

  /** The outputs for batches that come one after the other. */
  private async predictBatches(batches: ElementsOrMaker<unknown>, { batchSize, steps = null, signal }: PredictOptions, listeners: Listeners | null = null): Promise<Tree<Tensor>> {
    const perBatch = listeners?.hear('onPredictBatchBegin', 'onPredictBatchEnd') === true
    refuseForBatches('predict', null, { batchSize }, ['batchSize'])
    const source = sourceOf(batches, 'predict')
    if (source.size === Infinity && steps === null) throw new ArgumentError('predict: the data have no end. Say steps.')
    const pace = new Pace(signal)
    const cursor = source.open(0)
    const found = new PredictedRows(this.model, null)
    try {
      for (let done = 0; done < (steps ?? Infinity); done++) {
        const next = cursor.next()
        const batch = isPromise(next) ? await pace.wait(next) : next
        if (batch === END) break
        if (perBatch) await listeners.tell((callback) => callback.onPredictBatchBegin?.(done))
        const before = found.size
        restating((message) => `predict, batch ${done}: ${message}${this.hintFor(batch)}`, () => {
          const { x: form, inputs, size, readers } = this.readInputs(partsOf(batch).x)
          const prediction = this.steps.predict(form, inputs, readers)
          load(prediction.program, inputs)
          prediction.program.run()
          found.take(prediction, size)
        })
        if (perBatch) await listeners.tell((callback) => callback.onPredictBatchEnd?.(done, { outputs: found.last(found.size - before) }))
        if (pace.isDue()) await pace.yield()
      }
    } finally {
      await letGo(signal, [() => cursor.close()])
    }
    if (found.size === 0) throw new DataError('predict: the data have no batches')
    return found.outputs
  }

  /** The outputs for one batch, at once. */
  predictOnBatch(x: unknown): Tree<Tensor> {
    const again = this.predictAgain(x)
    if (again !== null) return again
    const { x: form, inputs, readers } = this.readInputs(x)
    const prediction = this.steps.predict(form, inputs, readers)
    const { program, structure: tree } = prediction
    if (readers === undefined) this.remember(form, inputs, prediction)
    inputs.forEach((input, i) => program.parameter(i).set(input.data))
    program.run()
    const outputs = program.graph.outputs.map(({ shape, dtype }, i) => new Tensor(new dtypes[dtype].array(program.output(i)), shape, dtype))
    return unflatten<Tensor>(tree, outputs)
  }

  /**
   * The output for one batch like the last, of one tensor: a short way, because it is taken often. null for another one.
   * @param mostRows in a step
   */
  private predictAgain(x: unknown, mostRows = Infinity): Tensor | null {
    const last = this.lastPrediction
    if (last === null || last.source !== this.steps || this.checkedVersion !== structure.version || last.shape[0]! > mostRows) return null
    const input = x instanceof Tensor ? x : isNamedData(x) ? null : toTensor(x as TensorLike, 'x')
    if (input === null || last.dtype !== input.dtype || !sameShape(last.shape, input.shape)) return null
    // predictOnBatch looks at the numbers of the first batch of its kind only.
    if (mostRows < Infinity && last.dtype === 'float32') requireNumbers(input, 'x')
    if (last.isChecked) this.model.checkData([input])
    return runOnce(last.program, input)
  }

  /** For the next prediction, where it is one of one tensor from one. */
  private remember(form: Tree<unknown>, inputs: readonly TensorType[], { program, structure: tree }: Prediction): void {
    const before = this.lastPrediction
    if (before?.program === program || inputs.length !== 1 || form !== null || structureOf(tree) !== '*') return
    const { shape, dtype } = inputs[0]!
    const { steps, model } = this
    this.holdInstead(program, before)
    this.lastPrediction = { shape, dtype, program, source: steps, isChecked: model.checksData }
  }

  /** Keeps the program that was used last: else it might be let go of to make room for others. */
  private holdInstead(program: Program, before: { readonly program: Program; readonly source: Steps } | null): void {
    this.steps.hold(program)
    if (before !== null && before.source === this.steps) this.steps.release(before.program)
  }

  private readonly lastSteps: { trainOnBatch: LastStep | null; testOnBatch: LastStep | null } = { trainOnBatch: null, testOnBatch: null }

  /** One step on one batch. The way for a batch like the last one is short, because it is taken often. */
  onBatch(method: 'trainOnBatch' | 'testOnBatch', x: unknown, y: unknown, options: TrainOnBatchOptions): Logs {
    const compiled = this.requireCompiled(method)
    this.lock.requireIdle(method)
    checkOptions(method, options, ['sampleWeight', 'classWeight'])
    const data = this.learnOutputs(x)
    const prepared = prepareDataset(this.layouts, data, y, options.sampleWeight, this.needsTargets(compiled))
    const dataset = weighClasses(prepared, options.classWeight, this.outputNames)
    const last = this.lastSteps[method]
    const known = last !== null && !hasStrings(dataset.inputs) && this.isLikeLast(last, compiled, dataset) ? last : null
    const { program, batch } = known === null ? this.makeStep(method, compiled, dataset) : { program: known.program, batch: dataset }
    this.model.checkData(dataset.inputs)
    this.checkTargets(compiled, dataset)
    compiled.resetMetrics()
    const tensors = tensorsOf(batch)
    if (!runOn(program, tensors)) {
      load(program, tensors)
      const instruction = whatFailed(program)
      throw new NonFiniteError(`${method} met a value that is not finite: ${instruction}. The weights are unchanged.`, 1, instruction)
    }
    return readLogs(method === 'trainOnBatch' ? 'train' : 'test', this.steps, compiled)
  }

  private isLikeLast(last: LastStep, compiled: Compiled, { inputs, targets, weights, x, y }: Dataset): boolean {
    return (
      last.version === structure.version && last.source === this.steps && last.compiled === compiled &&
      last.dataset.x === x && last.dataset.y === y && last.epoch === compiled.runtime.epoch &&
      sameTypes(inputs, last.dataset.inputs) && sameTypes(targets, last.dataset.targets) && sameTypes(weights, last.dataset.weights)
    )
  }

  private makeStep(method: 'trainOnBatch' | 'testOnBatch', compiled: Compiled, dataset: Dataset): { readonly program: Program; readonly batch: Dataset } {
    this.prepare(dataset.x, dataset.inputs, true)
    const batch = this.prepareTargets(compiled, dataset)
    const training = method === 'trainOnBatch'
    if (training) this.buildOptimizer(compiled)
    const { steps } = this
    const types = typesOf(batch, dataset.size)
    const program = training ? steps.train(compiled, types) : steps.test(compiled, types)
    // A tree of inputs or targets is made anew each time: only single tensors are recognised.
    const last = { dataset, program, source: steps, version: structure.version, compiled, epoch: compiled.runtime.epoch }
    this.holdInstead(program, this.lastSteps[method])
    this.lastSteps[method] = last
    return { program, batch }
  }

  disassemble(): Map<string, string> {
    return this.steps.disassemble()
  }

  /** Every program by signature. @internal */
  get programs(): ReadonlyMap<string, Program> {
    return this.steps.programs
  }

  /**
   * The graph of a training step on so many rows, which need not have been run; null where the model is not built, or extents
   * besides the number of rows are open. The optimizer gets its slots; else nothing is changed.
   * @throws StateError where a step of one's own has not run on so many rows
   * @internal
   */
  trainingGraph(rows: number): Graph | null {
    const compiled = this.requireCompiled('asking what a step costs')
    const { model } = this
    const ran = [...this.programs].find(([key, { graph }]) => /^train (?!probe)/.test(key) && graph.parameters[0]?.shape[0] === rows)
    if (ran !== undefined) return ran[1].graph
    if (model.hasOwnStep) throw new StateError(`${model}: what a trainStep of your own costs is known when it ran on a batch of ${rows}: call trainOnBatch once`)
    const specs = (model.graph?.inputSpecs as Tree<TensorSpec> | undefined) ?? model.buildSpec
    if (specs === null || flatten(specs).some(({ shape }) => shape.slice(1).includes(null))) return null
    const inputs = flatten(specs).map(({ shape, dtype }) => ({ shape: [rows, ...shape.slice(1).map((extent) => extent!)], dtype }))
    this.prepare(specs, inputs, true)
    this.buildOptimizer(compiled)
    const outputSpecs = this.steps.outputSpecs(specs, inputs)
    const outputs = flatten(outputSpecs).map(({ shape }) => shape.map((extent) => extent ?? rows))
    return compiled.supposing(() => {
      const losses = compiled.lossesFor(outputs, outputs.map(() => null))
      const targets = losses.map((loss, i) => loss?.targetsFor(outputs[i]!) ?? null)
      const types = { x: specs, inputs, y: outputSpecs, targets, weights: targets.map(() => null) }
      return this.inOwnRuntime(() => this.steps.trainingGraph(types))
    })
  }

  /** The program for one batch of inputs of one tensor. @internal */
  predictionProgram(input: TensorType): Program {
    return this.steps.predict(null, [input]).program
  }

  dispose(): void {
    this.lock.requireIdle('dispose')
    this.resetPrograms()
    const variables = [...this.model.weights, ...this.model.stateVariables, ...(this.compiled?.optimizer.variables ?? [])]
    for (const storage of new Set(variables.map((variable) => variable.storage))) {
      storage.dispose()
      storage.runtime.invalidate()
    }
  }
}

/** The rows that predictions gave, one batch after the other. */
class PredictedRows {
  /** For each output; room is made as rows come where nobody knows how many. */
  private readonly columns: { data: TensorData; readonly width: number; readonly shape: Shape; readonly dtype: DType }[] = []
  private structure: Tree<unknown> = null
  size = 0

  /** @param most rows; null where nobody knows */
  constructor(private readonly model: TrainedModel, private readonly most: number | null) {}

  take({ program, structure }: Prediction, count: number): void {
    this.structure = structure
    program.graph.outputs.forEach(({ shape, dtype }, i) => {
      if (shape[0] !== count) throw new ShapeError(`${this.model}: predict needs outputs of one row per sample, received ${formatShape(shape)} for ${count}`)
      const part = program.output(i)
      const width = part.length / count
      const rows = this.size + count
      const column = (this.columns[i] ??= { data: allocateData(dtype, width * (this.most ?? rows)), width, shape: shape.slice(1), dtype })
      if (!sameShape(column.shape, shape.slice(1))) {
        throw new ShapeError(`${this.model}: predict needs rows of one shape, received ${formatShape(shape.slice(1))} after ${formatShape(column.shape)}. Pad sequences to one length, or use predictOnBatch.`)
      }
      if (column.data.length < rows * width) {
        const larger = allocateData(dtype, 2 * rows * width)
        larger.set(column.data.subarray(0, this.size * width))
        column.data = larger
      }
      column.data.set(part, this.size * width)
    })
    this.size += count
  }

  /** The last rows that were taken. */
  last(count: number): Tree<Tensor> {
    const { size, structure } = this
    return unflatten<Tensor>(structure, this.columns.map(({ data, width, shape, dtype }) => new Tensor(data.slice((size - count) * width, size * width), [count, ...shape], dtype)))
  }

  get outputs(): Tree<Tensor> {
    const { size, structure } = this
    return unflatten<Tensor>(structure, this.columns.map(({ data, width, shape, dtype }) => {
      const rows = data.length === size * width ? data : data.slice(0, size * width)
      return new Tensor(rows, [size, ...shape], dtype)
    }))
  }
}

/** The keys of a record of outputs, numbered where there are several below one, else the names of the layers that make them. */
function namesOfOutputs(specs: Tree<unknown>, layerNames: readonly string[]): readonly string[] {
  if (!isBranch(specs) || Array.isArray(specs)) return layerNames
  return Object.entries(specs).flatMap(([key, child]) => {
    const count = flatten(child as Tree<unknown>).length
    return count === 1 ? [key] : Array.from({ length: count }, (_, i) => `${key}_${i}`)
  })
}

/** One run on these. false when a value was not finite; then nothing was updated. */
function runOn(program: Program, tensors: readonly Tensor[]): boolean {
  load(program, tensors)
  return program.run()
}

function runOnce(program: Program, input: Tensor): Tensor {
  runOn(program, [input])
  const { shape, dtype } = program.graph.outputs[0]!
  const content = program.output(0)
  return new Tensor(new dtypes[dtype].array(content), shape, dtype)
}

/** Runs an evaluation in the middle of a training run, whose metrics go on as if nothing had happened. */
async function keepingMetrics<Result>(compiled: Compiled, body: () => Promise<Result>): Promise<Result> {
  const kept = compiled.variables.map((variable) => [variable, variable.view.slice()] as const)
  try {
    return await body()
  } finally {
    const known = new Map<Variable, TensorData>(kept)
    for (const variable of compiled.variables) {
      const content = known.get(variable)
      if (content === undefined) variable.view.fill(0)
      else variable.view.set(content)
    }
  }
}

function checkFitOptions({
  batchSize = 32, epochs = 1, initialEpoch = 0, validationFreq = 1, validationBatchSize = 32, stepsPerEpoch = null, validationSteps = null,
  verbose = 'auto', callbacks = [],
}: FitOptions): void {
  requireCount('batchSize', batchSize)
  requireCount('epochs', epochs)
  requireCount('initialEpoch', initialEpoch, 0)
  requireCount('validationFreq', validationFreq)
  requireCount('validationBatchSize', validationBatchSize)
  if (stepsPerEpoch !== null) requireCount('stepsPerEpoch', stepsPerEpoch)
  if (validationSteps !== null) requireCount('validationSteps', validationSteps)
  checkVerbose(verbose)
  checkCallbacks(callbacks)
}

function checkVerbose(verbose: unknown): void {
  if (!['auto', 0, 1, 2].includes(verbose as string)) throw new ArgumentError(`verbose must be 'auto', 0, 1 or 2, received ${quoted(verbose)}`)
}

/** What is said for arrays, and what batches bring with them. */
function refuseForBatches(method: string, y: unknown, options: object, names: readonly string[]): void {
  if (y != null) throw new ArgumentError(`${method}: targets come with the batches: [x, y]. Leave out the second argument.`)
  const said = names.find((name) => Reflect.get(options, name) != null)
  if (said !== undefined) throw new ArgumentError(`${method}: ${said} is for arrays. Batches have ${said === 'batchSize' ? 'a size' : 'it'} of their own.`)
}

function hasStrings(inputs: readonly Tensor[]): boolean {
  return inputs.some((input) => input instanceof StringTensor)
}

function requireEnd(where: string, { steps }: Runner, said: number | null | undefined, option: string): void {
  if (steps === Infinity && said == null) throw new ArgumentError(`${where}: the data have no end. Say ${option}.`)
}

const PARTS = ['x', 'y', 'sampleWeight']

/** Inputs, targets and weights of a batch: a list of up to three, a record with these names, or inputs alone. */
function partsOf(batch: unknown): { readonly x: unknown; readonly y?: unknown; readonly sampleWeight?: SampleWeights | null } {
  const isTexts = Array.isArray(batch) && batch.every((each) => typeof each === 'string')
  if (Array.isArray(batch) && !isTexts) {
    if (batch.length >= 1 && batch.length <= 3) return { x: batch[0], y: batch[1], sampleWeight: batch[2] as SampleWeights }
    throw new ArgumentError(`a batch must be [x], [x, y] or [x, y, sampleWeight], received a list of ${batch.length}`)
  }
  const isRecord = isBranch(batch) && 'x' in batch && Object.keys(batch).every((key) => PARTS.includes(key))
  return isRecord ? (batch as unknown as { x: unknown }) : { x: batch }
}
