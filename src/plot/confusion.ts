// Reads and checks a confusion matrix.

import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { toTensor, type TensorLike } from '../ops/convert'

/** Numbers of samples (or shares) by true class and predicted class, checked. */
export interface Confusion {
  readonly names: readonly string[]
  /** Row i: the samples of class i. */
  readonly rows: readonly (readonly number[])[]
  /** Whether the numbers are shares. */
  readonly isShare: boolean
}

export function confusionOf(where: string, matrix: TensorLike, names: readonly string[] | null): Confusion {
  const { data, shape } = toTensor(matrix, where, 'float32')
  const [classes = 0, columns] = shape
  if (shape.length !== 2 || classes !== columns || classes === 0)
    throw new ShapeError(`${where}: needs a matrix [classes, classes], received ${formatShape(shape)}`)
  const wrong = data.findIndex((each: number) => !(each >= 0 && Number.isFinite(each)))
  if (wrong >= 0)
    throw new DataError(
      `${where}: the numbers must be finite and not negative, received ${data[wrong]} in row ${Math.floor(wrong / classes)}`,
    )
  if (names !== null && names.length !== classes)
    throw new ArgumentError(`${where}: needs a name for each of ${classes} classes, received ${names.length}`)
  const rows = Array.from({ length: classes }, (_, i) => Array.from(data.slice(i * classes, (i + 1) * classes)))
  return {
    names: names ?? rows.map((_, i) => String(i)),
    rows,
    isShare: rows.flat().some((each) => !Number.isInteger(each)),
  }
}

export const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0)
/** The sum of the diagonal as a share of all; null for a matrix of zeros. */
export function accuracyOf({ rows }: Confusion): number | null {
  const all = sumOf(rows.flat())
  return all === 0 ? null : sumOf(rows.map((row, i) => row[i]!)) / all
}
