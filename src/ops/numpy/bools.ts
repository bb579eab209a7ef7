// Sums and products of bool tensors, as users call them: the result is bool, as in Keras. Other code uses the functions of
// elementwise.ts and linalg.ts, whose results are int32.

import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import * as linalg from '../linalg/linalg'
import { Tensor } from '../tensor'
import * as plain from './elementwise'

// A number takes the dtype of the other operand, so it is not converted here.
const mayBeBool = (x: TensorLike): boolean => (x instanceof Tensor ? x.dtype === 'bool' : typeof x !== 'number')

/** op(a, b), which is bool if a and b are. */
function ofTwo(where: string, a: TensorLike, b: TensorLike, op: (a: TensorLike, b: TensorLike) => Tensor): Tensor {
  if (!mayBeBool(a) || !mayBeBool(b)) return op(a, b)
  const [left, right] = [asTensor(a, where), asTensor(b, where)]
  const result = op(left, right)
  return left.dtype === 'bool' && right.dtype === 'bool' ? plain.cast(result, 'bool') : result
}

/** a + b; of bools a ∨ b. */
export const add = (a: TensorLike, b: TensorLike): Tensor => ofTwo('add', a, b, plain.add)
/** a · b, element by element; of bools a ∧ b. */
export const multiply = (a: TensorLike, b: TensorLike): Tensor => ofTwo('multiply', a, b, plain.multiply)
/** The larger element; NaN if either is NaN. bool stays bool. */
export const maximum = (a: TensorLike, b: TensorLike): Tensor => ofTwo('maximum', a, b, plain.maximum)
/** The smaller element; NaN if either is NaN. bool stays bool. */
export const minimum = (a: TensorLike, b: TensorLike): Tensor => ofTwo('minimum', a, b, plain.minimum)

/** |x|; int32 stays int32, and bool stays bool. */
export function abs(x: TensorLike): Tensor {
  const value = asTensor(x, 'abs')
  return value.dtype === 'bool' ? value : plain.abs(value)
}

/**
 * a [… m,k] · b [… k,n] → [… m,n]; leading axes broadcast. A vector is a row on the left and a column on the
 * right, and its axis is removed from the result. bool stays bool.
 */
export const matmul = (a: TensorLike, b: TensorLike): Tensor => ofTwo('matmul', a, b, linalg.matmul)
/**
 * NumPy's dot: Σ over the last axis of a and the second-to-last axis of b (the only one of a vector). The
 * product if either operand is a scalar. bool stays bool.
 */
export const dot = (a: TensorLike, b: TensorLike): Tensor => ofTwo('dot', a, b, linalg.dot)
/**
 * Σ over the last axis of both: result[i…, j…] = Σₖ a[i…, k] b[j…, k]. The product if either operand is a scalar. bool stays
 * bool.
 */
export const inner = (a: TensorLike, b: TensorLike): Tensor => ofTwo('inner', a, b, linalg.inner)
/** Σ a · b over all elements, in row-major order. bool stays bool. */
export const vdot = (a: TensorLike, b: TensorLike): Tensor => ofTwo('vdot', a, b, linalg.vdot)
/** result[i, j] = a[i] · b[j], over all elements in row-major order; int32 stays int32, and bool stays bool. */
export const outer = (a: TensorLike, b: TensorLike): Tensor => ofTwo('outer', a, b, linalg.outer)

/**
 * Σ over pairs of axes: result[i…, j…] = Σₖ a[i…, k…] b[k…, j…]. bool stays bool.
 * @param axes the number of last axes of a that are summed with the first axes of b; or [axes of a, axes of b]. Default 2.
 */
export function tensordot(a: TensorLike, b: TensorLike, axes?: Parameters<typeof linalg.tensordot>[2]): Tensor {
  return ofTwo('tensordot', a, b, (left, right) => linalg.tensordot(left, right, axes))
}

/**
 * A sum of products: `einsum('bij,bjk->bik', a, b)`. Each axis is a letter. Letters missing from the result are summed
 * over; `...` stands for any axes, which broadcast. Without `->` the result has the letters that occur once, in
 * alphabetical order. Operands are contracted from left to right as matrix products. bool stays bool.
 * @throws ArgumentError for an invalid equation; ShapeError when the operands do not fit it
 */
export function einsum(equation: string, ...operands: readonly TensorLike[]): Tensor {
  const given = operands.map((each) => asTensor(each, 'einsum'))
  const result = linalg.einsum(equation, ...given)
  return given.length > 0 && given.every(({ dtype }) => dtype === 'bool') ? plain.cast(result, 'bool') : result
}
