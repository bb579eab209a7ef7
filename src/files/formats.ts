// The formats of files: how they are recognised, and where their code is. It is in sub-paths of the package and is loaded only for such a
// file, so that a page without such files does not contain it. loader.ts reads and writes by this table.

import type { WeightMapping } from './containers/weight-mapping'
import { isKerasFile, isTfjsFile } from './containers/foreign'
import { isOnnxFile } from './containers/onnx-file'
import type { LayerBase } from '../layers/layer'
import type { FileFormat } from '../models/file-format'
import { formatPaths } from '../models/format-paths'
import type { WeightFormat } from '../models/weight-options'
import type { ByteSource } from '../engine/runtime/platform'

/** A format of models of another library. */
export interface Format {
  /** The sub-path of the package with its code. */
  readonly subPath: string
  /** The paths to which models are written: see models/format-paths.ts. */
  readonly paths: readonly string[]
  /** Whether bytes are a file of the format. */
  isFile(bytes: Uint8Array): boolean
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
  weightWriter(format: WeightFormat, mapping: WeightMapping | null): Promise<(model: LayerBase) => Promise<Uint8Array>>
}

/** All formats besides the safetensors of this library. */
export interface FormatTable {
  readonly models: readonly Format[]
  weights(): Promise<WeightCode>
}

// Bundlers drop this table where nothing loads a model, if it has no regular expressions and takes modules apart by destructuring.
export const formats: FormatTable = {
  models: [
    {
      subPath: 'keras',
      paths: formatPaths.keras,
      isFile: isKerasFile,
      load: async () => {
        const { kerasFormat } = await import('../entries/keras')
        return kerasFormat
      },
    },
    {
      subPath: 'onnx',
      paths: formatPaths.onnx,
      isFile: isOnnxFile,
      load: async () => {
        const { onnxFormat } = await import('../entries/onnx')
        return onnxFormat
      },
    },
    {
      subPath: 'tfjs',
      paths: formatPaths.tfjs,
      isFile: isTfjsFile,
      load: async () => {
        const { tfjsFormat } = await import('../entries/tfjs')
        return tfjsFormat
      },
    },
  ],
  weights: () => import('../entries/weights'),
}
