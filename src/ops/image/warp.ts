// Affine transforms of images: the source position of each pixel, and the value there. Other sizes are in
// image.ts.

import { ShapeError, formatShape } from '../../core/errors'
import { choice, number, option } from '../../core/options'
import type { OptionInputs } from '../../core/options'
import { sliceAlong } from '../numpy/along'
import { readTyped } from '../arguments'
import type { TensorLike } from '../convert'
import { asTensor } from '../convert'
import {
  add,
  cast,
  ceil,
  clip,
  divide,
  floor,
  greaterEqual,
  less,
  logicalAnd,
  minimum,
  multiply,
  subtract,
  where,
} from '../numpy/elementwise'
import { arange, expandDims, reshape, squeeze, take } from '../numpy/shape'
import type { Tensor } from '../tensor'

/**
 * The values beyond the edges of an image: mirrored pixels (abc|cba), the other side (abc|abc), one value, or
 * the edge (abc|ccc).
 */
export type FillMode = 'reflect' | 'wrap' | 'constant' | 'nearest'

export const fillMode = /* @__PURE__ */ choice('reflect', 'wrap', 'constant', 'nearest')
export const sampling = /* @__PURE__ */ choice('nearest', 'bilinear')

const sampleOptions = () => ({
  /** 'nearest' takes one pixel, 'bilinear' interpolates between four. Default bilinear. */
  interpolation: option(sampling, 'bilinear'),
  /** The values beyond the edges: 'reflect', 'wrap', 'constant' or 'nearest'. Default constant. */
  fillMode: option(fillMode, 'constant'),
  /** The value of 'constant'. Default 0. */
  fillValue: option(number(), 0),
})
export type AffineTransformOptions = OptionInputs<ReturnType<typeof sampleOptions>>
export type Sampling = 'nearest' | 'bilinear'
export interface SampleOptions {
  readonly interpolation: Sampling
  readonly fillMode: FillMode
  readonly fillValue: number
}

/**
 * Pixel (x, y) of the result is the value at (x′, y′) of the image, x along the columns and y along the rows:
 *
 *   x′ = a₀ x + a₁ y + a₂      y′ = b₀ x + b₁ y + b₂
 *
 * @param images [batch, rows, columns, channels], or one image
 * @param transform [a₀, a₁, a₂, b₀, b₁, b₂, 0, 0] for all images, or [batch, 8] for each
 * @returns float32, with the shape of the images
 * @example ops.affineTransform(images, [1, 0, 3, 0, 1, 0, 0, 0])   // 3 pixels to the left
 * @throws ShapeError when `images` are not images, or the number of transforms differs
 *
 * Keras: `keras.ops.image.affine_transform`, with its edges on JAX. The last two numbers of a transform are not read.
 */
export function affineTransform(images: TensorLike, transform: TensorLike, options?: AffineTransformOptions): Tensor {
  const given = readTyped('affineTransform', sampleOptions(), options)
  const value = cast(asTensor(images, 'affineTransform'), 'float32')
  if (value.rank === 3) return squeeze(affineTransform(expandDims(value, 0), transform, options), 0)
  if (value.rank !== 4)
    throw new ShapeError(
      `affineTransform: expected images [batch, rows, columns, channels] or one [rows, columns, channels], received ${formatShape(value.shape)}`,
    )
  const [batch, rows, columns] = value.shape as [number, number, number, number]
  const matrix = cast(asTensor(transform, 'affineTransform'), 'float32')
  const count = matrix.rank === 1 ? 1 : matrix.shape[0]!
  if (matrix.rank > 2 || matrix.shape.at(-1) !== 8 || (matrix.rank === 2 && count !== 1 && count !== batch)) {
    throw new ShapeError(
      `affineTransform: the transform must be [8], or [${batch}, 8] for each image, received ${formatShape(matrix.shape)}`,
    )
  }
  const entries = reshape(matrix, [count, 8])
  const entry = (i: number): Tensor => reshape(sliceAlong(entries, 1, i, 1), [count, 1, 1])
  const { x, y } = gridOf(rows, columns)
  const origin = (i: number): Tensor => add(add(multiply(entry(i), x), multiply(entry(i + 1), y)), entry(i + 2))
  return sampleAt(value, origin(3), origin(0), given)
}

/** The coordinates of pixels: x [1, 1, columns] along the columns, y [1, rows, 1] along the rows. */
export function gridOf(rows: number, columns: number): { readonly x: Tensor; readonly y: Tensor } {
  return {
    x: reshape(arange(0, columns, 1, 'float32'), [1, 1, columns]),
    y: reshape(arange(0, rows, 1, 'float32'), [1, rows, 1]),
  }
}

/**
 * Samples x [batch, rows, columns, channels] at positions row and column, which broadcast to [batch, height,
 * width] → [batch, height, width, channels].
 */
export function sampleAt(
  x: Tensor,
  row: Tensor,
  column: Tensor,
  { interpolation, fillMode, fillValue }: SampleOptions,
): Tensor {
  const [batch, rows, columns, channels] = x.shape as [number, number, number, number]
  const pixels = reshape(x, [batch * rows * columns, channels])
  const first = reshape(arange(0, batch * rows * columns, rows * columns, 'int32'), [batch, 1, 1])
  const inside = (place: Tensor, extent: number): Tensor => logicalAnd(greaterEqual(place, 0), less(place, extent))
  // The pixel at integers r and c.
  const at = (r: Tensor, c: Tensor): Tensor => {
    const [i, j] = [cast(fixed(r, rows, fillMode), 'int32'), cast(fixed(c, columns, fillMode), 'int32')]
    const picked = take(pixels, add(add(multiply(i, columns), j), first), 0)
    return fillMode === 'constant'
      ? where(expandDims(logicalAnd(inside(r, rows), inside(c, columns)), -1), picked, fillValue)
      : picked
  }
  if (interpolation === 'nearest') return at(rounded(row), rounded(column))
  const [top, left] = [floor(row), floor(column)]
  const [down, right] = [expandDims(subtract(row, top), -1), expandDims(subtract(column, left), -1)]
  const between = (a: Tensor, b: Tensor, share: Tensor): Tensor =>
    add(multiply(a, subtract(1, share)), multiply(b, share))
  const along = (r: Tensor): Tensor => between(at(r, left), at(r, add(left, 1)), right)
  return between(along(top), along(add(top, 1)), down)
}

/** The nearest integer, halves away from 0. */
const rounded = (x: Tensor): Tensor => where(less(x, 0), ceil(subtract(x, 0.5)), floor(add(x, 0.5)))

/** x mod n, in 0 … n − 1 for integers x. */
const modulo = (x: Tensor, n: number): Tensor => subtract(x, multiply(floor(divide(x, n)), n))

/**
 * The index of the pixel, among `extent`, for an integer position. With 'constant' any pixel serves for
 * positions beyond the edges.
 */
function fixed(place: Tensor, extent: number, fillMode: FillMode): Tensor {
  if (fillMode === 'wrap') return modulo(place, extent)
  if (fillMode !== 'reflect') return clip(place, 0, extent - 1)
  // 0 … n − 1, n − 1 … 0, and so on.
  const turn = modulo(place, 2 * extent)
  return minimum(turn, subtract(2 * extent - 1, turn))
}
