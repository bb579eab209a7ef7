// What an HDF5 file contains, as far as Keras uses it: groups of groups and datasets, with attributes. read.ts makes these
// from bytes, write.ts makes bytes from them.

import type { Shape } from '../../core/shapes'

/** Numbers of a file in the type in which it stores them; float16 and bfloat16 as float32; int64 as numbers. */
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

/** An array of numbers or strings, row by row. */
export interface Hdf5Array {
  readonly type: Hdf5Type
  /** [] for a scalar. */
  readonly shape: Shape
  readonly values: Hdf5Numbers | readonly string[]
}

/** An array in a file, which is read when its values are requested. */
export interface Hdf5Dataset {
  readonly kind: 'dataset'
  readonly type: Hdf5Type
  readonly shape: Shape
  readonly attributes: ReadonlyMap<string, Hdf5Array>
  /** @throws FormatError for values that the file does not contain */
  read(): Hdf5Array
}

export interface Hdf5Group {
  readonly kind: 'group'
  readonly attributes: ReadonlyMap<string, Hdf5Array>
  /** By name, in the order of the file. */
  readonly members: ReadonlyMap<string, Hdf5Group | Hdf5Dataset>
}
