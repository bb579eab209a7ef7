// Products of matrices and vectors.

import { ShapeError } from '../core/errors'
import type { TensorLike } from './convert'
import { asTensor } from './convert'
import { cast } from './elementwise'
import { reshape } from './shape'
import type { Tensor } from './tensor'
import { apply } from './trace'

/**
 * a [… m,k] · b [… k,n] → [… m,n]; leading axes broadcast. A vector is a row on the left and a column on
 * the right, and its axis disappears.
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const left = cast(asTensor(a, 'matmul'), 'float32')
  const right = cast(asTensor(b, 'matmul'), 'float32')
  if (left.rank === 0 || right.rank === 0) throw new ShapeError('matmul: a scalar is not a matrix; use multiply')
  const rows = left.rank === 1 ? reshape(left, [1, left.size]) : left
  const columns = right.rank === 1 ? reshape(right, [right.size, 1]) : right
  const product = apply('matmul', [rows, columns], {})[0]!
  if (left.rank > 1 && right.rank > 1) return product
  const batch = product.shape.slice(0, -2)
  return reshape(product, [...batch, ...(left.rank > 1 ? [product.shape.at(-2)!] : []), ...(right.rank > 1 ? [product.shape.at(-1)!] : [])])
}
