// The loader of files: reads and writes models and weights by a table of formats. It is the same on every host. Files of this library need
// no table: see own/revive.ts and models/save.ts.

import { ArgumentError, StateError, quoted } from '../core/errors'
import { readOptions } from '../core/options'
import { foreignKind, isFileOf, isPathOf, weightEndings } from './containers/format-list'
import { libraryClasses } from './own/revive'
import { bytesFrom, naming } from '../engine/runtime/platform'
import type { FileFormat } from '../models/file-format'
import { useFileLoader, type FileLoader } from '../models/file-loader'
import type { LoadSettings } from '../models/load-options'
import type { Model } from '../models/model'
import { requireNew } from '../models/overwrite'
import { graphFromConfig } from '../models/read-graph'
import { snapshotOf } from '../models/snapshot'
import { readLoading, saveWeightsTable } from '../models/weight-options'
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
  /** The first format of models for which `isWanted`; null if there is none. */
  const formatFor = (isWanted: (format: Format) => boolean): Required<FileFormat> | null => {
    const found = Object.entries(table.models).find(([, format]) => isWanted(format))
    return found === undefined ? null : lazy(...found)
  }
  const loader: Loader = {
    formatOf(path) {
      const format = formatFor(({ paths }) => isPathOf(paths, path))
      if (format === null) requireOwnEnding(path, table)
      return format
    },
    formatIn: (bytes) => formatFor(({ kinds }) => isFileOf(kinds, bytes)),
    storedReader(source) {
      if (typeof source !== 'string') return null
      const format = formatFor(({ paths }) => isPathOf(paths.filter(isStorage), source))
      return format === null ? null : (options) => format.readStored(source, options)
    },
    kindOf: foreignKind,
    async saveWeights(model, path, options) {
      const { mapping, overwrite } = readOptions('saveWeights', saveWeightsTable(), options)
      const at = snapshotOf(model)
      const { requireWeightFormat, weightWriter } = await table.weights()
      const format = path === undefined ? 'safetensors' : requireWeightFormat(path, 'saveWeights')
      if (!overwrite && path !== undefined) requireNew(path, 'saveWeights')
      const write = await weightWriter(format, mapping)
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

/**
 * Files of this library may have no ending. Numbers and versions at the end of a name, as in `net.v2` and `epoch-0.25`, are not endings.
 * @throws ArgumentError for a path with the ending of another program
 */
function requireOwnEnding(path: string, { models }: FormatTable): void {
  const ending = /\.[a-z]{2}\w*$/i.exec(path)?.[0]
  if (ending === undefined || ending.toLowerCase() === weightEndings.safetensors) return
  const own = weightEndings.safetensors
  const others = Object.values(models).flatMap(({ paths }) => paths.filter((mark) => !isStorage(mark)))
  throw new ArgumentError(
    `save: ${quoted(path)} ends in ${ending}, which is not a format of models. Use ${[own, ...others].join(', ')}, or no ending for ${own}`,
  )
}

/** A format whose code is loaded by its first call, which throws a StateError if it cannot be loaded. */
function lazy(subPath: string, { load }: Format): Required<FileFormat> {
  const loaded = async (): Promise<FileFormat> => {
    try {
      return await load()
    } catch (cause) {
      throw new StateError(
        `Files of this format are read and written by 'myelin/${subPath}', which could not be loaded. Is the file of this sub-path on the server?`,
        { cause },
      )
    }
  }
  return {
    read: async (file, options) => (await loaded()).read(file, options),
    async readStored(address, options) {
      const format = await loaded()
      if (format.readStored === undefined) throw new StateError(`internal: no model is stored at ${address}`)
      return format.readStored(address, options)
    },
    fill: async (model, bytes, source, signal) => (await loaded()).fill(model, bytes, source, signal),
    write: async (model, path, options) => {
      // The file has the weights at the time of the call.
      const at = snapshotOf(model)
      const { write } = await loaded()
      return at(() => write(model, path, options))
    },
  }
}
