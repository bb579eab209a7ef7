// Properties of a tensor that need no computation: shape, dtype, data. On symbols of functional models these functions
// return at once, and an open extent is null.

import { anyTree } from '../kinds'
import { arg, op, unaryOp } from '../op'
import { asTensor } from '../convert'
import { Tensor } from '../tensor'

/**
 * The extent of each axis. Of a symbol of a functional model, an open extent is null.
 * @example ops.shape(ops.zeros([8, 12])) // [8, 12]
 */
export const shape = unaryOp('shape', (x) => asTensor(x, 'shape').shape, { answers: true })

/** The number of axes; 0 for a scalar. */
export const ndim = unaryOp('ndim', (x) => asTensor(x, 'ndim').rank, { answers: true })

/** The number of elements; 1 for a scalar. */
export const size = unaryOp('size', (x) => asTensor(x, 'size').size, { answers: true })

/** The dtype: 'float32', 'int32' or 'bool'. */
export const dtype = unaryOp('dtype', (x) => asTensor(x, 'dtype').dtype, { answers: true })

export const isTensor = op(
  () => [arg('x', anyTree)],
  {
    /** Whether a value is a Tensor: not a number, an array or a Variable, which ops convert. */
    isTensor(x): x is Tensor {
      return x instanceof Tensor
    },
  },
  { answers: true },
)

/**
 * The elements as nested arrays, which are indexed like an array of NumPy: a number for a scalar, true and false for
 * bool. `tensor.data` is the typed array of all elements.
 * @throws StateError for a symbol, which has no data
 * @example ops.convertToNumpy(ops.ones([2, 2])) // [[1, 1], [1, 1]]
 */
export const convertToNumpy = unaryOp('convertToNumpy', (x) => asTensor(x, 'convertToNumpy').toArray(), {
  answers: true,
})
