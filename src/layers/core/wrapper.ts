// The base of layers that wrap another layer.

import { configured, required } from '../../core/options'
import type { Tensor } from '../../ops/tensor'
import { innerLayer } from '../kinds'
import { LISTED } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const WrapperBase = configured(
  Layer<Tensor>,
  () => ({
    /** The inner layer. */
    layer: required(innerLayer),
  }),
  ['layer'],
)

/**
 * A layer that calls another one. The inner layer's weights belong to it, and are saved with it.
 *
 *   class Residual extends Wrapper {
 *     static readonly className = 'Residual'
 *     call(x) { return ops.add(x, this.layer.apply(x)) }
 *   }
 *   new Residual(new Dense({ units: 4 }))
 *
 * Keras: `keras.layers.Wrapper`.
 */
export abstract class Wrapper extends WrapperBase {
  /** @internal */
  static override readonly traits: LayerTraits<Wrapper> = {
    form: LISTED,
  }
}
