// Rows of tensors in memory: one row as an element, or many directly as a batch, without single elements.

import { allocateData } from '../core/dtypes'
import { DataError, ShapeError } from '../core/errors'
import { sameShape } from '../core/shapes'
import { flatten, isBranch, pathName, pathsOf, put, unflatten, type Tree } from '../core/tree'
import { toTensor } from '../ops/convert'
import { StringTensor, beginsWithString, toStrings } from '../ops/strings'
import { Tensor } from '../ops/tensor'
import { mapData } from './samples/layout'
import { collate } from './samples/collate'
import { doublesOf, keepsDoubles, withDoubles } from './samples/doubles'
import type { NumberedRows } from './samples/row-block'

/** Wraps the data of a leaf: a list of rows would otherwise be a branch. */
class Column {
  constructor(readonly data: unknown) {}
}

interface Reader {
  readonly size: number
  readonly row: (i: number) => unknown
  readonly exact: (i: number) => unknown
  /** null for strings. */
  readonly tensor: Tensor | null
}

/** @throws ShapeError for different numbers of rows, DataError for data that are not a tensor */
export function slicesOf(columns: unknown, where: string): NumberedRows {
  const tree: Tree<unknown> = mapData(columns, (leaf) => new Column(leaf))
  const paths = pathsOf(tree)
  const readers = flatten<unknown>(tree).map((leaf, i) =>
    reader(leaf, `${where}: ${pathName(paths[i]!) || 'the data'}`),
  )
  const size = readers[0]?.size ?? 0
  const other = readers.findIndex((each) => each.size !== size)
  if (other >= 0)
    throw new ShapeError(
      `${where}: all must have the same number of rows, received ${size} and ${readers[other]!.size} (${pathName(paths[other]!)})`,
    )
  const row = treeMaker(
    tree,
    readers.map((each) => each.row),
  )
  const exact = treeMaker(
    tree,
    readers.map((each) => each.exact),
  )
  const gather = (rows: Int32Array, spare: unknown): unknown => {
    const spares = spare === undefined ? [] : flatten<unknown>(spare as Tree<unknown>)
    return unflatten(
      tree,
      readers.map(({ tensor }, i) => gathered(tensor!, rows, spares[i])),
    )
  }
  /** null before the first batch. */
  let isPlain: boolean | null = null
  const batch = (rows: Int32Array, place: string, spare: unknown): unknown => {
    if (keepsDoubles()) return collate(Array.from(rows, row), place)
    isPlain ??= stacksLeafByLeaf(readers, collate([row(rows[0]!)], place))
    return isPlain ? gather(rows, spare) : collate(Array.from(rows, row), place, null, spare)
  }
  return { size, row, exact, batch }
}

/** Makes trees of one structure. The structure is read once, and not for every row. */
function treeMaker(structure: unknown, leaves: readonly ((i: number) => unknown)[]): (i: number) => unknown {
  const left = [...leaves]
  const maker = (branch: unknown): ((i: number) => unknown) => {
    if (!isBranch(branch)) return left.shift()!
    const children = Object.entries(branch).map(([key, child]) => ({ key, make: maker(child) }))
    if (Array.isArray(branch)) return (i) => children.map(({ make }) => make(i))
    return (i) => {
      const record: Record<string, unknown> = {}
      for (const { key, make } of children) put(record, key, make(i))
      return record
    }
  }
  return maker(structure)
}

/** Whether a batch has a tensor for each leaf; in a list of numbers, all leaves together are one tensor. */
function stacksLeafByLeaf(readers: readonly Reader[], example: unknown): boolean {
  if (readers.some(({ tensor }) => tensor === null)) return false
  const leaves = flatten<unknown>(example as Tree<unknown>)
  return (
    leaves.length === readers.length &&
    leaves.every(
      (leaf, i) => leaf instanceof Tensor && sameShape(leaf.shape.slice(1), readers[i]!.tensor!.shape.slice(1)),
    )
  )
}

function reader(leaf: unknown, where: string): Reader {
  const data = leaf instanceof Column ? leaf.data : leaf
  if (data instanceof StringTensor || beginsWithString(data)) {
    const rows = toStrings(data, where).toArray<readonly unknown[]>()
    const row = (i: number): unknown => rows[i]
    return { size: rows.length, row, exact: row, tensor: null }
  }
  const tensor = toTensor(data, where)
  const {
    data: elements,
    shape: [size, ...rest],
    dtype,
  } = tensor
  if (size === undefined) throw new DataError(`${where}: needs rows, received a single number`)
  const width = elements.length / Math.max(1, size)
  let known: Float64Array | null = null
  /** The numbers before their conversion to float32, while they are saved. */
  const doubles = (): Float64Array | null =>
    keepsDoubles() && dtype === 'float32' ? (known ??= doublesOf(data)) : null
  const slice = (i: number): Tensor => {
    const [start, end] = [i * width, (i + 1) * width]
    return withDoubles(new Tensor(elements.subarray(start, end), rest, dtype), doubles()?.subarray(start, end) ?? null)
  }
  const number = (i: number): unknown => (doubles() ?? elements)[i]
  const single = dtype === 'bool' ? (i: number) => elements[i] === 1 : number
  const row = rest.length > 0 ? slice : single
  return { size, row, exact: dtype === 'int32' ? slice : row, tensor }
}

/** Single numbers become float32, as in `collate`. */
function gathered(
  { data, shape: [size = 0, ...rest], dtype: stored }: Tensor,
  rows: Int32Array,
  spare: unknown,
): Tensor {
  const dtype = rest.length === 0 && stored !== 'bool' ? 'float32' : stored
  const width = data.length / Math.max(1, size)
  const hasRoom = spare instanceof Tensor && spare.dtype === dtype && spare.data.length === rows.length * width
  const target = hasRoom ? spare.data : allocateData(dtype, rows.length * width)
  if (rest.length === 0) for (let i = 0; i < rows.length; i++) target[i] = data[rows[i]!]!
  else
    for (let i = 0; i < rows.length; i++) target.set(data.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width)
  return new Tensor(target, [rows.length, ...rest], dtype)
}
