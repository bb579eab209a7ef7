// The samples that trials train on: converted to tensors once for all trials, split into folds, packed into memory that
// threads share.

import { allocateData, type DType, type TensorData } from '../core/dtypes'
import { ArgumentError, ShapeError } from '../core/errors'
import { permutationKey, permute } from '../core/permute'
import { sizeOf, type Shape } from '../core/shapes'
import { flatten, mapTree, pathName, unflatten, type Tree } from '../core/tree'
import { classNumbers } from '../data/samples/class-weights'
import { mapData } from '../data/samples/layout'
import { RowSource } from '../data/samples/row-source'
import { toTensor } from '../ops/convert'
import { StringTensor, beginsWithString, toStrings } from '../ops/strings'
import { Tensor } from '../ops/tensor'

/** Tensors in the structure of a model's inputs or targets; null for a target that is left out. */
export type Columns = Tree<Tensor | null>

/** The data of the options; null for what is missing. */
export interface SearchSamples {
  readonly x: Columns
  readonly y: Columns
  readonly sampleWeight: Columns
  /** [x, y] or [x, y, sampleWeight] */
  readonly validationData: Columns
}

/** Converts data to tensors. A list of typed arrays is read as rows. */
export function readColumns(data: unknown, where: string): Columns {
  if (Array.isArray(data) && data.every((each) => ArrayBuffer.isView(each))) return readColumn(data, where)
  return mapData(data, (leaf, path) => readColumn(leaf, path === '' ? where : `${where}.${pathName(path)}`))
}

function readColumn(data: unknown, where: string): Tensor | null {
  if (data === null || data === undefined) return null
  return beginsWithString(data) ? toStrings(data, where) : toTensor(data, where)
}

/** Rows to train on, and rows to validate on. */
export interface Fold {
  readonly training: SearchSamples
  readonly validation: readonly Columns[]
}

/** Splits samples into k parts whose sizes differ by at most one row. */
export class Folds {
  /** The fold of each row. */
  private readonly of: Int32Array

  /**
   * @throws ArgumentError if there are fewer rows than folds; ShapeError if the columns differ in their number of rows
   */
  constructor(
    private readonly samples: SearchSamples,
    folds: number,
    seed: number,
  ) {
    const columns = flatten<Tensor | null>(partsOf(samples)).filter((each) => each !== null)
    const size = columns[0]?.shape[0] ?? 0
    const other = columns.find(({ shape }) => shape[0] !== size)
    if (other !== undefined)
      throw new ShapeError(
        `folds: x, y and sampleWeight must have the same number of rows, received ${size} and ${other.shape[0] ?? 'a single number'}`,
      )
    if (size < folds) throw new ArgumentError(`folds must be at most the number of rows, ${size}, received ${folds}`)
    this.of = foldNumbers(size, folds, seed, classesOf(samples.y, size, folds))
  }

  /** Training and validation rows of a fold. */
  at(fold: number): Fold {
    const rows = (isWithin: boolean): Int32Array =>
      Int32Array.from([...this.of.keys()].filter((row) => (this.of[row] === fold) === isWithin))
    const [x, y, sampleWeight] = partsOf(this.samples).map((each) => takeRows(each, rows(false)))
    const validation = partsOf(this.samples).map((each) => takeRows(each, rows(true)))
    return {
      training: { x: x!, y: y!, sampleWeight: sampleWeight!, validationData: null },
      validation: validation.at(-1) === null ? validation.slice(0, -1) : validation,
    }
  }
}

function partsOf({ x, y, sampleWeight }: SearchSamples): Columns[] {
  return [x, y, sampleWeight]
}

/**
 * Shuffles the rows, sorts them by class, and assigns them to the folds in turn: every fold gets its share of every
 * class.
 */
function foldNumbers(size: number, folds: number, seed: number, classes: readonly number[] | null): Int32Array {
  const order = new Int32Array(size)
  permute(order, size, permutationKey(seed))
  const dealt = classes === null ? [...order] : [...order].sort((a, b) => classes[a]! - classes[b]!)
  const numbers = new Int32Array(size)
  dealt.forEach((row, i) => (numbers[row] = i % folds))
  return numbers
}

/**
 * The class of each row, if the targets are integers or one-hot rows and each class has at least `folds` rows; else
 * null.
 */
function classesOf(y: Columns, size: number, folds: number): readonly number[] | null {
  if (!(y instanceof Tensor) || y.dtype === 'string') return null
  const width = y.size / size
  const isOneHot = (row: number): boolean => {
    const values = [...y.data.subarray(row * width, (row + 1) * width)]
    return values.every((value) => value === 0 || value === 1) && values.filter((value) => value === 1).length === 1
  }
  const areClasses =
    width === 1
      ? y.data.every((value) => Number.isInteger(value))
      : y.rank === 2 && Array.from({ length: size }, (_, row) => row).every(isOneHot)
  if (!areClasses) return null
  const classes = classNumbers(y, size)
  const counts = new Map<number, number>()
  for (const each of classes) counts.set(each, (counts.get(each) ?? 0) + 1)
  return [...counts.values()].every((count) => count >= folds) ? classes : null
}

/** The rows of all columns whose numbers are in `rows`, in this order. */
export function takeRows(columns: Columns, rows: Int32Array): Columns {
  return mapTree<Tensor | null, Tensor | null>(columns, (column) => {
    if (column === null) return null
    const [, ...row] = column.shape
    const width = sizeOf(row)
    const shape: Shape = [rows.length, ...row]
    if (column instanceof StringTensor)
      return new StringTensor(
        [...rows].flatMap((at) => column.strings.slice(at * width, (at + 1) * width)),
        shape,
      )
    const data = allocateData(column.dtype, rows.length * width)
    new RowSource(column).fill(data, rows, 0, rows.length)
    return new Tensor(data, shape, column.dtype)
  })
}

/** Columns that can be posted to a thread. The thread reads the same memory. */
interface PackedColumns {
  readonly structure: Tree<null>
  readonly leaves: readonly ({
    readonly data: TensorData | readonly string[]
    readonly shape: Shape
    readonly dtype: DType
  } | null)[]
}

export type PackedSamples = Readonly<Record<keyof SearchSamples, PackedColumns>>

export function packSamples({ x, y, sampleWeight, validationData }: SearchSamples): PackedSamples {
  return { x: pack(x), y: pack(y), sampleWeight: pack(sampleWeight), validationData: pack(validationData) }
}

function pack(columns: Columns): PackedColumns {
  const leaves = flatten(columns).map((column) => {
    if (column === null) return null
    const { shape, dtype } = column
    return { data: column instanceof StringTensor ? column.strings : shared(column.data), shape, dtype }
  })
  return { structure: mapTree<Tensor | null, null>(columns, () => null), leaves }
}

export function unpackSamples({ x, y, sampleWeight, validationData }: PackedSamples): SearchSamples {
  return { x: unpack(x), y: unpack(y), sampleWeight: unpack(sampleWeight), validationData: unpack(validationData) }
}

function unpack({ structure, leaves }: PackedColumns): Columns {
  const columns = leaves.map((leaf) => {
    if (leaf === null) return null
    const { data, shape, dtype } = leaf
    return isStrings(data) ? new StringTensor(data, shape) : new Tensor(data, shape, dtype)
  })
  return unflatten<Tensor | null>(structure, columns)
}

function isStrings(data: TensorData | readonly string[]): data is readonly string[] {
  return Array.isArray(data)
}

/** A copy of the elements in memory that all threads share. */
function shared<Data extends TensorData>(data: Data): Data {
  const copy: Data = Reflect.construct(data.constructor, [new SharedArrayBuffer(data.byteLength)])
  copy.set(data)
  return copy
}
