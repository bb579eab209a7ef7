// Images in another size: resized, or cut out.

import { ArgumentError } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import { boolean, choice, configured, count, number, option, required } from '../../core/options'
import { add, cast, floor, multiply, round } from '../../ops/elementwise'
import { interpolation, resize } from '../../ops/image'
import { pad } from '../../ops/pad'
import { slice } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import { gridOf, sampleAt } from '../../ops/warp'
import type { Transformation } from './image-layer'
import { ImageLayer, RandomImageLayer } from './image-layer'

type Size = readonly [rows: number, columns: number]

const sizeOptions = () => ({
  /** Rows of the result. */
  height: required(count),
  /** Columns of the result. */
  width: required(count),
})

const sidesOf = ({ shape }: Tensor): Size => [shape[1]!, shape[2]!]

/** The sides of an image with the aspect ratio of another: as many rows as its columns ask for, and the other way round. */
const sidesLike = ([rows, columns]: Size, [height, width]: Size): Size => [
  Math.trunc((columns * height) / width),
  Math.trunc((rows * width) / height),
]

/** The middle of an image. */
function middleOf(x: Tensor, [height, width]: Size): Tensor {
  const [rows, columns] = sidesOf(x)
  return slice(x, [0, Math.floor((rows - height) / 2), Math.floor((columns - width) / 2), 0], [-1, height, width, -1])
}

/** The largest part in the middle of an image that has an aspect ratio. */
function croppedLike(x: Tensor, target: Size): Tensor {
  const [rows, columns] = sidesOf(x)
  const [height, width] = sidesLike([rows, columns], target)
  return middleOf(x, [Math.max(Math.min(rows, height), 1), Math.max(Math.min(columns, width), 1)])
}

/** An image with as much on both sides as an aspect ratio asks for. */
function paddedLike(x: Tensor, target: Size, value: number): Tensor {
  const size = sidesOf(x)
  const [above, left] = sidesLike(size, target).map((side, i) => Math.max(0, Math.floor((side - size[i]!) / 2))) as [
    number,
    number,
  ]
  return above + left === 0
    ? x
    : pad(
        x,
        [
          [0, 0],
          [above, above],
          [left, left],
          [0, 0],
        ],
        'constant',
        value,
      )
}

/**
 * Images in another size, in training and out of it; int32 stays int32, rounded.
 *
 * Keras: `keras.layers.Resizing`.
 */
export class Resizing extends configured(ImageLayer, () => ({
  ...sizeOptions(),
  /** 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'. Default bilinear. */
  interpolation: option(interpolation, 'bilinear'),
  /** Cuts off what is too much of one side before, so that nothing is distorted. Default false. */
  cropToAspectRatio: option(boolean, false),
  /** Adds to the side that is too short before, so that nothing is distorted. Default false. */
  padToAspectRatio: option(boolean, false),
  /** What is added: 'constant'. Default constant. */
  fillMode: option(choice('constant'), 'constant'),
  /** The value that is added. Default 0. */
  fillValue: option(number(), 0),
  /** Whether a smaller image averages over what it leaves out. Default false. */
  antialias: option(boolean, false),
})) {
  static readonly className = 'Resizing'

  protected override checkOptions(): void {
    if (this.cropToAspectRatio && this.padToAspectRatio)
      throw new ArgumentError(`${this}: cropToAspectRatio and padToAspectRatio exclude each other`)
  }

  protected transformation(): Transformation {
    return {
      images: (x) => this.resized(x, this.interpolation),
      segmentationMasks: (masks) => this.resized(masks, 'nearest'),
    }
  }

  private resized(x: Tensor, how: Resizing['interpolation']): Tensor {
    const target: Size = [this.height, this.width]
    const shaped = this.cropToAspectRatio
      ? croppedLike(x, target)
      : this.padToAspectRatio
        ? paddedLike(x, target, this.fillValue)
        : x
    const made = resize(shaped, target, { interpolation: how, antialias: this.antialias })
    return made.dtype === x.dtype ? made : cast(round(made), x.dtype)
  }

  protected override sizeFor(): Size {
    return [this.height, this.width]
  }

  protected override imageDtype(given: DType): DType {
    return given === 'bool' ? 'float32' : given
  }
}

/** The middle of an image; where the image is smaller, the largest part of its middle with this aspect ratio, resized. */
function centre(x: Tensor, target: Size): Tensor {
  const [rows, columns] = sidesOf(x)
  return rows >= target[0] && columns >= target[1] ? middleOf(x, target) : resize(croppedLike(x, target), target)
}

/**
 * The middle of images, in training and out of it. An image that is smaller than that is resized: of the largest part of its middle
 * that has the aspect ratio.
 *
 * Keras: `keras.layers.CenterCrop`.
 */
export class CenterCrop extends configured(ImageLayer, sizeOptions) {
  static readonly className = 'CenterCrop'

  protected transformation(): Transformation {
    const cut = (x: Tensor): Tensor => centre(x, [this.height, this.width])
    return { images: cut, segmentationMasks: cut }
  }

  protected override sizeFor(): Size {
    return [this.height, this.width]
  }
}

/**
 * In training a part of each image, anywhere; its middle otherwise, and where the image is smaller as CenterCrop.
 *
 * Keras: `keras.layers.RandomCrop`, which cuts all images of a batch at one place, and none out of training.
 */
export class RandomCrop extends configured(RandomImageLayer, sizeOptions) {
  static readonly className = 'RandomCrop'

  protected override transformation(images: Tensor, training: boolean): Transformation {
    const [rows, columns] = sidesOf(images)
    if (training && rows >= this.height && columns >= this.width) return this.augment(images)
    const cut = (x: Tensor): Tensor => centre(x, [this.height, this.width])
    return { images: cut, segmentationMasks: cut }
  }

  protected augment(images: Tensor): Transformation {
    const [rows, columns] = sidesOf(images)
    const { x, y } = gridOf(this.height, this.width)
    const start = (extent: number, own: number): Tensor =>
      floor(multiply(this.draw([0, 1], [images.shape[0]!, 1, 1]), extent - own + 1))
    const [top, left] = [start(rows, this.height), start(columns, this.width)]
    const cut = (image: Tensor): Tensor =>
      sampleAt(image, add(y, top), add(x, left), { interpolation: 'nearest', fillMode: 'nearest', fillValue: 0 })
    return { images: cut, segmentationMasks: cut }
  }

  protected override sizeFor(): Size {
    return [this.height, this.width]
  }
}
