// Masking: masks the steps of a sequence that are only padding.

import type { MaskTrail } from '../masks'
import { commonType, type DType } from '../../core/dtypes'
import { configured, number, option } from '../../core/options'
import { notEqual, where } from '../../ops/numpy/elementwise'
import { any } from '../../ops/numpy/reduce'
import { expandDims } from '../../ops/numpy/shape'
import type { Tensor } from '../../ops/tensor'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'

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
  static override readonly form = ELEMENTWISE

  protected override get makesMask(): boolean {
    return true
  }

  call(x: Tensor): Tensor {
    return where(expandDims(this.computeMask(x), -1), x, 0)
  }

  override maskTrail([x]: readonly Tensor[]): MaskTrail {
    return new Map([[x!, 2]])
  }

  override computeMask(x: Tensor): Tensor {
    return any(notEqual(x, this.maskValue), -1)
  }

  protected override outputDtype(inputs: readonly DType[]): DType {
    return commonType(['int32', ...inputs])
  }
}
