// Ops that reduce axes, and cumulative ops. Most take `(x, axis, keepDims)` or `(x, { axis, keepDims })`. `axis` is one
// axis, several, or null (default) for all; negative axes count from the end.

import type { DType } from '../../core/dtypes'
import { boolean, option } from '../../core/options'
import type { ReductionName } from '../../ir/attributes'
import { sliceAlong } from './along'
import type { Axis, AxisOption, KeepDims, ReduceOptions, Reduction } from '../arguments'
import {
  axes as axesKind,
  dtypeOrNull,
  extremeTable,
  readArguments,
  readReduction,
  requireInteger,
  resolveAxes,
} from '../arguments'
import type { TensorLike } from '../convert'
import { asNumbers, asTensor, operand } from '../convert'
import {
  add,
  cast,
  divide,
  exp,
  isfinite,
  log,
  maximum,
  minimum,
  multiply,
  sqrt,
  square,
  stopGradient,
  subtract,
  where,
} from './elementwise'
import { broadcastTo, concatenate, expandDims, full, reshape } from './shape'
import type { Tensor } from '../tensor'
import { apply, joined } from '../trace'
import { needAlgebra } from '../families'
import { RunningResult } from '../../primitives/running'

export type { Axis, ReduceOptions } from '../arguments'

function restore(result: Tensor, x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  return keepDims
    ? reshape(
        result,
        x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent)),
      )
    : result
}

function fold(where: string, name: ReductionName, x: Tensor, given?: Axis | ReduceOptions, keep?: KeepDims): Tensor {
  const { axis, keepDims } = readReduction(where, given, keep)
  const axes = resolveAxes(where, axis, x.shape.length)
  return restore(apply(name, [x], { axes })[0]!, x, axes, keepDims)
}

/** Σ x. int32 stays int32 and wraps at 32 bits, bool counts as int32. */
export function sum(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  return fold('sum', 'sum', asTensor(x, 'sum'), axis, keepDims)
}

/** Σ x / n, in float32. */
export function mean(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  return fold('mean', 'mean', cast(asTensor(x, 'mean'), 'float32'), axis, keepDims)
}

export interface ExtremeOptions extends ReduceOptions {
  /**
   * A number that counts as an additional element of every reduction, in the dtype of x. Default null: no such
   * element.
   */
  readonly initial?: number | null
}

function extreme(
  name: 'max' | 'min',
  x: TensorLike,
  given: Axis | ExtremeOptions | undefined,
  keep: KeepDims | undefined,
  first: number | null | undefined,
): Tensor {
  const value = asTensor(x, name)
  const isByPosition = typeof given !== 'object' || given === null || Array.isArray(given)
  // Reading an option table takes longer than reducing a small tensor.
  if (isByPosition && typeof keep !== 'object' && (first ?? null) === null) return fold(name, name, value, given, keep)
  const { initial, ...reduction } = readArguments(name, extremeTable, given, keep, first)
  const result = fold(name, name, value, reduction)
  if (initial === null) return result
  return cast((name === 'max' ? maximum : minimum)(result, full([], initial, value.dtype)), value.dtype)
}

/**
 * The largest element, in the dtype of x; NaN if any element is NaN. Ties share the gradient equally.
 * @param initial a number that counts as an additional element. Default null: no such element.
 */
export function max(x: TensorLike, axis?: Axis | ExtremeOptions, keepDims?: KeepDims, initial?: number | null): Tensor {
  return extreme('max', x, axis, keepDims, initial)
}

/**
 * The smallest element, in the dtype of x; NaN if any element is NaN. Ties share the gradient equally.
 * @param initial a number that counts as an additional element. Default null: no such element.
 */
export function min(x: TensorLike, axis?: Axis | ExtremeOptions, keepDims?: KeepDims, initial?: number | null): Tensor {
  return extreme('min', x, axis, keepDims, initial)
}

interface ProductOptions extends ReduceOptions {
  /** The dtype to which x is converted first. Default null: numbers keep their dtype, bool becomes int32. */
  readonly dtype?: DType | null
}

const productTable = {
  axis: option(axesKind, null),
  keepDims: option(boolean, false),
  dtype: option(dtypeOrNull, null),
}

/**
 * Applies `f`, which computes with numbers, to x converted to a dtype. The result has that dtype.
 * @param dtype null: numbers keep their dtype, bool becomes int32
 */
function inType(where: string, x: TensorLike, dtype: DType | null, f: (value: Tensor) => Tensor): Tensor {
  return dtype === null ? f(asNumbers(x, where)) : cast(f(asNumbers(cast(asTensor(x, where), dtype), where)), dtype)
}

/**
 * Π x: eight parts of the axis are multiplied, element by element, until one element is left, so that the gradient is exact
 * when an element is 0. int32 stays int32, bool counts as int32.
 * @param dtype the dtype to which x is converted first. Default null: no conversion.
 */
export function prod(x: TensorLike, axis?: Axis | ProductOptions, keepDims?: KeepDims, dtype?: DType | null): Tensor {
  const given = readArguments('prod', productTable, axis, keepDims, dtype)
  return joined(`prod ${JSON.stringify(given)}`, [asTensor(x, 'prod')], ([operand]) =>
    inType('prod', operand!, given.dtype, (value) => productOver(value, given)),
  )
}

function productOver(value: Tensor, given: Reduction): Tensor {
  const axes = resolveAxes('prod', given.axis, value.shape.length)
  let result = value
  for (const each of [...axes].reverse()) result = productAlong(result, each)
  return restore(result, value, axes, given.keepDims)
}

/** The parts of an axis that are multiplied in one pass. */
const PARTS = 8

function productAlong(x: Tensor, axis: number): Tensor {
  let value = x
  for (let extent = value.shape[axis]!; extent > 1; extent = value.shape[axis]!) {
    const parts = Math.min(PARTS, extent)
    const size = Math.floor(extent / parts)
    const rest = extent - parts * size
    const folded = productOf(Array.from({ length: parts }, (_, i) => sliceAlong(value, axis, i * size, size)))
    value = rest === 0 ? folded : concatenate([folded, sliceAlong(value, axis, extent - rest, rest)], axis)
  }
  const shape = x.shape.filter((_, i) => i !== axis)
  return value.shape[axis] === 0 ? add(sum(value, axis), 1) : reshape(value, shape)
}

/** The product of tensors, in pairs. */
function productOf(parts: readonly Tensor[]): Tensor {
  if (parts.length === 1) return parts[0]!
  const half = parts.length >> 1
  return multiply(productOf(parts.slice(0, half)), productOf(parts.slice(half)))
}

/** The mean squared distance from the mean, in float32. */
export function variance(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const given = readReduction('variance', axis, keepDims)
  const value = cast(asTensor(x, 'variance'), 'float32')
  const axes = resolveAxes('variance', given.axis, value.shape.length)
  return joined(`variance ${axes.join()} ${given.keepDims}`, [value], ([x]) =>
    mean(square(subtract(x!, mean(x!, axes, true))), axes, given.keepDims),
  )
}

/** √variance */
export function std(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const given = readReduction('std', axis, keepDims)
  return joined(`std ${JSON.stringify(given)}`, [asTensor(x, 'std')], ([value]) => sqrt(variance(value!, given)))
}

/** The number of elements that are not 0, as int32. */
export function countNonzero(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const given = readReduction('countNonzero', axis, keepDims)
  return joined(`countNonzero ${JSON.stringify(given)}`, [asTensor(x, 'countNonzero')], ([value]) =>
    fold('countNonzero', 'sum', cast(value!, 'bool'), given),
  )
}

/** The largest element minus the smallest, in the dtype of x. */
export function ptp(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const value = asNumbers(x, 'ptp')
  return subtract(fold('ptp', 'max', value, axis, keepDims), fold('ptp', 'min', value, axis, keepDims))
}

interface AverageOptions extends ReduceOptions {
  /** One weight per element, or one per element along a single axis. */
  readonly weights?: TensorLike | null
}

const averageTable = {
  axis: option(axesKind, null),
  weights: option(operand, null),
  keepDims: option(boolean, false),
}

/** Σ w·x / Σ w, in float32. The mean if weights are omitted. */
export function average(x: TensorLike, axis?: Axis | AverageOptions, weights?: TensorLike | null): Tensor {
  const { weights: own, ...given } = readArguments('average', averageTable, axis, weights)
  const value = cast(asTensor(x, 'average'), 'float32')
  if (own === null) return mean(value, given)
  const axes = resolveAxes('average', given.axis, value.rank)
  const weight = cast(asTensor(own, 'average'), 'float32')
  const isRow = weight.rank === 1 && value.rank !== 1 && axes.length === 1
  const aligned = isRow
    ? reshape(
        weight,
        value.shape.map((_, i) => (i === axes[0] ? weight.size : 1)),
      )
    : weight
  const all = broadcastTo(aligned, value.shape)
  return divide(sum(multiply(value, all), given), sum(all, given))
}

/** ln Σ eˣ without overflow, in float32. */
export function logSumExp(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  const given = readReduction('logSumExp', axis, keepDims)
  const value = cast(asTensor(x, 'logSumExp'), 'float32')
  const axes = resolveAxes('logSumExp', given.axis, value.shape.length)
  const largest = stopGradient(max(value, axes, true))
  const shift = where(isfinite(largest), largest, 0)
  const result = add(log(sum(exp(subtract(value, shift)), axes, true)), shift)
  return given.keepDims
    ? result
    : reshape(
        result,
        value.shape.filter((_, i) => !axes.includes(i)),
      )
}

/** Whether all elements are true; numbers count as x ≠ 0. */
export function all(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  return fold('all', 'min', cast(asTensor(x, 'all'), 'bool'), axis, keepDims)
}

/** Whether any element is true; numbers count as x ≠ 0. */
export function any(x: TensorLike, axis?: Axis | ReduceOptions, keepDims?: KeepDims): Tensor {
  return fold('any', 'max', cast(asTensor(x, 'any'), 'bool'), axis, keepDims)
}

/** The axis of an op that takes only one; null for all elements in row-major order. */
export type OneAxis = number | null
export interface ArgOptions extends ReduceOptions {
  /** The axis; null for all elements in row-major order. Negative axes count from the end. Default null. */
  readonly axis?: OneAxis
}

function argExtreme(
  where: string,
  name: 'argMax' | 'argMin',
  x: TensorLike,
  given?: OneAxis | ArgOptions,
  keep?: KeepDims,
): Tensor {
  const value = asTensor(x, where)
  const { axis, keepDims } = readReduction(where, given, keep)
  if (axis === null) {
    const index = apply(name, [reshape(value, [value.size])], { axis: 0 })[0]!
    return keepDims
      ? reshape(
          index,
          value.shape.map(() => 1),
        )
      : index
  }
  const at = resolveAxes(where, requireInteger(`${where}: the axis`, axis), value.shape.length)[0]!
  const index = apply(name, [value], { axis: at })[0]!
  return keepDims ? expandDims(index, at) : index
}

/** The index of the first largest element, or of the first NaN, as int32. Over all elements when `axis` is omitted. */
export function argmax(x: TensorLike, axis?: OneAxis | ArgOptions, keepDims?: KeepDims): Tensor {
  return argExtreme('argmax', 'argMax', x, axis, keepDims)
}

/** The index of the first smallest element, or of the first NaN, as int32. Over all elements when `axis` is omitted. */
export function argmin(x: TensorLike, axis?: OneAxis | ArgOptions, keepDims?: KeepDims): Tensor {
  return argExtreme('argmin', 'argMin', x, axis, keepDims)
}

export interface RunningOptions extends AxisOption<OneAxis> {
  /** The dtype to which x is converted first. Default null: numbers keep their dtype, bool becomes int32. */
  readonly dtype?: DType | null
}

const runningTable = { axis: option(axesKind, null), dtype: option(dtypeOrNull, null) }

function running(
  where: string,
  x: TensorLike,
  axis: OneAxis | RunningOptions | undefined,
  dtype: DType | null | undefined,
  kind: 'sum' | 'product',
): Tensor {
  const given = readArguments(where, runningTable, axis, dtype)
  return inType(where, x, given.dtype, (value) =>
    given.axis === null
      ? runningAlong(reshape(value, [value.size]), 0, kind)
      : runningAlong(value, resolveAxes(where, requireInteger(`${where}: the axis`, given.axis), value.rank)[0]!, kind),
  )
}

function runningAlong(value: Tensor, axis: number, kind: 'sum' | 'product'): Tensor {
  needAlgebra()
  return apply('routine', [value], { routine: new RunningResult(axis, kind) })[0]!
}

/**
 * result[i] = x[0] + … + x[i] along an axis; over all elements in row-major order when `axis` is omitted. int32 stays
 * int32.
 * @param dtype the dtype to which x is converted first. Default null: no conversion.
 */
export function cumsum(x: TensorLike, axis?: OneAxis | RunningOptions, dtype?: DType | null): Tensor {
  return running('cumsum', x, axis, dtype, 'sum')
}

/** result[i] = x[0] · … · x[i] along an axis, like `cumsum`. The gradient is exact when an element is 0. */
export function cumprod(x: TensorLike, axis?: OneAxis | RunningOptions, dtype?: DType | null): Tensor {
  return running('cumprod', x, axis, dtype, 'product')
}
