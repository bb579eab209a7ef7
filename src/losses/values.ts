// What the functions of losses share: how targets and predictions meet, and the mean over the last axis. The functions are in
// files by family.

import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { cast } from '../ops/elementwise'
import { mean } from '../ops/reduce'
import type { Tensor } from '../ops/tensor'
import { alignRanks } from './weights'

/** Keeps logarithms of probabilities and quotients finite: Keras's `backend.epsilon()`. */
export const EPSILON = 1e-7

/** Instead of −∞ for logarithms of what does not count: the exponential is 0, and gradients stay finite. */
export const NOTHING = -1e9

/** Targets and predictions as float32, of ranks that agree. */
export function floats(yTrue: TensorLike, yPred: TensorLike): [Tensor, Tensor] {
  return alignRanks(cast(asTensor(yTrue, 'yTrue'), 'float32'), cast(asTensor(yPred, 'yPred'), 'float32'))
}

/** The mean over an axis; a number is its own. */
export function meanOver(x: Tensor, axis = -1): Tensor {
  return x.rank === 0 ? x : mean(x, { axis })
}
