// The paths to which models are written in formats of other libraries. A table of texts, which also a bundle without the code of these formats
// has: its errors name the sub-path to import.

/** How the paths of a format begin or end. */
export interface FormatPaths {
  /** The sub-path of the package with its code. */
  readonly subPath: string
  readonly endings: readonly string[]
  /** What addresses of models in the storage of a page begin with. */
  readonly storages: readonly string[]
}

const keras: FormatPaths = { subPath: 'keras', endings: ['.keras', '.h5', '.hdf5'], storages: [] }
const onnx: FormatPaths = { subPath: 'onnx', endings: ['.onnx'], storages: [] }
const tfjs: FormatPaths = { subPath: 'tfjs', endings: ['.json', '/'], storages: ['indexeddb://', 'localstorage://'] }
export const formatPaths = { keras, onnx, tfjs }

/** Whether an address is that of a model in the storage of a page. */
export function isStoredAt({ storages }: FormatPaths, address: string): boolean {
  return storages.some((start) => address.startsWith(start))
}

/** Whether a path is written in a format. */
export function isPathOf(paths: FormatPaths, path: string): boolean {
  return paths.endings.some((ending) => path.toLowerCase().endsWith(ending)) || isStoredAt(paths, path)
}
