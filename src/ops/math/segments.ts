// Ops that write to the positions in a tensor of indices: sums and maxima by segment, scattered values, counts.

import { operand, operandOrNull, shape as shapeKind, whole } from '../kinds'
import { arg, op, optional } from '../op'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { boolean, choice, custom, nullable, sparse as sparseKind } from '../../core/options'
import { sameShape, sizeOf, type Shape } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { ScatterMax } from '../../engine/primitives/indexing'
import { sliceAlong } from '../numpy/along'
import { OUTSIDE, countsOf, nonnegative, scatterSum, type Scattered } from './counts'
import { anyNumber, requireInteger, requireList, requireShape } from '../arguments'
import { asNumbers, asTensor, type TensorLike } from '../convert'
import {
  add,
  cast,
  equal,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  maximum,
  minimum,
  multiply,
  negative,
  subtract,
  where,
} from '../numpy/elementwise'
import { linspace } from '../numpy/construct'
import { max, min } from '../numpy/reduce'
import { ravel } from '../numpy/rearrange'
import { arange, concatenate, expandDims, full, onesLike, reshape, take } from '../numpy/shape'
import { argsort, searchsorted } from '../numpy/sorting'
import type { Tensor } from '../tensor'
import { apply, isData, joined } from '../trace'

const scatterMax: Scattered = (updates, indices, size) =>
  apply('routine', [updates, indices], { routine: new ScatterMax(0, size) })[0]!

const scatterMin: Scattered = (updates, indices, size) => {
  // int32 has no 2³¹, so −x cannot reverse the order of −2³¹; −1 − x can.
  const turned = (x: Tensor): Tensor => (x.dtype === 'int32' ? subtract(-1, x) : negative(x))
  return turned(scatterMax(turned(updates), indices, size))
}

export interface SegmentOptions {
  /** The number of segments, which is the first extent of the result. */
  readonly numSegments?: number
  /** Whether the ids increase; does not affect the result. Default false. */
  readonly sorted?: boolean
}

/** The number of segments. It is required, because shapes must not depend on data. */
const segmentCount = /* @__PURE__ */ custom<number>(
  (value, what) => {
    if (value === undefined || value === null)
      throw new ArgumentError(`${what} is required, because shapes cannot depend on data`)
    return requireInteger(what, value, 0)
  },
  (value) => value,
)

/** The parameters of the ops of segments. */
const segments = () =>
  [
    arg('data', operand),
    arg('segmentIds', operand),
    arg('numSegments', segmentCount),
    optional('sorted', boolean),
  ] as const

type SegmentArguments = [data: TensorLike, segmentIds: TensorLike, numSegments: number]

/** The operands of a segment op: data, ids and the number of segments. */
function segmentsOf(name: string, ...[data, segmentIds, count]: SegmentArguments): [Tensor, Tensor, number] {
  const [value, ids] = [asNumbers(data, name), cast(asTensor(segmentIds, name), 'int32')]
  if (ids.rank !== 1 || value.rank === 0 || value.shape[0] !== ids.size) {
    throw new ShapeError(
      `${name}: expected one segment id for each slice of the data, received data ${formatShape(value.shape)} and ids ${formatShape(ids.shape)}`,
    )
  }
  requireShape(name, [count + 1, ...value.shape.slice(1)])
  return [value, ids, count]
}

/** Combines the slices of each segment. */
function bySegment(combine: Scattered, name: string, ...args: SegmentArguments): Tensor {
  const [value, ids, count] = segmentsOf(name, ...args)
  return joined(`${name} ${count}`, [value, ids], ([slices, index]) => combine(slices!, nonnegative(index!), count))
}

export const segmentSum = op(segments, {
  /**
   * result[s] = Σ of the slices data[i] with segmentIds[i] = s. int32 stays int32. Ids outside 0 … numSegments − 1 are dropped.
   * @param data [n, …] @param segmentIds [n], in any order
   * @param sorted whether the ids increase; does not affect the result. Default false.
   * @returns [numSegments, …]
   * @example ops.segmentSum([1, 2, 3], [0, 0, 1], 2)   // [3, 3]
   */
  segmentSum(data, segmentIds, numSegments, _sorted?): Tensor {
    return bySegment(scatterSum, 'segmentSum', data, segmentIds, numSegments)
  },
})

/** The extremes of bool are computed as those of 0 and 1. An empty segment has the value that changes no extreme. */
function extremeBySegment(combine: Scattered, name: 'segmentMax' | 'segmentMin', ...args: SegmentArguments): Tensor {
  const data = asTensor(args[0], name)
  const [, ...others] = args
  const extreme = bySegment(combine, name, data, ...others)
  return data.dtype === 'bool' ? cast(maximum(extreme, 0), 'bool') : extreme
}

export const segmentMax = op(segments, {
  /**
   * Like `segmentSum`, with the largest element in place of the sum. Empty segments give −∞, in int32 the least number, in bool false.
   * Ties share the gradient. int32 and bool stay as they are.
   */
  segmentMax(data, segmentIds, numSegments, _sorted?): Tensor {
    return extremeBySegment(scatterMax, 'segmentMax', data, segmentIds, numSegments)
  },
})

export const segmentMin = op(segments, {
  /** Like `segmentMax`, with the smallest element. Empty segments give ∞, in int32 the largest number, in bool true. */
  segmentMin(data, segmentIds, numSegments, _sorted?): Tensor {
    return extremeBySegment(scatterMin, 'segmentMin', data, segmentIds, numSegments)
  },
})

export const segmentProd = op(segments, {
  /** Like `segmentSum`, with the product in place of the sum. Empty segments give 1. */
  segmentProd(data, segmentIds, numSegments, _sorted?): Tensor {
    const [value, ids, count] = segmentsOf('segmentProd', data, segmentIds, numSegments)
    const shape = [count, ...value.shape.slice(1)]
    if (value.size === 0 || count === 0) return full(shape, 1, value.dtype)
    const rows = reshape(value, [ids.size, value.size / ids.size])
    return reshape(scatterProduct(rows, nonnegative(ids), count), shape)
  },
})

/**
 * The flat positions [places], in row-major order over the first axes of `shape`, of indices [places, depth]; OUTSIDE
 * for indices outside.
 * @param areCompared whether positions are compared, so that each place needs one number. Otherwise indices into a single axis stay as they are,
 *   and negative ones count from the end.
 */
function placesIn(
  name: string,
  shape: Shape,
  indices: Tensor,
  areCompared = false,
): { readonly flat: Tensor; readonly depth: number } {
  const depth = indices.shape.at(-1)
  if (depth === undefined || indices.rank < 1 || depth > shape.length) {
    throw new ShapeError(
      `${name}: the last axis of the indices must have at most one element for each axis of ${formatShape(shape)}, received ${formatShape(indices.shape)}`,
    )
  }
  const places = sizeOf(indices.shape.slice(0, -1))
  if (depth === 1 && !areCompared) return { flat: reshape(indices, [places]), depth }
  const rows = reshape(indices, [places, depth])
  let flat: Tensor = full([places], 0, 'int32')
  let isInside: Tensor = full([places], 1, 'bool')
  for (let axis = 0; axis < depth; axis++) {
    const column = reshape(sliceAlong(rows, 1, axis, 1), [places])
    const index = where(less(column, 0), add(column, shape[axis]!), column)
    isInside = logicalAnd(isInside, logicalAnd(greaterEqual(index, 0), less(index, shape[axis]!)))
    flat = add(multiply(flat, shape[axis]!), index)
  }
  return { flat: where(isInside, flat, OUTSIDE), depth }
}

/** Checks and flattens updates to [places, slice] for indices [… , depth] into the first `depth` axes of `shape`. */
function slicesFor(name: string, updates: Tensor, indices: Tensor, shape: Shape, depth: number): Tensor {
  const wanted = [...indices.shape.slice(0, -1), ...shape.slice(depth)]
  if (!sameShape(updates.shape, wanted)) {
    throw new ShapeError(
      `${name}: indices ${formatShape(indices.shape)} into ${formatShape(shape)} need values ${formatShape(wanted)}, received ${formatShape(updates.shape)}`,
    )
  }
  return reshape(updates, [sizeOf(indices.shape.slice(0, -1)), sizeOf(shape.slice(depth))])
}

export const scatter = op(() => [arg('indices', operand), arg('values', operand), arg('shape', shapeKind)], {
  /**
   * Adds values, by index, to zeros of a shape. Values with equal indices add up; negative indices count from the end;
   * values with an index outside are dropped. int32 stays int32.
   * @param indices [… , depth]: each is a position in the first `depth` axes of `shape`
   * @param values [… , …remaining axes of shape]
   * @example ops.scatter([[0], [2]], [5, 7], [4])   // [5, 0, 7, 0]
   */
  scatter(indices, values, shape): Tensor {
    const index = cast(asTensor(indices, 'scatter'), 'int32')
    const value = asNumbers(values, 'scatter')
    return joined(`scatter ${shape.join()}`, [value, index], ([updates, places]) => {
      const { flat, depth } = placesIn('scatter', shape, places!)
      const rows = slicesFor('scatter', updates!, places!, shape, depth)
      return reshape(scatterSum(rows, flat, sizeOf(shape.slice(0, depth))), shape)
    })
  },
})

type Combination = 'add' | 'mul' | 'max' | 'min'

const combination = /* @__PURE__ */ choice('add', 'mul', 'max', 'min')

export const scatterUpdate = op(
  () => [
    arg('inputs', operand),
    arg('indices', operand),
    arg('updates', operand),
    optional('reduction', nullable(combination)),
  ],
  {
    /**
     * `inputs` with other values at some indices, which have the form of those of `scatter`. If indices are equal, the last update wins.
     * @param reduction combines an element with its updates instead: `add` their sum, `mul` their product, `max` the largest, `min` the
     *   smallest. Default null: the update replaces the element.
     * @returns the shape and dtype of `inputs`
     * @example ops.scatterUpdate([1, 2, 3], [[1]], [9])   // [1, 9, 3]
     */
    scatterUpdate(inputs, indices, updates, reduction = null): Tensor {
      const value = asTensor(inputs, 'scatterUpdate')
      const index = cast(asTensor(indices, 'scatterUpdate'), 'int32')
      const { flat, depth } = placesIn('scatterUpdate', value.shape, index, reduction === 'mul')
      const rows = slicesFor(
        'scatterUpdate',
        cast(asTensor(updates, 'scatterUpdate'), value.dtype),
        index,
        value.shape,
        depth,
      )
      if (rows.size === 0) return value
      const places = sizeOf(value.shape.slice(0, depth))
      if (reduction !== null) return reduceInto(value, asNumbers(rows, 'scatterUpdate'), flat, places, reduction)
      // The index of the last update of each place, or −2³¹.
      const last = scatterMax(arange(0, rows.shape[0], 1, 'int32'), flat, places)
      const isNew = expandDims(greaterEqual(last, 0), 1)
      const taken = take(rows, maximum(last, 0), 0)
      return reshape(where(isNew, taken, reshape(value, [places, rows.shape[1]!])), value.shape)
    },
  },
)

/** The product of the updates [n, slice] of each place; 1 where there are none. */
function scatterProduct(updates: Tensor, flat: Tensor, places: number): Tensor {
  const order = argsort(flat)
  const place = take(flat, order)
  const count = updates.shape[0]!
  let product = take(updates, order, 0)
  // After each iteration, an element is the product of those of the last 2 · step updates that have its place.
  for (let step = 1; step < count; step *= 2) {
    const part = (x: Tensor, from: number): Tensor => sliceAlong(x, 0, from, count - step)
    const isSame = expandDims(equal(part(place, step), part(place, 0)), 1)
    const later = multiply(part(product, step), where(isSame, part(product, 0), onesLike(part(product, 0))))
    product = concatenate([sliceAlong(product, 0, 0, step), later], 0)
  }
  const last = scatterMax(arange(0, count, 1, 'int32'), place, places)
  return where(expandDims(greaterEqual(last, 0), 1), take(product, maximum(last, 0), 0), full([], 1, updates.dtype))
}

/** How the updates of a place are combined, and how the result is combined with the element. */
const folds = {
  add: [scatterSum, add],
  mul: [scatterProduct, multiply],
  max: [scatterMax, maximum],
  min: [scatterMin, minimum],
} as const

/** x [… places, slice …] after updates [n, slice] were combined with the elements at their places. */
function reduceInto(x: Tensor, updates: Tensor, flat: Tensor, places: number, how: Combination): Tensor {
  const [scatter, join] = folds[how]
  return cast(join(x, reshape(scatter(updates, flat, places), x.shape)), x.dtype)
}

/**
 * x with a block of other values from `startIndices` on. A block that would reach beyond the end is moved back,
 * as in XLA.
 */
export function sliceUpdate(x: TensorLike, startIndices: readonly number[], updates: TensorLike): Tensor {
  const value = asTensor(x, 'sliceUpdate')
  const block = cast(asTensor(updates, 'sliceUpdate'), value.dtype)
  const positions = requireList('sliceUpdate: startIndices', startIndices).map((start) =>
    requireInteger('each of sliceUpdate: startIndices', start),
  )
  if (
    positions.length !== value.rank ||
    block.rank !== value.rank ||
    block.shape.some((extent, i) => extent > value.shape[i]!)
  ) {
    throw new ShapeError(
      `sliceUpdate: a block ${formatShape(block.shape)} at [${positions.join(', ')}] does not fit into ${formatShape(value.shape)}`,
    )
  }
  const starts = positions.map((start, i) =>
    Math.min(Math.max(start < 0 ? start + value.shape[i]! : start, 0), value.shape[i]! - block.shape[i]!),
  )
  if (block.size === 0) return value
  // Whether each position along an axis is inside the block.
  const axesIn = value.shape.map((extent, i) => {
    const at = reshape(
      arange(0, extent, 1, 'int32'),
      value.shape.map((_, j) => (j === i ? extent : 1)),
    )
    return logicalAnd(greaterEqual(at, starts[i]!), less(at, starts[i]! + block.shape[i]!))
  })
  const isInside = axesIn.reduce((all, each) => logicalAnd(all, each), full([], 1, 'bool'))
  const before = starts
  const after = value.shape.map((extent, i) => extent - starts[i]! - block.shape[i]!)
  return where(isInside, apply('pad', [block], { before, after, value: 0 })[0]!, value)
}

export const bincount = op(
  () => [
    arg('x', operand),
    optional('weights', operandOrNull),
    optional('minlength', whole(0)),
    optional('sparse', sparseKind),
  ],
  {
    /**
     * Counts how often each of the numbers 0 … n − 1 occurs in x [n], or in each row of x [batch, n]. n is one more than the largest
     * number, or `minlength` if that is larger. In a traced function n is `minlength`, because shapes do not depend on data there, and
     * other numbers are dropped.
     * @throws ArgumentError in a traced function without minlength
     * @example ops.bincount([1, 1, 3])   // [0, 2, 0, 1]
     */
    bincount(x, weights = null, minlength = 0, _sparse?): Tensor {
      const value = cast(asTensor(x, 'bincount'), 'int32')
      const hasData = isData(value)
      if (!hasData && minlength === 0)
        throw new ArgumentError(
          'bincount: a traced function needs minlength, because shapes cannot depend on data there',
        )
      let length = minlength
      if (hasData) for (const each of value.data) length = Math.max(length, each + 1)
      return countsOf(value, length, weights)
    },
  },
)

export interface HistogramOptions {
  /** The number of parts. Default 10. */
  readonly bins?: number
  /** [lowest, highest]; null for the range of x. Default null. */
  readonly range?: readonly [number, number] | null
}

/** The bounds [lowest, highest]. */
const interval = /* @__PURE__ */ custom<readonly [number, number]>(
  (value, what) => {
    const [low, high, ...others] = requireList(what, value).map((bound) => anyNumber.read(bound, `each of ${what}`))
    if (low !== undefined && high !== undefined && low <= high && others.length === 0) return [low, high]
    throw new ArgumentError(`${what} must be [lowest, highest], received ${quoted(value)}`)
  },
  (value) => value,
)

export const histogram = op(
  () => [arg('x', operand), optional('bins', whole(1)), optional('range', nullable(interval))],
  {
    /**
     * Counts the elements in each of `bins` equal parts of a range. The last part includes its end. Elements outside the
     * range are not counted.
     * @param range [lowest, highest]; the range of x when omitted
     * @returns [counts [bins], edges [bins + 1]], both float32
     */
    histogram(x, bins = 10, range = null): [counts: Tensor, edges: Tensor] {
      const value = cast(ravel(asTensor(x, 'histogram')), 'float32')
      if (range === null && value.size === 0)
        throw new ShapeError('histogram: a tensor without elements needs an explicit range')
      const [low, high] =
        range === null
          ? [min(value), max(value)]
          : exactly(
              range.map((bound) => full([], bound)),
              2,
            )
      requireShape('histogram', [bins + 1])
      // A range of width 0 is widened by ½ on both sides.
      const isFlat = equal(low!, high!)
      const edges = linspace(where(isFlat, add(low!, -0.5), low!), where(isFlat, add(high!, 0.5), high!), bins + 1)
      const isLast = equal(value, sliceAlong(edges, 0, bins, 1))
      const bin = where(isLast, bins - 1, add(searchsorted(edges, value, 'right'), -1))
      const isNumber = lessEqual(value, value)
      const counts = scatterSum(full([value.size], 1, 'int32'), where(isNumber, nonnegative(bin), OUTSIDE), bins)
      return [cast(counts, 'float32'), edges]
    },
  },
)
