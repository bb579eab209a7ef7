// Formats of other libraries. Their code is in sub-paths of the package and is loaded only for such a file, so that a page
// without such files does not contain it.

import { ArgumentError, StateError, quoted } from '../core/errors'
import { isKerasFile, isTfjsFile } from './containers/foreign'
import { isOnnxFile } from './containers/onnx-file'
import type { ModelFormat } from '../models/format-hook'
import { snapshotOf } from '../models/snapshot'

/** A format: how its files are recognised, and its code. */
interface Format {
  /** The sub-path with its code, for errors. */
  readonly subPath: string
  /** The endings of the paths to which it is written. */
  readonly endings: readonly string[]
  /** What addresses of models in the storage of a page begin with. */
  readonly storages?: readonly string[]
  /** Whether bytes are a file of the format. */
  isFile(bytes: Uint8Array): boolean
  load(): Promise<ModelFormat>
}

// Bundlers drop this list where nothing loads a model, if it has no regular expressions and takes modules apart by destructuring.
const formats: readonly Format[] = [
  {
    subPath: 'keras',
    endings: ['.keras', '.h5', '.hdf5'],
    isFile: isKerasFile,
    load: async () => {
      const { kerasFormat } = await import('../entries/keras')
      return kerasFormat
    },
  },
  {
    subPath: 'onnx',
    endings: ['.onnx'],
    isFile: isOnnxFile,
    load: async () => {
      const { onnxFormat } = await import('../entries/onnx')
      return onnxFormat
    },
  },
  {
    subPath: 'tfjs',
    endings: ['.json', '/'],
    storages: ['indexeddb://', 'localstorage://'],
    isFile: isTfjsFile,
    load: async () => {
      const { tfjsFormat } = await import('../entries/tfjs')
      return tfjsFormat
    },
  },
]

/** The ending of files of this library, which may also have none. */
const OWN_ENDING = '.safetensors'

/**
 * The format of a file, by its bytes or by the path to which it is written; null for a file of this library.
 * @throws ArgumentError for a path with the ending of another program
 */
export function formatOf(file: Uint8Array | string): ModelFormat | null {
  const isOf = (format: Format): boolean =>
    typeof file === 'string'
      ? format.endings.some((ending) => file.toLowerCase().endsWith(ending)) || stores(format, file)
      : format.isFile(file)
  const format = formats.find(isOf)
  if (format === undefined && typeof file === 'string') requireOwnEnding(file)
  return format === undefined ? null : lazy(format)
}

/** Numbers and versions at the end of a name, as in `net.v2` and `epoch-0.25`, are not endings. */
function requireOwnEnding(path: string): void {
  const ending = /\.[a-z]{2}\w*$/i.exec(path)?.[0]
  if (ending === undefined || ending.toLowerCase() === OWN_ENDING) return
  const known = formats.flatMap(({ endings }) => endings)
  throw new ArgumentError(
    `save: ${quoted(path)} ends in ${ending}, which is not a format of models. Use ${[OWN_ENDING, ...known].join(', ')}, or no ending for ${OWN_ENDING}`,
  )
}

/** The format of a model in the storage of a page; null for other sources. */
export function storedFormatOf(source: unknown): ModelFormat | null {
  const format = typeof source === 'string' ? formats.find((each) => stores(each, source)) : undefined
  return format === undefined ? null : lazy(format)
}

function stores({ storages = [] }: Format, address: string): boolean {
  return storages.some((each) => address.startsWith(each))
}

/** A format whose code is loaded by its first call. */
function lazy({ subPath, load }: Format): ModelFormat {
  const loaded = async (): Promise<ModelFormat> => {
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
    readStored: async (address, options) => (await loaded()).readStored!(address, options),
    fill: async (model, bytes, source, signal) => (await loaded()).fill(model, bytes, source, signal),
    write: async (model, path, options) => {
      // The file has the weights at the time of the call.
      const at = snapshotOf(model)
      const { write } = await loaded()
      return at(() => write(model, path, options))
    },
  }
}
