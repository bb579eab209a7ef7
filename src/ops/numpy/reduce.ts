// Ops that reduce axes, and cumulative ops. Most take `(x, axis, keepDims)`. `axis` is one axis, several, or null (default) for
// all; negative axes count from the end.

import { axes as axesKind, dtype, operand, operandOrNull } from '../kinds'
import { arg, op, optional } from '../op'
import { reduction, runningOfOne } from './parameters'
import type { DType } from '../../core/dtypes'
import { boolean, nullable } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import type { ReductionName } from '../../engine/ir/attributes'
import { sliceAlong } from './along'
import { resolveAxes, type Axis, type ReduceOptions } from '../arguments'
import { asNumbers, asTensor, type TensorLike } from '../convert'
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
import { RunningResult } from '../../engine/primitives/running'

export type { Axis, ReduceOptions } from '../arguments'

function restore(result: Tensor, x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  return keepDims
    ? reshape(
        result,
        x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent)),
      )
    : result
}

function fold(where: string, name: ReductionName, x: Tensor, axis: Axis, keepDims: boolean): Tensor {
  const axes = resolveAxes(where, axis, x.shape.length)
  return restore(apply(name, [x], { axes })[0]!, x, axes, keepDims)
}

export const sum = op(reduction, {
  /** Σ x. int32 stays int32 and wraps at 32 bits, bool counts as int32. */
  sum(x, axis = null, keepDims = false): Tensor {
    return fold('sum', 'sum', asTensor(x, 'sum'), axis, keepDims)
  },
})

export const mean = op(reduction, {
  /** Σ x / n, in float32. */
  mean(x, axis = null, keepDims = false): Tensor {
    return fold('mean', 'mean', cast(asTensor(x, 'mean'), 'float32'), axis, keepDims)
  },
})

export interface ExtremeOptions extends ReduceOptions {
  /**
   * A number that counts as an additional element of every reduction, in the dtype of x. Default null: no such
   * element.
   */
  readonly initial?: number | null
}

function extreme(name: 'max' | 'min', x: TensorLike, axis: Axis, keepDims: boolean, initial: number | null): Tensor {
  const value = asTensor(x, name)
  const result = fold(name, name, value, axis, keepDims)
  if (initial === null) return result
  return cast((name === 'max' ? maximum : minimum)(result, full([], initial, value.dtype)), value.dtype)
}

/**
 * The largest element, in the dtype of x; NaN if any element is NaN. Ties share the gradient equally.
 * @param initial a number that counts as an additional element. Default null: no such element.
 */
export const max = (x: TensorLike, axis: Axis = null, keepDims = false, initial: number | null = null): Tensor =>
  extreme('max', x, axis, keepDims, initial)

/**
 * The smallest element, in the dtype of x; NaN if any element is NaN. Ties share the gradient equally.
 * @param initial a number that counts as an additional element. Default null: no such element.
 */
export const min = (x: TensorLike, axis: Axis = null, keepDims = false, initial: number | null = null): Tensor =>
  extreme('min', x, axis, keepDims, initial)

/**
 * Applies `f`, which computes with numbers, to x converted to a dtype. The result has that dtype.
 * @param dtype null: numbers keep their dtype, bool becomes int32
 */
function inType(where: string, x: TensorLike, dtype: DType | null, f: (value: Tensor) => Tensor): Tensor {
  return dtype === null ? f(asNumbers(x, where)) : cast(f(asNumbers(cast(asTensor(x, where), dtype), where)), dtype)
}

export const prod = op(() => [...reduction(), optional('dtype', nullable(dtype))], {
  /**
   * Π x: eight parts of the axis are multiplied, element by element, until one element is left, so that the gradient is exact
   * when an element is 0. int32 stays int32, bool counts as int32.
   * @param dtype the dtype to which x is converted first. Default null: no conversion.
   */
  prod(x, axis = null, keepDims = false, dtype = null): Tensor {
    return joined(`prod ${axis} ${keepDims} ${dtype}`, [asTensor(x, 'prod')], ([operand]) =>
      inType('prod', operand!, dtype, (value) => productOver(value, axis, keepDims)),
    )
  },
})

function productOver(value: Tensor, axis: Axis, keepDims: boolean): Tensor {
  const axes = resolveAxes('prod', axis, value.shape.length)
  let result = value
  for (const each of [...axes].reverse()) result = productAlong(result, each)
  return restore(result, value, axes, keepDims)
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

export const variance = op(reduction, {
  /** The mean squared distance from the mean, in float32. */
  variance(x, axis = null, keepDims = false): Tensor {
    const value = cast(asTensor(x, 'variance'), 'float32')
    const axes = resolveAxes('variance', axis, value.shape.length)
    return joined(`variance ${axes.join()} ${keepDims}`, [value], ([x]) =>
      mean(square(subtract(x!, mean(x!, axes, true))), axes, keepDims),
    )
  },
})

export const std = op(reduction, {
  /** √variance */
  std(x, axis = null, keepDims = false): Tensor {
    return joined(`std ${axis} ${keepDims}`, [asTensor(x, 'std')], ([value]) => sqrt(variance(value!, axis, keepDims)))
  },
})

export const countNonzero = op(reduction, {
  /** The number of elements that are not 0, as int32. */
  countNonzero(x, axis = null, keepDims = false): Tensor {
    return joined(`countNonzero ${axis} ${keepDims}`, [asTensor(x, 'countNonzero')], ([value]) =>
      fold('countNonzero', 'sum', cast(value!, 'bool'), axis, keepDims),
    )
  },
})

/** The largest element minus the smallest, in the dtype of x. */
export function ptp(x: TensorLike, axis: Axis = null, keepDims = false): Tensor {
  const value = asNumbers(x, 'ptp')
  return subtract(fold('ptp', 'max', value, axis, keepDims), fold('ptp', 'min', value, axis, keepDims))
}

export const average = op(
  () => [
    arg('x', operand),
    optional('axis', axesKind),
    optional('weights', operandOrNull),
    optional('keepDims', boolean),
  ],
  {
    /** Σ w·x / Σ w, in float32. The mean if weights are omitted. */
    average(x, axis = null, weights = null, keepDims = false): Tensor {
      const value = cast(asTensor(x, 'average'), 'float32')
      if (weights === null) return mean(value, axis, keepDims)
      const axes = resolveAxes('average', axis, value.rank)
      const weight = cast(asTensor(weights, 'average'), 'float32')
      const isRow = weight.rank === 1 && value.rank !== 1 && axes.length === 1
      const aligned = isRow
        ? reshape(
            weight,
            value.shape.map((_, i) => (i === axes[0] ? weight.size : 1)),
          )
        : weight
      const all = broadcastTo(aligned, value.shape)
      return divide(sum(multiply(value, all), axis, keepDims), sum(all, axis, keepDims))
    },
  },
)

export const logSumExp = op(reduction, {
  /** ln Σ eˣ without overflow, in float32. */
  logSumExp(x, axis = null, keepDims = false): Tensor {
    const value = cast(asTensor(x, 'logSumExp'), 'float32')
    const axes = resolveAxes('logSumExp', axis, value.shape.length)
    const largest = stopGradient(max(value, axes, true))
    const shift = where(isfinite(largest), largest, 0)
    const result = add(log(sum(exp(subtract(value, shift)), axes, true)), shift)
    return keepDims
      ? result
      : reshape(
          result,
          value.shape.filter((_, i) => !axes.includes(i)),
        )
  },
})

export const all = op(reduction, {
  /** Whether all elements are true; numbers count as x ≠ 0. */
  all(x, axis = null, keepDims = false): Tensor {
    return fold('all', 'min', cast(asTensor(x, 'all'), 'bool'), axis, keepDims)
  },
})

export const any = op(reduction, {
  /** Whether any element is true; numbers count as x ≠ 0. */
  any(x, axis = null, keepDims = false): Tensor {
    return fold('any', 'max', cast(asTensor(x, 'any'), 'bool'), axis, keepDims)
  },
})

/** The axis of an op that takes only one; null for all elements in row-major order. */
export type OneAxis = number | null
export interface ArgOptions extends ReduceOptions {
  /** The axis; null for all elements in row-major order. Negative axes count from the end. Default null. */
  readonly axis?: OneAxis
}

function argExtreme(
  where: 'argmax' | 'argmin',
  name: 'argMax' | 'argMin',
  x: TensorLike,
  axis: OneAxis,
  keepDims: boolean,
): Tensor {
  const value = asTensor(x, where)
  if (axis === null) {
    const index = apply(name, [reshape(value, [value.size])], { axis: 0 })[0]!
    return keepDims
      ? reshape(
          index,
          value.shape.map(() => 1),
        )
      : index
  }
  const at = normalizeAxis(where, axis, value.rank)
  const index = apply(name, [value], { axis: at })[0]!
  return keepDims ? expandDims(index, at) : index
}

/** The index of the first largest element, or of the first NaN, as int32. Over all elements when `axis` is omitted. */
export const argmax = (x: TensorLike, axis: OneAxis = null, keepDims = false): Tensor =>
  argExtreme('argmax', 'argMax', x, axis, keepDims)

/** The index of the first smallest element, or of the first NaN, as int32. Over all elements when `axis` is omitted. */
export const argmin = (x: TensorLike, axis: OneAxis = null, keepDims = false): Tensor =>
  argExtreme('argmin', 'argMin', x, axis, keepDims)

export interface RunningOptions {
  /** The axis; null for all elements in row-major order. Negative axes count from the end. Default null. */
  readonly axis?: OneAxis
  /** The dtype to which x is converted first. Default null: numbers keep their dtype, bool becomes int32. */
  readonly dtype?: DType | null
}

function running(
  where: 'cumsum' | 'cumprod',
  x: TensorLike,
  axis: OneAxis,
  dtype: DType | null,
  kind: 'sum' | 'product',
): Tensor {
  return inType(where, x, dtype, (value) =>
    axis === null
      ? runningAlong(reshape(value, [value.size]), 0, kind)
      : runningAlong(value, normalizeAxis(where, axis, value.rank), kind),
  )
}

function runningAlong(value: Tensor, axis: number, kind: 'sum' | 'product'): Tensor {
  needAlgebra()
  return apply('routine', [value], { routine: new RunningResult(axis, kind) })[0]!
}

export const cumsum = op(runningOfOne, {
  /**
   * result[i] = x[0] + … + x[i] along an axis; over all elements in row-major order when `axis` is omitted. int32 stays
   * int32.
   * @param dtype the dtype to which x is converted first. Default null: no conversion.
   */
  cumsum(x, axis = null, dtype = null): Tensor {
    return running('cumsum', x, axis, dtype, 'sum')
  },
})

export const cumprod = op(runningOfOne, {
  /** result[i] = x[0] · … · x[i] along an axis, like `cumsum`. The gradient is exact when an element is 0. */
  cumprod(x, axis = null, dtype = null): Tensor {
    return running('cumprod', x, axis, dtype, 'product')
  },
})
