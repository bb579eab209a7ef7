// The code of all formats of weights, by their names in containers/format-list.ts.

import { ArgumentError, quoted } from '../../core/errors'
import { keysOf } from '../../core/keys'
import {
  isFileOf,
  listOfEndings,
  weightEndings,
  weightFormatOf,
  weightKinds,
  type WeightFormat,
} from '../containers/format-list'
import type { ArrayFormat, LayerFormat, NamedArrays } from './format'
import { npz } from './npz'
import { safetensors } from './safetensors'

/** The formats of Keras. @param isLegacy how they are written; both are read by their content */
const ofKeras = (isLegacy: boolean): LayerFormat => ({
  async fill(...file) {
    const { fillFromKeras } = await import('../../entries/keras')
    await fillFromKeras(...file)
  },
  async writer() {
    const { saveKerasWeights } = await import('../../entries/keras')
    return (model) => saveKerasWeights(model, isLegacy)
  },
})

export const weightFormats: Readonly<Record<WeightFormat, ArrayFormat | LayerFormat>> = {
  safetensors,
  npz,
  weightsH5: ofKeras(false),
  h5: ofKeras(true),
}

/** The format by which weights are read from bytes. */
export function weightFormatIn(bytes: Uint8Array): WeightFormat {
  return keysOf(weightKinds).find((format) => isFileOf(weightKinds[format], bytes)) ?? 'safetensors'
}

/** The format in which weights are written to a path. @throws ArgumentError for an ending that no format has */
export function requireWeightFormat(path: string | URL, where: string): WeightFormat {
  const format = weightFormatOf(String(path))
  if (format !== undefined) return format
  throw new ArgumentError(`${where}: the ending of ${quoted(String(path))} must be one of ${listOfEndings()}`)
}

export const hasArrays = (format: ArrayFormat | LayerFormat): format is ArrayFormat => 'read' in format

/** The endings of files of named arrays. */
const arrayEndings = (): string =>
  keysOf(weightFormats)
    .filter((name) => hasArrays(weightFormats[name]))
    .map((name) => weightEndings[name])
    .join(', ')

/** The error for a mapping with another format. @param instead what to do */
export function noMapping(where: string, instead: string): ArgumentError {
  return new ArgumentError(`${where}: a mapping is for files of named arrays (${arrayEndings()}). ${instead}`)
}

/** The arrays of a file. @throws FormatError for a file that is not one of named arrays */
export async function readArrays(bytes: Uint8Array): Promise<NamedArrays> {
  const format = weightFormats[weightFormatIn(bytes)]
  return (hasArrays(format) ? format : safetensors).read(bytes)
}
