// Masking: masks the steps of a sequence that are only padding.

import { commonType } from '../../core/dtypes'
import { configured, number, option } from '../../core/options'
import { notEqual, where } from '../../ops/numpy/elementwise'
import { any } from '../../ops/numpy/reduce'
import { expandDims } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

const MaskingBase = configured(
  Layer<Tensor>,
  () => ({
    /** The value of all features of a masked step. Default 0. */
    maskValue: option(number(), 0),
  }),
  ['maskValue'],
)

/**
 * Masks the steps whose features are all `maskValue`. The output is x [batch, steps, features] with those steps set to
 * 0 and the mask any(x ≠ maskValue) [batch, steps], which later layers, losses and metrics use.
 *
 * Keras: `keras.layers.Masking`.
 */
export class Masking extends MaskingBase {
  static readonly className = 'Masking'
  /** @internal */
  static override readonly traits: LayerTraits<Masking> = {
    form: ELEMENTWISE,
    makesMask: () => true,
    maskTrail: (_layer, [x]) => new Map([[x!, 2]]),
    outputDtype: (_layer, inputs) => commonType(['int32', ...inputs]),
  }

  call(x: Tensor): Tensor {
    return where(expandDims(this.computeMask(x), -1), x, 0)
  }

  override computeMask(x: Tensor): Tensor {
    return any(notEqual(x, this.maskValue), -1)
  }
}
