// What every engine gives to the text of a module.

import type { Place } from '../image'

export interface EngineText {
  /** Statements that declare the typed arrays of the ends and the function `run`. */
  readonly text: string
  /** The typed arrays of the graph's parameters, into which a row is written before a run. */
  readonly parameters: readonly string[]
  /** Those of its outputs. */
  readonly outputs: readonly string[]
}

/** The constructor of the array of a dtype. */
export function arrayOf({ dtype }: Pick<Place, 'dtype'>): 'Float32Array' | 'Int32Array' {
  return dtype === 'float32' ? 'Float32Array' : 'Int32Array'
}
