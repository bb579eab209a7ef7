// Conversions between colour spaces. Colours are the last axis.

import { ArgumentError, ShapeError, formatShape } from '../../core/errors'
import { exactly } from '../../core/tuples'
import type { TensorLike } from '../convert'
import { operand } from '../kinds'
import { dataFormat as formatKind, type DataFormat } from '../nn/channels'
import { sliceAlong } from '../numpy/along'
import {
  abs,
  add,
  cast,
  clip,
  divide,
  equal,
  greater,
  less,
  maximum,
  minimum,
  mod,
  multiply,
  subtract,
  where,
} from '../numpy/elementwise'
import { sum } from '../numpy/reduce'
import { concatenate, moveAxis } from '../numpy/shape'
import { arg, op, optional } from '../op'
import { Tensor } from '../tensor'
import { requireImages } from './batch'

/** The weights of red, green and blue in the brightness: ITU-R BT.601. */
const LUMA = [0.2989, 0.587, 0.114]

/** The brightness of float32 colours [… 3]: [… 1]. */
export function brightnessOf(colours: Tensor): Tensor {
  return sum(multiply(colours, new Tensor(Float32Array.from(LUMA), [3], 'float32')), colours.rank - 1, true)
}

const imageParameters = () => [arg('images', operand), optional('dataFormat', formatKind)] as const

/** The result of a function of [… rows, columns, channels]. */
function overChannels(
  where: string,
  images: TensorLike,
  dataFormat: DataFormat,
  of: (images: Tensor) => Tensor,
): Tensor {
  const value = requireImages(where, images)
  return dataFormat === 'channelsFirst' ? moveAxis(of(moveAxis(value, -3, -1)), -1, -3) : of(value)
}

export const rgbToGrayscale = op(
  imageParameters,
  {
    /**
     * Grey images: 0.2989 red + 0.587 green + 0.114 blue. An image with one channel stays as it is; int32 stays int32, rounded towards 0.
     * @param images [batch, rows, columns, 3], or one image
     * @param dataFormat 'channelsLast' or null: the channels are the last axis; 'channelsFirst': the third from the end. Default null
     * @returns [batch, rows, columns, 1]
     * @throws ShapeError for another number of channels
     * @example ops.image.rgbToGrayscale(images)
     * Keras: `keras.ops.image.rgb_to_grayscale`.
     */
    rgbToGrayscale(images, dataFormat = null): Tensor {
      return overChannels('rgbToGrayscale', images, dataFormat, (value) => {
        const channels = value.shape.at(-1)!
        if (channels === 1) return value
        if (channels !== 3)
          throw new ShapeError(`rgbToGrayscale: expected 3 channels or one, received ${formatShape(value.shape)}`)
        return cast(brightnessOf(cast(value, 'float32')), value.dtype)
      })
    },
  },
  { within: 'image' },
)

/** The three channels [… 1] of float32 images. */
function planesOf(where: string, value: Tensor): readonly [Tensor, Tensor, Tensor] {
  if (value.shape.at(-1) !== 3)
    throw new ShapeError(`${where}: expected 3 channels, received ${formatShape(value.shape)}`)
  if (value.dtype !== 'float32')
    throw new ArgumentError(`${where}: expected float32 colours, received ${value.dtype}. Divide them by 255`)
  return exactly(
    [0, 1, 2].map((i) => sliceAlong(value, value.rank - 1, i, 1)),
    3,
  )
}

export const rgbToHsv = op(
  imageParameters,
  {
    /**
     * Red, green and blue to hue, saturation and value. With the largest channel v and the range r = v − min of a pixel, the value is v,
     * the saturation r / v, and the hue (g − b) / 6r where red is the largest, (b − r) / 6r + 1/3 where green is, (r − g) / 6r + 2/3
     * where blue is, in 0 … 1. Grey has the hue 0.
     * @param images float32 [batch, rows, columns, 3] in 0 … 1, or one image
     * @param dataFormat 'channelsLast' or null: the channels are the last axis; 'channelsFirst': the third from the end. Default null
     * @throws ArgumentError for other dtypes
     * @example ops.image.rgbToHsv([[[0, 1, 0]]])   // hue 1/3, saturation 1, value 1
     * Keras: `keras.ops.image.rgb_to_hsv`.
     */
    rgbToHsv(images, dataFormat = null): Tensor {
      return overChannels('rgbToHsv', images, dataFormat, hsvOf)
    },
  },
  { within: 'image' },
)

function hsvOf(images: Tensor): Tensor {
  const [red, green, blue] = exactly(
    planesOf('rgbToHsv', images).map((x) => where(less(abs(x), 2 ** -23), 0, x)),
    3,
  )
  const value = maximum(maximum(red, green), blue)
  const range = subtract(value, minimum(minimum(red, green), blue))
  const isColoured = greater(range, 0)
  const isLit = greater(value, 0)
  const saturation = where(isLit, divide(range, where(isLit, value, 1)), 0)
  const scale = divide(1, multiply(where(isColoured, range, 1), 6))
  const others = where(
    equal(value, green),
    add(multiply(scale, subtract(blue, red)), 2 / 6),
    add(multiply(scale, subtract(red, green)), 4 / 6),
  )
  const hue = where(equal(value, red), multiply(scale, subtract(green, blue)), others)
  const positive = where(less(hue, 0), add(where(isColoured, hue, 0), 1), where(isColoured, hue, 0))
  return concatenate([positive, saturation, value], -1)
}

export const hsvToRgb = op(
  imageParameters,
  {
    /**
     * Hue, saturation and value to red, green and blue: the inverse of `rgbToHsv`. Hues are taken modulo 1.
     * @param images float32 [batch, rows, columns, 3], or one image
     * @param dataFormat 'channelsLast' or null: the channels are the last axis; 'channelsFirst': the third from the end. Default null
     * @throws ArgumentError for other dtypes
     * @example ops.image.hsvToRgb([[[0.5, 1, 1]]])   // [[[0, 1, 1]]]
     * Keras: `keras.ops.image.hsv_to_rgb`.
     */
    hsvToRgb(images, dataFormat = null): Tensor {
      return overChannels('hsvToRgb', images, dataFormat, rgbOf)
    },
  },
  { within: 'image' },
)

function rgbOf(images: Tensor): Tensor {
  const [hue, saturation, value] = planesOf('hsvToRgb', images)
  const sixth = multiply(mod(hue, 1), 6)
  const shares = [
    subtract(abs(subtract(sixth, 3)), 1),
    subtract(2, abs(subtract(sixth, 2))),
    subtract(2, abs(subtract(sixth, 4))),
  ]
  const white = subtract(1, saturation)
  return concatenate(
    shares.map((share) => multiply(value, add(white, multiply(saturation, clip(share, 0, 1))))),
    -1,
  )
}
