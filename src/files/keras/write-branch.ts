// Groups of HDF5 that are filled path by path, and variables as arrays.

import { encodeUtf8 } from '../../core/text'
import type { Variable } from '../../ops/variable'
import type { Hdf5Array, Hdf5DatasetContent } from './hdf5/types'
import type { OptimizerArray } from './slots'

/** A group that is being built. */
export interface Branch {
  readonly kind: 'group'
  readonly attributes: Map<string, Hdf5Array>
  readonly members: Map<string, Branch | Hdf5DatasetContent>
}

export const branch = (): Branch => ({ kind: 'group', attributes: new Map(), members: new Map() })

/** The steps of a path: empty ones do not count in HDF5, and `.` is the group itself. */
export function stepsIn(path: string): string[] {
  return path.split('/').filter((step) => step !== '' && step !== '.')
}

/** The group at a path below another one, which is made if it is missing. */
export function groupAt(root: Branch, path: string): Branch {
  return stepsIn(path).reduce((group, step) => {
    const found = group.members.get(step)
    if (found !== undefined && found.kind === 'group') return found
    const made = branch()
    group.members.set(step, made)
    return made
  }, root)
}

/** Whether nothing is at a path, and no array on the way. */
export function isFree(root: Branch, path: string): boolean {
  let group = root
  for (const step of stepsIn(path)) {
    const found = group.members.get(step)
    if (found === undefined) return true
    if (found.kind === 'dataset') return false
    group = found
  }
  return false
}

export const datasetOf = (array: Hdf5Array): Hdf5DatasetContent => ({ kind: 'dataset', read: () => array })

export const textOf = (text: string): Hdf5Array => ({ type: 'string', shape: [], values: [text] })

export function arrayOf({ shape, value: { data } }: Variable): Hdf5Array {
  // The data of a value are a copy already.
  if (data instanceof Float32Array) return { type: 'float32', shape, values: data }
  return { type: 'int32', shape, values: data instanceof Int32Array ? data : Int32Array.from(data) }
}

/** An array of an optimizer. */
export function arrayFor(array: OptimizerArray): Hdf5Array {
  if (array.kind === 'variable') return arrayOf(array.variable)
  if (array.kind === 'calls') {
    const calls = array.updates.value.item() * array.steps + array.gathered.value.item()
    return { type: 'int32', shape: [], values: Int32Array.of(calls) }
  }
  const size = array.shape.reduce((product, extent) => product * extent, 1)
  return array.dtype === 'int32'
    ? { type: 'int32', shape: array.shape, values: new Int32Array(size) }
    : { type: 'float32', shape: array.shape, values: new Float32Array(size) }
}

/** The bytes that a list of names may have in one attribute. */
const LARGEST_LIST = 64_512

/** A list of names, which is divided among several attributes if it is long: `layer_names0`, `layer_names1`, … */
export function putNames(group: Branch, name: string, names: readonly string[]): void {
  if (names.length === 0) {
    group.attributes.set(name, { type: 'float64', shape: [0], values: new Float64Array(0) })
    return
  }
  // Strings of one length.
  const longest = Math.max(...names.map((each) => encodeUtf8(each).length), 1)
  const most = Math.max(1, Math.floor(LARGEST_LIST / longest))
  if (names.length <= most) return void group.attributes.set(name, listOf(names))
  for (let i = 0; i * most < names.length; i++)
    group.attributes.set(`${name}${i}`, listOf(names.slice(i * most, (i + 1) * most)))
}

const listOf = (values: readonly string[]): Hdf5Array => ({ type: 'string', shape: [values.length], values })
