// Discrete Fourier transforms of complex numbers, which are pairs of tensors. Lengths of 2ᵏ use a kernel; other
// lengths become a convolution of such a length (Bluestein 1970).

import { operand, whole } from '../kinds'
import { arg, op, optional } from '../op'
import { ShapeError, formatShape } from '../../core/errors'
import { normalizeAxis } from '../../core/shapes'
import { FourierTransform } from '../../engine/primitives/fourier'
import { sliceAlong } from '../numpy/along'
import { nullable } from '../../core/options'
import { requireInteger, requireShape } from '../arguments'
import { asTensor } from '../convert'
import { cast, cos, multiply, negative, sin } from '../numpy/elementwise'
import { needAlgebra } from '../families'
import { pad } from '../numpy/pad'
import { concatenate, flip, reshape } from '../numpy/shape'
import { Tensor } from '../tensor'
import { apply } from '../trace'
import { bothOf, complexLike, complexOf, times, type Complex } from './complex'

export type { Complex, ComplexLike } from './complex'

export const polar = op(() => [arg('abs', operand), arg('angle', operand)], {
  /**
   * The complex numbers with the absolute values `abs` and the angles `angle`: abs · cos(angle) + i · abs · sin(angle).
   * @param angle in radians; broadcasts with abs
   * @example ops.polar(2, Math.PI / 2)   // { real: 0, imag: 2 }
   * Keras: `keras.ops.polar`.
   */
  polar(abs, angle): Complex {
    const [size, turn] = [asTensor(abs, 'polar'), asTensor(angle, 'polar')]
    return { real: multiply(size, cos(turn)), imag: multiply(size, sin(turn)) }
  },
})

/** Σ_j x[j] e^(∓2πi jk/n) along an axis, without a factor. */
function transform(where: string, x: Complex, axis: number, isBackwards: boolean): Complex {
  const { rank, shape } = x.real
  const at = normalizeAxis(where, axis, rank)
  const n = shape[at]!
  if (n === 0) throw new ShapeError(`${where}: axis ${at} of ${formatShape(shape)} is empty`)
  return Number.isInteger(Math.log2(n)) ? ofPower(x, at, isBackwards) : bluestein(x, at, isBackwards)
}

function ofPower({ real, imag }: Complex, axis: number, isBackwards: boolean): Complex {
  needAlgebra()
  const [a, b] = apply('routine', [real, imag], { routine: new FourierTransform(axis, isBackwards) })
  return { real: a!, imag: b! }
}

/** jk = (j² + k² − (k − j)²) / 2 makes the sum a convolution with w[j] = e^(±πi j²/n): X[k] = w*[k] Σ_j (x[j] w*[j]) w[k − j]. */
function bluestein(x: Complex, axis: number, isBackwards: boolean): Complex {
  const { shape } = x.real
  const n = shape[axis]!
  const length = 2 ** Math.ceil(Math.log2(2 * n - 1))
  const sign = isBackwards ? -1 : 1
  // j² modulo 2n keeps the angle accurate.
  const angle = (j: number): number => (Math.PI * ((j * j) % (2 * n))) / n
  const along = (count: number, of: (j: number) => number): Tensor =>
    reshape(
      new Tensor(
        Float32Array.from({ length: count }, (_, j) => of(j)),
        [count],
        'float32',
      ),
      shape.map((_, i) => (i === axis ? count : 1)),
    )
  const chirp = { real: along(n, (j) => Math.cos(angle(j))), imag: along(n, (j) => -sign * Math.sin(angle(j))) }
  // w[j] for |j| < n, with negative j at the end.
  const distance = (j: number): number => Math.min(j, length - j)
  const around = (of: (angle: number) => number): Tensor =>
    along(length, (j) => (distance(j) < n ? of(angle(distance(j))) : 0))
  const filter = { real: around(Math.cos), imag: around((at) => sign * Math.sin(at)) }
  const long = bothOf(times(x, chirp), (part) =>
    pad(
      part,
      shape.map((_, i) => [0, i === axis ? length - n : 0] as const),
    ),
  )
  const product = times(ofPower(long, axis, false), ofPower(filter, axis, false))
  const folded = bothOf(ofPower(product, axis, true), (part) => multiply(sliceAlong(part, axis, 0, n), 1 / length))
  return times(folded, chirp)
}

function inverse(where: string, x: Complex, axis: number): Complex {
  const result = transform(where, x, axis, true)
  const n = x.real.shape.at(axis)!
  return bothOf(result, (part) => multiply(part, 1 / n))
}

export const fft = op(() => [arg('x', complexLike)], {
  /**
   * The discrete Fourier transform of the last axis: X[k] = Σ_j x[j] e^(−2πi jk/n), for any length n.
   * @param x {real, imag}, [real, imag], or real numbers
   * @example ops.fft({ real: [1, 0, 0, 0], imag: [0, 0, 0, 0] }).real   // [1, 1, 1, 1]
   */
  fft(x): Complex {
    return transform('fft', complexOf('fft', x), -1, false)
  },
})

export const ifft = op(() => [arg('x', complexLike)], {
  /** The inverse of `fft`: x[j] = 1/n Σ_k X[k] e^(2πi jk/n). */
  ifft(x): Complex {
    return inverse('ifft', complexOf('ifft', x), -1)
  },
})

export const fft2 = op(() => [arg('x', complexLike)], {
  /** The transform of the last two axes. */
  fft2(x): Complex {
    return transform('fft2', transform('fft2', complexOf('fft2', x), -1, false), -2, false)
  },
})

export const ifft2 = op(() => [arg('x', complexLike)], {
  /** The inverse of `fft2`. */
  ifft2(x): Complex {
    return inverse('ifft2', inverse('ifft2', complexOf('ifft2', x), -1), -2)
  },
})

/** The first `length` elements of the last axis, padded with zeros. */
function resized(x: Tensor, length: number): Tensor {
  const extent = x.shape.at(-1)!
  if (extent >= length) return sliceAlong(x, x.rank - 1, 0, length)
  return pad(
    x,
    x.shape.map((_, i) => [0, i === x.rank - 1 ? length - extent : 0] as const),
  )
}

export const rfft = op(() => [arg('x', operand), optional('fftLength', nullable(whole(1)))], {
  /**
   * The transform of real numbers along the last axis: only the first ⌊n/2⌋ + 1 elements, because the others are their
   * conjugates.
   * @param fftLength n; x is truncated or padded with zeros. Default the extent of the axis.
   */
  rfft(x, fftLength = null): Complex {
    const value = cast(asTensor(x, 'rfft'), 'float32')
    if (value.rank === 0) throw new ShapeError('rfft: a scalar has no axis')
    const n = fftLength ?? requireInteger('rfft: fftLength', value.shape.at(-1)!, 1)
    requireShape('rfft', [...value.shape.slice(0, -1), n])
    const result = transform('rfft', complexOf('rfft', resized(value, n)), -1, false)
    return bothOf(result, (part) => sliceAlong(part, part.rank - 1, 0, Math.floor(n / 2) + 1))
  },
})

export const irfft = op(() => [arg('x', complexLike), optional('fftLength', nullable(whole(1)))], {
  /**
   * The inverse of `rfft`: real numbers [… n] from the first ⌊n/2⌋ + 1 elements of their transform. The imaginary parts of
   * elements that must be real are ignored.
   * @param fftLength n. Default 2 (m − 1) for m elements.
   */
  irfft(x, fftLength = null): Tensor {
    const value = complexOf('irfft', x)
    if (value.real.rank === 0) throw new ShapeError('irfft: a scalar has no axis')
    const n = fftLength ?? requireInteger('irfft: fftLength', 2 * (value.real.shape.at(-1)! - 1), 1)
    requireShape('irfft', [...value.real.shape.slice(0, -1), n])
    const count = Math.floor(n / 2) + 1
    const last = value.real.rank - 1
    const half = bothOf(value, (part) => resized(part, count))
    // X[n − k] = X*[k]
    const mirrored = (part: Tensor): Tensor => flip(sliceAlong(part, last, 1, n - count), last)
    const full = {
      real: concatenate([half.real, mirrored(half.real)], last),
      imag: concatenate([half.imag, negative(mirrored(half.imag))], last),
    }
    return inverse('irfft', full, -1).real
  },
})
