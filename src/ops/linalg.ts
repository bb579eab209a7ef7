// Products of matrices and vectors, and sums of products by letters. All in float32.

import { ArgumentError, ShapeError, formatShape, quoted } from '../core/errors'
import { custom, option } from '../core/options'
import { normalizeAxis } from '../core/shapes'
import type { ReduceOptions } from './arguments'
import { readTyped, reduceTable, requireInteger, requireIntegers, requireList, requireNumber } from './arguments'
import type { TensorLike } from './convert'
import { asTensor } from './convert'
import { abs, cast, multiply, notEqual, power, sqrt, square } from './elementwise'
import { sumOfProducts } from './einsum'
import { max, min, sum } from './reduce'
import { reshape, transpose } from './shape'
import type { Tensor } from './tensor'
import { apply } from './trace'

const none = {}

function float(x: TensorLike, where: string): Tensor {
  return cast(asTensor(x, where), 'float32')
}

/**
 * a [… m,k] · b [… k,n] → [… m,n]; leading axes broadcast. A vector is a row on the left and a column on
 * the right, and its axis disappears.
 */
export function matmul(a: TensorLike, b: TensorLike): Tensor {
  const left = float(a, 'matmul')
  const right = float(b, 'matmul')
  if (left.rank === 0 || right.rank === 0) throw new ShapeError('matmul: a scalar is not a matrix; use multiply')
  const rows = left.rank === 1 ? reshape(left, [1, left.size]) : left
  const columns = right.rank === 1 ? reshape(right, [right.size, 1]) : right
  const product = apply('matmul', [rows, columns], none)[0]!
  if (left.rank > 1 && right.rank > 1) return product
  const batch = product.shape.slice(0, -2)
  return reshape(product, [...batch, ...(left.rank > 1 ? [product.shape.at(-2)!] : []), ...(right.rank > 1 ? [product.shape.at(-1)!] : [])])
}

/**
 * Σ over pairs of axes: result[i…, j…] = Σₖ a[i…, k…] b[k…, j…].
 * @param axes how many last axes of a meet as many first ones of b; or the axes of a, and those of b that they meet.
 *   Default 2.
 */
export function tensordot(a: TensorLike, b: TensorLike, axes: number | readonly [readonly number[] | number, readonly number[] | number] = 2): Tensor {
  const left = float(a, 'tensordot')
  const right = float(b, 'tensordot')
  const [leftAxes, rightAxes] = meetingAxes(left, right, axes)
  const extents = leftAxes.map((axis) => left.shape[axis]!)
  const fits = leftAxes.length === rightAxes.length && rightAxes.every((axis, i) => right.shape[axis] === extents[i])
  const isTwice = new Set(leftAxes).size < leftAxes.length || new Set(rightAxes).size < rightAxes.length
  if (!fits || isTwice) {
    throw new ShapeError(
      `tensordot: axes [${leftAxes.join(', ')}] of ${formatShape(left.shape)} do not meet axes [${rightAxes.join(', ')}] of ${formatShape(right.shape)}`,
    )
  }
  const rows = left.shape.map((_, i) => i).filter((i) => !leftAxes.includes(i))
  const columns = right.shape.map((_, i) => i).filter((i) => !rightAxes.includes(i))
  const k = extents.reduce((size, extent) => size * extent, 1)
  const sizes = (value: Tensor, of: readonly number[]): number[] => of.map((axis) => value.shape[axis]!)
  const product = apply('matmul', [
    reshape(transpose(left, [...rows, ...leftAxes]), [sizes(left, rows).reduce((x, y) => x * y, 1), k]),
    reshape(transpose(right, [...rightAxes, ...columns]), [k, sizes(right, columns).reduce((x, y) => x * y, 1)]),
  ], {})[0]!
  return reshape(product, [...sizes(left, rows), ...sizes(right, columns)])
}

function meetingAxes(left: Tensor, right: Tensor, axes: unknown): [number[], number[]] {
  if (typeof axes === 'number') {
    const count = requireInteger('tensordot: axes', axes, 0)
    if (count > left.rank || count > right.rank) {
      throw new ShapeError(`tensordot: ${formatShape(left.shape)} and ${formatShape(right.shape)} do not both have ${count} axes`)
    }
    const all = Array.from({ length: count }, (_, i) => i)
    return [all.map((i) => left.rank - count + i), all]
  }
  const pair = requireList('tensordot: axes', axes)
  if (pair.length !== 2) throw new ArgumentError(`tensordot: axes must be a number, or [axes of a, axes of b], received ${quoted(axes)}`)
  const [first, second] = [left, right].map(({ rank }, i) => {
    const own = pair[i]
    return requireIntegers('tensordot: axes', typeof own === 'number' ? [own] : own).map((axis) => normalizeAxis('tensordot', axis, rank))
  })
  return [first!, second!]
}

/**
 * NumPy's dot: Σ over the last axis of a and the last but one of b (the only one of a vector); a product where either
 * is a scalar.
 */
export function dot(a: TensorLike, b: TensorLike): Tensor {
  const left = float(a, 'dot')
  const right = float(b, 'dot')
  if (left.rank === 0 || right.rank === 0) return multiply(left, right)
  return tensordot(left, right, [-1, right.rank === 1 ? -1 : -2])
}

/** result[i, j] = a[i] · b[j], of all elements in row-major order; int32 stays int32. */
export function outer(a: TensorLike, b: TensorLike): Tensor {
  const left = asTensor(a, 'outer')
  const right = asTensor(b, 'outer')
  return multiply(reshape(left, [left.size, 1]), reshape(right, [1, right.size]))
}

/**
 * A sum of products, by letters: `einsum('bij,bjk->bik', a, b)`. An axis is a letter; letters that the result lacks are
 * summed over; `...` stands for any axes, which broadcast. Without `->` the result has the letters that occur once, in
 * alphabetical order. Carried out from left to right as matrix products.
 * @throws ArgumentError for an equation that means nothing; ShapeError when the operands do not fit it
 */
export function einsum(equation: string, ...operands: readonly TensorLike[]): Tensor {
  if (typeof equation !== 'string') throw new ArgumentError(`einsum: the equation must be a string, received ${quoted(equation)}`)
  return sumOfProducts(equation, operands.map((operand) => float(operand, 'einsum')))
}

export interface NormOptions extends ReduceOptions {
  /** 2 (the default): √Σx². 1: Σ|x|. 0: how many are not 0. Infinity, −Infinity: the largest, the smallest |x|. Any other p: (Σ|x|ᵖ)^(1/p). */
  readonly ord?: number
}

const normTable = { ord: option(custom((value, what) => requireNumber(what, value), (value) => value), 2), ...reduceTable }

/** The length of vectors: of all elements, or along axes. */
export function norm(x: TensorLike, options: NormOptions = {}): Tensor {
  const value = float(x, 'norm')
  const { ord, axis, keepDims } = readTyped('norm', normTable, options)
  const over = { axis, keepDims }
  if (ord === 2) return sqrt(sum(square(value), over))
  if (ord === 0) return sum(cast(notEqual(value, 0), 'float32'), over)
  const size = abs(value)
  if (ord === 1) return sum(size, over)
  if (Math.abs(ord) === Infinity) return (ord > 0 ? max : min)(size, over)
  return power(sum(power(size, ord), over), 1 / ord)
}
