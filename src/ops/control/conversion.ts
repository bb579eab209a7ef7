// Conversions: to tensors, to other dtypes, to other bits; copies; and trees without gradient.

import type { DType } from '../../core/dtypes'
import { ArgumentError } from '../../core/errors'
import { always, option, sparse, unread } from '../../core/options'
import type { MapTree, Tree } from '../../core/tree'
import { isBranch, mapTree, typed } from '../../core/tree'
import { BitCast } from '../../primitives/bitcast'
import { dtypeOrNull, readArguments, readDType, requireDType } from '../arguments'
import { asTensor, branchesIntoTensors } from '../convert'
import { cast, clip, stopGradient } from '../numpy/elementwise'
import type { Tensor } from '../tensor'
import { apply } from '../trace'
import type { TensorLike } from '../variable'

export interface ConvertOptions {
  /** The dtype of the result. Default: that of x, as `tensor` chooses it. */
  readonly dtype?: DType | null
}

export interface ConvertToTensorOptions extends ConvertOptions {
  /** Changes nothing: there are no sparse tensors. true warns. Default null. */
  readonly sparse?: boolean | null
  /** Must be false or null: there are no ragged tensors. Default null. */
  readonly ragged?: false | null
}

const convertTable = () => ({
  dtype: option(dtypeOrNull, null),
  sparse: unread(sparse, null),
  ragged: unread(always([false, null], 'there are no ragged tensors'), null),
})

/**
 * A tensor of a number, nested arrays, typed arrays or a Variable. A Tensor stays the same object unless the dtype
 * differs.
 * @param dtype of the result, also as an option
 * @param sparse changes nothing: there are no sparse tensors
 * @param ragged must be false or null: there are no ragged tensors
 * @throws DataError for ragged arrays and values that are not numbers
 * @example ops.convertToTensor([1, 2.5], 'int32') // [1, 2]
 */
export function convertToTensor(
  x: TensorLike,
  dtype?: DType | null | ConvertToTensorOptions,
  sparse?: boolean | null,
  ragged?: false | null,
): Tensor {
  const { dtype: wanted } = readArguments('convertToTensor', convertTable(), dtype, sparse, ragged)
  const value = asTensor(x, 'convertToTensor')
  return wanted === null ? value : cast(value, wanted)
}

/** The largest float32 below 2³¹. */
const MOST_INT32 = 2147483520

/**
 * Like cast, but numbers beyond the range of the dtype become its least or greatest number. For float32 → int32 the
 * greatest is 2147483520, the largest float32 below 2³¹; NaN becomes 0. For bool, x is limited to [0, 1] first.
 * @example ops.saturateCast([1e10, -1e10, 2.7], 'int32') // [2147483520, −2147483648, 2]
 */
export function saturateCast(x: TensorLike, dtype: DType): Tensor {
  const value = asTensor(x, 'saturateCast')
  const wanted = requireDType('saturateCast', dtype)
  if (value.dtype === wanted || value.dtype === 'bool' || wanted === 'float32') return cast(value, wanted)
  return cast(wanted === 'bool' ? clip(value, 0, 1) : clip(value, -(2 ** 31), MOST_INT32), wanted)
}

/** A tensor with the same elements in memory of its own. The gradient passes through. */
export function copy(x: TensorLike): Tensor {
  return apply('copy', [asTensor(x, 'copy')], {})[0]!
}

/**
 * The same bits read as another dtype, element by element: float32 as int32, or the reverse. No gradient flows.
 * @param dtype default null: that of x
 * @throws ArgumentError for bool, whose elements have another size than numbers
 * @example ops.view([1, -2], 'int32') // [1065353216, −1073741824]
 */
export function view(x: TensorLike, dtype?: DType | null | ConvertOptions): Tensor {
  const value = asTensor(x, 'view')
  const wanted = readDType('view', dtype) ?? value.dtype
  if (wanted === value.dtype) return value
  if (value.dtype === 'bool' || (wanted !== 'float32' && wanted !== 'int32'))
    throw new ArgumentError(`view: the bits of ${value.dtype} cannot be read as ${wanted}. Use ops.cast`)
  return apply('routine', [value], { routine: new BitCast(wanted) })[0]!
}

/**
 * The identity, through which no gradient flows.
 * @param variable a tensor, or arrays and records of tensors
 */
export function stopGradients<const X extends TensorLike | object>(
  variable: X,
): X extends TensorLike ? Tensor : MapTree<X, TensorLike, Tensor> {
  if (!isBranch(variable) || !branchesIntoTensors(variable)) return typed(stopGradient(variable as TensorLike))
  return typed(mapTree<TensorLike, Tensor>(variable as Tree<TensorLike>, (leaf) => stopGradient(leaf)))
}
