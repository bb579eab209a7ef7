// Layers that flip, rotate, translate, zoom and shear images at random.

import { choice, configured, nullable, number, option, required } from '../../core/options'
import type { ValuesOf } from '../../core/options'
import { add, cos, lessEqual, multiply, sin, subtract, where } from '../../ops/numpy/elementwise'
import { flip } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { Sampling } from '../../ops/image/warp'
import { fillMode, gridOf, sampleAt, sampling } from '../../ops/image/warp'
import type { Interval, Transformation } from './image-layer'
import { ImageLayer, RandomDraws, interval } from './image-layer'
import { seedOption } from '../random'

/**
 * In training, mirrors each image with probability ½; with 'horizontalAndVertical' along both axes at once, which is a
 * half turn.
 *
 * Keras: `keras.layers.RandomFlip`.
 */
export class RandomFlip extends configured(
  ImageLayer,
  () => ({
    ...seedOption(),
    /**
     * 'horizontal' swaps left and right, 'vertical' swaps top and bottom, 'horizontalAndVertical' both. Default
     * horizontalAndVertical.
     */
    mode: option(choice('horizontal', 'vertical', 'horizontalAndVertical'), 'horizontalAndVertical'),
  }),
  ['mode', 'seed', 'dataFormat'],
) {
  static readonly className = 'RandomFlip'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const isFlipped = lessEqual(this.generator.drawEach([0, 1], images), 0.5)
    const axes = { horizontal: [2], vertical: [1], horizontalAndVertical: [1, 2] }[this.mode]
    const mirror = (x: Tensor): Tensor => where(isFlipped, flip(x, axes), x)
    return { images: mirror, segmentationMasks: mirror }
  }
}

/** The pixel coordinates of an image, x along the columns and y along the rows, and its centre. */
interface Places {
  readonly rows: number
  readonly columns: number
  /** [1, 1, columns] */
  readonly x: Tensor
  /** [1, rows, 1] */
  readonly y: Tensor
  readonly middle: readonly [x: number, y: number]
}

const warpOptions = () => ({
  /**
   * The values outside the image: 'reflect' (abc|cba), 'wrap' (abc|abc), 'constant' or 'nearest' (abc|ccc). Default
   * reflect.
   */
  fillMode: option(fillMode, 'reflect'),
  /** 'bilinear' or 'nearest'. Default bilinear. */
  interpolation: option(sampling, 'bilinear'),
  /** The value outside with 'constant'. Default 0. */
  fillValue: option(number(), 0),
})

/**
 * Pixel (x, y) of the result is taken from (x′, y′) of the image.
 * @param origin gives x′ and y′, [batch, rows, columns] or a shape that broadcasts to it
 */
function warped(
  { fillMode, fillValue, interpolation }: ValuesOf<ReturnType<typeof warpOptions>>,
  { shape }: Tensor,
  origin: (places: Places) => readonly [x: Tensor, y: Tensor],
): Transformation {
  const [, rows, columns] = shape as [number, number, number]
  const [x, y] = origin({ rows, columns, ...gridOf(rows, columns), middle: [(columns - 1) / 2, (rows - 1) / 2] })
  const warp =
    (interpolation: Sampling) =>
    (image: Tensor): Tensor =>
      sampleAt(image, y, x, { interpolation, fillMode, fillValue })
  return { images: warp(interpolation), segmentationMasks: warp('nearest') }
}

/**
 * In training, rotates each image about its centre by an angle θ:
 *
 *   x′ = cos θ (x − cx) − sin θ (y − cy) + cx      y′ = sin θ (x − cx) + cos θ (y − cy) + cy
 *
 * Keras: `keras.layers.RandomRotation`.
 */
export class RandomRotation extends configured(
  ImageLayer,
  () => ({
    ...seedOption(),
    ...warpOptions(),
    /** The angle, counter-clockwise, in full turns: f for [−f, f], or [low, high]; 0.25 is a right angle. */
    factor: required(interval(-1, 1)),
  }),
  ['factor', 'fillMode', 'interpolation', 'seed', 'fillValue', 'dataFormat'],
) {
  static readonly className = 'RandomRotation'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw = (bounds: Interval): Tensor => this.generator.draw(bounds, [images.shape[0]!, 1, 1])
    return warped(this, images, (places) => {
      const angle = multiply(draw(this.factor), 2 * Math.PI)
      const [cx, cy] = places.middle
      const [x, y] = [subtract(places.x, cx), subtract(places.y, cy)]
      const [c, s] = [cos(angle), sin(angle)]
      return [add(subtract(multiply(c, x), multiply(s, y)), cx), add(add(multiply(s, x), multiply(c, y)), cy)]
    })
  }
}

/**
 * In training, translates each image: x′ = x − dx, y′ = y − dy.
 *
 * Keras: `keras.layers.RandomTranslation`.
 */
export class RandomTranslation extends configured(
  ImageLayer,
  () => ({
    ...seedOption(),
    ...warpOptions(),
    /** The distance downwards, as a share of the rows: f for [−f, f], or [low, high]; negative is upwards. */
    heightFactor: required(interval(-1, 1)),
    /** The distance to the right, as a share of the columns: f for [−f, f], or [low, high]; negative is to the left. */
    widthFactor: required(interval(-1, 1)),
  }),
  ['heightFactor', 'widthFactor', 'fillMode', 'interpolation', 'seed', 'fillValue', 'dataFormat'],
) {
  static readonly className = 'RandomTranslation'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw = (bounds: Interval): Tensor => this.generator.draw(bounds, [images.shape[0]!, 1, 1])
    return warped(this, images, (places) => {
      const down = multiply(draw(this.heightFactor), places.rows)
      const right = multiply(draw(this.widthFactor), places.columns)
      return [subtract(places.x, right), subtract(places.y, down)]
    })
  }
}

/**
 * In training, zooms each image about its centre: x′ = (1 + w)(x − cx) + cx, y′ = (1 + h)(y − cy) + cy. Positive
 * numbers zoom out, negative ones zoom in.
 *
 * Keras: `keras.layers.RandomZoom`.
 */
export class RandomZoom extends configured(
  ImageLayer,
  () => ({
    ...seedOption(),
    ...warpOptions(),
    /** h: f for [−f, f], or [low, high]. */
    heightFactor: required(interval(-1, 1)),
    /** w: f for [−f, f], or [low, high]; null means h. Default null. */
    widthFactor: option(nullable(interval(-1, 1)), null),
  }),
  ['heightFactor', 'widthFactor', 'fillMode', 'interpolation', 'seed', 'fillValue', 'dataFormat'],
) {
  static readonly className = 'RandomZoom'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw = (bounds: Interval): Tensor => this.generator.draw(bounds, [images.shape[0]!, 1, 1])
    return warped(this, images, (places) => {
      const height = draw(this.heightFactor)
      const width = this.widthFactor === null ? height : draw(this.widthFactor)
      const about = (place: Tensor, middle: number, factor: Tensor): Tensor =>
        add(multiply(subtract(place, middle), add(factor, 1)), middle)
      const [cx, cy] = places.middle
      return [about(places.x, cx, width), about(places.y, cy, height)]
    })
  }
}

/**
 * In training, shears each image: x′ = x + sx · y, y′ = sy · x + y, with the same random sign for both factors.
 *
 * Keras: `keras.layers.RandomShear`.
 */
export class RandomShear extends configured(
  ImageLayer,
  () => ({
    ...seedOption(),
    ...warpOptions(),
    /** |sx|: f for [0, f], or [low, high]. Default 0. */
    xFactor: option(interval(0, 1), 0),
    /** |sy|: f for [0, f], or [low, high]. Default 0. */
    yFactor: option(interval(0, 1), 0),
  }),
  ['xFactor', 'yFactor', 'interpolation', 'fillMode', 'fillValue', 'dataFormat', 'seed'],
) {
  static readonly className = 'RandomShear'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw = (bounds: Interval): Tensor => this.generator.draw(bounds, [images.shape[0]!, 1, 1])
    return warped(this, images, (places) => {
      const { x, y } = places
      const side = where(lessEqual(draw([0, 1]), 0.5), 1, -1)
      const [sy, sx] = [draw(this.yFactor), draw(this.xFactor)]
      return [add(x, multiply(multiply(sx, side), y)), add(multiply(multiply(sy, side), x), y)]
    })
  }
}
