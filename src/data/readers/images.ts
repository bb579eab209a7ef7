// readImage and imageFolder: images from files. png.ts and jpeg.ts decode them, or the page does.

import { requireArguments } from '../../core/arguments'
import { ArgumentError, DataError, knownName, quoted } from '../../core/errors'
import { requireSize } from '../../core/shapes'
import { boolean, choice, count, custom, listOf, nullable, option, readOptions, required } from '../../core/options'
import type { OptionInputs, Kind, ValuesOf } from '../../core/options'
import { padImages } from '../../ops/image/borders'
import type { Interpolation } from '../../ops/image/resize'
import { interpolation, resize } from '../../ops/image/resize'
import { lastFormatTable } from '../../ops/nn/channels'
import { Tensor } from '../../ops/tensor'
import { abortable } from '../abort'
import { Dataset } from '../dataset'
import type { ByteSource } from './bytes'
import { allBytes, nameOf } from './bytes'
import { DROPPED, Faults, onError } from './faults'
import { contentOf } from './folder-file'
import type { BothParts, FileKind, LabelledFile } from './folders'
import { bothParts, folderFiles, labelOptions } from './folders'
import type { PixelSource, Pixels } from './pixels'
import { asTensor, imageOptions, isPixelSource, pixelsOf, rounded } from './pixels'
import { isJpeg, isPng, sizeOfJpeg, sizeOfPng } from './picture-files'

/**
 * An image as [height, width, channels] with numbers from 0 to 255. Files are PNG or JPEG; in pages, any format of the
 * browser.
 *
 *   const photo = await readImage('photo.jpg')                                   // float32 [480, 640, 3]
 *   const digit = await readImage(input.files[0], { channels: 1, scale: 1 / 255 })
 *
 * @param source a path, a URL, a File or Blob, bytes, a stream (see ByteSource), or a source of `fromPixels`
 * @throws DataError for a file that is not an image, is damaged or truncated, or has more than `maxPixels` pixels; the reason of
 * the signal
 */
export async function readImage(source: ByteSource | PixelSource, options: ReadImageOptions = {}): Promise<Tensor> {
  requireArguments('readImage', arguments, 2)
  const settings = readOptions('readImage', fileOptions(), options)
  return isPixelSource(source)
    ? asTensor(pixelsOf(source, 'readImage'), settings)
    : decoded(await allBytes(source, 'readImage', settings.signal), nameOf(source), settings)
}

async function decoded(bytes: Uint8Array, name: string, settings: FileSettings): Promise<Tensor> {
  const most = settings.maxPixels ?? Math.min(MOST_PIXELS, SPARE_PIXELS + PIXELS_PER_BYTE * bytes.length)
  const requirePixels = ([width, height]: readonly [number, number]): void => {
    if (width * height > most)
      throw new DataError(
        `${name}: a picture of ${width} × ${height} has more than ${most} pixels. If you trust the file, set maxPixels to a larger number.`,
      )
  }
  const size = isPng(bytes) ? sizeOfPng(bytes) : isJpeg(bytes) ? sizeOfJpeg(bytes) : null
  if (size !== null) requirePixels(size)
  try {
    return asTensor(await decode(bytes, name, requirePixels), settings)
  } catch (error) {
    if (error instanceof DataError && error.message.startsWith(name)) throw error
    throw new DataError(`${name} is a broken picture: ${error instanceof Error ? error.message : String(error)}`)
  }
}

type RequirePixels = (size: readonly [width: number, height: number]) => void

async function decode(bytes: Uint8Array, name: string, requirePixels: RequirePixels): Promise<Pixels> {
  if (typeof createImageBitmap === 'function' && typeof OffscreenCanvas === 'function')
    return fromBrowser(bytes, requirePixels)
  if (isPng(bytes)) return (await import('./png')).decodePng(bytes)
  if (isJpeg(bytes)) return (await import('./jpeg')).decodeJpeg(bytes)
  throw new DataError(`${name} is neither a PNG nor a JPEG file`)
}

async function fromBrowser(bytes: Uint8Array, requirePixels: RequirePixels): Promise<Pixels> {
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
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

const IMAGES: Omit<FileKind, 'where'> = {
  isRead: /\.(?:png|jpe?g)$/i,
  isForeign: /\.(?:webp|gif|bmp|tiff?|avif|heic|heif|jxl|ico|svg)$/i,
  endings: '.png, .jpg or .jpeg',
  noun: 'picture',
  remedy: 'PNG (.png) and JPEG (.jpg, .jpeg) are read. Convert the others first.',
  inPage: 'Take Dataset.from(files).map((file) => readImage(file)).',
}
/** The number of files read at once. */
const PARALLEL = 4

/** The maximum number of pixels of an image, unless `maxPixels` allows more: 8192 × 8192. */
const MOST_PIXELS = 2 ** 26
/** A picture of one colour is a small file. Others have a byte for four pixels at least. */
const SPARE_PIXELS = 4_000_000
const PIXELS_PER_BYTE = 4

const fileOptions = () => ({
  ...imageOptions(),
  /**
   * The number of pixels that a picture in a file may have, because a small file can expand to a picture of gigabytes. Default: 4
   * million, and four for each byte of the file, up to 8192 × 8192.
   */
  maxPixels: option(nullable(count), null),
})
/** Options of `readImage`. */
export type ReadImageOptions = OptionInputs<ReturnType<typeof fileOptions>>
type FileSettings = ValuesOf<ReturnType<typeof fileOptions>>

const heightAndWidth: Kind<readonly number[], number | readonly number[]> = custom<
  readonly number[],
  number | readonly number[]
>(
  (value, where) =>
    typeof value === 'number' ? Array<number>(2).fill(count.read(value, where)) : listOf(count, 2).read(value, where),
  (value) => [...value],
)

const folderOptions = () => ({
  ...fileOptions(),
  /** Keras's name for channels: 'grayscale' is 1, 'rgb' 3, 'rgba' 4. Default null: `channels`. */
  colorMode: option(nullable(choice('grayscale', 'rgb', 'rgba')), null),
  /** [height, width] to which images are resized; a number is both. */
  imageSize: required(heightAndWidth),
  /** Whether to cut the longer sides first, so that shapes in images keep their proportions. Default false. */
  cropToAspectRatio: option(boolean, false),
  /** Whether to resize to the largest size that keeps the proportions, and to add black margins. Default false. */
  padToAspectRatio: option(boolean, false),
  ...labelOptions(),
  ...lastFormatTable(),
  /** The interpolation for resizing. Default 'bilinear'. */
  interpolation: option(interpolation, 'bilinear'),
  /** Whether a broken file ends the pass, or is skipped and collected in `errors`. Default 'throw'. */
  onError,
})
/** Options of `imageFolder`. */
export type ImageFolderOptions = OptionInputs<ReturnType<typeof folderOptions>>

/** The type of the elements of `imageFolder`: images, with labels unless there are none. */
export type ImageFolderElement<Options> = Options extends { readonly labels: null } | { readonly labelMode: null }
  ? Tensor
  : Options extends { readonly batchSize: null }
    ? [Tensor, Options extends { readonly labelMode: 'categorical' | 'binary' } ? Tensor : number]
    : [Tensor, Tensor]

/** The images of a folder. */
export class ImageFolder<T> extends Dataset<T> {
  /** @internal */
  constructor(
    images: Dataset<T>,
    /** The names of the classes: that of class i is at i. */
    readonly classNames: readonly string[],
    /** The paths of all images, before shuffling. */
    readonly files: readonly string[],
    private readonly faults: Faults<DataError>,
    signal: AbortSignal | null,
  ) {
    super(images.size, (pass) => {
      faults.clear()
      return abortable(images.open(pass), signal)
    })
  }

  /** The broken images of the last pass, with `onError: 'collect'`: the first thousand. */
  get errors(): readonly DataError[] {
    return this.faults.errors
  }
}

/**
 * The images below a folder whose subfolders are the classes: [images, class numbers], batch by batch.
 *
 *   const options = { imageSize: [64, 64], validationSplit: 0.2, seed: 1 }
 *   const train = await imageFolder('animals', { ...options, subset: 'training' })      // animals/cat/…, animals/dog/…
 *   const validation = await imageFolder('animals', { ...options, subset: 'validation' })
 *   train.classNames   // ['cat', 'dog']
 *
 * Files are PNG (.png) and JPEG (.jpg, .jpeg); others are skipped, other images such as .webp with one warning per
 * folder. Each file is read when it is needed.
 *
 * Keras: `keras.utils.image_dataset_from_directory`.
 * @throws ArgumentError for a folder without images or classes; DataError, during a pass, for a broken image, with its
 * path; StateError in a page, which has no folders; the reason of the signal
 */
export async function imageFolder<const Options extends ImageFolderOptions>(
  path: string | URL,
  options: Options & ImageFolderOptions,
): Promise<ImageFolder<ImageFolderElement<Options>>> {
  requireArguments('imageFolder', arguments, 2)
  return imagesBelow('imageFolder', path, options)
}

/** @param where the name of the function for users */
async function imagesBelow<const Options extends ImageFolderOptions>(
  where: string,
  path: string | URL,
  options: Options & ImageFolderOptions,
): Promise<ImageFolder<ImageFolderElement<Options>>> {
  const settings = readOptions(where, folderOptions(), options)
  const { batchSize, signal } = settings
  if (settings.cropToAspectRatio && settings.padToAspectRatio)
    throw new ArgumentError(`${where}: cropToAspectRatio and padToAspectRatio exclude each other`)
  const channels = settings.colorMode === null ? settings.channels : CHANNELS[settings.colorMode]
  if (settings.colorMode !== null && options.channels !== undefined && options.channels !== channels)
    throw new ArgumentError(
      `${where}: colorMode '${settings.colorMode}' has ${channels} channels, received channels ${options.channels}`,
    )
  const [height, width] = settings.imageSize as [number, number]
  if (height * width > MOST_PIXELS)
    throw new ArgumentError(
      `${where}: imageSize must have at most ${MOST_PIXELS} pixels, received ${quoted([height, width])}`,
    )
  const { files, taken, classNames, targetOf, isLabelled } = await folderFiles({ ...IMAGES, where }, path, settings)
  // Before the pictures of a batch that no tensor can have are read.
  requireSize(`${where}: a batch`, [Math.min(batchSize ?? 1, taken.length), height, width, channels])
  const faults = new Faults<DataError>(settings.onError)
  const load = async (each: LabelledFile): Promise<unknown> => {
    const picture = await faults.guardAsync(async () => {
      const bytes = await contentOf(each.file, where, signal)
      return decoded(bytes, each.file, { ...settings, channels, dtype: 'float32' })
    })
    if (picture === DROPPED) return DROPPED
    const resized = fitted(picture, height, width, settings)
    return isLabelled ? [resized, targetOf(each.label)] : resized
  }
  const loaded = files.map(load, { parallel: PARALLEL })
  const whole = settings.onError === 'throw' ? loaded : loaded.filter((element) => element !== DROPPED)
  const elements = batchSize === null ? whole : whole.batch(batchSize)
  return new ImageFolder(
    elements as Dataset<ImageFolderElement<Options>>,
    classNames,
    taken.map(({ file }) => file),
    faults,
    signal,
  )
}

/** The channels of Keras's colour modes. */
const CHANNELS = { grayscale: 1, rgb: 3, rgba: 4 } as const

interface Fitting {
  readonly interpolation: Interpolation
  readonly dtype: 'float32' | 'int32'
  readonly cropToAspectRatio: boolean
  readonly padToAspectRatio: boolean
}

/**
 * An image in the common size and dtype. Margins are added after resizing, as by `tf.image.resize_with_pad`, which Keras
 * calls, and with its rounding.
 */
function fitted(
  picture: Tensor,
  height: number,
  width: number,
  { interpolation, dtype, cropToAspectRatio, padToAspectRatio }: Fitting,
): Tensor {
  const { fround, floor, max } = Math
  const [rows, columns] = picture.shape as [number, number, number]
  const ratio = padToAspectRatio ? max(fround(columns / width), fround(rows / height)) : null
  const inside = ratio === null ? [height, width] : [fround(rows / ratio), fround(columns / ratio)]
  const size = inside.map((side) => max(1, floor(side))) as [number, number]
  const resized = resize(picture, size, { interpolation, cropToAspectRatio })
  const [topPadding, leftPadding] = [height, width].map((side, i) => max(0, floor((side - inside[i]!) / 2))) as [
    number,
    number,
  ]
  const { data, shape } =
    ratio === null ? resized : padImages(resized, { topPadding, leftPadding, targetHeight: height, targetWidth: width })
  return new Tensor(dtype === 'int32' ? rounded(data) : data, shape, dtype)
}

/** Options of `imageDatasetFromDirectory`. */
export type ImageDatasetOptions = Omit<ImageFolderOptions, 'imageSize'> & Partial<Pick<ImageFolderOptions, 'imageSize'>>

/**
 * `imageFolder` with Keras's default size, [256, 256]. With the subset 'both' it returns the part for training and the part for
 * validation.
 *
 * Keras: `keras.utils.image_dataset_from_directory`.
 */
export async function imageDatasetFromDirectory<const Options extends BothParts<ImageDatasetOptions>>(
  directory: string | URL,
  options: Options & BothParts<ImageDatasetOptions>,
): Promise<[training: ImageFolder<ImageFolderElement<Options>>, validation: ImageFolder<ImageFolderElement<Options>>]>
export async function imageDatasetFromDirectory<const Options extends ImageDatasetOptions>(
  directory: string | URL,
  options?: Options & ImageDatasetOptions,
): Promise<ImageFolder<ImageFolderElement<Options>>>
export async function imageDatasetFromDirectory(
  directory: string | URL,
  options: ImageDatasetOptions | BothParts<ImageDatasetOptions> = {},
): Promise<unknown> {
  requireArguments('imageDatasetFromDirectory', arguments, 2)
  const both = bothParts(options as ImageDatasetOptions, (each) => imageDatasetFromDirectory(directory, each))
  if (both !== null) return both
  const where = 'imageDatasetFromDirectory'
  if (typeof options !== 'object' || options === null) return imagesBelow(where, directory, options)
  const hasSize = Object.keys(options).some((key) => knownName(key, ['imageSize']) !== undefined)
  return imagesBelow(where, directory, {
    ...(hasSize ? {} : { imageSize: [256, 256] }),
    ...options,
  } as ImageFolderOptions)
}
