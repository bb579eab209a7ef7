// The options with which files of models are read and written.

import {
  abortSignal,
  boolean,
  custom,
  idle,
  listOf,
  nullable,
  nullAs,
  option,
  recordOf,
  required,
  unread,
} from '../core/options'
import type { ValuesOf } from '../core/options'
import type { CustomObjects } from '../core/registry'
import type { LayerBase } from '../layers/layer'

export interface LoadOptions {
  /** The user's classes and functions, by the names under which they were saved. Default null: none. */
  customObjects?: CustomObjects | null
  /** false: leave the model uncompiled. Default true. */
  compile?: boolean
  /** Changes nothing: no file can run code. false warns. Default true. */
  safeMode?: boolean
  /** Ends reading early; loadModel then rejects with the signal's reason. Default: none. */
  signal?: AbortSignal | null
}

/** Options of `loadModel`. */
export interface LoadModelOptions extends LoadOptions {
  /**
   * The only classes of layers that the file may name, besides `customObjects`. Default: all of the library. `loadModel` of
   * `myelin/predict` needs them: a bundle then has no others.
   */
  layers?: readonly LayerClass[] | null
}

/** A class of layers. */
export type LayerClass = abstract new (...inputs: never[]) => LayerBase

const anything = custom<unknown>(
  (value) => value,
  () => null,
)
const layersKind = listOf(
  custom<LayerClass>(
    (value) => value as LayerClass,
    () => null,
  ),
)
export const jsonTable = { customObjects: option(nullAs(recordOf(anything), {}), null) }
/** The options with which files are read. */
export const loadTable = {
  ...jsonTable,
  compile: option(boolean, true),
  safeMode: unread(idle(boolean, [true], 'files hold no code. Give functions in customObjects'), true),
  signal: option(nullable(abortSignal), null),
}
/** Options that were read. */
export type LoadSettings = Partial<ValuesOf<typeof loadTable>>
/** The options of loadModel. */
export const loadModelTable = { ...loadTable, layers: option(nullable(layersKind), null) }
/** The options of loadModel of myelin/predict. */
export const predictTable = { ...jsonTable, layers: required(layersKind), signal: option(nullable(abortSignal), null) }

export interface SaveOptions {
  /** false omits the options of compile and the optimizer's state. Default true. */
  includeOptimizer?: boolean
  /** Accepted for compatibility with Keras: a file at the path is replaced. */
  overwrite?: true
}
