// A format of another library, as the loader uses it.

import type { LayerBase } from '../layers/layer'
import type { OpenedFile } from '../engine/runtime/beside'
import type { ByteSource } from '../engine/runtime/platform'
import type { ModelFormat } from './file-loader'
import type { LoadSettings } from './load-options'
import type { Model } from './model'

/** Reads and writes the files of a format. */
export interface FileFormat extends ModelFormat {
  /** The model of a file. */
  read(file: OpenedFile, options: LoadSettings): Promise<Model>
  /** The model at an address of the storage of a page, of a format that has them. */
  readStored?(address: string, options: LoadSettings): Promise<Model>
  /**
   * Loads the weights of a file into a model.
   * @param source where its bytes are from, to find files next to it
   * @param signal ends reading these
   */
  fill(model: LayerBase, bytes: Uint8Array, source: ByteSource, signal: AbortSignal | null): Promise<void>
}
