// Signals as overlapping sequences, and their short-time Fourier transforms.

import { operand, whole, type ArgumentKind } from '../kinds'
import { arg, op, optional } from '../op'
import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, nullable } from '../../core/options'
import { exactly } from '../../core/tuples'
import { requireShape } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import { sliceAlong } from '../numpy/along'
import { cast, divide, greater, multiply, square, where } from '../numpy/elementwise'
import { pad } from '../numpy/pad'
import { broadcastTo, reshape, scatterAdd, take } from '../numpy/shape'
import { Tensor } from '../tensor'
import { complexLike, complexOf, type Complex } from './complex'
import { irfft, rfft } from './fourier'
import { windowElement } from './windows'

/** 'hann' or 'hamming', both periodic; or the values of a window. */
export type Window = 'hann' | 'hamming' | TensorLike

export interface StftOptions {
  /** The window that each sequence is multiplied by; null for none. Default 'hann'. */
  readonly window?: Window | null
  /** Whether the middle of sequence i, instead of its start, is at i · sequenceStride. Default true. */
  readonly center?: boolean
}

export interface IstftOptions extends StftOptions {
  /** The number of elements of the signal; null for all. Default null. */
  readonly length?: number | null
}

const names = /* @__PURE__ */ choice('hann', 'hamming')

/** A name or the values of a window, which `windowOf` converts; null for none. */
const windowKind: ArgumentKind<Window | null> = {
  holds: 'operand',
  read: (value: Window | null, what) => (typeof value === 'string' ? names.read(value, what) : value),
}

/** The sizes of a transform of sequences. */
const sizes = () =>
  [arg('sequenceLength', whole(1)), arg('sequenceStride', whole(1)), arg('fftLength', whole(1))] as const

/** The largest number that divides both. */
function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

/** [sequences · pieces]: the positions, in pieces, of the pieces of all sequences. */
function piecesOf(sequences: number, pieces: number, step: number): Tensor {
  const data = Int32Array.from({ length: sequences * pieces }, (_, i) => Math.floor(i / pieces) * step + (i % pieces))
  return new Tensor(data, [data.length], 'int32')
}

export const extractSequences = op(
  () => [arg('x', operand), arg('sequenceLength', whole(1)), arg('sequenceStride', whole(1))],
  {
    /**
     * Overlapping sequences along the last axis: sequence i begins at element i · sequenceStride. Elements after the last whole
     * sequence are dropped.
     * @param x [… n], of any dtype
     * @returns [… sequences, sequenceLength] with ⌊(n − sequenceLength) / sequenceStride⌋ + 1 sequences; none if x is shorter than one
     * @example ops.extractSequences([1, 2, 3, 4, 5], 3, 2)   // [[1, 2, 3], [3, 4, 5]]
     * Keras: `keras.ops.extract_sequences`.
     */
    extractSequences(x, sequenceLength, sequenceStride): Tensor {
      const value = asTensor(x, 'extractSequences')
      if (value.rank === 0) throw new ShapeError('extractSequences: a scalar has no axis')
      return sequencesOf('extractSequences', value, sequenceLength, sequenceStride)
    },
  },
)

// Pieces whose length divides both the length and the stride are moved as a whole.
function sequencesOf(where: string, x: Tensor, length: number, stride: number): Tensor {
  const front = x.shape.slice(0, -1)
  const extent = x.shape.at(-1)!
  const sequences = Math.max(0, Math.floor((extent - length) / stride) + 1)
  requireShape(where, [...front, sequences, length])
  if (sequences === 0) return reshape(sliceAlong(x, x.rank - 1, 0, 0), [...front, 0, length])
  const piece = commonDivisor(length, stride)
  const whole = Math.floor(extent / piece)
  const pieces = reshape(sliceAlong(x, x.rank - 1, 0, whole * piece), [...front, whole, piece])
  const taken = take(pieces, piecesOf(sequences, length / piece, stride / piece), -2)
  return reshape(taken, [...front, sequences, length])
}

/** The adjoint of `sequencesOf`: adds sequences [… sequences, length] at their positions → [… stride · (sequences − 1) + length]. */
function overlapAdd(where: string, x: Tensor, stride: number): Tensor {
  const front = x.shape.slice(0, -2)
  const [sequences, length] = exactly(x.shape.slice(-2), 2)
  const extent = stride * (sequences - 1) + length
  requireShape(where, [...front, extent])
  const piece = commonDivisor(length, stride)
  const pieces = reshape(x, [...front, (sequences * length) / piece, piece])
  const positions = piecesOf(sequences, length / piece, stride / piece)
  return reshape(scatterAdd(pieces, positions, extent / piece, -2), [...front, extent])
}

/** Adds zeros at both ends of the last axis. */
function padEnds(x: Tensor, before: number, after: number): Tensor {
  if (before === 0 && after === 0) return x
  return pad(
    x,
    x.shape.map((_, i) => (i === x.rank - 1 ? ([before, after] as const) : ([0, 0] as const))),
  )
}

/** Sizes of a transform. A sequence is in the middle of `fftLength` elements, `before` of which are zeros. */
interface Frames {
  readonly length: number
  readonly stride: number
  readonly fftLength: number
  readonly before: number
}

function framesOf(where: string, length: number, stride: number, fftLength: number): Frames {
  if (fftLength < length)
    throw new ArgumentError(`${where}: fftLength must be at least sequenceLength, received ${fftLength} and ${length}`)
  return { length, stride, fftLength, before: (fftLength - length) >> 1 }
}

/** The values of a window [length]. */
function windowOf(where: string, window: Window, length: number): Tensor {
  if (window === 'hann' || window === 'hamming') {
    const data = Float32Array.from({ length }, (_, i) => windowElement(window, i, length, true))
    return new Tensor(data, [length], 'float32')
  }
  const values = cast(asTensor(window, `${where}: window`), 'float32')
  if (values.rank !== 1 || values.size !== length)
    throw new ShapeError(
      `${where}: the window must have the shape of a sequence, [${length}], received ${formatShape(values.shape)}`,
    )
  return values
}

export const stft = op(
  () => [arg('x', operand), ...sizes(), optional('window', windowKind), optional('center', boolean)],
  {
    /**
     * The short-time Fourier transform: the transforms of the overlapping sequences of a signal, each multiplied by a window,
     *
     *   X[i, k] = Σ_t w[t] x[i · sequenceStride + t] e^(−2πi kt / fftLength)
     *
     * A sequence that is shorter than `fftLength` is in the middle of zeros.
     * @param x [… n], real
     * @param sequenceLength the number of elements of a sequence
     * @param sequenceStride the distance between sequences
     * @param fftLength at least sequenceLength; a power of two is fastest
     * @param window 'hann', 'hamming', the values of a window [sequenceLength], or null for none. Default 'hann'.
     * @param center extends the signal by fftLength / 2 mirrored elements at both ends, so that element i · sequenceStride is in the
     *   middle of sequence i. Default true.
     * @returns {real, imag} [… sequences, ⌊fftLength / 2⌋ + 1]
     * @throws ShapeError when x is shorter than one sequence
     * @example ops.stft(signal, 256, 128, 256)
     * @example ops.stft(signal, 256, 128, 512, { window: 'hamming', center: false })
     * Keras: `keras.ops.stft`.
     */
    stft(x, sequenceLength, sequenceStride, fftLength, window = 'hann', center = true): Complex {
      const { length, stride, fftLength: size, before } = framesOf('stft', sequenceLength, sequenceStride, fftLength)
      const value = asTensor(x, 'stft')
      if (value.rank === 0) throw new ShapeError('stft: a scalar has no axis')
      const floats = cast(value, 'float32')
      const half = center ? size >> 1 : 0
      const long = requireShape('stft', [...floats.shape.slice(0, -1), floats.shape.at(-1)! + 2 * half]).at(-1)!
      if (long < size)
        throw new ShapeError(`stft: ${formatShape(floats.shape)} is shorter than one sequence of fftLength ${size}`)
      const signal =
        half === 0
          ? floats
          : pad(
              floats,
              floats.shape.map((_, i) => (i === floats.rank - 1 ? ([half, half] as const) : ([0, 0] as const))),
              'reflect',
            )
      // Without a window, the whole of fftLength is a sequence.
      if (window === null) return rfft(sequencesOf('stft', signal, size, stride), size)
      const inner = sliceAlong(signal, signal.rank - 1, before, long - (size - length))
      const sequences = multiply(sequencesOf('stft', inner, length, stride), windowOf('stft', window, length))
      return rfft(padEnds(sequences, before, size - length - before), size)
    },
  },
)

export const istft = op(
  () => [
    arg('x', complexLike),
    ...sizes(),
    optional('length', nullable(whole(0))),
    optional('window', windowKind),
    optional('center', boolean),
  ],
  {
    /**
     * The inverse of `stft` with the same arguments: adds the overlapping sequences, each multiplied by the window, and divides
     * by the sum of the squared windows. Elements at which no window has weight are 0.
     *
     * Without a window, the result is the mean of the sequences at each element, times fftLength / sequenceStride.
     * @param x {real, imag} [… sequences, ⌊fftLength / 2⌋ + 1]
     * @param length the number of elements of the result, which is never longer than the sequences reach; null for all. Default null.
     * @returns [… n]
     * @example ops.istft(ops.stft(signal, 256, 128, 256), 256, 128, 256)
     * Keras: `keras.ops.istft`. With sequenceStride = fftLength, Keras on JAX adds sequences as if they overlapped.
     */
    istft(x, sequenceLength, sequenceStride, fftLength, length = null, window = 'hann', center = true): Tensor {
      const {
        length: frame,
        stride,
        fftLength: size,
        before,
      } = framesOf('istft', sequenceLength, sequenceStride, fftLength)
      const value = complexOf('istft', x)
      const { rank, shape } = value.real
      if (rank < 2 || shape.at(-2) === 0)
        throw new ShapeError(
          `istft: expected [… sequences, frequencies] with at least one sequence, received ${formatShape(shape)}`,
        )
      const sequences = irfft(value, size)
      const weights = window === null ? null : windowOf('istft', window, frame)
      const signal = weights === null ? meanOf(sequences, stride) : weighted(sequences, weights, stride, before)
      const start = center ? size >> 1 : 0
      const extent = signal.shape.at(-1)!
      const end = length === null ? extent - start : Math.min(extent, start + length)
      return sliceAlong(signal, signal.rank - 1, Math.min(start, extent), Math.max(0, end - start))
    },
  },
)

/** The mean of the sequences at each element, times the number of those that overlap within a sequence. */
/* @__NO_SIDE_EFFECTS__ */
function meanOf(sequences: Tensor, stride: number): Tensor {
  const [count, size] = exactly(sequences.shape.slice(-2), 2)
  const covered = overlapAdd('istft', broadcastTo(1, [count, size]), stride)
  // No element is uncovered unless the stride is longer than a sequence.
  return multiply(divide(overlapAdd('istft', sequences, stride), where(greater(covered, 0), covered, 1)), size / stride)
}

function weighted(sequences: Tensor, window: Tensor, stride: number, before: number): Tensor {
  const [count, size] = exactly(sequences.shape.slice(-2), 2)
  const length = window.size
  const inner = sliceAlong(sequences, sequences.rank - 1, before, length)
  const norm = overlapAdd('istft', broadcastTo(square(window), [count, length]), stride)
  const added = overlapAdd('istft', multiply(inner, window), stride)
  return padEnds(divide(added, where(greater(norm, 1e-10), norm, 1)), before, size - length - before)
}
