// Maxima and averages over windows of [batch, …spatial axes, channels], as in Keras.

import { ShapeError, formatShape } from '../../core/errors'
import { nullable, option } from '../../core/options'
import { sizeOf } from '../../core/shapes'
import { readArguments } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { cast, divide, multiply } from '../numpy/elementwise'
import { needWindows } from '../families'
import type { DataFormat } from './channels'
import { dataFormat, withChannelsLast } from './channels'
import type { Sliding } from './sliding'
import { padFor, padding, paddingAlong, perAxis, placesIn, withinReach } from './sliding'
import { Tensor } from '../tensor'
import { apply } from '../trace'

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

function pooled(
  where: string,
  pool: (where: string, x: Tensor, sliding: Sliding) => Tensor,
  x: TensorLike,
  poolSize: unknown,
  ...options: readonly [strides: unknown, padding: unknown, dataFormat: unknown]
): Tensor {
  const value = cast(asTensor(x, where), 'float32')
  const rank = spatialRank(where, value)
  const given = readArguments(
    where,
    {
      strides: option(nullable(perAxis(rank)), null),
      padding: option(padding, 'valid'),
      dataFormat: option(dataFormat, null),
    },
    ...options,
  )
  const window = perAxis(rank).read(poolSize, `${where}: poolSize`)
  return withChannelsLast(value, given.dataFormat, (last) =>
    pool(where, last, {
      window,
      strides: given.strides ?? window,
      dilation: window.map(() => 1),
      padding: given.padding,
    }),
  )
}

/**
 * The largest element of each window: y[n, o, c] = max x[n, o · stride + t, c] over the taps t. Of equal elements the
 * first gets the gradient.
 * @param inputs x [batch, …spatial, channels]
 * @param poolSize the window, for all axes or per axis
 * @param strides the step of the window, or all options. Default null: poolSize
 * @param padding 'valid' or 'same'. Default valid
 * @param dataFormat 'channelsLast' or 'channelsFirst'. Default null: last
 * @returns [batch, …places, channels]
 * @example ops.maxPool(images, 2)
 * Keras: `keras.ops.max_pool`.
 */
export function maxPool(
  inputs: TensorLike,
  poolSize: number | readonly number[],
  strides?: PoolOptions['strides'] | PoolOptions,
  padding?: PoolOptions['padding'],
  dataFormat?: DataFormat,
): Tensor {
  return pooled('maxPool', poolMax, inputs, poolSize, strides, padding, dataFormat)
}

/** @param where names the op or the layer in errors */
export function poolMax(where: string, x: Tensor, given: Sliding): Tensor {
  const sliding = withinReach(x.shape.slice(1, -1), given)
  placesIn(where, x.shape.slice(1, -1), sliding)
  const { window, strides } = sliding
  needWindows()
  return apply('maxPool', [padFor(cast(x, 'float32'), sliding, -Infinity)], { window, strides })[0]!
}

/**
 * The mean of each window. Keras: `keras.ops.average_pool`.
 * @param inputs x [batch, …spatial, channels]
 * @param poolSize the window, for all axes or per axis
 * @param strides the step of the window, or all options. Default null: poolSize
 * @param padding 'valid' or 'same'. Default valid
 * @param dataFormat 'channelsLast' or 'channelsFirst'. Default null: last
 * @returns [batch, …places, channels]
 */
export function averagePool(
  inputs: TensorLike,
  poolSize: number | readonly number[],
  strides?: PoolOptions['strides'] | PoolOptions,
  padding?: PoolOptions['padding'],
  dataFormat?: DataFormat,
): Tensor {
  return pooled('averagePool', poolAverage, inputs, poolSize, strides, padding, dataFormat)
}

export function poolAverage(where: string, x: Tensor, given: Sliding): Tensor {
  const spatial = x.shape.slice(1, -1)
  const sliding = withinReach(spatial, given)
  const places = placesIn(where, spatial, sliding)
  const { window, strides } = sliding
  const value = cast(x, 'float32')
  const padded = padFor(value, sliding)
  needWindows()
  const sums = apply('sumPool', [padded], { window, strides })[0]!
  return padded === value
    ? multiply(sums, 1 / sizeOf(window))
    : divide(sums, counts(spatial, places as number[], sliding))
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
