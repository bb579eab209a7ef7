// Rearrangements of images: blocks of pixels to channels and back, and all windows of an image side by side.

import { ShapeError, formatShape } from '../../core/errors'
import { exactly } from '../../core/tuples'
import { asNumbers, asTensor, type TensorLike } from '../convert'
import { operand, whole } from '../kinds'
import { sliceAlong, takeAlong } from '../numpy/along'
import { pad } from '../numpy/pad'
import { reshape, scatterAdd, transpose } from '../numpy/shape'
import { arg, op, optional } from '../op'
import { Tensor } from '../tensor'
import { dataFormat as formatKind, type DataFormat } from './channels'
import { bothOf, onBothAxes, type Sizes } from './sliding'

type Image = readonly [batch: number, rows: number, columns: number, channels: number]

const blockParameters = () =>
  [arg('x', operand), arg('blockSize', whole(2)), optional('dataFormat', formatKind)] as const

function readImage(where: string, x: TensorLike, dataFormat: DataFormat) {
  const value = asTensor(x, where)
  const isFirst = dataFormat === 'channelsFirst'
  if (value.rank !== 4)
    throw new ShapeError(
      `${where}: expected images [batch, ${isFirst ? 'channels, rows, columns' : 'rows, columns, channels'}], received ${formatShape(value.shape)}`,
    )
  const extents = exactly(value.shape, 4)
  const [batch, first, second, third] = extents
  const shape: Image = isFirst ? [batch, second, third, first] : extents
  return { value, isFirst, shape }
}

export const depthToSpace = op(blockParameters, {
  /**
   * Distributes blocks of channels over pixels: [batch, rows, columns, channels] → [batch, rows · blockSize, columns ·
   * blockSize, channels / blockSize²]. The inverse of `spaceToDepth`. Keras: `keras.ops.depth_to_space`.
   * @param blockSize 2 or more
   * @param dataFormat 'channelsLast' or 'channelsFirst'. Default null: last
   * @throws ShapeError if the channels are not a multiple of blockSize²
   */
  depthToSpace(x, blockSize, dataFormat = null): Tensor {
    const { value, isFirst, shape } = readImage('depthToSpace', x, dataFormat)
    const [batch, rows, columns, all] = shape
    const channels = all / blockSize ** 2
    if (!Number.isInteger(channels))
      throw new ShapeError(
        `depthToSpace: the channels must be a multiple of ${blockSize ** 2}, received ${formatShape(value.shape)}`,
      )
    return isFirst
      ? reshape(transpose(reshape(value, [batch, channels, blockSize, blockSize, rows, columns]), [0, 1, 4, 2, 5, 3]), [
          batch,
          channels,
          rows * blockSize,
          columns * blockSize,
        ])
      : reshape(transpose(reshape(value, [batch, rows, columns, blockSize, blockSize, channels]), [0, 1, 3, 2, 4, 5]), [
          batch,
          rows * blockSize,
          columns * blockSize,
          channels,
        ])
  },
})

export const spaceToDepth = op(blockParameters, {
  /**
   * Moves blocks of pixels to channels: [batch, rows, columns, channels] → [batch, rows / blockSize, columns / blockSize,
   * channels · blockSize²]. The inverse of `depthToSpace`. Keras: `keras.ops.space_to_depth`.
   * @param blockSize 2 or more
   * @param dataFormat 'channelsLast' or 'channelsFirst'. Default null: last
   * @throws ShapeError if rows or columns are not a multiple of blockSize
   */
  spaceToDepth(x, blockSize, dataFormat = null): Tensor {
    const { value, isFirst, shape } = readImage('spaceToDepth', x, dataFormat)
    const [batch, height, width, channels] = shape
    const [rows, columns] = [height / blockSize, width / blockSize]
    if (!Number.isInteger(rows) || !Number.isInteger(columns))
      throw new ShapeError(
        `spaceToDepth: rows and columns must be multiples of ${blockSize}, received ${formatShape(value.shape)}`,
      )
    return isFirst
      ? reshape(transpose(reshape(value, [batch, channels, rows, blockSize, columns, blockSize]), [0, 1, 3, 5, 2, 4]), [
          batch,
          channels * blockSize ** 2,
          rows,
          columns,
        ])
      : reshape(transpose(reshape(value, [batch, rows, blockSize, columns, blockSize, channels]), [0, 1, 3, 2, 4, 5]), [
          batch,
          rows,
          columns,
          channels * blockSize ** 2,
        ])
  },
})

export interface PatchOptions {
  /** The distance of the elements of a window, for both axes or per axis. Default 1. */
  readonly dilation?: number | readonly number[]
  /** The zeros around the image, for both axes or per axis. Default 0. */
  readonly padding?: number | readonly number[]
  /** The step of the window, for both axes or per axis. Default 1. */
  readonly stride?: number | readonly number[]
}

const windowParameters = () =>
  [
    arg('kernelSize', onBothAxes()),
    optional('dilation', onBothAxes()),
    optional('padding', onBothAxes(0)),
    optional('stride', onBothAxes()),
  ] as const

/** The windows along one axis: their number, and the elements of window after window for each tap. */
interface Windows {
  readonly places: number
  /** The extent with its padding. */
  readonly padded: number
  /** [taps · places], tap after tap */
  readonly indices: Tensor
}

function windowsOf(
  where: string,
  extents: readonly number[],
  ...sizes: readonly [kernelSize: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes]
): { taps: readonly number[]; padding: readonly number[]; windows: readonly [Windows, Windows] } {
  const [taps, dilation, padding, stride] = exactly(sizes.map(bothOf), 4)
  const windows = extents.map((extent, i) => {
    const padded = extent + 2 * padding[i]!
    const places = Math.floor((padded - dilation[i]! * (taps[i]! - 1) - 1) / stride[i]!) + 1
    if (places < 1)
      throw new ShapeError(
        `${where}: the window ${formatShape(taps)} with a dilation of ${formatShape(dilation)} is larger than the padded image ${formatShape(extents.map((each, j) => each + 2 * padding[j]!))}`,
      )
    const indices = Int32Array.from(
      { length: taps[i]! * places },
      (_, at) => Math.floor(at / places) * dilation[i]! + (at % places) * stride[i]!,
    )
    return { padded, places, indices: new Tensor(indices, [indices.length], 'int32') }
  })
  return { taps, padding, windows: exactly(windows, 2) }
}

export const unfold = op(() => [arg('x', operand), ...windowParameters()], {
  /**
   * The windows of images as columns: [batch, channels, rows, columns] → [batch, channels · taps, windows], also known as
   * im2col. Keras: `keras.ops.unfold`.
   * @param kernelSize the size of the window, for both axes or per axis
   * @param dilation the distance of the elements of a window. Default 1
   * @param padding the zeros around the image. Default 0
   * @param stride the step of the window. Default 1
   * @example ops.unfold(ops.ones([1, 2, 4, 4]), 2, { stride: 2 }).shape // [1, 8, 4]
   */
  unfold(x, kernelSize, dilation = 1, padding = 0, stride = 1): Tensor {
    const value = asTensor(x, 'unfold')
    if (value.rank !== 4)
      throw new ShapeError(
        `unfold: expected images [batch, channels, rows, columns], received ${formatShape(value.shape)}`,
      )
    const [batch, channels, ...extents] = exactly(value.shape, 4)
    const { taps, padding: sides, windows } = windowsOf('unfold', extents, kernelSize, dilation, padding, stride)
    const [down, across] = windows
    const around = sides.every((side) => side === 0)
      ? value
      : pad(value, [[0, 0], [0, 0], ...sides.map((side): [number, number] => [side, side])])
    const rows = takeAlong(takeAlong(around, down.indices, 2), across.indices, 3)
    const split = reshape(rows, [batch, channels, taps[0]!, down.places, taps[1]!, across.places])
    return reshape(transpose(split, [0, 1, 2, 4, 3, 5]), [
      batch,
      channels * taps[0]! * taps[1]!,
      down.places * across.places,
    ])
  },
})

export const fold = op(() => [arg('x', operand), arg('outputSize', onBothAxes()), ...windowParameters()], {
  /**
   * The sum of windows at their places: [batch, channels · taps, windows] → [batch, channels, …outputSize], also known as
   * col2im. The adjoint of `unfold`: where windows overlap, their elements add up. int32 stays int32. Keras: `keras.ops.fold`.
   * @param outputSize rows and columns of the images, without padding
   * @param kernelSize the size of the window, for both axes or per axis
   * @param dilation the distance of the elements of a window. Default 1
   * @param padding the zeros that `unfold` added around the image. Default 0
   * @param stride the step of the window. Default 1
   * @throws ShapeError if x has another number of windows
   */
  fold(x, outputSize, kernelSize, dilation = 1, padding = 0, stride = 1): Tensor {
    const value = asNumbers(x, 'fold')
    const extents = bothOf(outputSize)
    const { taps, padding: sides, windows } = windowsOf('fold', extents, kernelSize, dilation, padding, stride)
    const [down, across] = windows
    const [batch = 0, all = 0, count] = value.shape
    const channels = all / (taps[0]! * taps[1]!)
    if (value.rank !== 3 || !Number.isInteger(channels) || count !== down.places * across.places)
      throw new ShapeError(
        `fold: expected [batch, channels · ${taps[0]! * taps[1]!}, ${down.places * across.places}], received ${formatShape(value.shape)}`,
      )
    const split = reshape(value, [batch, channels, ...taps, down.places, across.places])
    const rows = reshape(transpose(split, [0, 1, 2, 4, 3, 5]), [
      batch,
      channels,
      taps[0]! * down.places,
      taps[1]! * across.places,
    ])
    const image = scatterAdd(scatterAdd(rows, across.indices, across.padded, 3), down.indices, down.padded, 2)
    return sides.reduce((part, side, i) => sliceAlong(part, i + 2, side, extents[i]!), image)
  },
})
