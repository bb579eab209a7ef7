// Products of matrices and vectors, and einsum. Integer operands give int32, others float32. Factorizations are
// in factorization.ts.

import { axis as axisKind, operand } from '../kinds'
import { arg, binaryOp, op, optional } from '../op'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { nullable } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { requireInteger, requireIntegers, requireList } from '../arguments'
import { asNumbers, asTensor, type TensorLike } from '../convert'
import { multiply, negative, subtract } from '../numpy/elementwise'
import { sumOfProducts } from './einsum'
import { factors, product } from './products'
import { reshape, stack, transpose, unstack } from '../numpy/shape'
import type { Tensor } from '../tensor'

/**
 * a [… m,k] · b [… k,n] → [… m,n]; leading axes broadcast. A vector is a row on the left and a column on the
 * right, and its axis is removed from the result.
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = factors('matmul', [a, b])
  if (left.rank === 0 || right.rank === 0) throw new ShapeError('matmul: a scalar is not a matrix; use multiply')
  const rows = left.rank === 1 ? reshape(left, [1, left.size]) : left
  const columns = right.rank === 1 ? reshape(right, [right.size, 1]) : right
  const found = product(rows, columns)
  if (left.rank > 1 && right.rank > 1) return found
  const batch = found.shape.slice(0, -2)
  return reshape(found, [
    ...batch,
    ...(left.rank > 1 ? [found.shape.at(-2)!] : []),
    ...(right.rank > 1 ? [found.shape.at(-1)!] : []),
  ])
}

type MeetingAxes = number | readonly [readonly number[] | number, readonly number[] | number]

/**
 * Σ over pairs of axes: result[i…, j…] = Σₖ a[i…, k…] b[k…, j…].
 * @param axes the number of last axes of a that are summed with the first axes of b; or [axes of a, axes of b]. Default 2.
 */
export function tensordot(a: TensorLike, b: TensorLike, axes: MeetingAxes = 2): Tensor {
  const [left, right] = factors('tensordot', [a, b])
  const [leftAxes, rightAxes] = meetingAxes(left, right, axes)
  const extents = leftAxes.map((axis) => left.shape[axis]!)
  const fits = leftAxes.length === rightAxes.length && rightAxes.every((axis, i) => right.shape[axis] === extents[i])
  const isTwice = new Set(leftAxes).size < leftAxes.length || new Set(rightAxes).size < rightAxes.length
  if (!fits || isTwice) {
    throw new ShapeError(
      `tensordot: axes [${leftAxes.join(', ')}] of ${formatShape(left.shape)} do not match axes [${rightAxes.join(', ')}] of ${formatShape(right.shape)}`,
    )
  }
  const rows = left.shape.map((_, i) => i).filter((i) => !leftAxes.includes(i))
  const columns = right.shape.map((_, i) => i).filter((i) => !rightAxes.includes(i))
  const k = extents.reduce((size, extent) => size * extent, 1)
  const sizes = (value: Tensor, of: readonly number[]): number[] => of.map((axis) => value.shape[axis]!)
  const found = product(
    reshape(transpose(left, [...rows, ...leftAxes]), [sizes(left, rows).reduce((x, y) => x * y, 1), k]),
    reshape(transpose(right, [...rightAxes, ...columns]), [k, sizes(right, columns).reduce((x, y) => x * y, 1)]),
  )
  return reshape(found, [...sizes(left, rows), ...sizes(right, columns)])
}

function meetingAxes(left: Tensor, right: Tensor, axes: unknown): [number[], number[]] {
  if (typeof axes === 'number') {
    const count = requireInteger('tensordot: axes', axes, 0)
    if (count > left.rank || count > right.rank) {
      throw new ShapeError(
        `tensordot: ${formatShape(left.shape)} and ${formatShape(right.shape)} must both have at least ${count} axes`,
      )
    }
    const all = Array.from({ length: count }, (_, i) => i)
    return [all.map((i) => left.rank - count + i), all]
  }
  const pair = requireList('tensordot: axes', axes)
  if (pair.length !== 2)
    throw new ArgumentError(`tensordot: axes must be a number, or [axes of a, axes of b], received ${quoted(axes)}`)
  const [first, second] = [left, right].map(({ rank }, i) => {
    const axesOf = pair[i]
    return requireIntegers('tensordot: axes', typeof axesOf === 'number' ? [axesOf] : axesOf).map((axis) =>
      normalizeAxis('tensordot', axis, rank),
    )
  })
  return [first!, second!]
}

/**
 * NumPy's dot: Σ over the last axis of a and the second-to-last axis of b (the only one of a vector). The
 * product if either operand is a scalar.
 */
export function dot(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = factors('dot', [a, b])
  if (left.rank === 0 || right.rank === 0) return multiply(left, right)
  return tensordot(left, right, [-1, right.rank === 1 ? -1 : -2])
}

/** Σ over the last axis of both: result[i…, j…] = Σₖ a[i…, k] b[j…, k]. The product if either operand is a scalar. */
export function inner(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = factors('inner', [a, b])
  return left.rank === 0 || right.rank === 0 ? multiply(left, right) : tensordot(left, right, [-1, -1])
}

/** Σ a · b over all elements, in row-major order. */
export function vdot(a: TensorLike, b: TensorLike): Tensor {
  const [left, right] = factors('vdot', [a, b])
  if (left.size !== right.size)
    throw new ShapeError(
      `vdot: both operands must have the same number of elements, received ${formatShape(left.shape)} and ${formatShape(right.shape)}`,
    )
  return tensordot(reshape(left, [left.size]), reshape(right, [right.size]), 1)
}

/**
 * The Kronecker product: a block matrix with all of x2 times each element of x1. int32 stays int32.
 * @example ops.kron([1, 10], [1, 2])   // [1, 2, 10, 20]
 */
export const kron = binaryOp('kron', (x1, x2) => {
  const [left, right] = [asNumbers(x1, 'kron'), asNumbers(x2, 'kron')]
  const rank = Math.max(left.rank, right.rank)
  const long = ({ shape }: Tensor): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape]
  const [outer, inside] = [long(left), long(right)]
  // a [m, 1, n, 1] · b [1, p, 1, q] → [m·p, n·q]
  const product = multiply(
    reshape(
      left,
      outer.flatMap((extent) => [extent, 1]),
    ),
    reshape(
      right,
      inside.flatMap((extent) => [1, extent]),
    ),
  )
  return reshape(
    product,
    outer.map((extent, i) => extent * inside[i]!),
  )
})

export interface CrossOptions {
  /** The axis of the vectors of a. Default −1. */
  readonly axisa?: number
  /** The axis of the vectors of b. Default −1. */
  readonly axisb?: number
  /** The axis of the vectors of the result. Default −1. */
  readonly axisc?: number
  /** Sets all three axes. */
  readonly axis?: number | null
}

export const cross = op(
  () => [
    arg('x1', operand),
    arg('x2', operand),
    optional('axisa', axisKind),
    optional('axisb', axisKind),
    optional('axisc', axisKind),
    optional('axis', nullable(axisKind)),
  ],
  {
    /**
     * The cross product of vectors with 3 elements, or with 2, whose third element is then 0. Two vectors with 2
     * elements give only the third component. Other axes broadcast. int32 stays int32.
     */
    cross(x1, x2, axisa = -1, axisb = -1, axisc = -1, axis = null): Tensor {
      const [x, y] = [
        components(asNumbers(x1, 'cross'), axis ?? axisa),
        components(asNumbers(x2, 'cross'), axis ?? axisb),
      ]
      const minor = (i: number, j: number): Tensor | null => {
        const [first, second] = [termOf(x[i], y[j]), termOf(x[j], y[i])]
        if (first === null) return second && negative(second)
        return second === null ? first : subtract(first, second)
      }
      const last = minor(0, 1)!
      return x.length === 2 && y.length === 2 ? last : stack([minor(1, 2)!, minor(2, 0)!, last], axis ?? axisc)
    },
  },
)

/** One product of a component; null if a factor is the missing third element of a vector with two. */
function termOf(a: Tensor | undefined, b: Tensor | undefined): Tensor | null {
  return a === undefined || b === undefined ? null : multiply(a, b)
}

function components(x: Tensor, axis: number): Tensor[] {
  const at = normalizeAxis('cross', axis, x.rank)
  const count = x.shape[at]!
  if (count !== 2 && count !== 3)
    throw new ShapeError(
      `cross: the vectors must have 2 or 3 elements, received ${formatShape(x.shape)} along axis ${at}`,
    )
  return unstack(x, count, at)
}

/** result[i, j] = a[i] · b[j], over all elements in row-major order; int32 stays int32. */
export function outer(a: TensorLike, b: TensorLike): Tensor {
  const left = asTensor(a, 'outer')
  const right = asTensor(b, 'outer')
  return multiply(reshape(left, [left.size, 1]), reshape(right, [1, right.size]))
}

/**
 * A sum of products: `einsum('bij,bjk->bik', a, b)`. Each axis is a letter. Letters missing from the result are summed
 * over; `...` stands for any axes, which broadcast. Without `->` the result has the letters that occur once, in
 * alphabetical order. Operands are contracted from left to right as matrix products.
 * @throws ArgumentError for an invalid equation; ShapeError when the operands do not fit it
 */
export function einsum(equation: string, ...operands: readonly TensorLike[]): Tensor {
  if (typeof equation !== 'string')
    throw new ArgumentError(`einsum: the equation must be a string, received ${quoted(equation)}`)
  return sumOfProducts(equation, factors('einsum', operands))
}
