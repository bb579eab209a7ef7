// Rescaling: maps data to another range.

import { configured, option, required } from '../../core/options'
import { asTensor } from '../../ops/convert'
import { constants } from '../../ops/constants'
import { add, multiply } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { ShapeError, formatShape } from '../../core/errors'
import type { BatchShape } from '../spec'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const RescalingBase = configured(
  Layer<Tensor>,
  () => ({
    /** The factor of x: a number, or one for each channel of the last axis. */
    scale: required(constants),
    /** The number to add. Default 0. */
    offset: option(constants, 0),
  }),
  ['scale', 'offset'],
)

/**
 * x · scale + offset, in training and inference.
 *
 *   new Rescaling(1 / 255)                        // pixels 0 … 255 to 0 … 1
 *   new Rescaling({ scale: 2 / 255, offset: -1 })   // to −1 … 1
 *
 * Keras: `keras.layers.Rescaling`.
 */
export class Rescaling extends RescalingBase {
  static readonly className = 'Rescaling'
  /** @internal */
  static override readonly traits: LayerTraits<Rescaling> = {
    form: ELEMENTWISE,
  }

  call(x: Tensor): Tensor {
    return add(multiply(x, this.along(x.shape, 'scale')), this.along(x.shape, 'offset'))
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    this.along(inputShape, 'scale')
    this.along(inputShape, 'offset')
    return inputShape
  }

  /** @throws ShapeError for options that do not fit the last axes of x */
  private along(shape: BatchShape, name: 'scale' | 'offset'): Tensor {
    const value = asTensor(this[name], `${this}: ${name}`)
    const fits =
      value.rank < shape.length &&
      value.shape.every(
        (extent, i) => extent === 1 || shape.at(i - value.rank) === null || extent === shape.at(i - value.rank),
      )
    if (fits || value.rank === 0) return value
    throw new ShapeError(
      `${this}: ${name} ${formatShape(value.shape)} does not fit the last axes of an input ${formatShape(shape)}`,
    )
  }
}
