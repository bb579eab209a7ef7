// Random choices among classes, and random orders.

import { ShapeError, formatShape } from '../../core/errors'
import { integer, option } from '../../core/options'
import { normalizeAxis, sizeOf } from '../../core/shapes'
import { readArguments, requireInteger, requireShape } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { add, cast, log, negative, subtract } from '../numpy/elementwise'
import { argmax } from '../numpy/reduce'
import { expandDims, take } from '../numpy/shape'
import { argsort } from '../numpy/sorting'
import type { Tensor } from '../tensor'
import { integerTable, seedTable } from './arguments'
import type { RandomOptions, Seed } from './generator'
import { streamsOf } from './generator'

export interface CategoricalOptions extends RandomOptions {
  /** 'int32'. Default int32. */
  readonly dtype?: 'int32'
}

/**
 * Classes, drawn with the probabilities softmax(logits): the class with the largest logit + g, where each g is −ln(−ln u) for u uniform
 * in (0, 1) (Gumbel 1954). A class with the logit −∞ is never drawn.
 * @param logits [batch, classes]: logarithms of probabilities, up to a constant for each row
 * @param numSamples the number of draws for each row
 * @param dtype 'int32', or the options. Default int32.
 * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
 * @returns int32 [batch, numSamples]
 * @throws ShapeError when the logits are not a matrix with at least one class
 * @example random.categorical([[0, Math.log(3)]], 5, { seed: 7 })   // 1 three times as often as 0
 * Keras: `keras.random.categorical`.
 */
export function categorical(
  logits: TensorLike,
  numSamples: number,
  dtype?: 'int32' | CategoricalOptions,
  seed?: Seed,
): Tensor {
  const value = cast(asTensor(logits, 'categorical'), 'float32')
  if (value.rank !== 2 || value.shape[1] === 0)
    throw new ShapeError(`categorical: expected logits [batch, classes], received ${formatShape(value.shape)}`)
  const [batch, classes] = value.shape as [number, number]
  const shape = requireShape('categorical', [batch, requireInteger('categorical: numSamples', numSamples, 0), classes])
  const { seed: own } = readArguments('categorical', integerTable, dtype, seed)
  const u = add(streamsOf(shape, own)(0), 2 ** -24)
  return argmax(subtract(expandDims(value, 1), log(negative(log(u)))), -1)
}

export interface ShuffleOptions extends RandomOptions {
  /** The axis whose slices change places. Default 0. */
  readonly axis?: number
}

const shuffleTable = /* @__PURE__ */ (() => ({ axis: option(integer(), 0), ...seedTable }))()

/**
 * The slices along an axis in random order; all orders are equally likely.
 * @param axis default 0; or the options
 * @param seed a number gives the same order every time, a SeedGenerator a new one each time. Default null.
 * @returns the shape and dtype of x
 * @example random.shuffle([1, 2, 3, 4], { seed: 7 })
 * Keras: `keras.random.shuffle`.
 */
export function shuffle(x: TensorLike, axis?: number | ShuffleOptions, seed?: Seed): Tensor {
  const value = asTensor(x, 'shuffle')
  const { axis: given, seed: own } = readArguments('shuffle', shuffleTable, axis, seed)
  const at = normalizeAxis('shuffle', given, value.rank)
  const extent = value.shape[at]!
  if (sizeOf(value.shape) === 0 || extent === 1) return value
  // Numbers of 23 bits are often equal, and equal numbers keep their order. The second order is of pairs of numbers.
  const draw = streamsOf([extent], own)
  const first = argsort(draw(0))
  return take(value, take(first, argsort(draw(1))), at)
}
