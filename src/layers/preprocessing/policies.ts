// RandAugment and AugMix: random choices among other augmentations.

import { merged } from '../../core/merged'
import { boolean, configured, integer, number, option, type ValuesOf } from '../../core/options'
import type { BoundingBoxes } from '../../ops/image/bounding-boxes'
import { sampling } from '../../ops/image/warp'
import { sliceAlong } from '../../ops/numpy/along'
import { add, divide, equal, floor, multiply, subtract, where } from '../../ops/numpy/elementwise'
import { sum } from '../../ops/numpy/reduce'
import { gamma } from '../../ops/random/gamma'
import { reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { seedOption } from '../random'
import { RandomColorDegeneration, RandomPosterization, RandomSharpness } from './colour-factors'
import { AutoContrast, Equalization, RandomBrightness, RandomContrast, Solarization, within } from './colours'
import { ImageLayer, RandomDraws, interval, rangeOption, type Interval, type Transformation } from './image-layer'
import { drawBeta, type Draw } from './mixing'
import { RandomRotation, RandomShear, RandomTranslation } from './placing'

const policyOptions = () =>
  merged(seedOption(), rangeOption(), {
    /** 'nearest' or 'bilinear'. Default bilinear. */
    interpolation: option(sampling, 'bilinear'),
  })

/** Augmentations of one strength, each with random numbers of its own. */
function augmentations(
  layer: ImageLayer & ValuesOf<ReturnType<typeof policyOptions>> & { readonly factor: Interval },
  all = true,
): readonly ImageLayer[] {
  const { factor, interpolation, valueRange } = layer
  let made = 0
  // With one seed, all of them would draw the same numbers.
  const common = () => ({ name: `${layer.name}_${made}`, seed: layer.seed === null ? null : layer.seed + made++ })
  const placing = () => ({ ...common(), interpolation })
  const colour = () => ({ ...common(), factor, valueRange })
  return [
    new RandomShear({ ...placing(), xFactor: factor, yFactor: factor }),
    new RandomTranslation({ ...placing(), heightFactor: factor, widthFactor: factor }),
    new RandomRotation({ ...placing(), factor }),
    new RandomPosterization({ ...colour(), factor: Math.max(1, Math.trunc(8 * factor[1])) }),
    new Solarization({ ...common(), valueRange, additionFactor: factor, thresholdFactor: factor }),
    new AutoContrast({ valueRange }),
    new Equalization({ valueRange }),
    ...(all
      ? [
          new RandomBrightness(colour()),
          new RandomColorDegeneration(colour()),
          new RandomContrast(colour()),
          new RandomSharpness(colour()),
        ]
      : []),
  ]
}

/** One of several transformations: that with the number `chosen`, of shape []; none for another number. */
function oneOf(all: readonly Transformation[], chosen: Tensor): Transformation {
  const pick =
    <Value>(apply: (each: Transformation) => ((x: Value) => Value) | null | undefined, choose: Choose<Value>) =>
    (x: Value): Value =>
      all.reduce((kept, each, i) => {
        const changed = apply(each)
        return changed == null ? kept : choose(equal(chosen, i), changed(x), kept)
      }, x)
  const boxes: Choose<BoundingBoxes<Tensor>> = (is, a, b) => ({
    boxes: where(is, a.boxes, b.boxes),
    labels: where(is, a.labels, b.labels),
  })
  return {
    images: pick((each) => each.images, where),
    segmentationMasks: pick((each) => each.segmentationMasks, where),
    boundingBoxes: pick((each) => each.boundingBoxes, boxes),
  }
}
/** A number of steps that a program has one by one. */
const few = /* @__PURE__ */ integer({ min: 1, max: 100 })

type Choose<Value> = (is: Tensor, a: Value, b: Value) => Value

/** A random integer in 0 … below − 1. */
const drawInteger = (draws: RandomDraws, below: number): Tensor => floor(draws.draw([0, below], []))

const RandAugmentBase = configured(
  ImageLayer,
  () =>
    merged(policyOptions(), {
      /** The number of augmentations, at most 100. Default 2. */
      numOps: option(few, 2),
      /** The strength: f for random factors in [0, f], or [low, high], in [0, 1]. Default 0.5. */
      factor: option(interval(0, 1), 0.5),
    }),
  ['valueRange'],
)

/**
 * In training, applies `numOps` random augmentations, one after the other, the same ones to all images of a batch, each
 * image with its own random factors. They are shear, translation, rotation, brightness, colour degeneration, contrast,
 * sharpness, posterization, solarization, AutoContrast and Equalization. Cubuk et al. 2020.
 *
 * Keras: `keras.layers.RandAugment`, which in 3.15 moves boxes from their first places by each augmentation.
 * @throws ShapeError for images without 3 channels or one
 */
export class RandAugment extends RandAugmentBase {
  static readonly className = 'RandAugment'
  private readonly generator = new RandomDraws(this)
  private readonly augmentations = augmentations(this)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const all = this.augmentations.map((layer) => layer.augmentation(images))
    const steps = Array.from({ length: this.numOps }, () => oneOf(all, drawInteger(this.generator, all.length)))
    return inTurn(steps)
  }
}

/** Transformations, one after the other. */
function inTurn(steps: readonly Transformation[]): Transformation {
  return {
    images: (x) => steps.reduce((y, each) => each.images(y), x),
    segmentationMasks: (x) => steps.reduce((y, each) => each.segmentationMasks!(y), x),
    boundingBoxes: (x) => steps.reduce((y, each) => each.boundingBoxes!(y), x),
  }
}

const AugMixBase = configured(
  ImageLayer,
  () =>
    merged(policyOptions(), {
      /** The number of chains, at most 100. Default 3. */
      numChains: option(few, 3),
      /** The largest number of augmentations in a chain, at most 100. Default 3. */
      chainDepth: option(few, 3),
      /** The strength: f for random factors in [0, f], or [low, high], in [0, 1]. Default 0.3. */
      factor: option(interval(0, 1), 0.3),
      /** The parameter of the distributions of w and m. Default 1. */
      alpha: option(number({ above: 0 }), 1),
      /** Whether to use brightness, colour degeneration, contrast and sharpness, too. Default true. */
      allOps: option(boolean, true),
    }),
  ['valueRange'],
)

/**
 * In training, w · x + (1 − w) · Σᵢ mᵢ · chainᵢ(x). Each chain applies up to `chainDepth` random augmentations, the same
 * ones to all images of a batch; w is drawn from Beta(alpha, alpha) and the shares m of the chains from
 * Dirichlet(alpha), once per batch. The result is clipped to the value range. Hendrycks et al. 2020.
 *
 * Keras: `keras.layers.AugMix`. Bounding boxes stay where they are.
 */
export class AugMix extends AugMixBase {
  static readonly className = 'AugMix'
  private readonly generator = new RandomDraws(this)
  private readonly augmentations = augmentations(this, this.allOps)

  protected transformation(images: Tensor, training: boolean): Transformation | null {
    if (!training) return null
    const draw: Draw = (shape) => this.generator.draw([0, 1], shape)
    const gammas = gamma([this.numChains], this.alpha, { seed: this.generator })
    const shares = divide(gammas, sum(gammas))
    const weight = drawBeta(this.alpha, [], draw)
    // The number after the last augmentation stands for none.
    const link = (): Transformation => {
      const all = this.augmentations.map((layer) => layer.augmentation(images))
      return oneOf(all, drawInteger(this.generator, all.length + 1))
    }
    const chains = Array.from({ length: this.numChains }, () => inTurn(Array.from({ length: this.chainDepth }, link)))
    const mixed = (x: Tensor, part: 'images' | 'segmentationMasks'): Tensor => {
      const chained = chains
        .map((chain, i) => multiply(chain[part]!(x), reshape(sliceAlong(shares, 0, i, 1), [])))
        .reduce(add)
      return add(multiply(weight, x), multiply(subtract(1, weight), chained))
    }
    return {
      images: (x) => within(mixed(x, 'images'), this.valueRange),
      segmentationMasks: (x) => mixed(x, 'segmentationMasks'),
    }
  }
}
