// Kernels of convolutions that compute a short-time Fourier transform.

import { ShapeError, formatShape } from '../../core/errors'
import {
  boolean,
  choice,
  configured,
  either,
  listOf,
  nullable,
  number,
  option,
  type OptionInputs,
  type InOrder,
} from '../../core/options'
import type { Shape } from '../../core/shapes'
import { windowElement, windowNames } from '../../ops/math/windows'
import { Tensor } from '../../ops/tensor'
import { Initializer } from './initializer'

const stftOptions = () => ({
  /** The real or the imaginary part of the transform. Default 'real'. */
  side: option(choice('real', 'imag'), 'real'),
  /** The name of a window, its values, or null for no window. Default 'hann'. */
  window: option(
    nullable(either(choice(...windowNames), listOf(number()), (value) => typeof value === 'string')),
    'hann',
  ),
  /** The divisor of the window: 'density', √Σw²; 'spectrum', Σ|w|; null, 1. Default 'density'. */
  scaling: option(nullable(choice('density', 'spectrum')), 'density'),
  /** Whether the window is periodic instead of symmetric. Default false. */
  periodic: option(boolean, false),
})
export type STFTOptions = OptionInputs<ReturnType<typeof stftOptions>>

const STFTBase = (configured as InOrder<['side', 'window', 'scaling', 'periodic']>)(Initializer, stftOptions)

/**
 * Kernels [frame length T, 1, frequencies F/2 + 1] of a Conv1D whose outputs are the real or the imaginary parts of a short-time
 * Fourier transform: w[t]/s · cos(−2π t f/F), or sin.
 *
 *   const real = new initializers.STFT({ side: 'real', window: 'hann' })
 *   new Conv1D({ filters: 129, kernelSize: 256, strides: 128, useBias: false, kernelInitializer: real, trainable: false })
 *
 * Keras: `keras.initializers.STFT`, which also has scipy's other windows: pass their values.
 * @throws ShapeError for other shapes, and for a window of another length
 */
export class STFT extends STFTBase {
  static readonly className = 'STFT'

  call(shape: Shape): Tensor {
    const [length, channels, bins] = shape
    if (shape.length !== 3 || channels !== 1)
      throw new ShapeError(`STFT: the shape must be [frame length, 1, frequencies], received ${formatShape(shape)}`)
    const window = this.valuesOf(length!)
    const scale = this.window === null ? 1 : this.scaleOf(window)
    const part = this.side === 'real' ? Math.cos : Math.sin
    const data = Float32Array.from({ length: length! * bins! }, (_, i) => {
      const [t, f] = [Math.floor(i / bins!), i % bins!]
      return (window[t]! / scale) * part((-2 * Math.PI * t * f) / (2 * (bins! - 1)))
    })
    return new Tensor(data, shape, 'float32')
  }

  private valuesOf(length: number): readonly number[] {
    const { window } = this
    if (typeof window !== 'string') {
      if (window !== null && window.length !== length)
        throw new ShapeError(`STFT: a frame of ${length} needs a window of the same length, received ${window.length}`)
      return window ?? new Array<number>(length).fill(1)
    }
    return Array.from({ length }, (_, i) => windowElement(window, i, length, this.periodic))
  }

  private scaleOf(window: readonly number[]): number {
    if (this.scaling === null) return 1
    const sum = (of: (w: number) => number): number => window.reduce((total, w) => total + of(w), 0)
    return this.scaling === 'density' ? Math.sqrt(sum((w) => w * w)) : sum(Math.abs)
  }
}
