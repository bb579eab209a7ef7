// One-hot rows of class numbers. A number that is no class has a row of zeros.

import { dtypes, type DType } from '../../core/dtypes'
import { nullable, sparse } from '../../core/options'
import { normalizeAxis, sizeOf } from '../../core/shapes'
import { requireShape } from '../arguments'
import { asTensor } from '../convert'
import { axis as axisKind, dtype as dtypeKind, operand, whole } from '../kinds'
import { add, cast, equal, greaterEqual, less, logicalAnd, where } from '../numpy/elementwise'
import { max } from '../numpy/reduce'
import { ravel } from '../numpy/rearrange'
import { arange, expandDims, full, moveAxis, reshape, scatterAdd } from '../numpy/shape'
import { arg, op, optional } from '../op'
import { Tensor } from '../tensor'
import { isData } from '../trace'

export interface OneHotOptions {
  /** The position of the new axis. Default −1. */
  readonly axis?: number
  /** Default float32. */
  readonly dtype?: DType | null
  /** Changes nothing: there are no sparse tensors. true warns. Default false. */
  readonly sparse?: boolean
}

const NUMBERS: readonly DType[] = ['float32', 'int32', 'bool']

const classParameters = () =>
  [
    arg('numClasses', whole(0)),
    optional('axis', axisKind),
    optional('dtype', nullable(dtypeKind)),
    optional('sparse', sparse),
  ] as const

export const oneHot = op(() => [arg('x', operand), ...classParameters()], {
  /**
   * Sets 1 at the position of each index along a new axis, and 0 elsewhere.
   *
   *   ops.oneHot([0, 2], 3)   // [[1, 0, 0], [0, 0, 1]]
   *
   * As in Keras, an index that is not a class, such as −1 or 0.5, gives a row of zeros.
   * @param axis the position of the new axis. Default −1.
   * @param dtype default float32
   * @param sparse changes nothing: there are no sparse tensors
   */
  oneHot(x, numClasses, axis = -1, dtype = null, _sparse?): Tensor {
    const index = asTensor(x, 'oneHot')
    const at = normalizeAxis('oneHot', axis, index.rank + 1)
    const type = dtype ?? 'float32'
    if (!isData(index) || !NUMBERS.includes(type)) {
      const rows = !isData(index) && numClasses >= MANY ? scattered : oneHotOrZeros
      return moveAxis(rows(wholeOrNone(index), numClasses, type), -1, at)
    }
    // Most of the result is zeros, and new memory contains zeros.
    const shape = requireShape('oneHot', [...index.shape.slice(0, at), numClasses, ...index.shape.slice(at)])
    const data = new dtypes[type].array(sizeOf(shape))
    const inner = sizeOf(index.shape.slice(at))
    index.data.forEach((one, i) => {
      if (Number.isInteger(one) && one >= 0 && one < numClasses)
        data[(Math.floor(i / inner) * numClasses + one) * inner + (i % inner)] = 1
    })
    return new Tensor(data, shape, type)
  },
})

/** Indices as int32: −1 in place of a number with a fraction. */
function wholeOrNone(indices: Tensor): Tensor {
  if (indices.dtype !== 'float32') return indices
  const index = cast(indices, 'int32')
  return where(equal(cast(index, 'float32'), indices), index, -1)
}

/** From this number of classes on, writing one element of each row takes less time than comparing all elements. */
const MANY = 64

/** `oneHotOrZeros` as zeros, into which the ones are written. */
function scattered(indices: Tensor, numClasses: number, dtype: DType): Tensor {
  const index = ravel(cast(indices, 'int32'))
  const isClass = logicalAnd(greaterEqual(index, 0), less(index, numClasses))
  const size = sizeOf(requireShape('oneHot', [index.size, numClasses]))
  const starts = arange(0, size, numClasses, 'int32')
  // An index outside of the result is dropped.
  const places = where(isClass, add(index, starts), -(2 ** 31))
  const ones = full([index.size], 1, dtype === 'bool' ? 'int32' : dtype)
  return cast(reshape(scatterAdd(ones, places, size), [...indices.shape, numClasses]), dtype)
}

/** Like `oneHot`, with a row of zeros for an index that is not a class. */
export function oneHotOrZeros(indices: Tensor, numClasses: number, dtype: DType = 'float32'): Tensor {
  return cast(equal(expandDims(cast(indices, 'int32'), -1), arange(0, numClasses, 1, 'int32')), dtype)
}

export interface MultiHotOptions {
  /** The position of the new axis before the maximum. Default −1. */
  readonly axis?: number
  /** Default float32. */
  readonly dtype?: DType | null
  /** Changes nothing: there are no sparse tensors. true warns. Default false. */
  readonly sparse?: boolean
}

export const multiHot = op(() => [arg('inputs', operand), ...classParameters()], {
  /**
   * 1 at the positions of the classes of each sample, and 0 elsewhere: the maximum of the one-hot rows over the axis 1, or over
   * the axis 0 if there is one axis only. A number that is no class, such as −1, gives no 1.
   *
   *   ops.multiHot([[0, 2], [1, 1]], 3)   // [[1, 0, 1], [0, 1, 0]]
   *
   * Keras: `keras.ops.multi_hot`.
   * @param inputs class numbers [batch, numbers], or [numbers]
   * @param axis the position of the new axis before the maximum. Default −1
   * @param dtype default float32
   * @param sparse changes nothing: there are no sparse tensors
   */
  multiHot(inputs, numClasses, axis = -1, dtype = null, _sparse?): Tensor {
    const index = asTensor(inputs, 'multiHot')
    const at = normalizeAxis('multiHot', axis, index.rank + 1)
    return max(moveAxis(oneHotOrZeros(index, numClasses, dtype ?? 'float32'), -1, at), index.rank > 1 ? 1 : 0)
  },
})
