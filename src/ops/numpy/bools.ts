// Sums and products of bool tensors, as users call them: the result is bool, as in Keras. Other code uses the functions of
// elementwise.ts and linalg.ts, whose results are int32.

import { operand, unchecked } from '../kinds'
import { arg, binaryOp, op, optional, rest, unaryOp } from '../op'
import { asTensor, type TensorLike } from '../convert'
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

/** x1 + x2; of bools x1 ∨ x2. */
export const add = binaryOp('add', (x1, x2) => ofTwo('add', x1, x2, plain.add))
/** x1 · x2, element by element; of bools x1 ∧ x2. */
export const multiply = binaryOp('multiply', (x1, x2) => ofTwo('multiply', x1, x2, plain.multiply))
/** The larger element; NaN if either is NaN. bool stays bool. */
export const maximum = binaryOp('maximum', (x1, x2) => ofTwo('maximum', x1, x2, plain.maximum))
/** The smaller element; NaN if either is NaN. bool stays bool. */
export const minimum = binaryOp('minimum', (x1, x2) => ofTwo('minimum', x1, x2, plain.minimum))

/** |x|; int32 stays int32, and bool stays bool. */
export const abs = unaryOp('abs', (x) => {
  const value = asTensor(x, 'abs')
  return value.dtype === 'bool' ? value : plain.abs(value)
})

/**
 * x1 [… m,k] · x2 [… k,n] → [… m,n]; leading axes broadcast. A vector is a row on the left and a column on the
 * right, and its axis is removed from the result. bool stays bool.
 */
export const matmul = binaryOp('matmul', (x1, x2) => ofTwo('matmul', x1, x2, linalg.matmul))
/**
 * NumPy's dot: Σ over the last axis of x1 and the second-to-last axis of x2 (the only one of a vector). The
 * product if either operand is a scalar. bool stays bool.
 */
export const dot = binaryOp('dot', (x1, x2) => ofTwo('dot', x1, x2, linalg.dot))
/**
 * Σ over the last axis of both: result[i…, j…] = Σₖ x1[i…, k] x2[j…, k]. The product if either operand is a scalar. bool stays
 * bool.
 */
export const inner = binaryOp('inner', (x1, x2) => ofTwo('inner', x1, x2, linalg.inner))
/** Σ x1 · x2 over all elements, in row-major order. bool stays bool. */
export const vdot = binaryOp('vdot', (x1, x2) => ofTwo('vdot', x1, x2, linalg.vdot))
/** result[i, j] = x1[i] · x2[j], over all elements in row-major order; int32 stays int32, and bool stays bool. */
export const outer = binaryOp('outer', (x1, x2) => ofTwo('outer', x1, x2, linalg.outer))

export const tensordot = op(
  () => [arg('x1', operand), arg('x2', operand), optional('axes', unchecked<Parameters<typeof linalg.tensordot>[2]>())],
  {
    /**
     * Σ over pairs of axes: result[i…, j…] = Σₖ x1[i…, k…] x2[k…, j…]. bool stays bool.
     * @param axes the number of last axes of x1 that are summed with the first axes of x2; or [axes of x1, axes of x2]. Default 2.
     */
    tensordot(x1, x2, axes = 2): Tensor {
      return ofTwo('tensordot', x1, x2, (left, right) => linalg.tensordot(left, right, axes))
    },
  },
)

export const einsum = op(() => [arg('subscripts', unchecked<string>()), rest('operands', operand)], {
  /**
   * A sum of products: `einsum('bij,bjk->bik', a, b)`. Each axis is a letter. Letters missing from the result are summed
   * over; `...` stands for any axes, which broadcast. Without `->` the result has the letters that occur once, in
   * alphabetical order. Operands are contracted from left to right as matrix products. bool stays bool.
   * @throws ArgumentError for an invalid equation; ShapeError when the operands do not fit it
   */
  einsum(subscripts, ...operands): Tensor {
    const tensors = operands.map((each) => asTensor(each, 'einsum'))
    const result = linalg.einsum(subscripts, ...tensors)
    return tensors.length > 0 && tensors.every(({ dtype }) => dtype === 'bool') ? plain.cast(result, 'bool') : result
  },
})
