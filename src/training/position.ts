// The position within a pass over the data, from which another run can continue.

import type { Json } from '../core/registry'
import type { Soon } from '../core/soon'

/** A pass, and the number of steps taken from it. */
export interface Position {
  /** null before the first pass. */
  readonly draw: { readonly seed: number; readonly epoch: number } | null
  readonly taken: number
}

/** A reader of data, pass after pass. */
export interface Resumable {
  /** The settings that must be equal for another reader to continue within a pass. */
  readonly setting: Readonly<Record<string, Json>>
  readonly position: Position
  /** Continues at a position of another reader over the same data. */
  seek(position: Position): Soon<void>
}
