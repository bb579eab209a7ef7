// Identity: a layer that does nothing.

import type { Tensor } from '../../ops/tensor'
import { Layer } from '../layer'

/** x: one tensor, or a tree of several. Keras: `keras.layers.Identity`. */
export class Identity extends Layer {
  static readonly className = 'Identity'
  override readonly supportsMasking = true

  call(x: Tensor): Tensor {
    return x
  }
}
