// Parts of complex numbers, which are pairs of tensors. A tensor holds real numbers.

import { complexOperand, type ComplexParts } from '../kinds'
import { alias, arg, op, opOf, unaryOp } from '../op'
import { ShapeError, formatShape } from '../../core/errors'
import type { Complex } from '../math/fourier'
import { sliceAlong } from './along'
import { asTensor, type TensorLike } from '../convert'
import { arctan2, cast, equal, negative } from './elementwise'
import { onesLike, reshape, stack, zerosLike } from './shape'
import type { Tensor } from '../tensor'

export type { ComplexParts } from '../kinds'

function isComplex(x: TensorLike | ComplexParts): x is ComplexParts {
  return typeof x === 'object' && x !== null && 'real' in x && 'imag' in x
}

const ofOne = () => [arg('x', complexOperand)] as const

export const real = op(ofOne, {
  /** The real part: x itself if it is a tensor. */
  real(x): Tensor {
    return asTensor(isComplex(x) ? x.real : x, 'real')
  },
})

export const imag = op(ofOne, {
  /** The imaginary part: zeros in the dtype of x if it is a tensor. */
  imag(x): Tensor {
    return isComplex(x) ? asTensor(x.imag, 'imag') : zerosLike(x)
  },
})

/** The signatures of `conj`. */
interface Conj {
  /** The complex conjugate, {real, −imag}: x itself if it is a tensor. */
  (x: ComplexParts): Complex
  (x: TensorLike): Tensor
}

export const conj = opOf<Conj>(ofOne, {
  conj(x: TensorLike | ComplexParts): Tensor | Complex {
    return isComplex(x) ? { real: asTensor(x.real, 'conj'), imag: negative(x.imag) } : asTensor(x, 'conj')
  },
})

/** The same as `conj`. */
export const conjugate = alias('conjugate', conj)

export const angle = op(ofOne, {
  /** The angle in the complex plane, in float32 and in [−π, π]: 0 for positive numbers, π for negative ones and −0. */
  angle(x): Tensor {
    return isComplex(x) ? arctan2(x.imag, x.real) : arctan2(0, cast(asTensor(x, 'angle'), 'float32'))
  },
})

export const isreal = op(ofOne, {
  /** Whether the imaginary part is 0: true for each element of a tensor. */
  isreal(x): Tensor {
    return isComplex(x) ? equal(x.imag, 0) : onesLike(asTensor(x, 'isreal'), 'bool')
  },
})

/**
 * [… 2] → the complex numbers {real […], imag […]} of its pairs.
 * @throws ShapeError if the last axis does not have two elements
 */
export const viewAsComplex = unaryOp('viewAsComplex', (x): Complex => {
  const value = cast(asTensor(x, 'viewAsComplex'), 'float32')
  if (value.shape.at(-1) !== 2)
    throw new ShapeError(`viewAsComplex: expected pairs [… 2], received ${formatShape(value.shape)}`)
  const part = (index: number): Tensor => reshape(sliceAlong(value, value.rank - 1, index, 1), value.shape.slice(0, -1))
  return { real: part(0), imag: part(1) }
})

export const viewAsReal = op(ofOne, {
  /** {real […], imag […]} → [… 2]. The imaginary part of a tensor is 0. */
  viewAsReal(x): Tensor {
    return stack([real(x), imag(x)], -1)
  },
})
