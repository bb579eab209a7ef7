// Activation: a function of one tensor as a layer.

import { configured, required } from '../../core/options'
import type { Tensor } from '../../ops/tensor'
import { activation } from '../kinds'
import { isHomogeneous, mixesUnits } from '../../parts/activations'
import { KEEPS, type UnitFlow } from '../units'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'

const ActivationBase = configured(
  Layer<Tensor>,
  () => ({
    /** A name, or a function of a tensor. */
    activation: required(activation),
  }),
  ['activation'],
)

/**
 * Applies an activation: `new Activation('relu')`.
 *
 * Keras: `keras.layers.Activation`.
 */
export class Activation extends ActivationBase {
  static readonly className = 'Activation'
  static override readonly form = ELEMENTWISE

  call(x: Tensor): Tensor {
    return this.activation(x)
  }

  override get unitFlow(): UnitFlow | null {
    return mixesUnits(this.activation) ? null : { ...KEEPS, scales: isHomogeneous(this.activation) }
  }
}
