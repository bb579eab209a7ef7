// Resizing of images [batch, rows, columns, channels].

import { ShapeError, formatShape } from '../../core/errors'
import { boolean, choice, option, required } from '../../core/options'
import { readTyped } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import { cast } from '../numpy/elementwise'
import { matmul } from '../linalg/linalg'
import { perAxis } from '../nn/sliding'
import { expandDims, reshape, squeeze, take } from '../numpy/shape'
import { Tensor } from '../tensor'

export type Interpolation = 'nearest' | 'bilinear' | 'bicubic' | 'lanczos3' | 'lanczos5'

export const interpolation = /* @__PURE__ */ choice('nearest', 'bilinear', 'bicubic', 'lanczos3', 'lanczos5')

export interface ResizeOptions {
  /** 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'. Default bilinear. */
  readonly interpolation?: Interpolation
  /** Whether to average over skipped pixels when an image becomes smaller. Default false. */
  readonly antialias?: boolean
}

/** The weight of a pixel at distance x. Keys's cubic (1981) has a = −½. */
const KERNELS: Readonly<Record<Exclude<Interpolation, 'nearest'>, (x: number) => number>> = {
  bilinear: (x) => Math.max(0, 1 - x),
  bicubic: (x) => (x >= 2 ? 0 : x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1),
  lanczos3: (x) => lanczos(x, 3),
  lanczos5: (x) => lanczos(x, 5),
}

function lanczos(x: number, radius: number): number {
  if (x > radius) return 0
  const y = radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)
  return x > 1e-3 ? y / (Math.PI * Math.PI * x * x) : 1
}

/** [size, extent]: the weights of the old elements in each element of a resized axis. Pixel centres are at ½. */
function weights(extent: number, size: number, kernel: (x: number) => number, antialias: boolean): Tensor {
  const scale = extent / size
  const spread = antialias ? Math.max(scale, 1) : 1
  const data = new Float32Array(size * extent)
  for (let i = 0; i < size; i++) {
    const centre = (i + 0.5) * scale - 0.5
    const row = Array.from({ length: extent }, (_, j) => kernel(Math.abs(centre - j) / spread))
    const sum = row.reduce((a, b) => a + b, 0)
    if (Math.abs(sum) > 1000 * 2 ** -23 && centre >= -0.5 && centre <= extent - 0.5)
      row.forEach((weight, j) => (data[i * extent + j] = weight / sum))
  }
  return new Tensor(data, [size, extent], 'float32')
}

/**
 * Resizes images. Pixel positions are their centres, as in Keras.
 * @param images [batch, rows, columns, channels], or one image
 * @param size [rows, columns] of the result, or one number for both
 * @example ops.resize(images, [32, 32], { interpolation: 'bicubic' })
 * Keras: `keras.ops.image.resize`.
 */
export function resize(images: TensorLike, size: number | readonly number[], options?: ResizeOptions): Tensor {
  const value = asTensor(images, 'resize')
  if (value.rank === 3) return squeeze(resize(expandDims(value, 0), size, options), 0)
  if (value.rank !== 4)
    throw new ShapeError(
      `resize: expected images [batch, rows, columns, channels] or one [rows, columns, channels], received ${formatShape(value.shape)}`,
    )
  const given = readTyped(
    'resize',
    { size: required(perAxis(2)), interpolation: option(interpolation, 'bilinear'), antialias: option(boolean, false) },
    { ...options, size },
  )
  const [rows, columns] = given.size as [number, number]
  if (given.interpolation === 'nearest') return pick(pick(value, 1, rows), 2, columns)
  const kernel = KERNELS[given.interpolation]
  const [batch, height, width, channels] = value.shape as [number, number, number, number]
  const floats = cast(value, 'float32')
  const tall =
    rows === height
      ? floats
      : reshape(
          matmul(weights(height, rows, kernel, given.antialias), reshape(floats, [batch, height, width * channels])),
          [batch, rows, width, channels],
        )
  return columns === width ? tall : matmul(weights(width, columns, kernel, given.antialias), tall)
}

/** Nearest-neighbour resizing of one axis. */
function pick(x: Tensor, axis: number, size: number): Tensor {
  const extent = x.shape[axis]!
  if (size === extent) return x
  const indices = Int32Array.from({ length: size }, (_, i) => Math.floor(((i + 0.5) * extent) / size))
  return take(x, new Tensor(indices, [size], 'int32'), axis)
}
