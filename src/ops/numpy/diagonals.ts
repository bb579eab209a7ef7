// Diagonals and triangles of matrices. Matrices are the last two axes; diagonal k is k columns right of the
// main diagonal.

import { axis, dtype, operand, whole } from '../kinds'
import { arg, op, optional } from '../op'
import type { DType } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { nullable } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { requireShape } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import { equal, lessEqual, subtract, where } from './elementwise'
import { sum } from './reduce'
import { arange, expandDims, eye as square, full, reshape, take, transpose } from './shape'
import { pad } from './pad'
import { Tensor } from '../tensor'

/** [rows, columns]: how far each element is right of the main diagonal. */
function distances(rows: number, columns: number): Tensor {
  return subtract(expandDims(arange(0, columns, 1, 'int32'), 0), expandDims(arange(0, rows, 1, 'int32'), 1))
}

function requireMatrix(where: string, x: TensorLike): Tensor {
  const value = asTensor(x, where)
  if (value.rank < 2)
    throw new ShapeError(`${where}: expected a matrix [… rows, columns], received ${formatShape(value.shape)}`)
  return value
}

const zeroLike = (x: Tensor): Tensor => full([], 0, x.dtype)

const withDiagonal = () => [arg('x', operand), optional('k', whole())] as const

export const tril = op(withDiagonal, {
  /** The elements on and below diagonal k; zeros above. x [… m,n] → [… m,n] */
  tril(x, k = 0): Tensor {
    const value = requireMatrix('tril', x)
    const [rows, columns] = exactly(value.shape.slice(-2), 2)
    return where(lessEqual(distances(rows, columns), k), value, zeroLike(value))
  },
})

export const triu = op(withDiagonal, {
  /** The elements on and above diagonal k; zeros below. x [… m,n] → [… m,n] */
  triu(x, k = 0): Tensor {
    const value = requireMatrix('triu', x)
    const [rows, columns] = exactly(value.shape.slice(-2), 2)
    return where(lessEqual(distances(rows, columns), k - 1), zeroLike(value), value)
  },
})

/** The parameters of an op that creates a matrix. */
const matrix = () =>
  [
    arg('N', whole(0)),
    optional('M', nullable(whole(0))),
    optional('k', whole()),
    optional('dtype', nullable(dtype)),
  ] as const

export const tri = op(matrix, {
  /** A matrix of ones on and below diagonal k, zeros above. Default: square, k 0, float32. */
  tri(N, M = null, k = 0, dtype = null): Tensor {
    return tril(full(requireShape('tri', [N, M ?? N]), 1, dtype), k)
  },
})

export const eye = op(matrix, {
  /** [N, M] with ones on diagonal k, zeros elsewhere. Default: square, k 0, float32: the identity matrix. */
  eye(N, M = null, k = 0, dtype = null): Tensor {
    return square(N, M, k, dtype)
  },
})

export interface MatrixOptions {
  /** The number of columns, as Keras calls it; null for as many as rows. Default null. */
  readonly M?: number | null
  /** The diagonal, counted to the right of the main one; negative to the left. Default 0. */
  readonly k?: number
  /** Default float32. */
  readonly dtype?: DType | null
}

/** The parameters of an op on a diagonal of the matrices that two axes span. */
const diagonals = () =>
  [arg('x', operand), optional('offset', whole()), optional('axis1', axis), optional('axis2', axis)] as const

export const diagonal = op(diagonals, {
  /**
   * A diagonal of every matrix that two axes span: [… m … n …] → [… …, length].
   * @param offset the diagonal, counted to the right of the main one; negative to the left. Default 0
   * @param axis1 the axis of the rows. Default 0
   * @param axis2 the axis of the columns. Default 1
   * @example ops.diagonal([[1, 2], [3, 4]])   // [1, 4]
   */
  diagonal(x, offset = 0, axis1 = 0, axis2 = 1): Tensor {
    return diagonalOf('diagonal', asTensor(x, 'diagonal'), offset, axis1, axis2)
  },
})

function diagonalOf(where: string, x: Tensor, offset: number, axis1 = 0, axis2 = 1): Tensor {
  if (x.rank < 2) throw new ShapeError(`${where}: expected at least two axes, received ${formatShape(x.shape)}`)
  const [row, column] = exactly(
    [axis1, axis2].map((axis) => normalizeAxis(where, axis, x.rank)),
    2,
  )
  if (row === column) throw new ShapeError(`${where}: axis1 and axis2 must differ, received ${axis1} and ${axis2}`)
  const others = x.shape.map((_, i) => i).filter((i) => i !== row && i !== column)
  const [m, n] = [x.shape[row]!, x.shape[column]!]
  const first = offset < 0 ? -offset * n : offset
  const length = Math.max(0, Math.min(m + Math.min(offset, 0), n - Math.max(offset, 0)))
  const batch = others.map((axis) => x.shape[axis]!)
  const flat = reshape(transpose(x, [...others, row, column]), [...batch, m * n])
  // No element can be picked from an empty axis.
  if (length === 0) return full([...batch, 0], 0, x.dtype)
  const indices = Int32Array.from({ length }, (_, i) => first + i * (n + 1))
  return take(flat, new Tensor(indices, [length], 'int32'), -1)
}

export const trace = op(diagonals, {
  /**
   * The sum of a diagonal: [… m … n …] → [… …]. int32 stays int32, bool counts as int32.
   * @param offset the diagonal, counted to the right of the main one; negative to the left. Default 0
   * @param axis1 the axis of the rows. Default 0
   * @param axis2 the axis of the columns. Default 1
   */
  trace(x, offset = 0, axis1 = 0, axis2 = 1): Tensor {
    return sum(diagonalOf('trace', asTensor(x, 'trace'), offset, axis1, axis2), -1)
  },
})

export const diag = op(withDiagonal, {
  /**
   * For a vector [n], the matrix [n + |k|, n + |k|] with x as diagonal k and zeros elsewhere; for a matrix, its diagonal k.
   * @throws ShapeError for other ranks
   */
  diag(x, k = 0): Tensor {
    const value = asTensor(x, 'diag')
    if (value.rank === 2) return diagonalOf('diag', value, k)
    if (value.rank !== 1)
      throw new ShapeError(`diag: expected a vector or a matrix, received ${formatShape(value.shape)}`)
    const size = value.size + Math.abs(k)
    requireShape('diag', [size, size])
    // For k ≥ 0 the diagonal has its elements in the first rows, one each; for k < 0 in the first columns.
    const long = pad(value, [[0, Math.abs(k)]])
    return where(equal(distances(size, size), k), expandDims(long, k < 0 ? 0 : 1), zeroLike(value))
  },
})

export const diagflat = op(withDiagonal, {
  /** `diag` of all elements in row-major order: always a matrix. */
  diagflat(x, k = 0): Tensor {
    const value = asTensor(x, 'diagflat')
    return diag(reshape(value, [value.size]), k)
  },
})
