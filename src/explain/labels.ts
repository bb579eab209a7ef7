// Class labels: class numbers, 0 or 1, or one-hot rows.

import { DataError, ShapeError, formatShape } from '../core/errors'
import type { Tensor } from '../ops/tensor'
import { tensorFrom } from './user-data'

/**
 * The class of each row.
 * @param outputs [rows], [rows, 1] or [rows, classes]
 * @throws ShapeError for another number of rows; DataError for a class that does not exist
 */
export function classesOf(where: string, labels: unknown, outputs: Tensor): Int32Array {
  const targets = tensorFrom(labels, `${where}: labels`)
  const [rows, width = 1] = outputs.shape
  const isOneHot = targets.rank === 2 && targets.shape[1] === width && width > 1
  const isColumn = targets.rank === 1 || (targets.rank === 2 && targets.shape[1] === 1)
  if (targets.shape[0] !== rows || (!isOneHot && !isColumn)) {
    throw new ShapeError(
      `${where}: labels must have shape [${rows}]${width > 1 ? ` or [${rows}, ${width}]` : ''}, received ${formatShape(targets.shape)}`,
    )
  }
  if (isOneHot) return Int32Array.from({ length: rows! }, (_, row) => largestIn(targets.data, row * width, width))
  const classes = Math.max(2, width)
  const wrong = targets.data.findIndex((label: number) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (wrong >= 0)
    throw new DataError(
      `${where}: labels must be integers in 0 … ${classes - 1}, received ${targets.data[wrong]} in row ${wrong}`,
    )
  return Int32Array.from(targets.data)
}

/** The index of the first largest of some numbers. */
export function largestIn(data: ArrayLike<number>, start: number, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) if (data[start + i]! > data[start + best]!) best = i
  return best
}
