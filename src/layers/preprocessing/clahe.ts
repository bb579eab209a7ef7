// ContrastLimitedAdaptiveHistogramEqualization: histogram equalization in tiles of an image.

import { merged } from '../../core/merged'
import type { DType } from '../../core/dtypes'
import { configured, count, listOf, number, option } from '../../core/options'
import { countsOf } from '../../ops/math/counts'
import { add, cast, clip, divide, equal, minimum, multiply, subtract, where } from '../../ops/numpy/elementwise'
import { pad } from '../../ops/numpy/pad'
import { cumsum, min, sum } from '../../ops/numpy/reduce'
import { arange, reshape, slice, take, transpose } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { BYTES, rescaled } from './colours'
import { ImageLayer, rangeOption, type Transformation } from './image-layer'
import { exactly } from '../../core/tuples'

/** The number of levels. */
const LEVELS = 256

const ContrastLimitedAdaptiveHistogramEqualizationBase = configured(
  ImageLayer,
  () =>
    merged(rangeOption(), {
      /** The largest count of a level, in multiples of the mean count; 0 or less for no limit. Default 4. */
      clipLimit: option(number(), 4),
      /** The number of tiles, [rows, columns]. Default [8, 8]. */
      tileGridSize: option(listOf(count, 2), [8, 8]),
    }),
  ['valueRange'],
)

/**
 * Contrast-limited adaptive histogram equalization, in training and inference; integers stay integers. Each tile of a channel has a histogram
 * of 256 levels, whose counts above clipLimit · pixels / 256 are distributed over all levels; its running sum, as a
 * share of the pixels, gives the new value of a level. A pixel takes the mean of the values that the four nearest tiles
 * give to it, weighted by their distance. Zuiderveld 1994.
 *
 * Keras: `keras.layers.ContrastLimitedAdaptiveHistogramEqualization`.
 */
export class ContrastLimitedAdaptiveHistogramEqualization extends ContrastLimitedAdaptiveHistogramEqualizationBase {
  static readonly className = 'ContrastLimitedAdaptiveHistogramEqualization'

  protected transformation(): Transformation {
    return {
      images: (x) =>
        rescaled(this.equalized(rescaled(cast(x, 'float32'), this.valueRange, BYTES)), BYTES, this.valueRange),
    }
  }

  protected override imageDtype(dtype: DType): DType {
    return dtype === 'bool' ? 'float32' : dtype
  }

  /** @param x values in 0 … 255 */
  private equalized(x: Tensor): Tensor {
    const [batch, rows, columns, channels] = exactly(x.shape, 4)
    const [down, across] = exactly(this.tileGridSize, 2)
    const [tall, wide] = [Math.ceil(rows / down), Math.ceil(columns / across)]
    const [height, width] = [tall * down, wide * across]
    const whole: readonly [number, number] = [0, 0]
    const padded = pad(x, [whole, [0, height - rows], [0, width - columns], whole], 'symmetric')
    const levels = cast(clip(padded, ...BYTES), 'int32')
    const tiles = transpose(reshape(levels, [batch, down, tall, across, wide, channels]), [0, 1, 3, 5, 2, 4])
    const table = this.tableOf(reshape(tiles, [batch * down * across * channels, tall * wide]))
    // The tables of all tiles, one after the other.
    const flat = reshape(table, [table.size])
    const image = reshape(arange(0, batch, 1, 'int32'), [batch, 1, 1, 1])
    const channel = reshape(arange(0, channels, 1, 'int32'), [1, 1, 1, channels])
    const at = (row: Tensor, column: Tensor): Tensor => {
      const tile = add(multiply(add(multiply(image, down), row), across), column)
      return take(flat, add(multiply(add(multiply(tile, channels), channel), LEVELS), levels), 0)
    }
    const [above, below, lower] = nearest(height, down, tall, [1, height, 1, 1])
    const [left, right, further] = nearest(width, across, wide, [1, 1, width, 1])
    const along = (row: Tensor): Tensor => between(at(row, left), at(row, right), further)
    return slice(between(along(above), along(below), lower), [0, 0, 0, 0], [-1, rows, columns, -1])
  }

  /** The new value of each level of a tile, [tiles, 256]. @param tiles levels of pixels, [tiles, pixels] */
  private tableOf(tiles: Tensor): Tensor {
    const pixels = tiles.shape[1]!
    const counts = cast(countsOf(tiles, LEVELS), 'float32')
    const limited = this.clipLimit > 0 ? minimum(counts, (this.clipLimit * pixels) / LEVELS) : counts
    const excess = sum(subtract(counts, limited), -1, true)
    const below = cumsum(add(limited, divide(excess, LEVELS)), -1)
    const least = min(below, -1, true)
    const rest = subtract(pixels, least)
    const share = divide(multiply(subtract(below, least), BYTES[1]), where(equal(rest, 0), 1, rest))
    return clip(share, ...BYTES)
  }
}

/** (1 − share) · a + share · b */
const between = (a: Tensor, b: Tensor, share: Tensor): Tensor =>
  add(multiply(a, subtract(1, share)), multiply(b, share))

/** For each place along an axis: the two nearest tiles, and the share of the second. Outside of the outer tile both are the outer one. */
function nearest(
  extent: number,
  tiles: number,
  size: number,
  shape: readonly number[],
): readonly [Tensor, Tensor, Tensor] {
  const places = Array.from({ length: extent }, (_, i) => (i - size / 2) / size)
  const tile = (at: number): number => Math.min(Math.max(at, 0), tiles - 1)
  const integers = (of: (place: number) => number): Tensor => new Tensor(Int32Array.from(places, of), shape, 'int32')
  return [
    integers((place) => tile(Math.floor(place))),
    integers((place) => tile(Math.floor(place) + 1)),
    new Tensor(
      Float32Array.from(places, (place) => place - Math.floor(place)),
      shape,
      'float32',
    ),
  ]
}
