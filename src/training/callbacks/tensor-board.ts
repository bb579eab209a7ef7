// TensorBoard: logs and weights as event files for TensorBoard.

import { nextNumber } from '../../core/numbers'
import { ArgumentError, quoted } from '../../core/errors'
import { clock } from '../../core/globals'
import {
  boolean,
  configured,
  custom,
  idle,
  integer,
  isOptions,
  option,
  text,
  unread,
  type Kind,
  type OptionInputs,
} from '../../core/options'
import { snakeCase } from '../../core/registry'
import { eventRecord, fileHead, graphRecord, type Histogram, type Scalar } from '../../files/containers/event-file'
import { graphNodes, hasCalls } from './graph-nodes'
import { GrowingFile, fileSystem } from '../../engine/runtime/files'
import { nodeModule, nodeProcess } from '../../engine/runtime/platform'
import { Callback, type CallbackState, type Logs } from './callback'
import { ratesOf } from './learning-rate'
import { isValName, withoutVal } from './names'
import { frequency, writingTo } from './places'

function isProfile(value: unknown): value is number | string | readonly number[] {
  const numbers: unknown = typeof value === 'string' ? value.split(',').map(Number) : value
  const batches: readonly unknown[] = Array.isArray(numbers) ? numbers : [numbers]
  return batches.length <= 2 && batches.every((each) => typeof each === 'number' && Number.isInteger(each) && each >= 0)
}

/** A batch, its first and last one, or both in a text: '10, 20'. */
const profile: Kind<number | string | readonly number[]> = custom(
  (value, where) => {
    if (isProfile(value)) return value
    throw new ArgumentError(
      `${where} must be the number of a batch, or those of the first and the last one, received ${quoted(value)}`,
    )
  },
  (value) => value,
)

function isPaths(value: unknown): value is Readonly<Record<string, string>> {
  return isOptions(value) && Object.values(value).every((path) => typeof path === 'string')
}

/** A path, or a path for each layer. */
const metadata: Kind<string | Readonly<Record<string, string>> | null> = custom(
  (value, where) => {
    if (value === null || typeof value === 'string' || isPaths(value)) return value
    throw new ArgumentError(`${where} must be a path, or a path for each layer, received ${quoted(value)}`)
  },
  (value) => value,
)

const tensorBoardOptions = () => ({
  /** The folder of the files, which are in its subfolders `train` and `validation`. Default 'logs'. */
  logDir: option(text, 'logs'),
  /** The number of epochs between histograms of the weights; 0: never. Default 0. */
  histogramFreq: option(integer({ min: 0 }), 0),
  /** Whether to write the graph of the layers, for models that have one. Default true. */
  writeGraph: option(boolean, true),
  /** Whether to write steps per second. Default false. */
  writeStepsPerSecond: option(boolean, false),
  /** 'epoch', 'batch', or the number of batches after which to write their logs as well. Default 'epoch'. */
  updateFreq: option(frequency('epoch', 'batch'), 'epoch'),
  /** Changes nothing: no images are written. true warns. Default false. */
  writeImages: unread(idle(boolean, [false], 'no images are written'), false),
  /** Changes nothing: no profiles are written. Others than 0 warn. Default 0. */
  profileBatch: unread(idle(profile, [0], 'no profiles are written'), 0),
  /** Changes nothing: no embeddings are written. Others than 0 warn. Default 0. */
  embeddingsFreq: unread(idle(integer({ min: 0 }), [0], 'no embeddings are written'), 0),
  /** Changes nothing: no embeddings are written. A text or a record warns. Default null. */
  embeddingsMetadata: unread(idle(metadata, [null], 'no embeddings are written'), null),
})
export type TensorBoardOptions = OptionInputs<ReturnType<typeof tensorBoardOptions>>

type Split = 'train' | 'validation'
const SPLITS: readonly Split[] = ['train', 'validation']

/** The path of an event file and its valid length in bytes, for each split that has one. */
type KeptFiles = readonly ({ readonly path: string; readonly length: number } | null)[]

const TensorBoardBase = configured(Callback, tensorBoardOptions, ['logDir', 'histogramFreq', 'writeGraph'])

/**
 * Writes event files for TensorBoard (Node): `tensorboard --logdir logs`. Tags are Keras's, so that runs of both
 * libraries can be compared:
 *
 *     epoch_loss, epoch_mean_absolute_error …    of each epoch, in train and in validation, and epoch_learning_rate
 *     batch_loss …                               of batches, with updateFreq: means since the epoch began
 *     evaluation_loss_vs_iterations …            of each validation, over the updates of the weights
 *     dense/kernel/histogram …                   of the weights, with histogramFreq
 *
 * The graph of the layers is in the tab Graphs: a node for each call of a layer, and a box for each model within the model.
 *
 *   const board = new TensorBoard({ logDir: `logs/${Date.now()}`, histogramFreq: 1 })
 *   await model.fit(x, y, { validationData, callbacks: [board] })
 *
 * Unlike Keras, it writes no images, profiles and embeddings.
 *
 * Keras: `keras.callbacks.TensorBoard`.
 * @throws StateError, when training begins, if there are no files
 */
export class TensorBoard extends TensorBoardBase {
  static readonly className = 'TensorBoard'
  private files: Partial<Record<Split, GrowingFile>> = {}
  /** The number of batches in all epochs. */
  private batches = 0
  private epochStart = { time: 0, batches: 0 }

  protected override checkOptions(): void {
    // Listens to steps only if batches are written: otherwise many steps may run at a time.
    if (this.updateFreq !== 'epoch') this.onTrainBatchEnd = (_batch, logs) => this.writeBatch(logs)
  }

  override onTrainBegin(): void {
    fileSystem()
    const seconds = Date.now() / 1000
    // Named now, so that a run that resumes writes into the same files. A file is created when it is written.
    this.files = Object.fromEntries(SPLITS.map((split) => [split, new GrowingFile(this.pathOf(split, seconds), 0)]))
    this.batches = 0
  }

  override onEpochBegin(): void {
    this.epochStart = { time: clock(), batches: this.updates }
  }

  override async onTestEnd(logs: Logs): Promise<void> {
    await this.write(
      'validation',
      this.updates,
      Object.entries(logs).map(([name, scalar]) => ({ tag: `evaluation_${snakeCase(name)}_vs_iterations`, scalar })),
    )
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const { model, histogramFreq, writeStepsPerSecond, epochStart } = this
    const speed = ((this.updates - epochStart.batches) * 1000) / (clock() - epochStart.time)
    const train = { ...logs, ...ratesOf(model), ...(writeStepsPerSecond ? { stepsPerSecond: speed } : {}) }
    const scalars = (
      of: Readonly<Record<string, number>>,
      isMeant: (name: string) => boolean,
      named: (name: string) => string,
    ): Scalar[] =>
      Object.entries(of)
        .filter(([name]) => isMeant(name))
        .map(([name, scalar]) => ({ tag: `epoch_${snakeCase(named(name))}`, scalar }))
    const histograms = histogramFreq > 0 && epoch % histogramFreq === 0 ? this.histograms() : []
    await this.write('train', epoch, [
      ...scalars(
        train,
        (name) => !isValName(name),
        (name) => name,
      ),
      ...histograms,
    ])
    const names = Object.keys(logs)
    await this.write(
      'validation',
      epoch,
      scalars(logs, isValName, (name) => withoutVal(name, names)),
    )
  }

  /** The number of weight updates in all fits. */
  private get updates(): number {
    return this.model.optimizer.iterations.view[0]!
  }

  private histograms(): Histogram[] {
    return this.model.weights.map(({ name, view }) => ({ tag: `${name}/histogram`, values: view }))
  }

  private writeBatch(logs: Logs): void | Promise<void> {
    this.batches++
    const every = typeof this.updateFreq === 'number' ? this.updateFreq : 1
    if (this.batches % every !== 0) return
    return this.write(
      'train',
      this.batches,
      Object.entries(logs).map(([name, scalar]) => ({ tag: `batch_${snakeCase(name)}`, scalar })),
    )
  }

  private async write(split: Split, step: number, values: readonly (Scalar | Histogram)[]): Promise<void> {
    if (values.length === 0) return
    const seconds = Date.now() / 1000
    const file = (this.files[split] ??= new GrowingFile(this.pathOf(split, seconds), 0))
    await writingTo(file.path, 'TensorBoard', async () => {
      const head = (await file.length()) === 0 ? [fileHead(seconds)] : []
      const graph = split === 'train' && head.length > 0 ? this.graph(seconds) : []
      for (const record of [...head, ...graph, eventRecord(seconds, step, values)]) await file.append(record)
    })
  }

  /** The record of the model's graph; none for a model without a graph. */
  private graph(seconds: number): Uint8Array[] {
    const { model, writeGraph } = this
    return writeGraph && hasCalls(model.graph) ? [graphRecord(seconds, graphNodes(model.name, model.graph))] : []
  }

  /** File names contain the time, the machine and the process, and are unique. */
  private pathOf(split: Split, seconds: number): string {
    const host = nodeModule('node:os')!.hostname()
    const name = `events.out.tfevents.${Math.floor(seconds)}.${host}.${nodeProcess()!.pid}.${nextNumber()}.v2`
    return fileSystem().paths.join(this.logDir, split, name)
  }

  override getState(): CallbackState {
    const files = SPLITS.map((split) => {
      const file = this.files[split]
      return file?.known == null ? null : { path: file.path, length: file.known }
    })
    return { files, batches: this.batches }
  }

  override setState({ files, batches }: { readonly files: KeptFiles; readonly batches: number }): void {
    this.batches = batches
    SPLITS.forEach((split, i) => {
      const file = files[i]
      if (file != null) this.files[split] = new GrowingFile(file.path, file.length)
    })
  }
}
