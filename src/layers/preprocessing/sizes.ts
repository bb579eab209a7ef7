// Layers that resize or crop images.

import { ArgumentError } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import { boolean, choice, configured, extent, number, option, required } from '../../core/options'
import { add, cast, floor, multiply, round } from '../../ops/numpy/elementwise'
import { interpolation, resize } from '../../ops/image/resize'
import { pad } from '../../ops/numpy/pad'
import { slice } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { gridOf, sampleAt } from '../../ops/image/warp'
import type { Transformation } from './image-layer'
import { ImageLayer, RandomDraws } from './image-layer'
import { seedOption } from '../random'

type Size = readonly [rows: number, columns: number]

const sizeOptions = () => ({
  /** The rows of the result. */
  height: required(extent),
  /** The columns of the result. */
  width: required(extent),
})

const sidesOf = ({ shape }: Tensor): Size => [shape[1]!, shape[2]!]

/**
 * The sides of an image at the aspect ratio of another: the rows that its columns require, and the columns that its
 * rows require.
 */
const sidesLike = ([rows, columns]: Size, [height, width]: Size): Size => [
  Math.trunc((columns * height) / width),
  Math.trunc((rows * width) / height),
]

/** The centre of an image. */
function middleOf(x: Tensor, [height, width]: Size): Tensor {
  const [rows, columns] = sidesOf(x)
  return slice(x, [0, Math.floor((rows - height) / 2), Math.floor((columns - width) / 2), 0], [-1, height, width, -1])
}

/** The largest centred part of an image with the target's aspect ratio. */
function croppedLike(x: Tensor, target: Size): Tensor {
  const [rows, columns] = sidesOf(x)
  const [height, width] = sidesLike([rows, columns], target)
  return middleOf(x, [Math.max(Math.min(rows, height), 1), Math.max(Math.min(columns, width), 1)])
}

/** An image, padded equally on both sides to the target's aspect ratio. */
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
 * Resizes images, in training and inference; int32 stays int32, rounded.
 *
 * Keras: `keras.layers.Resizing`.
 */
export class Resizing extends configured(
  ImageLayer,
  () => ({
    ...sizeOptions(),
    /** 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'. Default bilinear. */
    interpolation: option(interpolation, 'bilinear'),
    /** Whether to crop the longer side first, so that nothing is distorted. Default false. */
    cropToAspectRatio: option(boolean, false),
    /** Whether to pad the shorter side first, so that nothing is distorted. Default false. */
    padToAspectRatio: option(boolean, false),
    /** The kind of padding: 'constant'. Default constant. */
    fillMode: option(choice('constant'), 'constant'),
    /** The value of the padding. Default 0. */
    fillValue: option(number(), 0),
    /** Whether to average over skipped pixels when an image gets smaller. Default false. */
    antialias: option(boolean, false),
  }),
  [
    'height',
    'width',
    'interpolation',
    'cropToAspectRatio',
    'padToAspectRatio',
    'fillMode',
    'fillValue',
    'antialias',
    'dataFormat',
  ],
) {
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

/** The centre of an image; of a smaller image, the largest centred part with the target's aspect ratio, resized. */
function centre(x: Tensor, target: Size): Tensor {
  const [rows, columns] = sidesOf(x)
  return rows >= target[0] && columns >= target[1] ? middleOf(x, target) : resize(croppedLike(x, target), target)
}

/**
 * The centre of images, in training and inference. For a smaller image, the largest centred part with the target's
 * aspect ratio is resized.
 *
 * Keras: `keras.layers.CenterCrop`.
 */
export class CenterCrop extends configured(ImageLayer, sizeOptions, ['height', 'width', 'dataFormat']) {
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
 * In training, a part at a random position of each image; otherwise its centre. Smaller images are treated as in
 * CenterCrop.
 *
 * Keras: `keras.layers.RandomCrop`, which crops all images of a batch at the same position, and none in inference.
 */
export class RandomCrop extends configured(ImageLayer, () => ({ ...seedOption(), ...sizeOptions() }), [
  'height',
  'width',
  'seed',
  'dataFormat',
  'name',
]) {
  static readonly className = 'RandomCrop'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation {
    const [rows, columns] = sidesOf(images)
    if (training && rows >= this.height && columns >= this.width) return this.augment(images)
    const cut = (x: Tensor): Tensor => centre(x, [this.height, this.width])
    return { images: cut, segmentationMasks: cut }
  }

  private augment(images: Tensor): Transformation {
    const [rows, columns] = sidesOf(images)
    const { x, y } = gridOf(this.height, this.width)
    const start = (extent: number, own: number): Tensor =>
      floor(multiply(this.generator.draw([0, 1], [images.shape[0]!, 1, 1]), extent - own + 1))
    const [top, left] = [start(rows, this.height), start(columns, this.width)]
    const cut = (image: Tensor): Tensor =>
      sampleAt(image, add(y, top), add(x, left), { interpolation: 'nearest', fillMode: 'nearest', fillValue: 0 })
    return { images: cut, segmentationMasks: cut }
  }

  protected override sizeFor(): Size {
    return [this.height, this.width]
  }
}
