// Reductions that skip NaN. int32 and bool contain none, so these give the same as without `nan`. Quantiles are in
// quantiles.ts.

import type { DType } from '../../core/dtypes'
import { ShapeError, formatShape } from '../../core/errors'
import { option } from '../../core/options'
import type { Axis, KeepDims, ReduceOptions } from '../arguments'
import { axes as axesKind, dtypeOrNull, readArguments, readReduction, requireInteger, resolveAxes } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { all, argmax, argmin, cumprod, cumsum, max, min, prod, sum } from './reduce'
import type { ArgOptions, OneAxis, RunningOptions } from './reduce'
import { cast, divide, isnan, logicalNot, sqrt, square, subtract, where } from './elementwise'
import type { Tensor } from '../tensor'

interface Reduced {
  readonly value: Tensor
  readonly axes: number[]
  readonly keepDims: boolean
}

function reduced(
  name: string,
  x: TensorLike,
  axis: Axis | ReduceOptions | undefined,
  keepDims: KeepDims | undefined,
): Reduced {
  const value = asTensor(x, name)
  const given = readReduction(name, axis, keepDims)
  return { value, axes: resolveAxes(name, given.axis, value.rank), keepDims: given.keepDims }
}

/** x with another number in place of NaN, to which no gradient flows. */
const replaced = (x: Tensor, by: number): Tensor => (x.dtype === 'float32' ? where(isnan(x), by, x) : x)

/** Σ x over the elements that are not NaN; 0 if there are none. int32 stays int32, bool counts as int32. */
export function nansum(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const { value, axes, keepDims: keeps } = reduced('nansum', x, axis, keepDims)
  return sum(replaced(value, 0), axes, keeps)
}

/** Π x over the elements that are not NaN; 1 if there are none. int32 stays int32, bool counts as int32. */
export function nanprod(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const { value, axes, keepDims: keeps } = reduced('nanprod', x, axis, keepDims)
  return prod(replaced(value, 1), axes, keeps)
}

function extreme(name: string, { value, axes, keepDims }: Reduced, of: typeof max, least: number): Tensor {
  if (axes.some((axis) => value.shape[axis] === 0))
    throw new ShapeError(`${name}: ${formatShape(value.shape)} has no element along [${axes.join(', ')}]`)
  if (value.dtype !== 'float32') return of(value, axes, keepDims)
  return where(all(isnan(value), axes, keepDims), NaN, of(replaced(value, least), axes, keepDims))
}

/**
 * The largest element that is not NaN, in the dtype of x; NaN if there is none. Ties share the gradient equally.
 * @throws ShapeError for an axis without elements
 * @example ops.nanmax([1, NaN, 3])   // 3
 */
export function nanmax(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  return extreme('nanmax', reduced('nanmax', x, axis, keepDims), max, -Infinity)
}

/** Like `nanmax`, with the smallest element. */
export function nanmin(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  return extreme('nanmin', reduced('nanmin', x, axis, keepDims), min, Infinity)
}

/** The number of elements that are not NaN, as float32. */
function counted(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  return cast(sum(logicalNot(isnan(x)), axes, keepDims), 'float32')
}

function meanOf(x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  return divide(sum(replaced(x, 0), axes, keepDims), counted(x, axes, keepDims))
}

/** Σ x / n over the n elements that are not NaN, in float32; NaN if there are none. */
export function nanmean(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const { value, axes, keepDims: keeps } = reduced('nanmean', x, axis, keepDims)
  return meanOf(cast(value, 'float32'), axes, keeps)
}

function varianceOf({ value, axes, keepDims }: Reduced): Tensor {
  const numbers = cast(value, 'float32')
  const centered = where(isnan(numbers), 0, subtract(numbers, meanOf(numbers, axes, true)))
  return divide(sum(square(centered), axes, keepDims), counted(numbers, axes, keepDims))
}

/** The mean squared distance from the mean of the elements that are not NaN, in float32; NaN if there are none. */
export function nanvar(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  return varianceOf(reduced('nanvar', x, axis, keepDims))
}

/** √nanvar */
export function nanstd(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  return sqrt(varianceOf(reduced('nanstd', x, axis, keepDims)))
}

function argExtreme(
  name: string,
  x: TensorLike,
  axis: OneAxis | ArgOptions | undefined,
  keepDims: KeepDims | undefined,
  of: typeof argmax,
  least: number,
): Tensor {
  const value = asTensor(x, name)
  const { axis: own, keepDims: keeps } = readReduction(name, axis, keepDims)
  const at = own === null ? null : resolveAxes(name, requireInteger(`${name}: the axis`, own), value.rank)[0]!
  if ((at === null ? value.size : value.shape[at]) === 0)
    throw new ShapeError(`${name}: ${formatShape(value.shape)} has no element along the axis`)
  const index = of(replaced(value, least), at, keeps)
  return value.dtype === 'float32' ? where(all(isnan(value), at, keeps), -1, index) : index
}

/**
 * The index of the first largest element that is not NaN, as int32; −1 if all are NaN. Over all elements when `axis` is
 * omitted.
 * @throws ShapeError for an axis without elements
 * @example ops.nanargmax([1, NaN, 3])   // 2
 */
export function nanargmax(x: TensorLike, axis?: OneAxis | ArgOptions, keepDims?: KeepDims): Tensor {
  return argExtreme('nanargmax', x, axis, keepDims, argmax, -Infinity)
}

/** Like `nanargmax`, with the first smallest element. */
export function nanargmin(x: TensorLike, axis?: OneAxis | ArgOptions, keepDims?: KeepDims): Tensor {
  return argExtreme('nanargmin', x, axis, keepDims, argmin, Infinity)
}

function running(
  name: string,
  x: TensorLike,
  axis: OneAxis | RunningOptions | undefined,
  dtype: DType | null | undefined,
  of: typeof cumsum,
  neutral: number,
): Tensor {
  const table = { axis: option(axesKind, null), dtype: option(dtypeOrNull, null) }
  const given = readArguments(name, table, axis, dtype)
  const value = asTensor(x, name)
  const at =
    given.axis === null ? null : resolveAxes(name, requireInteger(`${name}: the axis`, given.axis), value.rank)[0]!
  return of(replaced(value, neutral), at, given.dtype)
}

/**
 * result[i] = x[0] + … + x[i] along an axis, where NaN counts as 0; over all elements in row-major order when `axis` is
 * omitted. int32 stays int32.
 * @param dtype the dtype to which x is converted first. Default null: no conversion.
 * @example ops.nancumsum([1, NaN, 3])   // [1, 1, 4]
 */
export function nancumsum(x: TensorLike, axis?: OneAxis | RunningOptions, dtype?: DType | null): Tensor {
  return running('nancumsum', x, axis, dtype, cumsum, 0)
}

/** result[i] = x[0] · … · x[i] along an axis, where NaN counts as 1. Otherwise like `nancumsum`. */
export function nancumprod(x: TensorLike, axis?: OneAxis | RunningOptions, dtype?: DType | null): Tensor {
  return running('nancumprod', x, axis, dtype, cumprod, 1)
}
