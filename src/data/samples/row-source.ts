// Rows of samples, in an order that the caller chooses, for the inputs of a step.

import { seedWord } from '../../core/threefry'
import type { NumericArray } from '../../core/dtypes'
import { permutationKey, type PermutationKey } from '../../core/permute'
import { sizeOf } from '../../core/shapes'
import type { Tensor, TensorData } from '../../ops/tensor'
import { ResidentRows, keepsRows, type Rows } from '../../engine/runtime/rows'
import type { Runtime } from '../../engine/runtime/runtime'
import { tensorsOf, type Samples } from './samples'

/** Copies rows of a tensor, in the order of their indices, into a step's input. */
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
      // Below a few hundred elements, a loop is faster than creating a view.
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

/** The maximum bytes of a row for a copy in linear memory: JavaScript copies wider rows equally fast. */
const WIDEST_RESIDENT = 128
/** The maximum number of bytes of a data set for a copy in linear memory. */
const LARGEST_RESIDENT = 16 * 2 ** 20

/** The elements of all tensors of samples, and their number in a row. */
export function rowsOf(samples: Samples): Rows[] {
  return tensorsOf(samples).map(({ data }) => ({ data, width: data.length / samples.size }))
}

/**
 * A copy of the samples in linear memory, from which short rows are copied faster; null if it would not help, or would
 * take more than 16 MB.
 */
export function makeResident(runtime: Runtime, samples: Samples): ResidentRows | null {
  const { size } = samples
  const rows = rowsOf(samples)
  const bytes = rows.reduce((sum, { data }) => sum + data.byteLength, 0)
  if (!keepsRows(runtime) || bytes > LARGEST_RESIDENT || rows.some(({ width }) => width > WIDEST_RESIDENT)) return null
  return new ResidentRows(runtime, rows, size)
}

/** The key of the order of rows in an epoch. */
export function orderKey(seed: number, epoch: number): PermutationKey {
  return permutationKey(seedWord(seed) ^ Math.imul(epoch + 1, 0x9e3779b1))
}
