// What an HDF5 file contains, as far as Keras uses it: groups of groups and datasets, with attributes.
//
//   bytes ── readHdf5 ──▶ Hdf5Group            the file is checked; numbers are converted when `read` is called
//   Hdf5GroupContent ── writeHdf5 ──▶ bytes    a group that was read can be written

import type { Shape } from '../../../core/shapes'

/** Numbers in the type in which a file stores them; float16 and bfloat16 as float32, int64 and uint64 as float64, bool as uint8. */
export type Hdf5Numbers =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array

/** The type of the elements of a dataset or an attribute. */
export type Hdf5Type =
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string'

/**
 * An array of numbers or strings, row by row. The writer makes a string of variable length of a scalar, and strings of the
 * length of the longest one of an array, as Keras does. Values that were read may be views of the bytes of the file: copy
 * those that are changed.
 */
export interface Hdf5Array {
  readonly type: Hdf5Type
  /** [] for a scalar, [0] if the file has no values. */
  readonly shape: Shape
  readonly values: Hdf5Numbers | readonly string[]
}

/** Whether the values of an array are numbers. */
export function isNumbers(values: Hdf5Array['values']): values is Hdf5Numbers {
  return ArrayBuffer.isView(values)
}

/** An array in a file, which is read when its values are requested. */
export interface Hdf5Dataset {
  readonly kind: 'dataset'
  readonly type: Hdf5Type
  readonly shape: Shape
  readonly attributes: ReadonlyMap<string, Hdf5Array>
  /** Whether reading cannot fail: the values are in one piece, and every bit pattern is a value. */
  readonly isSafe: boolean
  /** @throws FormatError for values that are damaged */
  read(): Hdf5Array
}

export interface Hdf5Group {
  readonly kind: 'group'
  readonly attributes: ReadonlyMap<string, Hdf5Array>
  /** By name, in the order of the file. */
  readonly members: ReadonlyMap<string, Hdf5Group | Hdf5Dataset>
}

/** An array to write. */
export interface Hdf5DatasetContent {
  readonly kind: 'dataset'
  readonly attributes?: ReadonlyMap<string, Hdf5Array>
  /** Called once. */
  read(): Hdf5Array
}

/** A group to write. */
export interface Hdf5GroupContent {
  readonly kind: 'group'
  /** Up to 64 kB each: Keras splits larger ones. */
  readonly attributes?: ReadonlyMap<string, Hdf5Array>
  readonly members: ReadonlyMap<string, Hdf5GroupContent | Hdf5DatasetContent>
}
