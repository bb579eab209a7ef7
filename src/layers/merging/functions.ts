// Layers that combine inputs, as functions: each makes the layer and applies it, as in Keras.

import { requireArguments } from '../../core/arguments'
import type { InputsOf } from '../../ops/convert'
import type { Tensor } from '../../ops/tensor'
import { Concatenate } from './concatenate'
import { Dot } from './dot'
import type { LayerOptions } from '../layer'
import { Add, Average, Maximum, Minimum, Multiply, Subtract } from './merge'

type Inputs = InputsOf<readonly Tensor[]>

/** Whether an argument holds all options, in place of the first one. */
const isOptions = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * x₀ + x₁ + …: `new layers.Add(options).apply(inputs)`.
 *
 *   layers.add([a, b])      a, b [batch, 3] → [batch, 3]
 *
 * Keras: `keras.layers.add`.
 */
export function add(inputs: Inputs, options?: LayerOptions): Tensor {
  requireArguments('layers.add', arguments, 2)
  return new Add(options).apply(inputs)
}

/** (x₀ + x₁ + …) / n: `new layers.Average(options).apply(inputs)`. Keras: `keras.layers.average`. */
export function average(inputs: Inputs, options?: LayerOptions): Tensor {
  requireArguments('layers.average', arguments, 2)
  return new Average(options).apply(inputs)
}

/** max(x₀, x₁, …): `new layers.Maximum(options).apply(inputs)`. Keras: `keras.layers.maximum`. */
export function maximum(inputs: Inputs, options?: LayerOptions): Tensor {
  requireArguments('layers.maximum', arguments, 2)
  return new Maximum(options).apply(inputs)
}

/** min(x₀, x₁, …): `new layers.Minimum(options).apply(inputs)`. Keras: `keras.layers.minimum`. */
export function minimum(inputs: Inputs, options?: LayerOptions): Tensor {
  requireArguments('layers.minimum', arguments, 2)
  return new Minimum(options).apply(inputs)
}

/** x₀ · x₁ · …: `new layers.Multiply(options).apply(inputs)`. Keras: `keras.layers.multiply`. */
export function multiply(inputs: Inputs, options?: LayerOptions): Tensor {
  requireArguments('layers.multiply', arguments, 2)
  return new Multiply(options).apply(inputs)
}

/** x₀ − x₁, of exactly two inputs: `new layers.Subtract(options).apply(inputs)`. Keras: `keras.layers.subtract`. */
export function subtract(inputs: Inputs, options?: LayerOptions): Tensor {
  requireArguments('layers.subtract', arguments, 2)
  return new Subtract(options).apply(inputs)
}

export interface ConcatenateOptions extends LayerOptions {
  /** The axis to join along; negative ones count from the end. Default −1. */
  axis?: number
}

/**
 * The inputs side by side along an axis: `new layers.Concatenate(axis, options).apply(inputs)`.
 *
 *   layers.concatenate([a, b])      a [batch, 3], b [batch, 5] → [batch, 8]
 *
 * Keras: `keras.layers.concatenate`.
 * @param axis default −1; or all options
 */
export function concatenate(inputs: Inputs, axis?: number | ConcatenateOptions, options: LayerOptions = {}): Tensor {
  requireArguments('layers.concatenate', arguments, 3)
  const layer = isOptions(axis) ? new Concatenate({ ...options, ...axis }) : new Concatenate(axis ?? -1, options)
  return layer.apply(inputs)
}

export interface DotOptions extends LayerOptions {
  /** The axis to sum along: one for both inputs, or one for each. Default −1. */
  axes?: number | readonly [number, number]
  /** Whether vectors are first scaled to length 1 along the axes. Default false. */
  normalize?: boolean
}

/**
 * The products of two inputs, summed along an axis of each: `new layers.Dot(axes, options).apply(inputs)`.
 *
 *   layers.dot([a, b], 1, { normalize: true })      the cosine similarity of a and b [batch, k]
 *
 * Keras: `keras.layers.dot`.
 * @param axes default −1; or all options
 */
export function dot(inputs: Inputs, axes?: DotOptions['axes'] | DotOptions, options: DotOptions = {}): Tensor {
  requireArguments('layers.dot', arguments, 3)
  const layer = isOptions(axes) ? new Dot({ axes: -1, ...options, ...axes }) : new Dot(axes ?? -1, options)
  return layer.apply(inputs)
}
