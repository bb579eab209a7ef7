// Maxima and averages over windows of [batch, …spatial axes, channels], as in Keras.

import { ShapeError, formatShape } from '../../core/errors'
import { sizeOf } from '../../core/shapes'
import { asTensor, type TensorLike } from '../convert'
import { needWindows } from '../families'
import { operand } from '../kinds'
import { cast, divide, multiply } from '../numpy/elementwise'
import { arg, op, optional } from '../op'
import { Tensor } from '../tensor'
import { apply } from '../trace'
import { dataFormat as formatKind, withChannelsLast, type DataFormat } from './channels'
import {
  padFor,
  padding as paddingKind,
  paddingAlong,
  perAxis,
  placesIn,
  sizes,
  sizesOrNull,
  withinReach,
  type Padding,
  type Sizes,
  type Sliding,
} from './sliding'

export interface PoolOptions {
  /**
   * The step of the window, for all axes or per axis; null for its size, so that windows do not overlap.
   * Default null.
   */
  readonly strides?: number | readonly number[] | null
  /** 'valid', or 'same' for ⌈extent / stride⌉ places. Padding is ignored by maxima and averages. Default valid. */
  readonly padding?: 'valid' | 'same'
  /** Where the channels are: 'channelsLast' or 'channelsFirst'; null means last. Default null. */
  readonly dataFormat?: DataFormat
}

/** The number of spatial axes of [batch, …spatial axes, channels]. */
export function spatialRank(where: string, x: Tensor): number {
  if (x.rank > 2) return x.rank - 2
  throw new ShapeError(`${where}: expected [batch, …spatial axes, channels], received ${formatShape(x.shape)}`)
}

const poolParameters = () =>
  [
    arg('inputs', operand),
    arg('poolSize', sizes),
    optional('strides', sizesOrNull),
    optional('padding', paddingKind),
    optional('dataFormat', formatKind),
  ] as const

function pooled(
  where: string,
  pool: (where: string, x: Tensor, sliding: Sliding) => Tensor,
  x: TensorLike,
  poolSize: Sizes,
  strides: Sizes | null,
  padding: Padding,
  dataFormat: DataFormat,
): Tensor {
  const value = cast(asTensor(x, where), 'float32')
  const each = perAxis(spatialRank(where, value))
  const window = each.read(poolSize, `${where}: poolSize`)
  const sliding: Sliding = {
    window,
    strides: strides === null ? window : each.read(strides, `${where}: strides`),
    dilation: window.map(() => 1),
    padding,
  }
  return withChannelsLast(value, dataFormat, (last) => pool(where, last, sliding))
}

export const maxPool = op(poolParameters, {
  /**
   * The largest element of each window: y[n, o, c] = max x[n, o · stride + t, c] over the taps t. Of equal elements the
   * first gets the gradient.
   * @param inputs x [batch, …spatial, channels]
   * @param poolSize the window, for all axes or per axis
   * @param strides the step of the window, for all axes or per axis. Default null: poolSize
   * @param padding 'valid' or 'same'. Default valid
   * @param dataFormat 'channelsLast' or 'channelsFirst'. Default null: last
   * @returns [batch, …places, channels]
   * @example ops.maxPool(images, 2)
   * Keras: `keras.ops.max_pool`.
   */
  maxPool(inputs, poolSize, strides = null, padding = 'valid', dataFormat = null): Tensor {
    return pooled('maxPool', poolMax, inputs, poolSize, strides, padding, dataFormat)
  },
})

/** @param where names the op or the layer in errors */
export function poolMax(where: string, x: Tensor, wanted: Sliding): Tensor {
  const sliding = withinReach(x.shape.slice(1, -1), wanted)
  placesIn(where, x.shape.slice(1, -1), sliding)
  const { window, strides } = sliding
  needWindows()
  return apply('maxPool', [padFor(cast(x, 'float32'), sliding, -Infinity)], { window, strides })[0]!
}

export const averagePool = op(poolParameters, {
  /**
   * The mean of each window. Keras: `keras.ops.average_pool`.
   * @param inputs x [batch, …spatial, channels]
   * @param poolSize the window, for all axes or per axis
   * @param strides the step of the window, for all axes or per axis. Default null: poolSize
   * @param padding 'valid' or 'same'. Default valid
   * @param dataFormat 'channelsLast' or 'channelsFirst'. Default null: last
   * @returns [batch, …places, channels]
   */
  averagePool(inputs, poolSize, strides = null, padding = 'valid', dataFormat = null): Tensor {
    return pooled('averagePool', poolAverage, inputs, poolSize, strides, padding, dataFormat)
  },
})

export function poolAverage(where: string, x: Tensor, wanted: Sliding): Tensor {
  const spatial = x.shape.slice(1, -1)
  const sliding = withinReach(spatial, wanted)
  const places = placesIn(where, spatial, sliding)
  const { window, strides } = sliding
  const value = cast(x, 'float32')
  const padded = padFor(value, sliding)
  needWindows()
  const sums = apply('sumPool', [padded], { window, strides })[0]!
  return padded === value ? multiply(sums, 1 / sizeOf(window)) : divide(sums, counts(spatial, places, sliding))
}

/** The number of elements of x in each window, [1, …places, 1]: the product of the counts per axis. */
function counts(
  spatial: readonly number[],
  places: readonly number[],
  { window, strides, padding: how }: Sliding,
): Tensor {
  const along = spatial.map((extent, i) => {
    const [before] = paddingAlong(extent, window[i]!, strides[i]!, 1, how)
    return Array.from({ length: places[i]! }, (_, place) => {
      const start = place * strides[i]! - before
      return Math.min(start + window[i]!, extent) - Math.max(start, 0)
    })
  })
  const data = along.reduce<number[]>((all, axis) => all.flatMap((head) => axis.map((count) => head * count)), [1])
  return new Tensor(Float32Array.from(data), [1, ...places, 1], 'float32')
}
