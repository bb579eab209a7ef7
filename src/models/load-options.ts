// The options with which files of models are read and written.

import { abortSignal, boolean, custom, nullable, option, recordOf } from '../core/options'
import type { CustomObjects } from '../core/registry'

export interface LoadOptions {
  /** The user's classes and functions, by the names under which they were saved. */
  customObjects?: CustomObjects
  /** false: leave the model uncompiled. Default true. */
  compile?: boolean
  /** Ends reading early; loadModel then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | null
}

const classesKind = recordOf(
  custom<unknown>(
    (value) => value,
    () => null,
  ),
)
export const jsonTable = { customObjects: option(classesKind, {}) }
/** The options of loadModel. */
export const loadTable = { ...jsonTable, compile: option(boolean, true), signal: option(nullable(abortSignal), null) }

export interface SaveOptions {
  /** false omits the options of compile and the optimizer's state. Default true. */
  includeOptimizer?: boolean
}
