// Flatten: everything but the batch axis becomes one axis.

import { configured, option } from '../../core/options'
import { sizeOf } from '../../core/shapes'
import { moveAxis, reshape } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import type { BatchShape } from '../spec'
import { dataFormat } from '../kinds'
import { REARRANGING } from '../forms'
import { sameIndices } from '../indices'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

/** The product of extents; null if one is open. */
export function productOf(extents: BatchShape): number | null {
  return extents.reduce<number | null>((size, extent) => (size === null || extent === null ? null : size * extent), 1)
}

const FlattenBase = configured(
  Layer<Tensor>,
  () => ({
    /**
     * Where the channels are: 'channelsFirst' [batch, channels, …] is flattened in the order of channels last, so that
     * the same weights fit both formats. Default channelsLast.
     */
    dataFormat: option(dataFormat, null),
  }),
  ['dataFormat'],
)

/** [batch, a, b, …] → [batch, a · b · …]. Keras: `keras.layers.Flatten`. */
export class Flatten extends FlattenBase {
  static readonly className = 'Flatten'
  /** @internal */
  static override readonly traits: LayerTraits<Flatten> = {
    form: REARRANGING,
    unitFlow: (layer) => (layer.dataFormat === 'channelsFirst' ? null : { kind: 'flattens' }),
    requiredInputs: () => ({ minNdim: 1 }),
  }

  call(x: Tensor): Tensor {
    const ordered = this.dataFormat === 'channelsFirst' && x.rank > 2 ? moveAxis(x, 1, -1) : x
    return sameIndices(reshape(ordered, [x.shape[0]!, sizeOf(x.shape.slice(1))]), x)
  }

  override computeOutputShape([batch = null, ...rest]: BatchShape): BatchShape {
    return [batch, productOf(rest)]
  }
}
