// Arithmetic with constants on the heap: shapes, axes, conditions. Doubles are exact for integers up to 2⁵³; typed arrays
// round and wrap numbers of other types.

import { broadcastShapes, rowMajorStrides, sizeOf } from '../../core/shapes'
import type { HostTensor } from './tensors'
import { types, type ElementType, type HostArray } from './types'

/** Larger constants are computed by kernels. */
export const MOST_KNOWN = 2 ** 20

export const stridesOf = rowMajorStrides

export function hostOf(type: ElementType, shape: readonly number[], numbers: ArrayLike<number>): HostTensor {
  const data = new types[type].array(numbers.length)
  for (let i = 0; i < numbers.length; i++) data[i] = numbers[i]!
  return { type, shape, data }
}

/** The elements of `from` at start + Σ index · stride, for all indices of `shape`. */
export function strided(from: HostTensor, shape: readonly number[], strides: readonly number[], start = 0): HostTensor {
  const data = new types[from.type].array(sizeOf(shape))
  const index = shape.map(() => 0)
  let at = start
  for (let i = 0; i < data.length; i++) {
    data[i] = from.data[at]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!
      if (++index[axis]! < shape[axis]!) break
      at -= strides[axis]! * shape[axis]!
      index[axis] = 0
    }
  }
  return { type: from.type, shape, data }
}

/** Repeats extents of 1. */
export function expanded(from: HostTensor, shape: readonly number[]): HostTensor {
  const stridesBefore = stridesOf(from.shape)
  const more = shape.length - from.shape.length
  return strided(
    from,
    shape,
    shape.map((_, i) => (i < more || from.shape[i - more] === 1 ? 0 : stridesBefore[i - more]!)),
  )
}

/** An elementwise function of tensors that broadcast. */
export function zip(
  where: string,
  type: ElementType,
  f: (...elements: number[]) => number,
  operands: readonly HostTensor[],
): HostTensor {
  const shape = broadcastShapes(
    where,
    operands.map((each) => each.shape),
  )
  const data = new types[type].array(sizeOf(shape))
  const all = operands.map((each) => (each.data.length === data.length ? each : expanded(each, shape)).data)
  for (let i = 0; i < data.length; i++) data[i] = f(...all.map((each) => each[i]!))
  return { type, shape, data }
}

/** Joins tensors along an axis. */
export function joined(parts: readonly HostTensor[], axis: number): HostTensor {
  const first = parts[0]!
  const shape = first.shape.map((extent, i) =>
    i === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : extent,
  )
  const outer = sizeOf(shape.slice(0, axis))
  const data = new types[first.type].array(sizeOf(shape))
  let at = 0
  for (let i = 0; i < outer; i++) {
    for (const part of parts) {
      const count = part.data.length / outer
      data.set(part.data.subarray(i * count, (i + 1) * count), at)
      at += count
    }
  }
  return { type: first.type, shape, data }
}

/** result[…, i…, …] = from[…, indices[i…], …]; negative indices count from the end. null for an index outside. */
export function taken(from: HostTensor, indices: HostTensor, axis: number): HostTensor | null {
  const [before, extent, after] = [from.shape.slice(0, axis), from.shape[axis]!, from.shape.slice(axis + 1)]
  const inner = sizeOf(after)
  const shape = [...before, ...indices.shape, ...after]
  const data = new types[from.type].array(sizeOf(shape))
  let at = 0
  for (let i = 0; i < sizeOf(before); i++) {
    for (const index of indices.data) {
      const place = index < 0 ? index + extent : index
      if (!(place >= 0 && place < extent)) return null
      const begin = (i * extent + place) * inner
      data.set(from.data.subarray(begin, begin + inner), at)
      at += inner
    }
  }
  return { type: from.type, shape, data }
}

/** Reduces axes by a function of the elements along them. The axes stay with extent 1. */
export function reduced(from: HostTensor, axes: readonly number[], f: (elements: HostArray) => number): HostTensor {
  const strides = stridesOf(from.shape)
  const isReduced = (_: unknown, i: number): boolean => axes.includes(i)
  const isKept = (_: unknown, i: number): boolean => !axes.includes(i)
  const [outer, inner] = [from.shape.filter(isKept), from.shape.filter(isReduced)]
  const order = [...strides.filter(isKept), ...strides.filter(isReduced)]
  const { data } = strided(from, [...outer, ...inner], order)
  const count = sizeOf(inner)
  const results = new types[from.type].array(sizeOf(outer))
  for (let i = 0; i < results.length; i++) results[i] = f(data.subarray(i * count, (i + 1) * count))
  return { type: from.type, shape: from.shape.map((extent, i) => (axes.includes(i) ? 1 : extent)), data: results }
}
