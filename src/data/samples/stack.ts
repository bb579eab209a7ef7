// Lists of tensors, such as images, as one tensor with an axis for the list.

import { allocateData } from '../../core/dtypes'
import { DataError, ShapeError, formatShape } from '../../core/errors'
import { sameShape } from '../../core/shapes'
import type { TensorSpec } from '../../core/spec'
import { toTensor, type TensorLike } from '../../ops/convert'
import { Tensor } from '../../ops/tensor'

/**
 * Tensors of one shape → [tensors, …shape].
 * @param spec of the input that they are the rows of; null if it is unknown
 * @throws ShapeError that names the first of another shape, and for batches; DataError for one of another dtype
 */
export function stackTensors(list: readonly TensorLike[], spec: TensorSpec | null, where: string): Tensor {
  const rows = list.map((each, i) => toTensor(each, `${where}: element ${i}`))
  const { shape, dtype, size } = rows[0]!
  const other = rows.findIndex((row) => !sameShape(row.shape, shape))
  if (other >= 0) {
    const hint = shape.length === 3 ? ' Images get one size by readImage(source, { imageSize: [rows, columns] }).' : ''
    throw new ShapeError(
      `${where}: element ${other} must have shape ${formatShape(shape)} as element 0, received ${formatShape(rows[other]!.shape)}.${hint}`,
    )
  }
  // Before a model is built, all extents are open and the rank is only a guess.
  const isKnown = spec !== null && spec.shape.some((extent) => extent !== null)
  if (isKnown && shape.length >= spec.shape.length)
    throw new ShapeError(
      `${where}: a list for one input has its rows, each ${formatShape(spec.shape.slice(1))}, received ${rows.length} of ${formatShape(shape)}. Several batches become one by ops.concatenate.`,
    )
  const wrong = rows.findIndex((row) => row.dtype !== dtype)
  if (wrong >= 0)
    throw new DataError(`${where}: element ${wrong} must be ${dtype} as element 0, received ${rows[wrong]!.dtype}`)
  const data = allocateData(dtype, rows.length * size)
  rows.forEach((row, i) => data.set(row.data, i * size))
  return new Tensor(data, [rows.length, ...shape], dtype)
}
