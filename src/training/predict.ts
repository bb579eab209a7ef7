// predict and predictOnBatch: they read the inputs, prepare the model, and run predict steps.

import { DataError, restating } from '../core/errors'
import { hasNonFinite, type NumericArray } from '../core/dtypes'
import { sameShape, type TensorType } from '../core/shapes'
import { structureOf, unflatten, type Tree } from '../core/tree'
import { batchParts, withAdvice } from '../data/samples/batch'
import { hasTensors, isNamedData } from '../data/samples/layout'
import { Pace, releaseAll } from '../data/samples/pace'
import type { Inputs } from '../data/samples/parse'
import { RowSource } from '../data/samples/row-source'
import { after, isPromise, type Soon } from '../core/soon'
import { END, isElements, outermostOf, type Cursor, type Source } from '../data/samples/source'
import { toTensor } from '../ops/convert'
import { Tensor } from '../ops/tensor'
import { outputOf } from '../ops/trace'
import { deviceOf, isAccelerated, type Device, type StepProgram } from '../engine/runtime/accelerator'
import { Listeners } from './listeners'
import { PREDICT, type PredictSettings } from './options'
import { PredictedRows } from './predicted-rows'
import { readInputs } from './read'
import { load } from './runner'
import { requireEnd } from './runners'
import type { TrainingState } from './state'
import type { Prediction } from './steps'

/** The outputs for all rows of x, or for all batches. */
export async function predict(state: TrainingState, x: unknown, record: object | undefined): Promise<Tree<Tensor>> {
  const options = PREDICT.read(record)
  const { batchSize, steps, callbacks, signal } = options
  if (isElements(x)) {
    PREDICT.checkForBatches(record)
    const source = outermostOf(x, 'predict')
    requireEnd('predict', { steps: source.size }, steps, 'steps')
    return runAll(new BatchPredictions(state, source), state, options)
  }
  const isPlain = callbacks.length === 0 && signal === null && steps === null && !isAccelerated()
  const pace = new Pace(signal)
  const again = isPlain ? predictAgain(state, x, batchSize) : null
  if (again !== null && again.shape[0] === state.last.predict!.shape[0]) {
    if (pace.isDue()) await pace.yield()
    return again
  }
  return runAll(new RowPredictions(state, readInputs(state, x), batchSize), state, options)
}

/** The outputs for one batch, synchronously. */
export function predictOnBatch(state: TrainingState, x: unknown): Tree<Tensor> {
  const again = predictAgain(state, x)
  if (again !== null) return again
  const { x: form, inputs, readers } = readInputs(state, x)
  const prediction = state.steps.predict(form, inputs, readers)
  const { program, structure: tree } = prediction
  if (readers === undefined) remember(state, form, inputs, prediction)
  load(program, inputs)
  program.run()
  const outputs = program.graph.outputs.map((_, i) => outputOf(program, i))
  return unflatten<Tensor>(tree, outputs)
}

/**
 * A fast path for one input tensor of the same type as the last one, because this is frequent; null for other batches.
 * @param mostRows the maximum number of rows in a step
 */
function predictAgain(state: TrainingState, x: unknown, mostRows = Infinity): Tensor | null {
  const last = state.last.predict
  if (last === null || !state.isCurrent || last.shape[0]! > mostRows) return null
  if (Array.isArray(x) && !last.isChecked && writeRows(x, last, last.program.parameter(0))) {
    last.program.run()
    return outputOf(last.program, 0)
  }
  if (!(x instanceof Tensor) && (hasTensors(x) || isNamedData(Array.isArray(x) ? x[0] : x))) return null
  const input = x instanceof Tensor ? x : toTensor(x, 'x')
  if (last.dtype !== input.dtype || !sameShape(last.shape, input.shape)) return null
  // predictOnBatch checks for NaN only in the first batch of a type. An input that is optional takes NaN.
  if (mostRows < Infinity && last.dtype === 'float32' && hasNonFinite(input.data)) return null
  if (last.isChecked) state.model.checkData([input])
  load(last.program, [input])
  last.program.run()
  return outputOf(last.program, 0)
}

/**
 * Writes rows of finite numbers into the parameter of a program, without a tensor: a small network spends most of its time there.
 * @returns false for anything else, and for rows of another number or length; what was written is overwritten then
 */
function writeRows(x: readonly unknown[], { shape, dtype }: TensorType, to: NumericArray): boolean {
  const [rows, width] = shape
  if (shape.length !== 2 || dtype !== 'float32' || x.length !== rows) return false
  let at = 0
  for (const row of x) {
    if (!Array.isArray(row) || row.length !== width) return false
    for (let i = 0; i < row.length; i++) {
      const value: unknown = row[i]
      // Not finite: the difference is NaN.
      if (typeof value !== 'number' || value - value !== 0) return false
      to[at++] = value
    }
  }
  return true
}

/** Keeps a prediction for the fast path, if it maps one tensor to one. */
function remember(
  state: TrainingState,
  form: Tree<unknown>,
  inputs: readonly TensorType[],
  { program, structure: tree }: Prediction,
): void {
  if (state.last.predict?.program === program || inputs.length !== 1 || form !== null || structureOf(tree) !== '*')
    return
  const { shape, dtype } = inputs[0]!
  state.remember('predict', { shape, dtype, program, isChecked: state.model.checksData })
}

/** A predict step that ran, on `count` rows. */
interface Ran {
  readonly prediction: Prediction
  /** The program where it ran. */
  readonly ran: StepProgram
  readonly count: number
}

/** Runs a predict step. @param load writes its parameters */
function runStep(
  device: Device,
  prediction: Prediction,
  count: number,
  load: (target: Pick<StepProgram, 'parameter'>) => void,
): Soon<Ran> {
  const { program } = prediction
  const end = (): Ran => ({ prediction, ran: device.stepProgram(program), count })
  return after(device.prepare(program), () => after<unknown, Ran>(device.run(program, load), end))
}

/** Runs the predict steps over some data. */
interface Predictions {
  /** null if unknown, Infinity if the data have no end. */
  readonly steps: number | null
  /** The number of rows of the first `steps` steps; null if unknown. */
  rowsOf(steps: number): number | null
  /** Whether there is another step. May have to await the batch. */
  upcoming(): Soon<boolean>
  run(): Soon<Ran>
  release(): Soon<void>
}

/** Over samples in arrays. */
class RowPredictions implements Predictions {
  private readonly sources: readonly RowSource[]
  private readonly device: Device
  private start = 0

  constructor(
    private readonly state: TrainingState,
    private readonly rows: Inputs,
    private readonly batchSize: number,
  ) {
    this.sources = rows.inputs.map((input) => new RowSource(input))
    this.device = deviceOf(this)
  }

  get steps(): number {
    return Math.ceil(this.rows.size / this.batchSize)
  }

  rowsOf(steps: number): number {
    return Math.min(this.rows.size, this.batchSize * steps)
  }

  upcoming(): boolean {
    return this.start < this.rows.size
  }

  run(): Soon<Ran> {
    const {
      state,
      start,
      sources,
      device,
      rows: { x: form, inputs, size, readers },
    } = this
    const count = Math.min(this.batchSize, size - start)
    const types = inputs.map(({ dtype, shape }) => ({ dtype, shape: [count, ...shape.slice(1)] }))
    const prediction = state.steps.predict(form, types, readers)
    if (readers === undefined) remember(state, form, types, prediction)
    this.start += count
    return runStep(device, prediction, count, (target) =>
      sources.forEach((source, i) => source.fill(target.parameter(i), null, start, count)),
    )
  }

  release(): Soon<void> {
    return this.device.release()
  }
}

/** Over a sequence of batches. */
class BatchPredictions implements Predictions {
  private cursor: Cursor<unknown> | null = null
  private batch: unknown = null
  private index = 0
  private readonly device: Device

  constructor(
    private readonly state: TrainingState,
    private readonly source: Source,
  ) {
    this.device = deviceOf(this)
  }

  get steps(): number | null {
    return this.source.size
  }

  rowsOf(): null {
    return null
  }

  upcoming(): Soon<boolean> {
    this.cursor ??= this.source.open(0)
    return after(this.cursor.next(), (batch) => {
      this.batch = batch
      return batch !== END
    })
  }

  run(): Soon<Ran> {
    const { state, batch, device } = this
    return restating(
      (message) => `predict, batch ${this.index}: ${withAdvice(message, batch, state.layouts.x)}`,
      () => {
        const { x: form, inputs, size, readers } = readInputs(state, batchParts(batch).x)
        const prediction = state.steps.predict(form, inputs, readers)
        this.index++
        return runStep(device, prediction, size, (target) => load(target, inputs))
      },
    )
  }

  release(): Soon<void> {
    return after(this.device.release(), () => this.cursor?.close())
  }
}

/** The loop of predict. */
async function runAll(
  predictions: Predictions,
  { model }: TrainingState,
  { steps, callbacks, signal }: PredictSettings,
): Promise<Tree<Tensor>> {
  const most = steps ?? Infinity
  const listeners = new Listeners(callbacks, model)
  const perBatch = listeners.hear('onPredictBatchBegin', 'onPredictBatchEnd')
  const pace = new Pace(signal)
  const found = new PredictedRows(model, predictions.rowsOf(most))
  const run = async (): Promise<void> => {
    signal?.throwIfAborted()
    for (let batch = 0; batch < most; batch++) {
      const upcoming = predictions.upcoming()
      if (!(isPromise(upcoming) ? await pace.wait(upcoming) : upcoming)) break
      if (perBatch) await listeners.tell((callback) => callback.onPredictBatchBegin?.(batch))
      const running = predictions.run()
      const { prediction, ran, count } = isPromise(running) ? await running : running
      found.take(prediction.structure, ran, count)
      if (perBatch) await listeners.tell((callback) => callback.onPredictBatchEnd?.(batch, { outputs: found.last }))
      if (pace.isDue()) await pace.yield()
    }
    if (found.isEmpty) throw new DataError('predict: the data have no batches')
  }
  return listeners.during({ epochs: 1, steps: steps ?? predictions.steps, verbose: 0 }, async () => {
    await listeners.tell((callback) => callback.onPredictBegin?.())
    try {
      await run()
    } finally {
      await releaseAll(signal, [() => predictions.release()])
    }
    const { outputs } = found
    await listeners.tell((callback) => callback.onPredictEnd?.())
    return outputs
  })
}
