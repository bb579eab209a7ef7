// The content of HDF5 files as plain objects, which tests compare.

import { readFileSync, readdirSync } from 'node:fs'
import type {
  Hdf5Array,
  Hdf5Dataset,
  Hdf5DatasetContent,
  Hdf5Group,
  Hdf5GroupContent,
  Hdf5Type,
} from '../../../../src/files/keras/hdf5/types'

/** The form of tests/golden/hdf5.json. */
export interface Described {
  attributes?: { [name: string]: DescribedArray }
  members?: { [name: string]: Described }
  array?: DescribedArray
}

export interface DescribedArray {
  type: Hdf5Type
  shape: readonly number[]
  /** Names of numbers that JSON does not have. */
  values: readonly (number | string)[]
}

type Content = Hdf5Group | Hdf5Dataset | Hdf5GroupContent | Hdf5DatasetContent

export function described(item: Content): Described {
  const attributes = Object.fromEntries(Array.from(item.attributes ?? [], ([name, value]) => [name, plain(value)]))
  return {
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
    ...(item.kind === 'group'
      ? { members: Object.fromEntries(Array.from(item.members, ([name, member]) => [name, described(member)])) }
      : { array: plain(item.read()) }),
  }
}

function plain({ type, shape, values }: Hdf5Array): DescribedArray {
  return {
    type,
    shape,
    values: Array.from<string | number>(values).map((value) =>
      typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)) ? named(value) : value,
    ),
  }
}

function named(value: number): string | number {
  return Object.is(value, -0) ? -0 : { Infinity: 'inf', '-Infinity': '-inf', NaN: 'nan' }[String(value)]!
}

const folder = new URL('../../../golden/hdf5/', import.meta.url)

function namesIn(path: string): string[] {
  return readdirSync(new URL(path, folder)).flatMap((file) =>
    file.endsWith('.h5') ? [file.slice(0, -'.h5'.length)] : [],
  )
}

/** Files that h5py wrote. */
export const fixtures: readonly string[] = namesIn('.')

/** Such files with parts of HDF5 that are refused. */
export const refused: readonly string[] = namesIn('refused')

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}.h5`, folder)))
}
