// Layers that resize or crop images.

import { merged } from '../../core/merged'
import { ArgumentError } from '../../core/errors'
import type { DType } from '../../core/dtypes'
import { boolean, choice, configured, extent, number, option, required } from '../../core/options'
import { boxesOf, edgesOf, type BoundingBoxes } from '../../ops/image/bounding-boxes'
import { add, cast, floor, lessEqual, multiply, round, subtract, where } from '../../ops/numpy/elementwise'
import { max } from '../../ops/numpy/reduce'
import { cutOut, interpolation, middleLike, middleOf, resize, sizeOfImages, type Size } from '../../ops/image/resize'
import type { Tensor } from '../../ops/tensor'
import { gridOf, sampleAt } from '../../ops/image/warp'
import { ImageLayer, RandomDraws, type Transformation } from './image-layer'
import { seedOption } from '../random'

const sizeOptions = () => ({
  /** The rows of the result. */
  height: required(extent),
  /** The columns of the result. */
  width: required(extent),
})

/** Whole pixels before an image whose extent becomes another one; negative where it is cut. */
const shift = (target: number, extent: number): number =>
  target >= extent ? Math.floor((target - extent) / 2) : -Math.floor((extent - target) / 2)

/** Boxes, scaled and then moved along both axes. */
const placed =
  (across: number, down: number, right: number, below: number) =>
  ({ boxes, labels }: BoundingBoxes<Tensor>): BoundingBoxes<Tensor> => {
    const [a, b, c, d] = edgesOf(boxes)
    const x = (edge: Tensor): Tensor => add(multiply(edge, across), right)
    const y = (edge: Tensor): Tensor => add(multiply(edge, down), below)
    return { boxes: boxesOf([x(a), y(b), x(c), y(d)]), labels }
  }

const ResizingBase = configured(
  ImageLayer,
  () =>
    merged(sizeOptions(), {
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
)

/**
 * Resizes images, in training and inference; int32 stays int32, rounded.
 *
 * Keras: `keras.layers.Resizing`.
 */
export class Resizing extends ResizingBase {
  static readonly className = 'Resizing'

  protected override checkOptions(): void {
    if (this.cropToAspectRatio && this.padToAspectRatio)
      throw new ArgumentError(`${this}: cropToAspectRatio and padToAspectRatio exclude each other`)
  }

  protected transformation(images: Tensor): Transformation {
    return {
      images: (x) => this.resized(x, this.interpolation),
      segmentationMasks: (masks) => this.resized(masks, 'nearest'),
      boundingBoxes: (boxes) => this.resizedBoxes(boxes, sizeOfImages(images)),
    }
  }

  /** A box outside the image, such as 0 or −1 for no box, becomes 0. */
  private resizedBoxes(input: BoundingBoxes<Tensor>, [rows, columns]: Size): BoundingBoxes<Tensor> {
    const { height, width } = this
    const [down, across] = [height / rows, width / columns]
    // With an aspect ratio, the same factor along both axes, and a shift of whole pixels.
    const least = this.padToAspectRatio ? Math.min(down, across) : null
    const factor = this.cropToAspectRatio ? Math.max(down, across) : least
    const place =
      factor === null
        ? placed(across, down, 0, 0)
        : placed(factor, factor, shift(width, columns * factor), shift(height, rows * factor))
    const { boxes, labels } = place(input)
    return { boxes: where(lessEqual(max(input.boxes, -1, true), 0), 0, boxes), labels }
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

  protected override imageDtype(dtype: DType): DType {
    return dtype === 'bool' ? 'float32' : dtype
  }
}

/** The centre of an image; of a smaller image, the largest centred part with the target's aspect ratio, resized. */
function centred(size: Size, target: Size): Transformation {
  const isLarge = size[0] >= target[0] && size[1] >= target[1]
  const part = isLarge ? middleOf(size, target) : middleLike(size, target)
  const [down, across] = [target[0] / part.height, target[1] / part.width]
  const cut = (x: Tensor): Tensor => (isLarge ? cutOut(x, part) : resize(cutOut(x, part), target))
  return {
    images: cut,
    segmentationMasks: cut,
    boundingBoxes: placed(across, down, -part.left * across, -part.top * down),
  }
}

const CenterCropBase = configured(ImageLayer, sizeOptions, ['height', 'width', 'dataFormat'])

/**
 * The centre of images, in training and inference. For a smaller image, the largest centred part with the target's
 * aspect ratio is resized.
 *
 * Keras: `keras.layers.CenterCrop`.
 */
export class CenterCrop extends CenterCropBase {
  static readonly className = 'CenterCrop'

  protected transformation(images: Tensor): Transformation {
    return centred(sizeOfImages(images), [this.height, this.width])
  }

  protected override sizeFor(): Size {
    return [this.height, this.width]
  }
}

const RandomCropBase = configured(ImageLayer, () => merged(seedOption(), sizeOptions()), [
  'height',
  'width',
  'seed',
  'dataFormat',
  'name',
])

/**
 * In training, a part at a random position of each image; otherwise its centre. Smaller images are treated as in
 * CenterCrop.
 *
 * Keras: `keras.layers.RandomCrop`, which crops all images of a batch at the same position, and none in inference.
 */
export class RandomCrop extends RandomCropBase {
  static readonly className = 'RandomCrop'
  private readonly generator = new RandomDraws(this)

  protected transformation(images: Tensor, training: boolean): Transformation {
    const [rows, columns] = sizeOfImages(images)
    return training && rows >= this.height && columns >= this.width
      ? this.augment(images)
      : centred([rows, columns], [this.height, this.width])
  }

  private augment(images: Tensor): Transformation {
    const [rows, columns] = sizeOfImages(images)
    const { x, y } = gridOf(this.height, this.width)
    const start = (extent: number, cropped: number): Tensor =>
      floor(multiply(this.generator.draw([0, 1], [images.shape[0]!, 1, 1]), extent - cropped + 1))
    const [top, left] = [start(rows, this.height), start(columns, this.width)]
    const cut = (image: Tensor): Tensor =>
      sampleAt(image, add(y, top), add(x, left), { interpolation: 'nearest', fillMode: 'nearest', fillValue: 0 })
    const boundingBoxes = ({ boxes, labels }: BoundingBoxes<Tensor>): BoundingBoxes<Tensor> => {
      const [a, b, c, d] = edgesOf(boxes)
      return { boxes: boxesOf([subtract(a, left), subtract(b, top), subtract(c, left), subtract(d, top)]), labels }
    }
    return { images: cut, segmentationMasks: cut, boundingBoxes }
  }

  protected override sizeFor(): Size {
    return [this.height, this.width]
  }
}
