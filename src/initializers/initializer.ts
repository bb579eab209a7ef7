// The base of initializers: initial weights from a shape.

import { Configured } from '../core/options'
import type { Shape } from '../core/shapes'
import type { Tensor } from '../ops/tensor'

/** Which axes of a weight are its inputs and which its outputs, where that is not Keras's rule. */
export interface FanAxes {
  /** The axes that count as inputs, given together with outputAxes. Default null: the last but one, times the receptive field. */
  readonly inputAxes?: readonly number[] | null
  /** The axes that count as outputs. Default null: the last, times the receptive field. */
  readonly outputAxes?: readonly number[] | null
}

/** Makes a tensor of any shape. Subclass it, or use one by name. */
export abstract class Initializer extends Configured {
  /** @param fans what the axes of the weight are, where its layer knows better than Keras's rule */
  abstract call(shape: Shape, fans?: FanAxes): Tensor
}
