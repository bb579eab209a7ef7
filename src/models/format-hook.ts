// Connects models with the formats of other libraries. A model that is made in code does not know them: a bundler would put all
// layers that they can name beside it. loadModel, which can name them anyhow, and the entry for Node set the hook.

import { nameKindsWith } from '../files/containers/safetensors'
import type { LayerBase } from '../layers/layer'
import type { OpenedFile } from '../engine/runtime/beside'
import type { ByteSource } from '../engine/runtime/platform'
import type { LoadSettings, SaveOptions } from './load-options'
import type { TrainedLayer } from './weight-files'

/** A format of another library, as models use it. Its code is loaded by the first call. */
export interface ModelFormat {
  /** The model of a file. */
  read(file: OpenedFile, options: LoadSettings): Promise<LayerBase>
  /** The model at an address of the storage of a page, of a format that has them. */
  readStored?(address: string, options: LoadSettings): Promise<LayerBase>
  /**
   * Loads the weights of a file into a model.
   * @param source where its bytes are from, to find files next to it
   * @param signal ends reading these
   */
  fill(model: LayerBase, bytes: Uint8Array, source: ByteSource, signal: AbortSignal | null): Promise<void>
  /** Writes a model, and returns the bytes of its file. */
  write(model: TrainedLayer, path: string | URL, options: SaveOptions): Promise<Uint8Array>
}

/** The format of a file, by its bytes or by the path to which it is written; null for one of this library. */
type FormatFinder = (file: Uint8Array | string) => ModelFormat | null

/** null while no formats are known. */
let finder: FormatFinder | null = null

/** @param kindOf names the kind of a file that is of none of the formats, for errors */
export function findFormatsWith(given: FormatFinder, kindOf: (bytes: Uint8Array) => string | null): void {
  finder = given
  nameKindsWith(kindOf)
}

/** The same; null also while no formats are known. */
export function knownFormatOf(file: Uint8Array | string): ModelFormat | null {
  return finder === null ? null : finder(file)
}
