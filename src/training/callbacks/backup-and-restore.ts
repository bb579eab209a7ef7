// BackupAndRestore: a run of fit that is killed at any moment goes on in the next process as if nothing had been. What is kept
// of it: formats/run.ts.

import { FormatError, MyelinError, restate } from '../../core/errors'
import type { InputsOf } from '../../core/options'
import { boolean, configured, option, required, text } from '../../core/options'
import type { KeptRun } from '../../formats/run'
import { decodeRun, encodeRun, restoreRun } from '../../formats/run'
import type { ByteStore } from '../../runtime/store'
import { FolderStore } from '../../runtime/store'
import type { Place, Run, RunKeeper } from './callback'
import { Callback } from './callback'
import { requirePlace, saveFreq, storeKind, writingTo } from './places'

const backupOptions = () => ({
  /** The folder of the backup, for this run alone. With a store, what its names begin with. */
  backupDir: required(text),
  /** 'epoch', or after how many batches the run is kept besides. Default 'epoch'. */
  saveFreq: option(saveFreq, 'epoch'),
  /** Whether the backup before the last one stays, and is used where the last one is damaged. Default false. */
  doubleCheckpoint: option(boolean, false),
  /** Whether the backup is removed when training is over. Default true. */
  deleteCheckpoint: option(boolean, true),
  /** Keeps the bytes by name, in the place of files. Default null. */
  store: option(storeKind, null),
})
export type BackupAndRestoreOptions = InputsOf<ReturnType<typeof backupOptions>>

/**
 * Keeps the run while it goes on, and takes it up where it was when fit is called again, with the same model, data and callbacks,
 * in another process. The final weights are those of a run that nobody interrupted, bit for bit, wherever it was killed.
 *
 *   const backup = new BackupAndRestore('backup/digits')   // a folder for this run alone
 *   const history = await model.fit(x, y, { epochs: 100, callbacks: [new EarlyStopping(), backup] })
 *
 * Kept are weights, the optimizer, what layers keep (also random streams and states of stateful layers), the order of the rows,
 * metrics within an epoch, the history, the global seed, and what callbacks give by `getState`: the stopping, learning-rate,
 * logging and saving callbacks do, and those of `myelin/balance` and `myelin/thrift`. A run that is taken up within an epoch does not
 * begin it again: `onEpochBegin` is not called there. Each backup is written whole, beside the last one, which takes as long as the disk
 * needs, some milliseconds.
 *
 * Data must be given in the same order; batches must be as large. Only what is drawn without a seed within an op of your own, such as
 * `random.normal` in a `call`, has no place: give it a SeedGenerator in a property.
 *
 * Keras: `keras.callbacks.BackupAndRestore`, which goes on at the beginning of an epoch and keeps weights and optimizer.
 * @throws FormatError, when training begins, for a backup that is damaged (with doubleCheckpoint: that and the one before), and for
 * one of another model or of other callbacks
 */
export class BackupAndRestore extends configured(Callback, backupOptions, 'backupDir') {
  static readonly className = 'BackupAndRestore'
  private readonly place: ByteStore = this.store ?? new FolderStore(this.backupDir)
  private readonly names = ['backup', ...(this.doubleCheckpoint ? ['backup-1'] : [])].map(
    (name) => `${this.store === null ? '' : `${this.backupDir}/`}${name}.safetensors`,
  )
  /** How often the run was kept. */
  private number = 0
  /** Where fit went on; null where it began. */
  takenUp: Place | null = null

  /** @internal */
  override readonly keeper: RunKeeper = {
    every: this.saveFreq === 'epoch' ? null : Number(this.saveFreq),
    takeUp: (run) => this.takeUp(run),
    keep: (run) => this.keep(run),
  }

  protected override checkOptions(): void {
    requirePlace('BackupAndRestore', this.store !== null)
  }

  private async takeUp(run: Run): Promise<void> {
    this.number = 0
    this.takenUp = null
    await this.changing(this.backupDir, async () => this.place.tidy?.())
    const kept = await this.readLatest()
    if (kept === null) return
    await inWords(this.backupDir, () => restoreRun(run, kept))
    this.number = kept.number
    this.takenUp = run.place
  }

  /** The backup that was written last. @throws FormatError where all there are, are damaged */
  private async readLatest(): Promise<KeptRun | null> {
    const whole: KeptRun[] = []
    const damaged: FormatError[] = []
    for (const name of this.names) {
      const bytes = await this.place.read(name)
      if (bytes === null || bytes === undefined) continue
      try {
        whole.push(await inWords(this.store === null ? `${this.backupDir}/${name}` : name, () => decodeRun(bytes)))
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
        damaged.push(error)
      }
    }
    const latest = whole.sort((a, b) => a.number - b.number).at(-1)
    if (damaged.length === 0) return latest ?? null
    if (latest === undefined) {
      restate(damaged[0]!, `${damaged[0]!.message}. Remove it to begin anew.`)
      throw damaged[0]!
    }
    console.warn(`${damaged[0]!.message}. The run goes on from the backup before it.`)
    return latest
  }

  private async keep(run: Run): Promise<void> {
    const { names } = this
    this.number++
    const name = names[this.number % names.length]!
    await this.changing(`${this.backupDir}/${name}`, async () => this.place.write(name, encodeRun(run, this.number)))
  }

  /** What a store of the user's own throws is as it was. */
  private changing(path: string, body: () => Promise<void>): Promise<void> {
    return this.store === null ? writingTo(path, 'BackupAndRestore', body) : body()
  }

  override async onTrainEnd(): Promise<void> {
    if (!this.deleteCheckpoint) return
    for (const name of this.names) await this.place.remove(name)
    await this.place.tidy?.()
  }
}

/** Errors of the backup name it. */
async function inWords<Result>(where: string, body: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof MyelinError) restate(error, `BackupAndRestore: ${where}: ${error.message}`)
    throw error
  }
}
