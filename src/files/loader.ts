// The loader of files: reads and writes models and weights by a table of formats. It is the same on every host. Files of this library need
// no table: see own/revive.ts and models/save.ts.

import { ArgumentError, StateError, quoted } from '../core/errors'
import { readOptions } from '../core/options'
import { foreignKind } from './containers/foreign'
import { libraryClasses } from './own/revive'
import { bytesFrom, naming } from '../engine/runtime/platform'
import type { FileFormat } from '../models/file-format'
import { useFileLoader, type FileLoader } from '../models/file-loader'
import { isPathOf } from '../models/format-paths'
import type { LoadSettings } from '../models/load-options'
import type { Model } from '../models/model'
import { requireNew } from '../models/overwrite'
import { graphFromConfig } from '../models/read-graph'
import { snapshotOf } from '../models/snapshot'
import { readLoading, saveWeightsTable, weightFormatOf } from '../models/weight-options'
import { formats, type Format, type FormatTable } from './formats'

/** Reads models, besides what methods of models do. */
export interface Loader extends FileLoader {
  /** The format of a file; null for a file of this library, and for one that is unknown. */
  formatIn(bytes: Uint8Array): FileFormat | null
  /** Reads the model at an address of the storage of a page; null for other sources. */
  storedReader(source: unknown): ((options: LoadSettings) => Promise<Model>) | null
}

/** The loader of a table of formats. */
/* @__NO_SIDE_EFFECTS__ */
export function loaderOf(table: FormatTable): Loader {
  const loader: Loader = {
    formatOf(path) {
      const format = table.models.find(({ paths }) => isPathOf(paths, path))
      if (format === undefined) requireOwnEnding(path, table)
      return format === undefined ? null : lazy(format)
    },
    formatIn(bytes) {
      const format = table.models.find(({ isFile }) => isFile(bytes))
      return format === undefined ? null : lazy(format)
    },
    storedReader(source) {
      if (typeof source !== 'string') return null
      const format = table.models.find(({ paths }) => isPathOf(paths.filter(isStorage), source))
      return format === undefined ? null : async (options) => readStored(await loaded(format), source, options)
    },
    kindOf: foreignKind,
    async saveWeights(model, path, options) {
      const { mapping, overwrite } = readOptions('saveWeights', saveWeightsTable(), options)
      const format = path === undefined ? 'safetensors' : weightFormatOf(path, 'saveWeights')
      const at = snapshotOf(model)
      if (!overwrite && path !== undefined) requireNew(path, 'saveWeights')
      const write = await (await table.weights()).weightWriter(format, mapping)
      return at(() => write(model))
    },
    async loadWeights(model, source, options) {
      const { signal, mapping, skipMismatch } = readLoading('loadWeights', options)
      const bytes = await bytesFrom(source, 'loadWeights', signal)
      const format = mapping === null && !skipMismatch ? loader.formatIn(bytes) : null
      return naming(source, async () =>
        format === null
          ? (await table.weights()).fillWeights(model, bytes, { mapping, source, signal, skipMismatch })
          : format.fill(model, bytes, source, signal),
      )
    },
    readGraph: graphFromConfig,
    classes: libraryClasses,
  }
  return loader
}

/** The loader of all formats. */
export const loader: Loader = /* @__PURE__ */ loaderOf(formats)

/** Gives models the loader of all formats. Entries of hosts call it, and each function that names all formats anyhow. */
export function useAllFormats(): void {
  useFileLoader(loader)
}

/** Whether a mark of paths is the beginning of addresses in the storage of a page. */
const isStorage = (mark: string): boolean => mark.endsWith('//')

/** The ending of files of this library, which may also have none. */
const OWN_ENDING = '.safetensors'

/**
 * Numbers and versions at the end of a name, as in `net.v2` and `epoch-0.25`, are not endings.
 * @throws ArgumentError for a path with the ending of another program
 */
function requireOwnEnding(path: string, { models }: FormatTable): void {
  const ending = /\.[a-z]{2}\w*$/i.exec(path)?.[0]
  if (ending === undefined || ending.toLowerCase() === OWN_ENDING) return
  const known = models.flatMap(({ paths }) => paths.filter((mark) => !isStorage(mark)))
  throw new ArgumentError(
    `save: ${quoted(path)} ends in ${ending}, which is not a format of models. Use ${[OWN_ENDING, ...known].join(', ')}, or no ending for ${OWN_ENDING}`,
  )
}

/** The code of a format. @throws StateError if it cannot be loaded */
async function loaded({ subPath, load }: Format): Promise<FileFormat> {
  try {
    return await load()
  } catch (cause) {
    throw new StateError(
      `Files of this format are read and written by 'myelin/${subPath}', which could not be loaded. Is the file of this sub-path on the server?`,
      { cause },
    )
  }
}

function readStored(format: FileFormat, address: string, options: LoadSettings): Promise<Model> {
  if (format.readStored === undefined) throw new StateError(`internal: no model is stored at ${address}`)
  return format.readStored(address, options)
}

/** A format whose code is loaded by its first call. */
function lazy(format: Format): FileFormat {
  return {
    read: async (file, options) => (await loaded(format)).read(file, options),
    fill: async (model, bytes, source, signal) => (await loaded(format)).fill(model, bytes, source, signal),
    write: async (model, path, options) => {
      // The file has the weights at the time of the call.
      const at = snapshotOf(model)
      const { write } = await loaded(format)
      return at(() => write(model, path, options))
    },
  }
}
