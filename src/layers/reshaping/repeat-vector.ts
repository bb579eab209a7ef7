// RepeatVector: a vector as every step of a sequence.

import { configured, extent, required } from '../../core/options'
import { broadcastTo, expandDims } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { requireRank } from '../checks'
import type { BatchShape } from '../spec'
import { REARRANGING } from '../forms'
import { sameIndices } from '../indices'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const RepeatVectorBase = configured(
  Layer<Tensor>,
  () => ({
    /** The number of steps. */
    n: required(extent),
  }),
  ['n'],
)

/** [batch, features] → [batch, n, features], with n equal steps. Keras: `keras.layers.RepeatVector`. */
export class RepeatVector extends RepeatVectorBase {
  static readonly className = 'RepeatVector'
  /** @internal */
  static override readonly traits: LayerTraits<RepeatVector> = {
    form: REARRANGING,
    requiredInputs: () => ({ ndim: 2 }),
  }

  call(x: Tensor): Tensor {
    requireRank(this, x.shape, ['batch', 'features'])
    return sameIndices(broadcastTo(expandDims(x, 1), [x.shape[0]!, this.n, x.shape[1]!]), x)
  }

  override computeOutputShape(inputShape: BatchShape): BatchShape {
    requireRank(this, inputShape, ['batch', 'features'])
    return [inputShape[0]!, this.n, inputShape[1]!]
  }
}
