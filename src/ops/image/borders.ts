// Adds and removes rows and columns at the borders of images.

import { ArgumentError } from '../../core/errors'
import { integer, nullable, option } from '../../core/options'
import { readArguments, requireShape } from '../arguments'
import type { TensorLike } from '../convert'
import { sliceAlong } from '../numpy/along'
import type { Tensor } from '../tensor'
import { apply } from '../trace'
import { requireImages } from './batch'
import type { LastFormat, LastFormatOption } from '../nn/channels'
import { lastFormatTable } from '../nn/channels'

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

const size = /* @__PURE__ */ nullable(/* @__PURE__ */ integer({ min: 0 }))
const cropTable = /* @__PURE__ */ (() => ({
  topCropping: option(size, null),
  leftCropping: option(size, null),
  bottomCropping: option(size, null),
  rightCropping: option(size, null),
  targetHeight: option(size, null),
  targetWidth: option(size, null),
  ...lastFormatTable(),
}))()
const padTable = /* @__PURE__ */ (() => ({
  topPadding: option(size, null),
  leftPadding: option(size, null),
  bottomPadding: option(size, null),
  rightPadding: option(size, null),
  targetHeight: option(size, null),
  targetWidth: option(size, null),
  ...lastFormatTable(),
}))()

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

/**
 * Cuts rows and columns off. For each of the two axes, two of the three numbers before, after and target determine the third.
 * @param images [batch, rows, columns, channels], or one image; of any dtype
 * @throws ArgumentError when not exactly two of three are given, or they do not fit the image
 * @example ops.image.cropImages(images, { topCropping: 2, targetHeight: 20, leftCropping: 0, rightCropping: 4 })
 * Keras: `keras.ops.image.crop_images`.
 */
export function cropImages(
  images: TensorLike,
  topCropping?: Count | CropImagesOptions,
  leftCropping?: Count,
  bottomCropping?: Count,
  rightCropping?: Count,
  targetHeight?: Count,
  targetWidth?: Count,
  dataFormat?: LastFormat,
): Tensor {
  const value = requireImages('cropImages', images)
  const given = readArguments(
    'cropImages',
    cropTable,
    topCropping,
    leftCropping,
    bottomCropping,
    rightCropping,
    targetHeight,
    targetWidth,
    dataFormat,
  )
  const [rows, columns] = value.shape.slice(-3) as [number, number]
  const [top, bottom] = sidesOf(
    'cropImages',
    ['topCropping', 'bottomCropping', 'targetHeight'],
    [given.topCropping, given.bottomCropping, given.targetHeight],
    (target) => rows - target,
  )
  const [left, right] = sidesOf(
    'cropImages',
    ['leftCropping', 'rightCropping', 'targetWidth'],
    [given.leftCropping, given.rightCropping, given.targetWidth],
    (target) => columns - target,
  )
  const [height, width] = [rows - top - bottom, columns - left - right]
  if (height < 0 || width < 0)
    throw new ArgumentError(`cropImages: ${rows} rows and ${columns} columns are fewer than the cropping removes`)
  return sliceAlong(sliceAlong(value, value.rank - 3, top, height), value.rank - 2, left, width)
}

/**
 * Adds rows and columns of zeros. For each of the two axes, two of the three numbers before, after and target determine the third.
 * @param images [batch, rows, columns, channels], or one image; of any dtype
 * @throws ArgumentError when not exactly two of three are given, or the target is smaller than the padded image
 * @example ops.image.padImages(images, { topPadding: 2, targetHeight: 32, leftPadding: 0, rightPadding: 4 })
 * Keras: `keras.ops.image.pad_images`.
 */
export function padImages(
  images: TensorLike,
  topPadding?: Count | PadImagesOptions,
  leftPadding?: Count,
  bottomPadding?: Count,
  rightPadding?: Count,
  targetHeight?: Count,
  targetWidth?: Count,
  dataFormat?: LastFormat,
): Tensor {
  const value = requireImages('padImages', images)
  const given = readArguments(
    'padImages',
    padTable,
    topPadding,
    leftPadding,
    bottomPadding,
    rightPadding,
    targetHeight,
    targetWidth,
    dataFormat,
  )
  const [rows, columns] = value.shape.slice(-3) as [number, number]
  const [top, bottom] = sidesOf(
    'padImages',
    ['topPadding', 'bottomPadding', 'targetHeight'],
    [given.topPadding, given.bottomPadding, given.targetHeight],
    (target) => target - rows,
  )
  const [left, right] = sidesOf(
    'padImages',
    ['leftPadding', 'rightPadding', 'targetWidth'],
    [given.leftPadding, given.rightPadding, given.targetWidth],
    (target) => target - columns,
  )
  const front = value.rank === 4 ? [0] : []
  requireShape('padImages', [
    ...value.shape.slice(0, -3),
    rows + top + bottom,
    columns + left + right,
    value.shape.at(-1)!,
  ])
  return apply('pad', [value], { before: [...front, top, left, 0], after: [...front, bottom, right, 0], value: 0 })[0]!
}
