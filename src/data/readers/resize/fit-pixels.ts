// Resizes an image on its way to a tensor: the bits of ops.image.resize, without a tensor of the whole image and only from the rows
// that count. Kernels of assembly/resize.ts do it.

import { middleLike } from '../../../ops/image/resize'
import { currentRuntime } from '../../../engine/runtime/current'
import { KernelModule, type KernelExports, type KernelRoom } from '../kernel-memory'
import { rowWriter, type Channels, type PixelRows, type WriteRow } from '../pixel-rows'
import { resizeModule } from './resize-binary'

/** The exports of assembly/resize.ts. */
interface ResizeKernels extends KernelExports {
  gather(
    samples: number,
    size: number,
    columns: number,
    count: number,
    channels: number,
    scale: number,
    to: number,
  ): void
  mixRows(above: number, near: number, below: number, far: number, count: number, to: number, isFused: boolean): void
  mixColumns(pairs: number, weights: number, count: number, channels: number, to: number, isFused: boolean): void
}

const kernelModule = /* @__PURE__ */ new KernelModule<ResizeKernels>(resizeModule)

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
 * interpreter, which are of float64, numbers whose sign or size matters even where their weight is 0, and products of one column with
 * fused additions, whose order is another.
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
  const count = across.at.length
  const length = count * channels
  const room = kernelModule.room(4 * (pixels.width + 6 * count + 4 * length))
  if (room === null) return null
  const { kernels } = room
  const columns = room.integers(count)
  columns.set(across.at)
  if (part.left > 0) for (let i = 0; i < count; i++) columns[i]! += part.left
  const weights = room.floats(count)
  weights.set(across.weights)
  const write = gatherer(pixels, channels, scale, columns, room) ?? rowWriter(pixels, channels, scale, columns)
  // Two rows of the image, what is between them, and a row of the result.
  let [above, below]: [Row, Row] = [
    { data: room.floats(length), y: -1 },
    { data: room.floats(length), y: -1 },
  ]
  const middle = room.floats(length)
  const resized = room.floats(size[1] * channels)
  const fill = (row: Row, y: number): Row => {
    if (row.y !== y) write(y, row.data, 0)
    row.y = y
    return row
  }
  const stride = fitting.width * channels
  const result = new Float32Array(fitting.height * stride)
  for (let i = 0; i < size[0]; i++) {
    const [near, far] = [part.top + down.at[2 * i]!, part.top + down.at[2 * i + 1]!]
    if (below.y === near || above.y === far) [above, below] = [below, above]
    const [first, second] = [fill(above, near).data.byteOffset, fill(below, far).data.byteOffset]
    const [own, other] = [down.weights[2 * i]!, down.weights[2 * i + 1]!]
    kernels.mixRows(first, own, second, other, length, middle.byteOffset, isFused)
    kernels.mixColumns(middle.byteOffset, weights.byteOffset, size[1], channels, resized.byteOffset, isFused)
    result.set(resized, (topPadding + i) * stride + leftPadding * channels)
  }
  return result
}

/** As `rowWriter`, by kernels; null for other than bytes that are channels as they stand. */
function gatherer(
  { width, channels: size, largest = 255, row }: PixelRows,
  channels: Channels,
  scale: number,
  columns: Int32Array,
  room: KernelRoom<ResizeKernels>,
): WriteRow | null {
  const isDirect = size === channels || (channels === 3 && (size === 1 || size === 4))
  if (!isDirect || largest !== 255) return null
  const bytes = room.bytes(width * size)
  return (y, into) => {
    bytes.set(row(y))
    room.kernels.gather(bytes.byteOffset, size, columns.byteOffset, columns.length, channels, scale, into.byteOffset)
  }
}

/** Larger scales could give infinities, which a weight of 0 turns to NaN. */
const MOST_SCALE = 1e30

interface Row {
  readonly data: Float32Array
  y: number
}

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
