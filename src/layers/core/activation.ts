// Activation: a function of one tensor as a layer.

import { configured, required } from '../../core/options'
import type { Tensor } from '../../ops/tensor'
import { activation } from '../kinds'
import { isHomogeneous, mixesUnits } from '../../parts/activations'
import { KEEPS } from '../units'
import { ELEMENTWISE } from '../forms'
import { Layer } from '../layer'
import type { LayerTraits } from '../traits'

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
  /** @internal */
  static override readonly traits: LayerTraits<Activation> = {
    form: ELEMENTWISE,
    unitFlow: ({ activation: applied }) => (mixesUnits(applied) ? null : { ...KEEPS, scales: isHomogeneous(applied) }),
  }

  call(x: Tensor): Tensor {
    return this.activation(x)
  }
}
