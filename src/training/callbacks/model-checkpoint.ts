// ModelCheckpoint: the model, or its weights, in a file after every epoch or every so many batches, or only the best.

import { ArgumentError, quoted } from '../../core/errors'
import type { InputsOf } from '../../core/options'
import { boolean, configured, custom, nullable, number, option, required, text } from '../../core/options'
import { FolderStore } from '../../runtime/store'
import type { CallbackState, Logs } from './callback'
import { Callback } from './callback'
import { Monitor, monitorOptions, verbosity } from './monitor'
import { NameTemplate } from './names'
import { requirePlace, saveFreq, storeKind, writingTo } from './places'

type OnSave = (bytes: Uint8Array, name: string) => void | Promise<void>
const onSaveKind = nullable(
  custom<OnSave>(
    (value, where) => {
      if (typeof value === 'function') return value as OnSave
      throw new ArgumentError(`${where} must be a function (bytes, name) => …, received ${quoted(value)}`)
    },
    () => null,
  ),
)

const checkpointOptions = () => ({
  /** The path of the file, with numbers in it where there are to be several: '{epoch:02d}-{valLoss:.2f}.safetensors'. */
  filepath: required(text),
  ...monitorOptions(),
  /** Whether only a model that is better than all before is saved. Default false. */
  saveBestOnly: option(boolean, false),
  /** Whether the weights are saved, for loadWeights, and not the whole model. Default false. */
  saveWeightsOnly: option(boolean, false),
  /** 'epoch', or after how many batches. Default 'epoch'. */
  saveFreq: option(saveFreq, 'epoch'),
  /** What the first one has to be better than, with saveBestOnly. Default null: anything. */
  initialValueThreshold: option(nullable(number()), null),
  /** 1 says what is saved, and why not. Default 0. */
  verbose: option(verbosity, 0),
  /** Gets the bytes and the name, and no file is written. Default null. */
  onSave: option(onSaveKind, null),
  /** Keeps the bytes by name, in the place of files. Default null. */
  store: option(storeKind, null),
})
export type ModelCheckpointOptions = InputsOf<ReturnType<typeof checkpointOptions>>

/**
 * Saves the model while it is trained, whole files at any time: a run that is killed leaves the old file or the new one.
 *
 *   new ModelCheckpoint({ filepath: 'best.safetensors', monitor: 'valAccuracy', saveBestOnly: true })
 *   new ModelCheckpoint({ filepath: 'models/{epoch:02d}-{valLoss:.2f}.safetensors' })
 *   new ModelCheckpoint({ filepath: 'digits', onSave: (bytes, name) => upload(name, bytes) })       // in a page
 *
 * The name takes `epoch` from 1 on, `batch` from 1 on with a saveFreq of batches, and every log, in either spelling and with
 * Python's formats. Where the monitored log is missing, the model is saved all the same. `best` lives on from one fit to the next.
 * To take a run up where it was, see BackupAndRestore.
 *
 * Keras: `keras.callbacks.ModelCheckpoint`; files may be called as you like here.
 * @throws ArgumentError for a name that is no template, and, when it saves, for one with a log that there is not; MyelinError, with
 * what the file system says as its cause, where the file cannot be written
 */
export class ModelCheckpoint extends configured(Callback, checkpointOptions, 'filepath') {
  static readonly className = 'ModelCheckpoint'
  private readonly watched = new Monitor('ModelCheckpoint', this)
  private readonly template = new NameTemplate(this.filepath, 'ModelCheckpoint: filepath')
  private epoch = 0
  /** Batches since one was saved. */
  private batches = 0
  /** The best value so far; null before the first. */
  best = this.initialValueThreshold

  /** Only there where batches count: else steps may run many at a time. */
  declare onTrainBatchEnd?: (batch: number, logs: Logs) => void | Promise<void>

  protected override checkOptions(): void {
    if (this.saveFreq !== 'epoch') this.onTrainBatchEnd = (batch, logs) => this.count(batch, logs)
    if (this.onSave !== null && this.store !== null)
      throw new ArgumentError('ModelCheckpoint: onSave and store exclude each other')
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
    const { model, saveWeightsOnly, onSave, store } = this
    const bytes = await (saveWeightsOnly ? model.saveWeights() : model.save())
    if (onSave !== null) await onSave(bytes, name)
    else if (store !== null) await store.write(name, bytes)
    else await writingTo(name, 'ModelCheckpoint', () => new FolderStore('').write(name, bytes))
    // Only what is kept is the best: where the write failed, a later model need not be better than a lost one.
    this.best = best
  }

  /** The best value once this model is saved; undefined where it is not to be saved. */
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
