// One-hot rows of class numbers. `oneHot` reports a wrong class number to users; losses and metrics give it a
// row of zeros.

import type { DType } from '../../core/dtypes'
import { DataError } from '../../core/errors'
import { integer, option } from '../../core/options'
import { normalizeAxis } from '../../core/shapes'
import { dtypeOrNull, readArguments, requireInteger } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { cast, equal } from '../numpy/elementwise'
import { arange, expandDims, moveAxis } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { currentTrace } from '../trace'

export interface OneHotOptions {
  /** The position of the new axis. Default −1. */
  readonly axis?: number
  /** Default float32. */
  readonly dtype?: DType | null
}

const oneHotTable = /* @__PURE__ */ (() => ({ axis: option(integer(), -1), dtype: option(dtypeOrNull, null) }))()

/**
 * Sets 1 at the position of each index along a new axis, and 0 elsewhere.
 *
 *   ops.oneHot([0, 2], 3)   // [[1, 0, 0], [0, 0, 1]]
 *
 * A traced function cannot check index values. As in Keras, an index that is not a class then gives a row of zeros.
 * @param axis the position of the new axis. Default −1.
 * @param dtype default float32
 * @throws DataError for an index that is not a class, when the indices are data
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

/** Like `oneHot`, with a row of zeros for an index that is not a class. */
export function oneHotOrZeros(indices: Tensor, numClasses: number, dtype: DType = 'float32'): Tensor {
  return cast(equal(expandDims(cast(indices, 'int32'), -1), arange(0, numClasses, 1, 'int32')), dtype)
}

function requireClasses({ data }: Tensor, numClasses: number): void {
  const at = data.findIndex((index) => !(Number.isInteger(index) && index >= 0 && index < numClasses))
  if (at >= 0)
    throw new DataError(
      `oneHot: indices must be class numbers 0 … ${numClasses - 1}, received ${data[at]} as element ${at}`,
    )
}
