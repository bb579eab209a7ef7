// Diagonals and triangles of matrices. Matrices are the last two axes; diagonal k is k columns right of the
// main diagonal.

import type { DType } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { integer, nullable, option } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import type { Named } from '../arguments'
import { dtypeOrNull, readArguments, requireInteger, requireShape } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
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

const readDiagonal = (where: string, given: Named<'k', number> | undefined): number =>
  readArguments(where, { k: option(integer(), 0) }, given).k

const zeroLike = (x: Tensor): Tensor => full([], 0, x.dtype)

/** The elements on and below diagonal k; zeros above. x [… m,n] → [… m,n] */
export function tril(x: TensorLike, k?: Named<'k', number>): Tensor {
  const value = requireMatrix('tril', x)
  const [rows, columns] = value.shape.slice(-2) as [number, number]
  return where(lessEqual(distances(rows, columns), readDiagonal('tril', k)), value, zeroLike(value))
}

/** The elements on and above diagonal k; zeros below. x [… m,n] → [… m,n] */
export function triu(x: TensorLike, k?: Named<'k', number>): Tensor {
  const value = requireMatrix('triu', x)
  const [rows, columns] = value.shape.slice(-2) as [number, number]
  return where(lessEqual(distances(rows, columns), readDiagonal('triu', k) - 1), zeroLike(value), value)
}

/** A matrix of ones on and below diagonal k, zeros above. Default: square, k 0, float32. */
export function tri(N: number, M?: number | null | MatrixOptions, k?: number, dtype?: DType | null): Tensor {
  const m = requireInteger('tri: N', N, 0)
  const given = readArguments('tri', matrixTable, M, k, dtype)
  return tril(full([m, given.M ?? m], 1, given.dtype), given.k)
}

/** [N, M] with ones on diagonal k, zeros elsewhere. Default: square, k 0, float32: the identity matrix. */
export function eye(N: number, M?: number | null | MatrixOptions, k?: number, dtype?: DType | null): Tensor {
  const given = readArguments('eye', matrixTable, M, k, dtype)
  return square(N, given.M, given.k, given.dtype)
}

export interface MatrixOptions {
  /** The number of columns, as Keras calls it; null for that of the rows. Default null. */
  readonly M?: number | null
  /** The diagonal, counted to the right of the main one; negative to the left. Default 0. */
  readonly k?: number
  /** Default float32. */
  readonly dtype?: DType | null
}

const matrixTable = {
  M: option(nullable(integer({ min: 0 })), null),
  k: option(integer(), 0),
  dtype: option(dtypeOrNull, null),
}

interface DiagonalOptions {
  /** The diagonal, counted to the right of the main one; negative to the left. Default 0. */
  readonly offset?: number
  /** The axis of the rows. Default 0. */
  readonly axis1?: number
  /** The axis of the columns. Default 1. */
  readonly axis2?: number
}

const diagonalTable = { offset: option(integer(), 0), axis1: option(integer(), 0), axis2: option(integer(), 1) }

/**
 * A diagonal of every matrix that two axes span: [… m … n …] → [… …, length].
 * @example ops.diagonal([[1, 2], [3, 4]])   // [1, 4]
 */
export function diagonal(x: TensorLike, offset?: number | DiagonalOptions, axis1?: number, axis2?: number): Tensor {
  return diagonalOf('diagonal', asTensor(x, 'diagonal'), readArguments('diagonal', diagonalTable, offset, axis1, axis2))
}

function diagonalOf(where: string, x: Tensor, { offset, axis1, axis2 }: Required<DiagonalOptions>): Tensor {
  if (x.rank < 2) throw new ShapeError(`${where}: expected at least two axes, received ${formatShape(x.shape)}`)
  const [row, column] = [axis1, axis2].map((axis) => normalizeAxis(where, axis, x.rank)) as [number, number]
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

/** The sum of a diagonal: [… m … n …] → [… …]. int32 stays int32, bool counts as int32. */
export function trace(x: TensorLike, offset?: number | DiagonalOptions, axis1?: number, axis2?: number): Tensor {
  return sum(diagonalOf('trace', asTensor(x, 'trace'), readArguments('trace', diagonalTable, offset, axis1, axis2)), -1)
}

/**
 * For a vector [n], the matrix [n + |k|, n + |k|] with x as diagonal k and zeros elsewhere; for a matrix, its diagonal k.
 * @throws ShapeError for other ranks
 */
export function diag(x: TensorLike, k?: Named<'k', number>): Tensor {
  const value = asTensor(x, 'diag')
  const offset = readDiagonal('diag', k)
  if (value.rank === 2) return diagonalOf('diag', value, { offset, axis1: 0, axis2: 1 })
  if (value.rank !== 1)
    throw new ShapeError(`diag: expected a vector or a matrix, received ${formatShape(value.shape)}`)
  const size = value.size + Math.abs(offset)
  requireShape('diag', [size, size])
  // Above the diagonal's start every row holds one element, below it every column does.
  const long = pad(value, [[0, Math.abs(offset)]])
  return where(equal(distances(size, size), offset), expandDims(long, offset < 0 ? 0 : 1), zeroLike(value))
}

/** `diag` of all elements in row-major order: always a matrix. */
export function diagflat(x: TensorLike, k?: Named<'k', number>): Tensor {
  const value = asTensor(x, 'diagflat')
  return diag(reshape(value, [value.size]), k)
}
