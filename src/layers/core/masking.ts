// Masking: marks the steps of a sequence that are only padding.

import type { DType } from '../../core/dtypes'
import { commonType } from '../../core/dtypes'
import { configured, number, option } from '../../core/options'
import { notEqual, where } from '../../ops/elementwise'
import { any } from '../../ops/reduce'
import { expandDims } from '../../ops/shape'
import type { Tensor } from '../../ops/tensor'
import { ElementwiseLayer } from './elementwise-layer'

/**
 * A step whose features all are `maskValue` does not count: x [batch, steps, features] is passed on with such steps set to
 * 0, and with the mask any(x ≠ maskValue) [batch, steps]. Later layers, losses and metrics leave them out.
 *
 * Keras: `keras.layers.Masking`.
 */
export class Masking extends configured(
  ElementwiseLayer,
  () => ({
    /** What all features of a step that does not count are. Default 0. */
    maskValue: option(number(), 0),
  }),
  'maskValue',
) {
  static readonly className = 'Masking'

  protected override get makesMask(): boolean {
    return true
  }

  call(x: Tensor): Tensor {
    return where(expandDims(this.computeMask(x), -1), x, 0)
  }

  override computeMask(x: Tensor): Tensor {
    return any(notEqual(x, this.maskValue), -1)
  }

  protected override outputDtype(inputs: readonly DType[]): DType {
    return commonType(['int32', ...inputs])
  }
}
