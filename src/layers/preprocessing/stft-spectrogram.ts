// STFTSpectrogram: the short-time Fourier transform of signals, as convolutions whose kernels can be trained.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, configured, count, either, listOf, nullable, number, option } from '../../core/options'
import { STFT } from '../../parts/initializers/stft'
import { windowNames } from '../../ops/math/windows'
import { conv } from '../../ops/nn/convolution'
import { add, arctan2, log, maximum, multiply, sqrt, square } from '../../ops/numpy/elementwise'
import { concatenate, reshape, transpose } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import type { Variable } from '../../ops/variable'
import { requireExtents, requireSameRank } from '../checks'
import { TENSOR } from '../forms'
import { dataFormat } from '../kinds'
import { Layer } from '../layer'
import type { BatchShape } from '../spec'
import type { LayerTraits } from '../traits'
import { exactly } from '../../core/tuples'

/** The least power and magnitude. */
const LEAST = 1e-7

const STFTSpectrogramBase = configured(
  Layer<Tensor>,
  () => ({
    /** 'log', 'magnitude', 'psd', 'real', 'imag', 'angle' or 'stft'. Default log. */
    mode: option(choice('log', 'magnitude', 'psd', 'real', 'imag', 'angle', 'stft'), 'log'),
    /** The number of samples in a frame. Default 256. */
    frameLength: option(count, 256),
    /** The number of samples between frames, at most frameLength. Default null: half of frameLength. */
    frameStep: option(nullable(count), null),
    /** The length of the transforms, at least frameLength. Default null: the next power of two. */
    fftLength: option(nullable(count), null),
    /** The name of a window, its values, or null for none. Default hann. */
    window: option(
      nullable(either(choice(...windowNames), listOf(number()), (value) => typeof value === 'string')),
      'hann',
    ),
    /** Whether the window is periodic instead of symmetric. Default false. */
    periodic: option(boolean, false),
    /** The divisor s of the window: 'density', √Σw²; 'spectrum', Σ|w|; null, 1. Default density. */
    scaling: option(nullable(choice('density', 'spectrum')), 'density'),
    /** 'valid' or 'same'. Default valid. */
    padding: option(choice('valid', 'same'), 'valid'),
    /** Whether the channels get their own axis, as in images: [batch, frames, frequencies, channels]. Default false. */
    expandDims: option(boolean, false),
    /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
    dataFormat: option(dataFormat, null),
  }),
  ['mode'],
)

/**
 * Spectrograms of signals: the overlapping frames of each channel, multiplied by a window, and their Fourier transforms,
 *
 *   X[i, f] = Σ_t x[i · frameStep + t] · w[t] / s · e^(−2πi tf / fftLength)
 *
 * in one of these modes:
 *
 * - 'real', 'imag', 'angle', or 'stft' with the real parts and then the imaginary ones
 * - 'magnitude' |X|; 'log' ln |X|; 'psd' |X|², doubled except at the first and the last frequency
 *
 * [batch, time, channels] → [batch, frames, channels · frequencies] with fftLength / 2 + 1 frequencies; with channelsFirst
 * [batch, channels, time] → [batch, channels · frequencies, frames]. The real and imaginary kernels are weights.
 *
 *   new STFTSpectrogram({ mode: 'log', frameLength: 256, frameStep: 128, fftLength: 512, trainable: false })
 *
 * Keras: `keras.layers.STFTSpectrogram`, which also has scipy's other windows: pass their values.
 * @throws ShapeError unless the input has three axes
 */
export class STFTSpectrogram extends STFTSpectrogramBase {
  static readonly className = 'STFTSpectrogram'
  /** @internal */
  static override readonly traits: LayerTraits<STFTSpectrogram> = {
    form: TENSOR,
    requiredInputs: () => ({ ndim: 3 }),
    checkShape(layer, shape, built) {
      requireSameRank(layer, shape, built)
      // The number of channels is that of the outputs.
      requireExtents(layer, shape, built, [layer.isFirst ? 1 : 2])
      const time = shape[layer.isFirst ? 2 : 1]
      if (layer.padding === 'valid' && time != null && time < layer.frameLength)
        throw new ShapeError(
          `${layer}: a signal must have at least ${layer.frameLength} samples, a frame, received ${time}`,
        )
    },
  }
  private real: Variable | null = null
  private imag: Variable | null = null

  protected override checkOptions(): void {
    const { frameLength, frameStep, fftLength } = this
    if (frameStep !== null && frameStep > frameLength)
      throw new ArgumentError(`${this}: frameStep must be at most frameLength, ${frameLength}, received ${frameStep}`)
    if (fftLength !== null && fftLength < frameLength)
      throw new ArgumentError(`${this}: fftLength must be at least frameLength, ${frameLength}, received ${fftLength}`)
  }

  private get step(): number {
    return this.frameStep ?? Math.max(1, Math.floor(this.frameLength / 2))
  }

  private get frequencies(): number {
    return Math.floor((this.fftLength ?? 2 ** Math.ceil(Math.log2(this.frameLength))) / 2) + 1
  }

  private get isFirst(): boolean {
    return this.dataFormat === 'channelsFirst'
  }

  /** [frameLength, 1, frequencies]; not in mode 'imag' */
  get realKernel(): Variable {
    return this.requireBuilt(this.real)
  }

  /** [frameLength, 1, frequencies]; not in mode 'real' */
  get imagKernel(): Variable {
    return this.requireBuilt(this.imag)
  }

  override build(inputShape: BatchShape): void {
    this.requireSignals(inputShape)
    const { window, scaling, periodic } = this
    const kernel = (side: 'real' | 'imag'): Variable =>
      this.addWeight({
        name: `${side}Kernel`,
        shape: [this.frameLength, 1, this.frequencies],
        initializer: new STFT({ side, window, scaling, periodic }),
      })
    if (this.mode !== 'imag') this.real = kernel('real')
    if (this.mode !== 'real') this.imag = kernel('imag')
  }

  private requireSignals(shape: BatchShape): void {
    if (shape.length === 3) return
    const form = this.isFirst ? 'channels, time' : 'time, channels'
    throw new ShapeError(`${this}: the input must be [batch, ${form}], received ${formatShape(shape)}`)
  }

  /** [batch, channels, frames, frequencies] of x [batch, channels, time] */
  private transformed(x: Tensor, kernel: Variable): Tensor {
    const [batch, channels, time] = exactly(x.shape, 3)
    const frames = conv(reshape(x, [batch * channels, time, 1]), kernel, { strides: this.step, padding: this.padding })
    return reshape(frames, [batch, channels, ...frames.shape.slice(1)])
  }

  call(x: Tensor): Tensor {
    const signals = this.isFirst ? x : transpose(x, [0, 2, 1])
    return this.arranged(this.spectrum(signals))
  }

  private spectrum(x: Tensor): Tensor {
    const { mode } = this
    if (mode === 'real') return this.transformed(x, this.realKernel)
    if (mode === 'imag') return this.transformed(x, this.imagKernel)
    const [real, imag] = [this.transformed(x, this.realKernel), this.transformed(x, this.imagKernel)]
    if (mode === 'stft') return concatenate([real, imag], -1)
    if (mode === 'angle') return arctan2(imag, real)
    const power = add(square(real), square(imag))
    if (mode === 'psd') return multiply(power, this.sides())
    const magnitude = sqrt(maximum(power, LEAST))
    return mode === 'magnitude' ? magnitude : log(maximum(magnitude, LEAST))
  }

  /** How many frequencies, positive and negative ones, each stands for. */
  private sides(): Tensor {
    const last = this.frequencies - 1
    const data = Float32Array.from({ length: last + 1 }, (_, f) => (f === 0 || f === last ? 1 : 2))
    return new Tensor(data, [last + 1], 'float32')
  }

  private arranged(x: Tensor): Tensor {
    const [batch, channels, frames, frequencies] = exactly(x.shape, 4)
    if (this.isFirst)
      return this.expandDims ? x : reshape(transpose(x, [0, 1, 3, 2]), [batch, channels * frequencies, frames])
    if (this.expandDims) return transpose(x, [0, 2, 3, 1])
    return reshape(transpose(x, [0, 2, 1, 3]), [batch, frames, channels * frequencies])
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    this.requireSignals(inputShape)
    const [batch, ...others] = exactly(inputShape, 3)
    const [channels, time] = this.isFirst ? others : [others[1], others[0]]
    const places = (long: number): number =>
      this.padding === 'same' ? Math.ceil(long / this.step) : Math.floor((long - this.frameLength) / this.step) + 1
    const frames = time == null ? null : places(time)
    const frequencies = this.frequencies * (this.mode === 'stft' ? 2 : 1)
    if (this.expandDims)
      return this.isFirst ? [batch, channels!, frames, frequencies] : [batch, frames, frequencies, channels!]
    const all = channels == null ? null : channels * frequencies
    return this.isFirst ? [batch, all, frames] : [batch, frames, all]
  }
}
