// The options with which files of models are read and written.

import { merged } from '../core/merged'
import {
  abortSignal,
  anything,
  boolean,
  idle,
  listOf,
  nullable,
  nullAs,
  option,
  recordOf,
  required,
  unchecked,
  unread,
  type ValuesOf,
} from '../core/options'
import { ArgumentError } from '../core/errors'
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

/** A number, or nested arrays of numbers. */
export type ConstantLike = number | boolean | readonly ConstantLike[]

/** Options about the inputs of a file that holds a graph: ONNX, and a graph-model of TensorFlow.js. */
export interface InputOptions {
  /**
   * Values of inputs that are the same in every call, by their names. The model has no such inputs, and shapes and
   * branches may depend on them. Default {}.
   */
  constants?: Readonly<Record<string, ConstantLike>>
  /** Shapes of inputs that replace those of the file: null stands for an open extent. Default {}. */
  shapes?: Readonly<Record<string, readonly (number | null)[]>>
}

/** Options of `loadModel`. */
export interface LoadModelOptions extends LoadOptions, InputOptions {
  /**
   * The only classes of layers that the file may name, besides `customObjects`. Default: all of the library. `loadModel` of
   * `myelin/predict` needs them: a bundle then has no others.
   */
  layers?: readonly LayerClass[] | null
}

/** A class of layers. */
export type LayerClass = abstract new (...inputs: never[]) => LayerBase

const layersKind = listOf(unchecked<LayerClass>())
export const jsonTable = { customObjects: option(nullAs(recordOf(anything), {}), null) }
/** The options with which files are read. */
const loadRows = merged(jsonTable, {
  compile: option(boolean, true),
  safeMode: unread(idle(boolean, [true], 'files hold no code. Give functions in customObjects'), true),
  signal: option(nullable(abortSignal), null),
})
type LoadRows = typeof loadRows
export type LoadTable = { [Name in keyof LoadRows]: LoadRows[Name] }
export const loadTable: LoadTable = loadRows
/** Options that were read. */
export type LoadSettings = Partial<ValuesOf<typeof loadTable>> & InputOptions
/** The options of loadModel. Formats with graphs read constants and shapes. */
export const loadModelTable = merged(loadTable, {
  layers: option(nullable(layersKind), null),
  constants: option(recordOf(unchecked<ConstantLike>()), {}),
  shapes: option(recordOf(unchecked<readonly (number | null)[]>()), {}),
})
/** The options of loadModel of myelin/predict. */
export const predictTable = merged(jsonTable, {
  layers: required(layersKind),
  signal: option(nullable(abortSignal), null),
})

export interface SaveOptions {
  /** false omits the options of compile and the optimizer's state. Default true. */
  includeOptimizer?: boolean
  /** false: a file at the path is an error. Default true: it is replaced. */
  overwrite?: boolean
}

/** @throws ArgumentError for options about inputs with a file that has no graph */
export function requireNoInputOptions({ constants = {}, shapes = {} }: InputOptions, what: string): void {
  const [option] = Object.entries({ constants, shapes }).find(([, values]) => Object.keys(values).length > 0) ?? []
  if (option !== undefined)
    throw new ArgumentError(
      `loadModel: ${option} are for ONNX files and graph-models of TensorFlow.js. Leave them out for ${what}.`,
    )
}
