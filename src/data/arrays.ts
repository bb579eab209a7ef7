// From what fit, evaluate and predict are given to rows that can be copied into a step's inputs. Everything
// that can be wrong with data is found here, before a weight changes.

import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { permutation } from '../ops/random'
import type { TensorLike } from '../ops/convert'
import { toTensor } from '../ops/convert'
import type { NumericArray } from '../core/dtypes'
import { sizeOf } from '../core/shapes'
import type { TensorData } from '../ops/tensor'
import { Tensor } from '../ops/tensor'
import { ResidentRows } from '../runtime/rows'
import type { Runtime } from '../runtime/runtime'

/** Class number → weight of its samples. */
export type ClassWeight = Readonly<Record<number, number>>

/** Samples with targets. */
export interface Dataset {
  readonly x: Tensor
  readonly y: Tensor
  /** [size]; null when all weigh 1. */
  readonly sampleWeight: Tensor | null
  readonly size: number
}

/** What a step takes a part of, in the order of its parameters. */
export function tensorsOf({ x, y, sampleWeight }: Dataset): readonly Tensor[] {
  return sampleWeight === null ? [x, y] : [x, y, sampleWeight]
}

/** Inputs as float32 (or int32) with at least one row and no NaN. */
export function prepareInputs(x: TensorLike, where: string): Tensor {
  const tensor = toTensor(x, where)
  const inputs = tensor.dtype === 'bool' ? toTensor(tensor, where, 'float32') : tensor
  requireRows(inputs, where)
  requireNumbers(inputs, where)
  return inputs
}

function requireRows(tensor: Tensor, where: string): void {
  if (tensor.rank === 0) throw new ShapeError(`${where}: needs a batch axis, received a single number`)
  if (tensor.shape[0] === 0) throw new DataError(`${where}: the data set is empty, shape ${formatShape(tensor.shape)}`)
}

function requireNumbers(tensor: Tensor, where: string): void {
  const { data } = tensor
  // x · 0 is 0 for every finite x and NaN else: one pass without a branch, and a second only to find the place.
  const none = 0
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]! * none
  if (sum === 0) return
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i]!)) continue
    const rowSize = sizeOf(tensor.shape.slice(1))
    const column = rowSize > 1 ? `, element ${i % rowSize}` : ''
    throw new DataError(
      `${where}: every element must be a finite number, received ${data[i]} in row ${Math.floor(i / rowSize)}${column}. Drop or fill incomplete rows first.`,
    )
  }
}

/** Samples, targets and weights that belong together; checked. */
export function prepareDataset(
  x: TensorLike,
  y: TensorLike,
  sampleWeight?: TensorLike,
  names = { x: 'x', y: 'y' },
): Dataset {
  const inputs = prepareInputs(x, names.x)
  if (y === undefined || y === null) throw new ArgumentError(`${names.y}: targets are missing`)
  const targets = toTensor(y, names.y)
  requireRows(targets, names.y)
  requireNumbers(targets, names.y)
  const size = inputs.shape[0]!
  if (targets.shape[0] !== size) {
    throw new ShapeError(`${names.x} and ${names.y} must have as many rows, received ${size} and ${targets.shape[0]}`)
  }
  return { x: inputs, y: targets, sampleWeight: sampleWeight === undefined ? null : weightsOf(size, sampleWeight), size }
}

function weightsOf(size: number, sampleWeight: TensorLike): Tensor {
  const given = toTensor(sampleWeight, 'sampleWeight', 'float32')
  if (given.shape[0] !== size || given.size !== size) {
    throw new ShapeError(`sampleWeight must have shape [${size}], received ${formatShape(given.shape)}`)
  }
  requireNumbers(given, 'sampleWeight')
  return new Tensor(given.data, [size], 'float32')
}

/** Multiplies the weight of every sample by that of its class; a class that is left out weighs 1. */
export function weighClasses(dataset: Dataset, classWeight: ClassWeight | undefined): Dataset {
  if (classWeight === undefined) return dataset
  const { y, size, sampleWeight } = dataset
  const weights = Float32Array.from(classNumbers(y, size), (label, i) => (classWeight[label] ?? 1) * (sampleWeight?.data[i] ?? 1))
  return { ...dataset, sampleWeight: new Tensor(weights, [size], 'float32') }
}

// One number per row, or the position of the largest in a one-hot row.
function classNumbers(y: Tensor, size: number): number[] {
  const width = y.size / size
  return Array.from({ length: size }, (_, row) => {
    if (width === 1) return Math.round(y.data[row]!)
    let best = 0
    for (let i = 1; i < width; i++) if (y.data[row * width + i]! > y.data[row * width + best]!) best = i
    return best
  })
}

/** The first and the last part of a data set; the last has `fraction` of the rows. Keras's rule. */
export function splitValidation(dataset: Dataset, fraction: number): [Dataset, Dataset] {
  if (!(fraction > 0 && fraction < 1)) throw new ArgumentError(`validationSplit must be in (0, 1), received ${fraction}`)
  const at = Math.floor(dataset.size * (1 - fraction))
  if (at === 0 || at === dataset.size) {
    throw new DataError(`validationSplit ${fraction} of ${dataset.size} rows leaves ${at} for training and ${dataset.size - at} for validation`)
  }
  return [rows(dataset, 0, at), rows(dataset, at, dataset.size)]
}

function rows({ x, y, sampleWeight }: Dataset, start: number, end: number): Dataset {
  const part = (tensor: Tensor): Tensor => {
    const width = tensor.size / tensor.shape[0]!
    return new Tensor(tensor.data.subarray(start * width, end * width), [end - start, ...tensor.shape.slice(1)], tensor.dtype)
  }
  return { x: part(x), y: part(y), sampleWeight: sampleWeight && part(sampleWeight), size: end - start }
}

/** Copies rows of a data set, in an order, into a step's input. */
export class RowSource {
  private readonly data: TensorData
  private readonly width: number

  constructor(tensor: Tensor) {
    this.data = tensor.data
    this.width = sizeOf(tensor.shape.slice(1))
  }

  /** target [count, width] ← rows order[start … start + count − 1] */
  fill(target: NumericArray, order: Int32Array | null, start: number, count: number): void {
    const { data, width } = this
    if (order === null) {
      const from = start * width
      // Below a few hundred elements a loop is faster than making a view.
      if (count * width > 256) target.set(data.subarray(from, from + count * width))
      else for (let i = 0, n = count * width; i < n; i++) target[i] = data[from + i]!
      return
    }
    if (width > 128) {
      for (let row = 0; row < count; row++) {
        const from = order[start + row]! * width
        target.set(data.subarray(from, from + width), row * width)
      }
      return
    }
    for (let row = 0, at = 0; row < count; row++) {
      const from = order[start + row]! * width
      for (let i = 0; i < width; i++) target[at++] = data[from + i]!
    }
  }
}

/** Rows wider than this are copied as fast by JavaScript. */
const WIDEST_RESIDENT = 128
/** The most bytes of a data set that fit copies to linear memory. */
const LARGEST_RESIDENT = 16 * 2 ** 20

/**
 * A copy of the data set in linear memory, where short rows are drawn faster; null where it would not help, and where
 * it would take more than 16 MB.
 */
export function makeResident(runtime: Runtime, dataset: Dataset): ResidentRows | null {
  const { size } = dataset
  const rows = tensorsOf(dataset).map(({ data }) => ({ data, width: data.length / size }))
  const bytes = rows.reduce((sum, { data }) => sum + data.byteLength, 0)
  if (runtime.kernels === null || bytes > LARGEST_RESIDENT || rows.some(({ width }) => width > WIDEST_RESIDENT)) return null
  return new ResidentRows(runtime, rows, size)
}

/** The order of rows in an epoch: null as they are, else a permutation that depends on seed and epoch only. */
export function shuffledOrder(size: number, seed: number, epoch: number, out: Int32Array): Int32Array {
  return permutation(size, seed ^ Math.imul(epoch + 1, 0x9e3779b1), out)
}
