// Models of TensorFlow.js by path, address, files or bytes.

import { requireArguments } from '../core/arguments'
import { FormatError, quoted } from '../core/errors'
import { custom, option, readOptions, recordOf } from '../core/options'
import { typed } from '../core/tree'
import type { LoadOptions } from '../models/load-options'
import { loadTable } from '../models/load-options'
import type { Model } from '../models/model'
import type { Tensor } from '../ops/tensor'
import type { Artifacts, GivenFiles, TfjsSource } from './artifacts'
import { formatOf, readArtifacts } from './artifacts'

export interface TfjsOptions extends LoadOptions {
  /** The content of files with weights, by their paths in model.json or by their names. Default {}: read next to it. */
  files?: GivenFiles
}

const content = custom<Uint8Array | Blob>(
  (value, where) => {
    if (value instanceof Uint8Array || value instanceof Blob) return value
    throw new FormatError(`${where} must be a Uint8Array or a Blob, received ${quoted(value)}`)
  },
  () => null,
)

const table = { ...loadTable, files: option(recordOf(content), {}) }

/**
 * The model of a file of TensorFlow.js.
 *
 *   const model = await readTfjs('model/model.json')
 *
 * @param source a path (Node) or URL of model.json or of its folder, `indexeddb://name`, `localstorage://name`, bytes, or a list of files
 * @throws FormatError for a damaged file, and for what this library does not have, all of it in one message; ArgumentError for an unknown
 * option; StateError, with its cause, if the source cannot be read
 */
export async function readTfjs<In = Tensor, Out = Tensor>(
  source: TfjsSource,
  options: TfjsOptions = {},
): Promise<Model<In, Out>> {
  requireArguments('readTfjs', arguments, 2)
  const { signal } = readOptions('readTfjs', table, options)
  const artifacts = await readArtifacts(source, options.files ?? {}, 'readTfjs', signal)
  return typed(await modelFrom(artifacts, options))
}

/** The model of a file of either format. */
export async function modelFrom(artifacts: Artifacts, _options: LoadOptions): Promise<Model<unknown, unknown>> {
  const format = formatOf(artifacts.json)
  throw new FormatError(`${artifacts.name} is a ${format}, which is not read`)
}
