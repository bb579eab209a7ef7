// Values of images at positions between their pixels.

import { ShapeError, formatShape } from '../../core/errors'
import { integer, number } from '../../core/options'
import { exactly } from '../../core/tuples'
import { asTensor, type TensorLike } from '../convert'
import { operand } from '../kinds'
import { lastFormat, type LastFormatOption } from '../nn/channels'
import { sliceAlong } from '../numpy/along'
import { add, cast, multiply, round } from '../numpy/elementwise'
import { expandDims, reshape, squeeze, unstack } from '../numpy/shape'
import { arg, op, optional } from '../op'
import { seedKind, type RandomOptions } from '../random/generator'
import { normal } from '../random/draws'
import type { Tensor } from '../tensor'
import { eachImage } from './batch'
import { smooth } from './filters'
import { perspective } from './perspective'
import { anyFillMode, gridOf, sampleAt, sampleGrid, sampling, type FillMode, type Sampling } from './warp'

export interface MapCoordinatesOptions {
  /** The values beyond the edges: 'reflect', 'wrap', 'constant', 'nearest' or 'mirror'. Default constant. */
  readonly fillMode?: FillMode
  /** The value of 'constant'. Default 0. */
  readonly fillValue?: number
}

export const mapCoordinates = op(
  () => [
    arg('inputs', operand),
    arg('coordinates', operand),
    arg('order', integer({ min: 0, max: 1 })),
    optional('fillMode', anyFillMode),
    optional('fillValue', number()),
  ],
  {
    /**
     * The values of a tensor at real positions.
     * @param inputs of any rank n ≥ 1
     * @param coordinates [n, …]: a position along each axis of the inputs, for each element of the result
     * @param order 0 for the nearest element, 1 for linear interpolation between the 2ⁿ neighbours
     * @param fillMode the values beyond the edges: 'reflect', 'wrap', 'constant', 'nearest' or 'mirror'. Default constant.
     * @param fillValue the value of 'constant'. Default 0.
     * @returns […], in the dtype of the inputs; int32 is rounded
     * @example ops.image.mapCoordinates([[1, 2], [3, 4]], [[0.5, 1], [0, 1]], 1)   // [2, 4]
     * @throws ShapeError when the inputs are empty, or the first axis of the coordinates is not n
     * Keras: `keras.ops.image.map_coordinates`.
     */
    mapCoordinates(inputs, coordinates, order, fillMode = 'constant', fillValue = 0): Tensor {
      const value = asTensor(inputs, 'mapCoordinates')
      const places = cast(asTensor(coordinates, 'mapCoordinates'), 'float32')
      if (places.rank < 2 || places.shape[0] !== value.rank || value.rank === 0 || value.size === 0)
        throw new ShapeError(
          `mapCoordinates: expected a tensor with elements and coordinates [${value.rank}, …], a position along each of its axes, received ${formatShape(value.shape)} and ${formatShape(places.shape)}`,
        )
      const found = sampleGrid(reshape(cast(value, 'float32'), [value.size, 1]), value.shape, unstack(places), {
        interpolation: order === 0 ? 'nearest' : 'bilinear',
        fillMode,
        fillValue,
      })
      const result = squeeze(found, -1)
      return value.dtype === 'int32' ? cast(round(result), 'int32') : cast(result, value.dtype)
    },
  },
  { within: 'image' },
)

export interface PerspectiveTransformOptions extends LastFormatOption {
  /** 'nearest' takes one pixel, 'bilinear' interpolates between four. Default bilinear. */
  readonly interpolation?: Sampling
  /** The value beyond the edges. Default 0. */
  readonly fillValue?: number
}

/** Points [4, 2], or [batch, 4, 2], as [batch or 1, 4, 2]. */
function pointsOf(name: string, points: TensorLike, batch: number): Tensor {
  const value = cast(asTensor(points, 'perspectiveTransform'), 'float32')
  const isOne = value.rank === 2
  const count = isOne ? 1 : value.shape[0]
  if (
    (!isOne && value.rank !== 3) ||
    value.shape.at(-2) !== 4 ||
    value.shape.at(-1) !== 2 ||
    (count !== 1 && count !== batch)
  )
    throw new ShapeError(
      `perspectiveTransform: ${name} must be [4, 2], or [${batch}, 4, 2] for each image, received ${formatShape(value.shape)}`,
    )
  return isOne ? expandDims(value, 0) : value
}

export const perspectiveTransform = op(
  () => [
    arg('images', operand),
    arg('startPoints', operand),
    arg('endPoints', operand),
    optional('interpolation', sampling),
    optional('fillValue', number()),
    optional('dataFormat', lastFormat),
  ],
  {
    /**
     * Changes the perspective of images, so that four points of an image move to four other points. Pixel (x, y) of the result is the
     * value at (x′, y′) of the image,
     *
     *   x′ = (h₀ x + h₁ y + h₂) / d      y′ = (h₃ x + h₄ y + h₅) / d      d = h₆ x + h₇ y + 1
     *
     * with h such that the end points map to the start points.
     * @param images [batch, rows, columns, channels], or one image
     * @param startPoints [4, 2] for all images, or [batch, 4, 2]: the points (x, y) in the images, x along the columns
     * @param endPoints with the same shape: where they are in the result
     * @param interpolation 'nearest' takes one pixel, 'bilinear' interpolates between four. Default bilinear.
     * @param fillValue the value beyond the edges. Default 0.
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns float32, with the shape of the images
     * @throws ShapeError for points of another shape
     * @example ops.image.perspectiveTransform(image, [[0, 0], [9, 0], [0, 9], [9, 9]], [[1, 0], [8, 0], [0, 9], [9, 9]])
     * Keras: `keras.ops.image.perspective_transform`.
     */
    perspectiveTransform(
      images,
      startPoints,
      endPoints,
      interpolation = 'bilinear',
      fillValue = 0,
      _dataFormat?,
    ): Tensor {
      return eachImage('perspectiveTransform', images, (batch) => {
        const [count, rows, columns] = exactly(batch.shape, 4)
        const start = pointsOf('startPoints', startPoints, count)
        const end = pointsOf('endPoints', endPoints, count)
        if (start.shape[0] !== end.shape[0])
          throw new ShapeError(
            `perspectiveTransform: both sets of points must have one shape, received ${formatShape(start.shape)} and ${formatShape(end.shape)}`,
          )
        const { x, y } = gridOf(rows, columns)
        const [column, row] = perspective(end, start)(x, y)
        return sampleAt(cast(batch, 'float32'), row, column, { interpolation, fillMode: 'constant', fillValue })
      })
    },
  },
  { within: 'image' },
)

export interface ElasticTransformOptions extends RandomOptions, LastFormatOption {
  /** The strength of the distortion. Default 20. */
  readonly alpha?: number
  /** The standard deviation that smooths it, in pixels, at most 10,000. Default 5. */
  readonly sigma?: number
  /** 'nearest' takes one pixel, 'bilinear' interpolates between four. Default bilinear. */
  readonly interpolation?: Sampling
  /** The values beyond the edges: 'reflect', 'wrap', 'constant', 'nearest' or 'mirror'. Default reflect. */
  readonly fillMode?: FillMode
  /** The value of 'constant'. Default 0. */
  readonly fillValue?: number
}

export const elasticTransform = op(
  () => [
    arg('images', operand),
    optional('alpha', number()),
    optional('sigma', number({ above: 0, max: 10_000 })),
    optional('interpolation', sampling),
    optional('fillMode', anyFillMode),
    optional('fillValue', number()),
    optional('seed', seedKind),
    optional('dataFormat', lastFormat),
  ],
  {
    /**
     * Distorts images at random: pixel (x, y) of the result is the value at (x + α dx, y + α dy) of the image, where dx and dy are normal
     * with the standard deviation σ, then blurred with σ (Simard et al. 2003). All channels of an image are distorted alike.
     * @param images [batch, rows, columns, channels], or one image
     * @param alpha the strength of the distortion α. Default 20.
     * @param sigma σ in pixels. Default 5.
     * @param interpolation 'nearest' takes one pixel, 'bilinear' interpolates between four. Default bilinear.
     * @param fillMode the values beyond the edges: 'reflect', 'wrap', 'constant', 'nearest' or 'mirror'. Default reflect.
     * @param fillValue the value of 'constant'. Default 0.
     * @param seed a number gives the same result every time, a SeedGenerator a new one each time. Default null.
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns the shape and dtype of the images
     * @example ops.image.elasticTransform(images, { alpha: 34, sigma: 4, seed: 1 })
     * Keras: `keras.ops.image.elastic_transform`, which on JAX uses the same numbers for dx and dy.
     */
    elasticTransform(
      images,
      alpha = 20,
      sigma = 5,
      interpolation = 'bilinear',
      fillMode = 'reflect',
      fillValue = 0,
      seed = null,
      _dataFormat?,
    ): Tensor {
      return eachImage('elasticTransform', images, (batch) => {
        const [count, rows, columns] = exactly(batch.shape, 4)
        // dx and dy are two channels.
        const noise = normal([count, rows, columns, 2], { stddev: sigma, seed })
        const shift = multiply(smooth('elasticTransform', noise, sigma), alpha)
        const along = (axis: number): Tensor => squeeze(sliceAlong(shift, 3, axis, 1), -1)
        const { x, y } = gridOf(rows, columns)
        const how = { interpolation, fillMode, fillValue }
        const moved = sampleAt(cast(batch, 'float32'), add(y, along(1)), add(x, along(0)), how)
        return batch.dtype === 'int32' ? cast(round(moved), 'int32') : cast(moved, batch.dtype)
      })
    },
  },
  { within: 'image' },
)
