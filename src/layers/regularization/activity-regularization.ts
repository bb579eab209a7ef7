// ActivityRegularization: a penalty on its input.

import { configured, number, option } from '../../core/options'
import { divide } from '../../ops/numpy/elementwise'
import type { Tensor } from '../../ops/tensor'
import { L1L2 } from '../../parts/regularizers'
import type { CallContext } from '../context'
import { KEEPS } from '../units'
import { PASSING } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const ActivityRegularizationBase = configured(
  Layer<Tensor>,
  () => ({
    /** The factor of Σ|x|. Default 0. */
    l1: option(number({ min: 0 }), 0),
    /** The factor of Σx². Default 0. */
    l2: option(number({ min: 0 }), 0),
  }),
  ['l1', 'l2'],
)

/** Returns x and adds (l1 · Σ|x| + l2 · Σx²) / batch to the loss. Keras: `keras.layers.ActivityRegularization`. */
export class ActivityRegularization extends ActivityRegularizationBase {
  static readonly className = 'ActivityRegularization'
  /** @internal */
  static override readonly traits: LayerTraits<ActivityRegularization> = {
    form: PASSING,
    unitFlow: () => KEEPS,
  }

  call(x: Tensor, context: CallContext): Tensor {
    const { l1, l2 } = this
    // Per sample, so that the penalty does not depend on the batch size.
    context.addLoss(divide(new L1L2({ l1, l2 }).call(x), x.shape[0] ?? 1))
    return x
  }
}
