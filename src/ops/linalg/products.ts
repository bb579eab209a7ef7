// Matrix products in the dtype of the operands: float32 by the primitive, integers exactly.

import { requireInner } from '../../engine/primitives/contraction'
import { asNumbers, asTensor, type TensorLike } from '../convert'
import { cast, multiply } from '../numpy/elementwise'
import { sum } from '../numpy/reduce'
import { expandDims } from '../numpy/shape'
import type { Tensor } from '../tensor'
import { apply } from '../trace'

/**
 * Converts the operands of a product: all to float32 if one of them is float32, else all to int32; bool counts
 * as int32.
 */
export function factors(where: string, operands: readonly [TensorLike, TensorLike]): [Tensor, Tensor]
export function factors(where: string, operands: readonly TensorLike[]): Tensor[]
export function factors(where: string, operands: readonly TensorLike[]): Tensor[] {
  const tensors = operands.map((operand) => asTensor(operand, where))
  return tensors.some(({ dtype }) => dtype === 'float32')
    ? tensors.map((each) => cast(each, 'float32'))
    : tensors.map((each) => asNumbers(each, where))
}

/**
 * a [… m,k] · b [… k,n] → [… m,n]; leading axes broadcast. Integers wrap at 32 bits. There is no kernel for
 * their products, so these take memory for m · k · n elements.
 */
export function product(a: Tensor, b: Tensor): Tensor {
  if (a.dtype === 'float32') return apply('matmul', [a, b], {})[0]!
  requireInner(a.shape, b.shape)
  return sum(multiply(expandDims(a, -1), expandDims(b, -3)), -2)
}
