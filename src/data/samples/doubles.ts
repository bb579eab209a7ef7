// The numbers of a data set before they became float32, which files of data may need. They are kept only while a data set is saved:
// training has no use for them.

import { isTypedArray } from '../../ops/data'
import type { Tensor } from '../../ops/tensor'

/** The numbers of tensors that were made while a data set was saved. */
const kept = /* @__PURE__ */ new WeakMap<object, Float64Array>()
/** How many data sets are being saved. The passes that a save awaits, also of inner data sets, do not know why they are read. */
let saving = 0

/** Runs `body`, which reads a data set to save it. */
export async function keepingDoubles<Result>(body: () => Promise<Result>): Promise<Result> {
  saving++
  try {
    return await body()
  } finally {
    saving--
  }
}

/** Whether a data set is being saved. */
export function keepsDoubles(): boolean {
  return saving > 0
}

/** Keeps the numbers of a tensor, if there are any. @returns the tensor */
export function withDoubles(tensor: Tensor, doubles: Float64Array | null): Tensor {
  if (doubles !== null && tensor.dtype === 'float32') kept.set(tensor, doubles)
  return tensor
}

/** The largest number of axes of data. */
const MOST_AXES: number = 32

/** The numbers of data before a conversion to float32; null outside of saving, and for data that were float32 before. */
export function doublesOf(data: unknown): Float64Array | null {
  if (!keepsDoubles() || typeof data !== 'object' || data === null || data instanceof Float32Array) return null
  if (data instanceof Float64Array) return data
  if (isTypedArray(data)) return Float64Array.from(data)
  if (!Array.isArray(data))
    return kept.get(data) ?? ('data' in data && 'shape' in data && !('dtype' in data) ? doublesOf(data.data) : null)
  const flat: unknown[] = data
    .flat(MOST_AXES)
    .flatMap((each: unknown): unknown => (isTypedArray(each) ? [...each] : each))
  return flat.every((each) => typeof each === 'number' || typeof each === 'boolean')
    ? Float64Array.from(flat, Number)
    : null
}
