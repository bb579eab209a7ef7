// Maxima and averages over windows of [batch, …spatial axes, channels], as in Keras.

import { ShapeError, formatShape } from '../../core/errors'
import { nullable, option, required } from '../../core/options'
import { sizeOf } from '../../core/shapes'
import { readTyped } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { cast, divide, multiply } from '../numpy/elementwise'
import { needWindows } from '../families'
import type { Sliding } from './sliding'
import { padFor, padding, paddingAlong, perAxis, placesIn } from './sliding'
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
}

function slidingOf(where: string, x: Tensor, poolSize: unknown, options: PoolOptions): Sliding {
  const rank = x.rank - 2
  if (rank < 1)
    throw new ShapeError(`${where}: expected [batch, …spatial axes, channels], received ${formatShape(x.shape)}`)
  const { padding: how, ...rest } = readTyped(
    where,
    {
      poolSize: required(perAxis(rank)),
      strides: option(nullable(perAxis(rank)), null),
      padding: option(padding, 'valid'),
    },
    { ...options, poolSize },
  )
  return {
    window: rest.poolSize,
    strides: rest.strides ?? rest.poolSize,
    dilation: rest.poolSize.map(() => 1),
    padding: how,
  }
}

/**
 * The largest element of each window: y[n, o, c] = max x[n, o · stride + t, c] over the taps t. Of equal elements the
 * first gets the gradient.
 * @param x [batch, …spatial, channels]
 * @param poolSize the window, for all axes or per axis
 * @returns [batch, …places, channels]
 * @example ops.maxPool(images, 2)
 * Keras: `keras.ops.max_pool`.
 */
export function maxPool(x: TensorLike, poolSize: number | readonly number[], options?: PoolOptions): Tensor {
  const value = cast(asTensor(x, 'maxPool'), 'float32')
  return poolMax('maxPool', value, slidingOf('maxPool', value, poolSize, options ?? {}))
}

/** @param where names the op or the layer in errors */
export function poolMax(where: string, x: Tensor, sliding: Sliding): Tensor {
  placesIn(where, x.shape.slice(1, -1), sliding)
  const { window, strides } = sliding
  needWindows()
  return apply('maxPool', [padFor(cast(x, 'float32'), sliding, -Infinity)], { window, strides })[0]!
}

/**
 * The mean of each window. Keras: `keras.ops.average_pool`.
 * @param x [batch, …spatial, channels]
 * @param poolSize the window, for all axes or per axis
 * @returns [batch, …places, channels]
 */
export function averagePool(x: TensorLike, poolSize: number | readonly number[], options?: PoolOptions): Tensor {
  const value = cast(asTensor(x, 'averagePool'), 'float32')
  return poolAverage('averagePool', value, slidingOf('averagePool', value, poolSize, options ?? {}))
}

export function poolAverage(where: string, x: Tensor, sliding: Sliding): Tensor {
  const spatial = x.shape.slice(1, -1)
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
