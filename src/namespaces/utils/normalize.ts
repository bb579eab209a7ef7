// normalize: rows of length 1.

import { requireArguments } from '../../core/arguments'
import { custom, integer, option, type OptionInputs } from '../../core/options'
import { readArguments, requireNumber } from '../../ops/arguments'
import { asTensor, type TensorLike } from '../../ops/convert'
import { norm } from '../../ops/linalg/norm'
import { divide, equal, where } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'

/** Any number, also Infinity. */
const order = custom<number>(
  (value, where) => requireNumber(where, value),
  (value) => value,
)
const normalizeTable = {
  /** The axis of the rows. Default -1. */
  axis: option(integer(), -1),
  /** The order of the norm. Default 2. */
  order: option(order, 2),
}
/** Options of `normalize`. */
export type NormalizeOptions = OptionInputs<typeof normalizeTable>

/**
 * x / ‖x‖ along an axis; rows of zeros stay zeros.
 *
 *   utils.normalize([[3, 4], [0, 0]])   // [[0.6, 0.8], [0, 0]]
 *
 * Keras: `keras.utils.normalize`.
 * @param axis default −1; or all options
 * @param order the order of the norm. Default 2
 */
export function normalize(x: TensorLike, axis?: number | NormalizeOptions, order?: number): Tensor {
  requireArguments('normalize', arguments, 3)
  const value = asTensor(x, 'normalize')
  const options = readArguments('normalize', normalizeTable, axis, order)
  const length = norm(value, { ord: options.order, axis: options.axis, keepDims: true })
  return divide(value, where(equal(length, 0), 1, length))
}
