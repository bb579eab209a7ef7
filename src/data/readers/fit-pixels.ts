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
 * An image of the size of `fitting`, by bilinear interpolation; null for what only ops.image.resize computes: the sums of the
 * interpreter, which are of float64, numbers whose sign or size matters even where their weight is 0, and products of one column with fused additions, whose order is another.
 */
export function bilinear(
  pixels: PixelRows,
  channels: Channels,
  scale: number,
  fitting: Fitting,
): Float32Array<ArrayBuffer> | null {
  const { backend, simd } = currentRuntime().settings
  const isFused = simd === 'relaxed'
  if (backend !== 'wasm' || !(scale >= 0 && scale <= MOST_SCALE) || (isFused && channels === 1)) return null
  const { part, size, topPadding, leftPadding } = placementOf(pixels.height, pixels.width, fitting)
  const down = tapsOf(part.height, size[0])
  const across = tapsOf(part.width, size[1])
  const write = rowWriter(pixels, channels, scale, part.left === 0 ? across.at : across.at.map((x) => part.left + x))
  const stride = fitting.width * channels
  const result = new Float32Array(fitting.height * stride)
  const length = across.at.length * channels
  // Two rows of the image, and what is between them.
  let [above, below] = [emptyRow(length), emptyRow(length)]
  const middle = new Float32Array(length)
  const fill = (row: Row, y: number): Row => {
    if (row.y !== y) write(y, row.data, 0)
    row.y = y
    return row
  }
  const mixRows = isFused ? fusedRows : plainRows
  const mixColumns = isFused ? fusedColumns : plainColumns
  for (let i = 0; i < size[0]; i++) {
    const [near, far] = [part.top + down.at[2 * i]!, part.top + down.at[2 * i + 1]!]
    if (below.y === near || above.y === far) [above, below] = [below, above]
    fill(above, near)
    fill(below, far)
    mixRows(above.data, down.weights[2 * i]!, below.data, down.weights[2 * i + 1]!, middle)
    mixColumns(middle, across.weights, channels, result, (topPadding + i) * stride + leftPadding * channels)
  }
  return result
}

/** Larger scales could give infinities, which a weight of 0 turns to NaN. */
const MOST_SCALE = 1e30

interface Row {
  readonly data: Float32Array
  y: number
}

const emptyRow = (length: number): Row => ({ data: new Float32Array(length), y: -1 })

/** For each element of a resized axis the two old ones that it is between, and their weights, in float32. */
interface Taps {
  readonly at: Int32Array
  readonly weights: Float32Array
}

/** Those of the last sizes: the images of a folder have few. */
const known = new Map<string, Taps>()
const MOST_KNOWN = 64

/** Pixel centres are at ½, as in ops.image.resize. */
function tapsOf(extent: number, size: number): Taps {
  const key = `${extent} ${size}`
  const found = known.get(key)
  if (found !== undefined) return found
  const taps = { at: new Int32Array(2 * size), weights: new Float32Array(2 * size) }
  const scale = extent / size
  const weightAt = (at: number, centre: number): number =>
    at >= 0 && at < extent ? Math.max(0, 1 - Math.abs(centre - at)) : 0
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale - 0.5
    const at = Math.floor(centre)
    const [near, far] = [weightAt(at, centre), weightAt(at + 1, centre)]
    taps.at.set([Math.max(0, at), Math.min(extent - 1, at + 1)], 2 * i)
    taps.weights.set([near / (near + far), far / (near + far)], 2 * i)
  }
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(key, taps)
  return taps
}

// The two products of each sum are rounded apart, as by the kernels of the plain binary.

function plainRows(above: Float32Array, near: number, below: Float32Array, far: number, into: Float32Array): void {
  const { fround } = Math
  for (let i = 0; i < into.length; i++) into[i] = fround(above[i]! * near) + fround(below[i]! * far)
}

/** @param pairs for each column of the result the two between which it is */
function plainColumns(
  pairs: Float32Array,
  weights: Float32Array,
  channels: number,
  into: Float32Array,
  start: number,
): void {
  const { fround } = Math
  for (let j = 0, i = 0, at = start; j < weights.length; j += 2, i += channels) {
    const near = weights[j]!
    const far = weights[j + 1]!
    for (let k = 0; k < channels; k++, i++, at++)
      into[at] = fround(pairs[i]! * near) + fround(pairs[i + channels]! * far)
  }
}

// The second product and the sum are rounded together, as by the fused multiply-add of the relaxed binary.

function fusedRows(above: Float32Array, near: number, below: Float32Array, far: number, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = fused(above[i]!, near, below[i]!, far)
}

function fusedColumns(
  pairs: Float32Array,
  weights: Float32Array,
  channels: number,
  into: Float32Array,
  start: number,
): void {
  for (let j = 0, i = 0, at = start; j < weights.length; j += 2, i += channels)
    for (let k = 0; k < channels; k++, i++, at++)
      into[at] = fused(pairs[i]!, weights[j]!, pairs[i + channels]!, weights[j + 1]!)
}

/** a · v + b · w in float32, rounded after the first product and at the end. */
function fused(a: number, v: number, b: number, w: number): number {
  const { fround } = Math
  // Of two float32 numbers, the product is exact in float64, and so is the error of the sum (Knuth's TwoSum).
  const first = fround(a * v)
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
