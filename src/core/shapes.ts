// Shapes and index arithmetic, independent of graphs.

import type { DType } from './dtypes'
import { ShapeError, quoted, formatShape } from './errors'

export type Shape = readonly number[]

/** The type of a tensor: its dtype and shape. */
export interface TensorType {
  readonly shape: Shape
  readonly dtype: DType
}

/** The number of elements: the product of the extents, 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]!
  return size
}

/** The maximum number of elements of one tensor that is created or computed: 1 GiB of a memory of 4 GiB. */
export const MAX_ELEMENTS = 2 ** 28

/** The maximum number of elements of one tensor of a user's data, such as x of fit; steps read only batches of it. */
export const MAX_DATA_ELEMENTS = 2 ** 30

/**
 * Refuses a shape that is too large, before memory is allocated.
 * @throws ShapeError naming the tensor, its shape and the limit
 */
export function requireSize(what: string, shape: Shape, most = MAX_ELEMENTS): void {
  if (sizeOf(shape) > most) throw tooLarge(what, shape, most)
}

export function tooLarge(what: string, shape: Shape, most: number): ShapeError {
  return new ShapeError(`${what}: ${formatShape(shape)} has more than ${most} elements, the limit of one tensor`)
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** A shape that nobody can change, and the number of elements of its data, as `dataSizeOf` counts them. */
export interface FrozenShape {
  readonly shape: Shape
  readonly size: number
}

/** Recent frozen shapes, each at the index that is computed from its extents. */
const frozenShapes: (FrozenShape | undefined)[] = []

/** An equal shape that is frozen. An earlier one is used again if possible, because freezing takes longer than the work for a small tensor. */
export function frozenShape(shape: Shape): FrozenShape {
  let hash = shape.length
  for (let i = 0; i < shape.length; i++) hash = (hash * 31 + shape[i]!) | 0
  const known = frozenShapes[(hash &= 63)]
  if (known !== undefined && sameShape(known.shape, shape)) return known
  return (frozenShapes[hash] = { shape: Object.freeze(shape), size: dataSizeOf(shape) })
}

/** The number of elements of data; NaN unless all extents are integers ≥ 0. */
export function dataSizeOf(shape: Shape): number {
  return shape.every((extent) => Number.isInteger(extent) && extent >= 0) ? sizeOf(shape) : NaN
}

/** Row-major strides in elements. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i]!
  }
  return strides
}

/**
 * The shape that all operands broadcast to, by NumPy's rule: extents are aligned at the right, and equal or 1.
 * @throws ShapeError naming the operation and both shapes.
 */
export function broadcastShapes(operation: string, shapes: readonly Shape[]): Shape {
  if (shapes.length === 2 && sameShape(shapes[0]!, shapes[1]!)) return shapes[0]!
  const rank = shapes.reduce((most, shape) => Math.max(most, shape.length), 0)
  const result = new Array<number>(rank).fill(1)
  shapes.forEach((shape) => {
    const offset = rank - shape.length
    for (let i = 0; i < shape.length; i++) {
      const extent = shape[i]!
      const known = result[offset + i]!
      if (extent === known || extent === 1) continue
      if (known !== 1) {
        throw new ShapeError(
          `${operation}: the operands' shapes must be equal or broadcast, received ${shapes.map(formatShape).join(' and ')}`,
        )
      }
      result[offset + i] = extent
    }
  })
  return result
}

/** Strides that read an operand of `shape` as if it had the shape `target`: 0 along repeated axes. */
export function broadcastStrides(shape: Shape, strides: readonly number[], target: Shape): number[] {
  const offset = target.length - shape.length
  const result = new Array<number>(target.length)
  for (let i = 0; i < target.length; i++) result[i] = i < offset || shape[i - offset] === 1 ? 0 : strides[i - offset]!
  return result
}

/** Turns possibly negative axes into sorted, distinct, non-negative ones. */
export function normalizeAxes(operation: string, axes: readonly number[], rank: number): number[] {
  const result = axes.map((axis) => normalizeAxis(operation, axis, rank)).sort((a, b) => a - b)
  for (let i = 1; i < result.length; i++) {
    if (result[i] === result[i - 1]) {
      throw new ShapeError(`${operation}: the axes must be distinct, received [${axes.join(', ')}]`)
    }
  }
  return result
}

/**
 * Sorted axes as runs of neighbours, the last run first: [0, 2, 3] → [[2, 3], [0]]. In this order, the reduction of a run does not
 * renumber the axes of the next one.
 */
export function adjacentGroups(axes: readonly number[]): number[][] {
  const groups: number[][] = []
  for (const axis of axes) {
    const group = groups[0]
    if (group !== undefined && group[group.length - 1] === axis - 1) group.push(axis)
    else groups.unshift([axis])
  }
  return groups
}

export function normalizeAxis(operation: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const range = rank === 0 ? 'a scalar has no axes' : `the axis must be in −${rank} … ${rank - 1}`
    throw new ShapeError(`${operation}: ${range}, received ${quoted(axis)}`)
  }
  return axis < 0 ? axis + rank : axis
}

/** [outer, axis, inner]: the shape of a contiguous tensor for kernels that work along a run of axes. */
export interface AxisSplit {
  readonly outer: number
  readonly axis: number
  readonly inner: number
}

/** Splits `shape` around the axes first … last (inclusive). */
export function splitAround(shape: Shape, first: number, last = first): AxisSplit {
  return {
    outer: sizeOf(shape.slice(0, first)),
    axis: sizeOf(shape.slice(first, last + 1)),
    inner: sizeOf(shape.slice(last + 1)),
  }
}

/** Calls `visit` with the offset of every element of a strided view, in row-major order. */
export function forEachOffset(
  shape: Shape,
  strides: readonly number[],
  offset: number,
  visit: (offset: number, index: number) => void,
): void {
  const rank = shape.length
  const size = sizeOf(shape)
  const position = new Array<number>(rank).fill(0)
  let at = offset
  for (let index = 0; index < size; index++) {
    visit(at, index)
    for (let i = rank - 1; i >= 0; i--) {
      at += strides[i]!
      if (++position[i]! < shape[i]!) break
      at -= strides[i]! * shape[i]!
      position[i] = 0
    }
  }
}
