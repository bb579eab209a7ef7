// From the bytes of a picture to a tensor of the requested form. png.ts and jpeg.ts decode them, or the page does. Reads no file: see
// images.ts.

import { ArgumentError, DataError, knownName, quoted } from '../../core/errors'
import type { TensorData } from '../../core/dtypes'
import { boolean, count, custom, listOf, option, type Kind } from '../../core/options'
import { padImages } from '../../ops/image/borders'
import { interpolation, resize, type Interpolation } from '../../ops/image/resize'
import { Tensor } from '../../ops/tensor'
import { requireData } from './bytes'
import { bilinear, placementOf } from './resize/fit-pixels'
import { isJpeg, isPng, sizeOfJpeg, sizeOfPng } from './picture-files'
import { rowsOf, type PixelRows } from './pixel-rows'
import { asTensor, canDraw, pixelsOf, rounded, type PixelSettings } from './pixels'

type Size = readonly [height: number, width: number]

/** [height, width]; a number is both. */
export const heightAndWidth: Kind<Size, number | readonly number[]> = custom<Size, number | readonly number[]>(
  (value, where) => {
    const [height, width] = typeof value === 'number' ? [value, value] : listOf(count, 2).read(value, where)
    return [count.read(height, where), count.read(width, where)]
  },
  (value) => [...value],
)

/** How images get a common size. */
const sizingRows = () => ({
  /** Whether to cut the longer sides first, so that shapes in images keep their proportions. Default false. */
  cropToAspectRatio: option(boolean, false),
  /** Whether to resize to the largest size that keeps the proportions, and to add black margins. Default false. */
  padToAspectRatio: option(boolean, false),
  /** The interpolation for resizing. Default 'bilinear'. */
  interpolation: option(interpolation, 'bilinear'),
})
type SizingRows = ReturnType<typeof sizingRows>
export type SizingTable = { [Name in keyof SizingRows]: SizingRows[Name] }
export const sizingOptions: () => SizingTable = sizingRows

interface Sizing {
  /** [height, width]; null: that of the picture. */
  readonly imageSize: Size | null
  readonly interpolation: Interpolation
  readonly cropToAspectRatio: boolean
  readonly padToAspectRatio: boolean
}

/** The requested form of a picture, as plain values, which can be posted to threads. */
export interface PictureSettings extends PixelSettings, Sizing {
  readonly maxPixels: number | null
}

/** The maximum number of pixels of an image, unless `maxPixels` allows more: 8192 × 8192. */
const MOST_PIXELS = 2 ** 26
/** A picture of one colour is a small file. Others have at least a byte for four pixels. */
const SPARE_PIXELS = 4_000_000
const PIXELS_PER_BYTE = 4

/** @param options of the user. @throws ArgumentError for a size that is too large, options that exclude each other, and options of resizing without a size */
export function requireSizing(
  where: string,
  { imageSize, cropToAspectRatio, padToAspectRatio }: Sizing,
  options: object,
): void {
  if (cropToAspectRatio && padToAspectRatio)
    throw new ArgumentError(`${where}: cropToAspectRatio and padToAspectRatio exclude each other`)
  if (imageSize === null) {
    const names = Object.keys(sizingOptions())
    const idle = Object.keys(options).find((key) => knownName(key, names) !== undefined)
    if (idle !== undefined) throw new ArgumentError(`${where}: ${idle} needs an imageSize, such as [64, 64]`)
    return
  }
  const [height, width] = imageSize
  if (height * width > MOST_PIXELS)
    throw new ArgumentError(
      `${where}: imageSize must have at most ${MOST_PIXELS} pixels, received ${quoted([height, width])}`,
    )
}

/** @throws DataError that begins with the name, for bytes that are no picture, a damaged one, or one with too many pixels */
export async function pictureOf(bytes: Uint8Array, name: string, settings: PictureSettings): Promise<Tensor> {
  const most = settings.maxPixels ?? Math.min(MOST_PIXELS, SPARE_PIXELS + PIXELS_PER_BYTE * bytes.length)
  const requirePixels = ([width, height]: readonly [number, number]): void => {
    if (width * height > most)
      throw new DataError(
        `${name}: a picture of ${width} × ${height} has more than ${most} pixels. If you trust the file, set maxPixels to a larger number.`,
      )
  }
  const size = sizeIn(bytes)
  if (size !== null) requirePixels(size)
  else requireData(bytes, name, 'refused')
  try {
    const pixels = await decoder(bytes, name, requirePixels)
    return inSize(pixels(), settings)
  } catch (error) {
    if (error instanceof DataError && error.message.startsWith(name)) throw error
    throw new DataError(`${name} is a broken picture: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The size that the bytes of a picture tell; null for other formats. */
function sizeIn(bytes: Uint8Array): readonly [width: number, height: number] | null {
  if (isPng(bytes)) return sizeOfPng(bytes)
  return isJpeg(bytes) ? sizeOfJpeg(bytes) : null
}

type RequirePixels = (size: readonly [width: number, height: number]) => void

/** A function that makes the pixels. Those of a JPEG are valid until the next one is decoded. */
async function decoder(bytes: Uint8Array, name: string, requirePixels: RequirePixels): Promise<() => PixelRows> {
  if (typeof createImageBitmap === 'function' && canDraw()) {
    const pixels = await fromBrowser(bytes, requirePixels)
    return () => pixels
  }
  if (isPng(bytes)) {
    const pixels = rowsOf(await (await import('./png')).decodePng(bytes))
    return () => pixels
  }
  if (isJpeg(bytes)) {
    const { decodeJpeg } = await import('./jpeg/jpeg')
    return () => decodeJpeg(bytes)
  }
  throw new DataError(`${name} is neither a PNG nor a JPEG file`)
}

async function fromBrowser(bytes: Uint8Array, requirePixels: RequirePixels): Promise<PixelRows> {
  const bitmap = await createImageBitmap(new Blob([isOwned(bytes) ? bytes : new Uint8Array(bytes)]), {
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
  })
  try {
    requirePixels([bitmap.width, bitmap.height])
    return pixelsOf(bitmap, 'readImage')
  } finally {
    bitmap.close()
  }
}

/** Whether bytes are not in memory that threads share, which a Blob does not take. */
function isOwned(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
}

/** Pixels as a tensor of the requested size. */
export function inSize(pixels: PixelRows, settings: PixelSettings & Sizing): Tensor {
  const { imageSize, channels, scale, dtype } = settings
  if (imageSize === null) return asTensor(pixels, settings)
  const [height, width] = imageSize
  const { interpolation, cropToAspectRatio, padToAspectRatio } = settings
  const fitting = { height, width, cropToAspectRatio, padToAspectRatio }
  const fast = interpolation === 'bilinear' ? bilinear(pixels, channels, scale, fitting) : null
  const data = fast ?? resizedByOps(pixels, settings, imageSize)
  return new Tensor(dtype === 'int32' ? rounded(data) : data, [height, width, channels], dtype)
}

/** The same by ops, which need a tensor of the whole image. */
function resizedByOps(
  pixels: PixelRows,
  settings: PixelSettings & Sizing,
  [targetHeight, targetWidth]: Size,
): TensorData {
  const { interpolation, cropToAspectRatio, padToAspectRatio } = settings
  const fitting = { height: targetHeight, width: targetWidth, cropToAspectRatio, padToAspectRatio }
  const { size, topPadding, leftPadding } = placementOf(pixels.height, pixels.width, fitting)
  const whole = asTensor(pixels, { ...settings, dtype: 'float32' })
  const resized = resize(whole, size, { interpolation, cropToAspectRatio })
  return padToAspectRatio
    ? padImages(resized, { topPadding, leftPadding, targetHeight, targetWidth }).data
    : resized.data
}
