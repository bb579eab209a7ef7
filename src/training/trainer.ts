// Trainer: the part of a model to which compile, fit, evaluate and predict belong. What a model is made of, and its files, are in models/.

import { requireArguments } from '../core/arguments'
import { StateError } from '../core/errors'
import { describingForFile, type Config, type CustomObjects } from '../core/registry'
import type { TensorType } from '../core/shapes'
import { typed, type Tree } from '../core/tree'
import { warnOnce } from '../core/warnings'
import type { Batches, DataOf, TargetsOf } from '../data/samples/data-types'
import { Layer } from '../layers'
import { tensorsOf } from '../layers/applying'
import { currentFrame } from '../layers/context'
import type { Metric } from '../metrics/metric'
import type { Tensor } from '../ops/tensor'
import { withScope } from '../ops/trace'
import type { Variable } from '../ops/variable'
import type { Optimizer } from '../optimizers'
import type { Batch, ForwardOptions, ForwardResult, StepLogs } from './batch'
import type { History, Logs } from './callbacks'
import type { CompileOptions } from './compiled'
import { evaluate } from './evaluate'
import { fit } from './fit'
import { readLogs } from './logs'
import { testOnBatch, trainOnBatch } from './on-batch'
import {
  EVALUATE,
  FIT,
  PREDICT,
  TEST_ON_BATCH,
  TRAIN_ON_BATCH,
  type EvaluateOptions,
  type FitOptions,
  type PredictOptions,
  type TrainOnBatchOptions,
} from './options'
import { predict, predictOnBatch } from './predict'
import { TrainingState } from './state'
import { forward, guardedGradients, totalLoss, type TrainedModel } from './step'

/** A layer that can be trained, evaluated, and used for predictions: the base of Model. Keras: `Trainer`. */
export abstract class Trainer<In, Out> extends Layer<In, Out> {
  /** Set it in a callback to end fit after the current step. */
  stopTraining = false
  /** The history of the last `fit`, also of one that runs; null before. Keras: `Model.history`. */
  history: History | null = null
  readonly #training = new TrainingState(this)

  /** The calls of layers in the model; null if `call` is overridden. @internal */
  abstract get graph(): TrainedModel['graph']

  /** Whether the model is known to have a single input. @internal */
  abstract get takesOneInput(): boolean

  /** Whether a layer checks data: see checkData. @internal */
  abstract get checksData(): boolean

  /** @throws DataError for data that a layer cannot use. @internal */
  abstract checkData(inputs: readonly Tensor[]): void

  /** @throws ShapeError if a batch does not fit the model. @internal */
  abstract checkInput(types: readonly TensorType[]): void

  /** The whole model as bytes, for callbacks. */
  abstract save(path?: string | URL): Promise<Uint8Array>

  /** The weights alone as bytes, for callbacks. */
  abstract saveWeights(path?: string | URL): Promise<Uint8Array>

  /** The optimizer of compile. */
  get optimizer(): Optimizer {
    return this.#training.requireCompiled('optimizer').optimizer
  }

  /** Whether compile was called. */
  get compiled(): boolean {
    return this.#training.compiled !== null
  }

  /** Whether steps run without being compiled: never. To set it warns once. `configure({ backend: 'interpreter' })` compiles nothing. */
  get runEagerly(): boolean {
    return false
  }

  set runEagerly(value: boolean) {
    ignoreSetting(value)
  }

  /** Whether steps are compiled: always. To set it to false warns once. */
  get jitCompile(): boolean {
    return true
  }

  set jitCompile(value: boolean) {
    ignoreSetting(!value)
  }

  /** After how many steps callbacks are called: each one. To set another number warns once. */
  get stepsPerExecution(): number {
    return 1
  }

  set stepsPerExecution(value: number) {
    ignoreSetting(value !== 1)
  }

  /** Refuses a loss without compile, which would have no effect. @internal */
  set loss(_loss: never) {
    throw new StateError('model.loss cannot be set. Call compile again')
  }

  /**
   * The loss tracker and all metrics, from compile and from properties of the model. 'accuracy' and 'crossentropy', which
   * depend on shapes, and the trackers of several losses are listed after the first batch. A custom step that reads this
   * list must update the metrics itself; they are then in the logs.
   */
  override get metrics(): readonly Metric[] {
    return this.#training.metrics
  }

  /** The names of the loss and all metrics, as in logs. Keras: `Model.metrics_names`. */
  get metricsNames(): readonly string[] {
    return this.#training.requireCompiled('metricsNames').names
  }

  /** Sets the loss tracker and all metrics to their initial state. Keras: `Model.reset_metrics`. */
  resetMetrics(): void {
    requireArguments('resetMetrics', arguments, 0)
    this.#training.compiled?.resetMetrics()
  }

  /**
   * The results of the loss tracker and all metrics since they were reset, by name.
   *
   * Keras: `Model.get_metrics_result`.
   */
  getMetricsResult(): Logs {
    requireArguments('getMetricsResult', arguments, 0)
    return readLogs('test', this.#training.steps, this.#training.requireCompiled('getMetricsResult'))
  }

  /** The state of training, except the weights. @internal */
  get training(): TrainingState {
    return this.#training
  }

  /**
   * Configures training. Weights are kept; the optimizer state is reset. Losses, their weights and metrics are given
   * once, or per output as a list or a record.
   *
   *   model.compile({ optimizer: 'adam', loss: { price: 'huber', kind: 'sparseCategoricalCrossentropy' },
   *                   lossWeights: { price: 0.2 }, metrics: { kind: ['accuracy'] } })
   *
   * @throws ArgumentError for unknown names, with the nearest known one
   */
  compile(options: CompileOptions = {}, customObjects: CustomObjects = {}): void {
    this.#training.compile(options, customObjects)
  }

  /** The options of compile as a plain object, for `compileFromConfig`; null before compile. Keras: `get_compile_config`. */
  getCompileConfig(): Config | null {
    return describingForFile(() => this.#training.compiled?.serialize() ?? null)
  }

  /**
   * Compiles with what `getCompileConfig` returned. The optimizer begins anew.
   *
   *   copy.compileFromConfig(model.getCompileConfig())
   *
   * @param customObjects the user's losses, metrics and functions by name
   */
  compileFromConfig(config: Config | null, customObjects: CustomObjects = {}): void {
    if (config !== null) this.compile(config as CompileOptions, customObjects)
  }

  /** Drops the compiled programs, because the layers changed. @internal */
  protected resetPrograms(): void {
    this.#training.resetPrograms()
  }

  /**
   * One training step, traced once per input signature and compiled to one tape. Override it for a custom step; scalars
   * that it returns appear in the logs. A custom step may take other data than the model's inputs and outputs, such as a record, and
   * no targets.
   */
  trainStep(batch: Batch<In, Out>): StepLogs | void {
    const result = this.forward(batch)
    const weights = this.trainableWeights
    this.optimizer.apply(this.gradients(this.optimizer.scaleLoss(result.loss), weights), weights)
    this.updateMetrics(batch, result)
  }

  /** One step of evaluate. */
  testStep(batch: Batch<In, Out>): StepLogs | void {
    this.updateMetrics(batch, this.forward(batch, { training: false }))
  }

  /** The outputs for one batch of predict. */
  predictStep(x: In): Out {
    return this.applyTo([x, { training: false }])
  }

  /** Calls all layers that read inputs in any kind of step. @internal */
  lookStep(x: In): unknown {
    return this.predictStep(x)
  }

  /** The model's outputs for a batch, and the total loss: of compile and of layers. Inside a step. */
  forward(batch: Batch<In, Out>, { training = true }: ForwardOptions = {}): ForwardResult<Out> {
    const { x, y, sampleWeight } = batch
    return forward(
      this.#training.requireCompiled('forward'),
      training,
      () => this.applyTo([x]),
      (outputs) => this.computeLoss(x, y, outputs, sampleWeight),
    )
  }

  /**
   * The scalar that is minimised: the weighted losses of compile, plus `losses`. Override it for a custom loss, which
   * the built-in steps then minimise and report; custom steps and loops may call it.
   *
   *   computeLoss(x, y, yPred) {
   *     return [ops.mean(ops.abs(ops.subtract(y, yPred))), ...this.losses].reduce((a, b) => ops.add(a, b))
   *   }
   *
   * Keras: `Model.compute_loss`.
   * @param y targets in the structure of the outputs, also as arrays; null for an output without a loss
   * @param sampleWeight in the structure of the outputs, or one for all outputs
   * @throws StateError before compile; ArgumentError if there is nothing to minimise, and for missing targets
   */
  computeLoss(_x: In, y: Out | null, yPred: Out, sampleWeight: Tree<Tensor | null> = null): Tensor {
    requireArguments('computeLoss', arguments, 4)
    const compiled = this.#training.requireCompiled('computeLoss')
    return totalLoss(this, compiled, { y, sampleWeight }, typed(tensorsOf(this, yPred)))
  }

  /**
   * Updates the metrics of compile, and those that layers report with `addMetric`, with a batch; not the loss tracker.
   * For a custom `trainStep` or `testStep`.
   *
   * Keras: `Model.compute_metrics`; the results are in the logs after the step.
   */
  computeMetrics(_x: In, y: Out | null, yPred: Out, sampleWeight: Tree<Tensor | null> = null): void {
    requireArguments('computeMetrics', arguments, 4)
    const compiled = this.#training.requireCompiled('computeMetrics')
    const reports = currentFrame()?.context.metrics ?? []
    withScope('metrics', () =>
      compiled.updateMetrics(
        { y, sampleWeight },
        { outputs: typed(tensorsOf(this, yPred)), loss: null, losses: compiled.lastLosses, reports },
      ),
    )
  }

  /**
   * ∂loss/∂v for each variable, by default for all trainable weights. A step with a non-finite loss or gradient changes
   * nothing. Inside a step.
   */
  gradients(loss: Tensor, variables: readonly Variable[] = this.trainableWeights): Tensor[] {
    requireArguments('gradients', arguments, 2)
    return guardedGradients(loss, variables, this.#training.compiled?.optimizer.skipsNonFinite)
  }

  /** Updates the loss tracker and the metrics of compile with a batch. Inside a step. */
  updateMetrics(batch: Batch<In, Out>, result: ForwardResult<Out>): void {
    requireArguments('updateMetrics', arguments, 2)
    const compiled = this.#training.requireCompiled('updateMetrics')
    withScope('metrics', () => compiled.updateMetrics(batch, typed(result)))
  }

  /** Whether a custom step replaces the built-in one. @internal */
  get hasOwnStep(): boolean {
    return this.trainStep !== Trainer.prototype.trainStep
  }

  /** Whether a custom test step replaces the built-in one. @internal */
  get hasOwnTestStep(): boolean {
    return this.testStep !== Trainer.prototype.testStep
  }

  /**
   * Trains for a number of epochs, and yields to the event loop meanwhile. x and y must not change while it runs: they
   * may have been copied.
   *
   *   await model.fit(x, y, { epochs: 5 })
   *   await model.fit([{ age: 33, sex: 'f', price: 7 }], 'price') // rows as objects, for a model with named inputs
   *   await model.fit(batches, { epochs: 5 }) // a Dataset, generator function, stream: x, [x, y], [x, y, sampleWeight]
   *
   * @param x inputs [samples, …], in the structure of the model's inputs; or rows as objects with a value for each
   * input; or batches of samples with their targets
   * @param y targets [samples, …] in the structure of the outputs; or, for rows as objects, the key of the target, or
   * the keys in the structure of the outputs; or the options, for batches and for models without
   * targets
   * @returns the logs of every epoch
   * @throws StateError before compile; DataError and ShapeError for invalid data; NonFiniteError if a step is not
   * finite. After any error, the weights are those of the last successful step.
   */
  fit(data: Batches<In, Out> | DataOf<In>, options?: FitOptions<In, Out>): Promise<History>
  fit(x: DataOf<In>, y?: TargetsOf<Out> | null, options?: FitOptions<In, Out>): Promise<History>
  async fit(x: unknown, y?: unknown, ...args: readonly unknown[]): Promise<History> {
    return fit(this.#training, [x, y, FIT.optionsIn(args)])
  }

  /** The loss and metrics on a data set, by name. Accepts batches like fit. */
  evaluate(data: Batches<In, Out> | DataOf<In>, options?: EvaluateOptions): Promise<Logs>
  evaluate(x: DataOf<In>, y?: TargetsOf<Out> | null, options?: EvaluateOptions): Promise<Logs>
  async evaluate(x: unknown, y?: unknown, ...args: readonly unknown[]): Promise<Logs> {
    return evaluate(this.#training, [x, y, EVALUATE.optionsIn(args)])
  }

  /**
   * The outputs for all rows of x: [samples, …]; a list or record of tensors for several outputs. Needs no compile.
   * Accepts batches and rows as objects like fit, and uses only their inputs. One object is one row.
   */
  predict(x: DataOf<In> | Batches<In, Out>, options?: PredictOptions): Promise<ReturnType<this['call']>>
  async predict(x: unknown, ...args: readonly unknown[]): Promise<unknown> {
    return predict(this.#training, x, PREDICT.optionsIn(args))
  }

  /** The outputs for one batch, synchronously. One object with a value for each input is a batch of one row. */
  predictOnBatch(x: DataOf<In>): ReturnType<this['call']>
  predictOnBatch(x: unknown): unknown {
    requireArguments('predictOnBatch', arguments, 1)
    return predictOnBatch(this.#training, x)
  }

  /**
   * One training step on one batch, synchronously.
   * @returns the loss and metrics of this batch
   * @throws NonFiniteError if a value is not finite; the weights are then unchanged
   */
  trainOnBatch(x: DataOf<In>, options?: TrainOnBatchOptions): Logs
  trainOnBatch(x: DataOf<In>, y?: TargetsOf<Out> | null, options?: TrainOnBatchOptions): Logs
  trainOnBatch(x: unknown, y?: unknown, ...args: readonly unknown[]): Logs {
    return trainOnBatch(this.#training, [x, y, TRAIN_ON_BATCH.optionsIn(args)])
  }

  /** The loss and metrics of one batch, synchronously. */
  testOnBatch(x: DataOf<In>, options?: TrainOnBatchOptions): Logs
  testOnBatch(x: DataOf<In>, y?: TargetsOf<Out> | null, options?: TrainOnBatchOptions): Logs
  testOnBatch(x: unknown, y?: unknown, ...args: readonly unknown[]): Logs {
    return testOnBatch(this.#training, [x, y, TEST_ON_BATCH.optionsIn(args)])
  }

  /**
   * Frees the model's linear memory now, not when it is garbage-collected. Layers of which another model was made, too, keep their
   * weights until that one is disposed.
   */
  dispose(): void {
    requireArguments('dispose', arguments, 0)
    this.#training.dispose()
  }
}

/** Warns once if a setting of Keras that changes nothing here has another value than what happens. */
function ignoreSetting(isOther: boolean): void {
  if (isOther) warnOnce('This setting changes nothing: steps are compiled')
}
