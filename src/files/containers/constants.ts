// Values of calls that are written as constants.

import { DataError, quoted } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import { toTensor } from '../../ops/convert'
import { isShaped, isTypedArray } from '../../ops/data'
import { Tensor } from '../../ops/tensor'
import { Variable } from '../../ops/variable'

/**
 * A tensor of a value that the recorded call of an op has, or that a user gave for an input.
 * @param where names the value in errors
 * @throws DataError for what is not numbers
 */
export function tensorOf(value: unknown, where: string, dtype?: DType): Tensor {
  const isNumeric = typeof value === 'number' || typeof value === 'boolean' || Array.isArray(value)
  const isTensor = value instanceof Tensor || value instanceof Variable
  if (isNumeric || isTensor || isTypedArray(value) || isShaped(value)) return toTensor(value, where, dtype)
  throw new DataError(`${where}: expected numbers, nested arrays, a typed array or a Tensor, received ${quoted(value)}`)
}
