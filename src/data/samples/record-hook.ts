// Connects the parsing of data with the code that reads objects as rows. A model without named inputs does not use that
// code, so a bundle of one does not contain it: Input() and the reader of saved graphs set the hook.

import type { Layout } from './layout'
import type { DataNames } from './samples'

/** Data whose rows may be objects. */
interface InputsAndTargets {
  readonly x: unknown
  readonly y?: unknown
}

export interface RecordReader {
  /** Data with rows of objects replaced by columns; other data unchanged. @throws DataError naming row and column */
  columns(layout: Layout, data: InputsAndTargets, names: DataNames): InputsAndTargets
  /** Whether a batch is a list of rows, and not a list of inputs and targets. */
  areRows(batch: readonly unknown[]): boolean
}

/** null while no model has named inputs: batches are parsed without a model, so none can pass it. */
export let records: RecordReader | null = null

export function readRecordsWith(reader: RecordReader): void {
  records = reader
}
