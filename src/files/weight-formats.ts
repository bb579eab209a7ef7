// Files of weights of all formats, for models. The code for them is in the sub-path `myelin/weights`,
// which the caller loads when it is needed.

import { readOptions } from '../core/options'
import type { WeightMapping } from './containers/weight-mapping'
import type { LayerBase } from '../layers/layer'
import { bytesFrom, naming, type ByteSource } from '../engine/runtime/platform'
import { formatOf } from './formats'
import { requireNew } from '../models/overwrite'
import { snapshotOf } from '../models/snapshot'
import type { WeightFiles } from '../models/weight-files'
import { readLoading, saveWeightsTable, weightFormatOf, type WeightFormat } from '../models/weight-options'

/** The code of the sub-path. */
interface WeightModule {
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

/** What models do with files of weights. @param module loads the sub-path */
export function weightFiles(module: () => Promise<WeightModule>): WeightFiles {
  return {
    async save(model, path, options) {
      const { mapping, overwrite } = readOptions('saveWeights', saveWeightsTable(), options)
      const format = path === undefined ? 'safetensors' : weightFormatOf(path, 'saveWeights')
      const at = snapshotOf(model)
      if (!overwrite && path !== undefined) requireNew(path, 'saveWeights')
      const write = await (await module()).weightWriter(format, mapping)
      return at(() => write(model))
    },
    async load(model, source, options) {
      const { signal, mapping, skipMismatch } = readLoading('loadWeights', options)
      const bytes = await bytesFrom(source, 'loadWeights', signal)
      const format = mapping === null && !skipMismatch ? formatOf(bytes) : null
      return naming(source, async () =>
        format === null
          ? (await module()).fillWeights(model, bytes, { mapping, source, signal, skipMismatch })
          : format.fill(model, bytes, source, signal),
      )
    },
  }
}
