// The bits of a tensor as another dtype.

import type { DType } from '../../core/dtypes'
import { ArgumentError } from '../../core/errors'
import { BitCast } from '../../primitives/bitcast'
import { requireDType } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import type { Tensor } from '../tensor'
import { apply } from '../trace'

/**
 * The same bits as another dtype: float32 as int32, or int32 as float32. It has no gradient.
 * @param dtype default null: that of x
 * @throws ArgumentError for bool, whose size here differs from that in Keras
 * @example ops.view([1], 'int32')   // [1065353216], which is 127 · 2²³
 */
export function view(x: TensorLike, dtype?: DType | null): Tensor {
  const value = asTensor(x, 'view')
  const wanted = dtype === undefined || dtype === null ? value.dtype : requireDType('view', dtype)
  if (wanted === value.dtype) return value
  if ((wanted !== 'float32' && wanted !== 'int32') || value.dtype === 'bool')
    throw new ArgumentError(`view: expected float32 and int32, received ${value.dtype} and ${wanted}. Use ops.cast`)
  return apply('routine', [value], { routine: new BitCast(wanted) })[0]!
}
