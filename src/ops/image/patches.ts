// Patches of images and volumes.

import { ShapeError, formatShape } from '../../core/errors'
import { requireShape } from '../arguments'
import { asTensor, type TensorLike } from '../convert'
import { operand } from '../kinds'
import { lastFormat, type LastFormatOption } from '../nn/channels'
import {
  padding as paddingKind,
  padFor,
  perAxis,
  placesIn,
  sizes,
  sizesOrNull,
  type Padding,
  type Sizes,
  type Sliding,
} from '../nn/sliding'
import { sliceAlong, takeAlong } from '../numpy/along'
import { expandDims, reshape, squeeze, transpose } from '../numpy/shape'
import { arg, op, optional } from '../op'
import { Tensor } from '../tensor'

export interface ExtractPatchesOptions extends LastFormatOption {
  /** The distance between patches, for all axes or per axis; null for the size of a patch. Default null. */
  readonly strides?: Sizes | null
  /** The distance between neighbouring elements of a patch, for all axes or per axis. Default 1. */
  readonly dilationRate?: Sizes
  /** 'valid', or 'same' for ⌈extent / stride⌉ patches, with zeros beyond the edges. Default valid. */
  readonly padding?: 'valid' | 'same'
}

const patchParameters = () =>
  [
    arg('size', sizes),
    optional('strides', sizesOrNull),
    optional('dilationRate', sizes),
    optional('padding', paddingKind),
    optional('dataFormat', lastFormat),
  ] as const

export const extractPatches = op(
  () => [arg('images', operand), ...patchParameters()],
  {
    /**
     * Patches of images: each is a row of the elements of a window, in the order rows, columns, channels. A size of three numbers makes
     * patches of volumes, as `extractPatches3d`.
     * @param images [batch, rows, columns, channels], or one image; of any dtype
     * @param size [rows, columns] of a patch, or one number for both
     * @param strides the distance between patches, for all axes or per axis; null for the size. Default null.
     * @param dilationRate the distance between neighbouring elements of a patch. Default 1.
     * @param padding 'valid', or 'same' for ⌈extent / stride⌉ patches, with zeros beyond the edges. Default valid.
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns [batch, …places, rows · columns · channels]
     * @throws ShapeError when a patch does not fit
     * @example ops.image.extractPatches(images, 8)   // [batch, rows / 8, columns / 8, 64 · channels]
     * Keras: `keras.ops.image.extract_patches`.
     */
    extractPatches(images, size, strides = null, dilationRate = 1, padding = 'valid', _dataFormat?): Tensor {
      const rank = Array.isArray(size) && size.length === 3 ? 3 : 2
      return patchesOf('extractPatches', images, rank, size, strides, dilationRate, padding)
    },
  },
  { within: 'image' },
)

export const extractPatches3d = op(
  () => [arg('volumes', operand), ...patchParameters()],
  {
    /**
     * Patches of volumes, as `extractPatches` makes them of images.
     * @param volumes [batch, depth, rows, columns, channels], or one volume; of any dtype
     * @param size [depth, rows, columns] of a patch, or one number for all
     * @param strides the distance between patches, for all axes or per axis; null for the size. Default null.
     * @param dilationRate the distance between neighbouring elements of a patch. Default 1.
     * @param padding 'valid', or 'same' for ⌈extent / stride⌉ patches, with zeros beyond the edges. Default valid.
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns [batch, …places, depth · rows · columns · channels]
     * @throws ShapeError when a patch does not fit
     * @example ops.image.extractPatches3d(volumes, [4, 8, 8])
     * Keras: `keras.ops.image.extract_patches_3d`.
     */
    extractPatches3d(volumes, size, strides = null, dilationRate = 1, padding = 'valid', _dataFormat?): Tensor {
      return patchesOf('extractPatches3d', volumes, 3, size, strides, dilationRate, padding)
    },
  },
  { within: 'image' },
)

function patchesOf(
  where: string,
  x: TensorLike,
  rank: number,
  size: Sizes,
  strides: Sizes | null,
  dilationRate: Sizes,
  padding: Padding,
): Tensor {
  const each = perAxis(rank)
  const window = each.read(size, `${where}: size`)
  const sliding: Sliding = {
    window,
    strides: strides === null ? window : each.read(strides, `${where}: strides`),
    dilation: each.read(dilationRate, `${where}: dilationRate`),
    padding,
  }
  const value = asTensor(x, where)
  if (value.rank !== rank + 1 && value.rank !== rank + 2)
    throw new ShapeError(
      `${where}: expected [batch, ${rank} spatial axes, channels] with or without the batch, received ${formatShape(value.shape)}`,
    )
  return value.rank === rank + 2
    ? slide(where, value, sliding)
    : squeeze(slide(where, expandDims(value, 0), sliding), 0)
}

function slide(where: string, x: Tensor, sliding: Sliding): Tensor {
  const { window, strides, dilation } = sliding
  const places = placesIn(where, x.shape.slice(1, -1), sliding)
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!]
  const elements = window.reduce((a, b) => a * b, channels)
  requireShape(where, [batch, ...places, elements])
  const all = window.reduce(
    (whole, size, i) => windowsAlong(whole, i + 1, size, places[i]!, strides[i]!, dilation[i]!),
    padFor(x, sliding),
  )
  // [batch, places₀ · window₀, places₁ · window₁, …, channels] → [batch, places₀, places₁, …, window₀, window₁, …, channels]
  const apart = reshape(all, [batch, ...places.flatMap((count, i) => [count, window[i]!]), channels])
  const ofPlaces = window.map((_, i) => 1 + 2 * i)
  const ofWindows = window.map((_, i) => 2 + 2 * i)
  return reshape(transpose(apart, [0, ...ofPlaces, ...ofWindows, apart.rank - 1]), [batch, ...places, elements])
}

/** [… places · size …]: the windows along an axis, one after another. */
function windowsAlong(x: Tensor, axis: number, size: number, places: number, stride: number, dilation: number): Tensor {
  if (dilation === 1 && stride === size) return sliceAlong(x, axis, 0, places * size)
  const data = Int32Array.from(
    { length: places * size },
    (_, i) => Math.floor(i / size) * stride + (i % size) * dilation,
  )
  return takeAlong(x, new Tensor(data, [data.length], 'int32'), axis)
}
