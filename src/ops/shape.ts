// Ops that rearrange: views cost nothing, joins and padding copy once.

import { ArgumentError, ShapeError, formatShape } from '../core/errors'
import type { DType } from '../core/dtypes'
import type { Shape } from '../core/shapes'
import { normalizeAxes, normalizeAxis, sizeOf } from '../core/shapes'
import type { TensorLike } from './convert'
import { asTensor } from './convert'
import { cast, equal } from './elementwise'
import { Tensor } from './tensor'
import { apply } from './trace'

/**
 * The same elements in another shape; one extent may be −1 and is then computed.
 * @throws ShapeError when the number of elements differs
 */
export function reshape(x: TensorLike, shape: Shape): Tensor {
  const value = asTensor(x, 'reshape')
  return apply('reshape', [value], { shape: inferShape(value.size, shape) })[0]!
}

/** Replaces a −1 by the extent that makes the sizes agree. */
export function inferShape(size: number, shape: Shape): number[] {
  const open = shape.indexOf(-1)
  if (open < 0) return [...shape]
  const known = sizeOf(shape.filter((_, i) => i !== open))
  if (shape.includes(-1, open + 1) || known === 0 || size % known !== 0) {
    throw new ShapeError(`reshape: ${size} elements do not fit into ${formatShape(shape)}`)
  }
  return shape.map((extent, i) => (i === open ? size / known : extent))
}

/** Permutes the axes; reverses them when `axes` is left out. */
export function transpose(x: TensorLike, axes?: readonly number[]): Tensor {
  const value = asTensor(x, 'transpose')
  const rank = value.shape.length
  const permutation = axes === undefined ? value.shape.map((_, i) => rank - 1 - i) : axes.map((axis) => normalizeAxis('transpose', axis, rank))
  return apply('transpose', [value], { permutation })[0]!
}

/** Moves one axis to another position, the others keep their order. */
export function moveAxis(x: TensorLike, from: number, to: number): Tensor {
  const value = asTensor(x, 'moveAxis')
  const rank = value.shape.length
  const order = value.shape.map((_, i) => i)
  const [axis] = order.splice(normalizeAxis('moveAxis', from, rank), 1)
  order.splice(normalizeAxis('moveAxis', to, rank), 0, axis!)
  return transpose(value, order)
}

/** Adds an extent of 1 at `axis`. */
export function expandDims(x: TensorLike, axis: number): Tensor {
  const value = asTensor(x, 'expandDims')
  const shape = [...value.shape]
  shape.splice(normalizeAxis('expandDims', axis, shape.length + 1), 0, 1)
  return reshape(value, shape)
}

/** Drops extents of 1: those at `axis`, or all. */
export function squeeze(x: TensorLike, axis?: number | readonly number[]): Tensor {
  const value = asTensor(x, 'squeeze')
  const ones = value.shape.flatMap((extent, i) => (extent === 1 ? [i] : []))
  const axes = axis === undefined ? ones : normalizeAxes('squeeze', typeof axis === 'number' ? [axis] : axis, value.shape.length)
  if (axes.some((each) => value.shape[each] !== 1)) {
    throw new ShapeError(`squeeze: the axes [${axes.join(', ')}] of ${formatShape(value.shape)} must all be 1`)
  }
  return reshape(value, value.shape.filter((_, i) => !axes.includes(i)))
}

/** A block of `sizes` elements that begins at `starts`; a size of −1 reaches to the end. */
export function slice(x: TensorLike, starts: readonly number[], sizes: readonly number[]): Tensor {
  const value = asTensor(x, 'slice')
  const full = sizes.map((size, i) => (size === -1 ? value.shape[i]! - starts[i]! : size))
  return apply('slice', [value], { starts: [...starts], sizes: full })[0]!
}

/** Joins along an existing axis. */
export function concatenate(xs: readonly TensorLike[], axis = -1): Tensor {
  if (xs.length === 0) throw new ArgumentError('concatenate: needs at least one tensor')
  const values = xs.map((x) => asTensor(x, 'concatenate'))
  return apply('concat', values, { axis: normalizeAxis('concatenate', axis, values[0]!.shape.length) })[0]!
}

/** Joins tensors of one shape along a new axis. */
export function stack(xs: readonly TensorLike[], axis = 0): Tensor {
  return concatenate(xs.map((x) => expandDims(x, axis)), axis)
}

/** Cuts an axis into equal parts. */
export function split(x: TensorLike, parts: number, axis = 0): Tensor[] {
  const value = asTensor(x, 'split')
  const at = normalizeAxis('split', axis, value.shape.length)
  const extent = value.shape[at]!
  if (extent % parts !== 0) throw new ShapeError(`split: ${extent} elements of axis ${at} do not make ${parts} equal parts`)
  const size = extent / parts
  return Array.from({ length: parts }, (_, i) =>
    slice(value, value.shape.map((_own, j) => (j === at ? i * size : 0)), value.shape.map((own, j) => (j === at ? size : own))),
  )
}

/** Adds `value` around: `padding[i]` holds how much before and after axis i. */
export function pad(x: TensorLike, padding: readonly (readonly [number, number])[], value = 0): Tensor {
  const before = padding.map(([first]) => first)
  const after = padding.map(([, last]) => last)
  return apply('pad', [asTensor(x, 'pad')], { before, after, value })[0]!
}

/** Reverses the order along axes; along all when left out. */
export function flip(x: TensorLike, axis?: number | readonly number[]): Tensor {
  const value = asTensor(x, 'flip')
  const axes = axis === undefined ? value.shape.map((_, i) => i) : normalizeAxes('flip', typeof axis === 'number' ? [axis] : axis, value.shape.length)
  return apply('reverse', [value], { axes })[0]!
}

/** Repeats along extents of 1 until the shape is `shape`. */
export function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  return apply('broadcastTo', [asTensor(x, 'broadcastTo')], { shape: [...shape] })[0]!
}

/**
 * Picks slices along an axis: result[…, i, …] = x[…, indices[i], …]. Indices must be in 0 … extent − 1;
 * others read the nearest valid slice.
 */
export function take(x: TensorLike, indices: TensorLike, axis = 0): Tensor {
  const value = asTensor(x, 'take')
  const at = normalizeAxis('take', axis, value.shape.length)
  return apply('gather', [value, cast(asTensor(indices, 'take'), 'int32')], { axis: at })[0]!
}

/**
 * The adjoint of `take`: zeros of extent `size` along `axis`, to which updates are added at indices. Equal
 * indices add up.
 */
export function scatterAdd(updates: TensorLike, indices: TensorLike, size: number, axis = 0): Tensor {
  const value = asTensor(updates, 'scatterAdd')
  const at = normalizeAxis('scatterAdd', axis, value.shape.length)
  return apply('scatterAdd', [value, cast(asTensor(indices, 'scatterAdd'), 'int32')], { axis: at, size })[0]!
}

/** A tensor whose elements are all `value`. */
export function full(shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
  const size = sizeOf(shape)
  const data = dtype === 'float32' ? new Float32Array(size) : new Int32Array(size)
  return new Tensor(data.fill(value), [...shape], dtype)
}

export const zeros = (shape: Shape, dtype: DType = 'float32'): Tensor => full(shape, 0, dtype)
export const ones = (shape: Shape, dtype: DType = 'float32'): Tensor => full(shape, 1, dtype)
export const zerosLike = (x: TensorLike): Tensor => likewise(x, 0)
export const onesLike = (x: TensorLike): Tensor => likewise(x, 1)

function likewise(x: TensorLike, value: number): Tensor {
  const { shape, dtype } = asTensor(x, 'like')
  return full(shape, value, dtype)
}

/** start, start + step, … below stop. With one argument: 0, 1, … below it. */
export function arange(start: number, stop?: number, step = 1, dtype: DType = 'float32'): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  const length = Math.max(0, Math.ceil((to - from) / step))
  const elements = Array.from({ length }, (_, i) => from + i * step)
  const data = dtype === 'float32' ? Float32Array.from(elements) : Int32Array.from(elements)
  return new Tensor(data, [length], dtype)
}

/** The identity matrix. */
export function eye(size: number): Tensor {
  const data = new Float32Array(size * size)
  for (let i = 0; i < size; i++) data[i * (size + 1)] = 1
  return new Tensor(data, [size, size], 'float32')
}

/** 1 at the position that each index names along a new last axis, 0 elsewhere. */
export function oneHot(indices: TensorLike, numClasses: number): Tensor {
  const index = cast(asTensor(indices, 'oneHot'), 'int32')
  return cast(equal(expandDims(index, -1), arange(0, numClasses, 1, 'int32')), 'float32')
}
