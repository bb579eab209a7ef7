// Files of weights of all formats, for models: the endings of paths, and the options. The code for them is in the sub-path `myelin/weights`,
// which the caller loads when it is needed.

import { ArgumentError, quoted } from '../core/errors'
import { always, boolean, custom, nullable, option, readOptions, unread } from '../core/options'
import type { OptionInputs, ValuesOf } from '../core/options'
import { signalOption } from '../data/samples/abort'
import type { WeightMapping } from './containers/weight-mapping'
import type { LayerBase } from '../layers/layer'
import type { ByteSource } from '../engine/runtime/platform'
import { bytesFrom, naming } from '../engine/runtime/platform'
import { formatOf } from './formats'
import { overwriteOption, requireNew } from '../models/overwrite'
import { snapshotOf } from '../models/snapshot'
import type { WeightFiles } from '../models/weight-files'

/** The formats of weights; `h5` is the legacy one of Keras. */
export type WeightFormat = 'safetensors' | 'npz' | 'weightsH5' | 'h5'

/** Endings of paths. */
const ENDINGS: readonly (readonly [ending: string, format: WeightFormat])[] = [
  ['.safetensors', 'safetensors'],
  ['.npz', 'npz'],
  ['.weights.h5', 'weightsH5'],
  ['.h5', 'h5'],
]

/** The format of a path. @throws ArgumentError for another ending */
export function weightFormatOf(path: string | URL, where: string): WeightFormat {
  const found = ENDINGS.find(([ending]) => String(path).toLowerCase().endsWith(ending))
  if (found !== undefined) return found[1]
  throw new ArgumentError(
    `${where}: the ending of ${quoted(String(path))} must be one of ${ENDINGS.map(([ending]) => ending).join(', ')}`,
  )
}

const mappingKind = /* @__PURE__ */ custom<WeightMapping>(
  (value, where) => {
    if (typeof value === 'function' || (typeof value === 'object' && value !== null && !Array.isArray(value)))
      return value as WeightMapping
    throw new ArgumentError(`${where} must be a record or a function, from names in the file to weights`)
  },
  () => null,
)

export const mappingOption = () => ({
  /** The weights of the names in a file of another program: see `torchMapping` of `myelin/weights`. Default: names of this library. */
  mapping: option(nullable(mappingKind), null),
})

export const saveWeightsTable = () => ({
  ...mappingOption(),
  ...overwriteOption(),
  /** Must be null: weights are written to one file. Default null. */
  maxShardSize: unread(always([null], 'weights are written to one file'), null),
})
export type SaveWeightsOptions = OptionInputs<ReturnType<typeof saveWeightsTable>>
const loadWeightsTable = () => ({
  ...signalOption(),
  ...mappingOption(),
  /**
   * true: layers whose weights are not in the file, or have other shapes there, keep theirs, with a warning. Files of Keras,
   * safetensors of `saveWeights`, and .npz. Default false.
   */
  skipMismatch: option(boolean, false),
})
export type LoadWeightsOptions = OptionInputs<ReturnType<typeof loadWeightsTable>>

/** @throws ArgumentError for options that exclude each other */
export function readLoading(where: string, options: unknown): ValuesOf<ReturnType<typeof loadWeightsTable>> {
  const read = readOptions(where, loadWeightsTable(), options)
  if (!read.skipMismatch || read.mapping === null) return read
  throw new ArgumentError(`${where}: skipMismatch and mapping exclude each other: a mapping names what is loaded`)
}

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
