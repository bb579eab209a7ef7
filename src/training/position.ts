// Where a pass over the data is, so that another run can go on from there.

import type { Json } from '../core/registry'
import type { Soon } from '../data/source'

/** So many steps into a pass. */
export interface Position {
  /** null before the first pass. */
  readonly draw: { readonly seed: number; readonly epoch: number } | null
  readonly taken: number
}

/** What reads data, pass after pass. */
export interface Resumable {
  /** What must be the same where another one goes on within a pass. */
  readonly setting: Readonly<Record<string, Json>>
  readonly position: Position
  /** Goes on where another one over the same data was. */
  seek(position: Position): Soon<void>
}
