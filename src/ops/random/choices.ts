// Random choices among classes, and random orders.

import { axis as axisKind, operand, whole } from '../kinds'
import { arg, op, optional } from '../op'
import { ShapeError, formatShape } from '../../core/errors'
import { normalizeAxis, sizeOf } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import { requireShape } from '../arguments'
import { asTensor } from '../convert'
import { add, cast, log, negative, subtract } from '../numpy/elementwise'
import { argmax } from '../numpy/reduce'
import { expandDims, take } from '../numpy/shape'
import { argsort } from '../numpy/sorting'
import type { Tensor } from '../tensor'
import { ofIntegers } from './arguments'
import { seedKind, streamsOf, type RandomOptions } from './generator'

export interface CategoricalOptions extends RandomOptions {
  /** 'int32'. Default int32. */
  readonly dtype?: 'int32'
}

export const categorical = op(
  () => [arg('logits', operand), arg('numSamples', whole(0)), ...ofIntegers()],
  {
    /**
     * Classes, drawn with the probabilities softmax(logits): the class with the largest logit + g, where each g is −ln(−ln u) for u uniform
     * in (0, 1) (Gumbel 1954). A class with the logit −∞ is never drawn.
     * @param logits [batch, classes]: logarithms of probabilities, up to a constant for each row
     * @param numSamples the number of draws for each row
     * @param dtype 'int32' or null. Default int32.
     * @param seed a number gives the same numbers every time, a SeedGenerator new ones each time. Default null.
     * @returns int32 [batch, numSamples]
     * @throws ShapeError when the logits are not a matrix with at least one class
     * @example random.categorical([[0, Math.log(3)]], 5, { seed: 7 })   // 1 three times as often as 0
     * Keras: `keras.random.categorical`.
     */
    categorical(logits, numSamples, _dtype = null, seed = null): Tensor {
      const value = cast(asTensor(logits, 'categorical'), 'float32')
      if (value.rank !== 2 || value.shape[1] === 0)
        throw new ShapeError(`categorical: expected logits [batch, classes], received ${formatShape(value.shape)}`)
      const [batch, classes] = exactly(value.shape, 2)
      const u = add(streamsOf(requireShape('categorical', [batch, numSamples, classes]), seed)(0), 2 ** -24)
      return argmax(subtract(expandDims(value, 1), log(negative(log(u)))), -1)
    },
  },
  { within: 'random' },
)

export interface ShuffleOptions extends RandomOptions {
  /** The axis whose slices change places. Default 0. */
  readonly axis?: number
}

export const shuffle = op(
  () => [arg('x', operand), optional('axis', axisKind), optional('seed', seedKind)],
  {
    /**
     * The slices along an axis in random order; all orders are equally likely.
     * @param axis default 0
     * @param seed a number gives the same order every time, a SeedGenerator a new one each time. Default null.
     * @returns the shape and dtype of x
     * @example random.shuffle([1, 2, 3, 4], { seed: 7 })
     * Keras: `keras.random.shuffle`.
     */
    shuffle(x, axis = 0, seed = null): Tensor {
      const value = asTensor(x, 'shuffle')
      const at = normalizeAxis('shuffle', axis, value.rank)
      const extent = value.shape[at]!
      if (sizeOf(value.shape) === 0 || extent === 1) return value
      // Random numbers of 23 bits are often equal, and equal numbers keep their order. So the order is sorted once more, by new numbers.
      const draw = streamsOf([extent], seed)
      const first = argsort(draw(0))
      return take(value, take(first, argsort(draw(1))), at)
    },
  },
  { within: 'random' },
)
