// Quantiles of sorted elements, also of those that are not NaN.

import { axes, operand, unchecked } from '../kinds'
import { arg, op, optional } from '../op'
import { reduction } from './parameters'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice } from '../../core/options'
import { sliceAlong } from './along'
import { requireList, requireNumber, resolveAxes, type Axis, type ReduceOptions } from '../arguments'
import { asTensor, numbersOf, type Numbers, type TensorLike } from '../convert'
import {
  add,
  cast,
  ceil,
  clip,
  divide,
  equal,
  floor,
  isnan,
  logicalNot,
  maximum,
  multiply,
  subtract,
  where,
} from './elementwise'
import { pickAlong } from './rearrange'
import { sum } from './reduce'
import { broadcastTo, moveAxis, reshape, take, transpose } from './shape'
import { sort } from './sorting'
import { Tensor } from '../tensor'
import { isData } from '../trace'

/** How to compute a quantile that falls between two elements. `nearest` takes the lower one if both are equally near. */
export type QuantileMethod = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest'

export interface QuantileOptions extends ReduceOptions {
  /** Default linear. */
  readonly method?: QuantileMethod
}

const quantiles = () =>
  [
    arg('x', operand),
    arg('q', unchecked<Numbers>()),
    optional('axis', axes),
    optional('method', choice('linear', 'lower', 'higher', 'midpoint', 'nearest')),
    optional('keepDims', boolean),
  ] as const

export const quantile = op(quantiles, {
  /**
   * The value below which a fraction q of the elements lies, in float32; NaN if any element is NaN.
   * @param q from 0 to 1; a list, or a tensor with one axis, adds a leading axis to the result. The values of a traced q are clipped
   * @example ops.quantile([1, 2, 3, 4], 0.5)   // 2.5
   */
  quantile(x, q, axis = null, method = 'linear', keepDims = false): Tensor {
    return quantileOf('quantile', 1, true, x, q, axis, method, keepDims)
  },
})

export const percentile = op(quantiles, {
  /**
   * `quantile` with q in per cent.
   * @param q from 0 to 100; a list, or a tensor with one axis, adds a leading axis to the result
   * @example ops.percentile([1, 2, 3, 4], 50)   // 2.5
   */
  percentile(x, q, axis = null, method = 'linear', keepDims = false): Tensor {
    return quantileOf('percentile', 100, true, x, q, axis, method, keepDims)
  },
})

export const nanquantile = op(quantiles, {
  /** `quantile` of the elements that are not NaN; NaN if there are none. */
  nanquantile(x, q, axis = null, method = 'linear', keepDims = false): Tensor {
    return quantileOf('nanquantile', 1, false, x, q, axis, method, keepDims)
  },
})

export const nanpercentile = op(quantiles, {
  /** `percentile` of the elements that are not NaN; NaN if there are none. */
  nanpercentile(x, q, axis = null, method = 'linear', keepDims = false): Tensor {
    return quantileOf('nanpercentile', 100, false, x, q, axis, method, keepDims)
  },
})

export const median = op(reduction, {
  /** The middle of the sorted elements, or the mean of the two middle ones, in float32; NaN if any element is NaN. */
  median(x, axis = null, keepDims = false): Tensor {
    return quantileOf('median', 1, true, x, 0.5, axis, 'linear', keepDims)
  },
})

export const nanmedian = op(reduction, {
  /** `median` of the elements that are not NaN; NaN if there are none. */
  nanmedian(x, axis = null, keepDims = false): Tensor {
    return quantileOf('nanmedian', 1, false, x, 0.5, axis, 'linear', keepDims)
  },
})

/**
 * @param most the q of the largest element
 * @param isAll whether NaN among the elements makes the quantile NaN; otherwise NaN is left out
 */
function quantileOf(
  name: string,
  most: number,
  isAll: boolean,
  x: TensorLike,
  probabilities: Numbers,
  axis: Axis,
  method: QuantileMethod,
  keepDims: boolean,
): Tensor {
  const value = cast(asTensor(x, name), 'float32')
  const reduced = resolveAxes(name, axis, value.rank)
  const kept = value.shape.map((_, i) => i).filter((i) => !reduced.includes(i))
  const shape = kept.map((i) => value.shape[i]!)
  const count = reduced.reduce((size, each) => size * value.shape[each]!, 1)
  if (count === 0)
    throw new ShapeError(`${name}: ${formatShape(value.shape)} has no element along [${reduced.join(', ')}]`)
  const rows = sort(reshape(transpose(value, [...kept, ...reduced]), [...shape, count]))
  const extents = keepDims ? value.shape.map((extent, i) => (reduced.includes(i) ? 1 : extent)) : shape
  const shaped = (all: Tensor, isOne: boolean): Tensor =>
    isOne ? reshape(all, extents) : reshape(moveAxis(all, -1, 0), [all.shape.at(-1)!, ...extents])
  if (probabilities instanceof Tensor && !isData(probabilities)) {
    if (probabilities.rank > 1)
      throw new ShapeError(`${name}: q must be a number or a vector, received ${formatShape(probabilities.shape)}`)
    // A traced function cannot check the values.
    const traced = clip(divide(reshape(probabilities, [probabilities.size]), most), 0, 1)
    return shaped(quantilesAt(rows, traced, method, isAll), probabilities.rank === 0)
  }
  const q = numbersOf(probabilities)
  const shares = (typeof q === 'number' ? [q] : requireList(`${name}: q`, q)).map((share) => {
    const part = requireNumber(`${name}: q`, share)
    if (!(part >= 0 && part <= most)) throw new ArgumentError(`${name}: q must be in 0 … ${most}, received ${part}`)
    return part / most
  })
  const all = isAll ? amongAll(rows, shares, method) : quantilesAt(rows, row(shares), method, false)
  return shaped(all, typeof q === 'number')
}

const row = (elements: readonly number[]): Tensor =>
  new Tensor(Float32Array.from(elements), [elements.length], 'float32')

/** The quantiles of all elements; NaN if one of them is NaN. Known shares are at the same places in all rows, which makes them cheaper. */
function amongAll(rows: Tensor, shares: readonly number[], method: QuantileMethod): Tensor {
  const count = rows.shape.at(-1)!
  const places = shares.map((share) => placeOf(share * (count - 1), method))
  const pick = (indices: readonly number[]): Tensor =>
    take(rows, new Tensor(Int32Array.from(indices), [indices.length], 'int32'), -1)
  const [low, high] = [pick(places.map((place) => Math.floor(place))), pick(places.map((place) => Math.ceil(place)))]
  const isMissing = isnan(sliceAlong(rows, rows.rank - 1, count - 1, 1))
  return where(isMissing, NaN, between(low, high, row(places.map((place) => place % 1))))
}

/** The quantiles [… shares] of sorted rows [… n], NaN last, where the places depend on the rows or on traced shares [k]. */
function quantilesAt(rows: Tensor, shares: Tensor, method: QuantileMethod, isAll: boolean): Tensor {
  const last = rows.rank - 1
  const numbers = cast(sum(logicalNot(isnan(rows)), last, true), 'float32')
  const count = isAll ? where(equal(numbers, rows.shape[last]!), numbers, 0) : numbers
  const places = tensorPlaceOf(multiply(maximum(subtract(count, 1), 0), shares), method)
  const below = floor(places)
  const wide = [...rows.shape.slice(0, -1), shares.size]
  const pick = (indices: Tensor): Tensor => pickAlong(rows, broadcastTo(cast(indices, 'int32'), wide), last)
  const all = between(pick(below), pick(ceil(places)), subtract(places, below))
  return where(equal(count, 0), NaN, all)
}

/** low + (high − low) · weight. Where both are equal, the difference is 0, because ∞ − ∞ would be NaN. */
function between(low: Tensor, high: Tensor, weight: Tensor): Tensor {
  return add(low, multiply(where(equal(low, high), 0, subtract(high, low)), weight))
}

/** The position of a quantile in a sorted row, from the exact one; between two elements if it is not an integer. */
function placeOf(place: number, method: QuantileMethod): number {
  switch (method) {
    case 'linear':
      return place
    case 'lower':
      return Math.floor(place)
    case 'higher':
      return Math.ceil(place)
    case 'midpoint':
      return (Math.floor(place) + Math.ceil(place)) / 2
    case 'nearest':
      return Math.ceil(place - 0.5)
  }
}

function tensorPlaceOf(place: Tensor, method: QuantileMethod): Tensor {
  switch (method) {
    case 'linear':
      return place
    case 'lower':
      return floor(place)
    case 'higher':
      return ceil(place)
    case 'midpoint':
      return multiply(add(floor(place), ceil(place)), 0.5)
    case 'nearest':
      return ceil(subtract(place, 0.5))
  }
}
