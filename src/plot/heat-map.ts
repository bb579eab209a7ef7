// A map of attributions over the image that they belong to.

import { merged } from '../core/merged'
import { requireArguments } from '../core/arguments'
import { ShapeError, formatShape } from '../core/errors'
import { integer, number, option, readOptions } from '../core/options'
import { toTensor, type TensorLike } from '../ops/convert'
import { brightnessRange } from './brightness'
import { pngUri } from './png'
import type { Drawing } from './drawing/picture'
import { HEAD, dataOption, element, label, picture, pictureTable, short, type PictureOptions } from './drawing/svg'

export interface HeatMapOptions extends PictureOptions {
  /** The image below the map, [rows, columns], [rows, columns, 1 or 3], or a batch of such. Default none. */
  readonly image?: TensorLike | null
  /** Which one of a batch. Default 0. */
  readonly row?: number
  /** How much the largest attribution covers of the image, 0 … 1. Default 0.85. */
  readonly opacity?: number
}

const table = () =>
  merged(pictureTable('Where the answer comes from'), {
    image: dataOption,
    row: option(integer({ min: 0 }), 0),
    opacity: option(number({ min: 0, max: 1 }), 0.85),
  })

type Rgb = readonly [red: number, green: number, blue: number]
const MORE: Rgb = [214, 69, 0]
const LESS: Rgb = [20, 92, 204]
/** The grey below a map without an image. */
const BLANK = 245
const SIDE = 360
const BAR = 14

/** Numbers of a map or image: [rows, columns, channels]. */
interface Pixels {
  readonly data: ArrayLike<number>
  readonly rows: number
  readonly columns: number
  readonly channels: number
}

/**
 * Attributions over an image: orange where they are positive, blue where they are negative, the stronger the further from 0.
 *
 *   const { heatMap } = await gradCam(model, images)
 *   const svg = heatMapPicture(heatMap, { image: images, row: 2 })
 *
 * @param map [rows, columns], or [rows, columns, channels], whose channels are added; or a batch of either. Three axes are a
 *   batch if the last two have the image's rows and columns and the first two do not; without an image, if the first
 *   extent is 1 or the last is above 4
 * @returns an SVG, as text: readable on light and dark pages
 * @throws ShapeError if `map` is not a map, or the image has another size
 */
export function heatMapPicture(map: TensorLike, options: HeatMapOptions = {}): string {
  requireArguments('heatMapPicture', arguments, 2)
  return drawHeatMap('heatMapPicture', map, options, true).svg
}

/** @param fluid whether the picture is as wide as its place in the page */
export function drawHeatMap(where: string, map: TensorLike, options: HeatMapOptions, fluid = false): Drawing {
  const { image: below, row, opacity, ...text } = readOptions(where, table(), options)
  const image = below === null ? null : imageOf(where, toTensor(below, `${where}: image`, 'float32'), row)
  const heat = mapOf(where, toTensor(map, `${where}: the map`, 'float32'), row, image)
  const { rows, columns } = heat
  if (image !== null && (image.rows !== rows || image.columns !== columns)) {
    throw new ShapeError(
      `${where}: the map and the image must have the same rows and columns, received ${formatShape([rows, columns])} and ${formatShape([image.rows, image.columns])}`,
    )
  }
  let [low, high] = [0, 0]
  for (let i = 0; i < rows * columns; i++) {
    low = Math.min(low, heat.data[i]!)
    high = Math.max(high, heat.data[i]!)
  }
  const largest = Math.max(-low, high) || 1
  const rgb = new Uint8ClampedArray(3 * rows * columns)
  const light = image === null ? () => BLANK : brightnessOf(image)
  for (let at = 0; at < rows * columns; at++) {
    const value = heat.data[at]! / largest
    const share = opacity * Math.sqrt(Math.abs(value))
    for (let c = 0; c < 3; c++) rgb[3 * at + c] = mixed(light(at, c), (value < 0 ? LESS : MORE)[c]!, share)
  }
  const scale = SIDE / Math.max(rows, columns)
  const [width, height] = [columns * scale, rows * scale]
  const total = Math.max(width + 32, 260)
  const bottom = HEAD + height + 16
  const body = [
    element('image', null, {
      x: 16,
      y: HEAD,
      width,
      height,
      href: pngUri(rgb, rows, columns),
      preserveAspectRatio: 'none',
      style: 'image-rendering:pixelated',
    }),
    low === high ? nothing(bottom) : legend(low, high, largest, opacity, total - 32, bottom),
  ].join('')
  const place = placeOfLargest(heat)
  const content =
    low === high
      ? `Attributions of ${rows} by ${columns} pixels. ${NOTHING.join(' ')}`
      : `Attributions of ${rows} by ${columns} pixels, from ${short(low)} to ${short(high)}. The strongest is at row ${place.row}, column ${place.column}.`
  return picture({ width: total, height: bottom + BAR + 24, fluid }, text, content, body)
}

/** The lines that replace the scale if all attributions are 0. */
const NOTHING = ['0 everywhere: no place counts.', 'Try integratedGradients or occlusion.']

function nothing(top: number): string {
  return NOTHING.map((line, i) => label(line, 'soft', { x: 16, y: top + BAR + 16 * i })).join('')
}

const mixed = (below: number, above: number, share: number): number => Math.round(below + (above - below) * share)

function mapOf(
  where: string,
  { data, shape }: { readonly data: ArrayLike<number>; readonly shape: readonly number[] },
  row: number,
  image: Pixels | null,
): Pixels {
  const isMap = (rows: number | undefined, columns: number | undefined): boolean =>
    image === null || (rows === image.rows && columns === image.columns)
  // [batch, rows, columns], not [rows, columns, channels].
  const isBatch =
    shape.length === 4 ||
    (shape.length === 3 &&
      (image === null ? shape[0] === 1 || shape[2]! > 4 : isMap(shape[1], shape[2]) && !isMap(shape[0], shape[1])))
  const inner = isBatch ? shape.slice(1) : shape
  const [rows = 0, columns = 0, channels = 1] = inner
  const size = rows * columns * channels
  if (inner.length < 2 || inner.length > 3 || size === 0 || (isBatch && row >= shape[0]!)) {
    throw new ShapeError(
      `${where}: the map must be [rows, columns], [rows, columns, channels] or a batch of such with a row ${row}, received ${formatShape(shape)}`,
    )
  }
  const start = isBatch ? row * size : 0
  const sums = Float64Array.from({ length: rows * columns }, (_, at) => {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += data[start + at * channels + c]!
    return sum
  })
  return { data: sums, rows, columns, channels: 1 }
}

function imageOf(
  where: string,
  { data, shape }: { readonly data: ArrayLike<number>; readonly shape: readonly number[] },
  row: number,
): Pixels {
  const isBatch = shape.length === 4 || (shape.length === 3 && shape[2] !== 1 && shape[2] !== 3)
  const [rows = 0, columns = 0, channels = 1] = isBatch ? shape.slice(1) : shape
  const size = rows * columns * channels
  if (
    shape.length < 2 ||
    shape.length > 4 ||
    size === 0 ||
    (channels !== 1 && channels !== 3) ||
    (isBatch && row >= shape[0]!)
  ) {
    throw new ShapeError(
      `${where}: the image must be [rows, columns], [rows, columns, 1 or 3] or a batch of such with a row ${row}, received ${formatShape(shape)}`,
    )
  }
  const start = isBatch ? row * size : 0
  return { data: Float64Array.from({ length: size }, (_, i) => data[start + i]!), rows, columns, channels }
}

/** Numbers of an image as 0 … 255: unchanged, or scaled from 0 … 1 or from their range. */
function brightnessOf({ data, channels }: Pixels): (at: number, channel: number) => number {
  const [from, to] = brightnessRange(data)
  return (at, channel) => ((data[at * channels + (channels === 3 ? channel : 0)]! - from) / (to - from)) * 255
}

function placeOfLargest({ data, columns }: Pixels): { row: number; column: number } {
  let best = 0
  for (let i = 1; i < data.length; i++) if (Math.abs(data[i]!) > Math.abs(data[best]!)) best = i
  return { row: Math.floor(best / columns), column: best % columns }
}

/** A bar of the colours from the least to the largest attribution. */
function legend(low: number, high: number, largest: number, opacity: number, width: number, top: number): string {
  const STEPS = 64
  const rgb = new Uint8ClampedArray(3 * STEPS)
  for (let i = 0; i < STEPS; i++) {
    const value = (low + ((high - low) * i) / (STEPS - 1)) / largest
    for (let c = 0; c < 3; c++)
      rgb[3 * i + c] = mixed(BLANK, (value < 0 ? LESS : MORE)[c]!, opacity * Math.sqrt(Math.abs(value)))
  }
  return [
    element('image', null, {
      x: 16,
      y: top,
      width,
      height: BAR,
      href: pngUri(rgb, 1, STEPS),
      preserveAspectRatio: 'none',
    }),
    label(short(low), 'soft', { x: 16, y: top + BAR + 15 }),
    label(short(high), 'soft', { x: 16 + width, y: top + BAR + 15, 'text-anchor': 'end' }),
  ].join('')
}
