// isKerasTensor: whether a value is a symbol of a functional model.

import { requireArguments } from '../../core/arguments'
import { isSymbol } from '../../layers/symbol'
import type { Tensor } from '../../ops/tensor'

/**
 * Whether a value is a tensor without data: an `Input()`, or the result of a layer or an op for one.
 *
 * Keras: `keras.utils.is_keras_tensor`.
 * @example utils.isKerasTensor(Input([2]))   // true
 */
export function isKerasTensor(x: unknown): x is Tensor {
  requireArguments('isKerasTensor', arguments, 1)
  return isSymbol(x)
}
