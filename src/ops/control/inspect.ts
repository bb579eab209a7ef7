// What is known of a tensor without computing: shape, dtype, data. On symbols of functional models these functions
// return at once, and an open extent is null.

import type { DType } from '../../core/dtypes'
import type { Shape } from '../../core/shapes'
import { asTensor } from '../convert'
import type { NumbersOfAnyRank } from '../tensor'
import { Tensor } from '../tensor'
import type { TensorLike } from '../variable'

/**
 * The extent of each axis. Of a symbol of a functional model, an open extent is null.
 * @example ops.shape(ops.zeros([8, 12])) // [8, 12]
 */
export const shape = (x: TensorLike): Shape => asTensor(x, 'shape').shape

/** The number of axes; 0 for a scalar. */
export const ndim = (x: TensorLike): number => asTensor(x, 'ndim').rank

/** The number of elements; 1 for a scalar. */
export const size = (x: TensorLike): number => asTensor(x, 'size').size

/** The dtype: 'float32', 'int32' or 'bool'. */
export const dtype = (x: TensorLike): DType => asTensor(x, 'dtype').dtype

/** Whether a value is a Tensor: not a number, an array or a Variable, which ops convert. */
export const isTensor = (x: unknown): x is Tensor => x instanceof Tensor

/**
 * The elements as nested arrays, which are indexed like an array of NumPy: a number for a scalar, true and false for
 * bool. `tensor.data` is the typed array of all elements.
 * @throws StateError for a symbol, which has no data
 * @example ops.convertToNumpy(ops.ones([2, 2])) // [[1, 1], [1, 1]]
 */
export const convertToNumpy = (x: TensorLike): NumbersOfAnyRank => asTensor(x, 'convertToNumpy').toArray()
