// Converts data of users, whose types are unknown, to tensors.

import type { DType } from '../core/dtypes'
import { toTensor } from '../ops/convert'
import { operand } from '../ops/kinds'
import type { Tensor } from '../ops/tensor'

/** @param where names the data in errors. @throws DataError for values that are not numbers */
export function tensorFrom(data: unknown, where: string, dtype?: DType): Tensor {
  return toTensor(operand.read(data, where), where, dtype)
}
