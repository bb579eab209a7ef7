// readImage and imageFolder: images from files. pictures.ts makes tensors of their bytes.

import { merged } from '../../core/merged'
import { requireArguments } from '../../core/arguments'
import { orAbort } from '../../core/abort'
import { ArgumentError, knownName, type DataError } from '../../core/errors'
import { requireSize } from '../../core/shapes'
import { choice, count, nullable, option, readOptions, required, type OptionInputs } from '../../core/options'
import { lastFormatTable } from '../../ops/nn/channels'
import type { Tensor } from '../../ops/tensor'
import { abortable } from '../samples/abort'
import { Dataset, datasetOf } from '../dataset'
import { Pace } from '../samples/pace'
import { allBytes, nameOf, type ByteSource } from './bytes'
import { DROPPED, Faults, onError } from './faults'
import { FolderReader } from './folder-file'
import { bothParts, folderFiles, labelOptions, type BothParts, type FileKind, type LabelledFile } from './folders'
import { heightAndWidth, inSize, pictureOf, requireSizing, sizingOptions } from './pictures'
import { imageOptions, isPixelSource, pixelsOf, type PixelSource } from './pixels'

/**
 * An image as [height, width, channels] with numbers from 0 to 255. Files are PNG or JPEG; in pages, any format of the
 * browser. With an `imageSize` it is resized.
 *
 *   const photo = await readImage('photo.jpg')                                   // float32 [480, 640, 3]
 *   const digit = await readImage(input.files[0], { channels: 1, scale: 1 / 255 })
 *   const scores = await model.predict([await readImage('photo.jpg', { imageSize: [224, 224] })])
 *
 * @param source a path, a URL, a File or Blob, bytes, a stream (see ByteSource), or a source of `fromPixels`
 * @throws DataError for a file that is not an image, is damaged or truncated, or has more than `maxPixels` pixels; the reason of
 * the signal
 */
export async function readImage(source: ByteSource | PixelSource, options: ReadImageOptions = {}): Promise<Tensor> {
  requireArguments('readImage', arguments, 2)
  const settings = readOptions('readImage', readImageOptions(), options)
  requireSizing('readImage', settings, options)
  return isPixelSource(source)
    ? inSize(pixelsOf(source, 'readImage'), settings)
    : pictureOf(await allBytes(source, 'readImage', settings.signal), nameOf(source), settings)
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

const fileOptions = () =>
  merged(imageOptions(), {
    /**
     * The number of pixels that a picture in a file may have, because a small file can expand to a picture of gigabytes. Default: 4
     * million, and four for each byte of the file, up to 8192 × 8192.
     */
    maxPixels: option(nullable(count), null),
  })

const readImageOptions = () =>
  merged(
    merged(fileOptions(), {
      /** [height, width] to which the image is resized; a number is both. Default null: it keeps its size. */
      imageSize: option(nullable(heightAndWidth), null),
    }),
    sizingOptions(),
  )
/** Options of `readImage`. */
export type ReadImageOptions = OptionInputs<ReturnType<typeof readImageOptions>>

const folderOptions = () =>
  merged(
    merged(fileOptions(), {
      /** Keras's name for channels: 'grayscale' is 1, 'rgb' 3, 'rgba' 4. Default null: `channels`. */
      colorMode: option(nullable(choice('grayscale', 'rgb', 'rgba')), null),
      /** [height, width] to which images are resized; a number is both. */
      imageSize: required(heightAndWidth),
    }),
    sizingOptions(),
    labelOptions(),
    lastFormatTable(),
    {
      /** Whether a broken file ends the pass, or is skipped and collected in `errors`. Default 'throw'. */
      onError,
    },
  )
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
    /** The elements, for a reader that keeps `ahead` of them ready. */
    images: (ahead: number) => Dataset<T>,
    /** The names of the classes: that of class i is at i. */
    readonly classNames: readonly string[],
    /** The paths of all images, before shuffling. */
    readonly files: readonly string[],
    private readonly faults: Faults<DataError>,
    signal: AbortSignal | null,
  ) {
    super(images(0).size, (pass, ahead = 0) => {
      faults.clear()
      return abortable(images(ahead).open(pass), signal)
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

/**
 * @param where the name of the function for users
 * @typeParam Element the type of the elements, which follows from the options
 */
async function imagesBelow<Element>(where: string, path: string | URL, options: object): Promise<ImageFolder<Element>> {
  const settings = readOptions(where, folderOptions(), options)
  const { batchSize, signal } = settings
  requireSizing(where, settings, options)
  const channels = settings.colorMode === null ? settings.channels : CHANNELS[settings.colorMode]
  const otherChannels = 'channels' in options ? options.channels : undefined
  if (settings.colorMode !== null && otherChannels !== undefined && otherChannels !== channels)
    throw new ArgumentError(
      `${where}: colorMode '${settings.colorMode}' has ${channels} channels, received channels ${settings.channels}`,
    )
  const [height, width] = settings.imageSize
  const { files, taken, classNames, targetOf, isLabelled } = await folderFiles({ ...IMAGES, where }, path, settings)
  // Before the pictures of a batch that no tensor can have are read.
  requireSize(`${where}: a batch`, [Math.min(batchSize ?? 1, taken.length), height, width, channels])
  const faults = new Faults<DataError>(settings.onError)
  const { dtype, scale, maxPixels, imageSize, interpolation, cropToAspectRatio, padToAspectRatio } = settings
  const sizing = { imageSize, interpolation, cropToAspectRatio, padToAspectRatio }
  const picture = { channels, dtype, scale, maxPixels, ...sizing }
  const pace = new Pace(signal)
  const folder = new FolderReader(where, signal)
  const readHere = async (file: string): Promise<Tensor> => {
    // Small files are read at once, so nothing else would let other tasks run.
    if (pace.isDue()) await pace.yield()
    return pictureOf(await folder.read(file), file, picture)
  }
  const readAhead = async (file: string): Promise<Tensor> => {
    const { pictureThreads } = await import('./picture-threads')
    return (await orAbort(pictureThreads.read(file, picture), signal)) ?? readHere(file)
  }
  const elements = (ahead: number): Dataset<Element> => {
    const read = ahead > 0 ? readAhead : readHere
    const load = async ({ file, label }: LabelledFile): Promise<unknown> => {
      const image = await faults.guardAsync(() => read(file))
      if (image === DROPPED) return DROPPED
      return isLabelled ? [image, targetOf(label)] : image
    }
    const loaded = files.map(load, { parallel: Math.max(PARALLEL, ahead * (batchSize ?? 1)) })
    const whole = settings.onError === 'throw' ? loaded : loaded.filter((element) => element !== DROPPED)
    return datasetOf(batchSize === null ? whole : whole.batch(batchSize))
  }
  return new ImageFolder(
    elements,
    classNames,
    taken.map(({ file }) => file),
    faults,
    signal,
  )
}

/** The channels of Keras's colour modes. */
const CHANNELS = { grayscale: 1, rgb: 3, rgba: 4 } as const

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
  return bothParts(options, (each) => imagesOfDefaultSize(directory, each)) ?? imagesOfDefaultSize(directory, options)
}

async function imagesOfDefaultSize(directory: string | URL, options: object): Promise<ImageFolder<unknown>> {
  const where = 'imageDatasetFromDirectory'
  if (typeof options !== 'object' || options === null) return imagesBelow(where, directory, options)
  const hasSize = Object.keys(options).some((key) => knownName(key, ['imageSize']) !== undefined)
  return imagesBelow(where, directory, { ...(hasSize ? {} : { imageSize: [256, 256] }), ...options })
}
