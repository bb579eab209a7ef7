// Predictions of one model: for arrays, for a sequence of batches, and for one batch synchronously.

import type { DType, TensorData } from '../core/dtypes'
import { allocateData, dtypes } from '../core/dtypes'
import { DataError, ShapeError, checkOptions, formatShape, restating } from '../core/errors'
import type { Shape, TensorType } from '../core/shapes'
import { sameShape } from '../core/shapes'
import type { Tree } from '../core/tree'
import { structureOf, unflatten } from '../core/tree'
import type { Readers, prepareInputs } from '../data/arrays'
import { RowSource, isNamedData, requireNumbers } from '../data/arrays'
import type { ElementsOrMaker } from '../data/source'
import { END, isElements, isPromise, sourceOf } from '../data/source'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import type { Program } from '../runtime/program'
import type { CallbackMethods, Callbacks } from './callbacks/callback'
import { callbacksOf } from './callbacks/callback'
import { Listeners } from './listeners'
import type { Verbosity } from './loop'
import { Pace, letGo } from '../data/pace'
import { load } from './runner'
import { batchOf, checkSignal, checkVerbose, refuseForBatches, requireCount, requireEnd } from './said'
import type { TrainedModel } from './step'
import type { Prediction, Steps } from './steps'

export interface PredictOptions {
  /** Samples per step. Default 32. */
  batchSize?: number
  /** The number of batches to use. Default null: all. */
  steps?: number | null
  /** Callbacks whose prediction methods are called. Default none. */
  callbacks?: Callbacks
  /** Accepted for Keras's sake; nothing is printed. Default 0. */
  verbose?: Verbosity
  /** Ends it after the current step, or while a batch is awaited; predict then rejects with the signal's reason. */
  signal?: AbortSignal
}

interface LastPrediction {
  readonly shape: Shape
  readonly dtype: DType
  readonly program: Program
  readonly source: Steps
  /** Whether a layer checks the data. */
  readonly isChecked: boolean
}

/** Inputs as rows, with the readers of string inputs. */
type Rows = ReturnType<typeof prepareInputs> & { readonly readers?: Readers }

/** The parts of a trainer that a predictor uses. */
export interface Predicted {
  readonly model: TrainedModel
  /** The current programs. */
  readonly steps: Steps
  /** Whether the programs were compiled for the current layers. */
  readonly isCurrent: boolean
  /** Checked inputs as rows; builds the model for them. */
  readInputs(x: unknown): Rows
  /** The error of a batch, with advice if it is probably a row. */
  hinting(message: string, batch: unknown): string
}

/** The predicted rows, batch after batch. */
class PredictedRows {
  /** For each output; grows with the rows if their number is unknown. */
  private readonly columns: {
    data: TensorData
    readonly width: number
    readonly shape: Shape
    readonly dtype: DType
  }[] = []
  private structure: Tree<unknown> = null
  size = 0

  /** @param most the number of rows; null if unknown */
  constructor(
    private readonly model: TrainedModel,
    private readonly most: number | null,
  ) {}

  take({ program, structure }: Prediction, count: number): void {
    this.structure = structure
    program.graph.outputs.forEach(({ shape, dtype }, i) => {
      if (shape[0] !== count)
        throw new ShapeError(
          `${this.model}: predict needs outputs of one row per sample, received ${formatShape(shape)} for ${count}`,
        )
      const part = program.output(i)
      const width = part.length / count
      const rows = this.size + count
      const column = (this.columns[i] ??= {
        data: allocateData(dtype, width * (this.most ?? rows)),
        width,
        shape: shape.slice(1),
        dtype,
      })
      if (!sameShape(column.shape, shape.slice(1))) {
        throw new ShapeError(
          `${this.model}: predict needs rows of one shape, received ${formatShape(shape.slice(1))} after ${formatShape(column.shape)}. Pad sequences to one length, or use predictOnBatch.`,
        )
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

  /** The last `count` rows. */
  last(count: number): Tree<Tensor> {
    const { size, structure } = this
    return unflatten<Tensor>(
      structure,
      this.columns.map(
        ({ data, width, shape, dtype }) =>
          new Tensor(data.slice((size - count) * width, size * width), [count, ...shape], dtype),
      ),
    )
  }

  get outputs(): Tree<Tensor> {
    const { size, structure } = this
    return unflatten<Tensor>(
      structure,
      this.columns.map(({ data, width, shape, dtype }) => {
        const rows = data.length === size * width ? data : data.slice(0, size * width)
        return new Tensor(rows, [size, ...shape], dtype)
      }),
    )
  }
}

export class Predictor {
  private lastPrediction: LastPrediction | null = null

  constructor(private readonly of: Predicted) {}

  /** Drops the last prediction, because the layers changed. */
  reset(): void {
    this.lastPrediction = null
  }

  async predict(x: unknown, options: PredictOptions): Promise<Tree<Tensor>> {
    checkOptions('predict', options, ['batchSize', 'steps', 'callbacks', 'verbose', 'signal'])
    const { batchSize = 32, steps = null, verbose = 0, signal } = options
    checkVerbose(verbose)
    checkSignal(signal)
    requireCount('batchSize', batchSize)
    if (steps !== null) requireCount('steps', steps)
    const callbacks = callbacksOf(options.callbacks)
    if (callbacks.length > 0) return this.predictTelling(x, options, callbacks)
    if (isElements(x)) return this.predictBatches(x, options)
    const again = signal === undefined && steps === null ? this.predictAgain(x, batchSize) : null
    if (again === null || again.shape[0] !== this.lastPrediction!.shape[0])
      return this.predictRows(this.of.readInputs(x), options)
    const pace = new Pace(signal)
    if (pace.isDue()) await pace.yield()
    return again
  }

  /** predict with callbacks. */
  private async predictTelling(
    x: unknown,
    options: PredictOptions,
    callbacks: readonly CallbackMethods[],
  ): Promise<Tree<Tensor>> {
    const { batchSize = 32, steps = null } = options
    const listeners = new Listeners(callbacks, this.of.model)
    const rows = isElements(x) ? null : this.of.readInputs(x)
    const known =
      rows === null ? sourceOf(x as ElementsOrMaker<unknown>, 'predict').size : Math.ceil(rows.size / batchSize)
    return listeners.during({ epochs: 1, steps: steps ?? known, verbose: 0 }, async () => {
      await listeners.tell((callback) => callback.onPredictBegin?.())
      const outputs = await (rows === null
        ? this.predictBatches(x as ElementsOrMaker<unknown>, options, listeners)
        : this.predictRows(rows, options, listeners))
      await listeners.tell((callback) => callback.onPredictEnd?.())
      return outputs
    })
  }

  /** The outputs for the rows of arrays. */
  private async predictRows(
    { x: form, inputs, size, readers }: Rows,
    { batchSize = 32, steps = null, signal }: PredictOptions,
    listeners: Listeners | null = null,
  ): Promise<Tree<Tensor>> {
    const pace = new Pace(signal)
    const perBatch = listeners?.hear('onPredictBatchBegin', 'onPredictBatchEnd') === true
    const sources = inputs.map((input) => new RowSource(input))
    signal?.throwIfAborted()
    const most = Math.min(size, batchSize * (steps ?? Infinity))
    const found = new PredictedRows(this.of.model, most)
    for (let start = 0; start < most; start += batchSize) {
      const count = Math.min(batchSize, size - start)
      const batch = start / batchSize
      if (perBatch) await listeners.tell((callback) => callback.onPredictBatchBegin?.(batch))
      const types = inputs.map(({ dtype, shape }) => ({ dtype, shape: [count, ...shape.slice(1)] }))
      const prediction = this.of.steps.predict(form, types, readers)
      const { program } = prediction
      if (readers === undefined) this.remember(form, types, prediction)
      sources.forEach((source, i) => source.fill(program.parameter(i), null, start, count))
      program.run()
      found.take(prediction, count)
      if (perBatch)
        await listeners.tell((callback) => callback.onPredictBatchEnd?.(batch, { outputs: found.last(count) }))
      if (pace.isDue()) await pace.yield()
    }
    return found.outputs
  }

  /** The outputs for a sequence of batches. */
  private async predictBatches(
    batches: ElementsOrMaker<unknown>,
    { batchSize, steps = null, signal }: PredictOptions,
    listeners: Listeners | null = null,
  ): Promise<Tree<Tensor>> {
    const perBatch = listeners?.hear('onPredictBatchBegin', 'onPredictBatchEnd') === true
    refuseForBatches('predict', null, { batchSize }, ['batchSize'])
    const source = sourceOf(batches, 'predict')
    requireEnd('predict', { steps: source.size }, steps, 'steps')
    const pace = new Pace(signal)
    const cursor = source.open(0)
    const found = new PredictedRows(this.of.model, null)
    try {
      for (let done = 0; done < (steps ?? Infinity); done++) {
        const next = cursor.next()
        const batch = isPromise(next) ? await pace.wait(next) : next
        if (batch === END) break
        if (perBatch) await listeners.tell((callback) => callback.onPredictBatchBegin?.(done))
        const before = found.size
        restating(
          (message) => `predict, batch ${done}: ${this.of.hinting(message, batch)}`,
          () => {
            const { x: form, inputs, size, readers } = this.of.readInputs(batchOf(batch).x)
            const prediction = this.of.steps.predict(form, inputs, readers)
            load(prediction.program, inputs)
            prediction.program.run()
            found.take(prediction, size)
          },
        )
        if (perBatch)
          await listeners.tell((callback) =>
            callback.onPredictBatchEnd?.(done, { outputs: found.last(found.size - before) }),
          )
        if (pace.isDue()) await pace.yield()
      }
    } finally {
      await letGo(signal, [() => cursor.close()])
    }
    if (found.size === 0) throw new DataError('predict: the data have no batches')
    return found.outputs
  }

  /** The outputs for one batch, synchronously. */
  predictOnBatch(x: unknown): Tree<Tensor> {
    const again = this.predictAgain(x)
    if (again !== null) return again
    const { x: form, inputs, readers } = this.of.readInputs(x)
    const prediction = this.of.steps.predict(form, inputs, readers)
    const { program, structure: tree } = prediction
    if (readers === undefined) this.remember(form, inputs, prediction)
    inputs.forEach((input, i) => program.parameter(i).set(input.data))
    program.run()
    const outputs = program.graph.outputs.map(
      ({ shape, dtype }, i) => new Tensor(new dtypes[dtype].array(program.output(i)), shape, dtype),
    )
    return unflatten<Tensor>(tree, outputs)
  }

  /**
   * A fast path for one batch with the types of the last one, with one input tensor, because this is frequent; null for
   * other batches.
   * @param mostRows in a step
   */
  private predictAgain(x: unknown, mostRows = Infinity): Tensor | null {
    const last = this.lastPrediction
    if (last === null || last.source !== this.of.steps || !this.of.isCurrent || last.shape[0]! > mostRows) return null
    const input = x instanceof Tensor ? x : isNamedData(x) ? null : toTensor(x as TensorLike, 'x')
    if (input === null || last.dtype !== input.dtype || !sameShape(last.shape, input.shape)) return null
    // predictOnBatch checks the numbers only in the first batch of its kind.
    if (mostRows < Infinity && last.dtype === 'float32') requireNumbers(input, 'x')
    if (last.isChecked) this.of.model.checkData([input])
    return runOnce(last.program, input)
  }

  /** Stores the prediction for the fast path, if it maps one tensor to one. */
  private remember(form: Tree<unknown>, inputs: readonly TensorType[], { program, structure: tree }: Prediction): void {
    const before = this.lastPrediction
    if (before?.program === program || inputs.length !== 1 || form !== null || structureOf(tree) !== '*') return
    const { shape, dtype } = inputs[0]!
    const { steps, model } = this.of
    steps.holdInstead(program, before)
    this.lastPrediction = { shape, dtype, program, source: steps, isChecked: model.checksData }
  }
}

function runOnce(program: Program, input: Tensor): Tensor {
  load(program, [input])
  program.run()
  const { shape, dtype } = program.graph.outputs[0]!
  const content = program.output(0)
  return new Tensor(new dtypes[dtype].array(content), shape, dtype)
}
