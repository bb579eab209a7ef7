// Resizing of images [batch, rows, columns, channels].

import { ArgumentError } from '../../core/errors'
import { boolean, choice, number } from '../../core/options'
import { exactly } from '../../core/tuples'
import { operand } from '../kinds'
import { matmul } from '../linalg/linalg'
import { lastFormat, type LastFormatOption } from '../nn/channels'
import { bothOf, onBothAxes } from '../nn/sliding'
import { cast } from '../numpy/elementwise'
import { pad } from '../numpy/pad'
import { reshape, slice, take } from '../numpy/shape'
import { arg, op, optional } from '../op'
import { Tensor } from '../tensor'
import { eachImage } from './batch'

export type Interpolation = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos3' | 'lanczos5'

export const interpolation = /* @__PURE__ */ choice('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5')

export interface ResizeOptions extends LastFormatOption {
  /** 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'. Default bilinear. */
  readonly interpolation?: Interpolation
  /** Whether to average over skipped pixels when an image becomes smaller. Default false. */
  readonly antialias?: boolean
  /** Whether to crop the longer side first, so that nothing is distorted. Default false. */
  readonly cropToAspectRatio?: boolean
  /** Whether to pad the shorter side first, so that nothing is distorted. Default false. */
  readonly padToAspectRatio?: boolean
  /** The kind of padding: 'constant'. Default constant. */
  readonly fillMode?: 'constant'
  /** The value of the padding. Default 0. */
  readonly fillValue?: number
}

/** The weight of a pixel at distance x. Keys's cubic (1981) has a = −½. */
const KERNELS: Readonly<Record<Exclude<Interpolation, 'nearest'>, (x: number) => number>> = {
  bilinear: (x) => Math.max(0, 1 - x),
  bicubic,
  lanczos3: (x) => lanczos(x, 3),
  lanczos5: (x) => lanczos(x, 5),
}

function bicubic(x: number): number {
  if (x >= 2) return 0
  return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1
}

function lanczos(x: number, radius: number): number {
  if (x > radius) return 0
  const y = radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)
  return x > 1e-3 ? y / (Math.PI * Math.PI * x * x) : 1
}

/** The weights for recent pairs of sizes: the images of a folder have few different sizes. */
const known = /* @__PURE__ */ new Map<string, Tensor>()
/** The most pairs that are kept, and the most elements of their weights. */
const [MOST_KNOWN, MOST_ELEMENTS] = [16, 2 ** 18]

/** `newWeights`, computed once for a pair of sizes. */
function weights(extent: number, size: number, how: Exclude<Interpolation, 'nearest'>, antialias: boolean): Tensor {
  const key = `${how} ${antialias} ${extent} ${size}`
  const found = known.get(key)
  if (found !== undefined) return found
  const made = newWeights(extent, size, KERNELS[how], antialias)
  if (known.size >= MOST_KNOWN) known.clear()
  if (made.size <= MOST_ELEMENTS) known.set(key, made)
  return made
}

/** [size, extent]: the weights of the old elements in each element of a resized axis. Pixel centres are at ½. */
function newWeights(extent: number, size: number, kernel: (x: number) => number, antialias: boolean): Tensor {
  const scale = extent / size
  const spread = antialias ? Math.max(scale, 1) : 1
  const data = new Float32Array(size * extent)
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale - 0.5
    const row = Array.from({ length: extent }, (_, j) => kernel(Math.abs(centre - j) / spread))
    const sum = row.reduce((a, b) => a + b, 0)
    if (Math.abs(sum) > 1000 * 2 ** -23 && centre >= -0.5 && centre <= extent - 0.5)
      row.forEach((weight, j) => (data[i * extent + j] = weight / sum))
  }
  return new Tensor(data, [size, extent], 'float32')
}

/** Rows and columns. */
export type Size = readonly [rows: number, columns: number]

export const sizeOfImages = ({ shape }: Tensor): Size => [shape[1]!, shape[2]!]

/**
 * The sides of an image at the aspect ratio of another: the rows that its columns require, and the columns that its
 * rows require.
 */
const sidesLike = ([rows, columns]: Size, [height, width]: Size): Size => [
  Math.trunc((columns * height) / width),
  Math.trunc((rows * width) / height),
]

/** A part of an image. */
export interface Part {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/** The centre of an image. */
export const middleOf = ([rows, columns]: Size, [height, width]: Size): Part => ({
  top: Math.floor((rows - height) / 2),
  left: Math.floor((columns - width) / 2),
  height,
  width,
})

/** The largest centred part of an image with the target's aspect ratio. */
export function middleLike(size: Size, target: Size): Part {
  const [height, width] = sidesLike(size, target)
  return middleOf(size, [Math.max(Math.min(size[0], height), 1), Math.max(Math.min(size[1], width), 1)])
}

/** A part of images [batch, rows, columns, channels]. */
export const cutOut = (x: Tensor, { top, left, height, width }: Part): Tensor =>
  slice(x, [0, top, left, 0], [-1, height, width, -1])

/** Images, padded equally on both sides to the target's aspect ratio. */
function paddedLike(x: Tensor, target: Size, value: number): Tensor {
  const size = sizeOfImages(x)
  const [above, left] = exactly(
    sidesLike(size, target).map((side, i) => Math.max(0, Math.floor((side - size[i]!) / 2))),
    2,
  )
  return above + left === 0
    ? x
    : pad(
        x,
        [
          [0, 0],
          [above, above],
          [left, left],
          [0, 0],
        ],
        'constant',
        value,
      )
}

export const resize = op(
  () => [
    arg('images', operand),
    arg('size', onBothAxes()),
    optional('interpolation', interpolation),
    optional('antialias', boolean),
    optional('cropToAspectRatio', boolean),
    optional('padToAspectRatio', boolean),
    optional('fillMode', choice('constant')),
    optional('fillValue', number()),
    optional('dataFormat', lastFormat),
  ],
  {
    /**
     * Resizes images. Pixel positions are their centres, as in Keras.
     * @param images [batch, rows, columns, channels], or one image
     * @param size [rows, columns] of the result, or one number for both
     * @param interpolation 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'. Default bilinear.
     * @param antialias whether to average over skipped pixels when an image becomes smaller. Default false.
     * @param cropToAspectRatio whether to crop the longer side first, so that nothing is distorted. Default false.
     * @param padToAspectRatio whether to pad the shorter side first, so that nothing is distorted. Default false.
     * @param fillMode the kind of padding: 'constant'. Default constant.
     * @param fillValue the value of the padding. Default 0.
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns float32; with 'nearest' the dtype of the images
     * @example ops.image.resize(images, [32, 32], { interpolation: 'bicubic' })
     * @throws ArgumentError when an image would be both cropped and padded
     * Keras: `keras.ops.image.resize`.
     */
    resize(
      images,
      size,
      interpolation = 'bilinear',
      antialias = false,
      cropToAspectRatio = false,
      padToAspectRatio = false,
      _fillMode?,
      fillValue = 0,
      _dataFormat?,
    ): Tensor {
      if (cropToAspectRatio && padToAspectRatio)
        throw new ArgumentError('resize: cropToAspectRatio and padToAspectRatio exclude each other')
      const target = exactly(bothOf(size), 2)
      return eachImage('resize', images, (batch) => {
        let shaped = batch
        if (cropToAspectRatio) shaped = cutOut(batch, middleLike(sizeOfImages(batch), target))
        else if (padToAspectRatio) shaped = paddedLike(batch, target, fillValue)
        return resized(shaped, target, interpolation, antialias)
      })
    },
  },
  { within: 'image' },
)

function resized(x: Tensor, [rows, columns]: Size, how: Interpolation, antialias: boolean): Tensor {
  if (how === 'nearest') return pick(pick(x, 1, rows), 2, columns)
  const [batch, height, width, channels] = exactly(x.shape, 4)
  const floats = cast(x, 'float32')
  const tall =
    rows === height
      ? floats
      : reshape(matmul(weights(height, rows, how, antialias), reshape(floats, [batch, height, width * channels])), [
          batch,
          rows,
          width,
          channels,
        ])
  return columns === width ? tall : matmul(weights(width, columns, how, antialias), tall)
}

/** Nearest-neighbour resizing of one axis. */
function pick(x: Tensor, axis: number, size: number): Tensor {
  const extent = x.shape[axis]!
  if (size === extent) return x
  const indices = Int32Array.from({ length: size }, (_, i) => Math.floor(((i + 0.5) * extent) / size))
  return take(x, new Tensor(indices, [size], 'int32'), axis)
}
