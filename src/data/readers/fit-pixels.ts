// Resizes an image on its way to a tensor: the bits of ops.image.resize, without a tensor of the whole image and only from the rows
// that count.

import { middleLike } from '../../ops/image/resize'
import { currentRuntime } from '../../runtime/current'
import type { Channels, PixelRows } from './pixel-rows'
import { rowWriter } from './pixel-rows'

/** What is cut, resized and padded for a common size. */
export interface Fitting {
  readonly height: number
  readonly width: number
  readonly cropToAspectRatio: boolean
  readonly padToAspectRatio: boolean
}

/** Where an image goes in the common size, and what of it. */
export interface Placement {
  readonly part: { readonly top: number; readonly left: number; readonly height: number; readonly width: number }
  /** Rows and columns that the part is resized to, and where these are. */
  readonly size: readonly [rows: number, columns: number]
  readonly topPadding: number
  readonly leftPadding: number
}

/** Margins are added after resizing, as by `tf.image.resize_with_pad`, which Keras calls, and with its rounding. */
export function placementOf(rows: number, columns: number, fitting: Fitting): Placement {
  const { fround, floor, max } = Math
  const { height, width, cropToAspectRatio, padToAspectRatio } = fitting
  const ratio = padToAspectRatio ? max(fround(columns / width), fround(rows / height)) : null
  const inside = ratio === null ? [height, width] : [fround(rows / ratio), fround(columns / ratio)]
  const size = inside.map((side) => max(1, floor(side))) as [number, number]
  const [topPadding, leftPadding] = [height, width].map((side, i) => max(0, floor((side - inside[i]!) / 2))) as [
    number,
    number,
  ]
  const part = cropToAspectRatio ? middleLike([rows, columns], size) : { top: 0, left: 0, height: rows, width: columns }
  return { part, size, topPadding, leftPadding }
}

/**
 * An image of the size of `fitting`, by bilinear interpolation; null for what only ops.image.resize computes: numbers whose sign or
 * size matters even where their weight is 0, and products of one column with fused additions, whose order is another.
 */
export function bilinear(
  pixels: PixelRows,
  channels: Channels,
  scale: number,
  fitting: Fitting,
): Float32Array<ArrayBuffer> | null {
  const { backend, simd } = currentRuntime().settings
  const isFused = backend === 'wasm' && simd === 'relaxed'
  if (!(scale >= 0 && scale <= MOST_SCALE) || (isFused && channels === 1)) return null
  const { part, size, topPadding, leftPadding } = placementOf(pixels.height, pixels.width, fitting)
  const { height, width } = fitting
  const result = new Float32Array(height * width * channels)
  const write = rowWriter(pixels, channels, scale)
  const down = tapsOf(part.height, size[0])
  const across = tapsOf(part.width, size[1])
  // The two rows of the image that the last row of the result is between.
  let [first, second]: [Row, Row] = [emptyRow(pixels, channels), emptyRow(pixels, channels)]
  const rowAt = (y: number, spare: Row): Row => {
    if (spare.y !== y) {
      write(y, spare.data, 0)
      spare.y = y
    }
    return spare
  }
  for (let i = 0; i < size[0]; i++) {
    const [near, far] = [part.top + down.first[i]!, part.top + down.second[i]!]
    if (second.y === near || first.y === far) [first, second] = [second, first]
    first = rowAt(near, first)
    second = rowAt(far, second)
    mix(first.data, second.data, result, ((topPadding + i) * width + leftPadding) * channels, {
      channels,
      left: part.left,
      across,
      near: down.near[i]!,
      far: down.far[i]!,
      isFused,
    })
  }
  return result
}

/** Larger scales could give infinities, which a weight of 0 turns to NaN. */
const MOST_SCALE = 1e30

interface Row {
  readonly data: Float32Array
  y: number
}

const emptyRow = ({ width }: PixelRows, channels: number): Row => ({ data: new Float32Array(width * channels), y: -1 })

/** For each element of a resized axis the two old ones that it is between, and their weights, in float32. */
interface Taps {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly near: Float32Array
  readonly far: Float32Array
}

/** Those of the last sizes: the images of a folder have few. */
const known = new Map<string, Taps>()
const MOST_KNOWN = 64

/** Pixel centres are at ½, as in ops.image.resize. */
function tapsOf(extent: number, size: number): Taps {
  const key = `${extent} ${size}`
  const found = known.get(key)
  if (found !== undefined) return found
  const scale = extent / size
  const taps = {
    first: new Int32Array(size),
    second: new Int32Array(size),
    near: new Float32Array(size),
    far: new Float32Array(size),
  }
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale - 0.5
    const at = Math.floor(centre)
    const [near, far] = [at, at + 1].map((j) => (j >= 0 && j < extent ? Math.max(0, 1 - Math.abs(centre - j)) : 0)) as [
      number,
      number,
    ]
    taps.first[i] = Math.max(0, at)
    taps.second[i] = Math.min(extent - 1, at + 1)
    taps.near[i] = near / (near + far)
    taps.far[i] = far / (near + far)
  }
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, taps)
  return taps
}

interface Mixing {
  readonly channels: number
  readonly left: number
  readonly across: Taps
  readonly near: number
  readonly far: number
  readonly isFused: boolean
}

/** A row of the result from two rows of the image: first between rows, then between columns, each rounded to float32. */
function mix(
  above: Float32Array,
  below: Float32Array,
  result: Float32Array,
  start: number,
  { channels, left, across, near, far, isFused }: Mixing,
): void {
  const count = across.first.length
  for (let j = 0, at = start; j < count; j++) {
    const [one, two] = [(left + across.first[j]!) * channels, (left + across.second[j]!) * channels]
    const [oneWeight, twoWeight] = [across.near[j]!, across.far[j]!]
    for (let k = 0; k < channels; k++) {
      const a = between(above[one + k]!, near, below[one + k]!, far, isFused)
      const b = between(above[two + k]!, near, below[two + k]!, far, isFused)
      result[at++] = between(a, oneWeight, b, twoWeight, isFused)
    }
  }
}

/** a · v + b · w in float32: the second product and the sum are rounded apart, or together as by a fused multiply-add. */
function between(a: number, v: number, b: number, w: number, isFused: boolean): number {
  const { fround } = Math
  const first = fround(a * v)
  if (!isFused) return fround(first + fround(b * w))
  // Of two float32 numbers, the product is exact in float64, and so is the error of the sum (Knuth's TwoSum).
  const product = b * w
  const sum = first + product
  const rounded = fround(sum)
  const rest = sum - rounded
  const other = rounded + 2 * rest
  if (rest === 0 || fround(other) !== other) return rounded
  // The sum is half way between two float32 numbers: its error decides.
  const own = sum - first
  const error = first - (sum - own) + (product - own)
  return error === 0 ? rounded : error > 0 === rest > 0 ? other : rounded
}
