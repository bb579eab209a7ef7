// Model: a layer that can be compiled, trained, evaluated, asked and saved. What each method does in detail is
// in fit.ts, steps.ts, summary.ts, save.ts and load.ts.

import type { History, Logs } from '../training/callbacks'
import { formatLogs } from '../training/callbacks/progress'
import { ArgumentError, NonFiniteError, ShapeError, StateError, checkOptions, formatShape } from '../core/errors'
import type { DType } from '../core/dtypes'
import type { Shape } from '../core/shapes'
import { sameShape } from '../core/shapes'
import { Layer } from '../layers'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import { nextSeed } from '../ops/seed'
import { Tensor } from '../ops/tensor'
import type { Optimizer } from '../optimizers'
import type { Variable } from '../ops/variable'
import { customObjectScope } from '../core/registry'
import { writeFile } from '../runtime/platform'
import type { Program } from '../runtime/program'
import { withRuntime } from '../runtime/runtime'
import type { CompileOptions } from '../training/compiled'
import { Compiled } from '../training/compiled'
import type { ClassWeight, Dataset } from '../data/arrays'
import { RowSource, prepareDataset, prepareInputs, splitValidation, weighClasses } from '../data/arrays'
import type { EvaluateOptions, FitOptions } from '../training/loop'
import { checkCallbacks } from '../training/callbacks/callback'
import { BatchRunner, FIT_OPTIONS, evaluateDataset, readLogs, requireCount, runTraining } from '../training/loop'
import { saveModel } from '../formats/save'
import { Pace } from '../training/pace'
import type { BatchTypes } from '../training/steps'
import { Steps } from '../training/steps'
import type { SummaryOptions } from './summary'
import { printSummary } from './summary'

export interface PredictOptions {
  /** Samples per step. Default 32. */
  batchSize?: number
  signal?: AbortSignal
}

export interface TrainOnBatchOptions {
  sampleWeight?: TensorLike
  classWeight?: ClassWeight
}

export abstract class Model extends Layer {
  /** Set it in a callback to end fit after the current step. */
  stopTraining = false
  private compiled: Compiled | null = null
  private steps = new Steps(this)
  private stepsFor: readonly Variable[] | null = null
  private busy = false
  /** A callback of a running fit has its turn. @internal */
  listening = false
  /** The seed of the order of rows, and how many epochs were drawn from it. @internal */
  readonly shuffleState = { seed: nextSeed(), epoch: 0 }
  private lastPrediction: { readonly shape: Shape; readonly dtype: DType; readonly program: Program; readonly source: Steps } | null = null

  /** The layers, in order. */
  abstract get layers(): readonly Layer[]

  /** The optimizer chosen by compile. */
  get optimizer(): Optimizer {
    return this.requireCompiled('optimizer').optimizer
  }

  /** What compile chose; null before. @internal */
  get compiledState(): Compiled | null {
    return this.compiled
  }

  /**
   * Chooses how to train. Weights stay as they are; optimizer state starts anew.
   * @throws ArgumentError for unknown names, with the nearest known one
   */
  compile(options: CompileOptions, customObjects: Readonly<Record<string, unknown>> = {}): void {
    this.requireIdle('compile')
    this.compiled = customObjectScope(customObjects, () => this.inOwnRuntime(() => new Compiled(options, customObjects)))
    this.resetPrograms()
  }

  /** What belongs to the model is made where its weights are, whatever configure() chose since. */
  private inOwnRuntime<Result>(body: () => Result): Result {
    const [weight] = this.weights
    return weight === undefined ? body() : withRuntime(weight.runtime, body)
  }

  /** Forgets what was compiled, because the layers changed. */
  protected resetPrograms(): void {
    this.steps.dispose()
    this.steps = new Steps(this)
    this.lastPrediction = null
  }

  private requireCompiled(method: string): Compiled {
    if (this.compiled !== null) return this.compiled
    throw new StateError(`${this}: call compile() before ${method}, for example model.compile({ optimizer: 'adam', loss: 'meanSquaredError' })`)
  }

  private requireIdle(method: string): void {
    if (this.busy && !(this.listening && method === 'evaluate')) throw new StateError(`${this}: ${method} while fit or evaluate is running. Await it first.`)
  }

  /** Builds for a batch of inputs, and checks that it fits. */
  private prepare(x: Tensor): void {
    this.ensureBuilt([null, ...x.shape.slice(1)])
    this.checkInput(x.shape)
    // A weight that was frozen or added since makes other programs; a fit that is running goes on with its own.
    const weights = this.trainableWeights
    const known = this.stepsFor
    if (this.busy || (known !== null && weights.length === known.length && weights.every((weight, i) => weight === known[i]))) return
    if (known !== null) this.resetPrograms()
    this.stepsFor = weights
  }

  /** @throws ShapeError when a batch does not fit the model. */
  protected abstract checkInput(shape: Shape): void

  /** Makes optimizer slots for the weights that are trained now, which moves the weights. */
  private buildOptimizer(): void {
    const { optimizer } = this
    const weights = this.stepsFor ?? this.trainableWeights
    if (optimizer.isBuiltFor(weights)) return
    this.resetPrograms()
    optimizer.build(weights, this.weights)
  }

  private prepareTargets(compiled: Compiled, dataset: Dataset, where: string): void {
    const output = this.steps.outputShape(dataset.x)
    try {
      compiled.loss.checkTargets(dataset.y, output)
    } catch (error) {
      if (error instanceof Error) error.message = `${where}: ${error.message}`
      throw error
    }
  }

  /**
   * Trains for a number of epochs. Gives the event loop its turns while it runs. x and y must not change meanwhile: they
   * may have been copied.
   * @param x inputs [samples, …]
   * @param y targets [samples, …]
   * @returns the logs of every epoch
   * @throws StateError before compile; DataError and ShapeError for data that cannot be right;
   * NonFiniteError when a step is not finite. After any error the weights are those of the last good step.
   */
  async fit(x: TensorLike, y: TensorLike, options: FitOptions = {}): Promise<History> {
    const compiled = this.requireCompiled('fit')
    this.requireIdle('fit')
    checkOptions('fit', options, FIT_OPTIONS)
    checkFitOptions(options)
    options.signal?.throwIfAborted()
    const { sampleWeight, classWeight, validationSplit = 0, validationData } = options
    let dataset = prepareDataset(x, y, sampleWeight)
    let validation: Dataset | null = null
    if (validationData !== undefined) {
      if (!Array.isArray(validationData)) throw new ArgumentError('fit: validationData must be [x, y] or [x, y, sampleWeight]')
      const [vx, vy, weight] = validationData
      validation = prepareDataset(vx, vy, weight, { x: 'validationData[0]', y: 'validationData[1]' })
    } else if (validationSplit !== 0) {
      ;[dataset, validation] = splitValidation(dataset, validationSplit)
    }
    // Only training weighs classes.
    dataset = weighClasses(dataset, classWeight)
    this.prepare(dataset.x)
    this.prepareTargets(compiled, dataset, 'y')
    if (validation !== null) {
      this.checkInput(validation.x.shape)
      this.prepareTargets(compiled, validation, 'validation targets')
    }
    this.buildOptimizer()
    return this.exclusively(() =>
      runTraining({
        model: this,
        steps: this.steps,
        compiled,
        dataset,
        validation,
        options,
        nextShuffle: () => ({ seed: this.shuffleState.seed, epoch: this.shuffleState.epoch++ }),
      }),
    )
  }

  private async exclusively<Result>(body: () => Promise<Result>): Promise<Result> {
    const outer = this.busy
    this.busy = true
    try {
      return await body()
    } finally {
      this.busy = outer
    }
  }

  /** The loss and metrics on a data set, by name. */
  async evaluate(x: TensorLike, y: TensorLike, options: EvaluateOptions = {}): Promise<Logs> {
    checkOptions('evaluate', options, ['batchSize', 'sampleWeight', 'verbose', 'signal'])
    const { batchSize = 32, sampleWeight, verbose = 0, signal } = options
    const compiled = this.requireCompiled('evaluate')
    this.requireIdle('evaluate')
    requireCount('batchSize', batchSize)
    const dataset = prepareDataset(x, y, sampleWeight)
    this.prepare(dataset.x)
    this.prepareTargets(compiled, dataset, 'y')
    const logs = await this.exclusively(() => evaluateDataset(this.steps, compiled, dataset, batchSize, signal))
    if (verbose !== 0) console.log(`evaluate${formatLogs(logs)}`)
    return logs
  }

  /** The outputs for all rows of x: [samples, …]. Needs no compile. */
  async predict(x: TensorLike, options: PredictOptions = {}): Promise<Tensor> {
    checkOptions('predict', options, ['batchSize', 'signal'])
    const { batchSize = 32, signal } = options
    requireCount('batchSize', batchSize)
    const inputs = prepareInputs(x, 'x')
    this.prepare(inputs)
    const size = inputs.shape[0]!
    const source = new RowSource(inputs)
    let data: Float32Array | Int32Array | null = null
    const pace = new Pace(signal)
    let output: Tensor | null = null
    signal?.throwIfAborted()
    for (let start = 0; start < size; start += batchSize) {
      const count = Math.min(batchSize, size - start)
      const program = this.steps.predict({ dtype: inputs.dtype, shape: [count, ...inputs.shape.slice(1)] })
      source.fill(program.parameter(0), null, start, count)
      program.run()
      const { shape, dtype } = program.graph.outputs[0]!
      const part = program.output(0)
      if (data === null || output === null) {
        const total = (part.length / count) * size
        data = dtype === 'float32' ? new Float32Array(total) : new Int32Array(total)
        output = new Tensor(data, [size, ...shape.slice(1)], dtype)
      }
      data.set(part, start * (part.length / count))
      if (pace.isDue()) await pace.yield()
    }
    return output!
  }

  /** The outputs for one batch, at once. */
  predictOnBatch(x: TensorLike): Tensor {
    const inputs = toTensor(x, 'x')
    const program = this.predictionProgram(inputs)
    const { data } = inputs
    const target = program.parameter(0)
    if (data.length > 64) target.set(data)
    else for (let i = 0; i < data.length; i++) target[i] = data[i]!
    program.run()
    const { shape, dtype } = program.graph.outputs[0]!
    const content = program.output(0)
    return new Tensor(dtype === 'float32' ? new Float32Array(content) : new Int32Array(content), shape, dtype)
  }

  private predictionProgram(inputs: Tensor): Program {
    const last = this.lastPrediction
    if (last !== null && last.source === this.steps && last.dtype === inputs.dtype && sameShape(last.shape, inputs.shape)) return last.program
    if (inputs.rank === 0 || inputs.shape[0] === 0) throw new ShapeError(`${this}: needs at least one row, received ${formatShape(inputs.shape)}`)
    this.prepare(inputs)
    const program = this.steps.predict({ dtype: inputs.dtype === 'bool' ? 'float32' : inputs.dtype, shape: inputs.shape })
    this.lastPrediction = { shape: inputs.shape, dtype: inputs.dtype, program, source: this.steps }
    return program
  }

  /**
   * One training step on one batch, at once.
   * @returns the loss and metrics of this batch
   * @throws NonFiniteError when a value is not finite; the weights are then unchanged
   */
  trainOnBatch(x: TensorLike, y: TensorLike, { sampleWeight, classWeight }: TrainOnBatchOptions = {}): Logs {
    return this.onBatch('trainOnBatch', x, y, { sampleWeight, classWeight })
  }

  /** The loss and metrics of one batch, at once. */
  testOnBatch(x: TensorLike, y: TensorLike, { sampleWeight }: { sampleWeight?: TensorLike } = {}): Logs {
    return this.onBatch('testOnBatch', x, y, { sampleWeight, classWeight: undefined })
  }

  private onBatch(
    method: 'trainOnBatch' | 'testOnBatch',
    x: TensorLike,
    y: TensorLike,
    weights: { sampleWeight: TensorLike | undefined; classWeight: ClassWeight | undefined },
  ): Logs {
    const compiled = this.requireCompiled(method)
    this.requireIdle(method)
    const dataset = weighClasses(prepareDataset(x, y, weights.sampleWeight), weights.classWeight)
    this.prepare(dataset.x)
    this.prepareTargets(compiled, dataset, 'y')
    const training = method === 'trainOnBatch'
    if (training) this.buildOptimizer()
    const make = (types: BatchTypes): Program => (training ? this.steps.train(compiled, types) : this.steps.test(compiled, types))
    const runner = new BatchRunner(dataset, make)
    runner.program(dataset.size)
    compiled.resetMetrics()
    if (!runner.run(0, dataset.size)) {
      const instruction = runner.diagnose(0, dataset.size)
      throw new NonFiniteError(`trainOnBatch met a value that is not finite: ${instruction}. The weights are unchanged.`, 1, instruction)
    }
    return readLogs(this.steps, compiled)
  }

  /**
   * Replaces all weights, or none.
   * @param weights in the order of getWeights()
   * @throws ShapeError naming the first that does not fit
   */
  setWeights(weights: readonly TensorLike[]): void {
    const own = this.weights
    if (weights.length !== own.length) {
      const hint = own.length === 0 && !this.built ? ' The model has no weights before its first call; give the first layer inputShape.' : ''
      throw new ArgumentError(`${this}: setWeights needs ${own.length} tensors, received ${weights.length}.${hint}`)
    }
    const tensors = weights.map((weight, i) => {
      const tensor = toTensor(weight, `weights[${i}]`, own[i]!.dtype)
      if (sameShape(tensor.shape, own[i]!.shape)) return tensor
      throw new ShapeError(`${own[i]!.name}: weights[${i}] must have shape ${formatShape(own[i]!.shape)}, received ${formatShape(tensor.shape)}`)
    })
    tensors.forEach((tensor, i) => own[i]!.assign(tensor))
  }

  /** The layer of a name or a position. */
  getLayer(nameOrIndex: string | number): Layer {
    const layer = typeof nameOrIndex === 'number' ? this.layers.at(nameOrIndex) : this.layers.find(({ name }) => name === nameOrIndex)
    if (layer !== undefined) return layer
    throw new ArgumentError(`${this}: there is no layer ${String(nameOrIndex)}. There are: ${this.layers.map(({ name }) => name).join(', ')}`)
  }

  /** Prints the layers, their output shapes and their numbers of parameters. */
  summary(options: SummaryOptions = {}): void {
    printSummary(this, options)
  }

  /**
   * The whole model as bytes: architecture, weights, what compile chose, optimizer state. A safetensors file.
   * @param path where to write it as well (Node)
   */
  async save(path?: string | URL): Promise<Uint8Array> {
    const bytes = saveModel(this)
    if (path !== undefined) await writeFile(path, bytes)
    return bytes
  }

  /** The compiled programs as text, by input signature, with the layer's name on every instruction. */
  disassemble(): Map<string, string> {
    return this.steps.disassemble()
  }

  /** Gives the model's linear memory back now instead of when it is garbage-collected. */
  dispose(): void {
    this.requireIdle('dispose')
    this.resetPrograms()
    const variables = [...this.weights, ...this.stateVariables, ...(this.compiled?.optimizer.variables ?? [])]
    for (const storage of new Set(variables.map((variable) => variable.storage))) {
      storage.dispose()
      storage.runtime.invalidate()
    }
  }
}

function checkFitOptions({
  batchSize = 32, epochs = 1, initialEpoch = 0, validationFreq = 1, validationBatchSize = 32, verbose = 1, callbacks = [],
}: FitOptions): void {
  requireCount('batchSize', batchSize)
  requireCount('epochs', epochs)
  requireCount('initialEpoch', initialEpoch, 0)
  requireCount('validationFreq', validationFreq)
  requireCount('validationBatchSize', validationBatchSize)
  if (![0, 1, 2].includes(verbose)) throw new ArgumentError(`verbose must be 0, 1 or 2, received ${String(verbose)}`)
  checkCallbacks(callbacks)
}

