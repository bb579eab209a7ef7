// Windows of signals: symmetric vectors that fall towards both ends. A window of one element is [1].

import { whole } from '../kinds'
import { arg, op } from '../op'
import { number } from '../../core/options'
import { requireShape } from '../arguments'
import { Tensor } from '../tensor'

/** The parameters of a window. */
const window = () => [arg('x', whole(0))] as const

/** @param of the value at t, which rises from −1 at the first element to 1 at the last */
function windowOf(where: string, x: number, of: (t: number) => number): Tensor {
  const [length] = requireShape(where, [x]) as [number]
  const last = length - 1
  const elements = Float32Array.from({ length }, (_, i) => (last === 0 ? 1 : of((2 * i - last) / last)))
  return new Tensor(elements, [length], 'float32')
}

export const bartlett = op(window, {
  /**
   * Bartlett's window, a triangle: 1 − |t| for −1 ≤ t ≤ 1.
   * @param x the number of elements
   * @example ops.bartlett(5)   // [0, 0.5, 1, 0.5, 0]
   */
  bartlett(x): Tensor {
    return windowOf('bartlett', x, (t) => 1 - Math.abs(t))
  },
})

export const hanning = op(window, {
  /**
   * Hann's window: 0.5 + 0.5 cos πt for −1 ≤ t ≤ 1.
   * @param x the number of elements
   * @example ops.hanning(5)   // [0, 0.5, 1, 0.5, 0]
   */
  hanning(x): Tensor {
    return windowOf('hanning', x, (t) => 0.5 + 0.5 * Math.cos(Math.PI * t))
  },
})

export const hamming = op(window, {
  /**
   * Hamming's window: 0.54 + 0.46 cos πt for −1 ≤ t ≤ 1.
   * @param x the number of elements
   * @example ops.hamming(3)   // [0.08, 1, 0.08]
   */
  hamming(x): Tensor {
    return windowOf('hamming', x, (t) => 0.54 + 0.46 * Math.cos(Math.PI * t))
  },
})

export const blackman = op(window, {
  /**
   * Blackman's window: 0.42 + 0.5 cos πt + 0.08 cos 2πt for −1 ≤ t ≤ 1.
   * @param x the number of elements
   * @example ops.blackman(3)   // [0, 1, 0]
   */
  blackman(x): Tensor {
    return windowOf('blackman', x, (t) => 0.42 + 0.5 * Math.cos(Math.PI * t) + 0.08 * Math.cos(2 * Math.PI * t))
  },
})

export const kaiser = op(() => [...window(), arg('beta', number())], {
  /**
   * Kaiser's window: I₀(β √(1 − t²)) / I₀(β) for −1 ≤ t ≤ 1, with the modified Bessel function I₀.
   * @param x the number of elements
   * @param beta a larger one makes a narrower window; 0 gives ones
   * @example ops.kaiser(3, 0)   // [1, 1, 1]
   */
  kaiser(x, beta): Tensor {
    const width = Math.abs(beta)
    return windowOf('kaiser', x, (t) => {
      const inner = width * Math.sqrt(Math.max(0, 1 - t * t))
      return (Math.exp(inner - width) * scaledBessel(inner)) / scaledBessel(width)
    })
  },
})

/** Up to here, I₀ and its series are finite numbers. */
const SERIES = 500

/** e⁻ˣ I₀(x) for x ≥ 0: the series Σ ((x/2)ᵏ / k!)², and beyond it the asymptotic series in 1/x. */
function scaledBessel(x: number): number {
  if (x > SERIES) return (1 + (1 + (9 + 75 / (8 * x)) / (16 * x)) / (8 * x)) / Math.sqrt(2 * Math.PI * x)
  let [term, sum] = [1, 1]
  for (let k = 1; term > 1e-17 * sum; k++) sum += term *= (x / (2 * k)) ** 2
  return sum * Math.exp(-x)
}
