// Adds and removes rows and columns at the borders of images.

import { ArgumentError } from '../../core/errors'
import { nullable } from '../../core/options'
import { exactly } from '../../core/tuples'
import { requireShape } from '../arguments'
import { operand, whole } from '../kinds'
import { lastFormat, type LastFormatOption } from '../nn/channels'
import { sliceAlong } from '../numpy/along'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'
import { apply } from '../trace'
import { requireImages } from './batch'

type Count = number | null

export interface CropImagesOptions extends LastFormatOption {
  /** Rows to remove at the top. */
  readonly topCropping?: Count
  /** Columns to remove on the left. */
  readonly leftCropping?: Count
  /** Rows to remove at the bottom. */
  readonly bottomCropping?: Count
  /** Columns to remove on the right. */
  readonly rightCropping?: Count
  /** The rows of the result. */
  readonly targetHeight?: Count
  /** The columns of the result. */
  readonly targetWidth?: Count
}

export interface PadImagesOptions extends LastFormatOption {
  /** Rows to add at the top. */
  readonly topPadding?: Count
  /** Columns to add on the left. */
  readonly leftPadding?: Count
  /** Rows to add at the bottom. */
  readonly bottomPadding?: Count
  /** Columns to add on the right. */
  readonly rightPadding?: Count
  /** The rows of the result. */
  readonly targetHeight?: Count
  /** The columns of the result. */
  readonly targetWidth?: Count
}

const count = /* @__PURE__ */ (() => nullable(whole(0)))()

/**
 * The numbers of rows or columns before and after, from two of before, after and target.
 * @param names of the three, for errors
 * @param spare extent − target for a crop, target − extent for padding
 */
function sidesOf(
  where: string,
  names: readonly [string, string, string],
  [before, after, target]: readonly [Count, Count, Count],
  spare: (target: number) => number,
): [before: number, after: number] {
  const received = names.map((name, i) => `${name} ${[before, after, target][i]}`).join(', ')
  if ([before, after, target].filter((each) => each === null).length !== 1)
    throw new ArgumentError(`${where}: give two of ${names.join(', ')}, received ${received}`)
  if (target === null) return [before!, after!]
  const total = spare(target)
  const sides = [before ?? total - after!, after ?? total - before!] as [number, number]
  if (Math.min(...sides) >= 0) return sides
  throw new ArgumentError(`${where}: ${names[before === null ? 0 : 1]} would be ${Math.min(...sides)} with ${received}`)
}

export const cropImages = op(
  () => [
    arg('images', operand),
    optional('topCropping', count),
    optional('leftCropping', count),
    optional('bottomCropping', count),
    optional('rightCropping', count),
    optional('targetHeight', count),
    optional('targetWidth', count),
    optional('dataFormat', lastFormat),
  ],
  {
    /**
     * Cuts rows and columns off. For each of the two axes, two of the three numbers before, after and target determine the third.
     * @param images [batch, rows, columns, channels], or one image; of any dtype
     * @param topCropping rows to remove at the top. Default null
     * @param leftCropping columns to remove on the left. Default null
     * @param bottomCropping rows to remove at the bottom. Default null
     * @param rightCropping columns to remove on the right. Default null
     * @param targetHeight the rows of the result. Default null
     * @param targetWidth the columns of the result. Default null
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @throws ArgumentError unless exactly two of the three are set, and when they do not fit the image
     * @example ops.image.cropImages(images, { topCropping: 2, targetHeight: 20, leftCropping: 0, rightCropping: 4 })
     * Keras: `keras.ops.image.crop_images`.
     */
    cropImages(
      images,
      topCropping = null,
      leftCropping = null,
      bottomCropping = null,
      rightCropping = null,
      targetHeight = null,
      targetWidth = null,
      _dataFormat?,
    ): Tensor {
      const value = requireImages('cropImages', images)
      const [rows, columns] = exactly(value.shape.slice(-3, -1), 2)
      const [top, bottom] = sidesOf(
        'cropImages',
        ['topCropping', 'bottomCropping', 'targetHeight'],
        [topCropping, bottomCropping, targetHeight],
        (target) => rows - target,
      )
      const [left, right] = sidesOf(
        'cropImages',
        ['leftCropping', 'rightCropping', 'targetWidth'],
        [leftCropping, rightCropping, targetWidth],
        (target) => columns - target,
      )
      const [height, width] = [rows - top - bottom, columns - left - right]
      if (height < 0 || width < 0)
        throw new ArgumentError(`cropImages: ${rows} rows and ${columns} columns are fewer than the cropping removes`)
      return sliceAlong(sliceAlong(value, value.rank - 3, top, height), value.rank - 2, left, width)
    },
  },
  { within: 'image' },
)

export const padImages = op(
  () => [
    arg('images', operand),
    optional('topPadding', count),
    optional('leftPadding', count),
    optional('bottomPadding', count),
    optional('rightPadding', count),
    optional('targetHeight', count),
    optional('targetWidth', count),
    optional('dataFormat', lastFormat),
  ],
  {
    /**
     * Adds rows and columns of zeros. For each of the two axes, two of the three numbers before, after and target determine the third.
     * @param images [batch, rows, columns, channels], or one image; of any dtype
     * @param topPadding rows to add at the top. Default null
     * @param leftPadding columns to add on the left. Default null
     * @param bottomPadding rows to add at the bottom. Default null
     * @param rightPadding columns to add on the right. Default null
     * @param targetHeight the rows of the result. Default null
     * @param targetWidth the columns of the result. Default null
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @throws ArgumentError unless exactly two of the three are set, and when the target is smaller than the padded image
     * @example ops.image.padImages(images, { topPadding: 2, targetHeight: 32, leftPadding: 0, rightPadding: 4 })
     * Keras: `keras.ops.image.pad_images`.
     */
    padImages(
      images,
      topPadding = null,
      leftPadding = null,
      bottomPadding = null,
      rightPadding = null,
      targetHeight = null,
      targetWidth = null,
      _dataFormat?,
    ): Tensor {
      const value = requireImages('padImages', images)
      const [rows, columns] = exactly(value.shape.slice(-3, -1), 2)
      const [top, bottom] = sidesOf(
        'padImages',
        ['topPadding', 'bottomPadding', 'targetHeight'],
        [topPadding, bottomPadding, targetHeight],
        (target) => target - rows,
      )
      const [left, right] = sidesOf(
        'padImages',
        ['leftPadding', 'rightPadding', 'targetWidth'],
        [leftPadding, rightPadding, targetWidth],
        (target) => target - columns,
      )
      const front = value.rank === 4 ? [0] : []
      requireShape('padImages', [
        ...value.shape.slice(0, -3),
        rows + top + bottom,
        columns + left + right,
        value.shape.at(-1)!,
      ])
      return apply('pad', [value], {
        before: [...front, top, left, 0],
        after: [...front, bottom, right, 0],
        value: 0,
      })[0]!
    },
  },
  { within: 'image' },
)
