// readImage and imageFolder: images from files. PNG and JPEG are decoded by packages that are loaded on demand, or by
// the page.

import { requireArguments } from '../../core/arguments'
import type { DecodedPng } from 'fast-png'
import { ArgumentError, DataError, quoted } from '../../core/errors'
import { boolean, choice, count, listOf, nullable, option, readOptions, required } from '../../core/options'
import type { OptionInputs, Kind } from '../../core/options'
import type { Interpolation } from '../../ops/image/resize'
import { interpolation, resize } from '../../ops/image/resize'
import { Tensor } from '../../ops/tensor'
import { abortable } from '../abort'
import { Dataset } from '../dataset'
import type { ByteSource } from './bytes'
import { allBytes, nameOf } from './bytes'
import { DROPPED, Faults, onError } from './faults'
import type { FileKind, LabelledFile } from './folders'
import { folderFiles, labelOptions } from './folders'
import type { ImageOptions, PixelSettings, PixelSource, Pixels } from './pixels'
import { asTensor, imageOptions, isPixelSource, pixelsOf } from './pixels'

/**
 * An image as [height, width, channels] with numbers from 0 to 255. Files are PNG or JPEG; in pages, any format of the
 * browser.
 *
 *   const photo = await readImage('photo.jpg')                                   // float32 [480, 640, 3]
 *   const digit = await readImage(input.files[0], { channels: 1, scale: 1 / 255 })
 *
 * @param source a path, a URL, a File or Blob, bytes, a stream (see ByteSource), or a source of `fromPixels`
 * @throws DataError for a file that is not an image, or is truncated; the reason of the signal
 */
export async function readImage(source: ByteSource | PixelSource, options: ImageOptions = {}): Promise<Tensor> {
  requireArguments('readImage', arguments, 2)
  const settings = readOptions('readImage', imageOptions(), options)
  return isPixelSource(source)
    ? asTensor(pixelsOf(source, 'readImage'), settings)
    : decoded(await allBytes(source, 'readImage', settings.signal), nameOf(source), settings)
}

async function decoded(bytes: Uint8Array, name: string, settings: PixelSettings): Promise<Tensor> {
  try {
    return asTensor(await decode(bytes, name), settings)
  } catch (error) {
    if (error instanceof DataError) throw error
    throw new DataError(`${name} is a broken picture: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function decode(bytes: Uint8Array, name: string): Promise<Pixels> {
  if (typeof createImageBitmap === 'function' && typeof OffscreenCanvas === 'function') return fromBrowser(bytes)
  if (bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47) return fromPng(bytes, name)
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return fromJpeg(bytes)
  throw new DataError(`${name} is no PNG and no JPEG`)
}

async function fromBrowser(bytes: Uint8Array): Promise<Pixels> {
  const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
    premultiplyAlpha: 'none',
    colorSpaceConversion: 'none',
  })
  try {
    return pixelsOf(bitmap, 'readImage')
  } finally {
    bitmap.close()
  }
}

async function fromJpeg(bytes: Uint8Array): Promise<Pixels> {
  const { decode } = (await import('jpeg-js')).default
  const { width, height, data } = decode(bytes, { useTArray: true, formatAsRGBA: false, tolerantDecoding: false })
  return { width, height, channels: 3, data }
}

async function fromPng(bytes: Uint8Array, name: string): Promise<Pixels> {
  // Bytes 16 to 23 are the width and the height.
  if (bytes.length >= 24) {
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const [width, height] = [view.getUint32(16), view.getUint32(20)]
    if (width * height > MOST_PIXELS)
      throw new DataError(`${name}: a picture must have at most ${MOST_PIXELS} pixels, received ${width} × ${height}`)
  }
  const { decode } = await import('fast-png')
  const png = decode(bytes)
  const { width, height, depth, palette } = png
  const samples = depth < 8 ? unpacked(png) : png.data
  if (palette !== undefined) {
    const channels = palette[0]!.length as 3 | 4
    return {
      width,
      height,
      channels,
      data: Uint8Array.from(
        { length: samples.length * channels },
        (_, i) => palette[samples[Math.floor(i / channels)]!]![i % channels]!,
      ),
    }
  }
  const largest = 2 ** depth - 1
  return {
    width,
    height,
    channels: png.channels as Pixels['channels'],
    data: largest === 255 ? samples : Float32Array.from(samples, (sample) => (sample * 255) / largest),
  }
}

/** One byte per sample. The packed form has several samples in a byte, and each row starts with a new byte. */
function unpacked({ data, width, height, depth }: DecodedPng): Uint8Array {
  const perByte = 8 / depth
  const stride = Math.ceil(width / perByte)
  const samples = new Uint8Array(width * height)
  for (let i = 0; i < samples.length; i++) {
    const [row, column] = [Math.floor(i / width), i % width]
    const shift = 8 - depth * ((column % perByte) + 1)
    samples[i] = (data[row * stride + Math.floor(column / perByte)]! >> shift) & (2 ** depth - 1)
  }
  return samples
}

const IMAGES: FileKind = {
  where: 'imageFolder',
  isRead: /\.(?:png|jpe?g)$/i,
  isForeign: /\.(?:webp|gif|bmp|tiff?|avif|heic|heif|jxl|ico|svg)$/i,
  endings: '.png, .jpg or .jpeg',
  noun: 'picture',
  remedy: 'PNG (.png) and JPEG (.jpg, .jpeg) are read. Convert the others first.',
  inPage: 'Take Dataset.from(files).map((file) => readImage(file)).',
}
/** The number of files read at once. */
const PARALLEL = 4

/** The maximum number of pixels of an image: 8192 × 8192. */
const MOST_PIXELS = 2 ** 26

const heightAndWidth: Kind<readonly number[]> = listOf(count, 2)

const folderOptions = () => ({
  ...imageOptions(),
  /** Keras's name for channels: 'grayscale' is 1, 'rgb' 3, 'rgba' 4. Default null: `channels`. */
  colorMode: option(nullable(choice('grayscale', 'rgb', 'rgba')), null),
  /** [height, width] to which images are resized. */
  imageSize: required(heightAndWidth),
  /** Whether to cut the longer sides first, so that shapes in images keep their proportions. Default false. */
  cropToAspectRatio: option(boolean, false),
  /** Whether to add black margins first, so that shapes in images keep their proportions. Default false. */
  padToAspectRatio: option(boolean, false),
  ...labelOptions(),
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
  const settings = readOptions('imageFolder', folderOptions(), options)
  const { batchSize, signal } = settings
  if (settings.cropToAspectRatio && settings.padToAspectRatio)
    throw new ArgumentError('imageFolder: cropToAspectRatio and padToAspectRatio exclude each other')
  const channels = settings.colorMode === null ? settings.channels : CHANNELS[settings.colorMode]
  if (settings.colorMode !== null && options.channels !== undefined && options.channels !== channels)
    throw new ArgumentError(
      `imageFolder: colorMode '${settings.colorMode}' has ${channels} channels, received channels ${options.channels}`,
    )
  const [height, width] = settings.imageSize as [number, number]
  if (height * width > MOST_PIXELS)
    throw new ArgumentError(
      `imageFolder: imageSize must have at most ${MOST_PIXELS} pixels, received ${quoted([height, width])}`,
    )
  const { files, taken, classNames, targetOf, isLabelled } = await folderFiles(IMAGES, path, settings)
  const faults = new Faults<DataError>(settings.onError)
  const load = async ({ file, label }: LabelledFile): Promise<unknown> => {
    const picture = await faults.guardAsync(() => readImage(file, { channels, scale: settings.scale, signal }))
    if (picture === DROPPED) return DROPPED
    const resized = fitted(picture, height, width, settings)
    return isLabelled ? [resized, targetOf(label)] : resized
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
 * The part of a picture, or the picture with margins, that has the proportions of height and width; Keras's rounding. The
 * other pixels are 0.
 */
function inProportion(picture: Tensor, height: number, width: number, isCut: boolean): Tensor {
  const [rows, columns, channels] = picture.shape as [number, number, number]
  const limit = (own: number, wanted: number): number =>
    isCut ? Math.max(1, Math.min(own, Math.trunc(wanted))) : Math.max(own, Math.trunc(wanted))
  const [h, w] = [limit(rows, (columns * height) / width), limit(columns, (rows * width) / height)]
  const [top, left] = [Math.trunc((h - rows) / 2), Math.trunc((w - columns) / 2)]
  const data = new Float32Array(h * w * channels)
  for (let row = Math.max(0, top); row < Math.min(h, top + rows); row++) {
    const from = ((row - top) * columns + Math.max(0, -left)) * channels
    const count = Math.min(w, columns) * channels
    data.set(picture.data.subarray(from, from + count), (row * w + Math.max(0, left)) * channels)
  }
  return new Tensor(data, [h, w, channels], 'float32')
}

/** An image in the common size and dtype. */
function fitted(
  whole: Tensor,
  height: number,
  width: number,
  { interpolation, dtype, cropToAspectRatio, padToAspectRatio }: Fitting,
): Tensor {
  const isKept = cropToAspectRatio || padToAspectRatio
  const picture = isKept ? inProportion(whole, height, width, cropToAspectRatio) : whole
  const channels = picture.shape[2]!
  const { data } = resize(new Tensor(picture.data, [1, ...picture.shape], 'float32'), [height, width], {
    interpolation,
  })
  return new Tensor(dtype === 'int32' ? Int32Array.from(data, Math.round) : data, [height, width, channels], dtype)
}

/** Options of `imageDatasetFromDirectory`. */
export type ImageDatasetOptions = Omit<ImageFolderOptions, 'imageSize'> & Partial<Pick<ImageFolderOptions, 'imageSize'>>

/**
 * `imageFolder` with Keras's default size, [256, 256].
 *
 * Keras: `keras.utils.image_dataset_from_directory`.
 */
export async function imageDatasetFromDirectory<const Options extends ImageDatasetOptions>(
  directory: string | URL,
  options: Options & ImageDatasetOptions = {} as Options,
): Promise<ImageFolder<ImageFolderElement<Options>>> {
  requireArguments('imageDatasetFromDirectory', arguments, 2)
  return imageFolder<Options & ImageFolderOptions>(directory, { imageSize: [256, 256], ...options })
}
