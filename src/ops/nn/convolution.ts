// Convolutions of [batch, …spatial axes, channels] with one to three spatial axes, as in Keras.

import { ShapeError, formatShape } from '../../core/errors'
import { nullable } from '../../core/options'
import { sizeOf } from '../../core/shapes'
import { exactly } from '../../core/tuples'
import type { PaddedAttributes } from '../../engine/ir/attributes'
import { asTensor, type TensorLike } from '../convert'
import { needWindows } from '../families'
import { operand } from '../kinds'
import { cast } from '../numpy/elementwise'
import { broadcastTo, reshape } from '../numpy/shape'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'
import { apply } from '../trace'
import { lastFormat, type LastFormatOption } from './channels'
import {
  padding as paddingKind,
  paddingAlong,
  perAxis,
  placesIn,
  sizes,
  sizesOrNull,
  type Padding,
  type Sizes,
  type Sliding,
} from './sliding'

export interface ConvOptions extends LastFormatOption {
  /** The step of the window, for all axes or per axis. Default 1. */
  readonly strides?: number | readonly number[]
  /** 'valid', or 'same' for ⌈extent / stride⌉ places. Default valid. */
  readonly padding?: 'valid' | 'same'
  /** The distance between neighbouring taps, for all axes or per axis. Default 1. */
  readonly dilationRate?: number | readonly number[]
}

export interface ConvTransposeOptions extends ConvOptions {
  /**
   * The number of additional elements at the end of each axis; null for the number implied by the stride.
   * Default null.
   */
  readonly outputPadding?: number | readonly number[] | null
}

const MOST_AXES = 3

function operands(where: string, x: TensorLike, kernel: TensorLike): readonly [Tensor, Tensor] {
  const values = exactly(
    [x, kernel].map((each) => cast(asTensor(each, where), 'float32')),
    2,
  )
  const rank = values[0].rank - 2
  if (rank >= 1 && rank <= MOST_AXES && values[1].rank === rank + 2) return values
  throw new ShapeError(
    `${where}: expected x [batch, 1 to ${MOST_AXES} spatial axes, channels] and a kernel of the same rank, received ${formatShape(values[0].shape)} and ${formatShape(values[1].shape)}`,
  )
}

/** How the window slides, in Keras's order. */
const slidingParameters = () =>
  [
    optional('strides', sizes),
    optional('padding', paddingKind),
    optional('dataFormat', lastFormat),
    optional('dilationRate', sizes),
  ] as const

function slidingOf(where: string, kernel: Tensor, strides: Sizes, padding: Padding, dilationRate: Sizes): Sliding {
  const each = perAxis(kernel.rank - 2)
  return {
    strides: each.read(strides, `${where}: strides`),
    padding,
    dilation: each.read(dilationRate, `${where}: dilationRate`),
    window: kernel.shape.slice(0, -2),
  }
}

/** Describes how a window slides over x, including the zeros around x. */
function slideOver(x: Tensor, { window, strides, dilation, padding: how }: Sliding): PaddedAttributes {
  const sides = window.map((taps, i) => paddingAlong(x.shape[i + 1]!, taps, strides[i]!, dilation[i]!, how))
  return { strides, dilation, before: sides.map(([before]) => before), after: sides.map(([, after]) => after) }
}

export const conv = op(() => [arg('inputs', operand), arg('kernel', operand), ...slidingParameters()], {
  /**
   * y[n, o, f] = Σ x[n, o · stride + t · dilation, c] · kernel[t, c, f] over the taps t of a window and the channels c.
   * If the kernel has fewer channels than x, groups of channels are convolved separately.
   * @param inputs x [batch, …spatial, channels]
   * @param kernel [… window, channels / groups, filters]
   * @param strides the step of the window, for all axes or per axis. Default 1
   * @param padding 'valid', or 'same' for ⌈extent / stride⌉ places. Default valid
   * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
   * @param dilationRate the distance between neighbouring taps, for all axes or per axis. Default 1
   * @returns [batch, …places, filters]
   * @throws ShapeError when the channels cannot be divided into groups, or the window does not fit
   * @example ops.conv(images, kernel, { strides: 2, padding: 'same' })
   * Keras: `keras.ops.conv`.
   */
  conv(inputs, kernel, strides = 1, padding = 'valid', _dataFormat?, dilationRate = 1): Tensor {
    const [value, taps] = operands('conv', inputs, kernel)
    return convolve('conv', value, taps, slidingOf('conv', taps, strides, padding, dilationRate))
  },
})

/** @param where names the op or the layer in errors */
export function convolve(where: string, x: Tensor, kernel: Tensor, sliding: Sliding): Tensor {
  const [channels, filters] = exactly(kernel.shape.slice(-2), 2)
  const groups = x.shape.at(-1)! / channels
  if (!Number.isInteger(groups) || groups < 1 || filters % groups !== 0) {
    throw new ShapeError(
      `${where}: a kernel ${formatShape(kernel.shape)} must have channels that divide those of ${formatShape(x.shape)} into groups, and the same number of filters for each group`,
    )
  }
  placesIn(where, x.shape.slice(1, -1), sliding)
  needWindows()
  return apply('convolution', [cast(x, 'float32'), kernel], { ...slideOver(x, sliding), groups })[0]!
}

export const depthwiseConv = op(() => [arg('inputs', operand), arg('kernel', operand), ...slidingParameters()], {
  /**
   * Convolves each channel separately: y[n, o, c · m + j] = Σ x[n, o · stride + t · dilation, c] · kernel[t, c, j].
   * @param kernel [… window, channels, m]: m results for each channel
   * @returns [batch, …places, channels · m]
   * Keras: `keras.ops.depthwise_conv`.
   */
  depthwiseConv(inputs, kernel, strides = 1, padding = 'valid', _dataFormat?, dilationRate = 1): Tensor {
    const [value, taps] = operands('depthwiseConv', inputs, kernel)
    const sliding = slidingOf('depthwiseConv', taps, strides, padding, dilationRate)
    return convolveDepthwise('depthwiseConv', value, taps, sliding)
  },
})

export function convolveDepthwise(where: string, x: Tensor, kernel: Tensor, sliding: Sliding): Tensor {
  const [channels, multiplier] = exactly(kernel.shape.slice(-2), 2)
  if (x.shape.at(-1) !== channels) {
    throw new ShapeError(
      `${where}: a kernel ${formatShape(kernel.shape)} needs ${channels} channels, received ${formatShape(x.shape)}`,
    )
  }
  placesIn(where, x.shape.slice(1, -1), sliding)
  const taps = reshape(kernel, [...kernel.shape.slice(0, -2), channels * multiplier])
  needWindows()
  return apply(
    'depthwiseConvolution',
    [repeatChannels(cast(x, 'float32'), multiplier), taps],
    slideOver(x, sliding),
  )[0]!
}

/** Repeats each channel `times` times. */
function repeatChannels(x: Tensor, times: number): Tensor {
  if (times === 1) return x
  const shape = [...x.shape, times]
  return reshape(broadcastTo(reshape(x, [...x.shape, 1]), shape), [...x.shape.slice(0, -1), x.shape.at(-1)! * times])
}

export const separableConv = op(
  () => [
    arg('inputs', operand),
    arg('depthwiseKernel', operand),
    arg('pointwiseKernel', operand),
    ...slidingParameters(),
  ],
  {
    /**
     * depthwiseConv, followed by a matrix product over the channels.
     * @param depthwiseKernel [… window, channels, m]
     * @param pointwiseKernel [1, …, channels · m, filters]
     * Keras: `keras.ops.separable_conv`.
     */
    separableConv(
      inputs,
      depthwiseKernel,
      pointwiseKernel,
      strides = 1,
      padding = 'valid',
      _dataFormat?,
      dilationRate = 1,
    ): Tensor {
      const [value, taps] = operands('separableConv', inputs, depthwiseKernel)
      const [, mixing] = operands('separableConv', inputs, pointwiseKernel)
      const sliding = slidingOf('separableConv', taps, strides, padding, dilationRate)
      return convolveSeparable('separableConv', value, taps, mixing, sliding)
    },
  },
)

export function convolveSeparable(
  where: string,
  x: Tensor,
  depthwise: Tensor,
  pointwise: Tensor,
  sliding: Sliding,
): Tensor {
  if (sizeOf(pointwise.shape.slice(0, -2)) !== 1)
    throw new ShapeError(
      `${where}: the pointwise kernel must be [1, …, channels, filters], received ${formatShape(pointwise.shape)}`,
    )
  const ones = sliding.window.map(() => 1)
  return convolve(where, convolveDepthwise(where, x, depthwise, sliding), pointwise, {
    window: ones,
    strides: ones,
    dilation: ones,
    padding: 'valid',
  })
}

export const convTranspose = op(
  () => [
    arg('inputs', operand),
    arg('kernel', operand),
    optional('strides', sizes),
    optional('padding', paddingKind),
    optional('outputPadding', sizesOrNull),
    optional('dataFormat', lastFormat),
    optional('dilationRate', sizes),
  ],
  {
    /**
     * The transpose of `conv`: each x[n, i, c] adds to the window that starts at i · stride,
     * y[n, i · stride + t · dilation, f] += x[n, i, c] · kernel[t, f, c].
     * @param kernel [… window, filters, channels]
     * @param strides the step of the window, for all axes or per axis. Default 1
     * @param padding 'valid', or 'same' for ⌈extent / stride⌉ places. Default valid
     * @param outputPadding the additional elements at the end of each axis; null for what the stride implies. Default null
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @param dilationRate the distance between neighbouring taps, for all axes or per axis. Default 1
     * @returns [batch, …, filters]; with 'same' padding each axis is `stride` times as long, with 'valid' it has the extent
     *   (extent − 1) · stride + max(window, stride)
     * Keras: `keras.ops.conv_transpose`.
     */
    convTranspose(
      inputs,
      kernel,
      strides = 1,
      padding = 'valid',
      outputPadding = null,
      _dataFormat?,
      dilationRate = 1,
    ): Tensor {
      const [value, taps] = operands('convTranspose', inputs, kernel)
      const more = nullable(perAxis(taps.rank - 2, 0)).read(outputPadding, 'convTranspose: outputPadding')
      const sliding = slidingOf('convTranspose', taps, strides, padding, dilationRate)
      return transposeConvolve('convTranspose', value, taps, sliding, more)
    },
  },
)

/**
 * The elements to cut from both ends of an axis of the full transposed convolution. A negative number at the
 * end adds zeros.
 */
function cropAlong(
  taps: number,
  stride: number,
  dilation: number,
  how: Padding,
  more: number | null,
): [before: number, after: number] {
  const reach = (taps - 1) * dilation
  const spread = reach + 1
  if (how === 'valid') return [0, -(more ?? Math.max(spread, stride) - spread)]
  const pad = more === null ? stride + spread - 2 : spread + (spread % 2) - 2 + more
  const left = Math.min(Math.ceil(pad / 2), reach)
  return [reach - left, reach - (pad - left)]
}

/** The spatial extents of a transposed convolution's result. */
export function transposedLengths(
  spatial: readonly (number | null)[],
  { window, strides, dilation, padding: how }: Sliding,
  outputPadding: readonly number[] | null,
): (number | null)[] {
  return spatial.map((extent, i) => {
    if (extent === null) return null
    const [before, after] = cropAlong(window[i]!, strides[i]!, dilation[i]!, how, outputPadding?.[i] ?? null)
    return fullLength(extent, window[i]!, strides[i]!, dilation[i]!) - before - after
  })
}

const fullLength = (extent: number, taps: number, stride: number, dilation: number): number =>
  (extent - 1) * stride + (taps - 1) * dilation + 1

export function transposeConvolve(
  where: string,
  x: Tensor,
  kernel: Tensor,
  sliding: Sliding,
  outputPadding: readonly number[] | null,
): Tensor {
  const { window, strides, dilation, padding: how } = sliding
  if (kernel.shape.at(-1) !== x.shape.at(-1)) {
    throw new ShapeError(
      `${where}: a kernel [… window, filters, channels] ${formatShape(kernel.shape)} needs ${kernel.shape.at(-1)} channels, received ${formatShape(x.shape)}`,
    )
  }
  const spatial = x.shape.slice(1, -1)
  const lengths = transposedLengths(spatial, sliding, outputPadding)
  if (lengths.some((length) => length! < 1))
    throw new ShapeError(
      `${where}: the result ${formatShape(lengths)} would be empty: the window ${formatShape(window)} is too small for the strides ${formatShape(strides)}`,
    )
  const crops = window.map((taps, i) => cropAlong(taps, strides[i]!, dilation[i]!, how, outputPadding?.[i] ?? null))
  const [before, after] = [crops.map(([each]) => each), crops.map(([, each]) => each)]
  needWindows()
  return apply('convolutionTranspose', [cast(x, 'float32'), kernel], {
    strides,
    dilation,
    before,
    after,
    groups: 1,
    spatial: lengths.map((length) => length!),
  })[0]!
}
