// Pixels as tensors, from images in memory. Reads no files: see images.ts.

import { merged } from '../../core/merged'
import { requireArguments } from '../../core/arguments'
import { orAbort } from '../../core/abort'
import { ArgumentError, StateError, quoted } from '../../core/errors'
import { choice, custom, number, option, readOptions, type OptionInputs, type ValuesOf } from '../../core/options'
import { Tensor } from '../../ops/tensor'
import { signalOption } from '../samples/abort'
import { allColumns, rowWriter, rowsOf, type Channels, type PixelRows } from './pixel-rows'

const pixelOptions = () => ({
  /** 1 is grey, 3 is red, green and blue, 4 adds alpha. Default 3. */
  channels: option(
    custom<Channels>(
      (value, where) => {
        if (value === 1 || value === 3 || value === 4) return value
        throw new ArgumentError(`${where} must be 1, 3 or 4, received ${quoted(value)}`)
      },
      (value) => value,
    ),
    3,
  ),
  /** Default 'float32'. */
  dtype: option(choice('float32', 'int32'), 'float32'),
  /** The factor of pixels: 1 / 255 gives numbers from 0 to 1. Default 1. */
  scale: option(number(), 1),
})
/** Options of `fromPixels`. */
export type PixelOptions = OptionInputs<ReturnType<typeof pixelOptions>>
export type PixelSettings = ValuesOf<ReturnType<typeof pixelOptions>>

const imageRows = () => merged(pixelOptions(), signalOption())
type ImageRows = ReturnType<typeof imageRows>
export type ImageTable = { [Name in keyof ImageRows]: ImageRows[Name] }
export const imageOptions: () => ImageTable = imageRows
/** Options of `webcamFrames`. */
export type ImageOptions = OptionInputs<ReturnType<typeof imageOptions>>

/** The image objects of a page. */
export type PixelSource =
  | ImageData
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLImageElement
  | HTMLVideoElement
  | ImageBitmap
  | VideoFrame
  | PixelBytes
/** Bytes of red, green, blue and alpha, as in an ImageData. */
export interface PixelBytes {
  /** Four bytes for each pixel, row by row: red, green, blue and alpha. */
  readonly data: Uint8Array | Uint8ClampedArray
  /** In pixels. */
  readonly width: number
  /** In pixels. */
  readonly height: number
}

/**
 * An image of a page as [height, width, channels] with numbers from 0 to 255: an ImageData, a canvas, a loaded `<img>`,
 * a `<video>`, an ImageBitmap, a VideoFrame.
 *
 *   const digit = fromPixels(canvas, { channels: 1, scale: 1 / 255 })
 *
 * TensorFlow.js: `tf.browser.fromPixels`.
 * @throws ArgumentError for other values; StateError for an image that is not loaded yet
 */
export function fromPixels(source: PixelSource, options: PixelOptions = {}): Tensor {
  requireArguments('fromPixels', arguments, 2)
  return asTensor(pixelsOf(source, 'fromPixels'), readOptions('fromPixels', pixelOptions(), options))
}

/** The pixels with the requested channels, scale and dtype. */
export function asTensor(pixels: PixelRows, { channels, dtype, scale }: PixelSettings): Tensor {
  const { width, height } = pixels
  const values = new Float32Array(height * width * channels)
  const write = rowWriter(pixels, channels, scale, allColumns(pixels))
  for (let y = 0; y < height; y++) write(y, values, y * width * channels)
  return new Tensor(dtype === 'int32' ? rounded(values) : values, [height, width, channels], dtype)
}

/** The nearest integers. `Int32Array.from` with a function would make a list of all first. */
export function rounded(values: ArrayLike<number>): Int32Array<ArrayBuffer> {
  const result = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) result[i] = Math.round(values[i]!)
  return result
}

export function isPixelSource(value: unknown): value is PixelSource {
  return (
    typeof value === 'object' &&
    value !== null &&
    !('text' in value) &&
    !ArrayBuffer.isView(value) &&
    sizeOfPicture(value) !== null
  )
}

/** Width and height of an image object; null for other values. */
function sizeOfPicture(source: object): readonly [width: number, height: number] | null {
  const pairs = [
    ['videoWidth', 'videoHeight'],
    ['naturalWidth', 'naturalHeight'],
    ['displayWidth', 'displayHeight'],
    ['width', 'height'],
  ] as const
  for (const [across, down] of pairs) {
    const [width, height]: unknown[] = [Reflect.get(source, across), Reflect.get(source, down)]
    if (typeof width === 'number' && typeof height === 'number') return [width, height]
  }
  return null
}

export function pixelsOf(source: PixelSource, where: string): PixelRows {
  const size = typeof source === 'object' && source !== null ? sizeOfPicture(source) : null
  if (size === null)
    throw new ArgumentError(
      `${where}: expected an ImageData, a canvas, an image or a video, received ${quoted(source)}`,
    )
  const [width, height] = size
  if (width === 0 || height === 0)
    throw new StateError(`${where}: the picture has no pixels yet. Wait until it is loaded.`)
  const samples = 'data' in source ? source.data : drawn(source, width, height)
  const isBytes = samples instanceof Uint8Array || samples instanceof Uint8ClampedArray
  const data = isBytes ? samples : Uint8ClampedArray.from(samples)
  if (data.length !== width * height * 4)
    throw new ArgumentError(
      `${where}: a picture of ${width} × ${height} must have ${width * height * 4} bytes (red, green, blue, alpha), received ${data.length}`,
    )
  return rowsOf({ width, height, channels: 4, data })
}

type Drawable = Exclude<PixelSource, ImageData | PixelBytes>

function drawn(source: Drawable, width: number, height: number): Uint8ClampedArray {
  const contextOfSource = 'getContext' in source ? contextOf(source) : null
  const context = contextOfSource ?? contextOf(canvas(width, height))
  if (context === null) throw new StateError('This page cannot draw on a canvas.')
  if (contextOfSource === null) context.drawImage(source, 0, 0, width, height)
  return context.getImageData(0, 0, width, height).data
}

function contextOf(
  canvas: HTMLCanvasElement | OffscreenCanvas,
): CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null {
  // A WebGL canvas has no 2D context, so it is drawn on a canvas that has one.
  return isOffscreen(canvas)
    ? canvas.getContext('2d', { willReadFrequently: true })
    : canvas.getContext('2d', { willReadFrequently: true })
}

function isOffscreen(canvas: HTMLCanvasElement | OffscreenCanvas): canvas is OffscreenCanvas {
  return typeof OffscreenCanvas === 'function' && canvas instanceof OffscreenCanvas
}

/** Whether this platform draws pictures: Deno has canvases that cannot. */
export function canDraw(): boolean {
  return typeof OffscreenCanvas === 'function' && contextOf(new OffscreenCanvas(1, 1)) !== null
}

function canvas(width: number, height: number): HTMLCanvasElement | OffscreenCanvas {
  if (typeof OffscreenCanvas === 'function') return new OffscreenCanvas(width, height)
  if (typeof document === 'undefined')
    throw new StateError('Pictures are drawn in browsers only. Elsewhere, readImage reads files.')
  return Object.assign(document.createElement('canvas'), { width, height })
}

/**
 * The frames of a camera, each [height, width, channels]. It ends with the video, or when the loop is left; a camera
 * that it started is then stopped.
 *
 *   for await (const frame of webcamFrames()) {
 *     const [scores] = …
 *     if (…) break
 *   }
 *
 * @param video a playing video; by default a new one from the camera that the page's user selects
 */
export async function* webcamFrames(
  video: HTMLVideoElement | null = null,
  options: ImageOptions = {},
): AsyncGenerator<Tensor, void> {
  requireArguments('webcamFrames', arguments, 2)
  const { signal, ...settings } = readOptions('webcamFrames', imageOptions(), options)
  signal?.throwIfAborted()
  const started = video === null ? await camera() : null
  const shown = video ?? started!.video
  try {
    while (!shown.ended) {
      await orAbort(nextFrame(shown), signal)
      // Before its first frame, the video has no size.
      if (shown.videoWidth > 0) yield asTensor(pixelsOf(shown, 'webcamFrames'), settings)
    }
  } finally {
    started?.stop()
  }
}

async function camera(): Promise<{ video: HTMLVideoElement; stop: () => void }> {
  const devices = (globalThis.navigator as Navigator | undefined)?.mediaDevices
  if (devices === undefined || typeof document === 'undefined')
    throw new StateError(
      'webcamFrames: there is no camera here. Browsers give cameras only to pages from https or localhost.',
    )
  const stream = await devices.getUserMedia({ video: true })
  const video = Object.assign(document.createElement('video'), { muted: true, playsInline: true, srcObject: stream })
  await video.play()
  return { video, stop: () => stream.getTracks().forEach((track) => track.stop()) }
}

function nextFrame(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve) => {
    // If the video ends while a frame is awaited, no further frame comes.
    video.addEventListener('ended', () => resolve(), { once: true })
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(() => resolve())
    else requestAnimationFrame(() => resolve())
  })
}
