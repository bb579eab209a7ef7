// Checks the penalties that regularizers add to the loss, because regularizers may be custom.

import { ShapeError } from '../../core/errors'
import { classNameOf } from '../../core/registry'
import { Tensor, shapeOrValue } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import type { Regularizer } from './'

/**
 * The penalty of a regularizer.
 * @param where names the layer and the weight in errors
 * @throws ShapeError unless the penalty is a scalar
 */
export function penaltyOf(where: string, regularizer: Regularizer, x: Tensor, kept?: readonly Variable[]): Tensor {
  const penalty: unknown = regularizer.call(x, kept)
  if (penalty instanceof Tensor && penalty.size === 1) return penalty
  throw new ShapeError(`${where}: ${classNameOf(regularizer)} must return a scalar, received ${shapeOrValue(penalty)}`)
}
