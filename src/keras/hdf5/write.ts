// Writes HDF5 as h5py does by default.

import { internalError } from '../../core/errors'
import type { Hdf5GroupContent } from './types'

/** The bytes of a file with these groups and datasets. */
export function writeHdf5(root: Hdf5GroupContent): Uint8Array {
  throw internalError(`${root.kind} is not written yet`)
}
