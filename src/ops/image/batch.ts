// Images [batch, rows, columns, channels], or one image without the batch.

import { ShapeError, formatShape } from '../../core/errors'
import { asTensor, type TensorLike } from '../convert'
import { expandDims, squeeze } from '../numpy/shape'
import type { Tensor } from '../tensor'

/** Images of any dtype. @throws ShapeError for another rank */
export function requireImages(where: string, images: TensorLike): Tensor {
  const value = asTensor(images, where)
  if (value.rank === 3 || value.rank === 4) return value
  throw new ShapeError(
    `${where}: expected images [batch, rows, columns, channels] or one [rows, columns, channels], received ${formatShape(value.shape)}`,
  )
}

/** Applies a function of a batch of images to images or to one image. */
export function eachImage(where: string, images: TensorLike, of: (batch: Tensor) => Tensor): Tensor {
  const value = requireImages(where, images)
  return value.rank === 4 ? of(value) : squeeze(of(expandDims(value, 0)), 0)
}
