// Pooling to as many places as the caller wants: the windows follow from the extents.

import { asTensor, type TensorLike } from '../convert'
import { operand } from '../kinds'
import { takeAlong } from '../numpy/along'
import { cast } from '../numpy/elementwise'
import { concatenate } from '../numpy/shape'
import { arg, op, optional } from '../op'
import { Tensor } from '../tensor'
import { dataFormat, withChannelsLast, type DataFormat } from './channels'
import { poolAverage, poolMax, spatialRank } from './pooling'
import { perAxis, sizes, type Sizes, type Sliding } from './sliding'

/** The most places along an axis. More places than elements repeat elements, so this is enough. */
const MOST_OUTPUTS = 2 ** 20

/** The number of places along each of `rank` axes. */
export const outputSizes = (rank: number): ReturnType<typeof perAxis> => perAxis(rank, 1, MOST_OUTPUTS)

type Pool = (where: string, x: Tensor, sliding: Sliding) => Tensor

const adaptiveParameters = () =>
  [arg('inputs', operand), arg('outputSize', sizes), optional('dataFormat', dataFormat)] as const

export const adaptiveAveragePool = op(adaptiveParameters, {
  /**
   * The mean of each of outputSize windows along every spatial axis: y[i] is the mean of x[⌊i·n/o⌋ … ⌈(i + 1)·n/o⌉ − 1] for n
   * elements and o places. Keras: `keras.ops.adaptive_average_pool`.
   * @param inputs x [batch, …spatial, channels]
   * @param outputSize the number of places, for all axes or per axis
   * @param dataFormat 'channelsLast' or 'channelsFirst'. Default null: last
   * @returns [batch, …outputSize, channels]
   * @example ops.adaptiveAveragePool([[[1], [2], [3]]], 2)   // [[[1.5], [2.5]]]
   */
  adaptiveAveragePool(inputs, outputSize, dataFormat = null): Tensor {
    return adaptive('adaptiveAveragePool', adaptAverage, inputs, outputSize, dataFormat)
  },
})

export const adaptiveMaxPool = op(adaptiveParameters, {
  /**
   * The maximum of each of outputSize windows along every spatial axis. The windows are the same as in `adaptiveAveragePool`. Keras:
   * `keras.ops.adaptive_max_pool`.
   * @param inputs x [batch, …spatial, channels]
   * @param outputSize the number of places, for all axes or per axis
   * @param dataFormat 'channelsLast' or 'channelsFirst'. Default null: last
   * @returns [batch, …outputSize, channels]
   */
  adaptiveMaxPool(inputs, outputSize, dataFormat = null): Tensor {
    return adaptive('adaptiveMaxPool', adaptMax, inputs, outputSize, dataFormat)
  },
})

function adaptive(
  where: string,
  adapt: (where: string, x: Tensor, places: readonly number[]) => Tensor,
  x: TensorLike,
  outputSize: Sizes,
  format: DataFormat,
): Tensor {
  const value = cast(asTensor(x, where), 'float32')
  const places = outputSizes(spatialRank(where, value)).read(outputSize, `${where}: outputSize`)
  return withChannelsLast(value, format, (last) => adapt(where, last, places))
}

/** @param where names the op or the layer in errors */
export function adaptAverage(where: string, x: Tensor, places: readonly number[]): Tensor {
  return toPlaces(where, poolAverage, x, places)
}

/** @param where names the op or the layer in errors */
export function adaptMax(where: string, x: Tensor, places: readonly number[]): Tensor {
  return toPlaces(where, poolMax, x, places)
}

function toPlaces(where: string, pool: Pool, x: Tensor, places: readonly number[]): Tensor {
  const value = cast(x, 'float32')
  const window = places.map((count, i) => value.shape[i + 1]! / count)
  if (window.every((size) => Number.isInteger(size) && size > 0))
    return pool(where, value, { window, strides: window, dilation: window.map(() => 1), padding: 'valid' })
  return places.reduce((each, count, i) => alongOne(where, pool, each, i + 1, count), value)
}

/** Windows along an axis have one of two sizes: both poolings are computed with stride 1, and the places are picked. */
function alongOne(where: string, pool: Pool, x: Tensor, axis: number, count: number): Tensor {
  const extent = x.shape[axis]!
  const starts = Array.from({ length: count }, (_, i) => Math.floor((i * extent) / count))
  const sizes = starts.map((start, i) => Math.ceil(((i + 1) * extent) / count) - start)
  const small = sizes.reduce((least, size) => Math.min(least, size))
  const ones = x.shape.slice(1, -1).map(() => 1)
  const pooled = [...new Set([small, ...sizes])].map((size) => {
    const window = ones.map((one, i) => (i + 1 === axis ? size : one))
    return pool(where, x, { window, strides: ones, dilation: ones, padding: 'valid' })
  })
  const at = starts.map((start, i) => start + (sizes[i] === small ? 0 : extent - small + 1))
  return takeAlong(concatenate(pooled, axis), new Tensor(Int32Array.from(at), [count], 'int32'), axis)
}
