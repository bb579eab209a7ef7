// Class numbers as rows with a single 1: for users, who are told of a wrong one, and for losses and metrics, which are not.

import type { DType } from '../core/dtypes'
import { DataError } from '../core/errors'
import { integer, option } from '../core/options'
import { normalizeAxis } from '../core/shapes'
import { dtypeOrNull, readArguments, requireInteger } from './arguments'
import type { TensorLike } from './convert'
import { asTensor } from './convert'
import { cast, equal } from './elementwise'
import { arange, expandDims, moveAxis } from './shape'
import type { Tensor } from './tensor'
import { currentTrace } from './trace'

export interface OneHotOptions {
  /** Where the new axis lies. Default −1. */
  readonly axis?: number
  /** Default float32. */
  readonly dtype?: DType | null
}

const oneHotTable = /* @__PURE__ */ (() => ({ axis: option(integer(), -1), dtype: option(dtypeOrNull, null) }))()

/**
 * 1 at the position that each index names along a new axis, 0 elsewhere.
 *
 *   ops.oneHot([0, 2], 3)   // [[1, 0, 0], [0, 0, 1]]
 *
 * Within a traced function nobody looks at the numbers: there, as in Keras, an index that is no class gives a row of zeros.
 * @param axis where the new axis lies. Default −1.
 * @param dtype default float32
 * @throws DataError for an index that is no class, where it is data
 */
export function oneHot(
  indices: TensorLike,
  numClasses: number,
  axis?: number | OneHotOptions,
  dtype?: DType | null,
): Tensor {
  const given = readArguments('oneHot', oneHotTable, axis, dtype)
  const index = asTensor(indices, 'oneHot')
  const classes = requireInteger('oneHot: numClasses', numClasses, 0)
  if (currentTrace() === null) requireClasses(index, classes)
  const at = normalizeAxis('oneHot', given.axis, index.rank + 1)
  return moveAxis(oneHotOrZeros(index, classes, given.dtype ?? 'float32'), -1, at)
}

/** The same with a row of zeros for an index that is no class. */
export function oneHotOrZeros(indices: Tensor, numClasses: number, dtype: DType = 'float32'): Tensor {
  return cast(equal(expandDims(cast(indices, 'int32'), -1), arange(0, numClasses, 1, 'int32')), dtype)
}

function requireClasses({ data }: Tensor, numClasses: number): void {
  const at = data.findIndex((index) => !(Number.isInteger(index) && index >= 0 && index < numClasses))
  if (at >= 0)
    throw new DataError(
      `oneHot: an index must be a class number 0 … ${numClasses - 1}, received ${data[at]} as element ${at}`,
    )
}
