// readImage and imageFolder: images from files. PNG and JPEG are decoded by packages that are loaded on demand, or by
// the page.

import { requireArguments } from '../../core/arguments'
import type { Dirent } from 'node:fs'
import type { DecodedPng } from 'fast-png'
import { ArgumentError, DataError, StateError, quoted } from '../../core/errors'
import {
  boolean,
  choice,
  count,
  custom,
  integer,
  listOf,
  nullable,
  number,
  option,
  readOptions,
  required,
} from '../../core/options'
import type { OptionInputs, Kind } from '../../core/options'
import type { Interpolation } from '../../ops/image/resize'
import { interpolation, resize } from '../../ops/image/resize'
import { oneHot } from '../../ops/nn/one-hot'
import { permutation } from '../../ops/random/permutation'
import { Tensor } from '../../ops/tensor'
import type { NodeModules } from '../../runtime/platform'
import { fileError, nodeModule } from '../../runtime/platform'
import { orAbort } from '../../core/abort'
import { abortable } from '../abort'
import { Dataset } from '../dataset'
import type { ByteSource } from './bytes'
import { allBytes, nameOf } from './bytes'
import { DROPPED, Faults, onError } from './faults'
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

const IMAGE_FILE = /\.(?:png|jpe?g)$/i
/** Image formats that are not decoded here. */
const FOREIGN_IMAGE = /\.(?:webp|gif|bmp|tiff?|avif|heic|heif|jxl|ico|svg)$/i
/** The number of files read at once. */
const PARALLEL = 4

/** The maximum number of pixels of an image: 8192 × 8192. */
const MOST_PIXELS = 2 ** 26

const heightAndWidth: Kind<readonly number[]> = listOf(count, 2)

const folderOptions = () => ({
  ...imageOptions(),
  /** [height, width] to which images are resized. */
  imageSize: required(heightAndWidth),
  /** The batch size; null: elements are single images. Default 32. */
  batchSize: option(nullable(count), 32),
  /**
   * 'inferred': the subfolders are the classes. null: there are no labels, and all images of the folder are used.
   * Default 'inferred'.
   */
  labels: option(nullable(choice('inferred')), 'inferred'),
  /** Class numbers, or one-hot rows. Default 'int'. */
  labelMode: option(choice('int', 'categorical'), 'int'),
  /** The classes in the order of their numbers. Default: the sorted names of all subfolders. */
  classNames: option(
    nullable(
      listOf(
        custom<string>(
          (value, where) => {
            if (typeof value === 'string') return value
            throw new ArgumentError(`${where} must be the name of a subfolder, received ${quoted(value)}`)
          },
          (value) => value,
        ),
      ),
    ),
    null,
  ),
  /** Whether each pass has another order. Default true. */
  shuffle: option(boolean, true),
  /** The seed of the order and of the split. Default: derived from `setRandomSeed`. */
  seed: option(nullable(integer()), null),
  /** The share of the images for validation. Default: none. */
  validationSplit: option(nullable(number({ above: 0, below: 1 })), null),
  /** Which part the elements come from, with a `validationSplit`. */
  subset: option(nullable(choice('training', 'validation')), null),
  /** The interpolation for resizing. Default 'bilinear'. */
  interpolation: option(interpolation, 'bilinear'),
  /** Whether a broken file ends the pass, or is skipped and collected in `errors`. Default 'throw'. */
  onError,
})
/** Options of `imageFolder`. */
export type ImageFolderOptions = OptionInputs<ReturnType<typeof folderOptions>>

/** The type of the elements of `imageFolder`: images, with labels unless there are none. */
export type ImageFolderElement<Options> = Options extends { readonly labels: null }
  ? Tensor
  : Options extends { readonly batchSize: null }
    ? [Tensor, Options extends { readonly labelMode: 'categorical' } ? Tensor : number]
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
  const { batchSize, labels, labelMode, shuffle, seed, validationSplit, subset, signal } = settings
  if ((validationSplit === null) !== (subset === null))
    throw new ArgumentError(`imageFolder: validationSplit and subset ('training' or 'validation') go together`)
  if (validationSplit !== null && shuffle && seed === null)
    throw new ArgumentError('imageFolder: a split that is shuffled needs a seed, or the parts would overlap')
  const [height, width] = settings.imageSize as [number, number]
  if (height * width > MOST_PIXELS)
    throw new ArgumentError(
      `imageFolder: imageSize must have at most ${MOST_PIXELS} pixels, received ${quoted([height, width])}`,
    )
  signal?.throwIfAborted()
  const { files, classNames } = await orAbort(
    pictures(path, labels === null ? [] : settings.classNames, labels !== null, signal),
    signal,
  )
  const taken = part(files, shuffle ? seed : null, validationSplit, subset)
  const faults = new Faults<DataError>(settings.onError)
  const load = async ({ file, label }: Picture): Promise<unknown> => {
    const picture = await faults.guardAsync(() =>
      readImage(file, { channels: settings.channels, scale: settings.scale, signal }),
    )
    if (picture === DROPPED) return DROPPED
    const resized = fitted(picture, height, width, settings)
    if (labels === null) return resized
    return [
      resized,
      labelMode === 'int' ? label : new Tensor(oneHot(label, classNames.length).data, [classNames.length], 'float32'),
    ]
  }
  const order = shuffle ? Dataset.from(taken).shuffle(taken.length, seed === null ? {} : { seed }) : Dataset.from(taken)
  const loaded = order.map(load, { parallel: PARALLEL })
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

/** An image in the common size and dtype. */
function fitted(
  picture: Tensor,
  height: number,
  width: number,
  { interpolation, dtype }: { readonly interpolation: Interpolation; readonly dtype: 'float32' | 'int32' },
): Tensor {
  const channels = picture.shape[2]!
  const { data } = resize(new Tensor(picture.data, [1, ...picture.shape], 'float32'), [height, width], {
    interpolation,
  })
  return new Tensor(dtype === 'int32' ? Int32Array.from(data, Math.round) : data, [height, width, channels], dtype)
}

interface Picture {
  readonly file: string
  readonly label: number
}

/** Keras's rule: the last files are for validation. */
function part(
  files: readonly Picture[],
  seed: number | null,
  split: number | null,
  subset: 'training' | 'validation' | null,
): readonly Picture[] {
  if (split === null) return files
  const order = seed === null ? files : Array.from(permutation(files.length, seed), (i) => files[i]!)
  const end = files.length - Math.floor(split * files.length)
  const taken = subset === 'training' ? order.slice(0, end) : order.slice(end)
  if (taken.length === 0)
    throw new ArgumentError(
      `imageFolder: validationSplit ${split} leaves no picture for ${subset}, there are ${files.length}`,
    )
  return taken
}

async function pictures(
  path: string | URL,
  given: readonly string[] | null,
  isLabelled: boolean,
  signal: AbortSignal | null,
): Promise<{ files: Picture[]; classNames: readonly string[] }> {
  const [files, paths, urls] = [nodeModule('node:fs/promises'), nodeModule('node:path'), nodeModule('node:url')]
  if (files === null || paths === null || urls === null)
    throw new StateError(
      'imageFolder: there are no folders in a browser. Take Dataset.from(files).map((file) => readImage(file)).',
    )
  const root = path instanceof URL ? urls.fileURLToPath(path) : path
  const foreign: string[] = []
  const below = (folder: string): Promise<string[]> => picturesBelow(files, paths, folder, foreign, signal)
  if (!isLabelled) {
    const own = (await below(root)).map((file) => ({ file, label: 0 }))
    tellOfForeign(root, foreign, own.length)
    if (own.length === 0) throw new ArgumentError(`imageFolder: ${root} has no .png, .jpg or .jpeg`)
    return { files: own, classNames: [] }
  }
  const entries = await entriesOf(files, root)
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort()
  const other = given?.find((name) => !folders.includes(name))
  if (other !== undefined)
    throw new ArgumentError(
      `imageFolder: ${quoted(other)} of classNames is no subfolder of ${root}. There are ${quoted(folders)}`,
    )
  const classNames = given ?? folders
  const found = await Promise.all(
    classNames.map(async (name, label) => (await below(paths.join(root, name))).map((file) => ({ file, label }))),
  )
  const all = found.flat()
  tellOfForeign(root, foreign, all.length)
  if (all.length === 0)
    throw new ArgumentError(
      `imageFolder: ${root} has no .png, .jpg or .jpeg in subfolders, which are the classes. For images without classes, set labels: null.`,
    )
  return { files: all, classNames }
}

/** Folders for which a warning was shown. */
const told = new Set<string>()

/** Warns of images that are skipped. @throws ArgumentError if there are no others */
function tellOfForeign(root: string, foreign: readonly string[], count: number): void {
  if (foreign.length === 0) return
  const endings = [...new Set(foreign.map((name) => name.slice(name.lastIndexOf('.')).toLowerCase()))].sort().join(', ')
  const which = `${foreign.length} ${foreign.length === 1 ? 'picture' : 'pictures'} of ${root} (${endings})`
  const remedy = 'PNG (.png) and JPEG (.jpg, .jpeg) are read. Convert the others first.'
  if (count === 0) throw new ArgumentError(`imageFolder: cannot read the ${which}, and there are no others. ${remedy}`)
  if (told.has(root)) return
  told.add(root)
  console.warn(`imageFolder: passes over ${which}. ${remedy}`)
}

function entriesOf(files: NodeModules['node:fs/promises'], folder: string): Promise<Dirent[]> {
  return files.readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw fileError('imageFolder', folder, 'read', error)
  })
}

/** Sorted files: those of a folder before those of its subfolders. Images that cannot be read go into `foreign`. */
async function picturesBelow(
  files: NodeModules['node:fs/promises'],
  paths: NodeModules['node:path'],
  folder: string,
  foreign: string[],
  signal: AbortSignal | null,
): Promise<string[]> {
  signal?.throwIfAborted()
  const entries = (await entriesOf(files, folder)).sort((a, b) => (a.name < b.name ? -1 : 1))
  const own = entries
    .filter((entry) => !entry.isDirectory() && IMAGE_FILE.test(entry.name))
    .map(({ name }) => paths.join(folder, name))
  foreign.push(
    ...entries.filter((entry) => !entry.isDirectory() && FOREIGN_IMAGE.test(entry.name)).map(({ name }) => name),
  )
  const inner = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => picturesBelow(files, paths, paths.join(folder, name), foreign, signal)),
  )
  return [...own, ...inner.flat()]
}
