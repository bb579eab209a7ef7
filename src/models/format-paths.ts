// The paths to which models are written in formats of other libraries. A bundle without the code of these formats has this table, too: its
// errors name the sub-path to import.

/** Endings of paths, and beginnings of addresses in the storage of a page, which end in `//`; by the sub-path of the package with the code. */
export const formatPaths = {
  keras: ['.keras', '.h5', '.hdf5'],
  onnx: ['.onnx'],
  tfjs: ['.json', '/', 'indexeddb://', 'localstorage://'],
}

/** Whether a path is one of those. */
export function isPathOf(marks: readonly string[], path: string): boolean {
  return marks.some((mark) => (mark.endsWith('//') ? path.startsWith(mark) : path.toLowerCase().endsWith(mark)))
}
