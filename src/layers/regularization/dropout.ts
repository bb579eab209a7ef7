// Dropout: leaves out elements while training.

import { configured, integer, nullable, number, option, required } from '../../core/options'
import { SeedGenerator, dropout } from '../../ops/random'
import type { Tensor } from '../../ops/tensor'
import type { CallContext } from '../context'
import { ElementwiseLayer } from '../core/elementwise-layer'

/**
 * In training sets each element to 0 with probability `rate` and divides the others by 1 − rate; passes its input on
 * otherwise. Srivastava et al. 2014. Keras: `keras.layers.Dropout`.
 */
export class Dropout extends configured(ElementwiseLayer, () => ({
  /** The probability with which an element becomes 0. */
  rate: required(number({ min: 0, max: 1 })),
  /** Fixes the numbers that are drawn; from setRandomSeed's when left out. */
  seed: option(nullable(integer()), null),
}), 'rate') {
  static readonly className = 'Dropout'
  private readonly generator = new SeedGenerator(this.seed ?? undefined, `${this.name}/seedGenerator`)

  call(x: Tensor, { training }: CallContext): Tensor {
    return training && this.rate > 0 ? dropout(x, this.rate, { seed: this.generator }) : x
  }
}
