// Affine transforms of images: the source position of each pixel, and the value there. Changes of the size
// are in resize.ts.

import { ShapeError, formatShape } from '../../core/errors'
import { choice, number } from '../../core/options'
import { exactly } from '../../core/tuples'
import { asTensor, type TensorLike } from '../convert'
import { operand } from '../kinds'
import { lastFormat, type LastFormatOption } from '../nn/channels'
import { sliceAlong } from '../numpy/along'
import {
  abs,
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
import { arange, expandDims, reshape, take } from '../numpy/shape'
import { arg, op, optional } from '../op'
import type { Tensor } from '../tensor'
import { eachImage } from './batch'

/**
 * The values beyond the edges of an image: mirrored pixels (abc|cba), the other side (abc|abc), one value, the edge (abc|ccc), or
 * mirrored pixels without the edge (abc|ba).
 */
export type FillMode = 'reflect' | 'wrap' | 'constant' | 'nearest' | 'mirror'

/** The modes of layers. */
export const fillMode = /* @__PURE__ */ choice('reflect', 'wrap', 'constant', 'nearest')
/** The modes of ops. */
export const anyFillMode = /* @__PURE__ */ choice('reflect', 'wrap', 'constant', 'nearest', 'mirror')
export const sampling = /* @__PURE__ */ choice('nearest', 'bilinear')

export interface AffineTransformOptions extends LastFormatOption {
  /** 'nearest' takes one pixel, 'bilinear' interpolates between four. Default bilinear. */
  readonly interpolation?: Sampling
  /** The values beyond the edges: 'reflect', 'wrap', 'constant', 'nearest' or 'mirror'. Default constant. */
  readonly fillMode?: FillMode
  /** The value of 'constant'. Default 0. */
  readonly fillValue?: number
}

export type Sampling = 'nearest' | 'bilinear'
export interface SampleOptions {
  readonly interpolation: Sampling
  readonly fillMode: FillMode
  readonly fillValue: number
}

export const affineTransform = op(
  () => [
    arg('images', operand),
    arg('transform', operand),
    optional('interpolation', sampling),
    optional('fillMode', anyFillMode),
    optional('fillValue', number()),
    optional('dataFormat', lastFormat),
  ],
  {
    /**
     * Pixel (x, y) of the result is the value at (x′, y′) of the image, x along the columns and y along the rows:
     *
     *   x′ = a₀ x + a₁ y + a₂      y′ = b₀ x + b₁ y + b₂
     *
     * @param images [batch, rows, columns, channels], or one image
     * @param transform [a₀, a₁, a₂, b₀, b₁, b₂, 0, 0] for all images, or [batch, 8] for each
     * @param interpolation 'nearest' takes one pixel, 'bilinear' interpolates between four. Default bilinear.
     * @param fillMode the values beyond the edges: 'reflect', 'wrap', 'constant', 'nearest' or 'mirror'. Default constant.
     * @param fillValue the value of 'constant'. Default 0.
     * @param dataFormat must be 'channelsLast' or null: the channels are the last axis. Default null
     * @returns float32, with the shape of the images
     * @example ops.image.affineTransform(images, [1, 0, 3, 0, 1, 0, 0, 0])   // 3 pixels to the left
     * @throws ShapeError when `images` are not images, or the number of transforms differs
     *
     * Keras: `keras.ops.image.affine_transform`, with its edges on JAX. The last two numbers of a transform are not read.
     */
    affineTransform(
      images,
      transform,
      interpolation = 'bilinear',
      fillMode = 'constant',
      fillValue = 0,
      _dataFormat?,
    ): Tensor {
      const how = { interpolation, fillMode, fillValue }
      return eachImage('affineTransform', images, (batch) => transformed(cast(batch, 'float32'), transform, how))
    },
  },
  { within: 'image' },
)

function transformed(value: Tensor, transform: TensorLike, options: SampleOptions): Tensor {
  const [batch, rows, columns] = exactly(value.shape, 4)
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
  return sampleAt(value, origin(3), origin(0), options)
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
export function sampleAt(x: Tensor, row: Tensor, column: Tensor, options: SampleOptions): Tensor {
  const [batch, rows, columns, channels] = exactly(x.shape, 4)
  const pixels = reshape(x, [batch * rows * columns, channels])
  const first = reshape(arange(0, batch * rows * columns, rows * columns, 'int32'), [batch, 1, 1])
  return sampleGrid(pixels, [rows, columns], [row, column], options, first)
}

/**
 * Samples a grid at a position along each axis; the positions broadcast to [places…] → [places…, channels].
 * @param pixels the grid, stored as [size, channels]
 * @param extents of the grid
 * @param first the index of the grid's first pixel, if there are several grids
 */
export function sampleGrid(
  pixels: Tensor,
  extents: readonly number[],
  positions: readonly Tensor[],
  { interpolation, fillMode, fillValue }: SampleOptions,
  first?: Tensor,
): Tensor {
  const inside = (place: Tensor, extent: number): Tensor => logicalAnd(greaterEqual(place, 0), less(place, extent))
  // The pixel at an integer position.
  const at = (places: readonly Tensor[]): Tensor => {
    const indices = places.map((place, i) => cast(fixed(place, extents[i]!, fillMode), 'int32'))
    const index = indices.reduce((flat, each, i) => add(multiply(flat, extents[i]!), each))
    const picked = take(pixels, first === undefined ? index : add(index, first), 0)
    if (fillMode !== 'constant') return picked
    const isInside = places.map((place, i) => inside(place, extents[i]!)).reduce((all, each) => logicalAnd(all, each))
    return where(expandDims(isInside, -1), picked, fillValue)
  }
  if (interpolation === 'nearest') return at(positions.map(rounded))
  const lower = positions.map((each) => floor(each))
  const shares = positions.map((position, i) => expandDims(subtract(position, lower[i]!), -1))
  const between = (a: Tensor, b: Tensor, share: Tensor): Tensor =>
    add(multiply(a, subtract(1, share)), multiply(b, share))
  const along = (known: readonly Tensor[]): Tensor => {
    const i = known.length
    if (i === extents.length) return at(known)
    return between(along([...known, lower[i]!]), along([...known, add(lower[i]!, 1)]), shares[i]!)
  }
  return along([])
}

/** The nearest integer, halves away from 0. */
const rounded = (x: Tensor): Tensor => where(less(x, 0), ceil(subtract(x, 0.5)), floor(add(x, 0.5)))

/** x mod n, in 0 … n − 1 for integers x. */
const modulo = (x: Tensor, n: number): Tensor => subtract(x, multiply(floor(divide(x, n)), n))

/**
 * The index of the pixel, among `extent`, for an integer position. With 'constant', positions beyond
 * the edges may have any index, because the value there is replaced.
 */
function fixed(place: Tensor, extent: number, fillMode: FillMode): Tensor {
  if (fillMode === 'wrap') return modulo(place, extent)
  if (fillMode === 'constant' || fillMode === 'nearest') return clip(place, 0, extent - 1)
  if (fillMode === 'mirror') {
    // 0 … n − 1, n − 2 … 1, and so on.
    if (extent === 1) return multiply(place, 0)
    return subtract(extent - 1, abs(subtract(modulo(place, 2 * extent - 2), extent - 1)))
  }
  // 0 … n − 1, n − 1 … 0, and so on.
  const turn = modulo(place, 2 * extent)
  return minimum(turn, subtract(2 * extent - 1, turn))
}
