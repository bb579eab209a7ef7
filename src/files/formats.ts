// Where the code of formats is: in sub-paths of the package. It is loaded only for such a file, so that a page without such files does
// not contain it. loader.ts reads and writes by this table.

import type { WeightMapping } from './containers/weight-mapping'
import { modelKinds, modelPaths, type FileKind, type ModelFormat, type WeightFormat } from './containers/format-list'
import type { LayerBase } from '../layers/layer'
import type { FileFormat } from '../models/file-format'
import type { ByteSource } from '../engine/runtime/platform'

/** A format of models of another library. */
export interface Format {
  /** The paths to which models are written: see `modelPaths`. */
  readonly paths: readonly string[]
  /** The kinds of its files. */
  readonly kinds: readonly FileKind[]
  load(): Promise<FileFormat>
}

/** The code of files of weights alone. */
export interface WeightCode {
  fillWeights(
    model: LayerBase,
    bytes: Uint8Array,
    from: {
      readonly mapping: WeightMapping | null
      readonly source: ByteSource
      readonly signal: AbortSignal | null
      readonly skipMismatch: boolean
    },
  ): Promise<void>
  requireWeightFormat(path: string | URL, where: string): WeightFormat
  weightWriter(format: WeightFormat, mapping: WeightMapping | null): Promise<(model: LayerBase) => Promise<Uint8Array>>
}

/** All formats besides the safetensors of this library. */
export interface FormatTable {
  /** Those of models, by the sub-path of the package with the code. */
  readonly models: Readonly<Record<string, Format>>
  weights(): Promise<WeightCode>
}

// Bundlers drop this table where nothing loads a model, if it has no regular expressions and takes modules apart by destructuring.
const models: Readonly<Record<ModelFormat, Format>> = {
  keras: {
    paths: modelPaths.keras,
    kinds: modelKinds.keras,
    load: async () => {
      const { kerasFormat } = await import('../entries/keras')
      return kerasFormat
    },
  },
  onnx: {
    paths: modelPaths.onnx,
    kinds: modelKinds.onnx,
    load: async () => {
      const { onnxFormat } = await import('../entries/onnx')
      return onnxFormat
    },
  },
  tfjs: {
    paths: modelPaths.tfjs,
    kinds: modelKinds.tfjs,
    load: async () => {
      const { tfjsFormat } = await import('../entries/tfjs')
      return tfjsFormat
    },
  },
}
export const formats: FormatTable = { models, weights: () => import('../entries/weights') }
