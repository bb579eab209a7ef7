// Layers that change the colours of each image in training by a random factor; the others are in colours.ts.

import { merged } from '../../core/merged'
import {
  configured,
  custom,
  either,
  integer,
  listOf,
  nullable,
  number,
  option,
  required,
  type Kind,
} from '../../core/options'
import { hsvToRgb, rgbToHsv, brightnessOf } from '../../ops/image/colours'
import { depthwiseConv } from '../../ops/nn/convolution'
import { add, divide, floor, greater, less, multiply, round, subtract, where } from '../../ops/numpy/elementwise'
import { sliceAlong } from '../../ops/numpy/along'
import { exp2 } from '../../ops/numpy/functions'
import { broadcastTo, concatenate, reshape } from '../../ops/numpy/shape'
import { Tensor } from '../../ops/tensor'
import { seedOption } from '../random'
import { BYTES, RandomBrightness, RandomContrast, requireColours, rescaled, within } from './colours'
import { ImageLayer, RandomDraws, interval, rangeOption, type Interval, type Transformation } from './image-layer'
import { exactly } from '../../core/tuples'

/** The range of values of colours. */
const UNIT: Interval = [0, 1]

const factorOptions = () =>
  merged(
    seedOption(),
    {
      /** f for a random number in [0, f], or [low, high], in [0, 1]. */
      factor: required(interval(0, 1)),
    },
    rangeOption(),
  )

const RandomColorDegenerationBase = configured(ImageLayer, factorOptions, ['factor'])

/**
 * In training, x + f · (grey − x) for each image, with f drawn from `factor`, clipped to the value range: 0 changes
 * nothing, 1 gives a grey image.
 *
 * Keras: `keras.layers.RandomColorDegeneration`, which in 3.15 reads one number f as [−f, f], contrary to its
 * documentation.
 * @throws ShapeError for images without 3 channels
 */
export class RandomColorDegeneration extends RandomColorDegenerationBase {
  static readonly className = 'RandomColorDegeneration'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    requireColours(this, images, 1)
    const factor = this.generator.drawEach(this.factor, images)
    const grey = (x: Tensor): Tensor => (x.shape[3] === 1 ? x : brightnessOf(x))
    return { images: (x) => within(add(x, multiply(factor, subtract(grey(x), x))), this.valueRange) }
  }
}

/** The weights of a smoothing window: 5/13 of the pixel and 1/13 of each neighbour, as in PIL. */
const SMOOTHING = [1, 1, 1, 1, 5, 1, 1, 1, 1]

/** Smoothed images; pixels outside are 0. */
function smoothed(x: Tensor): Tensor {
  const channels = x.shape[3]!
  const window = new Tensor(
    Float32Array.from(SMOOTHING, (weight) => weight / 13),
    [9],
    'float32',
  )
  return depthwiseConv(x, broadcastTo(reshape(window, [3, 3, 1, 1]), [3, 3, channels, 1]), { padding: 'same' })
}

const RandomSharpnessBase = configured(ImageLayer, factorOptions, ['factor'])

/**
 * In training, x + (1 − 2f) · (smoothed − x) for each image, with f drawn from `factor`, clipped to the value range: 0
 * smooths, ½ changes nothing, 1 sharpens.
 *
 * Keras: `keras.layers.RandomSharpness`.
 */
export class RandomSharpness extends RandomSharpnessBase {
  static readonly className = 'RandomSharpness'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const blur = subtract(1, multiply(this.generator.drawEach(this.factor, images), 2))
    return { images: (x) => within(add(x, multiply(blur, subtract(smoothed(x), x))), this.valueRange) }
  }
}

/** Numbers of bits: an integer n for [1, n], or [low, high]. */
const bits: Kind<Interval, number | readonly number[]> = /* @__PURE__ */ custom<Interval, number | readonly number[]>(
  (value, where) => {
    const one = integer({ min: 1, max: 8 })
    if (typeof value === 'number') return [1, one.read(value, where)]
    const [a, b] = exactly(listOf(one, 2).read(value, where), 2)
    return [Math.min(a, b), Math.max(a, b)]
  },
  (value) => [...value],
)

const RandomPosterizationBase = configured(
  ImageLayer,
  () =>
    merged(
      seedOption(),
      {
        /** n: m for a random integer in 1 … m − 1, or [low, high] for one in low … high − 1; low if both are equal. */
        factor: required(bits),
      },
      rangeOption(),
    ),
  ['factor'],
)

/**
 * In training, keeps the n highest of the 8 bits of each value, and sets the others to 0:
 *
 *   y = ⌊x / 2⁸⁻ⁿ⌋ · 2⁸⁻ⁿ, for whole x in 0 … 255
 *
 * Keras: `keras.layers.RandomPosterization`.
 */
export class RandomPosterization extends RandomPosterizationBase {
  static readonly className = 'RandomPosterization'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const kept = floor(this.generator.drawEach(this.factor, images))
    const step = round(exp2(subtract(8, kept)))
    return {
      images: (x) => {
        const whole = floor(within(rescaled(x, this.valueRange, BYTES), BYTES))
        return rescaled(multiply(floor(divide(whole, step)), step), BYTES, this.valueRange)
      },
    }
  }
}

/** Hue, saturation and value of images, each [batch, rows, columns, 1]. */
function hsvOf(x: Tensor): readonly [hue: Tensor, saturation: Tensor, value: Tensor] {
  const hsv = rgbToHsv(x)
  return [sliceAlong(hsv, 3, 0, 1), sliceAlong(hsv, 3, 1, 1), sliceAlong(hsv, 3, 2, 1)]
}

const RandomHueBase = configured(ImageLayer, factorOptions, ['factor'])

/**
 * In training, turns the hue of each image by ±f/2 of the circle of colours, with f drawn from `factor`.
 *
 * Keras: `keras.layers.RandomHue`.
 * @throws ShapeError for images without 3 channels
 */
export class RandomHue extends RandomHueBase {
  static readonly className = 'RandomHue'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    requireColours(this, images)
    const side = where(greater(this.generator.drawEach([0, 1], images), 0.5), -0.5, 0.5)
    const turn = multiply(side, this.generator.drawEach(this.factor, images))
    return {
      images: (x) => {
        const [hue, saturation, value] = hsvOf(rescaled(x, this.valueRange, UNIT))
        const turned = add(hue, turn)
        const wrapped = add(turned, where(less(turned, 0), 1, where(greater(turned, 1), -1, 0)))
        return rescaled(within(hsvToRgb(concatenate([wrapped, saturation, value], 3)), UNIT), UNIT, this.valueRange)
      },
    }
  }
}

const RandomSaturationBase = configured(ImageLayer, factorOptions, ['factor'])

/**
 * In training, multiplies the saturation of each image by f / (1 − f), with f drawn from `factor`: 0 gives a grey image,
 * ½ changes nothing, 1 the pure colours.
 *
 * Keras: `keras.layers.RandomSaturation`, which in 3.15 reads one number f as [−f, f], contrary to its documentation,
 * and clips the saturation to the value range instead of [0, 1].
 * @throws ShapeError for images without 3 channels
 */
export class RandomSaturation extends RandomSaturationBase {
  static readonly className = 'RandomSaturation'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    requireColours(this, images)
    const factor = this.generator.drawEach(this.factor, images)
    // The denominator is never 0.
    const scale = divide(factor, add(subtract(1, factor), 1e-7))
    return {
      images: (x) => {
        const [hue, saturation, value] = hsvOf(rescaled(x, this.valueRange, UNIT))
        const colours = hsvToRgb(concatenate([hue, within(multiply(saturation, scale), UNIT), value], 3))
        return rescaled(colours, UNIT, this.valueRange)
      },
    }
  }
}

/** A factor of one of the inner layers, which checks it; null leaves the layer out. */
const innerFactor = () =>
  option(nullable(either(number(), listOf(number(), 2), (value) => !Array.isArray(value))), null)

const RandomColorJitterBase = configured(
  ImageLayer,
  () =>
    merged(seedOption(), rangeOption(), {
      /** The factor of RandomBrightness; null leaves brightness unchanged. Default null. */
      brightnessFactor: innerFactor(),
      /** The factor of RandomContrast; null leaves contrast unchanged. Default null. */
      contrastFactor: innerFactor(),
      /** The factor of RandomSaturation; null leaves saturation unchanged. Default null. */
      saturationFactor: innerFactor(),
      /** The factor of RandomHue; null leaves the hue unchanged. Default null. */
      hueFactor: innerFactor(),
    }),
  ['valueRange'],
)

/**
 * In training, changes brightness, contrast, saturation and hue of each image, in this order, as RandomBrightness,
 * RandomContrast, RandomSaturation and RandomHue do.
 *
 *   new RandomColorJitter({ valueRange: [0, 1], brightnessFactor: 0.2, hueFactor: 0.1 })
 *
 * Keras: `keras.layers.RandomColorJitter`.
 */
export class RandomColorJitter extends RandomColorJitterBase {
  static readonly className = 'RandomColorJitter'
  private readonly steps = jitters(this)

  protected transformation(_images: Tensor, training: boolean): Transformation | null {
    if (!training || this.steps.length === 0) return null
    return { images: (x) => this.steps.reduce((y, layer) => layer.augmentation(y).images(y), x) }
  }
}

function jitters(layer: RandomColorJitter): readonly ImageLayer[] {
  const { valueRange, seed, brightnessFactor, contrastFactor, saturationFactor, hueFactor } = layer
  const each: readonly (readonly [number | readonly number[] | null, new (options: ColourOptions) => ImageLayer])[] = [
    [brightnessFactor, RandomBrightness],
    [contrastFactor, RandomContrast],
    [saturationFactor, RandomSaturation],
    [hueFactor, RandomHue],
  ]
  return each.flatMap(([factor, Made], i) =>
    factor === null
      ? []
      : [new Made({ name: `${layer.name}_${i}`, factor, valueRange, seed: seed === null ? null : seed + i })],
  )
}

interface ColourOptions {
  readonly name: string
  readonly factor: number | readonly number[]
  readonly valueRange: Interval
  readonly seed: number | null
}
