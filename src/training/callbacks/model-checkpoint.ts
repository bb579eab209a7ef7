// ModelCheckpoint: saves the model, or its weights, after every epoch or a number of batches, or only the best. The formats of files are
// those of Model.save and Model.saveWeights.

import { merged } from '../../core/merged'
import { ArgumentError, quoted } from '../../core/errors'
import {
  boolean,
  callback,
  configured,
  nullable,
  number,
  option,
  required,
  text,
  type OptionInputs,
} from '../../core/options'
import { writeFile } from '../../engine/runtime/files'
import { listOfEndings, modelFormatOf, weightFormatOf } from '../../files/containers/format-list'
import { makeFolderOf } from '../../engine/runtime/store'
import { Callback, type CallbackState, type Logs } from './callback'
import { Monitor, monitorOptions, verbosity } from './monitor'
import { NameTemplate } from './names'
import { requirePlace, saveFreq, storeKind, writingTo } from './places'

type OnSave = (bytes: Uint8Array, name: string) => void | Promise<void>
const onSaveKind = nullable(callback<OnSave>('a function (bytes, name) => …'))

/** Not the digits behind the point of a number. */
const ENDING = /\.[a-z]\w*$/i

const checkpointOptions = () =>
  merged(
    {
      /**
       * The path of the file, with placeholders if there are to be several: '{epoch:02d}-{valLoss:.2f}.safetensors'. Its ending selects the
       * format, as in `model.save` and `model.saveWeights`; without an ending, it is safetensors.
       */
      filepath: required(text),
    },
    monitorOptions(),
    {
      /** Whether to save only a model that is better than all before. Default false. */
      saveBestOnly: option(boolean, false),
      /** Whether to save only the weights, for loadWeights, in place of the whole model. Default false. */
      saveWeightsOnly: option(boolean, false),
      /** 'epoch', or the number of batches between saves. Default 'epoch'. */
      saveFreq: option(saveFreq, 'epoch'),
      /** The value that the first saved model must improve on, with saveBestOnly. Default null: any. */
      initialValueThreshold: option(nullable(number()), null),
      /** 1 prints what is saved, or why nothing is. Default 0. */
      verbose: option(verbosity, 0),
      /** Gets the bytes and the name in place of a file. Default null. */
      onSave: option(onSaveKind, null),
      /** Stores the bytes by name, in place of files. Default null. */
      store: option(storeKind, null),
    },
  )
export type ModelCheckpointOptions = OptionInputs<ReturnType<typeof checkpointOptions>>

const ModelCheckpointBase = configured(Callback, checkpointOptions, [
  'filepath',
  'monitor',
  'verbose',
  'saveBestOnly',
  'saveWeightsOnly',
  'mode',
  'saveFreq',
  'initialValueThreshold',
])

/**
 * Saves the model during training. Files are replaced atomically: a killed run leaves the old file or the new one.
 *
 *   new ModelCheckpoint({ filepath: 'best.safetensors', monitor: 'valAccuracy', saveBestOnly: true })
 *   new ModelCheckpoint({ filepath: 'models/{epoch:02d}-{valLoss:.2f}.keras' })
 *   new ModelCheckpoint({ filepath: 'best.weights.h5', saveWeightsOnly: true })
 *   new ModelCheckpoint({ filepath: 'digits', onSave: (bytes, name) => upload(name, bytes) })       // in a page
 *
 * The name takes `epoch` from 1 on, `batch` from 1 on with a saveFreq of batches, and every log, in either spelling and
 * with Python's formats. If the monitored log is missing, the model is saved anyway. `best` is kept from one fit to the
 * next. To resume a run, see BackupAndRestore.
 *
 * With `onSave` or a store, the bytes are always safetensors.
 *
 * Keras: `keras.callbacks.ModelCheckpoint`.
 * @throws ArgumentError for an invalid template, for an ending of another format where only weights or bytes are saved, and, when it saves,
 * for a template with an unknown log; FormatError for a model that the format cannot contain; MyelinError, with the
 * file system's error as its cause, if the file cannot be written
 */
export class ModelCheckpoint extends ModelCheckpointBase {
  static readonly className = 'ModelCheckpoint'
  private readonly watched = new Monitor('ModelCheckpoint', this)
  private readonly template = new NameTemplate(this.filepath, 'ModelCheckpoint: filepath')
  private epoch = 0
  /** Batches since the last save. */
  private batches = 0
  /** The best value so far; null before the first. */
  best = this.initialValueThreshold

  protected override checkOptions(): void {
    // Listens to steps only if batches count: otherwise many steps may run at a time.
    if (this.saveFreq !== 'epoch') this.onTrainBatchEnd = (batch, logs) => this.count(batch, logs)
    if (this.onSave !== null && this.store !== null)
      throw new ArgumentError('ModelCheckpoint: onSave and store exclude each other')
    const { filepath } = this
    const isOfModel = modelFormatOf(filepath) !== undefined
    const ofWeights = weightFormatOf(filepath)
    if (this.saveWeightsOnly && isOfModel && ofWeights === undefined)
      throw new ArgumentError(
        `ModelCheckpoint: ${quoted(filepath)} is the path of a model. For saveWeightsOnly it ends in one of ${listOfEndings()}`,
      )
    const isOther = isOfModel || (ofWeights ?? 'safetensors') !== 'safetensors'
    if ((this.onSave !== null || this.store !== null) && isOther)
      throw new ArgumentError(
        `ModelCheckpoint: onSave and store get safetensors, but ${quoted(filepath)} is a file of another format. Let it end in .safetensors`,
      )
    requirePlace('ModelCheckpoint', this.onSave !== null || this.store !== null)
  }

  override onTrainBegin(): void {
    this.watched.begin()
  }

  override onEpochBegin(epoch: number): void {
    this.epoch = epoch
  }

  override onEpochEnd(epoch: number, logs: Logs): void | Promise<void> {
    this.epoch = epoch
    if (this.saveFreq === 'epoch') return this.saveIfDue(logs, {})
  }

  /** @internal */
  override get readsWeights(): boolean {
    return this.batches + 1 >= Number(this.saveFreq)
  }

  private count(batch: number, logs: Logs): void | Promise<void> {
    if (++this.batches < Number(this.saveFreq)) return
    this.batches = 0
    return this.saveIfDue(logs, { batch: batch + 1 })
  }

  private async saveIfDue(logs: Logs, more: Readonly<Record<string, number>>): Promise<void> {
    const name = this.template.with({ ...logs, epoch: this.epoch + 1, ...more })
    const best = this.saveBestOnly ? this.bestOf(logs) : this.best
    if (best === undefined) return
    this.tell(`saves ${name}`)
    const { onSave, store } = this
    if (onSave !== null) await onSave(await this.bytes(), name)
    else if (store !== null) await store.write(name, await this.bytes())
    else await writingTo(name, 'ModelCheckpoint', () => this.writeTo(name))
    // The best value is stored after saving: if the write failed, a later model need not be better than a lost one.
    this.best = best
  }

  private bytes(): Promise<Uint8Array> {
    return this.saveWeightsOnly ? this.model.saveWeights() : this.model.save()
  }

  private async writeTo(path: string): Promise<void> {
    await makeFolderOf(path)
    if (!this.saveWeightsOnly) await this.model.save(path)
    else if (ENDING.test(path)) await this.model.saveWeights(path)
    else await writeFile(path, await this.bytes())
  }

  /** The best value after this model is saved; undefined if it is not to be saved. */
  private bestOf(logs: Logs): number | null | undefined {
    const { watched, monitor, best } = this
    const value = watched.valueIn(logs)
    if (value === undefined) return best
    const improves = watched.improves(value, best)
    this.tell(`${monitor} is ${value}, ${improves ? 'better' : 'not better'} than ${best ?? 'none'}`)
    return improves ? value : undefined
  }

  private tell(what: string): void {
    if (this.verbose > 0) console.log(`Epoch ${this.epoch + 1}: ModelCheckpoint: ${what}`)
  }

  override getState(): CallbackState {
    const { best, epoch, batches } = this
    return { best, epoch, batches }
  }

  override setState(state: CallbackState): void {
    Object.assign(this, state)
  }
}
