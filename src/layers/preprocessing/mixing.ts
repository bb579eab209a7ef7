// Layers that replace parts of images in training: by another image, by noise, or by blurred pixels.

import { merged } from '../../core/merged'
import { ArgumentError, ShapeError, formatShape, quoted } from '../../core/errors'
import { configured, custom, integer, listOf, nullable, number, option, type Kind } from '../../core/options'
import type { Shape } from '../../core/shapes'
import { depthwiseConv } from '../../ops/nn/convolution'
import {
  add,
  cast,
  clip,
  cos,
  divide,
  exp,
  greaterEqual,
  less,
  log,
  logicalAnd,
  multiply,
  sign,
  sqrt,
  square,
  subtract,
  where,
} from '../../ops/numpy/elementwise'
import { normal } from '../../ops/random/draws'
import { sum } from '../../ops/numpy/reduce'
import { argsort } from '../../ops/numpy/sorting'
import { arange, broadcastTo, concatenate, reshape, take } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { gridOf } from '../../ops/image/warp'
import {
  ImageLayer,
  RandomDraws,
  probabilityOption,
  interval,
  rangeOption,
  type Interval,
  type Transformation,
} from './image-layer'
import { seedOption } from '../random'
import { exactly } from '../../core/tuples'

/** weight · a + (1 − weight) · b, with one weight per sample, [batch, 1, 1, 1]. */
function mixed(a: Tensor, b: Tensor, weight: Tensor): Tensor {
  const share = reshape(weight, [weight.size, ...a.shape.slice(1).map(() => 1)])
  return add(multiply(share, a), multiply(subtract(1, share), b))
}

/** Draws numbers in [0, 1). */
export type Draw = (shape: Shape) => Tensor

/** Selects the image that each is mixed with: a permutation of the batch. */
function partnersIn({ shape }: Tensor, draw: Draw): (x: Tensor) => Tensor {
  const order = argsort(draw([shape[0]!]))
  return (x) => take(x, order, 0)
}

/** Mixes labels like images: `weight` is the share of the own label. */
function mixLabels(layer: ImageLayer, labels: Tensor, partners: (y: Tensor) => Tensor, weight: Tensor): Tensor {
  if (labels.rank < 2)
    throw new ShapeError(
      `${layer}: labels must be one-hot rows, [batch, classes], to be mixed, received ${formatShape(labels.shape)}. See ops.oneHot`,
    )
  const rows = cast(labels, 'float32')
  return mixed(rows, partners(rows), weight)
}

/**
 * Numbers between 0 and 1 from a symmetric beta distribution, Beta(a, a), without rejection: with u and v uniform,
 *
 *   z² = (u^(−1/a) − 1) cos² 2πv      ½ (1 + z / √(1 + z²))
 *
 * because z · √(2a) has Student's distribution with 2a degrees of freedom. Bailey 1994, Devroye 1996.
 */
export function drawBeta(a: Tensor | number, shape: Shape, draw: Draw): Tensor {
  // in (0, 1]
  const power = exp(divide(log(subtract(1, draw(shape))), a))
  const direction = cos(multiply(draw(shape), 2 * Math.PI))
  const above = multiply(subtract(1, power), square(direction))
  return multiply(add(multiply(sign(direction), sqrt(divide(above, add(add(power, above), TINY)))), 1), 0.5)
}

/** If both are 0, the number is ½. */
const TINY = 1e-30

const MixUpBase = configured(
  ImageLayer,
  () =>
    merged(seedOption(), {
      /** Near 0, one of the two images has nearly all the weight; from 1 on both contribute. Default 0.2. */
      alpha: option(number({ above: 0 }), 0.2),
    }),
  ['alpha', 'dataFormat', 'seed'],
)

/**
 * In training, mixes each image with another one of the batch, weight · x + (1 − weight) · other, and its label as
 * well; the weight is drawn from Beta(alpha, alpha). Zhang et al. 2018.
 *
 *   const { images, labels } = new MixUp(0.2).apply({ images, labels }, { training: true })
 *
 * Bounding boxes are those of both images.
 *
 * Keras: `keras.layers.MixUp`, which in 3.15 joins the labels of boxes along the batch.
 * @throws ShapeError for labels that are not one-hot rows
 */
export class MixUp extends MixUpBase {
  static readonly className = 'MixUp'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw: Draw = (shape) => this.generator.draw([0, 1], shape)
    const partners = partnersIn(images, draw)
    const weight = drawBeta(this.alpha, [images.shape[0]!, 1, 1, 1], draw)
    return {
      images: (x) => mixed(x, partners(x), weight),
      labels: (y) => mixLabels(this, y, partners, weight),
      boundingBoxes: ({ boxes, labels }) => ({
        boxes: concatenate([boxes, partners(boxes)], 1),
        labels: concatenate([labels, partners(labels)], 1),
      }),
    }
  }
}

/** A rectangle in each image: a mask of its pixels, [batch, rows, columns, 1], and its intended share of the image. */
interface Rectangles {
  readonly inside: Tensor
  readonly share: Tensor
}

/**
 * Rectangles at random positions in images.
 * @param height of each as a share of the rows, [batch, 1, 1, 1]; width as a share of the columns
 * @param draw numbers in [0, 1) for each image
 */
function rectangles({ shape }: Tensor, height: Tensor, width: Tensor, draw: () => Tensor): Rectangles {
  const [, rows, columns] = exactly(shape, 4)
  const { x, y } = gridOf(rows, columns)
  const within = (place: Tensor, extent: number, share: Tensor): Tensor => {
    const length = multiply(share, extent)
    const start = multiply(draw(), subtract(extent, length))
    return logicalAnd(greaterEqual(place, start), less(place, add(start, length)))
  }
  const acrossColumns = within(reshape(x, [1, 1, columns, 1]), columns, width)
  return {
    inside: logicalAnd(acrossColumns, within(reshape(y, [1, rows, 1, 1]), rows, height)),
    share: multiply(height, width),
  }
}

const CutMixBase = configured(
  ImageLayer,
  () =>
    merged(seedOption(), {
      /** a: f for a random number in [0, f], or [low, high]. Default 1. */
      factor: option(interval(0, 1), 1),
    }),
  ['factor', 'seed', 'dataFormat'],
)

/**
 * In training, replaces a rectangle of each image by that of another image of the batch, and mixes the labels by its
 * share. The share is 1 − Beta(a, a), with a drawn from `factor` once per batch. Yun et al. 2019.
 *
 * Keras: `keras.layers.CutMix`.
 * @throws ShapeError for labels that are not one-hot rows
 */
export class CutMix extends CutMixBase {
  static readonly className = 'CutMix'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const each: Shape = [images.shape[0]!, 1, 1, 1]
    const draw: Draw = (shape) => this.generator.draw([0, 1], shape)
    const kept = drawBeta(add(this.generator.draw(this.factor, []), 1e-6), each, draw)
    const side = sqrt(subtract(1, kept))
    const { inside, share } = rectangles(images, side, side, () => draw(each))
    const partners = partnersIn(images, draw)
    const cut = (x: Tensor): Tensor => where(inside, partners(x), x)
    return {
      images: cut,
      segmentationMasks: cut,
      boundingBoxes: null,
      labels: (y) => mixLabels(this, y, partners, subtract(1, share)),
    }
  }
}

/** A number, or one for each channel. */
const filling: Kind<number | readonly number[], number | readonly number[]> = /* @__PURE__ */ custom<
  number | readonly number[]
>(
  (value, where) => {
    if (typeof value === 'number') return number().read(value, where)
    if (Array.isArray(value)) return listOf(number()).read(value, where)
    throw new ArgumentError(`${where} must be a number, or one for each channel, received ${quoted(value)}`)
  },
  (value) => (typeof value === 'number' ? value : [...value]),
)

const RandomErasingBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      probabilityOption(),
      {
        /** f for [0, f], or [low, high]. Default [0.02, 0.33]. */
        scale: option(interval(0, 1), [0.02, 0.33]),
        /** The fill of the rectangle: a number, or one for each channel; null for normal noise · high. Default null. */
        fillValue: option(nullable(filling), null),
      },
      rangeOption(),
    ),
  ['factor', 'scale', 'fillValue', 'valueRange', 'seed', 'dataFormat'],
)

/**
 * In training, replaces a rectangle of an image with probability `factor`, by noise or by a value. The square of each
 * of its sides, as a share of the image's, is drawn from `scale`. Zhong et al. 2020.
 *
 * Keras: `keras.layers.RandomErasing`.
 */
export class RandomErasing extends RandomErasingBase {
  static readonly className = 'RandomErasing'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const [batch, , , channels] = exactly(images.shape, 4)
    const each: Shape = [batch, 1, 1, 1]
    const side = (): Tensor => sqrt(this.generator.draw(this.scale, each))
    const { inside } = rectangles(images, side(), side(), () => this.generator.draw([0, 1], each))
    const isErased = logicalAnd(this.generator.chosen(this.factor, images), inside)
    const [low, high] = this.valueRange
    const filled = clip(this.filled(images.shape, channels, high), low, high)
    return { images: (x) => where(isErased, filled, x) }
  }

  private filled(shape: Shape, channels: number, high: number): Tensor {
    const { fillValue } = this
    if (fillValue === null) return multiply(normal(shape, { seed: this.generator }), high)
    const values = typeof fillValue === 'number' ? [fillValue] : fillValue
    if (values.length !== 1 && values.length !== channels)
      throw new ShapeError(
        `${this}: fillValue must be one number, or ${channels}, one for each channel, received ${values.length}`,
      )
    return new Tensor(Float32Array.from(values), [values.length], 'float32')
  }
}

/** The odd extents of a window, [columns, rows], or one number for both. */
const kernelSize: Kind<Interval, number | readonly number[]> = /* @__PURE__ */ custom<
  Interval,
  number | readonly number[]
>(
  (value, where) => {
    const sizes = listOf(integer({ min: 1 }), 2).read(typeof value === 'number' ? [value, value] : value, where)
    const both = exactly(sizes, 2)
    if (both.every((extent) => extent % 2 === 1)) return both
    throw new ArgumentError(`${where} must be odd, received ${quoted(value)}`)
  },
  (value) => [...value],
)

const RandomGaussianBlurBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      probabilityOption(),
      {
        /** The size of the window: one odd number, or [columns, rows]. Default 3. */
        kernelSize: option(kernelSize, 3),
        /** The standard deviation in pixels, at most 1: f for a random one in [0, f], or [low, high]. Default 1. */
        sigma: option(interval(0, 1), 1),
      },
      rangeOption(),
    ),
  ['factor', 'kernelSize', 'sigma', 'valueRange', 'dataFormat', 'seed'],
)

/**
 * In training, blurs an image with probability `factor`: each pixel becomes a mean of those around it, with weights
 * exp(−½ (distance / sigma)²) along both axes, normalized to sum 1; pixels outside are 0. One sigma per axis is drawn
 * for the batch.
 *
 * Keras: `keras.layers.RandomGaussianBlur`.
 */
export class RandomGaussianBlur extends RandomGaussianBlurBase {
  static readonly className = 'RandomGaussianBlur'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const isBlurred = this.generator.chosen(this.factor, images)
    const bells = this.kernelSize.map((size) => bell(size, add(this.generator.draw(this.sigma, []), 1e-6)))
    const [across, down] = exactly(bells, 2)
    const [low, high] = this.valueRange
    return {
      images: (x) => clip(where(isBlurred, blurred(x, across, down), x), low, high),
    }
  }
}

/** Means of x [batch, rows, columns, channels] with weights along both axes; pixels outside are 0. */
export function blurred(x: Tensor, across: Tensor, down: Tensor): Tensor {
  const channels = x.shape[3]!
  const along = (x: Tensor, kernel: Tensor, window: Shape): Tensor =>
    depthwiseConv(x, broadcastTo(reshape(kernel, [...window, 1, 1]), [...window, channels, 1]), { padding: 'same' })
  return along(along(x, across, [1, across.size]), down, [down.size, 1])
}

/** The weights of a window, centred and normalized to sum 1. */
export function bell(size: number, sigma: Tensor): Tensor {
  const weights = exp(multiply(square(divide(arange(-(size - 1) / 2, (size + 1) / 2, 1, 'float32'), sigma)), -0.5))
  return divide(weights, sum(weights))
}
