// plotImages: images of a batch side by side.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ArgumentError, DataError, ShapeError, formatShape } from '../core/errors'
import { count, listOf, nullable, option, readOptions } from '../core/options'
import { toTensor, type TensorLike } from '../ops/convert'
import { Picture } from './drawing/picture'
import { brightnessRange } from './brightness'
import { pngUri } from './png'
import { HEAD, element, label, picture, pictureTable, words, type PictureOptions } from './drawing/svg'

export interface PlotImagesOptions extends PictureOptions {
  /** A text below each image. Default none. */
  readonly captions?: readonly string[] | null
  /** Images in a line. Default: as many as are in a square, at most 8. */
  readonly columns?: number | null
  /** The longer side of an image in pixels. Default 84. */
  readonly size?: number
  /** How many are shown. Default 64. */
  readonly most?: number
}

const table = () =>
  merged(pictureTable('Images'), {
    captions: option(nullable(listOf(words)), null),
    columns: option(nullable(count), null),
    size: option(count, 84),
    most: option(count, 64),
  })

/** The numbers of a batch as bytes, all on one scale, so that images can be compared. */
function bytesOf(data: ArrayLike<number>): (at: number) => number {
  const [from, to] = brightnessRange(data)
  return (at) => (to === from ? 128 : ((data[at]! - from) / (to - from)) * 255)
}

/**
 * Images of a batch in a grid, with captions.
 *
 *   plotImages(x, { captions: labels.map(String) })
 *
 * @param images [images, rows, columns] or [images, rows, columns, 1 or 3]; numbers in 0 … 1, 0 … 255, or any
 * @throws ShapeError for another shape; DataError for NaN; ArgumentError for another number of captions
 */
export function plotImages(images: TensorLike, options: PlotImagesOptions = {}): Picture {
  requireArguments('plotImages', arguments, 2)
  const { captions, columns: wanted, size, most, ...text } = readOptions('plotImages', table(), options)
  const { data, shape } = toTensor(images, 'plotImages', 'float32')
  const [total = 0, rows = 0, columns = 0, channels = 1] = shape
  const isImages = (shape.length === 3 || shape.length === 4) && (channels === 1 || channels === 3)
  if (!isImages || total * rows * columns === 0)
    throw new ShapeError(
      `plotImages: needs [images, rows, columns] or [images, rows, columns, 1 or 3], received ${formatShape(shape)}`,
    )
  const wrong = data.findIndex((each: number) => !Number.isFinite(each))
  if (wrong >= 0)
    throw new DataError(
      `plotImages: pixels must be finite, received ${data[wrong]} in image ${Math.floor(wrong / (rows * columns * channels))}`,
    )
  if (captions !== null && captions.length !== total)
    throw new ArgumentError(`plotImages: needs a caption for each of ${total} images, received ${captions.length}`)
  const shown = Math.min(total, most)
  const inLine = Math.min(shown, wanted ?? Math.min(8, Math.ceil(Math.sqrt(shown))))
  const scale = size / Math.max(rows, columns)
  const [width, height] = [columns * scale, rows * scale]
  const [stepX, stepY] = [width + 10, height + (captions === null ? 10 : 26)]
  const byte = bytesOf(data)
  const body = Array.from({ length: shown }, (_, i) => {
    const [x, y] = [16 + (i % inLine) * stepX, HEAD + Math.floor(i / inLine) * stepY]
    const length = rows * columns * channels
    const pixels = Uint8ClampedArray.from({ length }, (_, at) => byte(i * length + at))
    const href = pngUri(pixels, rows, columns, channels === 3 ? 3 : 1)
    const style = scale > 1 ? { style: 'image-rendering:pixelated' } : {}
    return [
      element('image', null, { x, y, width, height, href, preserveAspectRatio: 'none', ...style }),
      captions === null
        ? ''
        : label(
            captions[i]!,
            'soft',
            { x: x + width / 2, y: y + height + 14, 'text-anchor': 'middle', 'font-size': 11 },
            Math.max(3, Math.floor(stepX / 6)),
          ),
    ].join('')
  }).join('')
  const named = captions === null ? '' : ` Captions: ${captions.slice(0, shown).join(', ')}.`
  const content = `${shown} of ${total} images, each ${rows} by ${columns} pixels.${named}`
  const full = { width: Math.max(160, 22 + inLine * stepX), height: HEAD + Math.ceil(shown / inLine) * stepY + 8 }
  return new Picture(picture(full, text, content, body))
}
