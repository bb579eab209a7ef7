// Layouts: which part of the data belongs to which input or output of a model. Uses trees and names, not the numbers.

import { ArgumentError, restating } from '../../core/errors'
import type { Shape } from '../../core/shapes'
import type { TensorSpec } from '../../core/spec'
import { childrenAt, flatten, flattenLike, isBranch, mapTree, pathName, type Tree } from '../../core/tree'
import { branchesIntoTensors, isTensorLikeObject, type TensorLike } from '../../ops/convert'
import { StringTensor } from '../../ops/strings'
import { Tensor } from '../../ops/tensor'
import type { SampleWeights } from './data-types'

/** The expected form of inputs or targets. */
export interface Layout {
  /** The specs as a tree; null if the form is that of the data. */
  readonly structure: Tree<TensorSpec> | null
  /** A name for each leaf. */
  readonly names: readonly string[]
  /** Which leaves need data. Default: all. */
  readonly needed?: readonly boolean[]
}

/**
 * The data of each leaf of a layout. The data may have the layout's structure, or be a record by the leaves' names, or a
 * list by their positions.
 */
export function assignLeaves(
  { structure, names }: Layout,
  data: unknown,
  where: string,
  isPartial: boolean,
): { leaves: unknown[]; tree: Tree<unknown> } {
  const tree = structure === null ? mapData(data, () => null) : mapTree(structure, () => null)
  if (!isBranch(tree)) return { leaves: [unwrapSingle(names, data, where)], tree }
  const isRecord = isBranch(data) && !Array.isArray(data)
  const count = flatten(tree).length
  // As in Keras, a single input may be passed alone or in a list.
  if (Array.isArray(tree) && count === 1 && !isBranch(tree[0]) && !isWrapped(data)) return { leaves: [data], tree }
  if (Array.isArray(tree) && isRecord && names.length === count)
    return { leaves: leavesByName(names, data, where, isPartial), tree }
  if (!Array.isArray(tree) && Array.isArray(data) && data.length === count) return { leaves: [...data], tree }
  if (isPartial && !Array.isArray(tree) && isRecord && Object.values(tree).every((child) => !isBranch(child))) {
    return { leaves: leavesByName(Object.keys(tree), data, where, true), tree }
  }
  return { leaves: flattenLike(tree, data, where), tree }
}

/** The layout of data of any form. */
export const UNKNOWN_LAYOUT: Layout = { structure: null, names: [] }

/** The layout if the data have its form, otherwise the unknown one. For custom steps, which accept any data. */
export function layoutFor(layout: Layout, data: unknown): Layout {
  if (layout.structure === null || data == null) return layout
  const specs = flatten(layout.structure)
  try {
    const { leaves } = assignLeaves(layout, data, '', true)
    return leaves.every((leaf, i) => !branchesIntoTensors(leaf) || areRows(specs[i]!, leaf)) ? layout : UNKNOWN_LAYOUT
  } catch (error) {
    if (error instanceof ArgumentError) return UNKNOWN_LAYOUT
    throw error
  }
}

/** The content of a record or list around a single input or output; otherwise the data themselves. */
export function unwrapSingle(names: readonly string[], data: unknown, where: string): unknown {
  if (Array.isArray(data)) return isWrapped(data) ? data[0] : data
  if (!isNamedData(data)) return data
  const keys = Object.keys(data)
  const named = (): unknown => leavesByName(names, data, where, false)[0]
  const hint = "If these are columns, make one array of them: features: 'vector' of readCsv, or .map(…)."
  if (names.length !== 1)
    throw new ArgumentError(`${where}: expected one array, received { ${keys.join(', ')} }. ${hint}`)
  return keys.includes(names[0]!) ? named() : restating((message) => `${message}. ${hint}`, named)
}

/** Whether data for one tensor are in a record, or in a list of one. */
export function isWrapped(data: unknown): boolean {
  return Array.isArray(data) ? data.length === 1 && branchesIntoTensors(data) : isNamedData(data)
}

/** Whether the typed arrays or tensors of a list are the rows of one input, rather than one input each. */
export function areRows(spec: TensorSpec, data: unknown): boolean {
  if (!Array.isArray(data)) return false
  return (spec.shape.length > 1 && data.every((each) => ArrayBuffer.isView(each))) || areTensorRows(spec, data)
}

/** Whether a list has tensors that one input or target may have as its rows. */
export function hasTensors(data: unknown): data is readonly TensorLike[] {
  return (
    Array.isArray(data) &&
    data.length > 0 &&
    !data.every((each) => ArrayBuffer.isView(each)) &&
    data.every((each) => !(each instanceof StringTensor) && isTensorLikeObject(each))
  )
}

/**
 * Whether the tensors of a list are rows: they have one axis less than the input. The single tensor of a list is no row of a column
 * [n, 1]: it is the whole column, without its second axis.
 */
function areTensorRows({ shape }: TensorSpec, data: readonly unknown[]): boolean {
  if (!hasTensors(data)) return false
  const rowShape = shapeIn(data[0])
  const isColumn = data.length === 1 && shape.length === 2 && shape[1] === 1 && rowShape?.[0] !== 1
  return rowShape !== undefined && rowShape.length > 0 && rowShape.length === shape.length - 1 && !isColumn
}

function leavesByName(names: readonly string[], data: object, where: string, isPartial: boolean): unknown[] {
  const unknown = Object.keys(data).find((key) => !names.includes(key))
  const missing = isPartial ? undefined : names.find((name) => Reflect.get(data, name) === undefined)
  if (unknown !== undefined || missing !== undefined) {
    const wrong = unknown !== undefined ? `'${unknown}' is not one of them` : `'${missing}' is missing`
    throw new ArgumentError(`${where}: expected { ${names.join(', ')} }; ${wrong}`)
  }
  return names.map((name) => Reflect.get(data, name) ?? null)
}

/** The tree of data without a layout: rows of numbers are one leaf, lists and records of tensors are branches. */
export function mapData<To>(
  data: unknown,
  replace: (leaf: unknown, path: string) => To,
  path = '',
  depth = 0,
): Tree<To> {
  if (!isBranch(data) || !branchesIntoTensors(data)) return replace(data, path)
  // Refuses data that contain themselves.
  childrenAt(data, depth)
  if (Array.isArray(data)) return data.map((each, i) => mapData(each, replace, `${path}[${i}]`, depth + 1))
  return Object.fromEntries(
    Object.entries(data).map(([key, each]) => [key, mapData(each, replace, `${path}.${key}`, depth + 1)]),
  )
}

/** Whether data are a record with a part for each name, and not a tensor in the form { data, shape }. */
export function isNamedData(x: unknown): x is Readonly<Record<string, unknown>> {
  return isBranch(x) && !Array.isArray(x) && !('data' in x && 'shape' in x)
}

export function placeOf(where: string, path: string): string {
  return path === '' ? where : `${where}.${pathName(path)}`
}

/**
 * Targets of only the outputs that need them, in a list or as a single target (as in Keras), become a list with
 * null for the other outputs. Other data are returned unchanged.
 */
export function withNullTargets({ structure, needed }: Layout, y: unknown, size: number): unknown {
  if (needed === undefined || !needed.includes(false) || !isBranch(structure)) return y
  const children = Object.values(structure)
  if (children.some(isBranch) || isTargetList(y, children.length, size)) return y
  const targets = neededTargets(y, needed.filter(Boolean).length, size)
  if (targets === null) return y
  let at = 0
  return needed.map((isNeeded) => (isNeeded ? targets[at++] : null))
}

/** Targets for as many outputs, also a single one; null for other data. */
function neededTargets(y: unknown, count: number, size: number): readonly unknown[] | null {
  if (isTargetList(y, count, size)) return y
  return count === 1 && rowsOf(y) === size ? [y] : null
}

/** Whether data are a list with a target, or null, for each of some outputs. */
function isTargetList(y: unknown, count: number, size: number): y is readonly unknown[] {
  return Array.isArray(y) && y.length === count && y.every((each) => each === null || rowsOf(each) === size)
}

/** The number of rows in data for one tensor; null for numbers and for records of data. */
function rowsOf(data: unknown): number | null {
  if (Array.isArray(data)) return data.length
  if (ArrayBuffer.isView(data)) return 'length' in data ? Number(data.length) : null
  return isBranch(data) || data instanceof Tensor ? (shapeIn(data)?.[0] ?? null) : null
}

/** The shape of a tensor, also in the form { data, shape }; undefined for other data. */
function shapeIn(data: unknown): Shape | undefined {
  const shape: unknown = typeof data === 'object' && data !== null && 'shape' in data ? data.shape : undefined
  return Array.isArray(shape) ? shape : undefined
}

/** Whether there are weights for each output, rather than weights that all outputs share. */
export function isPerOutput(sampleWeight: SampleWeights, count: number): boolean {
  if (branchesIntoTensors(sampleWeight) || isNamedData(sampleWeight)) return true
  return (
    Array.isArray(sampleWeight) &&
    sampleWeight.length === count &&
    sampleWeight.every((each) => typeof each !== 'number')
  )
}
