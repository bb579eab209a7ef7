// Complex numbers as pairs of tensors. The transforms are in fourier.ts.

import { ShapeError, formatShape } from '../../core/errors'
import { sameShape } from '../../core/shapes'
import { asTensor, type TensorLike, toTensor } from '../convert'
import type { ArgumentKind } from '../kinds'
import { add, cast, multiply, subtract } from '../numpy/elementwise'
import { zeros } from '../numpy/shape'
import type { Tensor } from '../tensor'

/** Complex numbers: two tensors of one shape. */
export interface Complex {
  readonly real: Tensor
  readonly imag: Tensor
}

/** A pair, as {real, imag} or [real, imag]; or only real numbers. */
export type ComplexLike =
  | TensorLike
  | { readonly real: TensorLike; readonly imag: TensorLike }
  | readonly [real: TensorLike, imag: TensorLike]

/** Complex numbers, which the op reads by `complexOf`. */
export const complexLike: ArgumentKind<ComplexLike> = { holds: 'operand', read: (value: ComplexLike) => value }

function isPair(x: unknown): x is readonly [TensorLike, TensorLike] {
  return Array.isArray(x) && x.length === 2 && x.every((part) => typeof part === 'object' && part !== null)
}

function isRecord(x: unknown): x is { readonly real: TensorLike; readonly imag: TensorLike } {
  return typeof x === 'object' && x !== null && 'real' in x && 'imag' in x
}

/** Reads complex numbers; real numbers get the imaginary part 0. */
export function complexOf(where: string, x: ComplexLike): Complex {
  if (!isRecord(x) && !isPair(x)) {
    const real = cast(toTensor(x, where), 'float32')
    return { real, imag: zeros(real.shape) }
  }
  const [first, second] = isRecord(x) ? [x.real, x.imag] : x
  const [real, imag] = [cast(asTensor(first, where), 'float32'), cast(asTensor(second, where), 'float32')]
  if (!sameShape(real.shape, imag.shape))
    throw new ShapeError(
      `${where}: both parts must have one shape, received ${formatShape(real.shape)} and ${formatShape(imag.shape)}`,
    )
  return { real, imag }
}

/** Changes both parts. */
export const bothOf = ({ real, imag }: Complex, change: (x: Tensor) => Tensor): Complex => ({
  real: change(real),
  imag: change(imag),
})

/** (a + bi)(c + di) */
export function times(a: Complex, b: Complex): Complex {
  return {
    real: subtract(multiply(a.real, b.real), multiply(a.imag, b.imag)),
    imag: add(multiply(a.real, b.imag), multiply(a.imag, b.real)),
  }
}
