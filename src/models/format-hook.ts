// Connects models with the formats of other libraries. A model that is made in code does not know them: a bundler would put all
// layers that they can name beside it. loadModel, which can name them anyhow, and the entry for Node set the hook.

import type { LayerBase } from '../layers/layer'
import type { LoadOptions, SaveOptions } from './load-options'

/** What the sub-path of a format exports for models. */
export interface FormatModule {
  /** The model of a file. */
  read(bytes: Uint8Array, options: LoadOptions): Promise<LayerBase>
  /** Loads the weights of a file into a model. */
  fill(model: LayerBase, bytes: Uint8Array): Promise<void>
  /** The bytes of a file with a model. */
  save(model: LayerBase, options: SaveOptions): Promise<Uint8Array>
}

/** The format of a file, by its bytes or by its path; null for one of this library. */
type FormatFinder = (file: Uint8Array | string) => Promise<FormatModule | null>

let finder: FormatFinder | null = null

export function findFormatsWith(given: FormatFinder): void {
  finder = given
}

/** The format of a file, by its bytes or by its path; null for one of this library, and while no formats are known. */
export async function knownFormatOf(file: Uint8Array | string): Promise<FormatModule | null> {
  return finder === null ? null : finder(file)
}
