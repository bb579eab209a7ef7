// Parts of complex numbers, which are pairs of tensors. A tensor holds real numbers.

import { ShapeError, formatShape } from '../../core/errors'
import type { Complex } from '../math/fourier'
import { sliceAlong } from './along'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { arctan2, cast, equal, negative } from './elementwise'
import { onesLike, reshape, stack, zerosLike } from './shape'
import type { Tensor } from '../tensor'

/** Complex numbers, as ops return them, or with data in place of tensors. */
export interface ComplexParts {
  /** The real parts. */
  readonly real: TensorLike
  /** The imaginary parts. */
  readonly imag: TensorLike
}

function isComplex(x: TensorLike | ComplexParts): x is ComplexParts {
  return typeof x === 'object' && x !== null && 'real' in x && 'imag' in x
}

/** The real part: x itself if it is a tensor. */
export function real(x: TensorLike | ComplexParts): Tensor {
  return asTensor(isComplex(x) ? x.real : x, 'real')
}

/** The imaginary part: zeros in the dtype of x if it is a tensor. */
export function imag(x: TensorLike | ComplexParts): Tensor {
  return isComplex(x) ? asTensor(x.imag, 'imag') : zerosLike(x)
}

/** The complex conjugate, {real, −imag}: x itself if it is a tensor. */
export function conj(x: ComplexParts): Complex
export function conj(x: TensorLike): Tensor
export function conj(x: TensorLike | ComplexParts): Tensor | Complex {
  return isComplex(x) ? { real: asTensor(x.real, 'conj'), imag: negative(x.imag) } : asTensor(x, 'conj')
}

export { conj as conjugate }

/** The angle in the complex plane, in float32 and in [−π, π]: 0 for positive numbers, π for negative ones and −0. */
export function angle(x: TensorLike | ComplexParts): Tensor {
  return isComplex(x) ? arctan2(x.imag, x.real) : arctan2(0, cast(asTensor(x, 'angle'), 'float32'))
}

/** Whether the imaginary part is 0: true for each element of a tensor. */
export function isreal(x: TensorLike | ComplexParts): Tensor {
  return isComplex(x) ? equal(x.imag, 0) : onesLike(asTensor(x, 'isreal'), 'bool')
}

/**
 * [… 2] → the complex numbers {real […], imag […]} of its pairs.
 * @throws ShapeError if the last axis does not have two elements
 */
export function viewAsComplex(x: TensorLike): Complex {
  const value = cast(asTensor(x, 'viewAsComplex'), 'float32')
  if (value.shape.at(-1) !== 2)
    throw new ShapeError(`viewAsComplex: expected pairs [… 2], received ${formatShape(value.shape)}`)
  const part = (index: number): Tensor => reshape(sliceAlong(value, value.rank - 1, index, 1), value.shape.slice(0, -1))
  return { real: part(0), imag: part(1) }
}

/** {real […], imag […]} → [… 2]. The imaginary part of a tensor is 0. */
export function viewAsReal(x: TensorLike | ComplexParts): Tensor {
  return stack([real(x), imag(x)], -1)
}
