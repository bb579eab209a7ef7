// Layers that change the perspective of images, or distort them, at random.

import { merged } from '../../core/merged'
import { configured, number, option } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { fillMode, gridOf, sampleAt, sampling, type Sampling } from '../../ops/image/warp'
import { perspective } from '../../ops/image/perspective'
import { sliceAlong } from '../../ops/numpy/along'
import { add, multiply, where } from '../../ops/numpy/elementwise'
import { broadcastTo, reshape, squeeze } from '../../ops/numpy/shape'
import { normal } from '../../ops/random/random'
import { Tensor } from '../../ops/tensor'
import { seedOption } from '../random'
import { within } from './colours'
import { ImageLayer, RandomDraws, interval, probabilityOption, rangeOption, type Transformation } from './image-layer'
import { bell, blurred } from './mixing'
import { warped } from './placing'
import { exactly } from '../../core/tuples'

/** The corners of an image, [1, 4, 2], each (x, y). */
function cornersOf({ shape }: Tensor): Tensor {
  const [right, bottom] = [Math.max(1, shape[2]! - 1), Math.max(1, shape[1]! - 1)]
  return new Tensor(Float32Array.of(0, 0, right, 0, 0, bottom, right, bottom), [1, 4, 2], 'float32')
}

const RandomPerspectiveBase = configured(
  ImageLayer,
  () =>
    merged(seedOption(), probabilityOption(), {
      /** How far corners move, as a share of their coordinates, in [0, 1]. Default 1. */
      scale: option(number({ min: 0, max: 1 }), 1),
      /** 'bilinear' or 'nearest'. Default bilinear. */
      interpolation: option(sampling, 'bilinear'),
      /** The value outside the image. Default 0. */
      fillValue: option(number(), 0),
    }),
  ['factor', 'scale', 'interpolation', 'fillValue', 'seed', 'dataFormat'],
)

/**
 * In training, changes the perspective of an image with probability `factor`: each corner (x, y) moves to ((1 + a) x, (1
 * + b) y), with a and b drawn from ±scale/2. The top left corner stays, as in Keras.
 *
 * Keras: `keras.layers.RandomPerspective`, which in 3.15 returns bounding boxes as 'xyxy' whatever their format.
 */
export class RandomPerspective extends RandomPerspectiveBase {
  static readonly className = 'RandomPerspective'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const { interpolation, fillValue, scale } = this
    const batch = images.shape[0]!
    const isMoved = this.generator.chosen(this.factor, images)
    const corners = broadcastTo(cornersOf(images), [batch, 4, 2])
    const moved = add(corners, multiply(corners, this.generator.draw([-scale / 2, scale / 2], [batch, 4, 2])))
    const change = warped(
      { interpolation, fillValue, fillMode: 'constant' },
      images,
      perspective(moved, corners),
      perspective(corners, moved),
    )
    return {
      images: (x) => where(isMoved, change.images(x), x),
      segmentationMasks: (x) => where(isMoved, change.segmentationMasks!(x), x),
      boundingBoxes: ({ boxes, labels }) => ({
        boxes: where(squeeze(isMoved, -1), change.boundingBoxes!({ boxes, labels }).boxes, boxes),
        labels,
      }),
    }
  }
}

const RandomElasticTransformBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      probabilityOption(),
      {
        /** The strength s: f for a random one in [0, f], or [low, high]. Default 1. */
        scale: option(interval(0, 1), 1),
        /** 'bilinear' or 'nearest'. Default bilinear. */
        interpolation: option(sampling, 'bilinear'),
        /**
         * The values outside the image: 'reflect' (abc|cba), 'wrap' (abc|abc), 'constant' or 'nearest' (abc|ccc). Default
         * reflect.
         */
        fillMode: option(fillMode, 'reflect'),
        /** The value outside with 'constant'. Default 0. */
        fillValue: option(number(), 0),
      },
      rangeOption(),
    ),
  ['factor', 'scale', 'interpolation', 'fillMode', 'fillValue', 'valueRange', 'seed', 'dataFormat'],
)

/**
 * In training, distorts an image of h × w with probability `factor`: pixel (x, y) is taken from (x + α dx, y + α dy),
 * where dx and dy are normal with the standard deviation σ, then blurred with σ. With s drawn from `scale` once per
 * batch, α = 0.1 s max(h, w) and σ = 0.05 s min(h, w). The result is clipped to the value range. Simard et al. 2003.
 *
 * Keras: `keras.layers.RandomElasticTransform`, which distorts segmentation masks by other random numbers.
 */
export class RandomElasticTransform extends RandomElasticTransformBase {
  static readonly className = 'RandomElasticTransform'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const [batch, rows, columns] = exactly(images.shape, 4)
    const isDistorted = this.generator.chosen(this.factor, images)
    const strength = this.generator.draw(this.scale, [])
    // At most 6 σ pixels, an odd number.
    const least = 0.05 * Math.min(rows, columns)
    const window = Math.trunc(6 * least * this.scale[1]) | 1
    const sigma = add(multiply(strength, least), 1e-6)
    const weights = bell(window, sigma)
    // dx and dy are two channels.
    const noise = multiply(normal([batch, rows, columns, 2], { seed: this.generator }), sigma)
    const shift = multiply(blurred(noise, weights, weights), multiply(strength, 0.1 * Math.max(rows, columns)))
    const plane: Shape = [batch, rows, columns]
    const { x, y } = gridOf(rows, columns)
    const column = add(x, reshape(sliceAlong(shift, 3, 0, 1), plane))
    const row = add(y, reshape(sliceAlong(shift, 3, 1, 1), plane))
    const { fillMode, fillValue } = this
    const distorted = (image: Tensor, interpolation: Sampling): Tensor =>
      where(isDistorted, sampleAt(image, row, column, { interpolation, fillMode, fillValue }), image)
    return {
      images: (image) => within(distorted(image, this.interpolation), this.valueRange),
      segmentationMasks: (masks) => distorted(masks, 'nearest'),
      boundingBoxes: null,
    }
  }
}
