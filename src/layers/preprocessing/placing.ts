// Layers that flip, rotate, translate, zoom and shear images at random.

import { merged } from '../../core/merged'
import type { PointMap } from '../../ops/image/perspective'
import { choice, configured, nullable, number, option, required, type ValuesOf } from '../../core/options'
import { add, cos, divide, lessEqual, multiply, negative, sin, subtract, where } from '../../ops/numpy/elementwise'
import { flip, squeeze } from '../../ops/numpy/shape'
import { aroundMoved, boxesOf, edgesOf, type BoundingBoxes } from '../../ops/image/bounding-boxes'
import type { Tensor } from '../../ops/tensor'
import { fillMode, gridOf, sampleAt, sampling, type Sampling } from '../../ops/image/warp'
import { ImageLayer, RandomDraws, interval, type Interval, type Transformation } from './image-layer'
import { seedOption } from '../random'
import { exactly } from '../../core/tuples'

const RandomFlipBase = configured(
  ImageLayer,
  () =>
    merged(seedOption(), {
      /**
       * 'horizontal' swaps left and right, 'vertical' swaps top and bottom, 'horizontalAndVertical' both. Default
       * horizontalAndVertical.
       */
      mode: option(choice('horizontal', 'vertical', 'horizontalAndVertical'), 'horizontalAndVertical'),
    }),
  ['mode', 'seed', 'dataFormat'],
)

/**
 * In training, mirrors each image with probability ½; with 'horizontalAndVertical' along both axes at once, which is a
 * half turn.
 *
 * Keras: `keras.layers.RandomFlip`.
 */
export class RandomFlip extends RandomFlipBase {
  static readonly className = 'RandomFlip'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const isFlipped = lessEqual(this.generator.drawEach([0, 1], images), 0.5)
    const axes = { horizontal: [2], vertical: [1], horizontalAndVertical: [1, 2] }[this.mode]
    const mirror = (x: Tensor): Tensor => where(isFlipped, flip(x, axes), x)
    const [, rows, columns] = exactly(images.shape, 4)
    const isBoxFlipped = squeeze(isFlipped, -1)
    const boundingBoxes = ({ boxes, labels }: BoundingBoxes<Tensor>): BoundingBoxes<Tensor> => {
      const [left, top, right, bottom] = edgesOf(boxes)
      const [a, c] = axes.includes(2) ? [subtract(columns, right), subtract(columns, left)] : [left, right]
      const [b, d] = axes.includes(1) ? [subtract(rows, bottom), subtract(rows, top)] : [top, bottom]
      return { boxes: where(isBoxFlipped, boxesOf([a, b, c, d]), boxes), labels }
    }
    return { images: mirror, segmentationMasks: mirror, boundingBoxes }
  }
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
 * Pixel (x, y) of the result is taken from `origin` of it in the image.
 * @param place the inverse of origin: where a point of the image is in the result
 */
export function warped(
  { fillMode, fillValue, interpolation }: ValuesOf<ReturnType<typeof warpOptions>>,
  { shape }: Tensor,
  origin: PointMap,
  place: PointMap,
): Transformation {
  const grid = gridOf(shape[1]!, shape[2]!)
  const [x, y] = origin(grid.x, grid.y)
  const warp =
    (interpolation: Sampling) =>
    (image: Tensor): Tensor =>
      sampleAt(image, y, x, { interpolation, fillMode, fillValue })
  return {
    images: warp(interpolation),
    segmentationMasks: warp('nearest'),
    boundingBoxes: ({ boxes, labels }) => ({ boxes: aroundMoved(boxes, place), labels }),
  }
}

/** The centre of an image, x along the columns and y along the rows. */
const middleOf = ({ shape }: Tensor): readonly [x: number, y: number] => [(shape[2]! - 1) / 2, (shape[1]! - 1) / 2]

const RandomRotationBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      merged(warpOptions(), {
        /** The angle, counter-clockwise, in full turns: f for [−f, f], or [low, high]; 0.25 is a right angle. */
        factor: required(interval(-1, 1)),
      }),
    ),
  ['factor', 'fillMode', 'interpolation', 'seed', 'fillValue', 'dataFormat'],
)

/**
 * In training, rotates each image about its centre by an angle θ:
 *
 *   x′ = cos θ (x − cx) − sin θ (y − cy) + cx      y′ = sin θ (x − cx) + cos θ (y − cy) + cy
 *
 * Keras: `keras.layers.RandomRotation`.
 */
export class RandomRotation extends RandomRotationBase {
  static readonly className = 'RandomRotation'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw = (bounds: Interval): Tensor => this.generator.draw(bounds, [images.shape[0]!, 1, 1])
    const angle = multiply(draw(this.factor), 2 * Math.PI)
    const [cx, cy] = middleOf(images)
    const [c, s] = [cos(angle), sin(angle)]
    const turned =
      (s: Tensor): PointMap =>
      (x, y) => {
        const [right, below] = [subtract(x, cx), subtract(y, cy)]
        return [
          add(subtract(multiply(c, right), multiply(s, below)), cx),
          add(add(multiply(s, right), multiply(c, below)), cy),
        ]
      }
    return warped(this, images, turned(s), turned(negative(s)))
  }
}

const RandomTranslationBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      merged(warpOptions(), {
        /** The distance downwards, as a share of the rows: f for [−f, f], or [low, high]; negative is upwards. */
        heightFactor: required(interval(-1, 1)),
        /** The distance to the right, as a share of the columns: f for [−f, f], or [low, high]; negative is to the left. */
        widthFactor: required(interval(-1, 1)),
      }),
    ),
  ['heightFactor', 'widthFactor', 'fillMode', 'interpolation', 'seed', 'fillValue', 'dataFormat'],
)

/**
 * In training, translates each image: x′ = x − dx, y′ = y − dy.
 *
 * Keras: `keras.layers.RandomTranslation`.
 */
export class RandomTranslation extends RandomTranslationBase {
  static readonly className = 'RandomTranslation'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw = (bounds: Interval): Tensor => this.generator.draw(bounds, [images.shape[0]!, 1, 1])
    const [, rows, columns] = exactly(images.shape, 4)
    const down = multiply(draw(this.heightFactor), rows)
    const right = multiply(draw(this.widthFactor), columns)
    return warped(
      this,
      images,
      (x, y) => [subtract(x, right), subtract(y, down)],
      (x, y) => [add(x, right), add(y, down)],
    )
  }
}

const RandomZoomBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      merged(warpOptions(), {
        /** h: f for [−f, f], or [low, high]. */
        heightFactor: required(interval(-1, 1)),
        /** w: f for [−f, f], or [low, high]; null means h. Default null. */
        widthFactor: option(nullable(interval(-1, 1)), null),
      }),
    ),
  ['heightFactor', 'widthFactor', 'fillMode', 'interpolation', 'seed', 'fillValue', 'dataFormat'],
)

/**
 * In training, zooms each image about its centre: x′ = (1 + w)(x − cx) + cx, y′ = (1 + h)(y − cy) + cy. Positive
 * numbers zoom out, negative ones zoom in.
 *
 * Keras: `keras.layers.RandomZoom`.
 */
export class RandomZoom extends RandomZoomBase {
  static readonly className = 'RandomZoom'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw = (bounds: Interval): Tensor => this.generator.draw(bounds, [images.shape[0]!, 1, 1])
    const height = add(draw(this.heightFactor), 1)
    const width = this.widthFactor === null ? height : add(draw(this.widthFactor), 1)
    const [cx, cy] = middleOf(images)
    const zoomed =
      (by: typeof multiply): PointMap =>
      (x, y) => [add(by(subtract(x, cx), width), cx), add(by(subtract(y, cy), height), cy)]
    return warped(this, images, zoomed(multiply), zoomed(divide))
  }
}

const RandomShearBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      merged(warpOptions(), {
        /** |sx|: f for [0, f], or [low, high]. Default 0. */
        xFactor: option(interval(0, 1), 0),
        /** |sy|: f for [0, f], or [low, high]. Default 0. */
        yFactor: option(interval(0, 1), 0),
      }),
    ),
  ['xFactor', 'yFactor', 'interpolation', 'fillMode', 'fillValue', 'dataFormat', 'seed'],
)

/**
 * In training, shears each image: x′ = x + sx · y, y′ = sy · x + y, with the same random sign for both factors.
 *
 * Keras: `keras.layers.RandomShear`.
 */
export class RandomShear extends RandomShearBase {
  static readonly className = 'RandomShear'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw = (bounds: Interval): Tensor => this.generator.draw(bounds, [images.shape[0]!, 1, 1])
    const side = where(lessEqual(draw([0, 1]), 0.5), 1, -1)
    const sy = multiply(draw(this.yFactor), side)
    const sx = multiply(draw(this.xFactor), side)
    const determinant = subtract(1, multiply(sx, sy))
    return warped(
      this,
      images,
      (x, y) => [add(x, multiply(sx, y)), add(multiply(sy, x), y)],
      (x, y) => [divide(subtract(x, multiply(sx, y)), determinant), divide(subtract(y, multiply(sy, x)), determinant)],
    )
  }
}
