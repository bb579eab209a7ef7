// Ops that fold axes. `axis` is one axis or several, negative ones count from the end; all when left out.

import { normalizeAxes, normalizeAxis } from '../core/shapes'
import type { TensorLike } from './convert'
import { asTensor } from './convert'
import { add, cast, exp, isfinite, log, multiply, sqrt, square, stopGradient, subtract, where } from './elementwise'
import { expandDims, reshape, slice } from './shape'
import type { ReductionName } from '../primitives/attributes'
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

function fold(name: ReductionName, x: Tensor, { axis = null, keepDims = false }: ReduceOptions): Tensor {
  const axes = axesOf(name, x, axis)
  return restore(apply(name, [x], { axes })[0]!, x, axes, keepDims)
}

/** Σ x. int32 stays int32 and wraps at 32 bits, bool counts as int32. */
export function sum(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return fold('sum', asTensor(x, 'sum'), options)
}

/** Σ x / n, in float32. */
export function mean(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return fold('mean', cast(asTensor(x, 'mean'), 'float32'), options)
}

/** The largest element, in the dtype of x; NaN when there is one. Ties share the gradient equally. */
export function max(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return fold('max', asTensor(x, 'max'), options)
}

/** The smallest element, in the dtype of x; NaN when there is one. Ties share the gradient equally. */
export function min(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return fold('min', asTensor(x, 'min'), options)
}

/** Π x, by halves, so that its gradient is exact when an element is 0. int32 stays int32, bool counts as int32. */
export function prod(x: TensorLike, { axis = null, keepDims = false }: ReduceOptions = {}): Tensor {
  const given = asTensor(x, 'prod')
  const value = given.dtype === 'bool' ? cast(given, 'int32') : given
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
  const value = cast(asTensor(x, 'logSumExp'), 'float32')
  const axes = axesOf('logSumExp', value, axis)
  const largest = stopGradient(max(value, { axis, keepDims: true }))
  const shift = where(isfinite(largest), largest, 0)
  const result = add(log(sum(exp(subtract(value, shift)), { axis, keepDims: true })), shift)
  return keepDims ? result : reshape(result, value.shape.filter((_, i) => !axes.includes(i)))
}

/** Whether all elements are true; numbers count as x ≠ 0. */
export function all(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return fold('min', cast(asTensor(x, 'all'), 'bool'), options)
}

/** Whether any element is true; numbers count as x ≠ 0. */
export function any(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return fold('max', cast(asTensor(x, 'any'), 'bool'), options)
}

function argExtreme(name: 'argMax' | 'argMin', x: TensorLike, axis: number | null, keepDims: boolean): Tensor {
  let value = asTensor(x, name)
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
