// The one seam between models and files of other formats. `save`, `saveWeights`, `loadWeights` and `fromConfig` have Keras's signatures,
// which have no place for a loader, and models must not import it: a bundler would put the code of all formats, and all layers that they
// can name, beside a model that is made in code. So a program gives the loader once: the entries of hosts do, and in a bundle, where
// entries are dropped, each function that names all formats, such as loadModel. No other variable connects models with files.

import type { Config, CustomObjects } from '../core/registry'
import type { SymbolsOfGraph } from '../core/file-scope'
import type { LayerBase } from '../layers/layer'
import type { ByteSource } from '../engine/runtime/platform'
import type { SaveOptions } from './load-options'
import type { TrainingState } from '../training/state'

/** A model, as far as files use it. */
export interface TrainedLayer extends LayerBase {
  readonly training: TrainingState
}

/** A format of another library, as methods of models use it. */
export interface ModelFormat {
  /** Writes a model, and returns the bytes of its file. */
  write(model: TrainedLayer, path: string | URL, options: SaveOptions): Promise<Uint8Array>
}

/** What models do with files besides the safetensors of this library, and with configurations that name all its classes. */
export interface FileLoader {
  /**
   * The format of a path to which a model is written; null for safetensors.
   * @throws ArgumentError for the ending of a program whose files are not written
   */
  formatOf(path: string): ModelFormat | null
  /** The kind of a file of another program, for errors; null if unknown. */
  kindOf(bytes: Uint8Array): string | null
  /** The bytes of the weights of a model, in the format of a path. */
  saveWeights(model: TrainedLayer, path: string | URL | undefined, options: object): Promise<Uint8Array>
  /** Loads the weights of a file of any format into a model. */
  loadWeights(model: TrainedLayer, source: ByteSource, options: object): Promise<void>
  /** The symbols of a functional model. */
  readGraph(config: Config): SymbolsOfGraph
  /** The classes of the library that configurations name. */
  classes(): CustomObjects
}

/** null in a bundle until a function that names all formats is called. */
let current: FileLoader | null = null

/** Gives models this loader; null takes it away. */
export function useFileLoader(loader: FileLoader | null): void {
  current = loader
}

/** The loader of this program; null if it has none. */
export function fileLoader(): FileLoader | null {
  return current
}
