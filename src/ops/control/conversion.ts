// Conversions: to tensors, to other dtypes, to other bits; copies; and trees without gradient.

import { dtype as dtypeKind, operand, tree } from '../kinds'
import { arg, op, opOf, optional, unaryOp } from '../op'
import type { DType } from '../../core/dtypes'
import { ArgumentError } from '../../core/errors'
import { always, nullable, sparse as sparseKind } from '../../core/options'
import { isBranch, mapTree, type MapTree } from '../../core/tree'
import { BitCast } from '../../engine/primitives/bitcast'
import { asTensor, branchesIntoTensors, toTensor } from '../convert'
import { cast, clip, stopGradient } from '../numpy/elementwise'
import type { Tensor } from '../tensor'
import { apply } from '../trace'
import type { TensorLike } from '../variable'
import type { Branching } from './trees'

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

export const convertToTensor = op(
  () => [
    arg('x', operand),
    optional('dtype', nullable(dtypeKind)),
    optional('sparse', sparseKind),
    optional('ragged', always([false, null], 'there are no ragged tensors')),
  ],
  {
    /**
     * A tensor of a number, nested arrays, typed arrays or a Variable. A Tensor stays the same object unless the dtype
     * differs.
     * @param dtype of the result. Default null: that of x
     * @param sparse changes nothing: there are no sparse tensors
     * @param ragged must be false or null: there are no ragged tensors
     * @throws DataError for ragged arrays and values that are not numbers
     * @example ops.convertToTensor([1, 2.5], 'int32') // [1, 2]
     */
    convertToTensor(x, dtype = null, _sparse?, _ragged?): Tensor {
      const value = asTensor(x, 'convertToTensor')
      return dtype === null ? value : cast(value, dtype)
    },
  },
)

/** The largest float32 below 2³¹. */
const MOST_INT32 = 2147483520

export const saturateCast = op(() => [arg('x', operand), arg('dtype', dtypeKind)], {
  /**
   * Like cast, but numbers beyond the range of the dtype become its least or greatest number. For float32 → int32 the
   * greatest is 2147483520, the largest float32 below 2³¹; NaN becomes 0. For bool, x is limited to [0, 1] first.
   * @example ops.saturateCast([1e10, -1e10, 2.7], 'int32') // [2147483520, −2147483648, 2]
   */
  saturateCast(x, dtype): Tensor {
    const value = asTensor(x, 'saturateCast')
    if (value.dtype === dtype || value.dtype === 'bool' || dtype === 'float32') return cast(value, dtype)
    return cast(dtype === 'bool' ? clip(value, 0, 1) : clip(value, -(2 ** 31), MOST_INT32), dtype)
  },
})

/** A copy of a tensor, which does not share memory with it. The gradient passes through. */
export const copy = unaryOp('copy', (x) => apply('copy', [asTensor(x, 'copy')], {})[0]!)

export const view = op(() => [arg('x', operand), optional('dtype', nullable(dtypeKind))], {
  /**
   * The same bits read as another dtype, element by element: float32 as int32, or the reverse. No gradient flows.
   * @param dtype default null: that of x
   * @throws ArgumentError for bool, whose elements have another size than numbers
   * @example ops.view([1, -2], 'int32') // [1065353216, −1073741824]
   */
  view(x, dtype = null): Tensor {
    const value = asTensor(x, 'view')
    const wanted = dtype ?? value.dtype
    if (wanted === value.dtype) return value
    if (value.dtype === 'bool' || (wanted !== 'float32' && wanted !== 'int32'))
      throw new ArgumentError(`view: the bits of ${value.dtype} cannot be read as ${wanted}. Use ops.cast`)
    return apply('routine', [value], { routine: new BitCast(wanted) })[0]!
  },
})

/** The signatures of `stopGradient`. */
interface StopGradient {
  /**
   * The identity, through which no gradient flows.
   * @param variable a tensor, or arrays and records of tensors
   */
  <const X extends TensorLike | object>(variable: X): X extends TensorLike ? Tensor : MapTree<X, TensorLike, Tensor>
}

export const stopGradients = opOf<StopGradient>(() => [arg('variable', tree)], {
  stopGradient(variable: Branching) {
    const stopped = (leaf: unknown): Tensor => stopGradient(toTensor(leaf, 'stopGradient'))
    return isBranch(variable) && branchesIntoTensors(variable) ? mapTree(variable, stopped) : stopped(variable)
  },
})
