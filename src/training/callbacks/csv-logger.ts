// CSVLogger: the logs of every epoch as lines of a file.

import { propertyOf } from '../../core/tree'
import { encodeUtf8 } from '../../core/text'
import { boolean, configured, option, required, text, type OptionInputs } from '../../core/options'
import { GrowingFile } from '../../engine/runtime/files'
import { Callback, type CallbackState, type Logs } from './callback'
import { isValName, valName } from './names'
import { writingTo } from './places'

const csvLoggerOptions = () => ({
  /** The path of the file. Missing folders are created. */
  filename: required(text),
  /** The separator between two values. Default ','. */
  separator: option(text, ','),
  /** Whether to append to an existing file, without a second header. Default false: the file is replaced. */
  append: option(boolean, false),
})
export type CSVLoggerOptions = OptionInputs<ReturnType<typeof csvLoggerOptions>>

const CSVLoggerBase = configured(Callback, csvLoggerOptions, ['filename', 'separator', 'append'])

/**
 * Writes the logs of every epoch into a file, a line for each, as soon as the epoch ends:
 *
 *     epoch,accuracy,loss,valAccuracy,valLoss
 *     0,0.71,0.58,0.74,0.51
 *
 *   new CSVLogger('run/log.csv')
 *
 * The columns are the logs of the first epoch in alphabetical order, followed by their validation logs if that epoch
 * has no validation. A missing log is `NA`; values with the separator, quotes or line ends are quoted (RFC 4180). A run
 * that BackupAndRestore resumes continues the file, and repeats no line.
 *
 * Keras: `keras.callbacks.CSVLogger`; lines end with '\n' here.
 * @throws StateError, when training begins, if there are no files; MyelinError, with the file system's error as its
 * cause, if the file cannot be written
 */
export class CSVLogger extends CSVLoggerBase {
  static readonly className = 'CSVLogger'
  private file: GrowingFile | null = null
  private columns: readonly string[] | null = null

  override async onTrainBegin(): Promise<void> {
    this.file = new GrowingFile(this.filename, this.append ? null : 0)
    this.columns = null
    // Stored now, so that a saved run has the length even before a line was added.
    await this.writing((file) => file.length())
  }

  override async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    const columns = (this.columns ??= columnsOf(Object.keys(logs)))
    await this.writing(async (file) => {
      const isFirst = (await file.length()) === 0
      const rows = [
        ...(isFirst ? [['epoch', ...columns]] : []),
        [epoch, ...columns.map((name) => propertyOf(logs, name) ?? 'NA')],
      ]
      await file.append(
        encodeUtf8(rows.map((row) => `${row.map((cell) => this.cell(String(cell))).join(this.separator)}\n`).join('')),
      )
    })
  }

  private writing<Result>(body: (file: GrowingFile) => Promise<Result>): Promise<Result> {
    return writingTo(this.filename, 'CSVLogger', () => body(this.file!))
  }

  /** Quoted if the cell would otherwise be read differently: RFC 4180. */
  private cell(text: string): string {
    return ['"', '\n', '\r', this.separator].some((mark) => text.includes(mark))
      ? `"${text.replaceAll('"', '""')}"`
      : text
  }

  override getState(): CallbackState {
    return { columns: this.columns, length: this.file?.known ?? null }
  }

  override setState({
    columns,
    length,
  }: {
    readonly columns: readonly string[] | null
    readonly length: number | null
  }): void {
    this.columns = columns
    if (length !== null) this.file = new GrowingFile(this.filename, length)
  }
}

function columnsOf(logs: readonly string[]): string[] {
  const sorted = [...logs].sort()
  return sorted.some(isValName) ? sorted : [...sorted, ...sorted.map(valName)]
}
