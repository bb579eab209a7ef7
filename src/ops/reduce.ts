// Ops that fold axes. `axis` is one axis or several, negative ones count from the end; all when left out.

import { adjacentGroups, normalizeAxes, normalizeAxis } from '../core/shapes'
import type { TensorLike } from './convert'
import { asTensor } from './convert'
import { add, cast, exp, isfinite, log, multiply, sqrt, square, stopGradient, subtract, where } from './elementwise'
import { expandDims, reshape, slice } from './shape'
import type { Tensor } from './tensor'
import { apply } from './trace'

/** One axis, several, or null for all. */
export type Axis = number | readonly number[] | null

export interface ReduceOptions {
  readonly axis?: Axis
  /** Keeps the folded axes as extents of 1. */
  readonly keepDims?: boolean
}

function axesOf(name: string, x: Tensor, axis: Axis): number[] {
  if (axis === null) return x.shape.map((_, i) => i)
  return normalizeAxes(name, typeof axis === 'number' ? [axis] : axis, x.shape.length)
}

function restore(result: Tensor, x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  return keepDims ? reshape(result, x.shape.map((extent, i) => (axes.includes(i) ? 1 : extent))) : result
}

function fold(name: 'sum' | 'mean' | 'max' | 'min', x: TensorLike, { axis = null, keepDims = false }: ReduceOptions): Tensor {
  const value = cast(asTensor(x, name), 'float32')
  const axes = axesOf(name, value, axis)
  let result = value
  for (const group of adjacentGroups(axes)) result = apply(name, [result], { axes: group })[0]!
  return restore(result, value, axes, keepDims)
}

/** Σ x */
export const sum = (x: TensorLike, options: ReduceOptions = {}): Tensor => fold('sum', x, options)
/** Σ x / n */
export const mean = (x: TensorLike, options: ReduceOptions = {}): Tensor => fold('mean', x, options)
/** The largest element; NaN when there is one. */
export const max = (x: TensorLike, options: ReduceOptions = {}): Tensor => fold('max', x, options)
/** The smallest element; NaN when there is one. */
export const min = (x: TensorLike, options: ReduceOptions = {}): Tensor => fold('min', x, options)

/** Π x, by halves, so that its gradient is exact when an element is 0. */
export function prod(x: TensorLike, { axis = null, keepDims = false }: ReduceOptions = {}): Tensor {
  const value = cast(asTensor(x, 'prod'), 'float32')
  const axes = axesOf('prod', value, axis)
  let result = value
  for (const each of [...axes].reverse()) result = productAlong(result, each)
  return restore(result, value, axes, keepDims)
}

function productAlong(x: Tensor, axis: number): Tensor {
  let value = x
  for (let extent = value.shape[axis]!; extent > 1; extent = value.shape[axis]!) {
    const half = extent >> 1
    const part = (start: number, size: number): Tensor =>
      slice(value, x.shape.map((_, i) => (i === axis ? start : 0)), value.shape.map((own, i) => (i === axis ? size : own)))
    const folded = multiply(part(0, half), part(half, half))
    value = extent % 2 === 0 ? folded : apply('concat', [folded, part(extent - 1, 1)], { axis })[0]!
  }
  const shape = x.shape.filter((_, i) => i !== axis)
  return value.shape[axis] === 0 ? add(apply('sum', [value], { axes: [axis] })[0]!, 1) : reshape(value, shape)
}

/** The mean squared distance from the mean. */
export function variance(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const value = asTensor(x, 'variance')
  return mean(square(subtract(value, mean(value, { ...options, keepDims: true }))), options)
}

/** √variance */
export const std = (x: TensorLike, options: ReduceOptions = {}): Tensor => sqrt(variance(x, options))

/** ln Σ eˣ without overflow. */
export function logSumExp(x: TensorLike, { axis = null, keepDims = false }: ReduceOptions = {}): Tensor {
  const value = asTensor(x, 'logSumExp')
  const largest = stopGradient(max(value, { axis, keepDims: true }))
  const shift = where(isfinite(largest), largest, 0)
  const total = log(sum(exp(subtract(value, shift)), { axis, keepDims: true }))
  const result = add(total, shift)
  return keepDims ? result : reshape(result, sum(value, { axis }).shape)
}

/** Whether all elements are true. */
export function all(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return cast(min(cast(cast(asTensor(x, 'all'), 'bool'), 'float32'), options), 'bool')
}

/** Whether any element is true. */
export function any(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return cast(max(cast(cast(asTensor(x, 'any'), 'bool'), 'float32'), options), 'bool')
}

function argExtreme(name: 'argMax' | 'argMin', x: TensorLike, axis: number | null, keepDims: boolean): Tensor {
  let value = cast(asTensor(x, name), 'float32')
  const { shape } = value
  if (axis === null) value = reshape(value, [value.size])
  const at = normalizeAxis(name, axis ?? 0, value.shape.length)
  const result = apply(name, [value], { axis: at })[0]!
  if (!keepDims) return result
  return axis === null ? reshape(result, shape.map(() => 1)) : expandDims(result, at)
}

/** The index of the first largest element, as int32; over all elements when `axis` is left out. */
export function argmax(x: TensorLike, axis: number | null = null, keepDims = false): Tensor {
  return argExtreme('argMax', x, axis, keepDims)
}

/** The index of the first smallest element, as int32. */
export function argmin(x: TensorLike, axis: number | null = null, keepDims = false): Tensor {
  return argExtreme('argMin', x, axis, keepDims)
}
