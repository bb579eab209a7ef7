// Reshape: gives each sample another shape with the same elements.

import { ShapeError, formatShape } from '../../core/errors'
import { configured, extents, required } from '../../core/options'
import { sizeOf } from '../../core/shapes'
import { reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { BatchShape } from '../spec'
import { productOf } from './flatten'
import { REARRANGING } from '../forms'
import { sameIndices } from '../indices'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const ReshapeBase = configured(
  Layer<Tensor>,
  () => ({
    /** The shape of one sample; −1 stands for the extent that makes the sizes equal. */
    targetShape: required(extents(-1)),
  }),
  ['targetShape'],
)

/** [batch, …] → [batch, …targetShape]; one extent may be −1. Keras: `keras.layers.Reshape`. */
export class Reshape extends ReshapeBase {
  static readonly className = 'Reshape'
  /** @internal */
  static override readonly traits: LayerTraits<Reshape> = {
    form: REARRANGING,
  }

  call(x: Tensor): Tensor {
    return sameIndices(reshape(x, [x.shape[0]!, ...this.resolve(sizeOf(x.shape.slice(1)), x.shape)]), x)
  }

  private resolve(size: number, inputShape: BatchShape): number[] {
    const known = this.targetShape.filter((extent) => extent !== -1)
    const open = this.targetShape.length - known.length
    const rest = size / sizeOf(known)
    if (open > 1 || !Number.isInteger(rest) || (open === 0 && rest !== 1)) {
      throw new ShapeError(
        `${this}: an input of ${formatShape(inputShape)} does not fit targetShape ${formatShape(this.targetShape)}`,
      )
    }
    return this.targetShape.map((extent) => (extent === -1 ? rest : extent))
  }

  override computeOutputShape([batch = null, ...rest]: BatchShape): BatchShape {
    const size = productOf(rest)
    if (size === null) return [batch, ...this.targetShape.map((extent) => (extent === -1 ? null : extent))]
    return [batch, ...this.resolve(size, [batch, ...rest])]
  }
}
