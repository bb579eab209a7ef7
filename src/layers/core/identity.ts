// Identity: a layer that does nothing.

import type { Tensor } from '../../ops/tensor'
import { PassingLayer } from './elementwise-layer'

/** x. Keras: `keras.layers.Identity`. */
export class Identity extends PassingLayer {
  static readonly className = 'Identity'

  call(x: Tensor): Tensor {
    return x
  }
}
