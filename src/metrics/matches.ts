// The formulas of accuracies: 1 for each correct prediction, else 0. accuracy.ts makes metrics of them, functions.ts
// functions.

import { alignRanks } from '../losses/sample-weights'
import { oneHotOrZeros } from '../ops/nn/one-hot'
import { cast, equal, greater, less, multiply } from '../ops/numpy/elementwise'
import { any, argmax, sum } from '../ops/numpy/reduce'
import { expandDims, reshape, slice } from '../ops/numpy/shape'
import type { Tensor } from '../ops/tensor'

/** 1 where a and b are equal. */
export const matches = (a: Tensor, b: Tensor): Tensor => cast(equal(a, b), 'float32')

/** Whether predictions above the threshold are at targets of 1. */
export function binaryMatches(yTrue: Tensor, yPred: Tensor, { threshold }: { readonly threshold: number }): Tensor {
  const [y, p] = alignRanks(cast(yTrue, 'float32'), yPred)
  return matches(y, cast(greater(p, threshold), 'float32'))
}

/** The class with the largest number. */
export const largest = (x: Tensor): Tensor => argmax(x, -1)

/** Class numbers [batch, …], also from targets [batch, …, 1]. */
export function classNumbers(yTrue: Tensor, yPred: Tensor): Tensor {
  return reshape(cast(yTrue, 'int32'), yPred.shape.slice(0, -1))
}

/** Whether a class is among the k largest: the scores of fewer than k classes are larger. */
export function topMatches(classes: Tensor, yPred: Tensor, k: number): Tensor {
  const score = sum(multiply(oneHotOrZeros(classes, yPred.shape.at(-1)!), yPred), { axis: -1, keepDims: true })
  const larger = sum(cast(greater(yPred, score), 'float32'), { axis: -1 })
  return cast(less(larger, k), 'float32')
}

/** Whether a class number is among the k largest predictions: scores of classes, or class numbers with the best first. */
export function sparseTopMatches(
  yTrue: Tensor,
  yPred: Tensor,
  { k, fromSortedIds }: { readonly k: number; readonly fromSortedIds: boolean },
): Tensor {
  const classes = classNumbers(yTrue, yPred)
  if (!fromSortedIds) return topMatches(classes, yPred, k)
  const first = slice(
    yPred,
    yPred.shape.map(() => 0),
    [...yPred.shape.slice(0, -1), Math.min(k, yPred.shape.at(-1)!)],
  )
  return cast(any(equal(expandDims(classes, -1), first), { axis: -1 }), 'float32')
}
