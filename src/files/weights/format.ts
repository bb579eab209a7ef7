// A format of weights: how its files are read and written. formats.ts has all of them.

import type { FileReader } from '../../engine/runtime/beside'
import type { LayerBase } from '../../layers/layer'
import type { NamedTensor } from '../containers/safetensors'

/** The arrays of a file by their names, in its order. */
export type NamedArrays = ReadonlyMap<string, NamedTensor>

/** A format whose files are named arrays. It does not know models: its callers find the array of each weight, also by a mapping. */
export interface ArrayFormat {
  /** The arrays of a file. @throws FormatError for a damaged file */
  read(bytes: Uint8Array): NamedArrays | Promise<NamedArrays>
  /** The bytes of a file. Reads all elements before it returns, because they may be views of memory that later steps change. */
  write(arrays: readonly NamedTensor[]): Uint8Array | Promise<Uint8Array>
  /** Without a mapping, these are called in place of `read` and `write`: for a format whose files then have more than arrays. */
  readonly own?: {
    /** Loads the weights of a file, all or none. */
    fill(model: LayerBase, bytes: Uint8Array): void
    write(model: LayerBase): Uint8Array
  }
}

/** A format whose files have weights by layers, in the structure of another library. It takes no mapping. */
export interface LayerFormat {
  /**
   * Loads the weights of a file, all or none.
   * @param beside reads files in the folder of the file; null if that is not known
   * @param skipped takes the layers whose weights do not fit; null if that is an error
   */
  fill(model: LayerBase, bytes: Uint8Array, beside: FileReader | null, skipped: string[] | null): Promise<void>
  /** Loads the code that writes. What it returns reads all weights before it returns. */
  writer(): Promise<(model: LayerBase) => Promise<Uint8Array>>
}
