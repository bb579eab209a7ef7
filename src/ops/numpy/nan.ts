// Reductions that skip NaN. int32 and bool contain none, so these give the same as without `nan`. Quantiles are in
// quantiles.ts.

import { op } from '../op'
import { reduction, reductionOfOne, runningOfOne } from './parameters'
import type { DType } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { normalizeAxis } from '../../core/shapes'
import { resolveAxes, type Axis } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import { all, argmax, argmin, cumprod, cumsum, max, min, prod, sum, type OneAxis } from './reduce'
import { cast, divide, isnan, logicalNot, sqrt, square, subtract, where } from './elementwise'
import type { Tensor } from '../tensor'

/** The operand, and the axes to reduce. */
function along(name: string, x: TensorLike, axis: Axis): [Tensor, number[]] {
  const value = asTensor(x, name)
  return [value, resolveAxes(name, axis, value.rank)]
}

/** x with another number in place of NaN, to which no gradient flows. */
const replaced = (x: Tensor, by: number): Tensor => (x.dtype === 'float32' ? where(isnan(x), by, x) : x)

export const nansum = op(reduction, {
  /** Σ x over the elements that are not NaN; 0 if there are none. int32 stays int32, bool counts as int32. */
  nansum(x, axis = null, keepDims = false): Tensor {
    const [value, axes] = along('nansum', x, axis)
    return sum(replaced(value, 0), axes, keepDims)
  },
})

export const nanprod = op(reduction, {
  /** Π x over the elements that are not NaN; 1 if there are none. int32 stays int32, bool counts as int32. */
  nanprod(x, axis = null, keepDims = false): Tensor {
    const [value, axes] = along('nanprod', x, axis)
    return prod(replaced(value, 1), axes, keepDims)
  },
})

function extreme(
  name: 'nanmax' | 'nanmin',
  x: TensorLike,
  axis: Axis,
  keepDims: boolean,
  of: typeof max,
  least: number,
): Tensor {
  const [value, axes] = along(name, x, axis)
  if (axes.some((axis) => value.shape[axis] === 0))
    throw new ShapeError(`${name}: ${formatShape(value.shape)} has no element along [${axes.join(', ')}]`)
  if (value.dtype !== 'float32') return of(value, axes, keepDims)
  return where(all(isnan(value), axes, keepDims), NaN, of(replaced(value, least), axes, keepDims))
}

export const nanmax = op(reduction, {
  /**
   * The largest element that is not NaN, in the dtype of x; NaN if there is none. Ties share the gradient equally.
   * @throws ShapeError for an axis without elements
   * @example ops.nanmax([1, NaN, 3])   // 3
   */
  nanmax(x, axis = null, keepDims = false): Tensor {
    return extreme('nanmax', x, axis, keepDims, max, -Infinity)
  },
})

export const nanmin = op(reduction, {
  /** Like `nanmax`, with the smallest element. */
  nanmin(x, axis = null, keepDims = false): Tensor {
    return extreme('nanmin', x, axis, keepDims, min, Infinity)
  },
})

/** The number of elements that are not NaN, as float32. */
function counted(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  return cast(sum(logicalNot(isnan(x)), axes, keepDims), 'float32')
}

/* @__NO_SIDE_EFFECTS__ */
function meanOf(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  return divide(sum(replaced(x, 0), axes, keepDims), counted(x, axes, keepDims))
}

export const nanmean = op(reduction, {
  /** Σ x / n over the n elements that are not NaN, in float32; NaN if there are none. */
  nanmean(x, axis = null, keepDims = false): Tensor {
    const [value, axes] = along('nanmean', x, axis)
    return meanOf(cast(value, 'float32'), axes, keepDims)
  },
})

function varianceOf(name: 'nanvar' | 'nanstd', x: TensorLike, axis: Axis, keepDims: boolean): Tensor {
  const [value, axes] = along(name, x, axis)
  const numbers = cast(value, 'float32')
  const centered = where(isnan(numbers), 0, subtract(numbers, meanOf(numbers, axes, true)))
  return divide(sum(square(centered), axes, keepDims), counted(numbers, axes, keepDims))
}

export const nanvar = op(reduction, {
  /** The mean squared distance from the mean of the elements that are not NaN, in float32; NaN if there are none. */
  nanvar(x, axis = null, keepDims = false): Tensor {
    return varianceOf('nanvar', x, axis, keepDims)
  },
})

export const nanstd = op(reduction, {
  /** √nanvar */
  nanstd(x, axis = null, keepDims = false): Tensor {
    return sqrt(varianceOf('nanstd', x, axis, keepDims))
  },
})

function argExtreme(
  name: 'nanargmax' | 'nanargmin',
  x: TensorLike,
  axis: OneAxis,
  keepDims: boolean,
  of: typeof argmax,
  least: number,
): Tensor {
  const value = asTensor(x, name)
  const at = axis === null ? null : normalizeAxis(name, axis, value.rank)
  if ((at === null ? value.size : value.shape[at]) === 0)
    throw new ShapeError(`${name}: ${formatShape(value.shape)} has no element along the axis`)
  const index = of(replaced(value, least), at, keepDims)
  return value.dtype === 'float32' ? where(all(isnan(value), at, keepDims), -1, index) : index
}

export const nanargmax = op(reductionOfOne, {
  /**
   * The index of the first largest element that is not NaN, as int32; −1 if all are NaN. Over all elements when `axis` is
   * omitted.
   * @throws ShapeError for an axis without elements
   * @example ops.nanargmax([1, NaN, 3])   // 2
   */
  nanargmax(x, axis = null, keepDims = false): Tensor {
    return argExtreme('nanargmax', x, axis, keepDims, argmax, -Infinity)
  },
})

export const nanargmin = op(reductionOfOne, {
  /** Like `nanargmax`, with the first smallest element. */
  nanargmin(x, axis = null, keepDims = false): Tensor {
    return argExtreme('nanargmin', x, axis, keepDims, argmin, Infinity)
  },
})

function running(
  name: 'nancumsum' | 'nancumprod',
  x: TensorLike,
  axis: OneAxis,
  dtype: DType | null,
  of: typeof cumsum,
  neutral: number,
): Tensor {
  const value = asTensor(x, name)
  return of(replaced(value, neutral), axis === null ? null : normalizeAxis(name, axis, value.rank), dtype)
}

export const nancumsum = op(runningOfOne, {
  /**
   * result[i] = x[0] + … + x[i] along an axis, where NaN counts as 0; over all elements in row-major order when `axis` is
   * omitted. int32 stays int32.
   * @param dtype the dtype to which x is converted first. Default null: no conversion.
   * @example ops.nancumsum([1, NaN, 3])   // [1, 1, 4]
   */
  nancumsum(x, axis = null, dtype = null): Tensor {
    return running('nancumsum', x, axis, dtype, cumsum, 0)
  },
})

export const nancumprod = op(runningOfOne, {
  /** result[i] = x[0] · … · x[i] along an axis, where NaN counts as 1. Otherwise like `nancumsum`. */
  nancumprod(x, axis = null, dtype = null): Tensor {
    return running('nancumprod', x, axis, dtype, cumprod, 1)
  },
})
