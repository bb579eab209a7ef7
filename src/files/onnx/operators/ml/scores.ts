// What the classifiers and regressors of ai.onnx.ml share: the transformation of scores, and the labels of classes.

import * as ops from '../../../../ops'
import type { Tensor } from '../../../../ops/tensor'
import type { Call } from '../../call'
import { hostOf } from '../../host'
import { Value } from '../../values'
import { converted } from '../logic'

export const TRANSFORMS = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT'] as const
export type Transform = (typeof TRANSFORMS)[number]

/** The transformation that an attribute names. */
export const transformOf = (call: Call): Transform => call.word('post_transform', 'NONE', TRANSFORMS)

/** Scores below this distance from 0 count as 0 in SOFTMAX_ZERO. */
const NOTHING = 1e-7

/** exp(s − max) / Σ, where scores of 0 stay close to 0 and are not in the sum. */
function softmaxZero(scores: Tensor): Tensor {
  const largest = ops.max(scores, -1, true)
  const isScore = ops.greater(ops.abs(scores), NOTHING)
  const powers = ops.exp(ops.subtract(scores, largest))
  const sum = ops.sum(ops.where(isScore, powers, 0), -1, true)
  const others = ops.multiply(scores, ops.exp(ops.negative(largest)))
  return ops.divide(ops.where(isScore, powers, others), sum)
}

const FUNCTIONS: Readonly<Record<Transform, (scores: Tensor) => Tensor>> = {
  NONE: (scores) => scores,
  SOFTMAX: (scores) => ops.softmax(scores, -1),
  LOGISTIC: (scores) => ops.sigmoid(scores),
  SOFTMAX_ZERO: softmaxZero,
  // √2 · erf⁻¹(2 s − 1)
  PROBIT: (scores) => ops.multiply(ops.erfinv(ops.subtract(ops.multiply(scores, 2), 1)), Math.SQRT2),
}

/** Scores [batch, classes] after their transformation. */
export function transformed(scores: Tensor, transform: Transform): Tensor {
  return FUNCTIONS[transform](scores)
}

/**
 * Both scores [batch, 2] from the one [batch, 1] of the second class: σ(−s) and σ(s), 1 − s and s, or −s and s. As in ONNX Runtime, they
 * have no softmax.
 */
export function bothScores(score: Tensor, transform: Transform, isProbability: boolean): Tensor {
  if (transform === 'PROBIT') return transformed(score, transform)
  if (transform !== 'LOGISTIC' && isProbability) return ops.concatenate([ops.subtract(1, score), score], -1)
  const both = ops.concatenate([ops.negative(score), score], -1)
  return transform === 'LOGISTIC' ? ops.sigmoid(both) : both
}

/** The features [batch, features] as float32. */
export function features(call: Call): Tensor {
  const x = call.value(0)
  const { plain } = converted(call, x, 'float32')
  if (plain.rank === 1) return ops.reshape(plain, [1, plain.size])
  call.require(plain.rank === 2, () => `the features must be [batch, features], they are [${x.shape.join(', ')}]`)
  return plain
}

/** The labels of the classes: integers or strings; 0, 1, … if the node has none. */
export function labelsOf(call: Call, count: number, prefix = 'classlabels_'): Value {
  const strings = call.texts(`${prefix}strings`) ?? []
  if (strings.length > 0) return call.strings(strings)
  const integers = call.integers(`${prefix}ints`) ?? call.integers(`${prefix}int64s`) ?? []
  return Value.known(
    hostOf('int64', [Math.max(integers.length, count)], integers.length > 0 ? integers : [...Array(count).keys()]),
  )
}

/** The label at an index for each row: [batch]. */
export function labelAt(labels: Value, index: Tensor): Value {
  return Value.of(ops.take(labels.plain, index, 0), labels.type)
}

/** Numbers of an attribute as a tensor. @throws FormatError for another number of them */
export function floatsOf(call: Call, name: string, shape: readonly number[]): Tensor {
  const numbers = call.floats(name)
  const size = shape.reduce((product, extent) => product * extent, 1)
  call.require(numbers.length === size, () => `${name} must have ${size} numbers, it has ${numbers.length}`)
  return Value.known(hostOf('float32', shape, numbers)).plain
}
