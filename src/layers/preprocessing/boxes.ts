// MaxNumBoundingBoxes: the same number of bounding boxes for every image.

import { configured, count, integer, option, required } from '../../core/options'
import type { BoundingBoxes } from '../../ops/image/bounding-boxes'
import { sliceAlong } from '../../ops/numpy/along'
import { pad } from '../../ops/numpy/pad'
import type { Tensor } from '../../ops/tensor'
import { ImageLayer, type Transformation } from './image-layer'

const MaxNumBoundingBoxesBase = configured(
  ImageLayer,
  () => ({
    /** The number of boxes of the result. */
    maxNumber: required(count),
    /** The numbers and the label of the boxes that are added. Default −1. */
    fillValue: option(integer(), -1),
  }),
  ['maxNumber'],
)

/**
 * The first `maxNumber` bounding boxes of each image, filled up with boxes and labels of one value, in training and
 * inference.
 *
 *   new MaxNumBoundingBoxes({ maxNumber: 10, boundingBoxFormat: 'xyxy' }).apply({ images, boundingBoxes: { boxes, labels } })
 *
 * Keras: `keras.layers.MaxNumBoundingBoxes`.
 */
export class MaxNumBoundingBoxes extends MaxNumBoundingBoxesBase {
  static readonly className = 'MaxNumBoundingBoxes'

  protected transformation(): Transformation | null {
    return null
  }

  /** @internal */
  protected override changedBoxes({ boxes, labels }: BoundingBoxes<Tensor>): BoundingBoxes<Tensor> {
    const filled = (x: Tensor): Tensor => {
      const kept = Math.min(this.maxNumber, x.shape[1]!)
      const after = x.shape.map((_, axis): [number, number] => [0, axis === 1 ? this.maxNumber - kept : 0])
      return pad(sliceAlong(x, 1, 0, kept), after, 'constant', this.fillValue)
    }
    return { boxes: filled(boxes), labels: filled(labels) }
  }
}
