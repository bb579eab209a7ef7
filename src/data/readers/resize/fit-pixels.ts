// Resizes an image on its way to a tensor, with the bits of ops.image.resize. It makes no tensor of the whole image, and reads only the
// rows that it needs. Kernels of assembly/resize.ts compute it.

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

/** The common size of images, and how they get it. */
export interface Fitting {
  readonly height: number
  readonly width: number
  readonly cropToAspectRatio: boolean
  readonly padToAspectRatio: boolean
}

/** The part of an image that is used, and its place in the common size. */
export interface Placement {
  readonly part: { readonly top: number; readonly left: number; readonly height: number; readonly width: number }
  /** The size to which the part is resized. */
  readonly size: readonly [rows: number, columns: number]
  readonly topPadding: number
  readonly leftPadding: number
}

/** Margins are added after resizing, as by `tf.image.resize_with_pad`, which Keras calls, and with its rounding. */
export function placementOf(rows: number, columns: number, fitting: Fitting): Placement {
  const { fround, floor, max } = Math
  const { height, width, cropToAspectRatio, padToAspectRatio } = fitting
  const ratio = padToAspectRatio ? max(fround(columns / width), fround(rows / height)) : null
  const [innerHeight, innerWidth] = ratio === null ? [height, width] : [fround(rows / ratio), fround(columns / ratio)]
  const size = [max(1, floor(innerHeight)), max(1, floor(innerWidth))] as const
  const topPadding = max(0, floor((height - innerHeight) / 2))
  const leftPadding = max(0, floor((width - innerWidth) / 2))
  const part = cropToAspectRatio ? middleLike([rows, columns], size) : { top: 0, left: 0, height: rows, width: columns }
  return { part, size, topPadding, leftPadding }
}

/**
 * An image of the size of `fitting`, by bilinear interpolation; null where the bits of ops.image.resize would be others. These are the
 * float64 sums of the interpreter, scales that are negative or very large, whose products matter even with a weight of 0, and one
 * channel with fused additions, which have another order.
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
    const [nearWeight, farWeight] = [down.weights[2 * i]!, down.weights[2 * i + 1]!]
    kernels.mixRows(first, nearWeight, second, farWeight, length, middle.byteOffset, isFused)
    kernels.mixColumns(middle.byteOffset, weights.byteOffset, size[1], channels, resized.byteOffset, isFused)
    result.set(resized, (topPadding + i) * stride + leftPadding * channels)
  }
  return result
}

/** Like `rowWriter`, by kernels; null unless the pixels are bytes that need no conversion of colours. */
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

/** For each element of a resized axis, its two neighbours on the old axis and their weights, in float32. */
interface Taps {
  readonly at: Int32Array
  readonly weights: Float32Array
}

/** The taps of the last sizes: the images of a folder have few sizes. */
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
