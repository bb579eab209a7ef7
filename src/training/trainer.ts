// Trainer: compile, fit, evaluate and predict of one model. Checks arguments, keeps the programs, and allows one run at
// a time. The loops are in loop.ts, the parts of a step in step.ts.

import type { TensorData } from '../core/dtypes'
import {
  ArgumentError,
  DataError,
  NonFiniteError,
  ShapeError,
  StateError,
  checkOptions,
  formatShape,
  restate,
  restating,
} from '../core/errors'
import type { CustomObjects } from '../core/registry'
import type { Shape, TensorType } from '../core/shapes'
import { sameShape } from '../core/shapes'
import type { Tree } from '../core/tree'
import { flatten, isBranch, structureOf, unflatten } from '../core/tree'
import type { Graph } from '../ir/graph'
import type { ClassWeights, DataNames, Dataset, Layout, Readers, SampleWeights } from '../data/arrays'
import {
  UNKNOWN_LAYOUT,
  VALIDATION_NAMES,
  isNamedData,
  layoutFor,
  prepareDataset,
  prepareInputs,
  splitValidation,
  tensorsOf,
  weighClasses,
} from '../data/arrays'
import type { ElementsOrMaker } from '../data/source'
import { END, isElements, sourceOf } from '../data/source'
import { TensorSpec } from '../layers/spec'
import type { Metric } from '../metrics/metric'
import { nextSeed } from '../ops/seed'
import { Tensor } from '../ops/tensor'
import type { Variable } from '../ops/variable'
import { structure } from '../ops/variable'
import type { Program } from '../runtime/program'
import { withRuntime } from '../runtime/current'
import type { Logs } from './callbacks/callback'
import { callbacksOf } from './callbacks/callback'
import type { History } from './callbacks/history'
import { formatLogs } from './callbacks/progress'
import type { StepKind } from './batch'
import type { CompileOptions } from './compiled'
import { Compiled } from './compiled'
import type { EvaluateOptions, FitOptions } from './loop'
import { EVALUATE_OPTIONS, FIT_OPTIONS, evaluateBatches, levelOf, readLogs, runTraining } from './loop'
import { Listeners } from './listeners'
import { Pace, letGo } from '../data/pace'
import type { PredictOptions, Predicted } from './predictor'
import { Predictor } from './predictor'
import type { MakeProgram, Runner } from './runner'
import { ArrayRunner, StreamRunner, load, typesOf, whatFailed } from './runner'
import { RunLock } from './run-lock'
import {
  batchOf,
  checkFitOptions,
  checkSignal,
  checkVerbose,
  isSingle,
  partsOf,
  refuseForBatches,
  requireCount,
  requireEnd,
} from './said'
import type { TrainedModel } from './step'
import { metricsWithin } from './step'
import { Steps } from './steps'
import { StringInputs, hasStrings } from './string-inputs'

export interface TrainOnBatchOptions extends Pick<FitOptions, 'sampleWeight' | 'classWeight'> {}

const BATCH_OPTIONS: readonly (keyof TrainOnBatchOptions)[] = ['sampleWeight', 'classWeight']

/** What data are for. */
type Kind = StepKind | 'predict'

function kindOf(method: string): StepKind {
  return method === 'evaluate' || method === 'testOnBatch' ? 'test' : 'train'
}

interface Layouts {
  readonly x: Layout
  readonly y: Layout
}

function layoutsOf({ graph, buildSpec, takesOneInput, inputDtype }: TrainedModel): Layouts {
  if (graph === null) {
    const input = buildSpec ?? (takesOneInput ? new TensorSpec([null, null], inputDtype) : null)
    // The outputs of a custom class are known when it is called.
    return { x: { structure: input, names: [] }, y: UNKNOWN_LAYOUT }
  }
  return {
    x: { structure: graph.inputSpecs as Tree<TensorSpec>, names: graph.inputNames },
    y: {
      structure: graph.outputSpecs as Tree<TensorSpec>,
      names: namesOfOutputs(graph.outputSpecs, graph.outputNames),
    },
  }
}

/** The last step on one batch, with the data needed to repeat it. */
interface LastStep {
  readonly dataset: Dataset
  readonly program: Program
  readonly source: Steps
  readonly version: number
  readonly compiled: Compiled
  /** The runtime's epoch: it changes when weights are moved. */
  readonly epoch: number
}

function sameTypes(a: readonly (Tensor | null)[], b: readonly (Tensor | null)[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const [left, right] = [a[i]!, b[i]!]
    if (left === right) continue
    if (left === null || right === null || left.dtype !== right.dtype || !sameShape(left.shape, right.shape))
      return false
  }
  return true
}

export class Trainer implements Predicted {
  private compiled: Compiled | null = null
  /** @internal */
  steps: Steps
  private stepsFor: readonly Variable[] | null = null
  private checkedVersion = -1
  private constants = structure.constants
  private readonly lock: RunLock
  /** The seed of the order of rows, and the number of epochs drawn from it. */
  readonly shuffleState = { seed: nextSeed(), epoch: 0 }
  /** The numbers that layers make of string inputs. */
  readonly strings: StringInputs
  private readonly predictor = new Predictor(this)

  constructor(readonly model: TrainedModel) {
    this.steps = new Steps(model)
    this.lock = new RunLock(model)
    this.strings = new StringInputs(model)
  }

  /** The state of compile; null before. */
  get compiledState(): Compiled | null {
    return this.compiled
  }

  get metrics(): readonly Metric[] {
    return this.compiled?.listed ?? metricsWithin(this.model)
  }

  compile(options: CompileOptions, customObjects: CustomObjects = {}): void {
    this.lock.requireIdle('compile')
    const { model } = this
    this.compiled = this.inOwnRuntime(
      () =>
        new Compiled(
          options,
          () => this.layouts.y.names,
          () => metricsWithin(model),
          !model.hasOwnStep,
          customObjects,
        ),
    )
    this.resetPrograms()
  }

  /** Objects of the model are created in the runtime of its weights, even if configure() has chosen another one. */
  private inOwnRuntime<Result>(body: () => Result): Result {
    const [weight] = this.model.weights
    return weight === undefined ? body() : withRuntime(weight.runtime, body)
  }

  /** Drops the programs, because the layers changed. */
  resetPrograms(): void {
    this.steps.dispose()
    this.steps = new Steps(this.model)
    this.predictor.reset()
    this.checkedVersion = -1
  }

  requireCompiled(method: string): Compiled {
    if (this.compiled !== null) return this.compiled
    throw new StateError(
      `${this.model}: call compile() before ${method}, for example model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })`,
    )
  }

  private knownLayouts: { readonly of: object | null; readonly layouts: Layouts } | null = null

  /** The expected form of data. */
  private get layouts(): Layouts {
    const { graph, buildSpec } = this.model
    const of = graph ?? (buildSpec as object | null)
    // Before the model is built, a layer may still be inserted at the front.
    if (of === null || this.knownLayouts?.of !== of) this.knownLayouts = { of, layouts: layoutsOf(this.model) }
    return this.knownLayouts.layouts
  }

  /** Whether a custom step takes the data: it accepts any. */
  private isOwn(kind: Kind): boolean {
    return kind === 'train' ? this.model.hasOwnStep : kind === 'test' && this.model.hasOwnTestStep
  }

  /** The expected form of the data, with the outputs that need targets if there are several. */
  private layoutsFor(compiled: Compiled, kind: StepKind, data: unknown, targets: unknown): Layouts {
    const { x, y } = this.layouts
    if (this.isOwn(kind)) return { x: layoutFor(x, data), y: layoutFor(y, targets) }
    if (!isBranch(y.structure) || !this.needsTargets(compiled, kind)) return this.layouts
    return { x, y: { ...y, needed: compiled.needed(flatten(y.structure).length) } }
  }

  /**
   * Determines the outputs of a custom class from its first inputs.
   * @returns the same data; as tensors if they were converted
   */
  private learnOutputs(x: unknown, kind: StepKind): unknown {
    const { model, layouts } = this
    if (model.graph !== null || model.hasOwnStep || this.isOwn(kind) || layouts.y.structure !== null) return x
    const { x: form, inputs } = prepareInputs(layouts.x, x, 'x')
    this.prepare(form, inputs, kind)
    const outputs = this.steps.outputSpecs(form, inputs)
    this.knownLayouts = {
      of: model.buildSpec,
      layouts: { x: this.layouts.x, y: { structure: outputs, names: namesOfOutputs(outputs, []) } },
    }
    return unflatten(form, inputs)
  }

  /** Builds the model for a batch of inputs, and checks that the batch fits. */
  private prepare(x: Tree<unknown>, inputs: readonly TensorType[], kind: Kind = 'predict'): void {
    const { model } = this
    // A custom step decides itself what it calls with the data.
    if (!model.built && (kind === 'predict' || !(model.hasOwnStep || this.isOwn(kind))))
      model.ensureBuilt(
        unflatten(
          x,
          inputs.map(({ shape, dtype }) => new TensorSpec([null, ...shape.slice(1)], dtype)),
        ),
      )
    if (!this.isOwn(kind)) model.checkInput(inputs)
    // A running fit continues with its own programs.
    if ((this.lock.isBusy && !this.isPreparing) || this.checkedVersion === structure.version) return
    // If a weight was frozen or added since, the programs are different.
    const weights = model.trainableWeights
    const known = this.stepsFor
    const isStale = this.constants !== structure.constants
    this.constants = structure.constants
    if (
      isStale ||
      known === null ||
      weights.length !== known.length ||
      weights.some((weight, i) => weight !== known[i])
    ) {
      if (known !== null || this.steps.programs.size > 0) this.resetPrograms()
      // If a custom step creates the first weights, they are known after it.
      this.stepsFor = weights.length > 0 || model.built ? weights : null
    }
    this.checkedVersion = structure.version
  }

  /** Creates optimizer slots for the current trainable weights, which moves the weights. */
  private buildOptimizer(compiled: Compiled): void {
    if (this.model.hasOwnStep) return
    const weights = this.stepsFor ?? this.model.trainableWeights
    if (compiled.optimizer.isBuiltFor(weights)) return
    this.resetPrograms()
    compiled.optimizer.build(weights, this.model.weights)
  }

  /** Warns if the built-in step changes no weight. */
  private warnOfNothing(): void {
    const { model } = this
    if (model.hasOwnStep || model.trainableWeights.length > 0) return
    const why = model.weights.length === 0 ? 'the model has no weights' : 'all weights are frozen'
    console.warn(`${model}: fit has nothing to train: ${why}`)
  }

  private expected: readonly Shape[] = []

  /**
   * Determines the form of the targets, and checks them.
   * @returns the same data with strings replaced by numbers, on which the outputs' extents may depend
   */
  private prepareTargets(compiled: Compiled, dataset: Dataset, kind: StepKind): Dataset {
    const read = this.strings.read(dataset)
    if (this.model.hasOwnStep || this.isOwn(kind)) return read
    this.expected = flatten(this.steps.outputSpecs(read.x, read.inputs, read.readers)).map(({ shape }) =>
      shape.map((extent) => extent ?? 1),
    )
    this.checkTargets(compiled, dataset, kind)
    return read
  }

  private checkTargets(compiled: Compiled, { targets, weights, names }: Dataset, kind: StepKind): void {
    const { expected } = this
    if (this.model.hasOwnStep || this.isOwn(kind)) return
    const losses = compiled.lossesFor(
      expected,
      targets.map((target) => target?.shape ?? null),
    )
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

  /** The name of an output's data in errors: `y` for a model with one output, otherwise `y.price`. */
  private placeOf(where: string, i: number): string {
    return this.expected.length === 1 ? where : `${where}.${this.layouts.y.names[i] ?? i}`
  }

  /** A weight belongs to a sample or to one of its steps: to one vector along the last axis of an output. */
  private checkWeights(weights: readonly (Tensor | null)[], where: string): void {
    weights.forEach((weight, i) => {
      const output = this.expected[i]
      if (weight === null || weight.rank === 1 || output === undefined) return
      const steps = output.slice(1, -1)
      if (weight.rank <= steps.length + 1 && weight.shape.slice(1).every((extent, axis) => extent === steps[axis]))
        return
      const [rows] = weight.shape
      const each = steps.length === 0 ? '' : ` or ${formatShape([rows!, ...steps])}`
      throw new ShapeError(
        `${this.placeOf(where, i)} must have shape [${rows}]${each}, received ${formatShape(weight.shape)}`,
      )
    })
  }

  /** Whether targets are required: if the built-in step has a loss for them. */
  private needsTargets(compiled: Compiled, kind: StepKind): boolean {
    return !this.model.hasOwnStep && !this.isOwn(kind) && compiled.options.loss !== null
  }

  /** The names of the outputs, if the model is known. */
  private get outputNames(): readonly string[] {
    return this.layouts.y.names
  }

  /** Data as rows, and the targets of those that need some. */
  private rowsOf(
    compiled: Compiled,
    kind: StepKind,
    x: unknown,
    y: unknown,
    sampleWeight: SampleWeights | null | undefined,
    names?: DataNames,
  ): Dataset {
    const data = this.learnOutputs(x, kind)
    const layouts = this.layoutsFor(compiled, kind, data, y)
    return prepareDataset(layouts, data, y, sampleWeight, this.needsTargets(compiled, kind), names)
  }

  /** Looks at the inputs; those of a step of one's own may be others than the layers' that look. */
  private checkInputs({ x, inputs }: Dataset, kind: StepKind): void {
    const { model } = this
    const isOwn = this.isOwn(kind)
    if (!isOwn) model.checkInput(inputs)
    if (!isOwn || structureOf(x) === structureOf(this.layouts.x.structure)) model.checkData(inputs)
  }

  private datasetOf(
    compiled: Compiled,
    kind: StepKind,
    x: unknown,
    y: unknown,
    sampleWeight: SampleWeights | null | undefined,
  ): Dataset {
    return this.readyFor(compiled, this.rowsOf(compiled, kind, x, y, sampleWeight), kind)
  }

  /** Data with the state of compile, checked as in fit. @internal */
  datasetFor(method: string, x: unknown, y: unknown): { readonly compiled: Compiled; readonly dataset: Dataset } {
    const compiled = this.requireCompiled(method)
    return { compiled, dataset: this.datasetOf(compiled, 'train', x, y, null) }
  }

  /**
   * Targets and options of a call. If the data contain their targets, or none are needed, options may take the place of
   * the targets.
   * @throws ArgumentError for options in the place of required targets
   */
  private read<Options extends object>(
    method: string,
    names: readonly (keyof Options & string)[],
    compiled: Compiled,
    [x, y, given]: readonly [x: unknown, y: unknown, options: object | undefined],
  ): { readonly y: unknown; readonly options: Options } {
    const inPlace = given === undefined && isNamedData(y) && (isElements(x) || this.areOptions(y as object, names))
    if (inPlace && (isElements(x) || !this.needsTargets(compiled, kindOf(method))))
      return { y: null, options: checked(y) }
    if (inPlace)
      throw new ArgumentError(
        `${method}: received options, { ${Object.keys(y as object).join(', ')} }, where targets belong, and the model needs targets: ${method}(x, y, options)`,
      )
    return { y, options: checked(given ?? {}) }

    function checked(options: unknown): Options {
      checkOptions(method, options, names)
      return options as Options
    }
  }

  /** Whether a record has only names of options, none of which is the name of an output. */
  private areOptions(record: object, names: readonly string[]): boolean {
    return Object.keys(record).every((key) => names.includes(key) && !this.outputNames.includes(key))
  }

  async fit(x: unknown, targets: unknown, given: object | undefined): Promise<History> {
    const compiled = this.requireCompiled('fit')
    this.lock.requireIdle('fit')
    const { y, options } = this.read<FitOptions>('fit', FIT_OPTIONS, compiled, [x, targets, given])
    checkFitOptions(options)
    const callbacks = callbacksOf(options.callbacks)
    options.signal?.throwIfAborted()
    const isStream = isElements(x)
    if (isStream) refuseForBatches('fit', y, options, ['batchSize', 'sampleWeight', 'validationSplit'])
    return this.lock.run(async () => {
      const runners = await this.preparing(() => this.fitRunners(compiled, x, y, options))
      const { model, steps, lock, shuffleState } = this
      return runTraining({ model, lock, steps, compiled, ...runners, options: { ...options, callbacks }, shuffleState })
    })
  }

  /** The checked data of a fit; model and optimizer are ready for them. */
  private async fitRunners(
    compiled: Compiled,
    x: unknown,
    y: unknown,
    options: FitOptions,
  ): Promise<{ readonly runner: Runner; readonly validation: Runner | null }> {
    const { validationSplit = 0, validationData, batchSize = 32, validationBatchSize = batchSize } = options
    const train: MakeProgram = (types, probes) => this.steps.train(compiled, types, probes)
    const test: MakeProgram = (types) => this.steps.test(compiled, types)
    let rest: Dataset | null = null
    let runner: Runner
    if (isElements(x))
      runner = await this.runnerOver('fit', 'train', compiled, x, train, options.signal, {
        pass: this.shuffleState.epoch,
        classWeight: options.classWeight,
      })
    else {
      let dataset = this.rowsOf(compiled, 'train', x, y, options.sampleWeight)
      if (validationData === undefined && validationSplit !== 0)
        [dataset, rest] = splitValidation(dataset, validationSplit)
      // Class weights apply only to training.
      dataset = weighClasses(dataset, options.classWeight, this.outputNames)
      runner = new ArrayRunner(
        this.readyFor(compiled, dataset, 'train'),
        batchSize,
        options.shuffle ?? true,
        () => this.steps,
        train,
      )
    }
    let validation: Runner | null = null
    try {
      requireEnd('fit', runner, options.stepsPerEpoch, 'stepsPerEpoch')
      if (rest !== null) validation = this.validationOver(compiled, rest, validationBatchSize, test)
      else if (isElements(validationData))
        validation = await this.runnerOver(
          'fit: validationData',
          'test',
          compiled,
          validationData,
          test,
          options.signal,
        )
      else if (validationData !== undefined)
        validation = this.validationOver(
          compiled,
          this.validationSet(compiled, validationData),
          validationBatchSize,
          test,
        )
      if (validation !== null) requireEnd('fit: validationData', validation, options.validationSteps, 'validationSteps')
      this.buildOptimizer(compiled)
      this.warnOfNothing()
      return { runner, validation }
    } catch (error) {
      await letGo(options.signal, [() => runner.release(), () => validation?.release()])
      throw error
    }
  }

  private isPreparing = false

  /** While data are read, the model may still be prepared for them. */
  private async preparing<Result>(body: () => Promise<Result>): Promise<Result> {
    this.isPreparing = true
    try {
      return await body()
    } finally {
      this.isPreparing = false
    }
  }

  /** The checked data set; model and targets are ready for it. */
  private readyFor(compiled: Compiled, dataset: Dataset, kind: StepKind): Dataset {
    this.prepare(dataset.x, dataset.inputs, kind)
    this.checkInputs(dataset, kind)
    return this.prepareTargets(compiled, dataset, kind)
  }

  private validationSet(compiled: Compiled, data: unknown): Dataset {
    if (!Array.isArray(data))
      throw new ArgumentError('fit: validationData must be [x, y], [x, y, sampleWeight], or batches such as a Dataset')
    const [x, y, weight] = data as readonly unknown[]
    return this.rowsOf(compiled, 'test', x, y, weight as SampleWeights | undefined, VALIDATION_NAMES)
  }

  private validationOver(compiled: Compiled, dataset: Dataset, batchSize: number, make: MakeProgram): Runner {
    this.checkInputs(dataset, 'test')
    return new ArrayRunner(this.prepareTargets(compiled, dataset, 'test'), batchSize, false, () => this.steps, make)
  }

  /** Steps over a sequence of batches. The first batch is read, and the model is ready for it. */
  private async runnerOver(
    where: string,
    kind: StepKind,
    compiled: Compiled,
    batches: unknown,
    make: MakeProgram,
    signal: AbortSignal | undefined,
    { pass = 0, classWeight }: { readonly pass?: number; readonly classWeight?: ClassWeights | null | undefined } = {},
  ): Promise<Runner> {
    const source = sourceOf(batches as ElementsOrMaker<unknown>, where)
    const prepare = (batch: unknown, index: number): Dataset =>
      restating(
        (message) => `${where}, batch ${index}: ${this.hinting(message, batch)}`,
        () => {
          const { x, y, sampleWeight } = batchOf(batch)
          const dataset = weighClasses(this.rowsOf(compiled, kind, x, y, sampleWeight), classWeight, this.outputNames)
          if (!this.lock.isBusy || this.isPreparing) return this.readyFor(compiled, dataset, kind)
          this.checkInputs(dataset, kind)
          return this.prepareTargets(compiled, dataset, kind)
        },
      )
    const runner = new StreamRunner(source, prepare, () => this.steps, make)
    try {
      await runner.begin({ seed: 0, epoch: pass })
      if ((await new Pace(signal).wait(Promise.resolve(runner.peek()))) === END)
        throw new DataError(`${where}: the data have no batches`)
      return runner
    } catch (error) {
      await letGo(signal, [() => runner.release()])
      throw error
    }
  }

  /** The error of a batch, with advice if it is probably a row. @internal */
  hinting(message: string, batch: unknown): string {
    const { structure: specs } = this.layouts.x
    const { x, y } = partsOf(batch)
    const rank =
      x instanceof Tensor
        ? x.rank
        : ArrayBuffer.isView(x) || (Array.isArray(x) && x.every(isSingle))
          ? 1
          : isBranch(x)
            ? null
            : 0
    const isRow = isSingle(x) || isSingle(y) || (specs instanceof TensorSpec && rank === specs.shape.length - 1)
    return isRow
      ? `${message}${message.endsWith('.') ? '' : '.'} Is it a row? Then make batches of the data set: .batch(32).`
      : message
  }

  async evaluate(x: unknown, targets: unknown, given: object | undefined): Promise<Logs> {
    const compiled = this.requireCompiled('evaluate')
    const { y, options } = this.read<EvaluateOptions>('evaluate', EVALUATE_OPTIONS, compiled, [x, targets, given])
    const { batchSize = 32, steps: most = null, verbose = 0, signal } = options
    checkVerbose(verbose)
    checkSignal(signal)
    const callbacks = callbacksOf(options.callbacks)
    this.lock.requireIdle('evaluate')
    requireCount('batchSize', batchSize)
    if (most !== null) requireCount('steps', most)
    if (isElements(x)) refuseForBatches('evaluate', y, options, ['batchSize', 'sampleWeight'])
    const { lock, model } = this
    // A callback of a running fit already holds the lock.
    const isNested = lock.isBusy
    const make = () => this.evaluationRunner(compiled, x, y, options)
    const run = async (): Promise<Logs> => {
      const runner = await (isNested ? make() : this.preparing(make))
      try {
        requireEnd('evaluate', runner, most, 'steps')
        const listeners = new Listeners(callbacks, model, isNested ? undefined : (event) => lock.listen(event))
        return await listeners.during(
          { epochs: 1, steps: most ?? runner.steps, verbose: levelOf(verbose) },
          async () => {
            await listeners.tell((callback) => callback.onTestBegin?.())
            const results = await evaluateBatches(this.steps, compiled, runner, most, listeners, signal)
            await listeners.tell((callback) => callback.onTestEnd?.(results))
            return results
          },
        )
      } finally {
        await letGo(signal, [() => runner.release()])
      }
    }
    const logs = isNested ? await lock.runNested(() => keepingMetrics(compiled, run)) : await lock.run(run)
    if (verbose !== 0) console.log(`evaluate${formatLogs(logs)}`)
    return logs
  }

  /** The checked data of an evaluate. */
  private async evaluationRunner(
    compiled: Compiled,
    x: unknown,
    y: unknown,
    { batchSize = 32, sampleWeight, signal }: EvaluateOptions,
  ): Promise<Runner> {
    const make: MakeProgram = (types) => this.steps.test(compiled, types)
    if (isElements(x)) return this.runnerOver('evaluate', 'test', compiled, x, make, signal)
    const dataset = this.datasetOf(compiled, 'test', x, y, sampleWeight)
    return new ArrayRunner(dataset, batchSize, false, () => this.steps, make)
  }

  /** Checked inputs as rows; builds the model for them. */
  readRows(x: unknown): ReturnType<typeof prepareInputs> {
    const read = prepareInputs(this.layouts.x, x, 'x')
    this.prepare(read.x, read.inputs)
    this.model.checkData(read.inputs)
    return read
  }

  /** The same with strings replaced by the numbers of their readers. */
  readInputs(x: unknown): ReturnType<typeof prepareInputs> & { readonly readers?: Readers } {
    return this.strings.read(this.readRows(x))
  }

  /** Inputs and targets as rows, checked as in evaluate; builds the model for them. */
  readDataset(method: string, x: unknown, y: unknown): Dataset {
    const compiled = this.requireCompiled(method)
    return this.datasetOf(compiled, 'test', x, y, null)
  }

  /** Whether the programs were compiled for the current layers. @internal */
  get isCurrent(): boolean {
    return this.checkedVersion === structure.version
  }

  predict(x: unknown, options: PredictOptions): Promise<Tree<Tensor>> {
    return this.predictor.predict(x, options)
  }

  /** The outputs for one batch, synchronously. */
  predictOnBatch(x: unknown): Tree<Tensor> {
    return this.predictor.predictOnBatch(x)
  }

  private readonly lastSteps: { trainOnBatch: LastStep | null; testOnBatch: LastStep | null } = {
    trainOnBatch: null,
    testOnBatch: null,
  }

  /** One step on one batch. A batch like the last one takes a fast path, because this is frequent. */
  onBatch(method: 'trainOnBatch' | 'testOnBatch', x: unknown, targets: unknown, given: object | undefined): Logs {
    const compiled = this.requireCompiled(method)
    this.lock.requireIdle(method)
    const { y, options } = this.read<TrainOnBatchOptions>(method, BATCH_OPTIONS, compiled, [x, targets, given])
    const kind = kindOf(method)
    const prepared = this.rowsOf(compiled, kind, x, y, options.sampleWeight)
    const dataset = weighClasses(prepared, options.classWeight, this.outputNames)
    const last = this.lastSteps[method]
    const known = last !== null && !hasStrings(dataset.inputs) && this.isLikeLast(last, compiled, dataset) ? last : null
    const { program, batch } =
      known === null ? this.makeStep(method, compiled, dataset) : { program: known.program, batch: dataset }
    this.checkInputs(dataset, kind)
    this.checkTargets(compiled, dataset, kind)
    compiled.resetMetrics()
    const tensors = tensorsOf(batch)
    if (!runOn(program, tensors)) {
      load(program, tensors)
      const instruction = whatFailed(program)
      throw new NonFiniteError(
        `${method} met a value that is not finite: ${instruction}. The weights are unchanged.`,
        1,
        instruction,
      )
    }
    return readLogs(kind, this.steps, compiled)
  }

  private isLikeLast(last: LastStep, compiled: Compiled, { inputs, targets, weights, x, y }: Dataset): boolean {
    return (
      last.version === structure.version &&
      last.source === this.steps &&
      last.compiled === compiled &&
      last.dataset.x === x &&
      last.dataset.y === y &&
      last.epoch === compiled.runtime.epoch &&
      sameTypes(inputs, last.dataset.inputs) &&
      sameTypes(targets, last.dataset.targets) &&
      sameTypes(weights, last.dataset.weights)
    )
  }

  private makeStep(
    method: 'trainOnBatch' | 'testOnBatch',
    compiled: Compiled,
    dataset: Dataset,
  ): { readonly program: Program; readonly batch: Dataset } {
    const kind = kindOf(method)
    this.prepare(dataset.x, dataset.inputs, kind)
    const batch = this.prepareTargets(compiled, dataset, kind)
    const training = kind === 'train'
    if (training) this.buildOptimizer(compiled)
    const { steps } = this
    const types = typesOf(batch, dataset.size)
    const program = training ? steps.train(compiled, types) : steps.test(compiled, types)
    // Trees of inputs or targets are new objects each time: only single tensors are recognised.
    const last = {
      dataset,
      program,
      source: steps,
      version: structure.version,
      compiled,
      epoch: compiled.runtime.epoch,
    }
    steps.holdInstead(program, this.lastSteps[method])
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
   * The graph of a training step on `rows` rows, which need not have been run; null if the model is not built, or if
   * extents other than the number of rows are open. Creates the optimizer's slots; nothing else changes.
   * @throws StateError if a custom step has not run on this number of rows
   * @internal
   */
  trainingGraph(rows: number): Graph | null {
    const compiled = this.requireCompiled('asking what a step costs')
    const { model } = this
    const ran = [...this.programs].find(
      ([key, { graph }]) => /^train (?!probe)/.test(key) && graph.parameters[0]?.shape[0] === rows,
    )
    if (ran !== undefined) return ran[1].graph
    if (model.hasOwnStep)
      throw new StateError(
        `${model}: what a trainStep of your own costs is known when it ran on a batch of ${rows}: call trainOnBatch once`,
      )
    const specs = (model.graph?.inputSpecs as Tree<TensorSpec> | undefined) ?? model.buildSpec
    if (specs === null || flatten(specs).some(({ shape }) => shape.slice(1).includes(null))) return null
    const inputs = flatten(specs).map(({ shape, dtype }) => ({
      shape: [rows, ...shape.slice(1).map((extent) => extent!)],
      dtype,
    }))
    this.prepare(specs, inputs, 'train')
    this.buildOptimizer(compiled)
    const outputSpecs = this.steps.outputSpecs(specs, inputs)
    const outputs = flatten(outputSpecs).map(({ shape }) => shape.map((extent) => extent ?? rows))
    return compiled.supposing(() => {
      const losses = compiled.lossesFor(
        outputs,
        outputs.map(() => null),
      )
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
    const variables = [
      ...this.model.weights,
      ...this.model.stateVariables,
      ...(this.compiled?.optimizer.variables ?? []),
    ]
    for (const storage of new Set(variables.map((variable) => variable.storage))) {
      storage.dispose()
      storage.runtime.invalidate()
    }
  }
}

/**
 * The keys of a record of outputs, numbered if there are several below one, otherwise the names of the layers that
 * create them.
 */
function namesOfOutputs(specs: Tree<unknown>, layerNames: readonly string[]): readonly string[] {
  if (!isBranch(specs) || Array.isArray(specs)) return layerNames
  return Object.entries(specs).flatMap(([key, child]) => {
    const count = flatten(child as Tree<unknown>).length
    return count === 1 ? [key] : Array.from({ length: count }, (_, i) => `${key}_${i}`)
  })
}

/** Runs a program once on these tensors. Returns false if a value was not finite; then nothing was updated. */
function runOn(program: Program, tensors: readonly Tensor[]): boolean {
  load(program, tensors)
  return program.run()
}

/** Runs an evaluation during a training run, and restores the metrics afterwards. */
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
