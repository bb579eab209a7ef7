// Layers that change the colours of images, such as brightness and contrast, most of them at random.

import { merged } from '../../core/merged'
import { configured, number, option, required, tableSize } from '../../core/options'
import { ShapeError } from '../../core/errors'
import {
  add,
  cast,
  clip,
  divide,
  equal,
  less,
  maximum,
  multiply,
  round,
  subtract,
  where,
} from '../../ops/numpy/elementwise'
import { cumsum, max, mean, min } from '../../ops/numpy/reduce'
import { brightnessOf } from '../../ops/image/colours'
import { countsOf } from '../../ops/math/counts'
import { pickAlong } from '../../ops/numpy/rearrange'
import { moveAxis, reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
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

export const within = (x: Tensor, [low, high]: Interval): Tensor => clip(x, low, high)
/** Maps one range of values linearly to another. */
export const rescaled = (x: Tensor, [low, high]: Interval, [to, end]: Interval): Tensor =>
  low === to && high === end ? x : add(multiply(divide(subtract(x, low), high - low), end - to), to)

/** The range of colour levels in 8-bit tables. */
export const BYTES: Interval = [0, 255]

const RandomBrightnessBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      {
        /** δ, as a share of the value range: f for [−f, f], or [low, high]. */
        factor: required(interval(-1, 1)),
      },
      rangeOption(),
    ),
  ['factor', 'valueRange', 'seed'],
)

/**
 * In training, adds δ · (high − low) to each image, with δ drawn from `factor`, and clips to the value range.
 *
 * Keras: `keras.layers.RandomBrightness`.
 */
export class RandomBrightness extends RandomBrightnessBase {
  static readonly className = 'RandomBrightness'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const [low, high] = this.valueRange
    const more = multiply(this.generator.drawEach(this.factor, images), high - low)
    return { images: (x) => within(add(x, more), this.valueRange) }
  }
}

const RandomContrastBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      {
        /** f for [1 − f, 1 + f], or [low, high] for [1 − low, 1 + high]. */
        factor: required({
          ...interval(0, 1),
          read: (value: unknown, where: string): Interval =>
            interval(0, 1).read(typeof value === 'number' ? [value, value] : value, where),
        }),
      },
      rangeOption(),
    ),
  ['factor', 'valueRange', 'seed'],
)

/**
 * In training, (x − mean) · c + mean, with the mean of each channel of an image and c drawn for each image from [1 −
 * low, 1 + high], clipped to the value range.
 *
 * Keras: `keras.layers.RandomContrast`, which in 3.15 reads one number f as [1, 1 + f], contrary to its documentation.
 */
export class RandomContrast extends RandomContrastBase {
  static readonly className = 'RandomContrast'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const [low, high] = this.factor
    const contrast = this.generator.drawEach([1 - low, 1 + high], images)
    return {
      images: (x) => {
        const middle = mean(x, [1, 2], true)
        return within(add(multiply(subtract(x, middle), contrast), middle), this.valueRange)
      },
    }
  }
}

/** @throws ShapeError unless the images [batch, rows, columns, channels] have 3 channels, or one of the `others` */
export function requireColours(layer: ImageLayer, { shape }: Tensor, ...others: readonly number[]): void {
  const channels = shape[3]!
  if (channels === 3 || others.includes(channels)) return
  const or = others.length > 0 ? ', or one' : ''
  throw new ShapeError(`${layer}: images must have 3 channels, red, green and blue${or}, received ${channels}`)
}

const RandomGrayscaleBase = configured(
  ImageLayer,
  () =>
    merged(seedOption(), {
      /** The probability. Default 0.5. */
      factor: option(number({ min: 0, max: 1 }), 0.5),
    }),
  ['factor', 'dataFormat', 'seed'],
)

/**
 * In training, turns an image grey with probability `factor`: each channel becomes 0.2989 red + 0.587 green + 0.114
 * blue.
 *
 * Keras: `keras.layers.RandomGrayscale`.
 */
export class RandomGrayscale extends RandomGrayscaleBase {
  static readonly className = 'RandomGrayscale'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    requireColours(this, images, 1)
    const isGrey = less(this.generator.drawEach([0, 1], images), this.factor)
    return { images: (x) => (x.shape[3] === 1 ? x : where(isGrey, brightnessOf(x), x)) }
  }
}

const RandomInvertBase = configured(ImageLayer, () => merged(seedOption(), probabilityOption(), rangeOption()), [
  'factor',
  'valueRange',
  'seed',
  'dataFormat',
])

/**
 * In training, turns an image into its negative, high − x, with probability `factor`.
 *
 * Keras: `keras.layers.RandomInvert`.
 */
export class RandomInvert extends RandomInvertBase {
  static readonly className = 'RandomInvert'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const isInverted = this.generator.chosen(this.factor, images)
    return { images: (x) => where(isInverted, subtract(this.valueRange[1], x), x) }
  }
}

const SolarizationBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      {
        /** a, as a share of the value range: f for [0, f], or [low, high]. Default 0. */
        additionFactor: option(interval(0, 1), 0),
        /** t, as a share of the value range: f for [0, f], or [low, high]. Default 0: all values are inverted. */
        thresholdFactor: option(interval(0, 1), 0),
      },
      rangeOption(),
    ),
  ['additionFactor', 'thresholdFactor', 'valueRange', 'seed'],
)

/**
 * In training, adds a number to each image and inverts values at or above a threshold: y = x + a, then y < t ? y : 255
 * − y, for values in 0 … 255.
 *
 * Keras: `keras.layers.Solarization`, which in 3.15 draws from [low, 255 · high], although low is a share, too.
 */
export class Solarization extends SolarizationBase {
  static readonly className = 'Solarization'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const share = (factor: Interval): Tensor => multiply(this.generator.drawEach(factor, images), BYTES[1])
    const [addition, threshold] = [share(this.additionFactor), share(this.thresholdFactor)]
    return {
      images: (x) => {
        const y = within(add(rescaled(x, this.valueRange, BYTES), addition), BYTES)
        return rescaled(where(less(y, threshold), y, subtract(BYTES[1], y)), BYTES, this.valueRange)
      },
    }
  }
}

const AutoContrastBase = configured(ImageLayer, rangeOption, ['valueRange'])

/**
 * Stretches each channel of an image to the whole value range: (x − min) / (max − min), in training and inference. A
 * channel with a single value is unchanged.
 *
 * Keras: `keras.layers.AutoContrast`.
 */
export class AutoContrast extends AutoContrastBase {
  static readonly className = 'AutoContrast'

  protected transformation(): Transformation {
    return {
      images: (x) => {
        const [least, most] = [min(x, [1, 2], true), max(x, [1, 2], true)]
        const isFlat = equal(least, most)
        const share = divide(subtract(x, least), where(isFlat, 1, subtract(most, least)))
        return where(isFlat, x, rescaled(share, [0, 1], this.valueRange))
      },
    }
  }
}

const EqualizationBase = configured(
  ImageLayer,
  () =>
    merged(rangeOption(), {
      /** The number of levels. Default 256. */
      bins: option(tableSize(2), 256),
    }),
  ['valueRange', 'bins', 'dataFormat'],
)

/**
 * Histogram equalization in training: a pixel becomes the share of pixels at or below its level, among those above the
 * lowest level, so that all levels are about equally frequent. A channel with a single level is unchanged.
 *
 * Keras: `keras.layers.Equalization`, which counts the levels over the whole batch.
 */
export class Equalization extends EqualizationBase {
  static readonly className = 'Equalization'

  protected transformation(_images: Tensor, training: boolean): Transformation | null {
    return training ? { images: (x) => this.equalized(x) } : null
  }

  private equalized(x: Tensor): Tensor {
    const [batch, rows, columns, channels] = exactly(x.shape, 4)
    const planes = reshape(moveAxis(x, 3, 1), [batch * channels, rows * columns])
    const levels = rescaled(planes, this.valueRange, BYTES)
    const bin = cast(clip(multiply(levels, (this.bins - 1) / BYTES[1]), 0, this.bins - 1), 'int32')
    const counts = cast(countsOf(bin, this.bins), 'float32')
    const below = cumsum(counts, 1)
    // The number of pixels of the lowest level that occurs.
    const lowest = min(where(equal(below, 0), Infinity, below), 1, true)
    const above = subtract(rows * columns, lowest)
    const table = round(divide(multiply(maximum(subtract(below, lowest), 0), BYTES[1]), maximum(above, 1)))
    const equalized = where(equal(above, 0), levels, pickAlong(table, bin, 1))
    return moveAxis(reshape(rescaled(equalized, BYTES, this.valueRange), [batch, channels, rows, columns]), 1, 3)
  }
}
