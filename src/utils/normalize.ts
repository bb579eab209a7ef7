// normalize: rows of length 1.

import { requireArguments } from '../core/arguments'
import type { TensorLike } from '../ops/convert'
import { asTensor } from '../ops/convert'
import { norm } from '../ops/linalg/norm'
import { divide, equal, where } from '../ops/numpy/elementwise'
import type { Tensor } from '../ops/tensor'

/**
 * x / ‖x‖ along an axis; rows of zeros stay zeros.
 *
 *   utils.normalize([[3, 4], [0, 0]])   // [[0.6, 0.8], [0, 0]]
 *
 * Keras: `keras.utils.normalize`.
 * @param axis default −1
 * @param order the order of the norm. Default 2
 */
export function normalize(x: TensorLike, axis?: number, order?: number): Tensor {
  requireArguments('normalize', arguments, 3)
  const value = asTensor(x, 'normalize')
  const length = norm(value, { ord: order ?? 2, axis: axis ?? -1, keepDims: true })
  return divide(value, where(equal(length, 0), 1, length))
}
