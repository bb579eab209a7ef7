// Norms of vectors and matrices.

import { axes as axesKind, operand } from '../kinds'
import { arg, op, optional } from '../op'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { boolean, custom, nullable } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { requireNumber, resolveAxes, type ReduceOptions } from '../arguments'
import { asTensor } from '../convert'
import { abs, cast, notEqual, power, sqrt, square } from '../numpy/elementwise'
import { svd } from './factorization'
import { max, min, sum } from '../numpy/reduce'
import { reshape, transpose } from '../numpy/shape'
import type { Tensor } from '../tensor'

/** For vectors any number; for matrices 1, −1, 2, −2, ±Infinity, 'fro' or 'nuc'. */
export type NormOrder = number | 'fro' | 'nuc' | null

export interface NormOptions extends ReduceOptions {
  /** Default null: √Σx². */
  readonly ord?: NormOrder
}

/** An order of norms. */
const order = /* @__PURE__ */ custom<number | 'fro' | 'nuc'>(
  (value, what) => {
    if (value === 'fro' || value === 'nuc') return value
    if (typeof value === 'string')
      throw new ArgumentError(`${what} must be a number, 'fro', 'nuc' or null, received ${quoted(value)}`)
    return requireNumber(what, value)
  },
  (value) => value,
)

export const norm = op(
  () => [
    arg('x', operand),
    optional('ord', nullable(order)),
    optional('axis', axesKind),
    optional('keepDims', boolean),
  ],
  {
    /**
     * The norm of vectors along one axis, or of matrices along two; of all elements as one vector if neither `ord` nor
     * `axis` is set. If only `ord` is set, x must be a vector or a matrix.
     *
     * | ord | vectors | matrices |
     * |---|---|---|
     * | null | √Σx² | √Σx² |
     * | 'fro' | | √Σx² |
     * | 'nuc' | | Σ of the singular values |
     * | ∞, −∞ | the largest, the smallest |x| | the largest, the smallest Σ|x| of a row |
     * | 1, −1 | Σ|x|, (Σ|x|⁻¹)⁻¹ | the largest, the smallest Σ|x| of a column |
     * | 2, −2 | √Σx², (Σx⁻²)^(−½) | the largest, the smallest singular value |
     * | 0 | the number of elements that are not 0 | |
     * | any p | (Σ|x|ᵖ)^(1/p) | |
     *
     * @example ops.norm([[3, 4], [0, 5]], { axis: 1 })   // [5, 5]
     */
    norm(x, ord = null, axis = null, keepDims = false): Tensor {
      const value = cast(asTensor(x, 'norm'), 'float32')
      if (ord === null) return sqrt(sum(square(value), axis, keepDims))
      const axes =
        axis === null
          ? resolveAxes('norm', null, value.rank)
          : (typeof axis === 'number' ? [axis] : axis).map((each) => normalizeAxis('norm', each, value.rank))
      if (axes.length === 1) return vectorNorm(value, ord, axes[0]!, keepDims)
      if (axes.length === 2 && axes[0] !== axes[1]) return matrixNorm(value, ord, exactly(axes, 2), keepDims)
      throw new ShapeError(
        `norm: ord ${quoted(ord)} requires one axis for vectors or two for matrices, received ${formatShape(value.shape)} and axes [${axes.join(', ')}]`,
      )
    },
  },
)

function vectorNorm(x: Tensor, ord: number | 'fro' | 'nuc', axis: number, keepDims: boolean): Tensor {
  if (typeof ord === 'string') throw new ArgumentError(`norm: ord '${ord}' applies to matrices only. Give two axes`)
  if (ord === 2) return sqrt(sum(square(x), axis, keepDims))
  if (ord === 0) return sum(cast(notEqual(x, 0), 'float32'), axis, keepDims)
  const size = abs(x)
  if (ord === 1) return sum(size, axis, keepDims)
  if (Math.abs(ord) === Infinity) return (ord > 0 ? max : min)(size, axis, keepDims)
  return power(sum(power(size, ord), axis, keepDims), 1 / ord)
}

function matrixNorm(
  x: Tensor,
  ord: number | 'fro' | 'nuc',
  [row, column]: readonly [number, number],
  keepDims: boolean,
): Tensor {
  const others = x.shape.map((_, i) => i).filter((i) => i !== row && i !== column)
  const matrices = transpose(x, [...others, row, column])
  const result = ofMatrices(matrices, ord)
  return keepDims
    ? reshape(
        result,
        x.shape.map((extent, i) => (i === row || i === column ? 1 : extent)),
      )
    : result
}

function ofMatrices(x: Tensor, ord: number | 'fro' | 'nuc'): Tensor {
  const values = (): Tensor => svd(x, false, false)
  switch (ord) {
    case 'fro':
      return sqrt(sum(square(x), [-2, -1]))
    case 'nuc':
      return sum(values(), -1)
    case 1:
      return max(sum(abs(x), -2), -1)
    case -1:
      return min(sum(abs(x), -2), -1)
    case 2:
      return max(values(), -1)
    case -2:
      return min(values(), -1)
    case Infinity:
      return max(sum(abs(x), -1), -1)
    case -Infinity:
      return min(sum(abs(x), -1), -1)
    default:
      throw new ArgumentError(
        `norm: ord ${ord} applies to vectors only. For matrices use 1, −1, 2, −2, ±Infinity, 'fro' or 'nuc'`,
      )
  }
}
