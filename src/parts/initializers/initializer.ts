// The base of initializers: initial weights from a shape.

import { Configured } from '../../core/options'
import { construct } from '../../core/registry'
import type { Shape } from '../../core/shapes'
import type { Tensor } from '../../ops/tensor'

/** The input and output axes of a weight, where they differ from Keras's rule. */
export interface FanAxes {
  /**
   * The input axes; pass outputAxes, too. Default null: the second axis from the end, times the receptive
   * field.
   */
  readonly inputAxes?: readonly number[] | null
  /** The output axes. Default null: the last, times the receptive field. */
  readonly outputAxes?: readonly number[] | null
}

/** Makes a tensor of any shape. Subclass it, or use one by name. */
export abstract class Initializer extends Configured {
  /** @param fans the input and output axes of the weight, if its layer overrides Keras's rule */
  abstract call(shape: Shape, fans?: FanAxes): Tensor

  /** The values of `call` as flat blocks in order, without a tensor of the whole shape; null if only `call` can compute them. @internal */
  blocks(_shape: Shape, _fans?: FanAxes): Iterable<Tensor> | null {
    return null
  }

  /** An initializer with the same options. Without a seed, both draw other numbers. Keras: `Initializer.clone`. */
  clone(): this
  clone(): unknown {
    return construct(this.constructor, this.getConfig())
  }
}
