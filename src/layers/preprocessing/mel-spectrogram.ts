// MelSpectrogram: the power of signals in bands of the mel scale.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, configured, count, either, listOf, nullable, number, option } from '../../core/options'
import { matmul } from '../../ops/linalg/linalg'
import { melFilters } from '../../ops/math/mel'
import { stft } from '../../ops/math/signal'
import { add, maximum, multiply, power, square, subtract } from '../../ops/numpy/elementwise'
import { log10 } from '../../ops/numpy/functions'
import { max } from '../../ops/numpy/reduce'
import { swapAxes } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { TENSOR } from '../forms'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'
import type { LayerTraits } from '../traits'

const MelSpectrogramBase = configured(
  Layer<Tensor>,
  () => ({
    /** The length of the transforms. Default 2048. */
    fftLength: option(count, 2048),
    /** The number of samples between frames. Default 512. */
    sequenceStride: option(count, 512),
    /** The number of samples in a frame, at most fftLength. Default null: fftLength. */
    sequenceLength: option(nullable(count), null),
    /** 'hann' or 'hamming', both periodic; the values of a window; or null for none. Default hann. */
    window: option(
      nullable(either(choice('hann', 'hamming'), listOf(number()), (value) => typeof value === 'string')),
      'hann',
    ),
    /** The samples per second. Default 16000. */
    samplingRate: option(number({ above: 0 }), 16000),
    /** The number of bands. Default 128. */
    numMelBins: option(count, 128),
    /** The lower edge of the first band, in Hz. Default 20. */
    minFreq: option(number({ min: 0 }), 20),
    /** The upper edge of the last band, in Hz. Default null: half of samplingRate. */
    maxFreq: option(nullable(number({ above: 0 })), null),
    /** Whether the result is in decibels. Default true. */
    powerToDb: option(boolean, true),
    /** The range of decibels below the maximum. Default 80. */
    topDb: option(number(), 80),
    /** The exponent of magnitudes: 1 for magnitudes, 2 for power. Default 2. */
    magExp: option(number(), 2),
    /** The least power. Default 1e-10. */
    minPower: option(number({ above: 0 }), 1e-10),
    /** The power of 0 decibels. Default 1. */
    refPower: option(number(), 1),
  }),
  ['fftLength', 'sequenceStride', 'sequenceLength', 'window', 'samplingRate', 'numMelBins'],
)

/**
 * Mel spectrograms of audio signals: Σ_f |X[f]|^magExp · filter[f] of the short-time Fourier transform X, whose frames
 * are centred, with triangular filters that are equally spaced on the mel scale, 2595 log₁₀(1 + f / 700). With
 * powerToDb,
 *
 *   10 log₁₀(max(S, minPower) / max(|refPower|, minPower)), at least the maximum of the batch − topDb
 *
 * [batch, samples] → [batch, numMelBins, frames], or [samples] → [numMelBins, frames].
 *
 *   new MelSpectrogram({ numMelBins: 64, samplingRate: 8000, sequenceStride: 256 }).apply(signals)
 *
 * Keras: `keras.layers.MelSpectrogram`.
 * @throws ShapeError for other inputs, and for signals that are not longer than half of fftLength
 */
export class MelSpectrogram extends MelSpectrogramBase {
  static readonly className = 'MelSpectrogram'
  /** @internal */
  static override readonly traits: LayerTraits<MelSpectrogram> = {
    form: TENSOR,
  }

  protected override checkOptions(): void {
    const { fftLength, sequenceLength } = this
    if (sequenceLength !== null && sequenceLength > fftLength)
      throw new ArgumentError(
        `${this}: fftLength must be at least sequenceLength, ${sequenceLength}, received ${fftLength}`,
      )
    if (this.minFreq >= this.highest)
      throw new ArgumentError(`${this}: minFreq must be below maxFreq, ${this.highest}, received ${this.minFreq}`)
  }

  private get highest(): number {
    return this.maxFreq ?? Math.trunc(this.samplingRate / 2)
  }

  private requireSignals(shape: BatchShape): void {
    const samples = shape.at(-1)
    if (shape.length !== 1 && shape.length !== 2)
      throw new ShapeError(`${this}: the input must be [batch, samples] or [samples], received ${formatShape(shape)}`)
    // The ends of a signal are mirrored.
    const least = (this.fftLength >> 1) + 1
    if (samples != null && samples < least)
      throw new ShapeError(`${this}: a signal must have at least ${least} samples, received ${samples}`)
  }

  call(x: Tensor): Tensor {
    this.requireSignals(x.shape)
    const { fftLength, sequenceStride, window, samplingRate, numMelBins } = this
    const isNamed = typeof window === 'string' || window === null
    const weights = isNamed ? window : new Tensor(Float32Array.from(window), [window.length], 'float32')
    const { real, imag } = stft(x, this.sequenceLength ?? fftLength, sequenceStride, fftLength, {
      window: weights,
    })
    const squared = add(square(real), square(imag))
    const magnitudes = this.magExp === 2 ? squared : power(squared, this.magExp / 2)
    const filters = melFilters(real.shape.at(-1)!, samplingRate, {
      count: numMelBins,
      lowest: this.minFreq,
      highest: this.highest,
    })
    const bands = matmul(magnitudes, filters)
    return swapAxes(this.powerToDb ? this.decibels(bands) : bands, -1, -2)
  }

  private decibels(bands: Tensor): Tensor {
    const reference = 10 * Math.log10(Math.max(Math.abs(this.refPower), this.minPower))
    const levels = subtract(multiply(log10(maximum(bands, this.minPower)), 10), reference)
    return maximum(levels, subtract(max(levels), this.topDb))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    this.requireSignals(inputShape)
    const samples = inputShape.at(-1)!
    const frames = samples === null ? null : Math.floor(samples / this.sequenceStride) + 1
    return [...inputShape.slice(0, -1), this.numMelBins, frames]
  }
}
