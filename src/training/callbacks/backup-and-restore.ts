// BackupAndRestore: a run of fit that was killed continues in the next process as if it had never stopped.
// kept-run.ts of the folder above defines what is saved.

import { warn } from '../../core/warnings'
import { storedBytes, FolderStore, type ByteStore } from '../../engine/runtime/store'
import { FormatError, MyelinError, restate } from '../../core/errors'
import { boolean, configured, option, required, text, type OptionInputs } from '../../core/options'
import { decodeRun, encodeRun, restoreRun, type KeptRun } from '../kept-run'
import { Callback, type RunPosition, type Run, type RunKeeper } from './callback'
import { requirePlace, saveFreq, storeKind, writingTo } from './places'

const backupOptions = () => ({
  /** The folder of the backup, for this run alone. With a store, the prefix of its names. */
  backupDir: required(text),
  /** 'epoch', or the number of batches after which the run is saved as well. Default 'epoch'. */
  saveFreq: option(saveFreq, 'epoch'),
  /** Whether the previous backup is kept, and used if the last one is damaged. Default false. */
  doubleCheckpoint: option(boolean, false),
  /** Whether the backup is removed after training, unless StopOnInterrupt ended it. Default true. */
  deleteCheckpoint: option(boolean, true),
  /** Stores the bytes by name, in place of files. Default null. */
  store: option(storeKind, null),
})
export type BackupAndRestoreOptions = OptionInputs<ReturnType<typeof backupOptions>>

const BackupAndRestoreBase = configured(Callback, backupOptions, [
  'backupDir',
  'saveFreq',
  'doubleCheckpoint',
  'deleteCheckpoint',
])

/**
 * Saves a run while it proceeds, and resumes it when fit is called again in another process with the same model, data
 * and callbacks. The final weights equal those of an uninterrupted run, bit for bit, wherever it was killed.
 *
 *   const backup = new BackupAndRestore('backup/digits')   // a folder for this run alone
 *   const history = await model.fit(x, y, { epochs: 100, callbacks: [new EarlyStopping(), backup] })
 *
 * It saves weights, the optimizer, the states of layers (including random streams and stateful layers), the order of
 * the rows, metrics within an epoch, the history, the global seed, and the results of the callbacks' `getState`, which
 * stopping, learning-rate, logging and saving callbacks have, and those of `myelin/balance` and `myelin/thrift`. A run
 * that resumes within an epoch does not begin the epoch again: `onEpochBegin` is not called. The first backup is written
 * before the first step. Each backup is written completely before it replaces the last one, which takes some milliseconds of disk time.
 *
 * The data must have the same order and the batches the same size. Only random numbers without a seed in your own code,
 * such as `random.normal` in a `call`, have no saved position: use a SeedGenerator in a property.
 *
 * Keras: `keras.callbacks.BackupAndRestore`, which resumes at the start of an epoch, and saves weights and optimizer.
 * @throws FormatError, when training begins, for a damaged backup (with doubleCheckpoint: if both are), and for one of
 * another model or with other callbacks
 */
export class BackupAndRestore extends BackupAndRestoreBase {
  static readonly className = 'BackupAndRestore'
  private readonly place: ByteStore = this.store ?? new FolderStore(this.backupDir)
  private readonly names = ['backup', ...(this.doubleCheckpoint ? ['backup-1'] : [])].map(
    (name) => `${this.store === null ? '' : `${this.backupDir}/`}${name}.safetensors`,
  )
  private run: Run | null = null
  /** How many times the run was saved. */
  private number = 0
  /** The place where fit resumed; null if it started from the beginning. */
  takenUp: RunPosition | null = null

  /** @internal */
  override readonly keeper: RunKeeper = {
    every: this.saveFreq === 'epoch' ? null : this.saveFreq,
    takeUp: (run) => this.takeUp(run),
    keep: (run) => this.keep(run),
  }

  protected override checkOptions(): void {
    requirePlace('BackupAndRestore', this.store !== null)
  }

  private async takeUp(run: Run): Promise<void> {
    this.run = run
    this.number = 0
    this.takenUp = null
    await this.changing(this.backupDir, async () => this.place.tidy?.())
    const kept = await this.readLatest()
    // A run that is killed before its first backup must know the files that its callbacks began.
    if (kept === null) return this.keep(run)
    await inWords(this.backupDir, () => restoreRun(run, kept))
    this.number = kept.number
    this.takenUp = run.place
  }

  /** The last backup. @throws FormatError if all backups are damaged */
  private async readLatest(): Promise<KeptRun | null> {
    const whole: KeptRun[] = []
    const damaged: FormatError[] = []
    for (const name of this.names) {
      const bytes = storedBytes(await this.place.read(name), name)
      if (bytes === null) continue
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
      restate(damaged[0]!, `${damaged[0]!.message}. Remove it to start from the beginning.`)
      throw damaged[0]!
    }
    warn(`${damaged[0]!.message}. The run continues from the backup before it.`)
    return latest
  }

  private async keep(run: Run): Promise<void> {
    const { names } = this
    this.number++
    const name = names[this.number % names.length]!
    await this.changing(`${this.backupDir}/${name}`, async () => this.place.write(name, encodeRun(run, this.number)))
  }

  /** Errors of a store that the user passes are not changed. */
  private changing(path: string, body: () => Promise<void>): Promise<void> {
    return this.store === null ? writingTo(path, 'BackupAndRestore', body) : body()
  }

  override async onTrainEnd(): Promise<void> {
    const isResumed = this.run?.isInterrupted === true
    this.run = null
    if (!this.deleteCheckpoint || isResumed) return
    for (const name of this.names) await this.place.remove(name)
    await this.place.tidy?.()
  }
}

/** Adds the name of the backup to errors. */
async function inWords<Result>(where: string, body: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof MyelinError) restate(error, `BackupAndRestore: ${where}: ${error.message}`)
    throw error
  }
}
