// Connects models with files of weights besides the safetensors of this library. A model that is made in code does not know their code: see
// format-hook.ts.

import { ArgumentError, StateError, quoted } from '../core/errors'
import { custom, nullable, option } from '../core/options'
import type { OptionInputs } from '../core/options'
import { signalOption } from '../data/abort'
import type { WeightMapping } from '../formats/weight-mapping'
import type { LayerBase } from '../layers/layer'
import type { ByteSource } from '../runtime/platform'

/** The formats of weights; `h5` is the legacy one of Keras. */
export type WeightFormat = 'safetensors' | 'npz' | 'weightsH5' | 'h5'

/** The code of the sub-path `myelin/weights`, as far as models use it. */
export interface WeightFiles {
  fillWeights(
    model: LayerBase,
    bytes: Uint8Array,
    from: { readonly mapping: WeightMapping | null; readonly source: ByteSource; readonly signal: AbortSignal | null },
  ): Promise<void>
  weightWriter(format: WeightFormat, mapping: WeightMapping | null): Promise<(model: LayerBase) => Promise<Uint8Array>>
}

let loader: (() => Promise<WeightFiles>) | null = null

export function findWeightFilesWith(given: (() => Promise<WeightFiles>) | null): void {
  loader = given
}

/** The code for all files of weights; null where it is not known. */
export async function knownWeightFiles(): Promise<WeightFiles | null> {
  return loader === null ? null : loader()
}

/** The same. @throws StateError where it is not known */
export async function requireWeightFiles(where: string): Promise<WeightFiles> {
  const files = await knownWeightFiles()
  if (files !== null) return files
  throw new StateError(
    `${where}: this needs 'myelin/weights', which is known in Node. Call readWeights or writeWeights of 'myelin/weights'`,
  )
}

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

const mappingKind = custom<WeightMapping>(
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

export type SaveWeightsOptions = OptionInputs<ReturnType<typeof mappingOption>>
export const loadWeightsTable = () => ({ ...signalOption(), ...mappingOption() })
export type LoadWeightsOptions = OptionInputs<ReturnType<typeof loadWeightsTable>>
