// Matrices in the last two axes of a tensor: their types, triangles and diagonals. tril and triu are the triangles with the
// diagonal, strictTril and strictTriu those without it.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { sizeOf, type Shape, type TensorType } from '../../core/shapes'
import type { Value } from '../ir/graph'
import type { Emitter } from './emitter'

export interface Matrices {
  /** The leading axes. */
  readonly front: Shape
  readonly batch: number
  readonly rows: number
  readonly columns: number
}

export function matricesOf({ shape }: TensorType): Matrices {
  const front = shape.slice(0, -2)
  return { front, batch: sizeOf(front), rows: shape.at(-2)!, columns: shape.at(-1)! }
}

export const matrixType = (front: Shape, rows: number, columns: number): TensorType => ({
  shape: [...front, rows, columns],
  dtype: 'float32',
})
export const vectorType = (front: Shape, n: number, dtype: 'float32' | 'int32' = 'float32'): TensorType => ({
  shape: [...front, n],
  dtype,
})

export function requireMatrices(name: string, x: TensorType, isSquare: boolean): Matrices {
  if (x.dtype !== 'float32') throw new ArgumentError(`${name}: the matrices must be float32, received ${x.dtype}`)
  const { length } = x.shape
  if (length < 2 || (isSquare && x.shape[length - 1] !== x.shape[length - 2])) {
    throw new ShapeError(
      `${name}: expected ${isSquare ? 'square matrices [… n,n]' : 'matrices [… m,n]'}, received ${formatShape(x.shape)}`,
    )
  }
  return matricesOf(x)
}

/** Triangles of square matrices, for gradients. */
export class Parts {
  private readonly row: Value
  private readonly column: Value

  constructor(
    private readonly e: Emitter,
    n: number,
  ) {
    const places = Int32Array.from({ length: n }, (_, i) => i)
    this.row = e.constant(places, [n, 1], 'int32')
    this.column = e.constant(places, [1, n], 'int32')
  }

  tril = (x: Value): Value => this.e.select(this.e.less(this.row, this.column), 0, x)
  triu = (x: Value): Value => this.e.select(this.e.less(this.column, this.row), 0, x)
  strictTril = (x: Value): Value => this.e.select(this.e.less(this.column, this.row), x, 0)
  strictTriu = (x: Value): Value => this.e.select(this.e.less(this.row, this.column), x, 0)
  onDiagonal = (x: Value, beside: Value | number): Value =>
    this.e.select(this.e.equal(this.row, this.column), x, beside)

  /** The function that keeps one triangle; a strict one is without the diagonal. */
  triangle(isLower: boolean, isStrict: boolean): (x: Value) => Value {
    if (isLower) return isStrict ? this.strictTril : this.tril
    return isStrict ? this.strictTriu : this.triu
  }

  /** Φ(x): the lower triangle with half of the diagonal. */
  half(x: Value): Value {
    return this.e.multiply(this.tril(x), this.onDiagonal(this.e.scalar(0.5), 1))
  }

  /** 1 / (v_j − v_i), or 0 where that is infinite. */
  gaps(v: Value, front: Shape, n: number): Value {
    const { e } = this
    const gap = e.subtract(e.reshape(v, [...front, 1, n]), e.reshape(v, [...front, n, 1]))
    const isNone = e.equal(gap, 0)
    return e.select(isNone, 0, e.reciprocal(e.select(isNone, 1, gap)))
  }
}

export const rowOf = (e: Emitter, v: Value): Value => e.reshape(v, [...v.shape.slice(0, -1), 1, v.shape.at(-1)!])
export const columnOf = (e: Emitter, v: Value): Value => e.reshape(v, [...v.shape, 1])
export const half = (e: Emitter, x: Value): Value => e.multiply(e.add(x, e.transposeMatrix(x)), 0.5)
