// Checks of single tensors of data.

import { hasNonFinite, isInt32 } from '../../core/dtypes'
import { DataError, ShapeError, formatShape } from '../../core/errors'
import { sizeOf } from '../../core/shapes'
import type { Tensor } from '../../ops/tensor'

/** @throws ShapeError without a batch axis, DataError without rows */
export function requireRows(tensor: Tensor, where: string): void {
  if (tensor.rank === 0)
    throw new ShapeError(`${where}: needs a batch axis, received a single value. One row is a list of one: [value]`)
  if (tensor.shape[0] === 0) throw new DataError(`${where}: the data set is empty, shape ${formatShape(tensor.shape)}`)
}

/** @throws DataError naming the first element that is not a 32-bit integer */
export function requireIntegers({ data, shape }: Tensor, where: string): void {
  const at = data.findIndex((x) => !isInt32(x))
  if (at < 0) return
  throw new DataError(
    `${where}: every element must be an integer${Number.isInteger(data[at]) ? ' of 32 bits' : ''}, received ${data[at]} in row ${Math.floor(at / sizeOf(shape.slice(1)))}`,
  )
}

/** @throws DataError naming the first element that is not finite */
export function requireNumbers(tensor: Tensor, where: string): void {
  const { data } = tensor
  if (!hasNonFinite(data)) return
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i]!)) continue
    const rowSize = sizeOf(tensor.shape.slice(1))
    const column = rowSize > 1 ? `, element ${i % rowSize}` : ''
    throw new DataError(
      `${where}: every element must be a finite number, received ${data[i]} in row ${Math.floor(i / rowSize)}${column}. Drop or fill incomplete rows first.`,
    )
  }
}
