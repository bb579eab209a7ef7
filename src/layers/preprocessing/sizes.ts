// Layers that resize or crop images.

import { ArgumentError } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import { boolean, choice, configured, extent, number, option, required } from '../../core/options'
import { add, cast, floor, multiply, round } from '../../ops/numpy/elementwise'
import type { Size } from '../../ops/image/resize'
import { croppedLike, interpolation, middleOf, resize, sizeOfImages } from '../../ops/image/resize'
import type { Tensor } from '../../ops/tensor'
import { gridOf, sampleAt } from '../../ops/image/warp'
import type { Transformation } from './image-layer'
import { ImageLayer, RandomDraws } from './image-layer'
import { seedOption } from '../random'

const sizeOptions = () => ({
  /** The rows of the result. */
  height: required(extent),
  /** The columns of the result. */
  width: required(extent),
})

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
    const { antialias, cropToAspectRatio, padToAspectRatio, fillValue } = this
    const made = resize(x, [this.height, this.width], {
      interpolation: how,
      antialias,
      cropToAspectRatio,
      padToAspectRatio,
      fillValue,
    })
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
  const [rows, columns] = sizeOfImages(x)
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
    const [rows, columns] = sizeOfImages(images)
    if (training && rows >= this.height && columns >= this.width) return this.augment(images)
    const cut = (x: Tensor): Tensor => centre(x, [this.height, this.width])
    return { images: cut, segmentationMasks: cut }
  }

  private augment(images: Tensor): Transformation {
    const [rows, columns] = sizeOfImages(images)
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
