// The numbers of a data set before they became float32, which files of data may need. They are kept while a data set is saved, because
// training has no use for them.

import type { Tensor } from '../../ops/tensor'

/** Of tensors that were made while a data set was saved. */
const kept = /* @__PURE__ */ new WeakMap<object, Float64Array>()
/** How many data sets are being saved. A save awaits passes of data sets within data sets, which do not know for what they are read. */
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

/** The axes of data at most. */
const MOST_AXES = 32

/** The numbers of data as they were given; null outside of saving, and for data that were float32 before. */
export function doublesOf(data: unknown): Float64Array | null {
  if (!keepsDoubles() || typeof data !== 'object' || data === null || data instanceof Float32Array) return null
  if (data instanceof Float64Array) return data
  if (ArrayBuffer.isView(data)) return Float64Array.from(data as Uint32Array)
  if (!Array.isArray(data))
    return kept.get(data) ?? ('data' in data && 'shape' in data && !('dtype' in data) ? doublesOf(data.data) : null)
  const flat = data
    .flat(MOST_AXES as 1)
    .flatMap((each): unknown => (ArrayBuffer.isView(each) ? [...(each as Float64Array)] : each))
  return flat.every((each) => typeof each === 'number' || typeof each === 'boolean')
    ? Float64Array.from(flat, Number)
    : null
}
